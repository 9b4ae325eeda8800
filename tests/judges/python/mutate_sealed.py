"""Damages session keys, fields and blobs: nothing damaged may open.

    mutate_sealed.py KEY FOLDER EVENTS [--window] [--flips N] [--seed N]

KEY, FOLDER, EVENTS and --window as for open_sealed.py. Each damage is looked at through that program's own functions, with cryptography
and pyhpke below them; a damaged blob is renamed to its new hash, so that the hash alone does not give it away.
"""

import argparse
import dataclasses
import hashlib
import json
import pathlib
import random
import sys
import tempfile
from collections import Counter

import evidence
import open_sealed
from evidence import Refused


def outcome(action) -> str:
    try:
        action()
    except open_sealed.Closed:
        return "closed"
    except (Refused, KeyError, TypeError, AttributeError, ValueError):
        return "refused"
    return "OPENED"


class Damage:
    def __init__(self, given: argparse.Namespace):
        self.random, self.flips = random.Random(given.seed), given.flips
        self.private = bytes.fromhex(given.key.read_text().strip())
        self.form = "window" if given.window else "json"
        self.folder = given.folder
        self.events = [evidence.read_event(signed) for signed in evidence.cut(given.events.read_bytes())]
        self.counts: Counter = Counter()

    def count(self, kind: str, action) -> None:
        self.counts[f"{kind}: {outcome(action)}"] += 1

    def flipped(self, data: bytes):
        for _ in range(self.flips):
            at, by = self.random.randrange(len(data)), self.random.randrange(1, 256)
            yield data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]

    def keys(self) -> open_sealed.SessionKeys:
        return open_sealed.SessionKeys(self.folder, self.private, self.form)

    def all(self) -> None:
        for path in sorted((self.folder / "session-keys").glob(f"*.{self.form}")):
            self.key_files(path)
        for path in sorted((self.folder / "blobs").glob("*")):
            self.blobs(path)
        names = [(event, *found) for event in self.events for found in self.fields(event)]
        for event, name, text in names:
            if outcome(lambda e=event, n=name, t=text: open_sealed.open_field(self.keys(), e, n, t)) == "OPENED":
                self.field(event, name, text)

    @staticmethod
    def fields(event: evidence.Event):
        return open_sealed.sealed_texts(event)

    def key_files(self, path: pathlib.Path) -> None:
        if outcome(lambda: self.keys().open(path.stem)) != "OPENED":
            return
        data = path.read_bytes()
        content = json.loads(data)
        others = {
            "another session": content | {"session": content["session"] + "0"},
            "another origin": content | {"origin": content["origin"] + "0"},
            "another key id": content | {"key": "00" * 16},
        }
        with tempfile.TemporaryDirectory() as name:
            copy = pathlib.Path(name) / "session-keys" / path.name
            copy.parent.mkdir()
            for changed in self.flipped(data):
                copy.write_bytes(changed)
                said = outcome(lambda: self._open_copy(name, path.stem))
                if said == "OPENED" and self.own_part(changed) == self.own_part(data):
                    said = "not of this recipient (harmless)"
                self.counts[f"byte of a key file: {said}"] += 1
            for what, changed in others.items():
                copy.write_text(json.dumps(changed))
                self.count(f"key file of {what}", lambda: self._open_copy(name, path.stem))

    def own_part(self, data: bytes) -> dict:
        """What concerns this recipient. White space, and what is sealed to others, is not covered by its ciphertext."""
        content = json.loads(data)
        own = [each for each in content["recipients"] if each.get("kid") == self.keys().kid]
        return content | {"recipients": own[:1]}

    def _open_copy(self, folder: str, key_id: str) -> None:
        open_sealed.SessionKeys(pathlib.Path(folder), self.private, self.form).open(key_id)

    def blobs(self, path: pathlib.Path) -> None:
        if outcome(lambda: open_sealed.open_blob(self.keys(), path)) != "OPENED":
            return
        data = path.read_bytes()
        spoiled = list(self.flipped(data)) + [data[:-1], data + b"\x00", data[:57], b""]
        with tempfile.TemporaryDirectory() as name:
            for changed in spoiled:
                copy = pathlib.Path(name) / hashlib.sha256(changed).hexdigest()
                copy.write_bytes(changed)
                self.count("byte of a blob", lambda c=copy: open_sealed.open_blob(self.keys(), c))

    def field(self, event: evidence.Event, name: str, text: str) -> None:
        def moved(**members: object) -> evidence.Event:
            changed = event.json | {"data": event.json["data"] | members}
            return dataclasses.replace(event, json=changed)

        for at in [self.random.randrange(len(text)) for _ in range(self.flips)]:
            letter = self.random.choice([c for c in "ABCXYZabcxyz0189_-." if c != text[at]])
            changed = text[:at] + letter + text[at + 1 :]
            self.count("character of a field", lambda c=changed: open_sealed.open_field(self.keys(), event, name, c))
        other = moved(session=event.json["data"]["session"] + "0")
        self.count("field in another session", lambda: open_sealed.open_field(self.keys(), other, name, text))
        other = dataclasses.replace(event, origin=event.origin + "0")
        self.count("field in another log", lambda: open_sealed.open_field(self.keys(), other, name, text))
        self.count("field under another name", lambda: open_sealed.open_field(self.keys(), event, name + "s", text))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("key", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("events", type=pathlib.Path)
    parser.add_argument("--window", action="store_true")
    parser.add_argument("--flips", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    damage = Damage(parser.parse_args())
    damage.all()
    for what, count in sorted(damage.counts.items()):
        print(f"{count:6} {what}")
    opened = sum(count for what, count in damage.counts.items() if what.endswith("OPENED"))
    kinds = {what.split(":")[0].split(" of ")[-1] for what in damage.counts}
    print(f"{damage.counts.total()} damaged, {opened} opened")
    # Without a key, a blob and a field that open when whole, nothing was shown.
    return 0 if opened == 0 and {"a key file", "a blob", "a field"} <= kinds else 1


if __name__ == "__main__":
    sys.exit(main())

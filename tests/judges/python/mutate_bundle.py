"""Damages a good bundle in every way we know of; both judges, Go and Python, must refuse each, and take the original.

    mutate_bundle.py BUNDLE [--old CHECKPOINT...] [--other BUNDLE] [--proof FILE [ROTATION...]]... [--qr TEXT]...
                     [--refused refused.json] [--flips N] [--seed N] [--every-bit] [--go PROGRAM]

--old: older genuine checkpoints of the same log. --other: another station's bundle. --proof: a .tlog-proof about the
bundle's log, and the proofs of the rotations it needs. --refused: signed logs that break a rule. --flips: changed bytes
for each file. --every-bit: also every bit of checkpoint and vkey. --go: the Go judge, built; else it is built here.

Exit code 0: no wrong verdict. What is damaged and provably harmless is listed by name, never passed over.
"""

import argparse
import base64
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

import evidence
import verify_bundle
from evidence import Refused

GO_FOLDER = pathlib.Path(__file__).resolve().parents[1] / "go"
GO_ENV = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}


@dataclass
class Try:
    """One thing to be judged. `files` is a bundle, or the parts of a proof."""

    kind: str
    what: str
    files: dict[str, bytes]
    mode: str = "bundle"
    old: list[bytes] = field(default_factory=list)
    vkey: bytes | None = None
    text: str = ""
    wanted: str = "refused"
    reason: str = ""


# ---- the judges ----


class Judges:
    def __init__(self, program: str | None, place: pathlib.Path):
        self.place = place
        self.program = program or str(place / "go-judge")
        if program is None:
            build = ["go", "build", "-o", self.program, "."]
            subprocess.run(build, cwd=GO_FOLDER, env=os.environ | GO_ENV, check=True)

    def python(self, case: Try) -> str:
        try:
            if case.mode == "proof":
                rotations = [case.files[name] for name in _rotation_names(case)]
                said = verify_bundle.check_proof(case.files["vkey"], case.files["proof"], rotations)
            elif case.mode == "qr":
                said = verify_bundle.check_qr(case.files, case.text, case.vkey)
            else:
                said = verify_bundle.check_bundle(case.files, case.old, case.vkey)[0]
            return f"accepted: {said}"
        except Refused as refused:
            return f"refused: {refused}"
        except Exception as error:  # The judge broke, which is a wrong verdict whatever was wanted.
            return f"broken: {error!r}"

    def go(self, case: Try) -> str:
        with tempfile.TemporaryDirectory(dir=self.place) as name:
            folder = pathlib.Path(name)
            for file, data in case.files.items():
                (folder / file).write_bytes(data)
            arguments = self._arguments(case, folder)
            done = subprocess.run([self.program, *arguments], capture_output=True, check=False)
        said = done.stdout.decode().strip()
        if (done.returncode, said.partition(":")[0]) in ((0, "accepted"), (1, "refused")):
            return said
        return f"broken: code {done.returncode}: {said} {done.stderr.decode()[:500]}"

    @staticmethod
    def _arguments(case: Try, folder: pathlib.Path) -> list[str]:
        option = []
        if case.vkey is not None:
            (folder / "trusted").write_bytes(case.vkey)
            option = ["--vkey", str(folder / "trusted")]
        if case.mode == "proof":
            return ["proof", *(str(folder / name) for name in ["vkey", "proof", *_rotation_names(case)])]
        if case.mode == "qr":
            return ["qr", *option, str(folder), case.text]
        old = [folder / f"old-{number}" for number in range(len(case.old))]
        for path, data in zip(old, case.old, strict=True):
            path.write_bytes(data)
        return ["bundle", *option, str(folder), *map(str, old)]


def _rotation_names(case: Try) -> list[str]:
    return sorted(name for name in case.files if name.startswith("rotation-"))


# ---- damage ----


class Damage:
    """Makes what is to be refused, from what is genuine."""

    def __init__(self, given: argparse.Namespace):
        self.random = random.Random(given.seed)
        self.given = given
        self.good = verify_bundle.read_files(given.bundle)
        self.events = evidence.cut(self.good["events.cose"])
        self.old = [path.read_bytes() for path in given.old]
        self.other = verify_bundle.read_files(given.other) if given.other else None
        self.sizes = [evidence.read_checkpoint(note).size for note in self.old]

    def with_events(self, events: list[bytes], **files: bytes) -> dict[str, bytes]:
        return self.good | {"events.cose": b"".join(events)} | files

    def flipped(self, data: bytes, every_bit: bool = False):
        """What was changed, and the changed bytes."""
        if not data:
            return
        for _ in range(self.given.flips):
            at, by = self.random.randrange(len(data)), self.random.randrange(1, 256)
            yield f"byte {at} ^ {by:#04x}", data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]
        for bit in range(8 * len(data) if every_bit and self.given.every_bit else 0):
            at, by = bit // 8, 1 << bit % 8
            yield f"byte {at} ^ {by:#04x}", data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]

    def all(self):
        yield Try("original", "bundle", self.good, old=self.old, wanted="accepted")
        yield Try("original", "bundle by its vkey", self.good, vkey=self.good["vkey"], wanted="accepted")
        yield from self.flips()
        yield from self.rows()
        yield from self.tails()
        yield from self.checkpoints()
        yield from self.rotations()
        if self.other:
            yield from self.others()
        for paths in self.given.proof:
            yield from self.proofs(*[pathlib.Path(path).read_bytes() for path in paths])
        for text in self.given.qr:
            yield from self.slips(text)
        if self.given.refused:
            yield from refused_logs(json.loads(self.given.refused.read_text()))

    def flips(self):
        for name, data in self.good.items():
            for what, changed in self.flipped(data, every_bit=name != "events.cose"):
                yield Try(f"byte of {name}", what, self.good | {name: changed})
        for size, note in zip(self.sizes, self.old, strict=True):
            for what, changed in self.flipped(note):
                yield Try("byte of an old checkpoint", f"{size}: {what}", self.good, old=[changed])

    def rows(self):
        """Events dropped, repeated, exchanged."""
        count, events = len(self.events), self.events
        for at in self._places(count):
            yield Try("event dropped", str(at), self.with_events(events[:at] + events[at + 1 :]))
            yield Try("event repeated", str(at), self.with_events(events[: at + 1] + events[at:]))
            to = self.random.randrange(count)
            if at + 1 < count:
                pair = [events[at + 1], events[at]]
                yield Try("neighbours swapped", str(at), self.with_events(events[:at] + pair + events[at + 2 :]))
            if to != at:
                far = list(events)
                far[at], far[to] = far[to], far[at]
                yield Try("events swapped", f"{at} and {to}", self.with_events(far))
                far[to] = events[to]
                yield Try("event replaced by another", f"{at} by {to}", self.with_events(far))

    def tails(self):
        events, whole = self.events, self.good["events.cose"]
        for cut in sorted({1, 2, len(events) // 2, len(events)}):
            yield Try("tail cut off", f"{cut} events", self.with_events(events[:-cut]), reason="events missing")
            yield Try("head cut off", f"{cut} events", self.with_events(events[cut:]))
        for cut in (1, 2, 63, 64, 65, 70):
            yield Try("event cut in its middle", f"{cut} bytes", self.good | {"events.cose": whole[:-cut]})
        for more in (b"\x00", b"\n", b"\xa0", b"\xf6", b"\xd2", b"\xd2\x84", b"\xff", bytes(64)):
            yield Try("bytes after the last event", more[:4].hex(), self.good | {"events.cose": whole + more})
            yield Try("bytes before the first event", more[:4].hex(), self.good | {"events.cose": more + whole})
        yield Try("whole log twice", "", self.good | {"events.cose": whole + whole})

    def checkpoints(self):
        note, vkey = self.good["checkpoint"], self.good["vkey"]
        for name, data in (("checkpoint", note), ("vkey", vkey)):
            spoiled = {
                "empty": b"", "twice": data * 2, "blank line more": data + b"\n", "space at its end": data[:-1] + b" \n",
                "carriage return": data.replace(b"\n", b"\r\n"), "byte order mark": b"\xef\xbb\xbf" + data,
                "in capitals": data.upper(), "zero byte": data + b"\x00",
            }  # fmt: skip
            if name == "checkpoint":
                spoiled |= {"no last line feed": data[:-1], "no signature": data[: data.rindex(b"\n\n") + 2]}
            for what, changed in spoiled.items():
                yield Try(f"{name} in another form", what, self.good | {name: changed})
        for size, older in zip(self.sizes, self.old, strict=True):
            if size >= len(self.events):
                continue
            reason = "events beyond the checkpoint"
            yield Try("older checkpoint", str(size), self.good | {"checkpoint": older}, reason=reason)
            # A genuine older state of the same log is right by itself, and refused by whoever holds a newer checkpoint.
            older_state = self.with_events(self.events[:size], checkpoint=older)
            yield Try("original", f"the log at size {size}", older_state, wanted="accepted")
            reason = f"old checkpoint of {len(self.events)}: the log was cut"
            yield Try("log set back", f"to {size}", older_state, old=[note], reason=reason)

    def rotations(self):
        """Every key that must sign a checkpoint is needed."""
        for size, note in zip(self.sizes, self.old, strict=True):
            text, _, lines = note.rpartition(b"\n\n")
            signatures = lines.splitlines(keepends=True)
            if len(signatures) < 2:
                continue
            for number in range(len(signatures)):
                left = b"".join(line for at, line in enumerate(signatures) if at != number)
                stripped = text + b"\n\n" + left
                at_size = self.with_events(self.events[:size], checkpoint=stripped)
                yield Try("one of two signatures gone", f"{number} at {size}", at_size)
                yield Try("one of two signatures gone", f"{number}, old", self.good, old=[stripped])
                twice = text + b"\n\n" + signatures[number] * 2
                yield Try("one signature in both places", f"{number}", self.good, old=[twice])
            turned = text + b"\n\n" + b"".join(reversed(signatures))
            yield Try("original", "two signatures in the other order", self.good, old=[turned], wanted="accepted")
        origin, first = evidence.read_vkey(self.good["vkey"])
        for event in map(evidence.read_event, self.events):
            if event.type == evidence.ROTATED:
                later = bytes.fromhex(event.json["data"]["public_key"])
                raw = base64.b64encode(b"\x01" + later).decode()
                vkey = f"{origin}+{evidence.note_id(origin, later).hex()}+{raw}\n".encode()
                yield Try("vkey of a later key", "", self.good | {"vkey": vkey})

    def others(self):
        """Another station's genuine events, checkpoint and key."""
        theirs = evidence.cut(self.other["events.cose"])
        yield Try("original", "the other station's bundle", self.other, wanted="accepted")
        for at in self._places(len(self.events)):
            same = theirs[min(at, len(theirs) - 1)]
            inserted = self.events[:at] + [same] + self.events[at:]
            replaced = self.events[:at] + [same] + self.events[at + 1 :]
            yield Try("another station's event inserted", str(at), self.with_events(inserted))
            yield Try("another station's event in place", str(at), self.with_events(replaced))
        appended = self.with_events(self.events + (theirs[len(self.events) :] or theirs))
        yield Try("another station's events appended", "", appended)
        for name in self.good:
            yield Try(f"another station's {name}", "", self.good | {name: self.other[name]})
        yield Try("another station's whole bundle", "", self.other, vkey=self.good["vkey"], reason="vkey")
        yield Try("another station's old checkpoint", "", self.good, old=[self.other["checkpoint"]])

    def proofs(self, proof: bytes, *rotations: bytes):
        files = {"vkey": self.good["vkey"], "proof": proof}
        files |= {f"rotation-{number:03}": data for number, data in enumerate(rotations)}
        yield Try("original", "proof", files, mode="proof", wanted="accepted")
        for name, data in files.items():
            for what, changed in self.flipped(data):
                yield Try(f"byte of {name.split('-')[0]}", f"proof: {what}", files | {name: changed}, mode="proof")
        head, _, note = proof.partition(b"\n\n")
        lines = head.split(b"\n")
        for at in range(len(lines)):
            less = lines[:at] + lines[at + 1 :]
            more = lines[: at + 1] + lines[at:]
            yield Try("line of a proof gone", str(at), files | {"proof": _proof(less, note)}, mode="proof")
            yield Try("line of a proof twice", str(at), files | {"proof": _proof(more, note)}, mode="proof")
            if at + 1 < len(lines):
                turned = lines[:at] + [lines[at + 1], lines[at]] + lines[at + 2 :]
                yield Try("lines of a proof swapped", str(at), files | {"proof": _proof(turned, note)}, mode="proof")
        index = int(lines[2].removeprefix(b"index "))
        for wrong in {index + 1, max(index - 1, 0), index + 2**53, 2**64 + index} - {index}:
            changed = [*lines[:2], f"index {wrong}".encode(), *lines[3:]]
            yield Try("index of a proof", str(wrong), files | {"proof": _proof(changed, note)}, mode="proof")
        for event in self.random.sample(self.events, min(5, len(self.events))):
            extra = b"extra " + base64.b64encode(event)
            if extra != lines[1]:
                changed = _proof([lines[0], extra, *lines[2:]], note)
                yield Try("event of a proof", "", files | {"proof": changed}, mode="proof")
        for older in self.old:
            if older != note:
                yield Try("checkpoint of a proof", "", files | {"proof": _proof(lines, older)}, mode="proof")
        if self.other:
            yield Try("another station's vkey", "proof", files | {"vkey": self.other["vkey"]}, mode="proof")
        for gone in [name for name in files if name.startswith("rotation-")]:
            left = {name: data for name, data in files.items() if name != gone}
            # A proof of the rotation itself needs no other one.
            wanted = "accepted" if files[gone] == proof else "refused"
            yield Try("proof of a rotation gone", "", left, mode="proof", wanted=wanted)

    def slips(self, text: str):
        yield Try("original", "QR text", self.good, mode="qr", text=text, wanted="accepted")
        genuine = evidence.read_qr(text)
        letters, digits = "ABCabcxyzXYZ019 -_/=.+", "0123456789"
        for at in range(len(text)):
            for letter in digits if text[at].isdigit() else self.random.sample(letters, 5):
                changed = text[:at] + letter + text[at + 1 :]
                if changed == text:
                    continue
                wanted = "accepted" if self._only_size(genuine, changed) else "refused"
                kind = "QR text" if wanted == "refused" else "QR text: another size (harmless)"
                yield Try(kind, f"character {at} is {letter!r}", self.good, mode="qr", text=changed, wanted=wanted)

    def _only_size(self, genuine: evidence.Slip, text: str) -> bool:
        """The size on a slip is a hint that no signature covers: any that the log has and that covers the index is true."""
        changed = re.fullmatch("STN1 [^ ]+ [0-9]+ ([1-9][0-9]*) [^ ]+", text)
        if changed is None:
            return False
        size, parts = int(changed[1]), text.split(" ")
        same = (parts[1], parts[2]) == (genuine.origin, str(genuine.index))
        leaf = base64.urlsafe_b64encode(genuine.leaf).decode().rstrip("=")
        return same and parts[4] == leaf and genuine.index < size <= len(self.events)

    def _places(self, count: int) -> list[int]:
        return sorted(self.random.sample(range(count), min(count, self.given.places)))


def _proof(lines: list[bytes], note: bytes) -> bytes:
    return b"\n".join(lines) + b"\n\n" + note


def refused_logs(listed: dict):
    vkey = listed["vkey"].encode() + b"\n"
    for case in listed["refused"]:
        events = base64.b64decode(case["events"])
        files = {"events.cose": events, "checkpoint": case["checkpoint"].encode(), "vkey": vkey}
        yield Try("signed, but against a rule", case["name"], files, reason=case["reason"])


# ---- verdicts ----


def right(case: Try, said: str) -> bool:
    return said.startswith(case.wanted) and case.reason in said


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--old", nargs="*", type=pathlib.Path, default=[])
    parser.add_argument("--other")
    parser.add_argument("--proof", nargs="+", action="append", default=[])
    parser.add_argument("--qr", action="append", default=[])
    parser.add_argument("--refused", type=pathlib.Path)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--places", type=int, default=40, help="events that are dropped, repeated and so on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every-bit", action="store_true")
    parser.add_argument("--go", help="the Go judge, built")
    parser.add_argument("--details", action="store_true", help="also say what the judges said")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        return run(given, Judges(given.go, pathlib.Path(place)))


def run(given: argparse.Namespace, judges: Judges) -> int:
    table: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    said_of: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    wrong = []
    cases = list(Damage(given).all())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        by_go = pool.map(judges.go, cases)
        for case, go in zip(cases, by_go, strict=True):
            python = judges.python(case)
            row = table[case.kind]
            row["made"] += 1
            for judge, said in (("go", go), ("python", python)):
                row[f"{judge} {said.partition(':')[0]}"] += 1
                said_of[case.kind][f"{judge}: {re.sub('[0-9]+', 'N', said)[:110]}"] += 1
                if not right(case, said):
                    wrong.append(f"WRONG: {judge}: {case.kind}: {case.what}: wanted {case.wanted} {case.reason!r}: {said}")
            if go.startswith("accepted") and python.startswith("accepted") and go != python:
                wrong.append(f"WRONG: the judges accept different things: {go} | {python}")
    show(table, said_of if given.details else {})
    print("\n".join(wrong[:50]))
    total, harmless = len(cases), sum(row["made"] for kind, row in table.items() if "harmless" in kind)
    accepted = table["original"]["made"]
    refused = total - harmless - accepted
    print(f"{refused} damaged, {accepted} genuine, {harmless} harmless: {len(wrong)} wrong verdicts of {2 * total}")
    return 1 if wrong else 0


def show(table: dict, said_of: dict) -> None:
    columns = ("made", "go refused", "go accepted", "python refused", "python accepted")
    print(f"{'what was done':40}" + "".join(f"{column:>17}" for column in columns))
    for kind, row in table.items():
        print(f"{kind:40}" + "".join(f"{row[column]:17}" for column in columns))
        for said, count in sorted(said_of.get(kind, {}).items()):
            print(f"    {count:6} {said}")


if __name__ == "__main__":
    sys.exit(main())

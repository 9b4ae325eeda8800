"""Opens sealed personal data as the centre would: pyhpke opens session keys, cryptography fields and blobs.

    open_sealed.py KEY FOLDER [--window] [--events FILE] [--expect-open SESSION] [--expect-closed SESSION]

KEY: a file with the recipient's X25519 private key, 64 hex digits: the centre's, or with --window that of an officer, who
has the windows' forms instead of the key files. FOLDER: a data folder, with `session-keys` and `blobs`. The events are FILE, or `events.cose` in FOLDER; without events, blobs and keys alone are looked at. Signatures
are not checked here: verify_bundle.py does that. Nothing personal is printed.

Exit code 0: everything opened, or its key is erased, and every expectation holds. 1: not so. 2: wrongly called.
"""

import argparse
import base64
import hashlib
import pathlib
import re
import sys
from collections import Counter, defaultdict

import evidence
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from evidence import Refused, need, strict_hex, strict_json
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, PyHPKEError

SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)
INFO_KEY = b"station-gateway session key v1"
INFO_FIELD = b"station-gateway field v1\x00"
INFO_BLOB = b"station-gateway blob v2"
BLOB_BEGIN = b"STNBLOB\n\x02"
BLOB_HEAD_LEN = 57
SEALED = re.compile(r"v1\.([0-9a-f]{32})\.([A-Za-z0-9_-]{38,})", re.ASCII)
ERASED = "cannot open: key erased"
FOREIGN = "cannot open: sealed to other recipients"


class Closed(Exception):
    """It cannot be opened, and that is as it should be."""


def strict_base64url(text: object, what: str, length: int | None = None) -> bytes:
    need(isinstance(text, str) and re.fullmatch("[A-Za-z0-9_-]*", text, re.ASCII) is not None, f"{what}: not base64url")
    need(len(text) % 4 != 1, f"{what}: not base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(base64.urlsafe_b64encode(raw).decode().rstrip("=") == text, f"{what}: not strict base64url")
    need(length in (None, len(raw)), f"{what}: its length")
    return raw


def derive(key: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def open_gcm(key: bytes, nonce: bytes, sealed: bytes, aad: bytes, what: str) -> bytes:
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Refused(f"{what}: does not open") from None


class SessionKeys:
    """The session keys that lie in the folder."""

    def __init__(self, folder: pathlib.Path, private: bytes, form: str = "json"):
        self.private = private
        public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        self.kid = hashlib.sha256(public).hexdigest()[:16]
        self.files = {path.stem: path for path in sorted((folder / "session-keys").glob(f"*.{form}"))}
        self.session_of: dict[str, str] = {}
        self.origin_of: dict[str, str] = {}
        self.opened: dict[str, bytes] = {}

    def open(self, key_id: str) -> bytes:
        if key_id not in self.files:
            raise Closed(ERASED)
        if key_id not in self.opened:
            self.opened[key_id] = self._open(key_id)
        return self.opened[key_id]

    def _open(self, key_id: str) -> bytes:
        what = f"session key {key_id}"
        content = strict_json(self.files[key_id].read_bytes())
        need(sorted(content) == ["key", "origin", "recipients", "session", "version"], f"{what}: members")
        need(content["version"] == 1 and content["key"] == key_id, f"{what}: version, or its name")
        session, origin = content["session"], content["origin"]
        self.session_of[key_id], self.origin_of[key_id] = session, origin
        own = [each for each in content["recipients"] if each["kid"] == self.kid]
        if not own:
            raise Closed(FOREIGN)
        aad = strict_hex(key_id, 16, what) + origin.encode() + b"\x00" + session.encode()
        enc = strict_base64url(own[0]["enc"], f"{what}: enc", 32)
        ct = strict_base64url(own[0]["ct"], f"{what}: ct", 48)
        try:
            recipient = SUITE.kem.deserialize_private_key(self.private)
            return SUITE.create_recipient_context(enc, recipient, info=INFO_KEY).open(ct, aad=aad)
        except PyHPKEError:
            raise Refused(f"{what}: does not open") from None


class Report:
    """What was found of each session."""

    def __init__(self) -> None:
        self.found: dict[str, Counter] = defaultdict(Counter)
        self.wrong: list[str] = []

    def attempt(self, session: str, kind: str, action) -> None:
        """Counts what became of one key, field or blob."""
        try:
            action()
            self.found[session][f"{kind} opened"] += 1
        except Closed as closed:
            self.found[session][f"{kind} {closed}"] += 1
        except (Refused, KeyError, TypeError, AttributeError) as error:
            self.wrong.append(f"session {session}: {kind}: {error}")

    def opened(self, session: str) -> int:
        return sum(count for what, count in self.found[session].items() if what.endswith("opened"))

    def total(self, session: str) -> int:
        return sum(self.found[session].values())

    def expect(self, open_ones: list[str], closed_ones: list[str]) -> None:
        for session in open_ones:
            if self.total(session) == 0 or self.opened(session) != self.total(session):
                self.wrong.append(f"session {session}: expected open, {self.opened(session)} of {self.total(session)} are")
        for session in closed_ones:
            if self.total(session) == 0:
                self.wrong.append(f"session {session}: expected closed, but nothing of it was found")
            if self.opened(session):
                self.wrong.append(f"session {session}: expected closed, but {self.opened(session)} opened")
            # With a stranger's key nothing opens, and nothing is shown by that.
            if any(what.endswith(FOREIGN) for what in self.found[session]):
                self.wrong.append(f"session {session}: expected closed, but its key is here for other recipients")


def open_field(keys: SessionKeys, event: evidence.Event, name: str, text: str) -> bytes:
    match = SEALED.fullmatch(text)
    need(match is not None, f"{name}: not a sealed field")
    key_id, session = match[1], event.json["data"]["session"]
    key = keys.open(key_id)
    need(keys.session_of[key_id] == session, f"{name}: sealed under another session's key")
    need(keys.origin_of[key_id] == event.origin, f"{name}: sealed under another log's key")
    raw = strict_base64url(match[2], name)
    aad = event.origin.encode() + b"\x00" + session.encode() + b"\x00" + name.encode()
    return open_gcm(derive(key, None, INFO_FIELD + name.encode()), raw[:12], raw[12:], aad, name)


def open_blob(keys: SessionKeys, path: pathlib.Path) -> tuple[str, bytes]:
    """The blob's key id and content."""
    data = path.read_bytes()
    need(hashlib.sha256(data).hexdigest() == path.name, f"{path.name}: not the hash of the file")
    need(data.startswith(BLOB_BEGIN) and len(data) >= BLOB_HEAD_LEN + 16, f"{path.name}: not a blob of version 2")
    head, key_id = data[:BLOB_HEAD_LEN], data[9:25].hex()
    key = derive(keys.open(key_id), data[25:BLOB_HEAD_LEN], INFO_BLOB)
    return key_id, open_gcm(key, bytes(12), data[BLOB_HEAD_LEN:], head, path.name)


def check_referred(keys: SessionKeys, blobs: dict[str, pathlib.Path], session: str, data: dict) -> None:
    """The blob that an event of this session names."""
    if data["blob"] not in blobs:
        raise Closed("not here")
    head = blobs[data["blob"]].read_bytes()[9:25].hex()
    need(head == data["key"], f"{data['blob']}: sealed under another key than the event says")
    key_id, content = open_blob(keys, blobs[data["blob"]])
    need(keys.session_of[key_id] == session, f"{data['blob']}: of another session")
    need(len(content) == data["len"], f"{data['blob']}: its length is not what the event says")


def sealed_texts(event: evidence.Event):
    """Every sealed text of an event, with its field name. What an application sealed keeps its name where it is copied to."""
    area, *name = event.type.split(".")[1:-1]
    for path, value in _below(event.json["data"]):
        if isinstance(value, str) and SEALED.fullmatch(value):
            yield ".".join([area, path[-1]] if area == "application" else [*name, *path]), value


def named_blobs(event: evidence.Event):
    """Every object of an event that names a blob."""
    for _path, value in _below(event.json["data"]):
        if isinstance(value, dict) and "blob" in value and "key" in value:
            yield value


def _below(value: object, path: tuple[str, ...] = ()):
    """The value and all that is in it, each with the members that lead there."""
    yield path, value
    if isinstance(value, dict):
        for member, inner in value.items():
            yield from _below(inner, (*path, member))
    elif isinstance(value, list):
        for inner in value:
            yield from _below(inner, path)


def look(keys: SessionKeys, folder: pathlib.Path, events: bytes, report: Report) -> None:
    blobs = {path.name: path for path in sorted((folder / "blobs").glob("*")) if len(path.name) == 64}
    seen = set()
    for key_id in keys.files:
        session = strict_json(keys.files[key_id].read_bytes()).get("session", "?")
        report.attempt(session, "key", lambda key_id=key_id: keys.open(key_id))
    for event in map(evidence.read_event, evidence.cut(events)):
        data = event.json["data"]
        session = data.get("session", "?")
        for name, text in sealed_texts(event):
            report.attempt(session, "field", lambda e=event, n=name, t=text: open_field(keys, e, n, t))
        for named in named_blobs(event):
            seen.add(named["blob"])
            report.attempt(session, "blob", lambda s=session, n=named: check_referred(keys, blobs, s, n))
        if event.type == "station.erasure.done.v1":
            left = [key for key in data["keys"] if key in keys.files]
            report.wrong += [f"session {session}: key {key} is said to be erased and is here" for key in left]
    for name, path in blobs.items():
        if name not in seen:
            report.attempt("(no event)", "blob", lambda p=path: open_blob(keys, p))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("key", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--window", action="store_true")
    parser.add_argument("--events", type=pathlib.Path)
    parser.add_argument("--expect-open", action="append", default=[], metavar="SESSION")
    parser.add_argument("--expect-closed", action="append", default=[], metavar="SESSION")
    given = parser.parse_args()
    report = Report()
    try:
        private = strict_hex(given.key.read_text().strip(), 32, "private key")
        keys = SessionKeys(given.folder, private, "window" if given.window else "json")
        events = given.events or given.folder / "events.cose"
        read = events.read_bytes() if given.events or events.exists() else b""
        look(keys, given.folder, read, report)
    except Refused as refused:
        report.wrong.append(str(refused))
    report.expect(given.expect_open, given.expect_closed)
    for session, counts in sorted(report.found.items()):
        print(f"session {session}: " + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    for line in report.wrong:
        print("wrong:", line)
    total = sum((counter for counter in report.found.values()), Counter())
    summary = ", ".join(f"{count} {what}" for what, count in sorted(total.items())) or "nothing sealed"
    print(f"{'refused' if report.wrong else 'accepted'}: {summary}")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

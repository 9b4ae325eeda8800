"""Reads the formats of schemas/evidence.md: signed events, checkpoints, verifier keys, proofs, QR texts.

Written from that page alone: pycose and cryptography judge signatures, cbor2 judges the encoding, the tree is RFC 6962
written out. Whatever is not exactly in the form is `Refused`; any other exception means that the judge itself is broken.
"""

import base64
import functools
import hashlib
import io
import json
import re
from dataclasses import dataclass

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage, Sign1Message

SIGNED_LEN_MAX = 6 * 1024
# From here on a number cannot be kept exactly by every JSON reader; no station comes near.
NUMBER_MAX = 2**53 - 1
NOTE_LEN_MAX = 64 * 1024
CONTENT_TYPE = "application/cloudevents+json"
SCHEMA_URN = "urn:station-gateway:schema:event:"
ROTATED = "station.key.rotated.v1"
INCARNATED = "station.log.incarnated.v1"
POSSESSION = b"station-gateway key rotation v1\x00"
PROOF_HEADER = "c2sp.org/tlog-proof@v1"


class Refused(Exception):
    """What was given is not genuine, or not in the form of the contract."""


def need(right: bool, reason: str) -> None:
    if not right:
        raise Refused(reason)


# ---- small readers, all of them strict ----


def strict_base64(text: str, what: str) -> bytes:
    """Standard alphabet, with padding, unused bits zero: one text for each value."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(f"{what} is not base64") from None
    need(base64.b64encode(raw).decode() == text, f"{what} is not strict base64")
    return raw


def strict_number(text: str, what: str) -> int:
    need(re.fullmatch("0|[1-9][0-9]{0,15}", text, re.ASCII) is not None, f"{what} is not a decimal number")
    need(int(text) <= NUMBER_MAX, f"{what} is too large")
    return int(text)


def strict_hex(value: object, length: int, what: str) -> bytes:
    right = isinstance(value, str) and re.fullmatch(f"[0-9a-f]{{{2 * length}}}", value, re.ASCII)
    need(bool(right), f"{what} is not {2 * length} hex digits")
    return bytes.fromhex(value)


def strict_text(data: bytes, what: str) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Refused(f"{what} is not UTF-8") from None
    need(all(c >= " " or c == "\n" for c in text), f"{what} holds control characters")
    return text


def _object(pairs: list) -> dict:
    members = dict(pairs)
    need(len(members) == len(pairs), "payload: a member name stands twice")
    return members


def _no_constant(_name: str) -> None:
    raise Refused("payload: not JSON")


def _integer(digits: str) -> int | float:
    # Python refuses to read very long integers, which are JSON all the same.
    return int(digits) if len(digits) < 100 else float(digits)


def strict_json(data: bytes) -> dict:
    """An object of RFC 8259 without repeated names: two readers must not see two events."""
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_integer
        )
    except (ValueError, RecursionError):
        raise Refused("payload: not JSON") from None
    need(isinstance(value, dict), "payload: not an object")
    return value


# ---- signatures and keys ----


@functools.lru_cache(maxsize=None)
def ed25519_fits(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@functools.lru_cache(maxsize=None)
def pycose_fits(public: bytes, signed: bytes) -> bool:
    message = CoseMessage.decode(signed)
    if not isinstance(message, Sign1Message):
        return False
    message.key = OKPKey(crv=Ed25519, x=public)
    return message.verify_signature()


def key_id(public: bytes) -> bytes:
    return hashlib.sha256(public).digest()[:8]


def note_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def read_vkey(data: bytes) -> tuple[str, bytes]:
    """Name and public key of a verifier key; one line, with or without its line feed."""
    text = strict_text(data, "vkey").removesuffix("\n")
    parts = text.split("+", 2)
    need(len(parts) == 3, "vkey: not name+id+key")
    name, digits, key = parts
    need(re.fullmatch("[a-z0-9./-]{1,128}", name, re.ASCII) is not None, "vkey: the name is not an origin")
    raw = strict_base64(key, "vkey: key")
    need(len(raw) == 33 and raw[0] == 1, "vkey: not an Ed25519 key")
    need(digits == note_id(name, raw[1:]).hex(), "vkey: the id is not that of the key")
    return name, raw[1:]


class Keys:
    """The keys of one log, each with the index from which it is in force."""

    def __init__(self, origin: str, first: bytes):
        self.origin = origin
        self.list = [(0, first)]

    def at(self, index: int) -> bytes:
        return [public for begin, public in self.list if begin <= index][-1]

    def add(self, event: "Event") -> None:
        """Checks a rotation event whose signature has been checked, and takes its key."""
        old, begin = self.at(event.index), event.index + 1
        need(all(known < begin for known, _ in self.list), "rotation: not in order")
        data = event.json["data"]
        need(sorted(data) == ["new_key", "old_key", "possession", "public_key"], "rotation: members")
        new = strict_hex(data["public_key"], 32, "rotation: public_key")
        need(strict_hex(data["old_key"], 8, "rotation: old_key") == key_id(old), "rotation: old_key is another key")
        need(strict_hex(data["new_key"], 8, "rotation: new_key") == key_id(new), "rotation: new_key is another key")
        need(all(new != known for _, known in self.list), "rotation: the key was in use before")
        shown = POSSESSION + self.origin.encode() + b"\x00" + event.index.to_bytes(8, "big") + old + new
        possession = strict_hex(data["possession"], 64, "rotation: possession")
        need(ed25519_fits(new, shown, possession), "rotation: the new key did not sign")
        self.list.append((begin, new))

    def signers(self, size: int) -> list[bytes]:
        """Who signs the checkpoint of this size: the key of its last event, and the one that event brings in."""
        first = [self.at(max(size - 1, 0))]
        return first + [public for begin, public in self.list if begin == size and size > 0]


# ---- events ----


@dataclass(frozen=True)
class Event:
    signed: bytes
    kid: bytes
    index: int
    origin: str
    to_sign: bytes
    signature: bytes
    json: dict

    @property
    def type(self) -> str:
        return self.json["type"]

    def check(self, origin: str, index: int, public: bytes) -> None:
        """That it is signed by this key for this place."""
        at = f"event {index}"
        need(self.origin == origin, f"{at}: another log's origin")
        need(self.index == index, f"{at}: its index is {self.index}")
        need(self.kid == key_id(public), f"{at}: signed by a key that is not in force")
        need(ed25519_fits(public, self.to_sign, self.signature), f"{at}: the signature does not fit")
        need(pycose_fits(public, self.signed), f"{at}: the signature does not fit (pycose)")
        need(self.type != INCARNATED or index == 0, f"{at}: an incarnation within a log")


def cut(sequence: bytes) -> list[bytes]:
    """The items of a CBOR sequence (RFC 8742)."""
    stream, items = io.BytesIO(sequence), []
    while stream.tell() < len(sequence):
        start = stream.tell()
        try:
            cbor2.CBORDecoder(stream).decode()
        except Exception as error:  # cbor2 fails in many ways on foreign bytes; each means the same here.
            raise Refused(f"event {len(items)}: not CBOR") from error
        items.append(sequence[start : stream.tell()])
    return items


@functools.lru_cache(maxsize=None)
def read_event(signed: bytes) -> Event:
    """Takes an event apart and puts it together again: equal bytes, or it is not in the one form allowed."""
    need(len(signed) <= SIGNED_LEN_MAX, "event: too long")
    try:
        message = cbor2.loads(signed)
        protected, _, payload, signature = message.value
        header = cbor2.loads(protected)
        kid, index, origin = header[4], header["i"], header["o"]
        again = cbor2.dumps({1: -8, 3: CONTENT_TYPE, 4: kid, "i": index, "o": origin})
        whole = cbor2.dumps(cbor2.CBORTag(18, [again, {}, payload, signature]))
    except Exception as error:  # as above
        raise Refused("event: not COSE_Sign1 of this contract") from error
    typed = type(kid) is bytes and type(index) is int and type(origin) is str
    typed = typed and type(payload) is bytes and type(signature) is bytes
    right = typed and whole == signed and len(kid) == 8 and len(signature) == 64 and 0 <= index <= NUMBER_MAX
    need(right, "event: not COSE_Sign1 of this contract")
    need(re.fullmatch("[a-z0-9./-]{1,128}", origin, re.ASCII) is not None, "event: not an origin")
    to_sign = cbor2.dumps(["Signature1", protected, b"", payload])
    body = strict_json(payload)
    check_cloud_event(body, origin, index)
    return Event(signed, kid, index, origin, to_sign, signature, body)


def check_cloud_event(body: dict, origin: str, index: int) -> None:
    def attribute(name: str, right: bool) -> None:
        need(right, f"payload: {name} is not as the contract says")

    text = {name: value if isinstance(value, str) else "" for name, value in body.items()}
    attribute("specversion", text.get("specversion") == "1.0")
    attribute("id", text.get("id") == str(index) and isinstance(body["id"], str))
    source = text.get("source", "")
    attribute("source", source.startswith(origin + "/") and len(source) > len(origin) + 1)
    attribute("type", re.fullmatch(r"station\.[a-z0-9.-]+\.v[0-9]+", text.get("type", ""), re.ASCII) is not None)
    attribute("dataschema", text.get("dataschema") == SCHEMA_URN + text["type"])
    attribute("datacontenttype", text.get("datacontenttype") == "application/json")
    attribute("time", text.get("time", "") != "")
    attribute("data", isinstance(body.get("data"), dict))


# ---- the tree (RFC 6962, section 2.1) ----


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_point(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def root_of(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = leaves
    while len(level) > 1:
        pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def root_by_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an inclusion path leads to: PATH(m, D[n]) of section 2.1.1 walked from the root's end."""
    if size == 1:
        need(not path, "proof: the path is too long")
        return leaf
    need(bool(path), "proof: the path is too short")
    middle = split_point(size)
    *inner, sibling = path
    if index < middle:
        return node_hash(root_by_path(leaf, index, middle, inner), sibling)
    return node_hash(sibling, root_by_path(leaf, index - middle, size - middle, inner))


# ---- signed notes and checkpoints ----


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes
    text: str
    lines: tuple

    def check_signers(self, keys: Keys) -> None:
        """Every key that must have signed has, once; lines of other keys are passed over (C2SP signed-note)."""
        need(self.origin == keys.origin, "checkpoint: another log's origin")
        for public in keys.signers(self.size):
            own = [sig for name, kid, sig in self.lines if name == keys.origin and kid == note_id(name, public)]
            need(bool(own), f"checkpoint: not signed by key {key_id(public).hex()}")
            need(len(own) == 1, "checkpoint: a key signed twice")
            fits = len(own[0]) == 64 and ed25519_fits(public, self.text.encode(), own[0])
            need(fits, f"checkpoint: the signature of key {key_id(public).hex()} does not fit")


def read_checkpoint(data: bytes) -> Checkpoint:
    need(len(data) <= NOTE_LEN_MAX, "checkpoint: too long")
    note = strict_text(data, "checkpoint")
    text, blank, signatures = note.rpartition("\n\n")
    need(bool(blank) and signatures.endswith("\n"), "checkpoint: not a signed note")
    lines = signatures.removesuffix("\n").split("\n")
    need(len(lines) <= 100, "checkpoint: too many signatures")
    body = text.split("\n")
    need(len(body) == 3, "checkpoint: not three lines")
    root = strict_base64(body[2], "checkpoint: root")
    need(len(root) == 32, "checkpoint: the root is not a hash")
    size = strict_number(body[1], "checkpoint: size")
    return Checkpoint(body[0], size, root, text + "\n", tuple(map(read_signature_line, lines)))


def read_signature_line(line: str) -> tuple[str, bytes, bytes]:
    parts = line.split(" ")
    need(len(parts) == 3 and parts[0] == "—", "checkpoint: not a signature line")
    raw = strict_base64(parts[2], "checkpoint: signature")
    wrong = not parts[1] or "+" in parts[1] or any(c.isspace() for c in parts[1]) or len(raw) < 5
    need(not wrong, "checkpoint: not a signature line")
    return parts[1], raw[:4], raw[4:]


# ---- proof files and QR texts ----


@dataclass(frozen=True)
class Proof:
    event: Event
    path: list
    note: bytes

    def check_path(self, checkpoint: Checkpoint) -> None:
        need(self.event.index < checkpoint.size, "proof: the checkpoint does not cover the index")
        need(len(self.path) <= 64, "proof: the path is too long")
        root = root_by_path(leaf_hash(self.event.signed), self.event.index, checkpoint.size, self.path)
        need(root == checkpoint.root, "proof: the path does not lead to the root")


def read_proof(data: bytes) -> Proof:
    head, blank, note = data.partition(b"\n\n")
    need(bool(blank), "proof: no checkpoint")
    lines = strict_text(head, "proof").split("\n")
    need(len(lines) >= 3 and lines[0] == PROOF_HEADER, "proof: not a tlog-proof")
    need(lines[1].startswith("extra "), "proof: no event in it")
    event = read_event(strict_base64(lines[1].removeprefix("extra "), "proof: extra"))
    need(lines[2].startswith("index "), "proof: no index")
    index = strict_number(lines[2].removeprefix("index "), "proof: index")
    need(event.index == index, "proof: the event is of another index")
    path = [strict_base64(line, "proof: path") for line in lines[3:]]
    need(all(len(step) == 32 for step in path), "proof: a step is not a hash")
    return Proof(event, path, note)


@dataclass(frozen=True)
class Slip:
    origin: str
    index: int
    size: int
    leaf: bytes


def read_qr(text: str) -> Slip:
    parts = text.split(" ")
    need(len(parts) == 5 and parts[0] == "STN1", "qr: not STN1 and four words")
    need(re.fullmatch("[A-Za-z0-9_-]{43}", parts[4], re.ASCII) is not None, "qr: not a hash")
    leaf = base64.urlsafe_b64decode(parts[4] + "=")
    need(base64.urlsafe_b64encode(leaf).decode() == parts[4] + "=", "qr: not strict base64url")
    index, size = strict_number(parts[2], "qr: index"), strict_number(parts[3], "qr: size")
    need(index < size, "qr: the size does not cover the index")
    return Slip(parts[1], index, size, leaf)

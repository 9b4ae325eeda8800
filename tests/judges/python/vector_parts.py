"""What the vectors are made of: events, trees by the recursion of RFC 6962, notes, QR texts.

It writes only. The judges read, and share nothing with this file.
"""

import base64
import datetime
import hashlib
import json

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# 2026-11-22T00:00:00Z, in ms.
BEGIN_MS = 1_795_305_600_000
BOOT = "0190b7a2-1f00-7000-8000-0000000000b0"


def h(data: bytes) -> str:
    return data.hex()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# ---- Ed25519 ----


def public_of(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def key_id(public: bytes) -> bytes:
    return sha(public)[:8]


def note_id(name: str, public: bytes) -> bytes:
    return sha(name.encode() + b"\n\x01" + public)[:4]


def vkey(name: str, public: bytes) -> str:
    return f"{name}+{h(note_id(name, public))}+{b64(bytes([1]) + public)}"


# ---- RFC 6962, section 2.1, word for word; `leaves` is D[n] ----


def leaf_hash(leaf: bytes) -> bytes:
    return sha(b"\x00" + leaf)


def root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = _split(len(leaves))
    return sha(b"\x01" + root(leaves[:k]) + root(leaves[k:]))


def inclusion(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if m < k:
        return [*inclusion(m, leaves[:k]), root(leaves[k:])]
    return [*inclusion(m - k, leaves[k:]), root(leaves[:k])]


def consistency(m: int, leaves: list[bytes], complete: bool = True) -> list[bytes]:
    if m == len(leaves):
        return [] if complete else [root(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*consistency(m, leaves[:k], complete), root(leaves[k:])]
    return [*consistency(m - k, leaves[k:], False), root(leaves[:k])]


def _split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


# ---- notes ----


def checkpoint_note(origin: str, leaves: list[bytes], seeds: list[bytes]) -> str:
    text = f"{origin}\n{len(leaves)}\n{b64(root(leaves))}\n"
    lines = [
        f"— {origin} {b64(note_id(origin, public_of(seed)) + sign(seed, text.encode()))}\n" for seed in seeds
    ]
    return text + "\n" + "".join(lines)


# ---- an event ----


def event_parts(
    seed: bytes, index: int, origin: str, payload: bytes, header: dict | bytes | None = None, signed_by: bytes = b""
) -> dict[str, bytes]:
    """A signed event. `header` replaces the protected header, `signed_by` the key that signs under it."""
    if header is None:
        header = plain_header(seed, index, origin)
    protected = header if isinstance(header, bytes) else cbor2.dumps(header)
    to_sign = cbor2.dumps(["Signature1", protected, b"", payload])
    signature = sign(signed_by or seed, to_sign)
    signed = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature]))
    return {
        "protected": protected, "payload": payload, "to_sign": to_sign, "signature": signature, "signed": signed,
    }  # fmt: skip


def plain_header(seed: bytes, index: int, origin: str) -> dict:
    return {1: -8, 3: "application/cloudevents+json", 4: key_id(public_of(seed)), "i": index, "o": origin}


# ---- a log ----


class Log:
    """Signed events of one origin, as a station would write them."""

    def __init__(self, origin: str, seed: bytes):
        self.origin, self.first = origin, seed
        self.seed = seed
        self.events: list[bytes] = []
        self.parts: list[dict] = []
        self.rotations: list[int] = []
        self._seeds: list[bytes] = []
        self._new: dict[int, bytes] = {}

    def add(self, kind: str, source: str, subject: str | None, data: dict) -> None:
        self.put(self.payload(kind, source, subject, data))

    def put(self, payload: bytes, **otherwise: object) -> None:
        """The next event with this payload, signed by the key in force; `otherwise` makes it wrong."""
        part = event_parts(self.seed, len(self.events), self.origin, payload, **otherwise)
        self.events.append(part["signed"])
        self.parts.append(part)
        self._seeds.append(self.seed)

    def rotate(self, new: bytes) -> tuple[bytes, bytes]:
        """Adds the rotation event; answers the message and signature that show possession of the new key."""
        message, data = self.rotation(new)
        self.add("station.key.rotated.v1", "gateway", None, data)
        self.turn(new)
        return message, bytes.fromhex(data["possession"])

    def rotation(self, new: bytes) -> tuple[bytes, dict]:
        """What is signed by the new key, and the data of the event that brings it in."""
        old_public, new_public = public_of(self.seed), public_of(new)
        message = b"station-gateway key rotation v1\x00" + self.origin.encode() + b"\x00"
        message += len(self.events).to_bytes(8, "big") + old_public + new_public
        return message, {
            "old_key": h(key_id(old_public)), "new_key": h(key_id(new_public)),
            "public_key": h(new_public), "possession": h(sign(new, message)),
        }  # fmt: skip

    def turn(self, new: bytes) -> None:
        """From the next event on this key signs."""
        self.rotations.append(len(self.events) - 1)
        self._new[len(self.events) - 1] = new
        self.seed = new

    def checkpoint(self, size: int) -> str:
        last = max(size - 1, 0)
        seeds = [self._seeds[last]] if self._seeds else [self.first]
        if size and last in self._new:
            seeds.append(self._new[last])
        return checkpoint_note(self.origin, self.events[:size], seeds)

    def qr(self, index: int, size: int) -> str:
        return f"STN1 {self.origin} {index} {size} {b64url(leaf_hash(self.events[index]))}"

    def payload(self, kind: str, source: str, subject: str | None, data: dict) -> bytes:
        index = len(self.events)
        wall = BEGIN_MS + index * 1001
        time = datetime.datetime.fromtimestamp(wall / 1000, datetime.UTC)
        event = {
            "specversion": "1.0",
            "id": str(index),
            "source": f"{self.origin}/{source}",
            "type": kind,
            "subject": subject,
            "time": time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{wall % 1000:03}Z",
            "datacontenttype": "application/json",
            "dataschema": f"urn:station-gateway:schema:event:{kind}",
            "wallms": str(wall),
            "bootid": BOOT,
            "monotonicms": str(86_400_000 + index * 1000),
            "clocktrust": "synchronised",
            "data": data,
        }
        event = {name: value for name, value in event.items() if value is not None}
        return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()

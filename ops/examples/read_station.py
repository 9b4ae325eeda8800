#!/usr/bin/env python3
"""Reads a station's log from the centre's event store and verifies it: an example for those who write a centre.

    pip install -r ops/examples/requirements.txt
    read_station.py [--store CONNECTION] [--follow] STREAM VKEY_FILE

Stock clients only: kurrentdbclient reads the stream, pycose verifies each event, cryptography each checkpoint; the tree is RFC 6962
written out. The formats are those of schemas/link.md and schemas/evidence.md. VKEY_FILE is the log's first key as the station's
operator brought it (`gateway keys vkey`). Without --store it is that of a demonstration on this machine. --follow goes on with what comes.

A line for each event. Exit code 0: all of it is genuine, in its place, and under the checkpoints. 1: refused, with the reason.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import sys
import uuid

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from kurrentdbclient import KurrentDBClient
from kurrentdbclient.exceptions import KurrentDBClientError
from pycose.algorithms import EdDSA
from pycose.headers import KID, Algorithm
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage

DEMONSTRATION = "esdb://127.0.0.1:2113?tls=false"
ROTATED = "station.key.rotated.v1"
POSSESSION = b"station-gateway key rotation v1\x00"


class Refused(Exception):
    """What stands in the stream is not the station's log."""


def need(right: bool, reason: str) -> None:
    if not right:
        raise Refused(reason)


def fits(public: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519 (RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_vkey(text: str) -> tuple[str, bytes]:
    """Name of the log, and its first public key (C2SP signed-note, "Verifier keys")."""
    name, _, key = text.splitlines()[0].split("+", 2)
    raw = base64.b64decode(key, validate=True)
    need(len(raw) == 33 and raw[0] == 1, "the vkey is not of Ed25519")
    return name, raw[1:]


def signed_bytes(data: bytes, cose: str) -> bytes:
    """The event as it was signed: the store holds its payload as data, and the rest, detached, in the metadata."""
    try:
        detached = cbor2.loads(base64.b64decode(cose, validate=True))
        protected, unprotected, payload, signature = detached.value
    except Exception as error:  # cbor2 fails in many ways on foreign bytes; each means the same here.
        raise Refused("the metadata hold no detached COSE_Sign1") from error
    need(detached.tag == 18 and payload is None, "the metadata hold no detached COSE_Sign1")
    return cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, data, signature]))


def event_id(leaf: bytes) -> uuid.UUID:
    """The id in the store: 16 bytes of the leaf hash as a UUID of version 8."""
    raw = bytearray(leaf[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return uuid.UUID(bytes=bytes(raw))


class Tree:
    """The root after each event (RFC 6962, section 2.1): 32 bytes for each are kept, because checkpoints may lag."""

    def __init__(self) -> None:
        self.roots = [hashlib.sha256(b"").digest()]
        self.peaks: list[tuple[int, bytes]] = []  # size and root of the full subtrees, the largest first

    def add(self, leaf: bytes) -> None:
        size, right = 1, leaf
        while self.peaks and self.peaks[-1][0] == size:
            right = node_hash(self.peaks.pop()[1], right)
            size *= 2
        self.peaks.append((size, right))
        root = right
        for _, left in reversed(self.peaks[:-1]):
            root = node_hash(left, root)
        self.roots.append(root)


def leaf_hash(signed: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + signed).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Reader:
    """A log, as far as it was read. Every event is looked at once, in order."""

    def __init__(self, origin: str, first_key: bytes) -> None:
        self.origin = origin
        self.tree = Tree()
        self.keys = [(0, first_key)]  # each with the index of the first event that it signs
        self.waiting: list[str] = []  # checkpoints over events that have not come yet
        self.covered = 0

    @property
    def size(self) -> int:
        return len(self.tree.roots) - 1

    def take(self, revision: int, stored_id: uuid.UUID, stored_type: str, data: bytes, metadata: bytes) -> dict:
        """The CloudEvent of the next event, verified."""
        index = self.size
        need(revision == index, f"revision {revision} stands where {index} is due: events are missing")
        beside = json.loads(metadata)
        signed = signed_bytes(data, beside["cose"])
        self.check_signature(signed, index)
        need(beside["index"] == index, "the index in the metadata is not the signed one")
        leaf = leaf_hash(signed)
        need(stored_id == event_id(leaf), "the id in the store is not that of the event")
        event = json.loads(data)
        need(stored_type == event["type"], "the type in the store is not that of the event")
        if event["type"] == ROTATED:
            self.rotate(index, event["data"])
        self.tree.add(leaf)
        if "checkpoint" in beside:
            self.waiting.append(beside["checkpoint"])
        self.waiting = [note for note in self.waiting if not self.check_checkpoint(note)]
        return event

    def check_signature(self, signed: bytes, index: int) -> None:
        """Signed by the key in force here, for this log and this place: a genuine event cannot be moved."""
        _, public = self.keys[-1]
        try:
            message = CoseMessage.decode(signed)
        except Exception as error:  # pycose fails in as many ways as cbor2.
            raise Refused("not COSE_Sign1") from error
        header = message.phdr
        need(header.get(Algorithm) is EdDSA, "not signed with EdDSA")
        need(header.get(KID) == hashlib.sha256(public).digest()[:8], "not signed by the key in force here")
        message.key = OKPKey(crv=Ed25519, x=public)
        need(message.verify_signature(), "the signature does not fit")
        need(header.get("o") == self.origin, f"signed for another log: {header.get('o')}")
        need(header.get("i") == index, f"signed for place {header.get('i')}: repeated, swapped or left out")

    def rotate(self, index: int, data: dict) -> None:
        """The old key signed the event; the new one signed that it is held."""
        old, new = self.keys[-1][1], bytes.fromhex(data["public_key"])
        said = POSSESSION + self.origin.encode() + b"\x00" + index.to_bytes(8, "big") + old + new
        need(fits(new, said, bytes.fromhex(data["possession"])), "the new key did not sign its rotation")
        self.keys.append((index + 1, new))

    def check_checkpoint(self, note: str) -> bool:
        """False: it covers events that have not come yet."""
        text, _, lines = note.rpartition("\n\n")
        origin, size, root = text.split("\n")
        need(origin == self.origin, "a checkpoint of another log")
        if int(size) > self.size:
            return False
        signatures = [base64.b64decode(line.split(" ")[2])[4:] for line in lines.splitlines()]
        for public in self.signers(int(size)):
            signed = any(fits(public, (text + "\n").encode(), signature) for signature in signatures)
            need(signed, f"the checkpoint over {size} events is not signed by the log's key")
        need(base64.b64decode(root) == self.tree.roots[int(size)], f"the root over {size} events is not that of the checkpoint")
        self.covered = max(self.covered, int(size))
        return True

    def signers(self, size: int) -> set[bytes]:
        """The key of the last event that a checkpoint covers; where that event is a rotation, the new key too."""
        before = [public for begin, public in self.keys if begin < max(size, 1)]
        return {before[-1]} | {public for begin, public in self.keys if begin == size}


def main() -> int:
    parser = argparse.ArgumentParser(description="Reads a station's log from an event store and verifies it.")
    parser.add_argument("--store", default=DEMONSTRATION, help="connection string")
    parser.add_argument("--follow", action="store_true", help="go on with what comes")
    parser.add_argument("stream", help="station-<id>-<incarnation>")
    parser.add_argument("vkey", type=pathlib.Path, help="file with the log's first key")
    given = parser.parse_args()
    client = KurrentDBClient(uri=given.store)
    reader = Reader(*read_vkey(given.vkey.read_text()))
    events = client.subscribe_to_stream(given.stream) if given.follow else client.read_stream(given.stream)
    try:
        for stored in events:
            event = reader.take(stored.stream_position, stored.id, stored.type, stored.data, stored.metadata)
            print(f"{reader.size - 1:>8}  {event['time']}  {event['type']}  {event.get('subject', '')}", flush=True)
    except (Refused, LookupError, TypeError, ValueError) as error:
        # What is not even in the form of the contract fails in one of these ways.
        print(f"refused at {reader.size}: {error or type(error).__name__}")
        return 1
    except KeyboardInterrupt:
        pass
    except KurrentDBClientError as error:
        print(f"not read: {type(error).__name__} {error}", file=sys.stderr)
        return 2
    print(f"accepted: {reader.origin} {reader.size} events, {reader.covered} of them under a checkpoint")
    return 0


if __name__ == "__main__":
    sys.exit(main())

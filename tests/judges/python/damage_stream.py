"""Shows that ops/examples/read_station.py accepts a station's stream and refuses it in every damaged form.

    damage_stream.py CONNECTION STREAM VKEY-FILE OTHER-VKEY-FILE

Each damaged copy is a stream of its own in the same store, written with kurrentdbclient; the example reads it like any other. A copy
without damage must be accepted, or the refusals would show nothing. The log must hold a change of the signing key and events behind it.
"""

import base64
import dataclasses
import json
import pathlib
import subprocess
import sys
import uuid

from kurrentdbclient import KurrentDBClient, NewEvent, StreamState

EXAMPLE = pathlib.Path(__file__).resolve().parents[3] / "ops" / "examples" / "read_station.py"
ROTATED = "station.key.rotated.v1"
CHUNK = 200


@dataclasses.dataclass(frozen=True)
class Stored:
    id: uuid.UUID
    type: str
    data: bytes
    metadata: bytes

    def beside(self) -> dict:
        return json.loads(self.metadata)

    def with_beside(self, **members) -> "Stored":
        metadata = {name: value for name, value in (self.beside() | members).items() if value is not None}
        return dataclasses.replace(self, metadata=json.dumps(metadata).encode())

    def with_cose(self, at: int) -> "Stored":
        raw = bytearray(base64.b64decode(self.beside()["cose"]))
        raw[at] ^= 1
        return self.with_beside(cose=base64.b64encode(raw).decode())

    def with_data(self, old: bytes, new: bytes) -> "Stored":
        assert old in self.data and len(old) == len(new)
        return dataclasses.replace(self, data=self.data.replace(old, new, 1))


def other_root(note: str) -> str:
    """The note with another root; the signature stays."""
    origin, size, root, rest = note.split("\n", 3)
    return "\n".join([origin, size, base64.b64encode(bytes(32)).decode(), rest])


def other_signature(note: str) -> str:
    head, _, last = note.removesuffix("\n").rpartition(" ")
    raw = bytearray(base64.b64decode(last))
    raw[-1] ^= 1
    return f"{head} {base64.b64encode(raw).decode()}\n"


def put(log: list[Stored], at: int, *events: Stored) -> list[Stored]:
    return [*log[:at], *events, *log[at + len(events) :]]


def damaged(log: list[Stored]) -> dict[str, tuple[list[Stored], str]]:
    """Copies of the log by what was done to them, each with a word of the reason for which it must be refused."""
    # A rotation and its neighbour are refused for a reason of their own.
    plain = (at for at in range(len(log) // 3, len(log)) if ROTATED not in {log[at].type, log[at + 1].type})
    at = next(plain)
    event = log[at]
    rotation = next(place for place, stored in enumerate(log) if stored.type == ROTATED)
    noted = next(place for place, stored in enumerate(log) if "checkpoint" in stored.beside() and place > 3)
    note = log[noted].beside()["checkpoint"]
    second = dataclasses.replace(log[at + 1], id=uuid.uuid4())
    return {
        "a byte of the event": (put(log, at, event.with_data(b'"1.0"', b'"1.1"')), "signature"),
        "a bit of the signature": (put(log, at, event.with_cose(-1)), "signature"),
        "a bit of the key's id": (put(log, at, event.with_cose(event_key_at(event))), "key in force"),
        "no signature": (put(log, at, event.with_beside(cose="")), "COSE_Sign1"),
        "another index beside it": (put(log, at, event.with_beside(index=at + 1)), "index in the metadata"),
        "another id": (put(log, at, dataclasses.replace(event, id=uuid.uuid4())), "id in the store"),
        "another type": (put(log, at, dataclasses.replace(event, type="station.pickup.ended.v1")), "type in the store"),
        "an event left out": (log[:at] + log[at + 1 :], "left out"),
        "two swapped": (put(log, at, log[at + 1], event), "swapped"),
        "one repeated": (put(log, at + 1, dataclasses.replace(event, id=second.id)), "repeated"),
        "the rotation left out": (log[:rotation] + log[rotation + 1 :], "key in force"),
        "the beginning left out": (log[1:], "left out"),
        "another root": (put(log, noted, log[noted].with_beside(checkpoint=other_root(note))), "not signed"),
        "a checkpoint's signature": (put(log, noted, log[noted].with_beside(checkpoint=other_signature(note))), "not signed"),
        "a word for a checkpoint": (put(log, noted, log[noted].with_beside(checkpoint="checkpoint")), "refused"),
    }


def event_key_at(event: Stored) -> int:
    """Where the key's id stands in the detached form: behind the member 4, a byte string of 8."""
    raw = base64.b64decode(event.beside()["cose"])
    return raw.index(b"\x04\x48") + 2


class Judge:
    def __init__(self, connection: str) -> None:
        self.connection = connection
        self.client = KurrentDBClient(uri=connection)

    def read(self, stream: str) -> list[Stored]:
        return [Stored(each.id, each.type, each.data, each.metadata) for each in self.client.read_stream(stream)]

    def write(self, log: list[Stored]) -> str:
        stream, version = f"copy-{uuid.uuid4()}", StreamState.NO_STREAM
        for begin in range(0, len(log), CHUNK):
            part = log[begin : begin + CHUNK]
            events = [NewEvent(id=each.id, type=each.type, data=each.data, metadata=each.metadata) for each in part]
            self.client.append_to_stream(stream, current_version=version, events=events)
            version = begin + len(part) - 1
        return stream

    def example(self, stream: str, vkey: str) -> tuple[int, str]:
        command = [sys.executable, EXAMPLE, "--store", self.connection, stream, vkey]
        said = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return said.returncode, (said.stdout.splitlines() or [""])[-1] + said.stderr

    def accepts(self, stream: str, vkey: str) -> None:
        code, said = self.example(stream, vkey)
        assert code == 0, f"{stream} is not accepted: {code} {said}"
        print(said)

    def refuses(self, what: str, stream: str, vkey: str, reason: str) -> None:
        code, said = self.example(stream, vkey)
        assert code == 1 and reason in said, f"{what}: {code} {said}"


def main() -> int:
    connection, stream, vkey, other = sys.argv[1:]
    judge = Judge(connection)
    log = judge.read(stream)
    judge.accepts(stream, vkey)
    judge.accepts(judge.write(log), vkey)
    copies = damaged(log)
    for what, (copy, reason) in copies.items():
        judge.refuses(what, judge.write(copy), vkey, reason)
    judge.refuses("another log's key", stream, other, "")
    print(f"refused: {', '.join(copies)}, another log's key")
    return 0


if __name__ == "__main__":
    sys.exit(main())

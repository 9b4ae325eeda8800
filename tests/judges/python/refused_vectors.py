"""Logs that are signed throughout and must still be refused: each breaks one rule of schemas/evidence.md.

A changed byte is caught by a signature. These are not changed: a station that does not keep the rules would write them.
"""

import json
from collections.abc import Callable

import cbor2
from vector_parts import Log, b64, h, note_id, plain_header, public_of, root, sign, vkey

KIND = "station.device.reported.v1"
DATA = {"device": "kiosk-1", "report": "tamper", "detail": None}


class Case:
    """A log of five events; `spoil` makes it wrong."""

    def __init__(self, origin: str, seeds: list[bytes]):
        self.seeds = seeds
        self.log = Log(origin, seeds[0])
        self.note: str | None = None
        self.grow(2)

    def grow(self, count: int) -> None:
        for _ in range(count):
            self.log.add(KIND, "kiosk-1", "kiosk-1", DATA)

    def payload(self, **members: object) -> bytes:
        """The next event's payload with some members changed; `None` takes one away."""
        event = json.loads(self.log.payload(KIND, "kiosk-1", "kiosk-1", DATA))
        event = {name: value for name, value in (event | members).items() if value is not None}
        return json.dumps(event, separators=(",", ":")).encode()

    def header(self, **members: object) -> dict:
        """The next event's header; names i, o, and label1 and so on."""
        plain = plain_header(self.log.seed, len(self.log.events), self.log.origin)
        changed = {int(n.removeprefix("label")) if n.startswith("label") else n: v for n, v in members.items()}
        return {label: value for label, value in (plain | changed).items() if value is not None}

    def put_payload(self, **members: object) -> None:
        self.log.put(self.payload(**members))

    def put_header(self, **members: object) -> None:
        self.log.put(self.payload(), header=self.header(**members))

    def put_raw(self, change: Callable[[bytes], bytes]) -> None:
        """The next event, its bytes changed where no signature covers them."""
        self.log.put(self.payload())
        self.log.events[-1] = change(self.log.events[-1])

    def put_rotation(self, **members: object) -> None:
        _, data = self.log.rotation(self.seeds[1])
        data = {name: value for name, value in (data | members).items() if value is not None}
        self.log.add("station.key.rotated.v1", "gateway", None, data)
        self.log.turn(self.seeds[1])

    def sign_text(self, text: str, seeds: list[bytes]) -> None:
        lines = [self.line(seed, text) for seed in seeds]
        self.note = text + "\n" + "".join(lines)

    def line(self, seed: bytes, text: str) -> str:
        raw = note_id(self.log.origin, public_of(seed)) + sign(seed, text.encode())
        return f"— {self.log.origin} {b64(raw)}\n"

    def text(self) -> str:
        return f"{self.log.origin}\n{len(self.log.events)}\n{b64(root(self.log.events))}\n"


def long_head(signed: bytes) -> bytes:
    """The signature's length in two bytes instead of one."""
    return signed[:-66] + b"\x59\x00\x40" + signed[-64:]


def indefinite(signed: bytes) -> bytes:
    """The array without its length, ended by a break."""
    return signed[:1] + b"\x9f" + signed[2:] + b"\xff"


def unprotected(signed: bytes) -> bytes:
    tag = cbor2.loads(signed)
    tag.value[1] = {"x": 1}
    return cbor2.dumps(tag)


def detached(signed: bytes) -> bytes:
    tag = cbor2.loads(signed)
    tag.value[2] = None
    return cbor2.dumps(tag)


def loose_base64(note: str) -> str:
    """The unused bits of the last signature's base64 set: the same bytes, another text."""
    at = len(note) - 3 if note.endswith("=\n") else None
    assert at is not None and note[at] in "AEIMQUYcgkosw048", "this text has no unused bits"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return note[:at] + alphabet[alphabet.index(note[at]) + 1] + note[at + 1 :]


def reordered(case: Case) -> bytes:
    plain = case.header()
    return cbor2.dumps({label: plain[label] for label in (1, 3, 4, "o", "i")})


def twice(case: Case) -> bytes:
    """A payload that says its id twice: which one is read depends on the reader."""
    return case.payload().replace(b'"id":', b'"id":"9","id":', 1)


# ---- the cases: name, why, how ----


def _events(add: Callable) -> None:
    add("index of another place", "its index is 7", _elsewhere_in_the_log)
    add("payload with another id", "payload: id", lambda c: c.put_payload(id="7"))
    add("payload with a padded id", "payload: id", lambda c: c.put_payload(id="02"))
    add("payload with a number as id", "payload: id", lambda c: c.put_payload(id=2))
    add("header with another origin", "another log's origin", _other_origin)
    add("source outside the origin", "payload: source", lambda c: c.put_payload(source="gateway.demo/x/kiosk-1"))
    add("source that only begins alike", "payload: source", lambda c: c.put_payload(source=c.log.origin + "0/kiosk-1"))
    add("another schema", "payload: dataschema", lambda c: c.put_payload(dataschema="urn:x"))
    add("another version of CloudEvents", "payload: specversion", lambda c: c.put_payload(specversion="0.3"))
    add("data that are no object", "payload: data", lambda c: c.put_payload(data=[1]))
    add("no data", "payload: data", lambda c: c.put_payload(data=None))
    add("a member twice", "payload: a member name stands twice", lambda c: c.log.put(twice(c)))
    add("a payload that is not UTF-8", "payload: not JSON", lambda c: c.log.put(c.payload().replace(b"tamper", b"\xff")))
    add("a payload with NaN", "payload: not JSON", lambda c: c.log.put(c.payload().replace(b"null", b"NaN")))
    add("a payload with an end", "payload: not JSON", lambda c: c.log.put(c.payload() + b"{}"))
    form = "not COSE_Sign1 of this contract"
    add("another algorithm", form, lambda c: c.put_header(label1=-7))
    add("another content type", form, lambda c: c.put_header(label3="application/json"))
    add("a header member more", form, lambda c: c.put_header(x=1))
    add("a header member less", form, lambda c: c.put_header(label3=None))
    add("header members in another order", form, lambda c: c.log.put(c.payload(), header=reordered(c)))
    add("a longer key id", form, lambda c: c.put_header(label4=bytes(9)))
    add("a byte after the header", form, lambda c: c.log.put(c.payload(), header=cbor2.dumps(c.header()) + b"\x00"))
    add("a negative index", form, lambda c: c.put_header(i=-1))
    add("a length in a longer form", form, lambda c: c.put_raw(long_head))
    add("an array without length", form, lambda c: c.put_raw(indefinite))
    add("an unprotected header", form, lambda c: c.put_raw(unprotected))
    add("a detached payload", form, lambda c: c.put_raw(detached))
    add("no tag", form, lambda c: c.put_raw(lambda signed: signed[1:]))
    add("another tag", form, lambda c: c.put_raw(lambda signed: b"\xd1" + signed[1:]))
    add("longer than 6 KiB", "", lambda c: c.put_payload(data=DATA | {"detail": "x" * 6000}))
    add("an incarnation within a log", "an incarnation within a log", _incarnated)
    add("another key under the key's id", "does not fit", lambda c: c.log.put(c.payload(), signed_by=c.seeds[2]))
    add("a stranger's key", "key that is not in force", _stranger)


def _elsewhere_in_the_log(case: Case) -> None:
    case.log.put(case.payload(id="7"), header=case.header(i=7))


def _other_origin(case: Case) -> None:
    other = "gateway.demo/station/demo/9"
    case.log.put(case.payload(source=other + "/kiosk-1"), header=case.header(o=other))


def _incarnated(case: Case) -> None:
    kind = "station.log.incarnated.v1"
    case.put_payload(type=kind, dataschema=f"urn:station-gateway:schema:event:{kind}")


def _stranger(case: Case) -> None:
    case.log.put(case.payload(), header=plain_header(case.seeds[2], 2, case.log.origin), signed_by=case.seeds[2])


def _rotations(add: Callable) -> None:
    stranger_signs = "rotation: the new key did not sign"
    add("possession by the old key", stranger_signs, lambda c: c.put_rotation(possession=_possession(c, c.seeds[0])))
    add("possession for another index", stranger_signs, lambda c: c.put_rotation(possession=_elsewhere(c)))
    add("no possession", "rotation: members", lambda c: c.put_rotation(possession=None))
    add("new_key of another key", "rotation: new_key", lambda c: c.put_rotation(new_key="00" * 8))
    add("old_key of another key", "rotation: old_key", lambda c: c.put_rotation(old_key="00" * 8))
    add("a public key in capitals", "rotation: public_key", _capitals)
    add("a member more in the rotation", "rotation: members", lambda c: c.put_rotation(more="x"))
    add("a rotation to the same key", "rotation: the key was in use before", _same_key)
    add("a rotation back to the first key", "rotation: the key was in use before", _back)
    add("the old key after the rotation", "key that is not in force", _old_goes_on)
    add("the new key already at the rotation", "key that is not in force", _too_early)


def _possession(case: Case, seed: bytes) -> str:
    return h(sign(seed, case.log.rotation(case.seeds[1])[0]))


def _elsewhere(case: Case) -> str:
    message = case.log.rotation(case.seeds[1])[0]
    return h(sign(case.seeds[1], message[:-72] + (9).to_bytes(8, "big") + message[-64:]))


def _capitals(case: Case) -> None:
    case.put_rotation(public_key=h(public_of(case.seeds[1])).upper())


def _same_key(case: Case) -> None:
    case.log.rotate(case.seeds[0])


def _back(case: Case) -> None:
    case.log.rotate(case.seeds[1])
    case.log.rotate(case.seeds[0])


def _old_goes_on(case: Case) -> None:
    case.log.rotate(case.seeds[1])
    case.log.seed = case.seeds[0]


def _too_early(case: Case) -> None:
    data = case.log.rotation(case.seeds[1])[1]
    payload = case.log.payload("station.key.rotated.v1", "gateway", None, data)
    header = plain_header(case.seeds[1], len(case.log.events), case.log.origin)
    case.log.put(payload, header=header, signed_by=case.seeds[1])
    case.log.turn(case.seeds[1])


def _checkpoints(add: Callable) -> None:
    def note(name: str, reason: str, change: Callable[[Case], None]) -> None:
        add(name, reason, change, after=0)

    note("an extension line", "checkpoint: not three lines", lambda c: c.sign_text(c.text() + "more\n", c.seeds[:1]))
    note("a padded size", "checkpoint: size", lambda c: c.sign_text(c.text().replace("\n2\n", "\n02\n"), c.seeds[:1]))
    note("another root", "the root is not that", lambda c: c.sign_text(_other_root(c), c.seeds[:1]))
    note("a size too large", "events missing", lambda c: c.sign_text(c.text().replace("\n2\n", "\n3\n"), c.seeds[:1]))
    note("a size too small", "events beyond", lambda c: c.sign_text(c.text().replace("\n2\n", "\n1\n"), c.seeds[:1]))
    note("a stranger's signature", "checkpoint: ", lambda c: c.sign_text(c.text(), c.seeds[2:]))
    note("a signature twice", "checkpoint: a key signed twice", lambda c: c.sign_text(c.text(), c.seeds[:1] * 2))
    note("base64 with other unused bits", "checkpoint: signature is not", _loose)
    note("signed by the old key only", "checkpoint: ", lambda c: _rotated(c, 0, [0]))
    note("signed by the new key only", "checkpoint: ", lambda c: _rotated(c, 0, [1]))
    note("signed by the old key later", "checkpoint: ", lambda c: _rotated(c, 1, [0]))
    note("signed by the new key earlier", "checkpoint: ", lambda c: c.sign_text(c.text(), [c.seeds[1]]))


def _loose(case: Case) -> None:
    case.note = loose_base64(case.log.checkpoint(len(case.log.events)))


def _other_root(case: Case) -> str:
    return f"{case.log.origin}\n2\n{b64(root(case.log.events[:1]))}\n"


def _rotated(case: Case, after: int, signers: list[int]) -> None:
    case.log.rotate(case.seeds[1])
    case.grow(after)
    case.sign_text(case.text(), [case.seeds[each] for each in signers])


def topic(origin: str, seeds: list[bytes]) -> dict:
    cases = []

    def add(name: str, reason: str, spoil: Callable[[Case], None], after: int = 1) -> None:
        case = Case(origin, seeds)
        spoil(case)
        case.grow(after)
        note = case.note or case.log.checkpoint(len(case.log.events))
        cases.append({"name": name, "reason": reason, "events": b64(b"".join(case.log.events)), "checkpoint": note})

    _events(add)
    _rotations(add)
    _checkpoints(add)
    comment = "Whole logs, signed throughout, that must be refused: each breaks one rule. Events: base64. Judges say `reason`."
    return {"comment": comment, "vkey": vkey(origin, public_of(seeds[0])), "refused": cases}

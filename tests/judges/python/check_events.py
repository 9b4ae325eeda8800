"""Golden events judged by software not written here.

pycose reads each as a COSE_Sign1 and verifies it; cryptography verifies the Ed25519 signature over a Sig_structure
that cbor2 builds from RFC 9052, section 4.4, alone; cloudevents reads the payload. Changed events must be refused.
"""

import hashlib
import pathlib
import sys

import cbor2
from cloudevents.http import from_json
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage, Sign1Message

GOLDEN = pathlib.Path(__file__).resolve().parents[3] / "schemas" / "golden"
# RFC 8032, section 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")


def public_key() -> bytes:
    key = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def verified_by_pycose(signed: bytes, public: bytes) -> bool:
    message = CoseMessage.decode(signed)
    assert isinstance(message, Sign1Message), "not a COSE_Sign1"
    message.key = OKPKey(crv=Ed25519, x=public)
    return message.verify_signature()


def verified_by_hand(signed: bytes, public: bytes) -> bool:
    protected, unprotected, payload, signature = cbor2.loads(signed).value
    assert unprotected == {}, "the unprotected header is not empty"
    to_sign = cbor2.dumps(["Signature1", protected, b"", payload])
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, to_sign)
    except InvalidSignature:
        return False
    return True


def check(name: str, signed: bytes, public: bytes) -> None:
    assert verified_by_pycose(signed, public), "pycose refuses the signature"
    assert verified_by_hand(signed, public), "cryptography refuses the signature"
    tagged = cbor2.loads(signed)
    assert tagged.tag == 18, "not tagged as COSE_Sign1"
    assert cbor2.dumps(tagged, canonical=True) == signed, "not deterministic CBOR"
    protected, _, payload, _ = tagged.value
    header = cbor2.loads(protected)
    assert cbor2.dumps(header, canonical=True) == protected, "the header is not deterministic CBOR"
    assert sorted(header, key=str) == [1, 3, 4, "i", "o"], f"header {header}"
    assert header[1] == -8, "not EdDSA"
    assert header[3] == "application/cloudevents+json"
    assert header[4] == hashlib.sha256(public).digest()[:8], "key id"
    event = from_json(payload)
    assert event["specversion"] == "1.0"
    assert event["type"] == name
    assert event["id"] == str(header["i"]), "the id is not the index"
    assert event["source"].startswith(header["o"] + "/"), "the source is not within the origin"
    assert event["dataschema"] == f"urn:station-gateway:schema:event:{name}"
    assert isinstance(event.data, dict), "the data is not an object"
    assert (GOLDEN / f"{name}.json").read_bytes().rstrip(b"\n") == payload, "the .json file is another event"
    for attribute in event:
        assert attribute.isalnum() and attribute.islower(), f"{attribute} is no CloudEvents attribute name"


def check_controls(signed: bytes, public: bytes) -> None:
    """What is not genuine must be refused, or the checks above show nothing."""
    tagged = cbor2.loads(signed)
    protected, unprotected, payload, signature = tagged.value
    moved = cbor2.loads(protected)
    moved["i"] += 1
    for what, parts in {
        "another payload": [protected, unprotected, payload.replace(b"station", b"stations", 1), signature],
        "another index": [cbor2.dumps(moved), unprotected, payload, signature],
        "another signature": [protected, unprotected, payload, bytes([signature[0] ^ 1]) + signature[1:]],
    }.items():
        changed = cbor2.dumps(cbor2.CBORTag(18, parts))
        assert not verified_by_pycose(changed, public), f"pycose takes {what}"
        assert not verified_by_hand(changed, public), f"cryptography takes {what}"
    other = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert not verified_by_pycose(signed, other), "pycose takes another key"


def main() -> int:
    public = public_key()
    files = sorted(GOLDEN.glob("*.cose"))
    if len(files) < 40:
        print(f"only {len(files)} golden events in {GOLDEN}")
        return 1
    for path in files:
        signed = bytes.fromhex(path.read_text().strip())
        try:
            check(path.stem, signed, public)
            check_controls(signed, public)
        except AssertionError as error:
            print(f"{path.name}: {error}")
            return 1
    print(f"{len(files)} golden events: COSE_Sign1, Ed25519, CloudEvents 1.0; changed ones refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())

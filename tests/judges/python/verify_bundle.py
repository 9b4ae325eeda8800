"""A judge of the evidence log: pycose, cryptography, cbor2, and RFC 6962 written out. See schemas/evidence.md.

    verify_bundle.py bundle [--vkey FILE] FOLDER [OLD-CHECKPOINT...]
        the whole log of an export; each older checkpoint must be a prefix of it
    verify_bundle.py proof VKEY-FILE FILE.tlog-proof [ROTATION.tlog-proof...]
        one event; where keys were rotated before it or its checkpoint, the proofs of the rotations, in order
    verify_bundle.py qr [--vkey FILE] FOLDER TEXT
        the QR text of a slip, against an export

One line is said. Exit code 0: accepted. 1: refused. Anything else: not judged.
Without --vkey the bundle is judged by the key it brings along; compare that key with one from elsewhere.
"""

import pathlib
import sys

import evidence
from evidence import Keys, Refused, need


def check_bundle(files: dict[str, bytes], old: list[bytes], vkey: bytes | None = None) -> tuple[str, list[bytes]]:
    """What is said of a whole log, and its leaf hashes."""
    origin, first = evidence.read_vkey(files["vkey"])
    if vkey is not None:
        need(evidence.read_vkey(vkey) == (origin, first), "vkey: not the key that is trusted")
    keys, leaves = Keys(origin, first), []
    for index, signed in enumerate(evidence.cut(files["events.cose"])):
        event = evidence.read_event(signed)
        event.check(origin, index, keys.at(index))
        if event.type == evidence.ROTATED:
            keys.add(event)
        leaves.append(evidence.leaf_hash(signed))
    checkpoint = evidence.read_checkpoint(files["checkpoint"])
    # Sizes come first: what is missing may hold the rotation that says whose signature is needed.
    sizes = f"{len(leaves)} events, checkpoint of {checkpoint.size}"
    need(len(leaves) <= checkpoint.size, f"events beyond the checkpoint: {sizes}")
    need(len(leaves) >= checkpoint.size, f"events missing: {sizes}")
    checkpoint.check_signers(keys)
    need(evidence.root_of(leaves) == checkpoint.root, "checkpoint: the root is not that of the events")
    for note in old:
        check_old(evidence.read_checkpoint(note), keys, leaves)
    said = f"{origin} size {checkpoint.size} root {checkpoint.root.hex()} keys {len(keys.list)} old {len(old)}"
    return said, leaves


def check_old(checkpoint: evidence.Checkpoint, keys: Keys, leaves: list[bytes]) -> None:
    at = f"old checkpoint of {checkpoint.size}"
    need(checkpoint.origin == keys.origin, f"{at}: another log's origin")
    need(checkpoint.size <= len(leaves), f"{at}: the log was cut to {len(leaves)} events")
    checkpoint.check_signers(keys)
    root = evidence.root_of(leaves[: checkpoint.size])
    need(root == checkpoint.root, f"{at}: not a prefix of this log")


def check_proof(vkey: bytes, file: bytes, rotations: list[bytes]) -> str:
    origin, first = evidence.read_vkey(vkey)
    keys, proof = Keys(origin, first), evidence.read_proof(file)
    chain = [evidence.read_proof(rotation) for rotation in rotations]
    for link in chain:
        need(link.event.type == evidence.ROTATED, "rotation: a proof of another event")
        need(link.note == proof.note, "rotation: its proof has another checkpoint")
        link.event.check(origin, link.event.index, keys.at(link.event.index))
        keys.add(link.event)
    index = proof.event.index
    proof.event.check(origin, index, keys.at(index))
    # A rotation tells by itself who signs from there on.
    if proof.event.type == evidence.ROTATED and all(link.event.index != index for link in chain):
        keys.add(proof.event)
    checkpoint = evidence.read_checkpoint(proof.note)
    checkpoint.check_signers(keys)
    for each in [*chain, proof]:
        each.check_path(checkpoint)
    return f"{origin} index {index} size {checkpoint.size} type {proof.event.type}"


def check_qr(files: dict[str, bytes], text: str, vkey: bytes | None = None) -> str:
    slip = evidence.read_qr(text)
    _, leaves = check_bundle(files, [], vkey)
    origin, _ = evidence.read_vkey(files["vkey"])
    need(slip.origin == origin, "qr: another log's origin")
    need(slip.size <= len(leaves), f"qr: the log was cut to {len(leaves)} events")
    need(slip.leaf == leaves[slip.index], "qr: another event stands at this index")
    return f"{origin} index {slip.index} size {slip.size}"


def read_files(folder: str) -> dict[str, bytes]:
    return {name: (pathlib.Path(folder) / name).read_bytes() for name in ("events.cose", "checkpoint", "vkey")}


def judge(arguments: list[str]) -> str:
    read = [pathlib.Path(argument) for argument in arguments]
    vkey = None
    if len(arguments) > 2 and arguments[1] == "--vkey":
        vkey, arguments, read = read[2].read_bytes(), [arguments[0], *arguments[3:]], [read[0], *read[3:]]
    match arguments:
        case ["bundle", folder, *_]:
            return check_bundle(read_files(folder), [path.read_bytes() for path in read[2:]], vkey)[0]
        case ["proof", _, _, *_] if vkey is None:
            return check_proof(read[1].read_bytes(), read[2].read_bytes(), [path.read_bytes() for path in read[3:]])
        case ["qr", folder, text]:
            return check_qr(read_files(folder), text, vkey)
    print(__doc__, file=sys.stderr)
    sys.exit(2)


def main() -> int:
    try:
        print("accepted:", judge(sys.argv[1:]))
        return 0
    except Refused as refused:
        print("refused:", refused)
        return 1
    except OSError as error:
        print("not judged:", error)
        return 2


if __name__ == "__main__":
    sys.exit(main())

"""Makes schemas/vectors from schemas/evidence.md, with cbor2, cryptography and hashlib; nothing of the product is used.

    make_vectors.py          writes the folder anew
    make_vectors.py --check  makes everything again and compares it, byte for byte

Every key, nonce and clock is fixed, so that the same bytes come out anywhere. The keys are those of RFC 8032, section
7.1, and RFC 9180, A.1.1: public, and of no use but for tests.
"""

import json
import pathlib
import sys

import refused_vectors as refused
import sealing_vectors as sealing
from vector_parts import Log, b64, checkpoint_note, consistency, h, inclusion, key_id, leaf_hash, public_of, root, vkey

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "schemas" / "vectors"
# RFC 8032, section 7.1, tests 1 to 3.
SEEDS = [
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
    bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
    bytes.fromhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
]
ORIGIN = "gateway.demo/station/demo/1"
OTHER = "gateway.demo/station/other/2"
OTHER_BEFORE = "gateway.demo/station/other/1"


def pretty(value: dict) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def report(log: Log, device: str, name: str) -> None:
    log.add("station.device.reported.v1", device, device, {"device": device, "report": name, "detail": None})


def started(log: Log) -> None:
    data = {"software": "0.1.0", "instance": "0190b7a2-1f00-7000-8000-0000000000aa"}
    log.add("station.gateway.started.v1", "gateway", None, data)


# ---- one topic after the other ----


def keys_json() -> dict:
    names = ["first key of the log", "key after the rotation", "key of the other station"]
    origins = [ORIGIN, ORIGIN, OTHER]
    return {
        "comment": "Ed25519 keys (RFC 8032, section 7.1, tests 1 to 3).",
        "keys": [
            {"name": name, "seed": h(seed), "public": h(public_of(seed)), "key_id": h(key_id(public_of(seed))),
             "origin": origin, "vkey": vkey(origin, public_of(seed))}
            for name, seed, origin in zip(names, SEEDS, origins, strict=True)
        ],
    }  # fmt: skip


def event_json() -> dict:
    log = Log(ORIGIN, SEEDS[0])
    started(log)
    report(log, "dispenser-1", "door-open")
    part = log.parts[1]
    return {
        "comment": "The event at index 1 of a log, in all its parts. Bytes are hex.",
        "origin": ORIGIN,
        "index": 1,
        "public": h(public_of(SEEDS[0])),
        "protected": h(part["protected"]),
        "payload": part["payload"].decode(),
        "sig_structure": h(part["to_sign"]),
        "signature": h(part["signature"]),
        "signed": h(log.events[1]),
        "leaf": h(leaf_hash(log.events[1])),
    }


def tree_json() -> dict:
    leaves = [f"leaf {index}".encode() for index in range(17)]
    included = [(index, size) for size in (1, 2, 3, 7, 8, 13) for index in range(size)]
    grown = [(old, size) for size in (2, 3, 7, 8, 13) for old in range(1, size + 1)]
    return {
        "comment": "Trees over the leaves 'leaf 0', 'leaf 1', ... (RFC 6962, section 2.1). The root of size n is roots[n].",
        "leaves": [leaf.decode() for leaf in leaves],
        "leaf_hashes": [h(leaf_hash(leaf)) for leaf in leaves],
        "roots": [h(root(leaves[:size])) for size in range(len(leaves) + 1)],
        "inclusion": [
            {"index": index, "size": size, "path": list(map(h, inclusion(index, leaves[:size])))}
            for index, size in included
        ],
        "consistency": [
            {"old": old, "size": size, "path": list(map(h, consistency(old, leaves[:size])))} for old, size in grown
        ],
    }


def checkpoint_json() -> dict:
    leaves = [f"leaf {index}".encode() for index in range(17)]
    return {
        "comment": "Checkpoints over the trees of tree.json, signed by one key.",
        "vkey": vkey(ORIGIN, public_of(SEEDS[0])),
        "checkpoints": [
            {"size": size, "root": h(root(leaves[:size])), "note": checkpoint_note(ORIGIN, leaves[:size], SEEDS[:1])}
            for size in (0, 1, 7, 16, 17)
        ],
    }


def rotation_json() -> dict:
    log = Log(ORIGIN, SEEDS[0])
    started(log)
    report(log, "dispenser-1", "door-open")
    report(log, "dispenser-1", "door-closed")
    possession = log.rotate(SEEDS[1])
    for name in ("cabinet-open", "cabinet-closed", "tamper"):
        report(log, "dispenser-1", name)
    return {
        "comment": "A log of 7 events; the one at index 3 rotates the key. The checkpoint of size 4 has two signatures.",
        "origin": ORIGIN,
        "vkey": vkey(ORIGIN, public_of(SEEDS[0])),
        "rotation": {
            "index": 3,
            "old_public": h(public_of(SEEDS[0])),
            "new_public": h(public_of(SEEDS[1])),
            "new_vkey": vkey(ORIGIN, public_of(SEEDS[1])),
            "possession_message": h(possession[0]),
            "possession": h(possession[1]),
        },
        "events": list(map(h, log.events)),
        "checkpoints": [log.checkpoint(size) for size in range(8)],
    }


def main_log() -> Log:
    """40 events: a session that can be opened, a rotation in its middle, a session whose key is erased, an application."""
    log = Log(ORIGIN, SEEDS[0])
    started(log)
    for index in range(1, 12):
        report(log, "dispenser-1", "door-open" if index % 2 else "door-closed")
    sealing.session_events(log, ORIGIN)
    log.rotate(SEEDS[1])
    sealing.erased_session_events(log, ORIGIN)
    sealing.application_events(log, ORIGIN)
    while len(log.events) < 40:
        report(log, "dispenser-1", "door-open" if len(log.events) % 2 else "door-closed")
    return log


def other_log() -> Log:
    """Another station, in its second incarnation."""
    before = Log(OTHER_BEFORE, SEEDS[0])
    started(before)
    report(before, "kiosk-1", "tamper")
    log = Log(OTHER, SEEDS[2])
    data = {
        "incarnation": 2, "old_origin": OTHER_BEFORE, "old_checkpoint": before.checkpoint(1),
        "centre_checkpoint": before.checkpoint(2), "downlink_revision": 3, "reason": "disk-lost",
        "approvers": ["operator-1", "operator-2"], "cards": 0,
    }  # fmt: skip
    log.add("station.log.incarnated.v1", "gateway", None, data)
    started(log)
    while len(log.events) < 45:
        report(log, "kiosk-1", "tamper" if len(log.events) % 3 else "door-open")
    return log


def proof_file(log: Log, index: int, size: int) -> bytes:
    path = "".join(b64(step) + "\n" for step in inclusion(index, log.events[:size]))
    extra = b64(log.events[index])
    return f"c2sp.org/tlog-proof@v1\nextra {extra}\nindex {index}\n{path}\n{log.checkpoint(size)}".encode()


def proofs(log: Log) -> tuple[dict[str, bytes], dict]:
    turn = log.rotations[0]
    chosen = {
        "before-the-rotation": (5, turn, []),
        "doubly-signed": (5, turn + 1, ["rotation-doubly-signed"]),
        "rotation-doubly-signed": (turn, turn + 1, []),
        "old-event": (14, 40, ["rotation"]),
        "new-event": (30, 40, ["rotation"]),
        "last-event": (39, 40, ["rotation"]),
        "rotation": (turn, 40, []),
    }
    files = {f"proofs/{name}.tlog-proof": proof_file(log, index, size) for name, (index, size, _) in chosen.items()}
    listed = [
        {"file": f"proofs/{name}.tlog-proof", "index": index, "size": size,
         "leaf": h(leaf_hash(log.events[index])), "path": list(map(h, inclusion(index, log.events[:size]))),
         "rotations": [f"proofs/{each}.tlog-proof" for each in needed]}
        for name, (index, size, needed) in chosen.items()
    ]  # fmt: skip
    comment = "Proof files about the log in bundle/; `rotations` are the proofs that must be given with it."
    return files, {"comment": comment, "vkey": "bundle/vkey", "proofs": listed}


def qr_json(log: Log) -> dict:
    places = [(0, 1), (14, 40), (30, 40)]
    return {
        "comment": "QR texts about the log in bundle/.",
        "slips": [
            {"index": index, "size": size, "leaf": h(leaf_hash(log.events[index])), "text": log.qr(index, size)}
            for index, size in places
        ],
    }


def bundle(folder: str, log: Log) -> dict[str, bytes]:
    return {
        f"{folder}/events.cose": b"".join(log.events),
        f"{folder}/checkpoint": log.checkpoint(len(log.events)).encode(),
        f"{folder}/vkey": (vkey(log.origin, public_of(log.first)) + "\n").encode(),
    }


def everything() -> dict[str, bytes]:
    log, other = main_log(), other_log()
    proof_files, proof_json = proofs(log)
    topics = {
        "keys": keys_json(), "event": event_json(), "tree": tree_json(), "checkpoint": checkpoint_json(),
        "rotation": rotation_json(), "proof": proof_json, "qr": qr_json(log), "sealing": sealing.topic(ORIGIN),
        "refused": refused.topic(ORIGIN, SEEDS),
    }  # fmt: skip
    turn = log.rotations[0]
    earlier = {f"earlier/checkpoint-{size}": log.checkpoint(size).encode() for size in (0, 12, turn, turn + 1, 33)}
    files = {f"{name}.json": pretty(value) for name, value in topics.items()}
    return files | bundle("bundle", log) | bundle("other", other) | earlier | proof_files | sealing.files(ORIGIN)


def main() -> int:
    files = everything()
    if sys.argv[1:] == ["--check"]:
        there = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
        wrong = [f"{name} is not of the vectors" for name in sorted(there - files.keys())]
        wrong += [f"{name} differs" for name, data in files.items() if not _same(FOLDER / name, data)]
        print("\n".join(wrong) or f"{len(files)} files of vectors made again, byte for byte")
        return 1 if wrong else 0
    for name, data in files.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_bytes(data)
    print(f"{len(files)} files written to {FOLDER}")
    return 0


def _same(path: pathlib.Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


if __name__ == "__main__":
    sys.exit(main())

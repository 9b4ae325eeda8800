"""The vectors of sealed personal data: session key, field, blob, and a data folder that holds them."""

import json

import hpke_by_hand as hpke
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from vector_parts import Log, b64url, h, key_id, sha

INFO_KEY = b"station-gateway session key v1"
INFO_FIELD = b"station-gateway field v1\x00"
INFO_BLOB = b"station-gateway blob v2"
FIELD = "card-verified.holder"

SESSION, ERASED = "s-40", "s-41"
# Named values, each the SHA-256 of its own name: fixed, and plainly not chosen.
KEYS = {session: sha(f"session key {session}".encode()) for session in (SESSION, ERASED)}
KEY_IDS = {session: sha(f"session key id {session}".encode())[:16] for session in (SESSION, ERASED)}
NONCES = {session: sha(f"field nonce {session}".encode())[:12] for session in (SESSION, ERASED)}
SALTS = {session: sha(f"blob salt {session}".encode()) for session in (SESSION, ERASED)}
HOLDERS = {
    SESSION: '{"number":"110101199003070011","name":"张三"}',
    ERASED: '{"number":"110101199003070038","name":"李四"}',
}
PHOTOS = {session: b"".join(sha(f"photo {session} {n}".encode()) for n in range(10)) for session in (SESSION, ERASED)}


def derive(session: str, info: bytes, salt: bytes | None) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(KEYS[session])


def field_parts(origin: str, session: str) -> tuple[bytes, bytes, bytes]:
    key = derive(session, INFO_FIELD + FIELD.encode(), None)
    aad = origin.encode() + b"\x00" + session.encode() + b"\x00" + FIELD.encode()
    return key, aad, NONCES[session] + AESGCM(key).encrypt(NONCES[session], HOLDERS[session].encode(), aad)


def field(origin: str, session: str) -> str:
    return f"v1.{h(KEY_IDS[session])}.{b64url(field_parts(origin, session)[2])}"


def blob(session: str) -> bytes:
    head = b"STNBLOB\n\x02" + KEY_IDS[session] + SALTS[session]
    key = derive(session, INFO_BLOB, SALTS[session])
    return head + AESGCM(key).encrypt(bytes(12), PHOTOS[session], head)


def key_file(origin: str) -> bytes:
    recipient = hpke.public_of(hpke.RECIPIENT)
    enc, ct = hpke.seal(recipient, hpke.EPHEMERAL, INFO_KEY, key_aad(origin), KEYS[SESSION])
    content = {
        "version": 1, "key": h(KEY_IDS[SESSION]), "session": SESSION, "origin": origin,
        "recipients": [{"kid": h(key_id(recipient)), "enc": b64url(enc), "ct": b64url(ct)}],
    }  # fmt: skip
    return json.dumps(content, separators=(",", ":")).encode()


def key_aad(origin: str) -> bytes:
    return KEY_IDS[SESSION] + origin.encode() + b"\x00" + SESSION.encode()


def topic(origin: str) -> dict:
    hpke.self_test()
    recipient = hpke.public_of(hpke.RECIPIENT)
    key, aad, sealed = field_parts(origin, SESSION)
    file = blob(SESSION)
    return {
        "comment": "Sealed data of session s-40 in bundle/. Recipient and ephemeral key: RFC 9180, A.1.1.",
        "origin": origin,
        "session": SESSION,
        "session_key": h(KEYS[SESSION]),
        "session_key_id": h(KEY_IDS[SESSION]),
        "key_file": {
            "recipient_private": h(hpke.RECIPIENT), "recipient_public": h(recipient), "kid": h(key_id(recipient)),
            "ephemeral_private": h(hpke.EPHEMERAL), "info": INFO_KEY.decode(), "aad": h(key_aad(origin)),
            "content": key_file(origin).decode(),
        },
        "field": {
            "name": FIELD, "hkdf_info": h(INFO_FIELD + FIELD.encode()), "derived_key": h(key), "aad": h(aad),
            "nonce": h(NONCES[SESSION]), "plaintext": HOLDERS[SESSION], "sealed": h(sealed),
            "text": field(origin, SESSION),
        },
        "blob": {
            "salt": h(SALTS[SESSION]), "derived_key": h(derive(SESSION, INFO_BLOB, SALTS[SESSION])),
            "aad": h(file[:57]), "plaintext": h(PHOTOS[SESSION]), "file": h(file), "name": h(sha(file)),
        },
    }  # fmt: skip


def files(origin: str) -> dict[str, bytes]:
    """A data folder: both blobs are there, the key of one session is erased; and the centre's private key."""
    blobs = {f"sealed/blobs/{h(sha(blob(session)))}": blob(session) for session in (SESSION, ERASED)}
    return blobs | {
        f"sealed/session-keys/{h(KEY_IDS[SESSION])}.json": key_file(origin),
        "sealed/centre.key": (h(hpke.RECIPIENT) + "\n").encode(),
    }


def session_events(log: Log, origin: str) -> None:
    _session(log, origin, SESSION, "AB12345678")


def erased_session_events(log: Log, origin: str) -> None:
    _session(log, origin, ERASED, "AB12345679")
    asked = {"session": ERASED}
    log.add("station.erasure.asked.v1", "gateway", ERASED, asked)
    done = {"session": ERASED, "keys": [h(KEY_IDS[ERASED])], "centre_asked": False}
    log.add("station.erasure.done.v1", "gateway", ERASED, done)


def _session(log: Log, origin: str, session: str, card: str) -> None:
    def add(name: str, source: str, **data: object) -> None:
        log.add(f"station.pickup.{name}.v1", source, session, {"session": session, **data})

    add("step", "gateway", step={"step": "read-chip"})
    add("card-verified", "gateway", card=card, hands=["right", "left"], holder=field(origin, session))
    add("step", "gateway", step={"step": "take-photo", "view": "frontal"})
    photo = {"blob": h(sha(blob(session))), "key": h(KEY_IDS[session]), "len": len(PHOTOS[session])}
    add("photo-archived", "kiosk-1", view="frontal", **photo)
    add("ended", "gateway", kiosk="kiosk-1", outcome="collected")

"""The vectors of sealed personal data: session keys, fields, blobs, and a data folder that holds them."""

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

SESSION, ERASED, APPLICATION = SESSIONS = "s-40", "s-41", "s-42"
# Named values, each the SHA-256 of its own name: fixed, and plainly not chosen.
KEYS = {session: sha(f"session key {session}".encode()) for session in SESSIONS}
KEY_IDS = {session: sha(f"session key id {session}".encode())[:16] for session in SESSIONS}
NONCES = {session: sha(f"field nonce {session}".encode())[:12] for session in SESSIONS}
SALTS = {session: sha(f"blob salt {session}".encode()) for session in SESSIONS}
HOLDERS = {
    SESSION: '{"number":"110101199003070011","name":"张三"}',
    ERASED: '{"number":"110101199003070038","name":"李四"}',
}
# What an application seals keeps its name wherever it is copied to.
ENTERED = {
    "application.holder": '{"number":"110101199003070054","name":"王五","ethnic_group":"汉",'
    '"address":"北京市东城区某街1号","issuer":"北京市公安局东城分局"}',
    "application.phone": "13800000000",
    "application.receipt": "11010520261122000042",
}
# The officer at the window. What has no key of an RFC is the SHA-256 of its own name, as above.
OFFICER = sha(b"officer at the window")
EPHEMERALS = {"centre": sha(b"ephemeral key s-42 centre"), "window": sha(b"ephemeral key s-42 window")}
PHOTOS = {session: b"".join(sha(f"photo {session} {n}".encode()) for n in range(10)) for session in SESSIONS}


def derive(session: str, info: bytes, salt: bytes | None) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(KEYS[session])


def field_parts(origin: str, session: str, name: str, text: str, nonce: bytes) -> dict[str, bytes]:
    key = derive(session, INFO_FIELD + name.encode(), None)
    aad = origin.encode() + b"\x00" + session.encode() + b"\x00" + name.encode()
    sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), aad)
    return {"key": key, "aad": aad, "nonce": nonce, "sealed": sealed}


def holder_parts(origin: str, session: str) -> dict[str, bytes]:
    return field_parts(origin, session, FIELD, HOLDERS[session], NONCES[session])


def entered_parts(origin: str, name: str) -> dict[str, bytes]:
    nonce = sha(f"field nonce {APPLICATION} {name}".encode())[:12]
    return field_parts(origin, APPLICATION, name, ENTERED[name], nonce)


def field_text(session: str, parts: dict[str, bytes]) -> str:
    return f"v1.{h(KEY_IDS[session])}.{b64url(parts['sealed'])}"


def field(origin: str, session: str) -> str:
    return field_text(session, holder_parts(origin, session))


def entered(origin: str, name: str) -> str:
    return field_text(APPLICATION, entered_parts(origin, name))


def blob(session: str) -> bytes:
    head = b"STNBLOB\n\x02" + KEY_IDS[session] + SALTS[session]
    key = derive(session, INFO_BLOB, SALTS[session])
    return head + AESGCM(key).encrypt(bytes(12), PHOTOS[session], head)


def referred(session: str) -> dict:
    """A blob as an event names it."""
    return {"blob": h(sha(blob(session))), "key": h(KEY_IDS[session]), "len": len(PHOTOS[session])}


def key_file(origin: str, session: str, private: bytes, ephemeral: bytes) -> bytes:
    recipient = hpke.public_of(private)
    enc, ct = hpke.seal(recipient, ephemeral, INFO_KEY, key_aad(origin, session), KEYS[session])
    content = {
        "version": 1, "key": h(KEY_IDS[session]), "session": session, "origin": origin,
        "recipients": [{"kid": h(key_id(recipient)), "enc": b64url(enc), "ct": b64url(ct)}],
    }  # fmt: skip
    return json.dumps(content, separators=(",", ":")).encode()


def key_aad(origin: str, session: str) -> bytes:
    return KEY_IDS[session] + origin.encode() + b"\x00" + session.encode()


# ---- sealing.json ----


def key_file_topic(origin: str, session: str, private: bytes, ephemeral: bytes) -> dict:
    recipient = hpke.public_of(private)
    return {
        "recipient_private": h(private), "recipient_public": h(recipient), "kid": h(key_id(recipient)),
        "ephemeral_private": h(ephemeral), "info": INFO_KEY.decode(), "aad": h(key_aad(origin, session)),
        "content": key_file(origin, session, private, ephemeral).decode(),
    }  # fmt: skip


def field_topic(session: str, name: str, text: str, parts: dict[str, bytes]) -> dict:
    return {
        "name": name, "hkdf_info": h(INFO_FIELD + name.encode()), "derived_key": h(parts["key"]),
        "aad": h(parts["aad"]), "nonce": h(parts["nonce"]), "plaintext": text, "sealed": h(parts["sealed"]),
        "text": field_text(session, parts),
    }  # fmt: skip


def blob_topic(session: str) -> dict:
    file = blob(session)
    return {
        "salt": h(SALTS[session]), "derived_key": h(derive(session, INFO_BLOB, SALTS[session])),
        "aad": h(file[:57]), "plaintext": h(PHOTOS[session]), "file": h(file), "name": h(sha(file)),
    }  # fmt: skip


def application_topic(origin: str) -> dict:
    fields = [field_topic(APPLICATION, name, text, entered_parts(origin, name)) for name, text in ENTERED.items()]
    return {
        "session": APPLICATION,
        "session_key": h(KEYS[APPLICATION]),
        "session_key_id": h(KEY_IDS[APPLICATION]),
        "key_file": key_file_topic(origin, APPLICATION, hpke.RECIPIENT, EPHEMERALS["centre"]),
        "window_form": key_file_topic(origin, APPLICATION, OFFICER, EPHEMERALS["window"]),
        "fields": fields,
        "blob": blob_topic(APPLICATION),
    }


def topic(origin: str) -> dict:
    hpke.self_test()
    return {
        "comment": "Sealed data of sessions s-40 and s-42 in bundle/. Recipient and ephemeral key of s-40: RFC 9180, A.1.1.",
        "origin": origin,
        "session": SESSION,
        "session_key": h(KEYS[SESSION]),
        "session_key_id": h(KEY_IDS[SESSION]),
        "key_file": key_file_topic(origin, SESSION, hpke.RECIPIENT, hpke.EPHEMERAL),
        "field": field_topic(SESSION, FIELD, HOLDERS[SESSION], holder_parts(origin, SESSION)),
        "blob": blob_topic(SESSION),
        "application": application_topic(origin),
    }


def files(origin: str) -> dict[str, bytes]:
    """A data folder: every blob is there, the key of one session is erased; an application's key in both its forms; and the private
    keys of the centre and of the officer."""
    blobs = {f"sealed/blobs/{h(sha(blob(session)))}": blob(session) for session in SESSIONS}
    keys, session = "sealed/session-keys", APPLICATION
    return blobs | {
        f"{keys}/{h(KEY_IDS[SESSION])}.json": key_file(origin, SESSION, hpke.RECIPIENT, hpke.EPHEMERAL),
        f"{keys}/{h(KEY_IDS[session])}.json": key_file(origin, session, hpke.RECIPIENT, EPHEMERALS["centre"]),
        f"{keys}/{h(KEY_IDS[session])}.window": key_file(origin, session, OFFICER, EPHEMERALS["window"]),
        "sealed/centre.key": (h(hpke.RECIPIENT) + "\n").encode(),
        "sealed/officer.key": (h(OFFICER) + "\n").encode(),
    }


# ---- the sessions in the log ----


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
    add("photo-archived", "kiosk-1", view="frontal", **referred(session))
    add("ended", "gateway", kiosk="kiosk-1", outcome="collected")


def application_events(log: Log, origin: str) -> None:
    """An application that goes to the window: its ticket holds all that was entered."""

    def add(event: str, source: str, **data: object) -> None:
        log.add(f"station.application.{event}.v1", source, APPLICATION, {"session": APPLICATION, **data})

    holder, phone, receipt = (entered(origin, name) for name in ENTERED)
    # The tag stands for one under a lookup key, which no vector has.
    number = f"0a1b2c3d.{b64url(sha(b'number tag')[:16])}"
    person = {"number": number, "name": "**五", "number_tail": "0054", "holder": holder}
    portrait = {"way": "receipt", "receipt": receipt}
    add("card-read", "reader-2", card="AB12345680", **person, hands=["right", "left"], picture=True, of_age=True)
    asked = {"kind": "renewal", "residence": "local"}
    add("eligibility-asked", "gateway", question=1, **asked, number=number, holder=holder)
    add("portrait-submitted", "kiosk-1", attempt=1, portrait=portrait, checks=[])
    add("live-photo-archived", "camera-1", attempt=1, photo=referred(APPLICATION))
    add("phone-given", "kiosk-1", masked="138****0000", phone=phone)
    content = asked | person | {"portrait": portrait, "live": referred(APPLICATION), "phone": phone}
    ticket = {"ticket": "W1-1", "reason": "fingers-not-captured", "entered": content}
    add("window-ticket-issued", "gateway", kiosk="kiosk-1", **ticket)
    add("ended", "gateway", kiosk="kiosk-1", outcome="window")

"""HPKE (RFC 9180) in base mode, single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-GCM, for the vectors.

A library draws its own ephemeral key, and a vector needs a fixed one. `self_test` compares it with RFC 9180, A.1.1
(AES-128-GCM); the RFC's appendix has no vector for AES-256-GCM with X25519, so pyhpke opens what this seals.
"""

import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM, KDF = 0x0020, 0x0001
AES_128_GCM, AES_256_GCM = 0x0001, 0x0002
KEY_LEN = {AES_128_GCM: 16, AES_256_GCM: 32}


def _extract(salt: bytes, suite: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(prk: bytes, suite: bytes, label: bytes, info: bytes, length: int) -> bytes:
    # One block of HKDF-Expand (RFC 5869, 2.3) is 32 bytes, and nothing longer is needed.
    labeled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labeled + b"\x01", "sha256")[:length]


def public_of(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal(recipient: bytes, ephemeral: bytes, info: bytes, aad: bytes, text: bytes, aead: int = AES_256_GCM):
    """The encapsulated key and the ciphertext; `ephemeral` is the private key (RFC 9180, 4.1, 5.1, 5.2)."""
    kem = b"KEM" + KEM.to_bytes(2, "big")
    enc = public_of(ephemeral)
    shared = X25519PrivateKey.from_private_bytes(ephemeral).exchange(X25519PublicKey.from_public_bytes(recipient))
    secret = _expand(_extract(b"", kem, b"eae_prk", shared), kem, b"shared_secret", enc + recipient, 32)

    suite = b"HPKE" + b"".join(part.to_bytes(2, "big") for part in (KEM, KDF, aead))
    context = b"\x00" + _extract(b"", suite, b"psk_id_hash", b"") + _extract(b"", suite, b"info_hash", info)
    schedule = _extract(secret, suite, b"secret", b"")
    key = _expand(schedule, suite, b"key", context, KEY_LEN[aead])
    nonce = _expand(schedule, suite, b"base_nonce", context, 12)
    return enc, AESGCM(key).encrypt(nonce, text, aad)


# RFC 9180, A.1.1; the two private keys also serve the vectors.
EPHEMERAL = bytes.fromhex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736")
RECIPIENT = bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")


def self_test() -> None:
    assert public_of(EPHEMERAL).hex() == "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
    assert public_of(RECIPIENT).hex() == "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"
    _, sealed = seal(
        public_of(RECIPIENT),
        EPHEMERAL,
        b"Ode on a Grecian Urn",
        b"Count-0",
        b"Beauty is truth, truth beauty",
        AES_128_GCM,
    )
    expected = (
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"
    )
    assert sealed.hex() == expected, "HPKE differs from RFC 9180, A.1.1"

"""HPKE base mode for DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, written from RFC 9180 for the tests.

It takes the ephemeral key as an argument, so that the RFC's vectors can be checked (the library offers no `aad`) and
suite 1 test vectors come out the same every time. Never used by the product.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_KEM_SUITE = b"KEM" + (0x0020).to_bytes(2)
_HPKE_SUITE = b"HPKE" + (0x0020).to_bytes(2) + (0x0001).to_bytes(2) + (0x0003).to_bytes(2)


@dataclass(frozen=True)
class Schedule:
    shared_secret: bytes
    key: bytes
    base_nonce: bytes


def _extract(salt: bytes, suite: bytes, label: bytes, ikm: bytes) -> bytes:
    mac = hmac.HMAC(salt or bytes(32), hashes.SHA256())
    mac.update(b"HPKE-v1" + suite + label + ikm)
    return mac.finalize()


def _expand(prk: bytes, suite: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labeled = length.to_bytes(2) + b"HPKE-v1" + suite + label + info
    return HKDFExpand(hashes.SHA256(), length, labeled).derive(prk)


def schedule(ephemeral: X25519PrivateKey, recipient: bytes, info: bytes) -> Schedule:
    """Section 4.1 (Encap) and 5.1 (KeySchedule), base mode."""
    enc = ephemeral.public_key().public_bytes_raw()
    dh = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    shared = _expand(_extract(b"", _KEM_SUITE, b"eae_prk", dh), _KEM_SUITE, b"shared_secret", enc + recipient, 32)
    psk_id_hash = _extract(b"", _HPKE_SUITE, b"psk_id_hash", b"")
    context = b"\0" + psk_id_hash + _extract(b"", _HPKE_SUITE, b"info_hash", info)
    secret = _extract(shared, _HPKE_SUITE, b"secret", b"")
    return Schedule(shared, _expand(secret, _HPKE_SUITE, b"key", context, 32), _expand(secret, _HPKE_SUITE, b"base_nonce", context, 12))


def seal(ephemeral: X25519PrivateKey, recipient: bytes, info: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """Single shot (sequence 0): `enc ‖ ciphertext ‖ tag`."""
    keys = schedule(ephemeral, recipient, info)
    sealed = ChaCha20Poly1305(keys.key).encrypt(keys.base_nonce, plaintext, aad)
    return ephemeral.public_key().public_bytes_raw() + sealed

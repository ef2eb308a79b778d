"""Who can open an envelope: the recipient's public key on the device, the opening key at the collector.

Two suites, no negotiation: the published key decides. Suite 1 is X25519; suite 2 is X-Wing (ML-KEM-768 with X25519),
because what is captured today must stay closed tomorrow. Both with HKDF-SHA256 and ChaCha20-Poly1305, in HPKE's base
mode (RFC 9180), from `cryptography`. The device never holds an `OpeningKey`; where keys are kept is the caller's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from firmware.errors import DataError

SuiteId = Literal[1, 2]
SUITE_X25519: Final = 1
SUITE_XWING: Final = 2
KEY_BYTES: Final = 32  # private keys of both suites: an X25519 scalar, an X-Wing seed
_MLKEM_PUBLIC_BYTES: Final = 1184
_MLKEM_SEED_BYTES: Final = 64
PUBLIC_BYTES: Final = {SUITE_X25519: 32, SUITE_XWING: _MLKEM_PUBLIC_BYTES + 32}
SEALED_OVERHEAD_BYTES: Final = {SUITE_X25519: 48, SUITE_XWING: 1136}
_SUITES: Final = {
    SUITE_X25519: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305),
    SUITE_XWING: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305),
}


def recipient_id(suite: int, public: bytes) -> bytes:
    """The 8 bytes by which a header names a recipient: SHA-256(suite ‖ public key)[0:8]."""
    return hashlib.sha256(bytes([suite]) + public).digest()[:8]


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom the device seals."""

    suite: SuiteId
    key_id: bytes
    public: bytes
    _key: X25519PublicKey | MLKEM768X25519PublicKey

    @classmethod
    def from_public_bytes(cls, suite: int, public: bytes) -> Recipient:
        """From a published key: 32 bytes in suite 1, 1,216 in suite 2 (ML-KEM-768 ‖ X25519).

        Raises:
            DataError: another suite, or no key of it.
        """
        known = _known(suite)
        if len(public) != PUBLIC_BYTES[known]:
            raise DataError(f"a recipient key of suite {suite} with {len(public)} bytes", "suite 1 has 32, suite 2 has 1216")
        try:
            recipient = cls(known, recipient_id(known, public), public, _public_key(known, public))
            recipient.seal(b"", b"")  # a point of low order, which gives a secret known to all, shows only here
        except ValueError as error:
            raise DataError(f"no recipient key of suite {suite}: {error}") from error
        return recipient

    def seal(self, padded: bytes, info: bytes) -> bytes:
        """`enc ‖ ciphertext ‖ tag`; draws its own ephemeral key."""
        return _SUITES[self.suite].encrypt(padded, self._key, info=info)


@dataclass(frozen=True, slots=True)
class OpeningKey:
    """What only the collector has."""

    suite: SuiteId
    key_id: bytes
    public: bytes
    _key: X25519PrivateKey | MLKEM768X25519PrivateKey

    @classmethod
    def from_private_bytes(cls, suite: int, private: bytes) -> OpeningKey:
        """From 32 bytes: the X25519 scalar in suite 1, the X-Wing seed in suite 2.

        Raises:
            DataError: another suite or length.
        """
        known = _known(suite)
        if len(private) != KEY_BYTES:
            raise DataError(f"an opening key of {len(private)} bytes", f"both suites have {KEY_BYTES}")
        if known == SUITE_X25519:
            x25519 = X25519PrivateKey.from_private_bytes(private)
            public = x25519.public_key().public_bytes_raw()
            return cls(known, recipient_id(known, public), public, x25519)
        seeds = hashlib.shake_256(private).digest(_MLKEM_SEED_BYTES + KEY_BYTES)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(seeds[:_MLKEM_SEED_BYTES])
        x25519 = X25519PrivateKey.from_private_bytes(seeds[_MLKEM_SEED_BYTES:])
        public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        return cls(known, recipient_id(known, public), public, MLKEM768X25519PrivateKey(mlkem, x25519))

    def recipient(self) -> Recipient:
        """The half that is published."""
        return Recipient.from_public_bytes(self.suite, self.public)

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """The padded payload.

        Raises:
            DataError: not sealed to this key under this info.
        """
        try:
            return _SUITES[self.suite].decrypt(sealed, self._key, info=info)
        except InvalidTag as error:
            raise DataError("an envelope that this key does not open", "another key, or another header") from error


def _known(suite: int) -> SuiteId:
    if suite == SUITE_X25519:
        return SUITE_X25519
    if suite == SUITE_XWING:
        return SUITE_XWING
    raise DataError(f"suite {suite}", "there are suites 1 and 2")


def _public_key(suite: int, public: bytes) -> X25519PublicKey | MLKEM768X25519PublicKey:
    x25519 = X25519PublicKey.from_public_bytes(public[-32:])
    if suite == SUITE_X25519:
        return x25519
    return MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC_BYTES]), x25519)

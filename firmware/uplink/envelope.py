"""The sealed, signed batch: what is spooled and what is sent, byte for byte the same (docs/envelope-v1.md).

`seal` pads, encrypts to the recipient with the whole header bound in, and signs with the device's key; it draws its
own nonce and does nothing else that is not a function of its arguments. `verify` and `open_envelope` are the far end.
Decoders take one byte string per meaning: they encode again what they read, and compare. What a payload says is in
`firmware.uplink.batch`; stream, seq and prev come from the spool.
"""

from __future__ import annotations

import enum
import hashlib
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from firmware.errors import DataError
from firmware.uplink.padding import PADDED_BYTES_MAX, pad, unpad
from firmware.uplink.recipient import OpeningKey, Recipient
from firmware.uplink.stamp import Bytes8, Bytes16, Count, Stamp, WallQuality

VERSION: Final = 1
SEQ_MAX: Final = 2**64 - 2  # 2^64-1 is "for ever" in gaps
SIGNATURE_BYTES: Final = 64
ENVELOPE_BYTES_MAX: Final = PADDED_BYTES_MAX + 2048  # suite 2 adds 1,136, header and signature at most 190
GENESIS: Final = bytes(16)  # prev of a stream's first envelope
_INFO: Final = b"passerby/1"
_SIGNED: Final = b"passerby/1 envelope"


class Kind(enum.IntEnum):
    """What is inside, known without opening."""

    BATCH = 0
    HOUR = 1
    HEALTH = 2
    ANCHOR = 3
    GAP = 4


class Place(msgspec.Struct, frozen=True):
    """Where an envelope stands: its stream, its number there, and the hash of the one before."""

    stream: bytes
    seq: int
    prev: bytes


class Header(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """All that is said in clear, bound into the encryption."""

    version: int
    suite: Literal[1, 2]
    device: Bytes16
    stream: Bytes8
    seq: Annotated[int, msgspec.Meta(ge=0)]
    kind: Kind
    recipient: Bytes8
    boot: Bytes8
    boot_ms: Count
    wall_ms: Count
    wall_quality: WallQuality
    prev: Bytes16

    @property
    def stamp(self) -> Stamp:
        """When it was sealed."""
        return Stamp(self.boot, self.boot_ms, self.wall_ms, self.wall_quality)


class _Signed(Header, frozen=True, array_like=True, forbid_unknown_fields=True):
    sealed: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Signed)


def device_id(key: Ed25519PublicKey) -> bytes:
    """The 16 bytes that name a device: a hash of its public key."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:16]


def chain_hash(envelope: bytes) -> bytes:
    """What the next envelope of the stream carries as `prev`."""
    return hashlib.sha256(envelope).digest()[:16]


def header_for(kind: Kind, place: Place, stamp: Stamp, recipient: Recipient, device: bytes) -> Header:
    """The header of one envelope."""
    return Header(
        VERSION,
        recipient.suite,
        device,
        place.stream,
        place.seq,
        kind,
        recipient.key_id,
        stamp.boot,
        stamp.boot_ms,
        stamp.wall_ms,
        stamp.wall_quality,
        place.prev,
    )


def seal(header: Header, payload: bytes, recipient: Recipient, key: Ed25519PrivateKey) -> bytes:
    """The envelope: padded, sealed to the recipient, signed by the device.

    Raises:
        DataError: the payload is larger than PAYLOAD_BYTES_MAX.
    """
    head = _encoder.encode(header)
    signed = _join(head, recipient.seal(pad(payload), _INFO + head))
    return signed + key.sign(_SIGNED + signed)


def read_header(envelope: bytes) -> Header:
    """The header of an envelope whose form is right; says nothing about who made it.

    Raises:
        DataError: not the one form that docs/envelope-v1.md allows.
    """
    return _header(_read(envelope))


def verify(envelope: bytes, device_key: Ed25519PublicKey) -> Header:
    """The header of an envelope that this device made. Needs no key that opens anything.

    Raises:
        DataError: wrong form, another device, or a signature that does not hold.
    """
    return _header(_verified(envelope, device_key))


def open_envelope(envelope: bytes, device_key: Ed25519PublicKey, opening_key: OpeningKey) -> tuple[Header, bytes]:
    """The header and the payload of a verified envelope.

    Raises:
        DataError: as `verify`; or sealed to another key, or under another header.
    """
    return _opened(_verified(envelope, device_key), opening_key)


def open_verified(envelope: bytes, opening_key: OpeningKey) -> tuple[Header, bytes]:
    """The rest of `open_envelope`, of an envelope that `verify` has taken: what it says is not proof of who made it.

    Raises:
        DataError: sealed to another key, or under another header.
    """
    return _opened(_read(envelope), opening_key)


def _opened(signed: _Signed, opening_key: OpeningKey) -> tuple[Header, bytes]:
    header = _header(signed)
    if (header.suite, header.recipient) != (opening_key.suite, opening_key.key_id):
        raise DataError(f"an envelope for recipient {header.recipient.hex()}", f"not for {opening_key.key_id.hex()}")
    return header, unpad(opening_key.open(signed.sealed, _INFO + _encoder.encode(header)))


def opens(envelope: bytes, key: OpeningKey) -> bool:
    """Whether a key opens an envelope, whatever its header says of the recipient: for who tries every key there is.

    Raises:
        DataError: no envelope.
    """
    signed = _read(envelope)
    try:
        key.open(signed.sealed, _INFO + _encoder.encode(_header(signed)))
    except DataError:
        return False
    return True


def _read(envelope: bytes) -> _Signed:
    if not SIGNATURE_BYTES < len(envelope) <= ENVELOPE_BYTES_MAX:
        raise DataError(f"an envelope of {len(envelope)} bytes", f"at most {ENVELOPE_BYTES_MAX}")
    try:
        signed = _decoder.decode(envelope[:-SIGNATURE_BYTES])
        canonical = _encoder.encode(signed)
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError) as error:
        raise DataError(f"no envelope: {error}") from error
    if signed.version != VERSION:
        raise DataError(f"an envelope of version {signed.version}", f"this reads version {VERSION}")
    if signed.seq > SEQ_MAX or (signed.seq == 0) != (signed.prev == GENESIS):
        raise DataError(f"an envelope with seq {signed.seq} and the wrong prev", "only a stream's first has none")
    if canonical != envelope[:-SIGNATURE_BYTES]:
        raise DataError("an envelope that is not in canonical form", "one meaning has one byte string")
    return signed


def _verified(envelope: bytes, device_key: Ed25519PublicKey) -> _Signed:
    signed = _read(envelope)
    if signed.device != device_id(device_key):
        raise DataError(f"an envelope of device {signed.device.hex()}", f"not of {device_id(device_key).hex()}")
    try:
        device_key.verify(envelope[-SIGNATURE_BYTES:], _SIGNED + envelope[:-SIGNATURE_BYTES])
    except InvalidSignature as error:
        raise DataError(f"a signature that device {signed.device.hex()} did not make") from error
    return signed


def _header(signed: _Signed) -> Header:
    return Header(*msgspec.structs.astuple(signed)[:-1])


def _join(head: bytes, sealed: bytes) -> bytes:
    """The array of 12 becomes the array of 13: another first byte, one more element."""
    return bytes([head[0] + 1]) + head[1:] + _encoder.encode(sealed)

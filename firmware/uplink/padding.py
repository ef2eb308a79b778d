"""Padding to fixed sizes, so that the length of an envelope does not tell how busy the shop is.

payload ‖ 0x80 ‖ zeros, up to 512, 1,024, ... 131,072 bytes (docs/envelope-v1.md, section 1). One payload has one
padded form; `unpad` refuses every other.
"""

from __future__ import annotations

from typing import Final

from firmware.errors import DataError

PADDED_BYTES_MIN: Final = 512  # one quiet flush: two windows of one door
PADDED_BYTES_MAX: Final = 128 * 1024  # an envelope of it still fits in one request of 256 KiB
PAYLOAD_BYTES_MAX: Final = PADDED_BYTES_MAX - 1
_END = b"\x80"


def padded_bytes(payload_bytes: int) -> int:
    """The size to which a payload of this size is padded.

    Raises:
        DataError: larger than any size.
    """
    if payload_bytes > PAYLOAD_BYTES_MAX:
        raise DataError(f"a payload of {payload_bytes} bytes", f"at most {PAYLOAD_BYTES_MAX}: fold it into several batches")
    return max(PADDED_BYTES_MIN, 1 << payload_bytes.bit_length())


def pad(payload: bytes) -> bytes:
    """The padded form. Raises DataError as `padded_bytes`."""
    return (payload + _END).ljust(padded_bytes(len(payload)), b"\0")


def unpad(padded: bytes) -> bytes:
    """The payload of a padded form.

    Raises:
        DataError: not a form that `pad` makes.
    """
    payload, end, zeros = padded.rpartition(_END)
    if not end or zeros.strip(b"\0") or len(payload) > PAYLOAD_BYTES_MAX or padded_bytes(len(payload)) != len(padded):
        raise DataError(f"padding of {len(padded)} bytes that no device makes")
    return payload

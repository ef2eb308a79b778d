"""Fixed sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DataError
from firmware.uplink.padding import PADDED_BYTES_MAX, PADDED_BYTES_MIN, PAYLOAD_BYTES_MAX, pad, padded_bytes, unpad

SIZES = [512 << step for step in range(9)]


@given(st.binary(max_size=3000))
def test_padding_comes_off(payload: bytes) -> None:
    """Also from payloads that end like padding."""
    for tail in (b"", b"\0\0", b"\x80", b"\x80\0"):
        assert unpad(pad(payload + tail)) == payload + tail


def test_there_are_nine_sizes() -> None:
    """512 bytes to 128 KiB, each the smallest that holds the payload and its end mark."""
    assert (SIZES[0], SIZES[-1]) == (PADDED_BYTES_MIN, PADDED_BYTES_MAX)
    for size in SIZES:
        assert padded_bytes(size - 1) == size
        if size < PADDED_BYTES_MAX:
            assert padded_bytes(size) == 2 * size


def test_nothing_larger_than_the_largest_size() -> None:
    """A payload of 128 KiB has no padded form."""
    with pytest.raises(DataError):
        pad(bytes(PAYLOAD_BYTES_MAX + 1))


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_padded_form_or_a_data_error(padded: bytes) -> None:
    """What unpad accepts, pad makes."""
    try:
        payload = unpad(padded)
    except DataError:
        return
    assert pad(payload) == padded


@pytest.mark.parametrize("padded", [b"", bytes(512), b"\x80" + bytes(1023), b"\x80" + bytes(510), b"x\x80".ljust(512, b"\1")])
def test_other_forms_are_refused(padded: bytes) -> None:
    """No mark, too large a size, no size at all, something after the mark."""
    with pytest.raises(DataError):
        unpad(padded)

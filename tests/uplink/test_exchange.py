"""Requests and signed answers."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DataError
from firmware.uplink.exchange import (
    REQUEST_BYTES_MAX,
    REQUEST_ENVELOPES_MAX,
    Acknowledged,
    Answer,
    Conflict,
    Refused,
    read_answer,
    read_request,
    request_hash,
    write_answer,
    write_request,
)

RECEIPT = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DEVICE = b"d" * 16
BODY = write_request([b"one", b"two"])
ANSWER = Answer(
    1,
    request_hash(BODY),
    DEVICE,
    (Acknowledged(b"s" * 8, 7, (9, 11)),),
    (Conflict(b"s" * 8, 3, b"x" * 16),),
    (Refused(1, "no signature"),),
    1_700_000_000_000,
)


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=REQUEST_ENVELOPES_MAX))
def test_a_request_reads_back(envelopes: list[bytes]) -> None:
    """Framing is lossless for any envelopes within the limits."""
    assert read_request(write_request(envelopes)) == tuple(envelopes)


@pytest.mark.parametrize("envelopes", [[], [b""] * (REQUEST_ENVELOPES_MAX + 1), [bytes(REQUEST_BYTES_MAX)]])
def test_a_request_beyond_the_limits_is_not_made(envelopes: list[bytes]) -> None:
    """Nothing, too many, too large."""
    with pytest.raises(DataError):
        write_request(envelopes)


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_request_or_a_data_error(body: bytes) -> None:
    """The reader never fails in another way, and what it accepts is what the writer makes."""
    try:
        envelopes = read_request(body)
    except DataError:
        return
    assert write_request(envelopes) == body


@pytest.mark.parametrize(
    "body", [BODY[:-1], BODY + b"x", b"\xff\xff\xff\xff" + BODY[4:], b"\0\0\0\0" + BODY[4:], BODY[:4] + b"\xff" * 4 + BODY[8:]]
)
def test_a_damaged_request_is_refused(body: bytes) -> None:
    """Cut, lengthened, absurd counts and lengths."""
    with pytest.raises(DataError):
        read_request(body)


def test_a_signed_answer_is_believed() -> None:
    """The collector's own answer to this very request reads back whole."""
    assert read_answer(write_answer(ANSWER, RECEIPT), RECEIPT.public_key(), BODY, DEVICE) == ANSWER


def test_every_turned_bit_of_an_answer_is_noticed() -> None:
    """No bit of an answer is unsigned."""
    signed = write_answer(ANSWER, RECEIPT)
    for bit in range(len(signed) * 8):
        turned = bytearray(signed)
        turned[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DataError):
            read_answer(bytes(turned), RECEIPT.public_key(), BODY, DEVICE)


def test_unsigned_and_foreign_answers_are_nothing() -> None:
    """A captive portal's page, another collector's signature, an answer to another request or device."""
    signed = write_answer(ANSWER, RECEIPT)
    stranger = Ed25519PrivateKey.generate()
    for body, key, request, device in (
        (b"<html>welcome</html>" * 10, RECEIPT, BODY, DEVICE),
        (b"", RECEIPT, BODY, DEVICE),
        (write_answer(ANSWER, stranger), RECEIPT, BODY, DEVICE),
        (signed, RECEIPT, write_request([b"one"]), DEVICE),
        (signed, RECEIPT, BODY, b"e" * 16),
    ):
        with pytest.raises(DataError):
            read_answer(body, key.public_key(), request, device)

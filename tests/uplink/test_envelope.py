"""Sealing, verifying, opening; and everything that is refused."""

from __future__ import annotations

import random

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DataError
from firmware.uplink.batch import to_bytes
from firmware.uplink.envelope import (
    ENVELOPE_BYTES_MAX,
    GENESIS,
    Kind,
    Place,
    chain_hash,
    device_id,
    open_envelope,
    open_verified,
    read_header,
    seal,
    verify,
)
from firmware.uplink.padding import PAYLOAD_BYTES_MAX, padded_bytes
from firmware.uplink.recipient import SEALED_OVERHEAD_BYTES
from firmware.uplink.stamp import Stamp, WallQuality
from tests.uplink.letters import BATCH, DEVICE, DEVICE_KEY, OPENING, OTHER_DEVICE_KEY, OTHER_OPENING, STREAM, header, letter

PUBLIC = DEVICE_KEY.public_key()


@pytest.mark.parametrize("suite", [1, 2])
def test_a_sealed_envelope_opens_to_what_was_put_in(suite: int) -> None:
    """Both suites carry header and payload unchanged."""
    assert open_envelope(letter(suite=suite), PUBLIC, OPENING[suite]) == (header(suite), to_bytes(BATCH))


@pytest.mark.slow
def test_ten_thousand_round_trips() -> None:
    """10,000 random payloads, places and stamps come back, in both suites."""
    rng = random.Random(1)
    for index in range(10_000):
        suite = 1 if index % 4 else 2
        payload = rng.randbytes(rng.choice((0, 1, 300, 511, 512, 1023, 5000)))
        seq = rng.choice((0, 1, 127, 128, 2**32, 2**63, 2**64 - 2))
        place = Place(rng.randbytes(8), seq, rng.randbytes(16) if seq else GENESIS)
        stamp = Stamp(rng.randbytes(8), rng.randrange(2**53), rng.randrange(2**53), WallQuality(rng.randrange(5)))
        head = msgspec.structs.replace(
            header(suite, Kind(index % 5), place),
            boot=stamp.boot,
            boot_ms=stamp.boot_ms,
            wall_ms=stamp.wall_ms,
            wall_quality=stamp.wall_quality,
        )
        envelope = seal(head, payload, OPENING[suite].recipient(), DEVICE_KEY)
        assert open_envelope(envelope, PUBLIC, OPENING[suite]) == (head, payload)
        assert head.stamp == stamp


def test_every_single_bit_flip_is_refused() -> None:
    """Each bit of an envelope matters: none can be turned without `verify` noticing."""
    envelope = letter()
    refused = 0
    for bit in range(len(envelope) * 8):
        turned = bytearray(envelope)
        turned[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DataError):
            open_envelope(bytes(turned), PUBLIC, OPENING[1])
        refused += 1
    assert refused == len(envelope) * 8 > 4000


def test_every_prefix_is_refused() -> None:
    """A cut envelope is none, wherever it was cut."""
    envelope = letter()
    for length in range(len(envelope)):
        with pytest.raises(DataError):
            verify(envelope[:length], PUBLIC)


@given(st.binary(max_size=2000))
def test_any_bytes_are_an_envelope_or_a_data_error(noise: bytes) -> None:
    """The reader fails in no other way."""
    with pytest.raises(DataError):
        read_header(noise)


@pytest.mark.parametrize("suite", [1, 2])
def test_sealing_twice_shows_nothing_twice(suite: int) -> None:
    """The same payload under the same header gives another ciphertext: seal draws its own nonce."""
    first, second = letter(suite=suite), letter(suite=suite)
    assert first != second
    assert read_header(first) == read_header(second)


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("payload_bytes", [0, 1, 511, 512, 1024, 100_000, PAYLOAD_BYTES_MAX])
def test_size_tells_the_bucket_only(suite: int, payload_bytes: int) -> None:
    """An envelope is as long as its bucket, the suite's overhead and a header of at most 190 bytes with the signature."""
    envelope = seal(header(suite), b"x" * payload_bytes, OPENING[suite].recipient(), DEVICE_KEY)
    around = len(envelope) - padded_bytes(payload_bytes) - SEALED_OVERHEAD_BYTES[suite]
    assert 64 < around <= 190
    assert len(envelope) <= ENVELOPE_BYTES_MAX
    assert open_envelope(envelope, PUBLIC, OPENING[suite])[1] == b"x" * payload_bytes


def test_a_payload_too_large_is_not_sealed() -> None:
    """128 KiB is the largest bucket."""
    with pytest.raises(DataError, match="at most"):
        seal(header(), bytes(PAYLOAD_BYTES_MAX + 1), OPENING[1].recipient(), DEVICE_KEY)


def test_an_envelope_too_large_is_not_read() -> None:
    """Length is checked before anything is decoded."""
    with pytest.raises(DataError, match="at most"):
        read_header(bytes(ENVELOPE_BYTES_MAX + 1))


def test_the_device_cannot_open_what_it_sealed() -> None:
    """With the device's private key in every role that takes 32 bytes, nothing opens."""
    envelope = letter()
    for suite in (1, 2):
        mine = type(OPENING[suite]).from_private_bytes(suite, DEVICE_KEY.private_bytes_raw())
        with pytest.raises(DataError):
            open_envelope(envelope, PUBLIC, mine)
        forged = type(mine)(mine.suite, OPENING[1].key_id, mine.public, mine._key)
        with pytest.raises(DataError):
            open_envelope(envelope, PUBLIC, forged)


def test_opening_alone_still_binds_the_header() -> None:
    """Who has verified elsewhere opens the same; a header, a ciphertext or a recipient that was changed after sealing opens nothing."""
    envelope = letter()
    assert open_verified(envelope, OPENING[1]) == open_envelope(envelope, PUBLIC, OPENING[1])
    for bit in range((len(envelope) - 64) * 8):
        turned = bytearray(envelope)
        turned[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DataError):
            open_verified(bytes(turned), OPENING[1])
    with pytest.raises(DataError, match="recipient"):
        open_verified(envelope, OTHER_OPENING[1])


def test_replay_to_another_tenant_is_refused() -> None:
    """Another recipient's key neither matches by name nor opens."""
    with pytest.raises(DataError, match="recipient"):
        open_envelope(letter(), PUBLIC, OTHER_OPENING[1])


def test_an_envelope_of_another_device_is_refused() -> None:
    """The device id in the header is the hash of the key that must verify."""
    with pytest.raises(DataError, match="device"):
        verify(letter(), OTHER_DEVICE_KEY.public_key())
    forged = seal(header(), to_bytes(BATCH), OPENING[1].recipient(), OTHER_DEVICE_KEY)
    with pytest.raises(DataError, match="signature"):
        verify(forged, PUBLIC)


@given(st.binary(min_size=32, max_size=32))
def test_a_device_is_named_by_its_key(seed: bytes) -> None:
    """Sixteen bytes, the same for the same key, another for another."""
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    assert len(device_id(key)) == 16
    assert (device_id(key) == DEVICE) == (key.public_bytes_raw() == PUBLIC.public_bytes_raw())


def test_the_chain_names_the_envelope_before() -> None:
    """A changed predecessor changes the hash that the next one carries."""
    first = letter()
    second = letter(place=Place(STREAM, 1, chain_hash(first)))
    assert verify(second, PUBLIC).prev == chain_hash(first) != chain_hash(first[:-1] + b"\0")

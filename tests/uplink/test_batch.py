"""Payloads: closed schemas, both ways."""

from __future__ import annotations

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DataError
from firmware.events import LineSums, Window
from firmware.uplink.batch import WINDOWS_MAX, Batch, Payload, encoded_bytes, from_bytes, kind_of, to_bytes
from firmware.uplink.envelope import Kind
from firmware.uplink.padding import PAYLOAD_BYTES_MAX
from tests.uplink.letters import BATCH, BOX_EVENT, DEVICE, GAP, PAYLOADS, STREAM, letter, window

COUNTS = st.integers(0, 2**53 - 1)
NAMES = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=64)
WINDOWS = st.builds(
    Window,
    COUNTS,
    COUNTS,
    lines=st.lists(st.builds(LineSums, NAMES, COUNTS, COUNTS), max_size=3).map(tuple),
)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=list(PAYLOADS))
def test_a_payload_comes_back(payload: Payload) -> None:
    """All five kinds."""
    assert from_bytes(kind_of(payload), to_bytes(payload)) == payload


@given(st.lists(WINDOWS, max_size=4).map(tuple), NAMES)
def test_any_windows_come_back(windows: tuple[Window, ...], site: str) -> None:
    """To the integer."""
    batch = msgspec.structs.replace(BATCH, windows=windows, site=site)
    assert from_bytes(Kind.BATCH, to_bytes(batch)) == batch


@pytest.mark.parametrize("kind", list(Kind))
def test_a_payload_is_of_its_headers_kind(kind: Kind) -> None:
    """The header's kind is signed, so a payload of another kind under it is refused."""
    for payload in PAYLOADS.values():
        if kind_of(payload) != kind:
            with pytest.raises(DataError):
                from_bytes(kind, to_bytes(payload))


@given(st.dictionaries(NAMES, st.one_of(COUNTS, NAMES, st.binary(max_size=20), st.none()), min_size=1, max_size=3))
def test_an_unknown_field_is_refused(extra: dict[str, object]) -> None:
    """Whatever it is called and wherever it stands: the schema is closed."""
    known = msgspec.msgpack.decode(to_bytes(BATCH))
    unknown = {name: value for name, value in extra.items() if name not in known} or {"frame": b""}
    for mixed in (known | unknown, unknown | known):
        with pytest.raises(DataError):
            from_bytes(Kind.BATCH, msgspec.msgpack.encode(mixed))


def test_what_may_not_be_received_cannot_be_sent() -> None:
    """The same door both ways: disclosure, limits, types."""
    replace = msgspec.structs.replace
    bad: list[Payload] = [
        replace(BATCH, disclosure="windows"),
        replace(BATCH, events=(BOX_EVENT,)),
        replace(BATCH, site=""),
        replace(BATCH, camera="c" * 65),
        replace(BATCH, site="\ud800"),
        replace(BATCH, model=b"m" * 9),
        replace(BATCH, windows=(Window(-1, 15_000),)),
        replace(BATCH, windows=(Window(2**53, 15_000),)),
        replace(BATCH, windows=(Window(0, 15_000, lines=(LineSums("a"),) * 65),)),
        replace(BATCH, windows=(window(),) * (WINDOWS_MAX + 1)),
        replace(GAP, first=8, last=7),
        replace(GAP, stream=b"short"),
    ]
    for payload in bad:
        with pytest.raises(DataError):
            to_bytes(payload)


def test_a_batch_is_at_most_one_bucket() -> None:
    """What is larger than the largest bucket is refused, and told how large it would be."""
    large = msgspec.structs.replace(BATCH, windows=(window(),) * WINDOWS_MAX)
    assert encoded_bytes(large) > PAYLOAD_BYTES_MAX
    with pytest.raises(DataError, match="at most"):
        to_bytes(large)


def test_a_quiet_flush_fits_in_the_smallest_bucket() -> None:
    """Two windows of two lines and two zones with two events are less than 512 bytes: what the spool is planned for."""
    assert encoded_bytes(msgspec.structs.replace(BATCH, events=BATCH.events[:2])) < 512


def test_no_field_could_hold_a_picture() -> None:
    """The longest bytes field of the schema is 8 bytes; texts are 200 characters."""
    with pytest.raises(DataError):
        to_bytes(msgspec.structs.replace(BATCH, model=bytes(9)))
    assert set(Batch.__struct_fields__) == {"site", "camera", "disclosure", "model", "clock", "windows", "events", "health"}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_another_library_reads_and_writes_the_same_bytes(payload: Payload) -> None:
    """The format's own library reads each payload whole, and what both write of it is equal to the last byte (ADR 11)."""
    said = to_bytes(payload)
    table = msgpack.unpackb(said, raw=False)
    assert table["v"] == 1
    assert msgpack.packb(table, use_bin_type=True) == said == msgspec.msgpack.encode(table)


def test_another_library_reads_an_envelope() -> None:
    """Header, sealed part, signature: nothing of it is known to our decoder alone."""
    envelope = letter()
    fields = msgpack.unpackb(envelope[:-64])
    assert len(fields) == 13
    assert (fields[0], fields[2], fields[3]) == (1, DEVICE, STREAM)
    assert msgpack.packb(fields, use_bin_type=True) == envelope[:-64]

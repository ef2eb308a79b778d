"""What left this device: as sealed, in clear, bounded."""

from __future__ import annotations

from firmware.status.record import BYTES_MAX, PAYLOADS_MAX, Record, clear
from firmware.uplink.batch import Payload, from_bytes, kind_of, to_bytes
from firmware.uplink.envelope import Place
from tests.uplink.letters import BATCH


def sealed(record: Record, seq: int, payload: Payload = BATCH, size: int = 700, now_s: float = 0.0) -> None:
    record.sealed(Place(b"s" * 8, seq, b""), payload, size, now_s)


def test_the_newest_come_first_with_place_and_age() -> None:
    """Stream and number are those of the envelope: who runs the collector can lay both side by side."""
    record = Record()
    sealed(record, 0, now_s=1.0)
    sealed(record, 1, now_s=4.0)
    first, second = record.newest(10.0).payloads
    assert (first.stream, first.seq, first.age_s, first.kind, first.bytes) == ("73" * 8, 1, 6.0, "batch", 700)
    assert second.seq == 0


def test_nothing_is_left_out_or_changed() -> None:
    """V5: what is shown is what a collector that opened the envelope decodes, to the last field."""
    opened = from_bytes(kind_of(BATCH), to_bytes(BATCH))
    record = Record()
    sealed(record, 0)
    assert record.newest(0.0).payloads[0].content == clear(opened)
    assert set(clear(BATCH)) == set(BATCH.__struct_fields__)


def test_acknowledgements_are_shown() -> None:
    """Through a number, or one by one; of that stream only."""
    record = Record()
    for seq in range(6):
        sealed(record, seq)
    record.acknowledged([(b"s" * 8, 0, 2), (b"s" * 8, 4, 4), (b"t" * 8, 0, 9)])
    assert [each.acknowledged for each in reversed(record.newest(0.0).payloads)] == [True, True, True, False, True, False]


def test_memory_is_bounded_in_number_and_bytes() -> None:
    """Two hundred, or four megabytes; the oldest go."""
    record = Record()
    for seq in range(PAYLOADS_MAX + 50):
        sealed(record, seq)
    assert record.newest(0.0, 10_000).payloads[-1].seq == 50
    for seq in range(100):
        sealed(record, seq, size=256 * 1024)
    assert len(record._entries) == BYTES_MAX // (256 * 1024)


def test_an_answer_is_bounded_too() -> None:
    """Large payloads: fewer of them, newest first, one at least."""
    record = Record()
    for seq in range(10):
        sealed(record, seq, size=100 * 1024)
    assert [each.seq for each in record.newest(0.0).payloads] == [9, 8]
    sealed(record, 10, size=300 * 1024)
    assert [each.seq for each in record.newest(0.0).payloads] == [10]


def test_each_change_is_noted() -> None:
    """The stream sends the list anew when this number rises, and only then."""
    record = Record()
    sealed(record, 0)
    record.acknowledged([(b"s" * 8, 0, 0)])
    noted = record.noted
    record.acknowledged([(b"s" * 8, 0, 0)])
    assert (noted, record.noted) == (2, 2)

"""One log: segments, rotation, what is settled, and what recovery finds. Behaviour seen through the spool is in test_spool.py."""

from __future__ import annotations

import os

import pytest

from firmware.errors import StorageError
from firmware.uplink.lane import Lane
from firmware.uplink.lane_files import BAD_KEPT
from firmware.uplink.segment import LaneLimits, Missing
from firmware.uplink.spool_format import FOREVER, read_segment
from tests.uplink.crash_model import OWNER
from tests.uplink.model_card import SECTOR, ModelFolder

LIMITS = LaneLimits(16 * SECTOR, 4)


def recovered(folder: ModelFolder, limits: LaneLimits = LIMITS) -> Lane:
    lane = Lane("batches", folder, limits, OWNER, os.urandom)
    lane.recover()
    return lane


def written(lane: Lane, count: int) -> None:
    for index in range(count):
        lane.put(lambda place, index=index: index.to_bytes(4, "big") * 120)  # type: ignore[misc]
        lane.flush()


def test_a_segment_is_used_only_when_it_is_durable() -> None:
    """Written, synced, renamed, folder synced; then the first envelope."""
    folder = ModelFolder()
    lane = recovered(folder)
    assert [name for name in folder.durable_names if name.endswith(".seg")] == ["batches-00000001.seg"]
    assert not folder.changes
    written(lane, 20)
    assert sorted(folder.durable_names) == ["batches-00000001.seg", "batches-00000002.seg"]


def test_a_new_segment_continues_the_numbers_in_its_header() -> None:
    """So that numbering goes on even if nothing was written to it."""
    folder = ModelFolder()
    written(recovered(folder), 15)
    second = read_segment(folder.read("batches-00000002.seg", 0, 1 << 20)).header
    first = read_segment(folder.read("batches-00000001.seg", 0, 1 << 20))
    assert second.first_seq == first.envelopes[-1][0] + 1
    assert second.stream == first.header.stream
    assert second.salt != first.header.salt


def test_what_is_settled_is_repeated_in_the_next_segment() -> None:
    """The segment that said it first may be removed."""
    folder = ModelFolder()
    lane = recovered(folder)
    written(lane, 10)
    stream = lane.next.stream
    lane.settle(stream, 0, 7)
    lane.settle(stream, 9, 9)
    written(lane, 10)
    newest = read_segment(folder.read("batches-00000002.seg", 0, 1 << 20))
    assert {(each.first, each.last) for each in newest.settled} == {(0, 7), (9, 9)}
    assert [each.seq for each in recovered(folder).pending("oldest")][:2] == [8, 10]


def test_settled_numbers_ride_with_the_next_flush() -> None:
    """No sync of their own."""
    folder = ModelFolder()
    lane = recovered(folder)
    written(lane, 3)
    before = folder.operations
    lane.settle(lane.next.stream, 0, 1)
    assert folder.operations == before
    written(lane, 1)
    assert folder.operations == before + 2
    assert [each.seq for each in recovered(folder).pending("oldest")] == [2, 3]


def test_the_end_of_a_left_stream_is_missing() -> None:
    """After `renew`, and after a restart while nobody reported it."""
    folder = ModelFolder()
    lane = recovered(folder)
    written(lane, 3)
    old = lane.next.stream
    lane.renew()
    assert lane.missing == [Missing(old, 3, FOREVER, "ended")]
    assert recovered(folder).missing == [Missing(old, 3, FOREVER, "ended")]
    lane.settle(old, 3, FOREVER)
    lane.flush_settled()
    assert recovered(folder).missing == []


def test_segments_of_another_size_are_read_but_not_written_on() -> None:
    """A configuration that changed sizes loses nothing."""
    folder = ModelFolder()
    lane = recovered(folder)
    written(lane, 5)
    changed = recovered(folder, LaneLimits(32 * SECTOR, 4))
    assert [each.seq for each in changed.pending("oldest")] == [0, 1, 2, 3, 4]
    assert changed.next.stream != lane.next.stream


def test_few_bad_segments_are_kept() -> None:
    """For a look; a card that rots must not fill itself with what it spoiled."""
    folder = ModelFolder()
    for number in range(1, 20):
        folder.open(f"batches-{number:08}.seg").write_at(0, b"rubbish")
    assert recovered(folder).bad == 19
    recovered(folder)
    assert sum(name.endswith(".bad") for name in folder.names()) == BAD_KEPT


def test_a_failed_flush_keeps_what_waits() -> None:
    """It raises, and the next one writes it to a new segment."""
    folder = ModelFolder()
    lane = recovered(folder)
    lane.put(lambda _: b"a")
    folder.faults[folder.operations + 2] = StorageError("EIO")
    with pytest.raises(StorageError):
        lane.flush()
    assert len(lane.waiting) == 1
    assert lane.touched
    lane.flush()
    assert [each.envelope for each in lane.pending("oldest")] == [b"a"]
    assert not lane.touched


def test_segments_are_numbered_once() -> None:
    """A number that failed is not tried again, and none below the highest name is used."""
    folder = ModelFolder()
    folder.open("batches-00000041.bad")
    lane = recovered(folder)
    assert lane.segments[0].header.number == 42
    folder.faults[folder.operations + 1] = StorageError("EIO")
    with pytest.raises(StorageError):
        lane.renew()
    lane.renew()
    assert lane.segments[-1].header.number == 44

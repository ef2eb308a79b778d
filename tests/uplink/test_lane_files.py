"""The files of a lane: names that are its own, what is set aside, and what is read back."""

from __future__ import annotations

from firmware.uplink.lane_files import BAD_KEPT, LaneFiles
from firmware.uplink.segment import LaneLimits
from tests.uplink.model_card import SECTOR, ModelFolder
from tests.uplink.segments import HEADER, written_segment


def files(folder: ModelFolder) -> LaneFiles:
    return LaneFiles("batches", folder, LaneLimits(HEADER.segment_bytes, 4))


def put(folder: ModelFolder, name: str, body: bytes) -> None:
    folder.open(name).write_at(0, body)


def test_a_segment_is_read_back() -> None:
    """Its envelopes, under the number in its name."""
    folder = ModelFolder()
    put(folder, "batches-00000007.seg", written_segment(b"one", b"two"))
    reading = files(folder)._read(7, last=True)
    assert reading is not None
    assert [seq for seq, _, _ in reading.envelopes] == [5, 6]


def test_what_is_no_segment_or_another_one_is_set_aside_and_counted() -> None:
    """Noise, and a segment under a name that is not its own: kept under another name."""
    folder = ModelFolder()
    put(folder, "batches-00000001.seg", b"noise" * SECTOR)
    put(folder, "batches-00000002.seg", written_segment(b"one"))
    lane = files(folder)
    assert [lane._read(number, last=False) for number in (1, 2)] == [None, None]
    assert lane.bad == 2
    assert sorted(folder.names()) == ["batches-00000001.bad", "batches-00000002.bad"]


def test_only_its_own_names_are_touched() -> None:
    """What was being made goes, few of what is set aside stay; the other lane, the lock and strangers are left alone."""
    folder = ModelFolder()
    strangers = ["LOCK", "keep-00000001.tmp", "notes.txt", "batches-1.seg", "batches-00000001.segment"]
    mine = ["batches-00000009.tmp", *(f"batches-{number:08}.bad" for number in range(1, 8)), "batches-00000008.seg"]
    for name in (*strangers, *mine):
        put(folder, name, b"x")
    lane = files(folder)
    assert lane._tidy_names() == [8]
    assert lane._number == 8
    left = set(folder.names())
    assert set(strangers) <= left
    assert sum(name.endswith(".bad") for name in left) == BAD_KEPT
    assert "batches-00000009.tmp" not in left

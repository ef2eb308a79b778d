"""What the spool does for its user. A card that fails is in test_spool_faults.py, power cuts are in test_crash_model.py."""

from __future__ import annotations

import random

import pytest

from firmware.errors import DataError
from firmware.uplink.envelope import GENESIS, Place, chain_hash
from firmware.uplink.spool import FLUSH_BYTES, SpoolLimits
from tests.uplink.crash_model import gap_of, offered, turn_bits
from tests.uplink.model_card import SECTOR, ModelFolder
from tests.uplink.spools import LANES, filled, gaps, opened, sealed


def test_places_are_contiguous_and_chained() -> None:
    """Each lane numbers its own stream from 0, and each envelope names the one before."""
    spool = opened(ModelFolder())
    places = [spool.put("batches", sealed(b"a" * (index + 1))) for index in range(5)]
    assert [place.seq for place in places] == list(range(5))
    assert [place.prev for place in places] == [GENESIS] + [chain_hash(b"a" * (index + 1)) for index in range(4)]
    assert spool.put("keep", sealed(b"k")) == Place(spool.put("keep", sealed(b"l")).stream, 0, GENESIS)
    assert places[0].stream != spool.put("keep", sealed(b"m")).stream


def test_nothing_is_offered_before_it_is_durable() -> None:
    """Sent and then lost in a power cut would be a number used twice."""
    spool = opened(ModelFolder())
    spool.put("batches", sealed(b"a"))
    assert offered(spool) == {}
    spool.flush()
    assert list(offered(spool).values()) == [b"a"]


def test_a_flush_is_one_sync_a_lane() -> None:
    """However much was put; and none where nothing was."""
    folder = ModelFolder()
    spool = opened(folder)
    for index in range(5):
        spool.put("batches", sealed(bytes([index + 1])))
    before = folder.operations
    spool.flush()
    assert folder.operations - before == 2  # one write, one sync
    spool.flush()
    assert folder.operations - before == 2


def test_much_waiting_is_flushed_at_once() -> None:
    """16 KiB do not wait for the timer."""
    spool = opened(ModelFolder(), SpoolLimits(bytes_free_min=0))
    spool.put("batches", sealed(bytes(FLUSH_BYTES - 1)))
    assert offered(spool) == {}
    spool.put("batches", sealed(b"x"))
    assert len(offered(spool)) == 2


def test_what_a_sealer_raises_takes_no_number() -> None:
    """The next envelope has the number that the failed one would have had."""
    spool = opened(ModelFolder())

    def failing(place: Place) -> bytes:
        raise DataError("too large")

    with pytest.raises(DataError):
        spool.put("batches", failing)
    assert spool.put("batches", sealed(b"a")).seq == 0
    with pytest.raises(DataError, match="segment"):
        spool.put("batches", sealed(bytes(16 * SECTOR)))
    assert spool.put("batches", sealed(b"b")).seq == 1


def test_numbers_go_on_after_a_restart() -> None:
    """The same stream, the next number, the chain unbroken; envelopes as they were."""
    folder = ModelFolder()
    spool = opened(folder)
    envelopes = filled(spool, 30)
    spool.close()
    again = opened(folder)
    assert sorted(offered(again).values()) == sorted(envelopes)
    place = again.put("batches", sealed(b"next"))
    assert (place.seq, place.prev) == (30, chain_hash(envelopes[-1]))
    assert place.stream == next(iter(offered(again)))[0]


def test_newest_and_oldest_first_within_bytes() -> None:
    """Newest: batches before totals; oldest: totals before batches; skipping what delivery holds aside."""
    spool = opened(ModelFolder())
    filled(spool, 10)
    filled(spool, 2, lane="keep")
    newest = spool.newest(1500, ())
    assert [(each.lane, each.seq) for each in newest] == [("batches", 9), ("batches", 8), ("batches", 7)]
    oldest = spool.oldest(2000, ())
    assert [(each.lane, each.seq) for each in oldest] == [("keep", 0), ("keep", 1), ("batches", 0), ("batches", 1)]
    skip = {(newest[0].stream, 9)}
    assert [each.seq for each in spool.newest(1000, skip)] == [8, 7]
    assert spool.newest(479, ()) == ()


def test_acknowledged_segments_are_removed() -> None:
    """In order or not: a sealed segment goes once all of it is acknowledged, and not before."""
    folder = ModelFolder()
    spool = opened(folder)
    filled(spool, 20)
    stream = next(iter(offered(spool)))[0]
    files = len([name for name in folder.names() if name.startswith("batches")])
    assert files > 1
    spool.acknowledge(stream, 5)
    assert {seq for _, seq in offered(spool)} == set(range(6, 20))
    spool.acknowledge(stream, None, (7, 9))
    assert {seq for _, seq in offered(spool)} == {6, 8, *range(10, 20)}
    assert len([name for name in folder.names() if name.startswith("batches")]) == files
    spool.acknowledge(stream, 19)
    assert offered(spool) == {}
    assert len([name for name in folder.names() if name.startswith("batches")]) == 1
    assert spool.health().acknowledged == 20


def test_acknowledgements_outlive_a_clean_stop() -> None:
    """After `close` nothing acknowledged is offered again; after a kill it may be, and the collector knows it."""
    folder = ModelFolder()
    spool = opened(folder)
    filled(spool, 5)
    stream = next(iter(offered(spool)))[0]
    spool.acknowledge(stream, None, (1, 3))
    assert len(offered(opened(folder.after_kill()))) == 5
    spool.close()
    assert {seq for _, seq in offered(opened(folder))} == {0, 2, 4}


def test_the_future_cannot_be_acknowledged() -> None:
    """A collector that claims numbers not yet given does not lose them."""
    spool = opened(ModelFolder())
    filled(spool, 2)
    stream = next(iter(offered(spool)))[0]
    spool.acknowledge(stream, 2**64 - 1, (5, 2**63))
    assert offered(spool) == {}
    filled(spool, 3)
    assert {seq for _, seq in offered(spool)} == {2, 3, 4}
    spool.acknowledge(b"unknown!", 10)
    assert len(offered(spool)) == 3


def test_a_full_lane_evicts_its_oldest_and_says_so() -> None:
    """The newest envelopes are there, the others are in gaps, and every number is one or the other."""
    spool = opened(ModelFolder())
    filled(spool, 200)
    kept = {seq for (_, seq), envelope in offered(spool).items() if gap_of(envelope) is None}
    explained = {number for _, first, last in gaps(spool) for number in range(first, last + 1)}
    assert 30 < len(kept) < 60
    assert kept == set(range(min(kept), 200))
    assert explained == set(range(min(kept)))
    health = spool.health()
    assert (health.full, health.storage) == (True, "durable")
    assert health.spool_bytes <= 8 * 16 * SECTOR


def test_batches_never_evict_what_is_kept() -> None:
    """A year of totals stays while batches come and go."""
    spool = opened(ModelFolder())
    totals = filled(spool, 5, lane="keep")
    filled(spool, 200)
    assert set(totals) <= set(offered(spool).values())


def test_totals_evict_their_own_oldest() -> None:
    """A lane of totals that is full for longer than a year keeps the newest, with a gap for the rest."""
    spool = opened(ModelFolder())
    filled(spool, 100, lane="keep")
    own = [envelope for envelope in offered(spool).values() if gap_of(envelope) is None]
    assert 20 < len(own) < 100
    assert gaps(spool)


def test_an_emptied_card_begins_a_new_stream() -> None:
    """No number can be used twice when nothing is known of the old ones."""
    folder = ModelFolder()
    spool = opened(folder)
    old = spool.put("batches", sealed(b"a")).stream
    assert opened(ModelFolder()).put("batches", sealed(b"a")).stream != old


def test_a_cloned_card_begins_a_new_stream_and_keeps_what_it_holds() -> None:
    """Under another owner: the old envelopes are still sent, the old stream is ended, numbering is new."""
    folder = ModelFolder()
    spool = opened(folder)
    envelopes = filled(spool, 3)
    old = spool.put("batches", sealed(b"x")).stream
    clone = opened(folder, owner=b"another-owner-16")
    assert clone.put("batches", sealed(b"y")) == Place(clone.put("batches", sealed(b"z")).stream, 0, GENESIS)
    assert set(envelopes) <= set(offered(clone).values())
    assert (old, 3, 2**64 - 1) in gaps(clone)


def test_a_conflict_begins_a_new_stream() -> None:
    """`renew`: what waits is flushed under the old one, which is ended with a gap."""
    spool = opened(ModelFolder())
    old = spool.put("batches", sealed(b"a"))
    spool.renew("batches")
    new = spool.put("batches", sealed(b"b"))
    assert (new.seq, new.prev) == (0, GENESIS)
    assert new.stream != old.stream
    assert (old.stream, 1, 2**64 - 1) in gaps(spool)
    assert b"a" in offered(spool).values()


@pytest.mark.parametrize("content", ["noise", "zeros", "empty", "directory names", "swapped", "doubled", "foreign"])
def test_any_content_of_the_folder_starts(content: str) -> None:
    """Whatever lies there, the spool opens, durable, and takes envelopes."""
    rng = random.Random(content)
    folder = ModelFolder()
    spool = opened(folder)
    filled(spool, 30)
    filled(spool, 3, lane="keep")
    spool.close()
    names = sorted(folder.names())
    bytes_of = {name: bytes(folder.cached_names[name].cached) for name in names}
    for name in names:
        inode = folder.cached_names[name]
        match content:
            case "noise":
                inode.cached[:] = rng.randbytes(len(inode.cached))
            case "zeros":
                inode.cached[:] = bytes(len(inode.cached))
            case "empty":
                inode.cached.clear()
            case "swapped":
                inode.cached[:] = bytes_of[rng.choice(names)]
        inode.durable[:] = inode.cached
    if content == "doubled":
        folder.open("batches-00000099.seg").write_at(0, bytes_of[names[0]])
    if content in {"directory names", "foreign"}:
        for name in ("batches-1.seg", "batches-00000001.seg.bak", "x", "keep-99999999.bad", "batches-99999998.tmp", "keep-00000500.seg"):
            folder.open(name).write_at(0, rng.randbytes(700))
    again = opened(folder)
    assert again.health().storage == "durable"
    places = [again.put(lane, sealed(b"new" + lane.encode())) for lane in LANES]
    again.flush()
    assert {b"newbatches", b"newkeep"} <= set(offered(again).values())
    assert all(place.seq == 0 or content in {"directory names", "foreign", "swapped", "doubled"} for place in places)
    assert offered(opened(folder)) == offered(again)


@pytest.mark.slow
def test_ten_thousand_turned_bits_lose_one_envelope_each() -> None:
    """Bit rot in sealed and active segments: start succeeds, at most one envelope is gone, with a gap, and none is wrong."""
    assert turn_bits(10_000, 7) == {"flips": 10_000, "silent": 0, "worst": 1}


def test_what_rots_while_open_is_noticed_when_read() -> None:
    """Checked anew at each reading: a gap instead of wrong bytes."""
    folder = ModelFolder()
    spool = opened(folder)
    filled(spool, 5)
    folder.cached_names["batches-00000001.seg"].cached[3 * SECTOR + 100] ^= 1
    assert {seq for (_, seq), envelope in offered(spool).items() if gap_of(envelope) is None} == {0, 1, 3, 4}
    assert [(first, last) for _, first, last in gaps(spool)] == [(2, 2)]

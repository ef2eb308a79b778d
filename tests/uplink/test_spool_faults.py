"""What the spool does when the card fails: syncs, writes, room, everything. On real file systems: tests/test_storage_faults.py."""

from __future__ import annotations

import random

import msgspec
import pytest

from firmware.errors import StorageError
from firmware.uplink.envelope import Place
from firmware.uplink.memory import MEMORY_BYTES_MAX
from firmware.uplink.ports import NoRoomError, NothingWrittenError
from tests.uplink.crash_model import gap_of, offered
from tests.uplink.model_card import EVERYTHING, ModelFolder
from tests.uplink.spools import LIMITS, filled, gaps, opened, sealed


def test_a_failed_sync_writes_the_same_envelopes_to_a_new_segment() -> None:
    """Durable, same stream, same numbers; the failed file is not touched again."""
    folder = ModelFolder()
    spool = opened(folder)
    filled(spool, 2)
    place = spool.put("batches", sealed(b"third"))
    folder.faults[folder.operations + 2] = StorageError("EIO")
    spool.flush()
    assert spool.health().storage == "durable"
    assert offered(spool)[place.stream, 2] == b"third"
    assert offered(opened(folder.after_cut(random.Random(1), "none")))[place.stream, 2] == b"third"
    assert "batches-00000002.seg" in folder.names()


@pytest.mark.parametrize("error", [StorageError("EIO"), NothingWrittenError("EROFS"), NoRoomError("ENOSPC")])
def test_a_card_that_fails_for_good_is_survived_in_memory(error: StorageError) -> None:
    """Counting and sending go on under a new stream; health says volatile; nothing raises."""
    folder = ModelFolder()
    spool = opened(folder)
    before = filled(spool, 3)
    old = next(iter(offered(spool)))[0]
    folder.broken = error
    envelopes = filled(spool, 20, 100)
    spool.put("keep", sealed(b"total"))
    spool.flush()
    health = spool.health()
    assert health.storage == "volatile"
    assert str(error) in health.last_error
    found = offered(spool)
    assert set(before) <= set(found.values())
    lost = health.given_up
    assert lost <= 2
    assert {envelope for (stream, _), envelope in found.items() if stream != old} >= set(envelopes[lost:])
    stream = next(key[0] for key, envelope in found.items() if envelope == envelopes[-1])
    spool.acknowledge(stream, 10)
    assert all(seq > 10 for each, seq in offered(spool) if each == stream)


def test_what_may_be_on_the_card_is_not_sealed_twice() -> None:
    """After a failed sync the bytes may be there: under a second name the same people would count twice. So they are given up."""
    folder = ModelFolder()
    spool = opened(folder)
    filled(spool, 1)
    spool.put("batches", sealed(b"perhaps"))
    start = folder.operations
    folder.faults = dict.fromkeys(range(start + 2, start + 200), StorageError("EIO"))
    spool.flush()
    assert b"perhaps" not in offered(spool).values()
    assert [(first, last) for _, first, last in gaps(spool)] == [(1, 1)]
    assert spool.health().given_up == 1


def test_what_cannot_be_on_the_card_is_sealed_anew() -> None:
    """A read-only card took nothing: the same counts go out under the memory's stream, and none is given up."""
    folder = ModelFolder()
    spool = opened(folder)
    places: list[Place] = []

    def seal(place: Place) -> bytes:
        places.append(place)
        return b"once"

    spool.put("batches", seal)
    folder.broken = NothingWrittenError("EROFS")
    spool.flush()
    assert [envelope for envelope in offered(spool).values() if envelope == b"once"] == [b"once"]
    assert len({place.stream for place in places}) == 2
    assert spool.health().given_up == 0


def test_memory_is_bounded() -> None:
    """The oldest is given up, the newest is kept."""
    folder = ModelFolder()
    folder.broken = StorageError("EIO")
    spool = opened(folder)
    count = MEMORY_BYTES_MAX // 100_000 + 10
    for index in range(count):
        spool.put("batches", sealed(bytes([index]) * 100_000))
    found = [envelope[0] for envelope in offered(spool).values() if len(envelope) == 100_000]
    assert found == list(range(count - len(found), count))
    assert len(found) * 100_000 <= MEMORY_BYTES_MAX
    assert spool.health().given_up == count - len(found)


def test_a_card_that_comes_back_takes_what_was_in_memory() -> None:
    """After a few flushes: durable again, the memory's stream goes on, and it is there after a restart."""
    folder = ModelFolder()
    spool = opened(folder)
    filled(spool, 2)
    folder.broken = NothingWrittenError("EROFS")
    filled(spool, 5, 100)
    folder.broken = None
    filled(spool, 40, 104)
    assert spool.health().storage == "durable"
    found = offered(spool)
    assert offered(opened(folder)) == found
    assert sum(len(envelope) == 100 for envelope in found.values()) == 5
    assert sum(len(envelope) == 104 for envelope in found.values()) == 40


def test_a_full_card_evicts_batches_for_totals() -> None:
    """No room for a new segment: the oldest batches go, totals are written, health says full."""
    folder = ModelFolder()
    spool = opened(folder)
    filled(spool, 30)
    filled(spool, 10, lane="keep")

    class Full(ModelFolder):
        """Holds four segments and not one more."""

        @property
        def free(self) -> int:  # type: ignore[override]
            return 4 - sum(name.endswith(".seg") for name in self.cached_names)

        @free.setter
        def free(self, value: int) -> None:
            pass

    folder.__class__ = Full
    totals = filled(spool, 20, lane="keep")
    assert spool.health().full
    assert spool.health().storage == "durable"
    assert set(totals) <= set(offered(spool).values())
    assert gaps(spool)


def test_little_space_on_the_card_evicts_too() -> None:
    """The rest of the system keeps its 256 MiB."""
    folder = ModelFolder()
    spool = opened(folder, msgspec.structs.replace(LIMITS, bytes_free_min=1000))
    filled(spool, 30)
    before = spool.health().spool_bytes
    folder.free = 999
    filled(spool, 1)
    assert spool.health().spool_bytes < before
    assert spool.health().full
    assert spool.health().storage == "durable"


def test_every_operation_may_fail_once() -> None:
    """An error at each single operation of a life, of each kind: nothing raises, nothing durable is lost, numbers are not reused."""
    for error in (StorageError("EIO"), NothingWrittenError("EROFS"), NoRoomError("ENOSPC")):
        for fault_at in range(1, 130):
            folder = ModelFolder()
            folder.faults[fault_at] = error
            spool = opened(folder)
            envelopes = filled(spool, 25)
            spool.renew("batches")
            envelopes += filled(spool, 2, 496)
            found = offered(spool)
            own = [envelope for envelope in found.values() if gap_of(envelope) is None]
            explained = sum(last - first + 1 for _, first, last in gaps(spool) if last < 2**63)
            assert len(own) + explained >= len(envelopes)
            assert set(own) <= set(envelopes)
            spool.close()
            assert spool.health().storage == "durable" or fault_at < 12
            again = opened(folder)
            assert again.health().storage == "durable"
            if spool.health().storage == "durable":
                assert offered(again) == offered(spool)


def test_a_folder_that_refuses_everything_starts() -> None:
    """No card at all: the spool lives in memory from the first moment."""
    folder = ModelFolder()
    folder.broken = NothingWrittenError("no card")
    spool = opened(folder)
    filled(spool, 3)
    assert len(offered(spool)) == 3
    assert spool.health().storage == "volatile"
    assert spool.health().volatile == ("batches", "keep")
    assert EVERYTHING > 0

"""A lane without a card."""

from __future__ import annotations

from firmware.uplink.envelope import GENESIS, Place, chain_hash
from firmware.uplink.memory import MEMORY_BYTES_MAX, MemoryLane

FIRST = Place(b"stream-1", 0, GENESIS)


def test_it_numbers_and_chains_like_a_lane() -> None:
    """Contiguous from its first place; each names the one before."""
    memory = MemoryLane("batches", FIRST)
    assert memory.put(lambda _: b"a") == FIRST
    assert memory.put(lambda _: b"b") == Place(b"stream-1", 1, chain_hash(b"a"))
    assert [each.envelope for each in memory.pending("newest")] == [b"b", b"a"]
    assert [each.seq for each in memory.pending("oldest")] == [0, 1]
    assert memory.count() == 2


def test_what_is_settled_is_gone() -> None:
    """And numbers not yet given cannot be settled."""
    memory = MemoryLane("batches", FIRST)
    for _ in range(3):
        memory.put(lambda place: bytes([place.seq + 1]))
    memory.settle(1, 2**63)
    assert [each.seq for each in memory.pending("oldest")] == [0]
    assert memory.put(lambda _: b"x").seq == 3
    assert memory.count() == 2


def test_the_oldest_is_given_up() -> None:
    """Bounded, and counted."""
    memory = MemoryLane("keep", FIRST)
    for _ in range(5):
        memory.put(lambda _: bytes(MEMORY_BYTES_MAX // 3))
    assert [each.seq for each in memory.pending("oldest")] == [2, 3, 4]
    assert memory.given_up == 2
    assert [each.place.seq for each in memory.waiting()] == [2, 3, 4]

"""No power cut loses what was confirmed; and the model that says so finds every bug that was put in."""

from __future__ import annotations

import random

import pytest

from firmware.errors import StorageError
from tests.uplink.crash_model import Violation, run_model
from tests.uplink.model_card import SECTOR, ModelFolder
from tests.uplink.seeded_bugs import CAUGHT, Bug

STATES = 200_000
PARTS = 8
BUDGET = 80_000  # states in which a bug must show; half of all show in the first 1,000


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_power_cut_breaks_the_spool(part: int) -> None:
    """200,000 states after a cut, a fifth of them with cuts during recovery, a seventh with rot: six invariants hold in each."""
    tally = run_model(1_000_003 * (part + 1), STATES // PARTS)
    assert tally["states"] >= STATES // PARTS
    assert tally["cut short"] >= tally["states"] // 5
    assert min(tally[mode] for mode in ("none", "all", "subset", "garbage", "reordered", "kill", "rotten", "wiped")) > 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("bug", CAUGHT, ids=lambda bug: bug.name)
def test_the_model_finds(bug: Bug) -> None:
    """A spool with this bug violates an invariant."""
    with bug.planted(), pytest.raises(Violation):
        run_model(1, BUDGET)


def test_there_are_enough_bugs() -> None:
    """Twenty at least, each another change."""
    assert len(CAUGHT) == len({bug.name for bug in CAUGHT}) >= 20


def test_a_card_that_lies_about_syncs_is_caught() -> None:
    """The negative control: where nothing is ever durable, the model must see loss, or it would see nothing."""
    with pytest.raises(Violation):
        run_model(1, 2000, lies=True)


def test_a_bug_goes_when_it_was_planted() -> None:
    """After each the spool is itself again."""
    run_model(1, 500)
    for bug in CAUGHT:
        with bug.planted():
            pass
    run_model(1, 500)


def test_what_was_not_synced_may_be_lost() -> None:
    """The folder's own promise: synced bytes stay, others come as none, all, or any sectors."""
    folder = ModelFolder()
    file = folder.open("a")
    file.write_at(0, b"1" * 2 * SECTOR)
    file.sync()
    folder.sync()
    file.write_at(SECTOR, b"2" * 2 * SECTOR)
    rng = random.Random(1)
    assert bytes(folder.after_cut(rng, "none").cached_names["a"].cached) == b"1" * 2 * SECTOR
    assert bytes(folder.after_cut(rng, "all").cached_names["a"].cached) == b"1" * SECTOR + b"2" * 2 * SECTOR
    seen = {bytes(folder.after_cut(rng, "subset").cached_names["a"].cached) for _ in range(100)}
    assert all(content[:SECTOR] == b"1" * SECTOR for content in seen)
    assert len(seen) > 3


def test_a_failed_sync_leaves_pages_that_lie() -> None:
    """They read as written, a second sync says yes, and they are not on the card; `forget` shows it."""
    folder = ModelFolder()
    file = folder.open("a")
    file.write_at(0, b"1" * SECTOR)
    file.sync()
    folder.sync()
    file.write_at(0, b"2" * SECTOR)
    folder.broken = StorageError("EIO")
    with pytest.raises(StorageError):
        file.sync()
    folder.broken = None
    file.sync()
    assert folder.read("a", 0, 1) == b"2"
    assert bytes(folder.after_cut(random.Random(1), "none").cached_names["a"].durable[:1]) == b"1"
    file.forget()
    assert folder.read("a", 0, 1) == b"1"


def test_names_are_lost_from_the_end_or_in_any_subset() -> None:
    """Unsynced folder changes: a prefix stays, or, where the file system reorders, any of them."""
    folder = ModelFolder()
    for name in ("a", "b", "c"):
        folder.open(name)
    rng = random.Random(1)
    prefixes = {tuple(sorted(folder.after_cut(rng, "subset").names())) for _ in range(50)}
    assert prefixes == {(), ("a",), ("a", "b"), ("a", "b", "c")}
    subsets = {tuple(sorted(folder.after_cut(rng, "reordered").names())) for _ in range(200)}
    assert len(subsets) == 8
    folder.sync()
    folder.rename("a", "d")
    names = {tuple(sorted(folder.after_cut(rng, "subset").names())) for _ in range(50)}
    assert names == {("a", "b", "c"), ("b", "c", "d")}

"""What the collector signs for survives a power cut; with less syncing it is seen not to."""

from __future__ import annotations

import pytest

from tests.collector.sqlite_on_model import library
from tests.collector.sqlite_power_cuts import run

pytestmark = pytest.mark.skipif(library() is None, reason="this Python has SQLite built in: no file layer can be put under it")


def test_full_loses_nothing_that_was_committed() -> None:
    """SQLite as the collector opens it, cut at every write and sync: every committed number is there, books and ledger agree."""
    tally = run()
    assert (tally["lost_states"], tally["wrong"]) == (0, 0)
    assert tally["states"] > 1000


@pytest.mark.parametrize("level", ["NORMAL", "OFF"])
def test_less_is_seen_to_lose(level: str) -> None:
    """The negative controls: without a sync a commit, what had been signed for is gone. Were it not, the harness would be blind."""
    tally = run(level, uplinks=20)
    assert tally["lost_states"] > 0
    assert tally["lost_rows"] > 0

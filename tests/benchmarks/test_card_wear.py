"""What reaches the card, measured on a real block device."""

from __future__ import annotations

import pytest

from benchmarks import card_wear


@pytest.mark.slow
def test_a_batch_of_800_bytes_costs_the_card_at_most_6_kib() -> None:
    """Zero-fill and metadata included; plain append and SQLite cost several times as much in the same run."""
    why_not = card_wear.available()
    if why_not:
        pytest.skip(why_not)
    try:
        costs = {strategy: card_wear.bytes_per_batch(strategy, 1000) for strategy in card_wear.STRATEGIES}
    except RuntimeError as error:
        pytest.skip(str(error))
    assert 800 < costs["spool"] <= 6144
    assert costs["append"] > 2 * costs["spool"]
    assert costs["sqlite_wal_full"] > 2 * costs["spool"]

"""The exposition, read by a parser of its own rules, and the keepers' routes without a server."""

from __future__ import annotations

from collector.metrics import BUCKETS_S, Metrics


class Writer:
    commits, posts, waiting = 3, 9, 2


def samples(text: str) -> dict[str, float]:
    assert text.endswith("\n")
    typed = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            bare = name.partition("{")[0]
            assert bare in typed or bare.rpartition("_")[0] in typed, bare
            found[name] = float(value)
    return found


def test_counters_and_buckets_add_up() -> None:
    """Cumulative buckets end in the count; what was never counted is zero, not missing."""
    metrics = Metrics()
    for seconds in (0.0005, 0.003, 0.003, 9.0):
        metrics.took(envelopes=2, spoiled=1, conflicts=0, seconds=seconds)
    metrics.count("limited")
    found = samples(metrics.text(Writer()))
    buckets = [found[f'passerby_collector_request_seconds_bucket{{le="{edge}"}}'] for edge in (*BUCKETS_S, "+Inf")]
    assert buckets == sorted(buckets)
    assert (buckets[0], buckets[2], buckets[-1]) == (1, 3, 4)
    assert found["passerby_collector_request_seconds_count"] == found["passerby_collector_requests_total"] == 4
    assert (found["passerby_collector_envelopes_total"], found["passerby_collector_limited_total"]) == (8, 1)
    assert (found["passerby_collector_enrolments_total"], found["passerby_collector_waiting"]) == (0, 2)


def test_a_process_that_commits_nothing_says_nothing_of_commits() -> None:
    """The enrolling role has no writer."""
    assert "passerby_collector_waiting" not in samples(Metrics().text(None))

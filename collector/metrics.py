"""Counters for Prometheus: requests, envelopes, conflicts, latency. No label that names a shop or a person."""

from __future__ import annotations

from typing import Final, Protocol

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_COUNTERS: Final = (
    "requests", "envelopes", "spoiled", "conflicts", "malformed", "refused_device", "limited", "storage_errors",
    "enrolments", "enrolments_refused", "renewals",
)  # fmt: skip


class Writer(Protocol):
    """What the metrics ask of the group commit."""

    commits: int
    posts: int

    @property
    def waiting(self) -> int:
        """Requests not yet committed."""
        ...


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        """All zero."""
        self._counters = dict.fromkeys(_COUNTERS, 0)
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._sum_s = 0.0

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter."""
        self._counters[name] += by

    def took(self, envelopes: int, spoiled: int, conflicts: int, seconds: float) -> None:
        """One request was answered."""
        for name, by in (("requests", 1), ("envelopes", envelopes), ("spoiled", spoiled), ("conflicts", conflicts)):
            self.count(name, by)
        self._sum_s += seconds
        self._buckets[sum(seconds > edge for edge in BUCKETS_S)] += 1

    def text(self, writer: Writer | None) -> str:
        """The exposition format, version 0.0.4; `writer` is None in a process that commits nothing."""
        lines: list[str] = []
        for name, value in self._counters.items():
            lines += [f"# TYPE passerby_collector_{name}_total counter", f"passerby_collector_{name}_total {value}"]
        if writer is not None:
            lines += ["# TYPE passerby_collector_commits_total counter", f"passerby_collector_commits_total {writer.commits}"]
            lines += ["# TYPE passerby_collector_waiting gauge", f"passerby_collector_waiting {writer.waiting}"]
        lines.append("# TYPE passerby_collector_request_seconds histogram")
        total = 0
        for edge, count in zip((*BUCKETS_S, "+Inf"), self._buckets, strict=True):
            total += count
            lines.append(f'passerby_collector_request_seconds_bucket{{le="{edge}"}} {total}')
        lines += [f"passerby_collector_request_seconds_sum {self._sum_s:.6f}", f"passerby_collector_request_seconds_count {total}"]
        return "\n".join(lines) + "\n"

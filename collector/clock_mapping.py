"""From boot time to wall time, after the fact: a boot's anchors place everything that was said in it.

Pure. Between two anchors the offset is interpolated (a crystal drifts), outside them the nearest one holds. Anchors that
the network gave (NTP, or the collector's own answer) win over a clock chip's, and those over a clock restored from disk.
A boot without any is placed by the arrival of its envelopes, and everything in it is marked uncertain.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final

import msgspec

from firmware.uplink.stamp import WallQuality

_TIERS: Final = (
    frozenset({WallQuality.NTP, WallQuality.COLLECTOR}),
    frozenset({WallQuality.RTC}),
    frozenset({WallQuality.RESTORED}),
)


class Moment(msgspec.Struct, frozen=True, order=True):
    """Boot clock and wall clock read together."""

    boot_ms: int
    wall_ms: int


class Mapping(msgspec.Struct, frozen=True):
    """Places one boot. `uncertain`: nobody whose clock we trust saw this boot."""

    moments: tuple[Moment, ...]
    uncertain: bool

    def wall_ms(self, boot_ms: int) -> int:
        """When something of this boot happened, milliseconds since 1970."""
        at = bisect_right(self.moments, Moment(boot_ms, 2**62))
        if at in (0, len(self.moments)):
            nearest = self.moments[min(at, len(self.moments) - 1)]
            return nearest.wall_ms + boot_ms - nearest.boot_ms
        before, after = self.moments[at - 1], self.moments[at]
        passed, span = boot_ms - before.boot_ms, after.boot_ms - before.boot_ms
        drift = (after.wall_ms - before.wall_ms) - span
        return before.wall_ms + passed + drift * passed // span

    def boot_range(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """Boot times certain to hold all of [from_ms, to_ms) of wall time; wider by an hour where the offset moves."""
        offsets = [moment.wall_ms - moment.boot_ms for moment in self.moments]
        margin = 3_600_000 if len(set(offsets)) > 1 else 0
        return from_ms - max(offsets) - margin, to_ms - min(offsets) + margin


def mapping_of(
    anchors: Iterable[tuple[int, int, int]], stamps: Iterable[tuple[int, int, int]], arrivals: Sequence[tuple[int, int]]
) -> Mapping | None:
    """Place a boot.

    Args:
        anchors: (boot_ms, wall_ms, quality): the two clocks read together, on purpose.
        stamps: the same as noted in passing; used where no anchor of that quality is.
        arrivals: (boot_ms at sealing, wall_ms of arrival) of its envelopes, for a boot without anchors.

    Returns:
        None when nothing is known of the boot.
    """
    sources = (list(anchors), list(stamps))
    for tier, known in product(_TIERS, sources):
        moments = {boot_ms: wall_ms for boot_ms, wall_ms, quality in sorted(known) if quality in tier}
        if moments:
            return Mapping(tuple(sorted(Moment(*moment) for moment in moments.items())), uncertain=tier is not _TIERS[0])
    if not arrivals:
        return None
    # Whatever arrived was sealed before: the smallest distance between arrival and sealing is the best bound.
    boot_ms, wall_ms = min(arrivals, key=lambda arrival: arrival[1] - arrival[0])
    return Mapping((Moment(boot_ms, wall_ms),), uncertain=True)

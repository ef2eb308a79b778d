"""Is an hour complete? Numbered streams answer: every device has delivered past the hour's end, or it has not.

`final` means that each device of the site has an unbroken numbering that passes the hour (what is missing is explained
by gaps, and the loss is counted); otherwise the hour is `provisional`. Coverage says how much of the hour the cameras saw:
an hour may be final and blind. Late data changes an hour's state when it comes, never by a clock.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec

from collector.clock_mapping import Mapping
from collector.database import Database
from collector.reading import HOUR_MS, Query, mappings, rows_of


class DeviceProgress(msgspec.Struct, frozen=True):
    """How far one device's data is complete: wall time, None where nothing is known; and what is missing."""

    device: bytes
    name: str
    complete_until_ms: int | None
    missing: int
    lost: int
    conflicts: int


class SiteHour(msgspec.Struct, frozen=True):
    """One hour of one site."""

    site: str
    start_ms: int
    state: str
    observed_ms: int
    blind_ms: int
    uncertain: bool

    @property
    def coverage_permille(self) -> int:
        """How much of the time that cameras were meant to see they saw."""
        known = self.observed_ms + self.blind_ms
        return self.observed_ms * 1000 // known if known else 0


def progress(database: Database) -> tuple[DeviceProgress, ...]:
    """Every enrolled device."""
    placed = mappings(database)
    boots = {(bytes(device), bytes(tag)): int(boot) for boot, device, tag in database.rows("SELECT boot, device, tag FROM boot")}
    out = []
    for device, name in database.rows("SELECT device, name FROM device ORDER BY name, device"):
        out.append(_progress(database, bytes(device), str(name), placed, boots))
    return tuple(out)


def site_hours(database: Database, query: Query) -> tuple[SiteHour, ...]:
    """Every hour of the query about which anything is known, per site."""
    until = {bytes(each.device): each.complete_until_ms for each in progress(database)}
    sites: dict[str, set[bytes]] = defaultdict(set)
    for site, device in database.rows("SELECT DISTINCT site, device FROM place"):
        sites[str(site)].add(bytes(device))
    hours: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows_of(database, query, ("camera",)):
        sums = hours[row.place.site, row.start_ms - row.start_ms % HOUR_MS]
        sums[0] += row.sums["observed_ms"]
        sums[1] += row.sums["blind_ms"]
        sums[2] |= row.uncertain
    out = []
    for (site, start_ms), (observed_ms, blind_ms, uncertain) in sorted(hours.items()):
        ends = [until.get(device) for device in sites[site]]
        final = all(end is not None and end >= start_ms + HOUR_MS for end in ends)
        out.append(SiteHour(site, start_ms, "final" if final else "provisional", observed_ms, blind_ms, bool(uncertain)))
    return tuple(out)


def _progress(
    database: Database, device: bytes, name: str, placed: dict[int, Mapping], boots: dict[tuple[bytes, bytes], int]
) -> DeviceProgress:
    ends: list[int | None] = []
    latest: list[int] = []
    missing = 0
    for stream, through, last in database.rows("SELECT stream, through, last FROM stream WHERE device = ?", (device,)):
        ended = last is not None and through >= last
        top, count = database.rows(
            "SELECT coalesce(max(seq), -1), count(*) FROM ledger WHERE device = ? AND stream = ? AND seq > ?", (device, stream, through)
        )[0]
        missing += max(0, int(top) - int(through) - int(count))
        reached = _time_of(database, (device, bytes(stream), int(through)), placed, boots)
        if reached is not None:
            latest.append(reached)
        if not ended:
            ends.append(reached)
    lost = database.rows("SELECT coalesce(sum(last - first + 1), 0) FROM gap WHERE device = ? AND last < ?", (device, 2**63 - 1))[0][0]
    conflicts = database.rows("SELECT count(*) FROM conflict WHERE device = ?", (device,))[0][0]
    until = None if not latest or None in ends else min([end for end in ends if end is not None] or [max(latest)])
    return DeviceProgress(device, name, until, missing, int(lost), int(conflicts))


def _time_of(
    database: Database, place: tuple[bytes, bytes, int], placed: dict[int, Mapping], boots: dict[tuple[bytes, bytes], int]
) -> int | None:
    rows = database.rows("SELECT boot, boot_ms FROM ledger WHERE device = ? AND stream = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", place)
    if not rows:
        return None
    mapping = placed.get(boots.get((place[0], bytes(rows[0][0])), -1))
    return None if mapping is None else mapping.wall_ms(int(rows[0][1]))

"""Sixty days without a network, at the defaults, then the network comes back: is every window there, and how soon?

One camera, two windows a flush of 30 s, a roll-up an hour, all that the device does on the way: folded, sealed, signed, put
into a real spool, flush by flush (on a file system in memory: the card's speed is measured elsewhere), then delivered by the real state
machine to the real ledger and books on SQLite. Time is simulated; 172,800 envelopes are not. A year of roll-ups and reports
of health shows the size of the other lane. `--quick` lives three days.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks.figure import Figure, figure, figure_parser, print_figures
from collector.database import Database, open_database
from collector.reading import Query, report
from collector.receive import commit, prepare
from firmware.config import UplinkConfig
from firmware.events import Audit, LineSums, Window, ZoneSums
from firmware.outbound import HEALTH_UNHEARD_S
from firmware.uplink.batch import Payload, kind_of, to_bytes
from firmware.uplink.delivery import Delivery
from firmware.uplink.envelope import Place, header_for, seal
from firmware.uplink.exchange import write_request
from firmware.uplink.filesystem import open_folder
from firmware.uplink.fold import About, fold, roll_up
from firmware.uplink.segment import Missing
from firmware.uplink.spool import Spool, SpoolLimits
from tests.collector.devices import EPOCH_MS, OPENING, OPENINGS, Device
from tests.uplink import letters

COMMAND = "python -m benchmarks.offline"
DAYS = 60
HOURS_A_YEAR = 8760
FLUSHES_AN_HOUR = 120
DAY_MS = 86_400_000
MEMORY = Path("/dev/shm")
ROUND_TRIP_S = 0.2


class OfflineDevice:
    """Counts, folds, seals and spools as the daemon does."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.identity, self.rng, self.boot_ms = Device("door"), random.Random(seed), 0
        limits = SpoolLimits.of_bytes(UplinkConfig().spool_bytes_max)
        limits = SpoolLimits(limits.batches, limits.keep, bytes_free_min=0)
        self.spool = Spool.open(open_folder(folder), limits, letters.DEVICE, os.urandom, self.gap)
        self.entries, self.windows = 0, 0

    def sealed(self, payload: Payload, place: Place) -> bytes:
        header = header_for(kind_of(payload), place, self.identity.stamp(self.boot_ms), OPENING.recipient(), self.identity.device)
        return seal(header, to_bytes(payload), OPENING.recipient(), self.identity.key)

    def gap(self, missing: Missing, place: Place) -> bytes:
        raise AssertionError(f"a gap, where nothing may be lost: {missing} at {place}")

    def live(self, hours: int) -> None:
        """So many hours without a network."""
        for _ in track(range(hours), "hours without a network", console=Console(stderr=True), transient=True):
            hour = []
            for _ in range(FLUSHES_AN_HOUR):
                windows = [self.window(), self.window()]
                hour += windows
                (batch,) = fold(self.about(), windows, ())
                self.spool.put("batches", lambda place, batch=batch: self.sealed(batch, place))  # type: ignore[misc]
                self.spool.flush()
            total = roll_up(self.about(), hour)
            self.spool.put("keep", lambda place, total=total: self.sealed(total, place))  # type: ignore[misc]
            self.spool.flush()

    def about(self) -> About:
        return About("shop", "door", "windows", b"modelsha", self.identity.stamp(self.boot_ms))

    def window(self) -> Window:
        entries, start_ms = self.rng.choice((0, 0, 0, 1, 2)), self.boot_ms
        self.boot_ms += 15_000
        self.entries, self.windows = self.entries + entries, self.windows + 1
        return Window(start_ms, 15_000, (LineSums("entrance", entries),), (ZoneSums("till", "queue", entries),), Audit(15_000, frames=150))

    def drain(self, database: Database) -> float:
        """Deliver all; simulated seconds."""
        self.identity.enrol(database)
        now_s, delivery, key = 0.0, Delivery(self.rng.random, 0.0), self.identity.key.public_key()
        while self.spool.health().spooled:
            now_s = max(now_s, delivery.due_s)
            request = delivery.compose(now_s, self.spool)
            if request is None:
                raise AssertionError("something waits that is never sent")
            body = write_request([entry.envelope for entry in request.entries])
            (answer,) = commit(database, [prepare(self.identity.device, body, key, OPENINGS)], EPOCH_MS + self.boot_ms)
            now_s += ROUND_TRIP_S
            for part in answer.acknowledged:
                self.spool.acknowledge(part.stream, part.through, part.sparse)
            delivery.answered(now_s, request, answer)
        return now_s


def figures(seed: int = 1, *, quick: bool = False) -> Iterator[Figure]:
    """The outage, the way back, the books; and a year of the other lane."""
    days = 3 if quick else DAYS
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        device = OfflineDevice(Path(place) / "spool", seed)
        device.live(days * 24)
        health = device.spool.health()
        yield figure("offline.days", days, "at least", days, unit="simulated days", command=COMMAND)
        yield figure("offline.envelopes_waiting", health.spooled, "equal", days * 24 * (FLUSHES_AN_HOUR + 1), command=COMMAND)
        yield figure("offline.spool_mib", health.spool_bytes / 2**20, "at most", 208, unit="MiB, both lanes", command=COMMAND)
        database = open_database(str(Path(place) / "books.db"))
        drained_s = device.drain(database)
        device.spool.close()
        yield figure("offline.drained_min", drained_s / 60, "at most", 60, unit="simulated minutes", command=COMMAND)
        stored = int(database.rows("SELECT coalesce(sum(parts), 0) FROM line_window")[0][0])
        yield figure("offline.windows_missing_or_double", abs(stored - device.windows), "equal", 0, command=COMMAND)
        said = report(database, Query(0, 2**53, DAY_MS))
        entries = sum(each.sums["entries"] for each in said if each.place.kind == "line")
        yield figure("offline.entries_missing_or_double", abs(entries - device.entries), "equal", 0, command=COMMAND)
        yield figure("offline.gaps", health.gaps, "equal", 0, command=COMMAND)
        database.close()
        yield _year_of_totals(Path(place) / "year")


def _year_of_totals(folder: Path) -> Figure:
    """How much of the lane for totals a year of silence takes."""
    limits = SpoolLimits(bytes_free_min=0)
    spool = Spool.open(open_folder(folder), limits, letters.DEVICE, os.urandom, lambda *_: b"gap")
    reports_every = round(HEALTH_UNHEARD_S / 3600)
    for hour in range(HOURS_A_YEAR):
        spool.put("keep", lambda place: letters.letter(letters.HOUR, place=place))
        spool.flush()
        if hour % reports_every == 0:
            spool.put("keep", lambda place: letters.letter(letters.HEALTH, place=place))
            spool.flush()
    taken = spool.health().spool_bytes - limits.batches.segment_bytes
    whole = not spool.health().full and spool.health().spooled == HOURS_A_YEAR + -(-HOURS_A_YEAR // reports_every)
    spool.close()
    share = taken / (limits.keep.segment_bytes * limits.keep.segments_max)
    unit = "of the lane that a year of roll-ups and health takes, all of them there"
    return figure("offline.year_of_totals", share if whole else float("inf"), "at most", 1, unit=unit, command=COMMAND)


def main() -> None:
    """Print them."""
    options = figure_parser(__doc__, "three days", "of what is counted (default 1)").parse_args()
    print_figures(figures(options.seed, quick=options.quick))


if __name__ == "__main__":
    main()

"""From windows and events to what the collector holds: the real collector process, real TLS, real files."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.config import UplinkConfig
from firmware.errors import StorageError
from firmware.events import Audit, LineCrossed, LineSums, Window, ZoneSums
from firmware.health import VisionHealth
from firmware.outbound import HEALTH_S, HEALTH_UNHEARD_S, Outbound, Sealer, Terms, spool_in
from firmware.uplink.keys import load_device_keys
from firmware.uplink.sender import Sender
from firmware.uplink.spool import SpoolLimits
from provisioning.device import new_device
from provisioning.site import init_site

NOW = datetime.now(UTC)
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places")
    init_site(folder / "site", "test", 1, ["127.0.0.1"], None, NOW)
    new_device(folder / "site", "door", folder / "device", None, NOW)
    return folder


@pytest.fixture(scope="module")
def collector(places: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "collector", "serve", "--site", str(places / "site"), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on"), line
        yield f"https://127.0.0.1:{line.rpartition(':')[2].strip()}"
        process.terminate()


def outbound_to(url: str, places: Path, spool: Path) -> Outbound:
    keys = load_device_keys(places / "device")
    sealer = Sealer(keys, CLOCK)
    sender = Sender(url, keys.folder, keys.device, keys.receipt, lambda: datetime.now(UTC)) if url else None
    terms = Terms("test", "events", UplinkConfig(flush_s=5.0))

    limits = SpoolLimits(bytes_free_min=0)
    return Outbound(
        terms,
        sealer,
        lambda: spool_in(spool, limits, keys.device, sealer.gap),
        sender,
        lambda: [VisionHealth("shop", 0, "running", model_sha256="ab" * 32)],
        CLOCK,
    )


def window(index: int, entries: int) -> Window:
    lines = (LineSums("entrance", entries, 1),)
    return Window(index * 15_000, 15_000, lines, (ZoneSums("till", "queue", occupancy_max=3),), Audit(15_000, frames=150))


async def until(condition: Callable[[], bool], timeout_s: float = 40.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # the state is another thread's
            await asyncio.sleep(0.05)


def totals(places: Path) -> tuple[int, int, int]:
    with sqlite3.connect(places / "site" / "collector.db") as database:
        return database.execute("SELECT coalesce(sum(entries), 0), coalesce(sum(exits), 0), count(*) FROM line_window").fetchone()


def test_what_is_taken_arrives_once(collector: str, places: Path, tmp_path: Path) -> None:
    """Windows and events reach the collector's books exactly, with the roll-up of the hour, and the spool is empty."""

    async def story() -> None:
        outbound = outbound_to(collector, places, tmp_path / "spool")
        outbound.start()
        before = totals(places)
        for index in range(40):
            crossing = LineCrossed("entrance", index * 15_000, "in", "settled", pseudonym=b"12345678")
            await outbound.take("shop", [crossing], [window(index, 2)])
        await outbound.close()
        assert outbound.health.spooled == 0, outbound.health
        after = totals(places)
        assert (after[0] - before[0], after[1] - before[1], after[2] - before[2]) == (80, 40, 40)

    asyncio.run(story())
    with sqlite3.connect(places / "site" / "collector.db") as database:
        assert database.execute("SELECT sum(entries), sum(parts) FROM line_hour").fetchone() == (80, 40)
        assert database.execute("SELECT count(*) FROM event").fetchone() == (40,)


def test_without_a_collector_everything_waits_and_leaves_later(collector: str, places: Path, tmp_path: Path) -> None:
    """What was counted while nobody answered is delivered by the next run, from the card."""

    async def story() -> None:
        before = totals(places)
        offline = outbound_to("https://127.0.0.1:9", places, tmp_path / "spool")
        offline.start()
        for index in range(1000, 1010):
            await offline.take("shop", [], [window(index, 1)])
        await offline.close()
        assert offline.health.spooled > 0
        assert offline.health.last_error.startswith("unreachable")
        online = outbound_to(collector, places, tmp_path / "spool")
        online.start()
        await until(lambda: online.health.acknowledged > 0 and online.health.spooled == 0)
        await online.close()
        after = totals(places)
        assert (after[0] - before[0], after[2] - before[2]) == (10, 10)

    asyncio.run(story())


def test_nothing_on_the_card_can_be_read_there(places: Path, tmp_path: Path) -> None:
    """Names, counts and pseudonyms of a known batch are nowhere in the spool's files, and no key of the device opens it."""

    async def story() -> None:
        outbound = outbound_to("", places, tmp_path / "spool")
        outbound.start()
        await outbound.take("shop", [LineCrossed("entrance", 5, "in", "settled", pseudonym=b"PSEUDONY")], [window(1, 7)])
        await outbound.close()

    asyncio.run(story())
    card = b"".join(path.read_bytes() for path in (tmp_path / "spool").iterdir())
    assert len(card) > 1000
    for secret in (b"entrance", b"till", b"PSEUDONY", b"shop"):
        assert secret not in card


def test_a_spool_that_another_process_has_is_said_at_start(places: Path, tmp_path: Path) -> None:
    """Starting a second time on the same folder fails in words, and does not hang."""

    async def story() -> None:
        first = outbound_to("", places, tmp_path / "spool")
        first.start()
        with pytest.raises(StorageError, match="another process"):
            outbound_to("", places, tmp_path / "spool").start()
        await first.close()

    asyncio.run(story())


def test_unheard_health_is_rare(places: Path, tmp_path: Path) -> None:
    """Offline a report every six hours, not every five minutes: totals keep their lane for a year; heard again, one at once."""
    outbound = outbound_to("", places, tmp_path / "spool")
    assert not outbound._heard_lately(1e6)
    outbound._last_ack_s = 1000.0
    assert outbound._heard_lately(1000.0 + HEALTH_S)
    assert not outbound._heard_lately(1000.0 + 2 * HEALTH_S)
    outbound._loop.close()
    reports_a_year = 365 * 86_400 / HEALTH_UNHEARD_S
    keep = SpoolLimits().keep
    assert (reports_a_year + 8760) * 1024 < keep.segment_bytes * keep.segments_max * 0.95

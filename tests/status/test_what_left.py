"""V5: what the page shows as sent is what the collector opens, envelope by envelope, over a real spool."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

from firmware.clock import SystemClock
from firmware.config import UplinkConfig
from firmware.events import Audit, LineCrossed, LineSums, Window
from firmware.health import VisionHealth
from firmware.outbound import Outbound, Sealer, Terms, spool_in
from firmware.status.record import Record, clear
from firmware.uplink.batch import from_bytes
from firmware.uplink.envelope import open_envelope
from firmware.uplink.filesystem import open_folder
from firmware.uplink.keys import load_device_keys
from firmware.uplink.spool import Spool, SpoolLimits
from provisioning.device import new_device
from provisioning.site import init_site, load_opening_key

NOW = datetime.now(UTC)


def test_what_the_page_shows_is_what_the_collector_opens(tmp_path: Path) -> None:
    """Every payload of a run, with stream and number: shown in clear here, opened with the site's key there, equal to the last field."""
    init_site(tmp_path / "site", "test", 1, ["127.0.0.1"], None, NOW)
    new_device(tmp_path / "site", "door", tmp_path / "device", None, NOW)
    keys, clock, limits, record = load_device_keys(tmp_path / "device"), SystemClock(), SpoolLimits(bytes_free_min=0), Record()
    sealer = Sealer(keys, clock)
    vision = [VisionHealth("shop", 0, "running", model_sha256="ab" * 32)]
    terms = Terms("test", "events", UplinkConfig(flush_s=5.0))
    outbound = Outbound(terms, sealer, lambda: spool_in(tmp_path / "spool", limits, keys.device, sealer.gap), None, lambda: vision, clock)
    outbound.witness = record

    async def story() -> None:
        outbound.start()
        for n in range(20):
            events = [LineCrossed("entrance", n * 15_000, "in", "settled", pseudonym=os.urandom(8))]
            windows = [Window(n * 15_000, 15_000, (LineSums("entrance", n, 1),), (), Audit(15_000))]
            await outbound.take("shop", events, windows)
        await outbound.close()

    asyncio.run(story())
    shown = {(each.stream, each.seq): each for each in record.newest(0.0, 1000).payloads}
    opening, public = load_opening_key(tmp_path / "site", None), keys.identity.public_key()
    spool = Spool.open(open_folder(tmp_path / "spool"), limits, keys.device, os.urandom, sealer.gap)
    opened = 0
    for entry in spool.newest(1 << 24, ()):
        header, payload = open_envelope(entry.envelope, public, opening)
        one = shown[header.stream.hex(), header.seq]
        assert one.content == clear(from_bytes(header.kind, payload))
        assert one.bytes == len(entry.envelope)
        opened += 1
    spool.close()
    assert opened == len(shown) >= 2
    assert any(one.kind == "batch" and len(one.content["events"]) == 20 for one in shown.values())

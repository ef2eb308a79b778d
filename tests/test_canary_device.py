"""V3 on the whole device: camera with a known pattern, daemon, uplink, collector, and every packet between them.

The only place where the pattern may be found is the empty room, which is asked for with presence: that is the control.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.commissioning.presence import NOBODY, pressed
from firmware.config import parse
from firmware.daemon import Daemon, Source
from firmware.demonstration import LocalCollector, prepare, uplink_toml
from firmware.errors import ConfigError
from firmware.outbound import Outbound, Sealer, Terms, spool_in
from firmware.sd_notify import Notifier
from firmware.uplink.keys import load_device_keys
from firmware.uplink.sender import Sender
from firmware.uplink.spool import SpoolLimits
from firmware.vision.canary import needles, traces
from firmware.wall import EmptyRoom
from tests.test_daemon import until

SEED = 99
WANTED = needles(SEED)
CONFIG = f"""
site = "simulated"
window_s = 5
[[camera]]
name = "shop"
source = "sim:?canary={SEED}&people=0&minutes=5&size=640x480"
[[camera.line]]
name = "entrance"
start = [0.1, 0.6]
end = [0.9, 0.6]
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: every packet is captured"),
]


class Wire:
    """Every packet on the loopback, searched as it passes."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
        self._socket.bind(("lo", 0))
        self._socket.settimeout(0.2)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self.packets, self.hits = 0, []
        self._thread.start()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                packet = self._socket.recv(1 << 17)
            except TimeoutError:
                continue
            self.packets += 1
            self.hits += traces(packet, WANTED)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


async def lived(folder: Path) -> tuple[EmptyRoom, Outbound]:
    """A device for as long as an empty room takes, delivering to a real collector."""
    places = prepare(folder / "run")
    collector = LocalCollector(places)
    text = CONFIG + uplink_toml(places, await collector.start())
    source, clock, keys = Source(parse(text, "c.toml"), text, "c.toml"), SystemClock(), load_device_keys(places.device)
    sealer, limits = Sealer(keys, clock), SpoolLimits.of_bytes(source.config.uplink.spool_bytes_max)
    sender = Sender(source.config.uplink.url, keys.folder, keys.device, keys.receipt, lambda: datetime.now(UTC))
    terms = Terms("simulated", "events", source.config.uplink)
    outbound = Outbound(terms, sealer, lambda: spool_in(places.spool, limits, keys.device, sealer.gap), sender, list, clock)
    outbound.start()
    daemon = Daemon(source, clock, [outbound], Notifier(""))
    running = asyncio.create_task(daemon.run())
    try:
        async with asyncio.timeout(250):
            await until(lambda: daemon.cameras()[0].health.frames > 5, 100)
            with pytest.raises(ConfigError, match="beside the device"):
                await daemon.want_room("shop", NOBODY)
            await daemon.want_room("shop", pressed(NOBODY, clock.monotonic_s()))
            await until(lambda: daemon.room("shop") is not None, 140)
            room = daemon.room("shop")
    finally:
        daemon.stop()
        await asyncio.wait_for(running, 40)
        await collector.stop()
    assert (daemon.cameras()[0].rooms, daemon.cameras()[0].falls) == (1, 0)
    assert room is not None
    return room, outbound


def test_pixels_are_nowhere_but_in_the_empty_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No hit in keys, spool, database, caches, prints or packets of a device that counted, delivered and showed its empty room."""
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    wire = Wire()
    try:
        room, outbound = asyncio.run(lived(tmp_path))
    finally:
        wire.close()
    assert traces(room.grey, WANTED), "the control: the pattern is on the wall of the room, and the room was shown"
    assert outbound.health.acknowledged > 3
    assert wire.packets > 20
    assert wire.hits == []
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".seg" for path in files)
    assert [str(path) for path in files if traces(path.read_bytes(), WANTED)] == []
    printed = capfd.readouterr()
    assert traces((printed.out + printed.err).encode(), WANTED) == []
    assert "an empty room was made" in printed.err

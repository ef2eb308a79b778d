"""Commissioning through the page, in a real browser: a zone that is drawn counts, a walk test that is walked passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware import commission
from firmware.analytics.pipeline import Pipeline
from firmware.analytics.pseudonym import Pseudonyms
from firmware.clock import SystemClock
from firmware.commission import RoomViewing, WalkDesk, news_of
from firmware.commissioning.acceptance import verify
from firmware.commissioning.config_store import ConfigStore
from firmware.commissioning.presence import NOBODY
from firmware.config import parse
from firmware.daemon import CameraState, Daemon, Sink, Source
from firmware.events import Event, Window
from firmware.geometry_draft import Drafts
from firmware.health import LiveNumbers, VisionHealth
from firmware.page import Board, serve
from firmware.sd_notify import Notifier
from firmware.status.certificate import page_keys
from firmware.uplink.envelope import device_id
from firmware.vision.simulated_shop import SimulatedShop
from firmware.vision.simulated_source import SimulatedBoxes
from firmware.vision.simulated_source import parse as wish_of
from tests.fakes import FakeClock
from tests.status.chromium import COMMAND, Tab, chromium
from tests.status.stage import FakeDevice, free_port, stage
from tests.status.test_browser import go, quiet, signed_in

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not COMMAND, reason="no Chromium: apt-get install chromium"),
    pytest.mark.timeout(240),
]

SHOP = """
site = "test"
window_s = 5
# what somebody wrote by hand stays
[[camera]]
name = "shop"
source = "sim-boxes:?seed=2&people=60&minutes=2"
[[camera.line]]
name = "entrance"
start = [0.1407, 0.3987]
end = [0.4308, 0.3987]
[status]
port = {port}
interfaces = ["127.0.0.1"]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab() -> AsyncIterator[Tab]:
    async with chromium() as one:
        yield one


class Windows:
    """A sink that keeps them."""

    def __init__(self) -> None:
        self.taken: list[Window] = []

    async def take(self, camera: str, events: Sequence[Event], windows: Sequence[Window]) -> None:
        self.taken += windows

    async def close(self) -> None:
        pass


async def test_a_zone_that_is_drawn_counts(tab: Tab, tmp_path: Path) -> None:
    """Real daemon, real vision process, real page: drawn with the pointer, saved to the card, counted in the windows."""
    path, port, clock = tmp_path / "passerby.toml", free_port(), SystemClock()
    path.write_text(SHOP.format(port=port))
    text = path.read_text()
    windows = Windows()
    sinks: list[Sink] = [windows]
    daemon = Daemon(Source(parse(text, str(path)), text, str(path)), clock, sinks, Notifier(""))
    board, keys = Board(daemon, None, clock), page_keys(None)
    sinks.append(board)
    board.press()
    served = await serve(board, Drafts(daemon, ConfigStore(path)), keys, daemon, clock)
    running = asyncio.create_task(daemon.run())
    try:
        await tab.look(1280, 1400)
        await signed_in(tab, SimpleNamespace(url=f"https://127.0.0.1:{port}", keys=keys))  # type: ignore[arg-type]
        await go(tab, "setup")
        await tab.until("!!document.querySelector('.grip')")
        await tab.run("document.getElementById('draw-area').click()")
        await asyncio.sleep(0.8)
        x, y, width, height = await tab.run(
            "(() => { const b = document.getElementById('draft').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()"
        )
        await tab.drag((x + width * 0.1, y + height * 0.45), (x + width * 0.9, y + height * 0.97))
        await tab.send("Input.insertText", text="shelves")
        await tab.until("document.getElementById('save-geometry').disabled === false")
        await tab.run("document.getElementById('save-geometry').click()")
        await tab.until("document.getElementById('toast').textContent.startsWith('Saved')")
        assert "# what somebody wrote by hand stays" in path.read_text()
        assert [zone.name for zone in parse(path.read_text(), "x").camera[0].zone] == ["shelves"]
        await go(tab, "now")
        visits = "[...document.querySelectorAll('.count.area')].map(c => Number(c.querySelector('.small dd').textContent))[0]"
        await tab.until(f"{visits} >= 2", 90)
        assert quiet(tab) == []
        for _ in range(100):
            if any(zone.name == "shelves" and zone.entries for window in windows.taken for zone in window.zones):
                break
            await asyncio.sleep(0.2)
        counted = [zone.entries for window in windows.taken for zone in window.zones if zone.name == "shelves"]
        assert sum(counted) >= 1
        starts = [window.start_ms for window in windows.taken]
        assert starts == list(range(starts[0], starts[0] + 5000 * len(starts), 5000))  # none lost by the change
    finally:
        await tab.open("about:blank")
        daemon.stop()
        await asyncio.wait_for(running, 30)
        await served.close()


class FastShop:
    """The simulated shop's installer through the real pipeline, many times as fast: what a walk desk asks of a daemon."""

    def __init__(self, passes: int) -> None:
        text = SimulatedShop().config_toml()
        self.source = Source(parse(text, "shop.toml"), text, "shop.toml")
        self.clock = FakeClock(0.0)
        self.desks: tuple[object, ...] = ()
        self._pipeline = Pipeline(self.source.config.camera[0], Pseudonyms(bytes, (300, 900)), "windows")
        self._boxes = SimulatedBoxes(wish_of(f"sim-boxes:?walks={passes}"))
        self._live, self._people = LiveNumbers(), 0
        self._look()

    def cameras(self) -> tuple[CameraState, ...]:
        return (CameraState("shop", VisionHealth("shop", 0, "running", tracks=self._people, network_denied=True), self._live),)

    def _look(self) -> bool:
        seen = self._boxes.read()
        if seen is not None:
            self._live, self._people, self.clock.now_s = self._pipeline.step(seen).live, len(seen.scores), seen.t_s
        return seen is not None

    async def run(self) -> None:
        while self._look():
            if int(self.clock.now_s * 10) % 10 == 0:
                await asyncio.sleep(0.04)
        while True:
            self._people = 0
            self.clock.now_s += 1.0
            await asyncio.sleep(0.02)


async def test_a_walk_test_that_is_walked_passes_and_is_signed(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start on the page, walk in the simulated shop, read the verdict, and the record is the device's own."""
    monkeypatch.setattr(commission, "LOOK_S", 0.02)
    shop, identity = FastShop(2), Ed25519PrivateKey.generate()
    desk = WalkDesk(shop, identity, shop.clock)  # type: ignore[arg-type]
    room = RoomViewing(shop, lambda: NOBODY)  # type: ignore[arg-type]
    device = FakeDevice(names=("shop", "entrance", "till"), present_s=60.0)
    async with stage(device, desk.routes(), news_of(desk, room)) as up:
        await tab.look(390, 1400)
        await signed_in(tab, up)
        await go(tab, "setup")
        await tab.until("!!document.getElementById('walk-start')")
        await tab.run("document.getElementById('walk-passes').value = 2; document.getElementById('walk-installer').value = 'A. Tester'")
        await tab.run("document.getElementById('walk-start').click()")
        await tab.until("!!document.getElementById('walk-progress')")
        walking = asyncio.create_task(shop.run())
        await tab.until("document.getElementById('walk-progress')?.textContent.startsWith('2 in, 2 out')", 60)
        await tab.until("!!document.getElementById('walk-verdict')", 90)
        assert "Passed" in await tab.run("document.getElementById('walk-verdict').textContent"), desk.status()
        text = await tab.run("fetch(document.querySelector('a.button').href).then(r => r.text())")
        record = verify(text.encode(), device_id(identity.public_key()))
        assert (record.passed, record.about.installer, [line.line for line in record.lines]) == (True, "A. Tester", ["entrance"])
        assert quiet(tab) == []
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
        await desk.close()

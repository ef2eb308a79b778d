"""The screenshots in docs/, made anew: python -m tests.status.screens

A real device over the simulated shop, seen by a real Chromium. The days before are drawn at random, for nobody waits a week
for a picture; the counts of the last minutes, the floor and the messages are the simulated shop's.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from firmware.clock import SystemClock
from firmware.commissioning.config_store import ConfigStore
from firmware.config import parse
from firmware.daemon import Daemon, Sink, Source
from firmware.events import Audit, LineSums, Window, ZoneSums
from firmware.geometry_draft import Drafts
from firmware.page import Board, serve
from firmware.sd_notify import Notifier
from firmware.status.certificate import page_keys
from firmware.vision.simulated_shop import SimulatedShop
from tests.status.chromium import Tab, chromium
from tests.status.stage import free_port
from tests.status.test_browser import go, signed_in

DOCS: Final = Path(__file__).parent.parent.parent / "docs"
SHOTS: Final = (  # view, width, height, dark, name
    ("now", 1280, 860, False, "status-desktop"),
    ("setup", 1280, 1180, False, "status-editor"),
    ("floor", 1280, 960, True, "status-floor"),
    ("now", 390, 844, False, "status-phone"),
    ("floor", 390, 844, True, "status-phone-floor"),
    ("device", 390, 844, True, "status-phone-device"),
)
WARM_S: Final = float(os.environ.get("WARM_S", "75"))


def week(now_s: float) -> list[Window]:
    """Six days and a bit, five minutes a window, shaped like a shop's: closed at night, busy at noon and on Saturday."""
    draw, windows = random.Random(4), []
    for slot in range(int(now_s // 300) - 2010, int(now_s // 300)):
        at = time.localtime(time.time() - now_s + slot * 300)
        hour = at.tm_hour + at.tm_min / 60
        rate = 0.0 if not 9 <= hour < 20 else (3 + 5 * math.exp(-((hour - 12.5) ** 2) / 3) + 7 * math.exp(-((hour - 17.5) ** 2) / 4))
        rate *= {5: 1.5, 6: 0.0}.get(at.tm_wday, 1.0)
        entries = sum(draw.random() < rate / 20 for _ in range(20))
        exits = sum(draw.random() < rate / 20 for _ in range(20))
        zones = (
            ZoneSums("display", "area", entries=entries // 2),
            ZoneSums("till", "queue", entries=exits // 2, served=exits // 2, wait_ms=exits * 40_000),
        )
        windows.append(Window(slot * 300_000, 300_000, (LineSums("entrance", entries, exits),), zones, Audit(300_000, 0)))
    return windows


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock, port, path = SystemClock(), free_port(), Path(folder) / "shop.toml"
        text = SimulatedShop().config_toml("sim:?people=90&minutes=10") + f'[status]\nport = {port}\ninterfaces = ["127.0.0.1"]\n'
        text = text.replace('site = "simulated"', 'site = "Simulated shop"')
        path.write_text(text)
        sinks: list[Sink] = []
        daemon = Daemon(Source(parse(text, str(path)), text, str(path)), clock, sinks, Notifier(""))
        board, keys = Board(daemon, None, clock), page_keys(None)
        board._curves.take("shop", week(clock.monotonic_s()))
        sinks.append(board)
        board.begin_presence(demonstration=True)
        served = await serve(board, Drafts(daemon, ConfigStore(path)), keys, daemon, clock)
        running = asyncio.create_task(daemon.run())
        await asyncio.sleep(WARM_S)
        async with chromium() as tab:
            await shots(tab, f"https://127.0.0.1:{port}", keys)
        daemon.stop()
        await running
        await served.close()


async def shots(tab: Tab, url: str, keys: object) -> None:
    await signed_in(tab, SimpleNamespace(url=url, keys=keys))  # type: ignore[arg-type]
    for view, width, height, dark, name in SHOTS:
        await go(tab, view)
        if view == "setup":
            await tab.run("document.getElementById('room-button').click()")
            await tab.until(
                "document.querySelector('#draft image') !== null || document.getElementById('room-line').textContent.includes('flat')", 150
            )
            await tab.run("document.querySelector('.grip[data-kind=zone]').focus()")
            await tab.run("document.getElementById('toast').hidden = true")
        await tab.look(width, height, dark=dark, scale=1.5 if width < 600 else 1.0, mobile=width < 600)
        await asyncio.sleep(1.5)
        await tab.picture(DOCS / f"{name}.webp")
        print(f"docs/{name}.webp", (DOCS / f"{name}.webp").stat().st_size)


if __name__ == "__main__":
    asyncio.run(main())

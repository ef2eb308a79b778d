"""The running device on a terminal: a table that follows the counts, or one line (or JSON line) per window elsewhere.

A sink of the daemon and nothing more: it shows the windows and the live numbers that any status page may show, no event
of a single person. Left to others: where numbers come from, and what was delivered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from firmware.daemon import CameraState
from firmware.events import Event, Window


def window_line(camera: str, window: Window) -> str:
    """One window in one line, for a log."""
    lines = [f"{line.name} in {line.entries} out {line.exits}" for line in window.lines]
    zones = [f"{zone.name} {zone.entries} came, most {zone.occupancy_max}" for zone in window.zones]
    blind = f", blind {window.audit.blind_ms / 1000:.1f} s" if window.audit.blind_ms else ""
    return f"{camera} {window.start_ms // 1000:>8} s: {'; '.join([*lines, *zones]) or 'nothing configured'}{blind}"


class PlainOutput:
    """A line per window: text, or JSON for machines."""

    def __init__(self, write: Callable[[str], None], *, as_json: bool) -> None:
        """`write` takes one line without its end."""
        self._write, self._as_json = write, as_json

    async def take(self, camera: str, events: Sequence[Event], windows: Sequence[Window]) -> None:
        """Print the windows; events stay where they are."""
        del events
        for window in windows:
            if self._as_json:
                self._write(json.dumps({"camera": camera, "window": msgspec.to_builtins(window)}))
            else:
                self._write(window_line(camera, window))

    async def close(self) -> None:
        """Nothing to make durable."""


class LiveOutput:
    """A table on a real terminal, redrawn once a second."""

    def __init__(self, cameras: Callable[[], Sequence[CameraState]], footer: Callable[[], Sequence[str]], console: Console) -> None:
        """`cameras` is a frozen picture of now; `footer` gives lines under the table."""
        self._cameras, self._footer = cameras, footer
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=1)
        self._live.start()

    async def take(self, camera: str, events: Sequence[Event], windows: Sequence[Window]) -> None:
        """The table shows the present; windows show as totals soon enough."""

    async def close(self) -> None:
        """Leave the last table standing."""
        self._live.stop()

    def _render(self) -> RenderableType:
        return Group(*(_camera_table(state) for state in self._cameras()), *(Text(line, style="dim") for line in self._footer()))


def _camera_table(state: CameraState) -> Table:
    health = state.health
    seeing = "sees" if health.state == "running" else f"{health.state}: {health.reason}"
    title = f"{state.name}: {seeing}, {health.fps_permille / 1000:.1f} frames/s, {health.model} on {health.runtime}"
    table = Table(title=title, title_justify="left", expand=False)
    for column in ("where", "in", "out", "now", "wait"):
        table.add_column(column, justify="left" if column == "where" else "right")
    for line in state.live.lines:
        settling = line.provisional_entries - line.entries + line.provisional_exits - line.exits
        table.add_row(f"line {line.name}", str(line.entries), str(line.exits), f"{settling:+d} settling" if settling else "", "")
    for zone in state.live.zones:
        wait = "" if zone.wait_estimate_ms is None else f"{zone.wait_estimate_ms / 1000:.0f} s"
        table.add_row(f"{zone.kind} {zone.name}", "", "", str(zone.count), wait)
    table.add_row("inside by the doors", "", "", str(state.live.inside), "")
    return table

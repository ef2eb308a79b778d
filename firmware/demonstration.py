"""The embedded default: a simulated shop, keys made on the spot in a private folder, a local collector.

Everything is real but the shop and the passphrase: the same provisioning, the same collector process, the same TLS. The
folder is private (0700), holds a site and a device for demonstrations only, and may be deleted at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware.errors import StorageError, UplinkError

START_S_MAX: Final = 60.0
STOP_S_MAX: Final = 15.0
FLUSH_S: Final = 5.0  # a demonstration should not wait half a minute for its first batch
LISTENING: Final = "listening on "
ENROLLING: Final = "enrolling on "


@dataclass(frozen=True, slots=True)
class Places:
    """Where the demonstration keeps its things."""

    folder: Path

    @property
    def site(self) -> Path:
        """The site's keys and the collector's database."""
        return self.folder / "site"

    @property
    def device(self) -> Path:
        """The device's keys."""
        return self.folder / "device"

    @property
    def spool(self) -> Path:
        """The device's spool."""
        return self.folder / "spool"


def prepare(folder: Path) -> Places:
    """Make the site's and the device's keys, once.

    Raises:
        StorageError: the folder cannot be used.
    """
    places = Places(folder)
    if not (places.device / "device.toml").exists():
        _provision("site", "init", "--site", str(places.site), "--name", "simulated", "--host", "127.0.0.1", "--host", "localhost")
        _provision("device", "new", "--site", str(places.site), "--name", "simulated shop", "--out", str(places.device))
    return places


def uplink_toml(places: Places, ports: tuple[int, int]) -> str:
    """The [uplink] section that belongs to it; `ports` are the collector's for devices and for renewing certificates."""
    port, enrol_port = ports
    enrol = f'enrol_url = "https://127.0.0.1:{enrol_port}"\n'
    return f'\n[uplink]\n{enrol}url = "https://127.0.0.1:{port}"\nkeys = "{places.device}"\nspool = "{places.spool}"\nflush_s = {FLUSH_S}\n'


def status_toml(port: int) -> str:
    """The [status] section that belongs to it."""
    return f"\n[status]\nport = {port}\n"


def free_port(wanted: int) -> int:
    """A TCP port for the page: the wanted one, or another when something is there already."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
            return int(probe.getsockname()[1])
    return wanted


class LocalCollector:
    """`passerby-collector serve` as a child process."""

    def __init__(self, places: Places) -> None:
        """Nothing starts before `start`."""
        self._places = places
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> tuple[int, int]:
        """Start it; the ports on which it takes deliveries, and renews certificates.

        Raises:
            UplinkError: it does not come up.
        """
        command = [sys.executable, "-m", "collector", "serve", "--site", str(self._places.site), "--host", "127.0.0.1", "--port", "0"]
        self._process = await asyncio.create_subprocess_exec(
            *command, "--no-passphrase", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is ours to pass on, after the last batch
        )  # fmt: skip
        ports = [await self._port_in_line(start) for start in (LISTENING, ENROLLING)]
        return ports[0], ports[1]

    async def _port_in_line(self, start: str) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            line = (await asyncio.wait_for(self._process.stdout.readline(), START_S_MAX)).decode()
        except TimeoutError:
            line = ""
        if not line.startswith(start):
            raise UplinkError(f"the local collector did not start: {await self._last_words()}", f"look into {self._places.folder}")
        return int(line.rpartition(":")[2])

    async def windows(self) -> str:
        """What the collector holds, as its own reading tool prints it."""
        command = [sys.executable, "-m", "collector", "windows", "--site", str(self._places.site), "--total"]
        reading = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        said, _ = await reading.communicate()
        return said.decode("utf-8", "replace").rstrip()

    async def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S_MAX)
        except TimeoutError:
            self._process.kill()

    async def _last_words(self) -> str:
        assert self._process is not None
        assert self._process.stderr is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        words = (await self._process.stderr.read()).decode("utf-8", "replace").strip().splitlines()
        return words[-1] if words else "it said nothing"


def _provision(*arguments: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "provisioning", *arguments, "--no-passphrase"], capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise StorageError(finished.stderr.strip() or "provisioning failed", "delete the demonstration's folder and start again")

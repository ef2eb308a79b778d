"""What can be wrong with a machine, found out by using it: each check does the thing and says how it went.

Importing proves nothing (tflite-runtime imports beside numpy 2 and breaks on the first interpreter), so runtimes build and
invoke the packaged model, and numpy goes through every binary module and back. Rules: a check never raises and takes
seconds at most; what may crash runs in a child; files of the system are read below `Machine.root`, so that tests can
bring their own machine. The answers are values; printing them is left to `firmware.commands.doctor`.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from firmware.errors import ModelError
from firmware.vision.runtime import Runtime, Trial

Level = Literal["ok", "warn", "fail"]

_HOT_C, _TOO_HOT_C = 75.0, 85.0  # a Raspberry Pi slows its CPU down from 80 on and hard at 85
_SLOW_MS: Final = 200.0  # five invokes a second: below, people walk past between two looks
_DISK_BYTES_LOW, _DISK_BYTES_MIN = 512 << 20, 80 << 20  # the default spool is 64 MB
_MEMORY_BYTES_LOW: Final = 200 << 20  # vision and daemon together take about 180 MB
_YEAR_MIN: Final = 2026  # this software is not older
_CHILD_S_MAX: Final = 30.0  # a first import of libcamera from a cold card


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at, a word or two.
        level: ok, warn (works, but worse), fail (will not work).
        what: what was found, with numbers.
        hint: what to do; empty when nothing is.
    """

    name: str
    level: Level
    what: str
    hint: str = ""


def run_child(command: list[str]) -> tuple[int, str]:
    """(exit code, both outputs) of a short command; 127 when it does not exist, 124 when it hangs."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_CHILD_S_MAX, check=False)
    except OSError as error:
        return 127, str(error)
    except subprocess.TimeoutExpired:
        return 124, "it hangs"
    return ended.returncode, (ended.stdout + ended.stderr).strip()


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine that is looked at; tests bring their own.

    Attributes:
        root: below which /sys, /proc, /dev and /run are read.
        run: runs a command, see `run_child`.
        wall_ms: wall clock, milliseconds since 1970.
        folder: where the spool would lie.
    """

    wall_ms: int
    root: Path = Path("/")
    run: Callable[[list[str]], tuple[int, str]] = field(default=run_child)
    folder: Path = field(default_factory=Path.cwd)

    def text(self, path: str) -> str:
        """What a file of the system says, without its end; empty when it is not there."""
        try:
            return (self.root / path).read_text(encoding="ascii", errors="replace").strip(" \n\0")
        except OSError:
            return ""

    def paths(self, pattern: str) -> list[Path]:
        """Existing paths of a pattern, sorted."""
        return sorted(self.root.glob(pattern))

    @property
    def board(self) -> str:
        """The Raspberry Pi's model name; empty on anything else."""
        name = self.text("proc/device-tree/model")
        return name if "Raspberry Pi" in name else ""


def examine(machine: Machine, runtimes: tuple[Runtime, ...]) -> Iterator[Check]:
    """Every check, one by one as it is done."""
    yield board(machine)
    yield from runtime_checks(runtimes)
    yield from numpy_checks()
    yield from camera(machine)
    yield clock(machine)
    yield temperature(machine)
    yield power(machine)
    yield from coral(machine)
    yield wall(machine)
    yield disk(machine)
    yield memory(machine)


def board(machine: Machine) -> Check:
    """Board, kernel and Python."""
    what = f"{machine.board or platform.machine()}, Linux {platform.release()}, Python {platform.python_version()}"
    if sys.maxsize <= 2**32:
        return Check("machine", "fail", f"{what}, 32 bit", "install the 64-bit Raspberry Pi OS: there is no runtime for 32 bit")
    if platform.machine() not in {"aarch64", "x86_64"}:
        return Check("machine", "warn", what, "tested on aarch64 and x86_64 only")
    return Check("machine", "ok", what)


def runtime_checks(runtimes: tuple[Runtime, ...]) -> Iterator[Check]:
    """Each runtime builds the packaged model and invokes it."""
    from firmware.vision.manifest import find_model
    from firmware.vision.runtime import choose

    try:
        file = find_model("person-320")
        yield Check("model", "ok", f"person-320, sha256 {file.sha256[:12]}..., {len(file.content) / 1e6:.1f} MB")
        chosen = choose(file.name, file.content, runtimes)
    except ModelError as error:
        yield Check("runtime", "fail", error.what, error.hint)
        return
    chosen.interpreter.close()
    for name in dict.fromkeys(trial.runtime for trial in chosen.trials):
        yield runtime_check([trial for trial in chosen.trials if trial.runtime == name], used=name == chosen.runtime)


def runtime_check(trials: list[Trial], *, used: bool) -> Check:
    """One runtime by its trials."""
    name, best = trials[0].runtime, min((t for t in trials if t.invoke_ms is not None), key=lambda t: t.invoke_ms or 0.0, default=None)
    if best is None or best.invoke_ms is None:
        missing = "not installed" in trials[0].reason
        return Check(name, "ok" if missing else "warn", trials[0].reason, "" if missing else trials[0].hint)
    what = f"person-320 in {best.invoke_ms:.1f} ms on {best.threads} thread{'s' * (best.threads > 1)}{', used' if used else ''}"
    if used and best.invoke_ms > _SLOW_MS:
        return Check(name, "warn", what, "too slow to follow walkers: a smaller model, a Coral, or a faster board")
    return Check(name, "ok", what)


def numpy_checks() -> Iterator[Check]:
    """An array goes through every binary module that holds one, and comes back the same."""
    sent = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    for name, use in (("numba", _through_numba), ("av", _through_av), ("pillow", _through_pillow), ("msgpack", _through_msgpack)):
        hint = f"{name} was built for another numpy than {np.__version__}: reinstall it in this environment"
        try:
            same = use(sent)
        except Exception as error:  # noqa: BLE001 a broken binary module raises anything
            yield Check(f"numpy in {name}", "fail", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", hint)
        else:
            yield Check(
                f"numpy in {name}",
                "ok" if same else "fail",
                f"numpy {np.__version__}" if same else "came back changed",
                "" if same else hint,
            )


def _through_numba(sent: Any) -> bool:
    from numba import njit

    @njit
    def total(levels: Any) -> int:
        found = 0
        for level in levels.reshape(-1):
            found += level
        return found

    return int(total(sent)) == int(sent.sum(dtype=np.int64))


def _through_av(sent: Any) -> bool:
    import av

    return bool(np.array_equal(av.VideoFrame.from_ndarray(sent, format="rgb24").to_ndarray(format="rgb24"), sent))


def _through_pillow(sent: Any) -> bool:
    from PIL import Image

    return bool(np.array_equal(np.asarray(Image.fromarray(sent)), sent))


def _through_msgpack(sent: Any) -> bool:
    import msgpack

    return bool(np.array_equal(np.frombuffer(msgpack.unpackb(msgpack.packb(sent.tobytes())), np.uint8).reshape(sent.shape), sent))


def camera(machine: Machine) -> Iterator[Check]:
    """picamera2 with its libcamera, and whatever Video4Linux knows."""
    code, said = machine.run([sys.executable, "-c", "import libcamera, picamera2"])
    last = said.splitlines()[-1] if said else f"exit code {code}"
    if code == 0:
        yield Check("picamera2", "ok", "imports, with its libcamera")
    elif not machine.board:
        yield Check("picamera2", "ok", "not here, and this is no Raspberry Pi")
    else:
        hint = "sudo apt install -y python3-picamera2 --no-install-recommends; a venv by /usr/bin/python3 -m venv --system-site-packages"
        yield Check("picamera2", "warn" if "No module" in last else "fail", last, hint)
    found = [path for path in machine.paths("dev/video*") if path.name[5:].isdigit()]
    closed = [path.name for path in found if not os.access(path, os.R_OK | os.W_OK)]
    names = dict.fromkeys(machine.text(f"sys/class/video4linux/{path.name}/name") or path.name for path in found)
    if closed:
        yield Check("video devices", "fail", f"no right to open {', '.join(closed)}", "sudo usermod -aG video $USER, then log in again")
    elif found:
        yield Check("video devices", "ok", ", ".join(names))
    else:
        yield Check(
            "video devices", "ok" if code == 0 else "warn", "none", "connect a camera; recordings and the simulated shop work without"
        )


def clock(machine: Machine) -> Check:
    """Wall time: whether it is set, by whom, and whether it survives without power."""
    year = 1970 + machine.wall_ms // 31_556_952_000
    rtc = bool(machine.paths("sys/class/rtc/rtc*"))
    code, said = machine.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    synchronised = said == "yes" if code == 0 else (machine.root / "run/systemd/timesync/synchronized").exists()
    what = f"{'synchronised' if synchronised else 'not synchronised'}, {'with' if rtc else 'no'} clock of its own"
    if year < _YEAR_MIN:
        return Check(
            "clock",
            "warn",
            f"the year is {year}, {what}",
            "counting goes on, windows get their time when the clock is set: connect it once, or fit a battery",
        )
    if not synchronised and not rtc:
        return Check(
            "clock", "warn", what, "after a power cut the time is a guess until the network is back: enable NTP, or fit a real-time clock"
        )
    return Check("clock", "ok", what)


def temperature(machine: Machine) -> Check:
    """The hottest zone."""
    zones = [
        int(text) / 1000
        for path in machine.paths("sys/class/thermal/thermal_zone*/temp")
        if (text := machine.text(_below(machine, path))).lstrip("-").isdigit()
    ]
    if not zones:
        return Check("temperature", "ok", "not told by this machine")
    hottest = max(zones)
    if hottest >= _HOT_C:
        level: Level = "fail" if hottest >= _TOO_HOT_C else "warn"
        return Check("temperature", level, f"{hottest:.0f} C", "the CPU slows down from 80 C: give it a cooler, or air around its case")
    return Check("temperature", "ok", f"{hottest:.0f} C")


def _below(machine: Machine, path: Path) -> str:
    return str(path.relative_to(machine.root))


def power(machine: Machine) -> Check:
    """Under-voltage and throttling, as the Raspberry Pi's firmware counts them (bits as in its documentation)."""
    text = machine.text("sys/devices/platform/soc/soc:firmware/get_throttled")
    if not text:
        code, said = machine.run(["vcgencmd", "get_throttled"])
        text = said.partition("=")[2] if code == 0 else ""
    try:
        bits = int(text, 16)
    except ValueError:
        return Check(
            "power",
            "ok" if not machine.board else "warn",
            "not told by this machine",
            "" if not machine.board else "run as a user of the group video",
        )
    now = [word for bit, word in ((0, "under-voltage"), (1, "frequency capped"), (2, "throttled"), (3, "hot")) if bits >> bit & 1]
    since = [word for bit, word in ((16, "under-voltage"), (17, "frequency capped"), (18, "throttled"), (19, "hot")) if bits >> bit & 1]
    if now:
        return Check("power", "fail", f"{', '.join(now)}, now", "use the board's own power supply and a short cable; cool it")
    if since:
        return Check(
            "power", "warn", f"{', '.join(since)}, since it was switched on", "use the board's own power supply and a short cable; cool it"
        )
    return Check("power", "ok", "no under-voltage, no throttling")


def coral(machine: Machine) -> Iterator[Check]:
    """A Coral, how it is connected, and whether it can be driven."""
    from firmware.vision.coral import find_corals, missing_library, slow_reason

    found = find_corals(machine.root)
    if not found:
        yield Check("Coral", "ok", "none connected")
        return
    missing = missing_library()
    for device in found:
        slow = slow_reason(device)
        if missing:
            yield Check("Coral", "warn", f"{device.where}, but {missing}", "install libedgetpu1-std; until then the CPU does the work")
        elif slow:
            yield Check(
                "Coral",
                "warn",
                f"{device.where}: {slow}",
                "use a blue USB 3 port and the cable that came with it; until then the CPU does the work",
            )
        else:
            yield Check("Coral", "ok", device.where)


_WALL: Final = (
    "from firmware.vision.confine import *; l = give_up_network(); print(l.namespace, l.seccomp, try_network() or 'open', *l.reasons)"
)


def wall(machine: Machine) -> Check:
    """A child gives up the network as vision does, and then tries to reach it."""
    code, said = machine.run([sys.executable, "-c", _WALL])
    words = said.split(maxsplit=3)
    if code != 0 or len(words) < 3:
        return Check("wall", "fail", said.splitlines()[-1] if said else f"exit code {code}", "vision would run with a network: report this")
    held, refusal, reasons = [word == "True" for word in words[:2]], words[2], " ".join(words[3:])
    if refusal == "open":
        return Check("wall", "fail", "vision cannot give up the network", f"a kernel with seccomp or user namespaces is needed: {reasons}")
    locks = " and ".join(name for name, lock in zip(("an own network namespace", "a seccomp filter"), held, strict=True) if lock)
    return Check("wall", "ok" if held[1] else "warn", f"vision is cut off by {locks} ({refusal})", "" if held[1] else reasons)


def disk(machine: Machine) -> Check:
    """Room for the spool."""
    try:
        free = shutil.disk_usage(machine.folder).free
    except OSError as error:
        return Check("disk", "fail", f"{machine.folder}: {error.strerror}", "give a folder that exists")
    what = f"{free / 1e9:.1f} GB free at {machine.folder}"
    if free < _DISK_BYTES_MIN:
        return Check("disk", "fail", what, "the spool needs 64 MB: make room")
    return Check(
        "disk", "ok" if free >= _DISK_BYTES_LOW else "warn", what, "" if free >= _DISK_BYTES_LOW else "make room before logs fill the card"
    )


def memory(machine: Machine) -> Check:
    """Memory that is available now."""
    fields = {
        line.split(":")[0]: line.split()[1] for line in machine.text("proc/meminfo").splitlines() if ":" in line and len(line.split()) > 1
    }
    if not fields.get("MemAvailable", "").isdigit():
        return Check("memory", "ok", "not told by this machine")
    available, total = int(fields["MemAvailable"]) * 1024, int(fields.get("MemTotal", "0")) * 1024
    what = f"{available / 1e6:.0f} MB available of {total / 1e6:.0f}"
    return (
        Check("memory", "ok", what)
        if available >= _MEMORY_BYTES_LOW
        else Check("memory", "warn", what, "stop other programs: vision and daemon take about 180 MB")
    )

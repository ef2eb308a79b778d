"""The only file that reads time. Everything else is handed a `Clock`, or the time itself.

Monotonic seconds measure; the boot id says which monotonic they are; wall time is a note with a quality.
The monotonic clock is CLOCK_BOOTTIME where the system has it: it goes on while the board sleeps.
"""

from __future__ import annotations

import ctypes
import time
from pathlib import Path
from typing import Final, Literal, Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_RTC = Path("/dev/rtc0")
_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd's mark
_TIMEX_BYTES: Final = 208  # struct timex of adjtimex(2) on 64-bit Linux; all zeros only asks
_TIME_ERROR: Final = 5  # its answer while nobody has synchronised the clock
BUILT_MS: Final = 1_793_491_200_000  # 2026-11-01: a wall clock that says earlier is certainly wrong

WallQuality = Literal["unknown", "restored", "rtc", "ntp"]


class Clock(Protocol):
    """Where time comes from. Tests pass their own."""

    def monotonic_s(self) -> float:
        """Seconds since boot; never goes back."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970 as the system believes; may jump."""
        ...

    def boot_id(self) -> str:
        """A name for this boot."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic_s(self) -> float:
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def boot_id(self) -> str:
        try:
            return _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:
            return "unknown"


def wall_quality(wall_ms: int) -> WallQuality:
    """How far the wall clock can be trusted now: kept by NTP, set by a clock chip, restored from disk, or not at all.

    The kernel is asked first; where a sandbox forbids even to ask (ProtectClock=), timesyncd's mark answers.
    """
    if wall_ms < BUILT_MS:
        return "unknown"
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except AttributeError:
        state = _TIME_ERROR
    if 0 <= state < _TIME_ERROR or (state < 0 and _SYNCHRONISED.exists()):
        return "ntp"
    return "rtc" if _RTC.exists() else "restored"


def sleep_s(seconds: float) -> None:
    """Wait; for sources that pace themselves."""
    time.sleep(seconds)


def stopwatch_s() -> float:
    """A high-resolution monotonic reading, for measuring how long something took."""
    return time.perf_counter()

"""The only file that reads time. Everything else is handed a `Clock`, or the time itself.

Monotonic seconds measure; the boot id says which monotonic they are; wall time is a note with a quality.
The monotonic clock is CLOCK_BOOTTIME where the system has it: it goes on while the board sleeps.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


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


def sleep_s(seconds: float) -> None:
    """Wait; for sources that pace themselves."""
    time.sleep(seconds)


def stopwatch_s() -> float:
    """A high-resolution monotonic reading, for measuring how long something took."""
    return time.perf_counter()

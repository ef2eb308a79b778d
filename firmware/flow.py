"""How much may cross the wall in a time: a bucket of bytes that fills at a steady rate, and a WallError when it is empty.

Whatever vision has become, what comes out of it is less than one frame of the smallest camera a second. Pure: the time of
each message arrives with it, monotonic seconds.
"""

from __future__ import annotations

from typing import Final

from firmware.errors import WallError

RATE_BYTES_S: Final = 64 * 1024  # a crowd in 32 zones says 20 KB a second; a 320x240 grey frame would be 77 KB
BURST_BYTES: Final = 256 * 1024  # what gathers while the daemon waits for its card


class Flow:
    """The bucket of one vision process; full at first."""

    def __init__(self) -> None:
        self._left = float(BURST_BYTES)
        self._then_s: float | None = None

    def spend(self, bytes_read: int, now_s: float) -> None:
        """A message of so many bytes crossed.

        Raises:
            WallError: more crossed than may in this time.
        """
        since_s = 0.0 if self._then_s is None else max(0.0, now_s - self._then_s)
        self._then_s = now_s
        self._left = min(float(BURST_BYTES), self._left + since_s * RATE_BYTES_S) - bytes_read
        if self._left < 0:
            raise WallError(f"vision says more than {RATE_BYTES_S // 1024} KiB a second")

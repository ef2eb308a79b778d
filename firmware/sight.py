"""Judges from outside whether a vision process still sees: healthy, in doubt, or over. Pure: times are arguments.

Three things are known of a process: when it last said anything, when it last said that it saw a new picture, and the state it
gave. Doubt begins well before the verdict, so that the next process can be made ready meanwhile; doubt costs the old one
nothing. A process that is silent altogether gets longer than one that says itself that its camera gives nothing: the former may
be a slow board at work on one picture. What follows from a verdict is left to `firmware.supervisor`.
"""

from __future__ import annotations

from typing import Final

START_S_MAX: Final = 180.0  # a cold Numba cache on a Pi 4 takes about a minute
OPEN_S_MAX: Final = 20.0  # kernels are compiled, the source is being opened
SILENT_S_MAX: Final = 4.0  # a heartbeat comes after each half second's picture; the slowest board takes 1.5 s for one, in five tiles
UNSEEN_S_MAX: Final = 3.0  # heartbeats that say blind: a camera that comes back by itself (exposure, USB resume) does in two
DOUBT_S: Final = 1.5  # three heartbeats are missing; at one picture a second, the least that is allowed, none is


class Sight:
    """One process, from its first message on."""

    def __init__(self, now_s: float) -> None:
        """`now_s`: when it was started, or when it took over; of the clock that all other times are of."""
        self._said_s = self._seen_s = now_s
        self._patience_s = START_S_MAX
        self._frames = 0
        self._state = ""

    def said(self, now_s: float) -> None:
        """It said something."""
        self._said_s = now_s
        self._patience_s = OPEN_S_MAX if self._state == "starting" else SILENT_S_MAX

    def alive(self, state: str, frames: int, now_s: float) -> None:
        """It gave its state and how many pictures it has seen in all; what is new beside a camera gone blind is from before."""
        if (frames != self._frames and state != "blind") or state == "starting":
            self._seen_s = now_s
        self._frames = frames
        self._state = state
        self.said(now_s)

    @property
    def saw(self) -> bool:
        """Whether it ever saw a picture."""
        return self._frames > 0

    def doubtful(self, now_s: float) -> bool:
        """Whether it may have lost its camera."""
        return self.saw and now_s - self._seen_s >= DOUBT_S

    def verdict(self, now_s: float) -> str:
        """Why its life is over, in words; empty while it is not."""
        if now_s - self._said_s >= self._patience_s:
            return f"silent for {self._patience_s:.0f} s"
        if self._state == "blind" and now_s - self._seen_s >= UNSEEN_S_MAX:
            return f"no new picture for {now_s - self._seen_s:.0f} s"
        return ""

    def until_s(self, now_s: float) -> float:
        """The next time at which doubt or verdict may come if nothing more is said; later than now, but at a verdict."""
        times = [self._said_s + self._patience_s]
        if self.saw:
            times += [self._seen_s + DOUBT_S, self._seen_s + UNSEEN_S_MAX]
        return min((time_s for time_s in times if time_s > now_s), default=now_s)

"""The loop of process 1: read, detect, step, say; twice a second a heartbeat that tells whether a new frame was seen.

Opening happens before the locks close (`Live.open` runs every kernel once, so that nothing need be written afterwards);
`run` ends on `Stop`, at the end of a recording, or with the error that made seeing impossible. No decision about people is
made here: `analytics.pipeline` decides; no decision about restarting: the daemon does.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from firmware import wall
from firmware.analytics.pipeline import Pipeline, Step
from firmware.analytics.pseudonym import Pseudonyms
from firmware.clock import Clock, SystemClock, stopwatch_s
from firmware.config import CameraConfig, Config, parse
from firmware.errors import SourceError, SourceSilentError, WallError
from firmware.health import LiveNumbers, VisionHealth
from firmware.opening_hours import OpeningHours, read_opening_hours
from firmware.still_places import StillMap
from firmware.vision.confine import Locks
from firmware.vision.detection import Detections
from firmware.vision.detector import OpenedDetector, open_detector
from firmware.vision.empty_room import EmptyRoomMaker
from firmware.vision.frame import Frame
from firmware.vision.rehearsal import rehearse
from firmware.vision.sources import gives_detections, open_source, settings_of

HEARTBEAT_S: Final = 0.5  # blind time is known to within it
RATE_FRAMES: Final = 30  # the frame rate is that of the last so many
STAND_BY_S_MAX: Final = 60.0  # for the daemon's `Open`; it decides within seconds whether this process is needed
STILL_S: Final = 60.0  # the still map is told no oftener: each time is a write to the card
EVENTS_TOGETHER: Final = 200  # of one message: 200 people at once are 20 KB


class Channel(Protocol):
    """The vision side of the wall."""

    def send(self, message: wall.FromVision) -> None:
        """Say."""
        ...

    def receive(self, timeout_s: float) -> wall.ToVision | None:
        """Hear."""
        ...


class Source(Protocol):
    """Frames or detections, one at a time."""

    def read(self) -> Frame | Detections | None:
        """The next; None at the end."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


class Live:
    """One camera, from opened to ended."""

    def __init__(
        self, config: Config, camera: CameraConfig, source: Source, detector: OpenedDetector | None, channel: Channel, still: StillMap
    ) -> None:
        """`detector` is None for a source that knows boxes without pixels; `still` is what was learned before."""
        self._config, self._camera, self._source, self._detector, self._channel = config, camera, source, detector, channel
        self._clock: Clock = SystemClock()
        pseudonyms = Pseudonyms(os.urandom, config.epoch_s)
        self._pipeline = Pipeline(camera, pseudonyms, config.disclosure, config.window_s, still)
        self._still, self._still_said_s = still, self._clock.monotonic_s()
        self._hours = read_opening_hours(config.opening_hours)
        self._health = VisionHealth(camera.name, 0)
        self._live = LiveNumbers()
        self._times: deque[float] = deque(maxlen=RATE_FRAMES)
        self._stages: dict[str, float] = {}
        self._said_s = float("-inf")
        self._stopping = False
        self._room: EmptyRoomMaker | None = None
        self._watched_until_s = float("-inf")  # somebody looks at the floor view
        self._floor_s = float("-inf")

    @classmethod
    def open(cls, order: wall.Configure, channel: Channel) -> Live:
        """Open everything that the configuration names, and run each kernel once; the source last, when the daemon says `Open`.

        Raises:
            ConfigError, SourceError, ModelError: what keeps this camera from seeing.
            WallError: the daemon hung up, or said anything else.
        """
        config = parse(order.text, order.filename)
        camera = next((each for each in config.camera if each.name == order.camera), None)
        if camera is None:
            raise WallError(f"the configuration has no camera {order.camera!r}")
        detector = None
        if not gives_detections(camera.source):
            detector = open_detector(camera.model, threads=camera.threads, tiling=camera.tiling)
        rehearse(config, camera)
        channel.send(wall.Alive(VisionHealth(camera.name, 0, "starting"), LiveNumbers()))  # what may still hang is the source
        word = channel.receive(timeout_s=STAND_BY_S_MAX)
        if not isinstance(word, wall.Open):
            raise WallError("the daemon did not say that the camera is free")
        live = cls(config, camera, open_source(camera.source, settings_of(camera, live=True)), detector, channel, order.still)
        live._pipeline.resume(word.inside)
        return live

    def run(self, locks: Locks) -> None:
        """Until told to stop, or until there is nothing more to see.

        Raises:
            SourceError, ModelError: the camera or the model failed.
            WallError: the daemon is gone.
        """
        self._health = describe(self._health, self._detector, locks)
        try:
            while not self._stopping:
                self._hear()
                if not self._look():
                    break
            self._say(self._pipeline.finish(self._clock.monotonic_s()))
            self._beat("ended", force=True)
        finally:
            self._source.close()
            if self._detector is not None:
                self._detector.close()

    def _look(self) -> bool:
        """One frame; False at the end of a recording."""
        try:
            seen = self._source.read()
        except SourceSilentError as error:
            now_s = self._clock.monotonic_s()
            self._say(self._pipeline.blind(now_s, now_s))
            self._beat("blind", str(error), force=True)
            return True
        if seen is None:
            return False
        _check(seen)
        started_s = stopwatch_s()
        detections = seen if isinstance(seen, Detections) else self._detect(seen)
        detected_s = stopwatch_s()
        step = self._pipeline.step(detections, closed=closed_now(self._hours, self._clock.wall_ms), fallback=self._health.fallback)
        self._timed("detect", detected_s - started_s)
        self._timed("step", stopwatch_s() - detected_s)
        self._count(detections)
        self._live = step.live
        self._say(step)
        self._beat("running")
        if self._watched_until_s > 0.0:
            self._show_floor()
        return True

    def _detect(self, frame: Frame) -> Detections:
        assert self._detector is not None
        found = self._detector.detect(frame)
        if self._room is not None:
            self._make_room(frame, found)
        if self._detector.fallback is not self._health.fallback:  # an accelerator died, or came back
            self._health = msgspec.structs.replace(self._health, fallback=self._detector.fallback)
        return found

    def _hear(self) -> None:
        message = self._channel.receive(timeout_s=0.0)
        if isinstance(message, wall.Stop):
            self._stopping = True
        elif isinstance(message, wall.Ping):
            self._said_s = float("-inf")
        elif isinstance(message, wall.RoomWanted):
            self._want_room()
        elif isinstance(message, wall.Watch):
            self._watched_until_s = self._clock.monotonic_s() + message.seconds

    def _show_floor(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s < self._watched_until_s and now_s - self._floor_s >= wall.FEET_S:
            self._floor_s = now_s
            self._channel.send(wall.Floor(self._camera.name, self._pipeline.feet()[: wall.FEET_MAX]))

    def _want_room(self) -> None:
        if self._detector is None:
            refused = f"{self._camera.source.partition(':')[0]} gives boxes, no pictures"
            self._channel.send(wall.EmptyRoom(self._camera.name, 0, 0, b"", 0, 0, refused))
        else:
            self._room = EmptyRoomMaker(self._camera.name)

    def _make_room(self, frame: Frame, found: Detections) -> None:
        assert self._room is not None
        room = self._room.take(frame, found)
        if room is not None:
            self._room = None
            self._channel.send(room)

    def _say(self, step: Step) -> None:
        events, windows = step.events, step.windows
        while events or windows:
            self._channel.send(wall.Counted(self._camera.name, events[:EVENTS_TOGETHER], windows[:1], self._will()))
            events, windows = events[EVENTS_TOGETHER:], windows[1:]

    def _tell_still(self, now_s: float, *, ending: bool) -> None:
        still = self._pipeline.still_map
        if still != self._still and (ending or now_s - self._still_said_s >= STILL_S):
            self._still, self._still_said_s = still, now_s
            self._channel.send(wall.Still(self._camera.name, still))

    def _will(self) -> wall.Will:
        return wall.Will(self._pipeline.open_window(), *self._pipeline.unsettled())

    def _beat(self, state: str, reason: str = "", *, force: bool = False) -> None:
        now_s = self._clock.monotonic_s()
        if not force and now_s - self._said_s < HEARTBEAT_S:
            return
        self._said_s = now_s
        self._tell_still(now_s, ending=state == "ended")
        health = msgspec.structs.replace(
            self._health,
            t_ms=int(now_s * 1000),
            state=state,
            reason=reason,
            fps_permille=int(self._rate() * 1000),
            stage_us={stage: int(seconds * 1e6) for stage, seconds in self._stages.items()},
        )
        self._channel.send(wall.Alive(health, self._live, self._will()))

    def _count(self, detections: Detections) -> None:
        self._times.append(detections.t_s)
        self._health = msgspec.structs.replace(
            self._health,
            frames=self._health.frames + 1,
            dropped_frames=self._health.dropped_frames + detections.dropped,
            tracks=len(detections.scores),
        )

    def _rate(self) -> float:
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def _timed(self, stage: str, seconds: float) -> None:
        self._stages[stage] = seconds if stage not in self._stages else 0.95 * self._stages[stage] + 0.05 * seconds


def _check(seen: Frame | Detections) -> None:
    """A driver may hand out anything: what is no picture ends this process in words, and the daemon starts a new one.

    Raises:
        SourceError: no time, or no picture.
    """
    if not math.isfinite(seen.t_s):
        raise SourceError("the source gave a picture without a time", "check the camera's driver")
    if isinstance(seen, Frame) and (seen.pixels.ndim != 3 or seen.pixels.shape[2] != 3 or min(seen.pixels.shape) < 3):
        raise SourceError(f"the source gave a picture of shape {seen.pixels.shape}", "check the camera's driver and its format")


def closed_now(hours: OpeningHours, wall_ms: Callable[[], int]) -> bool:
    """Whether the shop is closed; an unknown is open."""
    now = datetime.fromtimestamp(wall_ms() / 1000, UTC).astimezone()
    minute = (now.weekday() * 24 + now.hour) * 60 + now.minute
    return hours.open_at(minute) is False


def describe(health: VisionHealth, detector: OpenedDetector | None, locks: Locks) -> VisionHealth:
    """What does not change while this process lives."""
    health = msgspec.structs.replace(health, network_denied=locks.network_denied)
    if detector is None:
        return health
    about = detector.description
    return msgspec.structs.replace(
        health, model=about.model, model_sha256=about.sha256, runtime=f"{about.runtime} x{about.threads}", fallback=about.fallback
    )

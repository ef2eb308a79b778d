"""Detections in, events and windows out: the same step live, in a replay, in golden tests and in benchmarks.

Detections become tracks, tracks people; furniture and staff are told apart; lines and zones say what people did. Everything
is booked in the open window; events are made for what may leave. This is the one place that decides what that is:

- disclosure `windows`: integer sums only; `events`: events too, under pseudonyms; `boxes`: with boxes, and needs a purpose.
- At the end of an epoch all pseudonyms change at once. A visit that was open then ends without an event; its later exit is
  `partial` and has no dwell; what happened before the epoch began but is said after it carries no pseudonym. So no two
  events join two epochs. The true dwell ends in the window's histogram.

Pure: time comes with the detections, randomness with the pseudonyms, and whether the shop is closed with the step. Left to
others: where detections come from, where events go, and wall time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from firmware.analytics.in_view import InView
from firmware.analytics.line_crossing import Crossing, LineCounter, LineStep
from firmware.analytics.live_numbers import LiveBoard
from firmware.analytics.occupancy import Inside
from firmware.analytics.people import People
from firmware.analytics.pseudonym import Pseudonyms
from firmware.analytics.queueing import WaitEstimate, outcome_of
from firmware.analytics.windows import LineField, Stay, Windows
from firmware.analytics.zone_presence import VisitChange, ZonePresence
from firmware.config import CameraConfig
from firmware.errors import ConfigError
from firmware.events import Box, Disclosure, Event, LineCrossed, LineSums, OccupancyChanged, Outcome, Stage, Window, ZoneEntered, ZoneLeft
from firmware.health import LiveNumbers
from firmware.still_places import StillMap
from firmware.vision.detection import Detections

BOX_DIGITS: Final = 4  # a tenth of a pixel at 1000 pixels


@dataclass(frozen=True, slots=True)
class Finished:
    """A shopper's visit that ended: no time, no id. For tools on a recording; a device has no use for it."""

    zone: int
    dwell_ms: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Step:
    """What one step brought.

    Attributes:
        events: what may leave the device at the configured disclosure level; nothing at `windows`.
        windows: the windows that ended.
        live: numbers of this moment, for the status page.
        finished: visits that ended in this step.
    """

    events: tuple[Event, ...]
    windows: tuple[Window, ...]
    live: LiveNumbers
    finished: tuple[Finished, ...] = ()


@dataclass(frozen=True, slots=True)
class _Visit:
    entry_ms: int
    staff: bool


class Pipeline:
    """Everything between the detector and the wall, for one camera.

    Args:
        camera: its configuration.
        pseudonyms: gives the names of the current epoch; holds the randomness.
        disclosure: what may leave.
        window_s: length of a window.
        still_map: what is known to stand still; `pipeline.still_map` is what is known by now.

    Raises:
        ConfigError: disclosure `boxes` without a purpose.
    """

    def __init__(
        self,
        camera: CameraConfig,
        pseudonyms: Pseudonyms,
        disclosure: Disclosure = "events",
        window_s: int = 15,
        still_map: StillMap | None = None,
    ) -> None:
        if disclosure == "boxes" and not camera.purpose:
            raise ConfigError(
                f'camera "{camera.name}": disclosure "boxes" needs a purpose', 'say why boxes leave the device: purpose = "..."'
            )
        self._camera = camera
        self._disclosure = disclosure
        self._pseudonyms = pseudonyms
        self._view = InView(camera, still_map)
        self._lines = tuple(LineCounter(line, near_height=camera.person_height_share[1]) for line in camera.line)
        self._presence = ZonePresence(camera.zone, 2 * camera.tracker.capacity)
        self._estimates = tuple(WaitEstimate() if zone.kind == "queue" else None for zone in camera.zone)
        self._windows = Windows(
            tuple(line.name for line in camera.line), tuple((zone.name, zone.kind) for zone in camera.zone), window_s * 1000
        )
        self._inside = Inside()
        self._visits: dict[tuple[int, int], _Visit] = {}
        self._board = LiveBoard(camera)
        self._said_counts = [0] * len(camera.zone)
        self._now_ms: int | None = None
        self._seen_ms = 0
        self._now: _Said = _Said()
        self._people: People | None = None

    def resume(self, inside: int) -> None:
        """So many people were inside when somebody else stopped counting; before the first step."""
        self._inside.count = inside

    @property
    def still_map(self) -> StillMap:
        """What stands still, to be kept over a restart."""
        return self._view.still_map

    def step(self, detections: Detections, *, closed: bool = False, fallback: bool = False) -> Step:
        """Take in one frame.

        Args:
            detections: of the frame; a time earlier than the last counts as the last.
            closed: whether the shop is closed now: still places are learned, and nobody is inside.
            fallback: whether the CPU did the work of an accelerator.
        """
        t_ms = self._to(_ms(detections.t_s))
        people = self._people = self._view.step(detections, closed=closed)
        lines = [counter.step(people) for counter in self._lines]
        changes = self._presence.step(people).changes
        observed = t_ms - self._seen_ms <= self._camera.blind_after_s * 1000
        windows = self._book(t_ms, lines, changes, observed=observed)
        self._seen_ms = t_ms
        self._audit(people, fallback=fallback)
        if closed:
            self._closed()
        if people.gone:
            self._pseudonyms.forget(people.gone)
            self._view.staff.forget(people.gone)
        return self._step(windows)

    def blind(self, from_s: float, to_s: float) -> Step:
        """Nothing could be seen in this time: camera, cable, cover. What was already accounted for stays as it is."""
        start_ms = self._to(_ms(from_s))
        observed = start_ms - self._seen_ms <= self._camera.blind_after_s * 1000
        windows = self._windows.advance(start_ms, self._known_until_ms, observed=observed)
        windows += self._windows.advance(self._to(_ms(to_s)), self._known_until_ms, observed=False)
        return self._step(windows)

    def finish(self, t_s: float) -> Step:
        """The end: everybody is given up, everything settles, the open window closes."""
        t_ms = self._to(_ms(t_s))
        lines = [counter.finish(t_s) for counter in self._lines]
        changes = self._presence.finish(t_s).changes
        observed = t_ms - self._seen_ms <= self._camera.blind_after_s * 1000
        windows = self._book(t_ms, lines, changes, observed=observed)
        windows += self._windows.finish(t_ms, self._known_until_ms)
        return self._step(windows)

    def feet(self) -> tuple[tuple[int, int], ...]:
        """Where people stood in the last frame: foot points in thousandths of the view, sorted, so that no order tells who is who.

        Furniture is left out. For the floor view; nothing keeps them.
        """
        people = self._people
        if people is None:
            return ()
        boxes = people.boxes[~people.still]
        points = ((round((x0 + x1) * 500), round(y1 * 1000)) for x0, _, x1, y1 in boxes.tolist())
        return tuple(sorted((min(max(x, 0), 1000), min(max(y, 0), 1000)) for x, y in points))

    def open_window(self) -> Window | None:
        """The sums of the window that is still open; kept by the daemon in case this process dies."""
        return self._windows.open_window(self._known_until_ms)

    def unsettled(self) -> tuple[tuple[LineSums, ...], tuple[Event, ...]]:
        """Crossings that were published and have not settled: what they add to each line, and the events, if this process dies.

        Lines with nothing to add are left out; events too where they may not leave.
        """
        sums, events = [], []
        for index, counter in enumerate(self._lines):
            crossings = counter.pending()
            if crossings:
                fields = [self._settled_field(index, crossing) for crossing in crossings]
                sums.append(LineSums(self._camera.line[index].name, **{field: fields.count(field) for field in fields}))
                events += [self._line_crossed(index, crossing, "settled") for crossing in crossings]
        return tuple(sums), () if self._disclosure == "windows" else tuple(events)

    def _to(self, t_ms: int) -> int:
        """Time never goes back; a new epoch begins when the old one is over."""
        if self._now_ms is None:
            self._seen_ms = t_ms
        self._now_ms = t_ms if self._now_ms is None else max(t_ms, self._now_ms)
        self._pseudonyms.turn(self._now_ms)
        self._now = _Said()
        return self._now_ms

    def _book(self, t_ms: int, lines: list[LineStep], changes: tuple[VisitChange, ...], *, observed: bool) -> tuple[Window, ...]:
        """First who is staff, then the stays, then time goes on, then everything counts in the window now open."""
        self._learn_staff(lines, changes)
        visits = [(change, self._mark(change)) for change in changes]
        windows = self._windows.advance(t_ms, self._known_until_ms, observed=observed)
        for index, line in enumerate(lines):
            self._book_line(index, line)
        for change, visit in visits:
            if change.kind == "began":
                self._began(change, visit)
            else:
                self._ended(change, visit)
        self._book_counts(t_ms)
        return windows

    def _learn_staff(self, lines: list[LineStep], changes: tuple[VisitChange, ...]) -> None:
        found = [crossing.person for index, line in enumerate(lines) if self._camera.line[index].staff for crossing in line.provisional]
        found += [change.person for change in changes if self._camera.zone[change.zone].staff]
        if not found:
            return
        self._view.staff.learn(found)
        for zone, person in self._visits:
            if person in found:  # from now on they are no shopper here
                self._windows.ended(zone, person, self._now_ms or 0)

    def _mark(self, change: VisitChange) -> _Visit:
        """Open or close the visit, so that the window closing now knows how long it was."""
        if change.kind != "began":
            self._windows.ended(change.zone, change.person, _ms(change.end_s))
            return self._visits.pop((change.zone, change.person))
        visit = self._visits[change.zone, change.person] = _Visit(_ms(change.entry_s), self._view.staff.is_staff(change.person))
        if not visit.staff:
            self._windows.began(change.zone, change.person, visit.entry_ms)
        return visit

    def _known_until_ms(self, zone: int, stay: Stay) -> int:
        return _ms(self._presence.known_until_s(zone, stay.person))

    def _book_line(self, index: int, step: LineStep) -> None:
        for _ in range(step.ambiguous):
            self._windows.line(index, "ambiguous")
        self._windows.audit("ambiguous", step.ambiguous)
        for crossing in step.provisional:
            self._windows.line(index, "provisional_entries" if crossing.direction == "in" else "provisional_exits")
            self._crossed(index, crossing, "provisional")
        for crossing in step.settled:
            self._settle(index, crossing)
            self._crossed(index, crossing, "settled")

    def _settle(self, index: int, crossing: Crossing) -> None:
        line, entering, field = self._camera.line[index], crossing.direction == "in", self._settled_field(index, crossing)
        self._windows.line(index, field)
        if field.startswith("staff") or not line.door:
            return
        if entering:
            self._inside.came()
        elif self._inside.left():
            self._windows.audit("drift")

    def _settled_field(self, index: int, crossing: Crossing) -> LineField:
        """Under which number of its line a settled crossing counts."""
        if self._camera.line[index].staff or self._view.staff.is_staff(crossing.person):
            return "staff_entries" if crossing.direction == "in" else "staff_exits"
        return "entries" if crossing.direction == "in" else "exits"

    def _crossed(self, index: int, crossing: Crossing, stage: Stage) -> None:
        self._board.crossed(index, crossing.direction, stage)
        self._now.events.append(self._line_crossed(index, crossing, stage))

    def _line_crossed(self, index: int, crossing: Crossing, stage: Stage) -> LineCrossed:
        t_ms = _ms(crossing.t_s)
        return LineCrossed(
            line=self._camera.line[index].name,
            t_ms=t_ms,
            direction=crossing.direction,
            stage=stage,
            staff=self._camera.line[index].staff or self._view.staff.is_staff(crossing.person),
            confidence_permille=_permille(crossing.score),
            pseudonym=self._name(crossing.person, t_ms),
            box=self._box(crossing.box),
        )

    def _began(self, change: VisitChange, visit: _Visit) -> None:
        zone = self._camera.zone[change.zone]
        self._windows.zone(change.zone, "staff_entries" if visit.staff else "entries")
        self._now.events.append(
            ZoneEntered(
                zone=zone.name,
                t_ms=visit.entry_ms,
                side=change.entry_side,
                staff=visit.staff,
                confidence_permille=_permille(change.score),
                pseudonym=self._name(change.person, visit.entry_ms),
                box=self._box(change.box),
            )
        )

    def _ended(self, change: VisitChange, visit: _Visit) -> None:
        zone, end_ms = self._camera.zone[change.zone], _ms(change.end_s)
        staff = self._view.staff.is_staff(change.person)
        voided = change.kind == "voided" or staff != visit.staff
        outcome = "" if staff or voided else outcome_of(zone, change.end_side)
        self._sum_up(change.zone, visit, end_ms - visit.entry_ms, outcome, voided=voided)
        partial = voided or visit.entry_ms < self._pseudonyms.began_ms
        self._now.events.append(
            ZoneLeft(
                zone=zone.name,
                t_ms=end_ms,
                dwell_ms=None if partial else end_ms - visit.entry_ms,
                partial=partial,
                outcome=outcome,
                side=change.end_side,
                staff=staff,
                confidence_permille=_permille(change.score),
                pseudonym=self._name(change.person, end_ms),
                box=self._box(change.box),
            )
        )

    def _sum_up(self, zone: int, visit: _Visit, dwell_ms: int, outcome: Outcome, *, voided: bool) -> None:
        """A visit's numbers. Whoever came in as a shopper goes out as one, so that entries and exits balance."""
        self._windows.zone(zone, "staff_exits" if visit.staff else "exits")
        if voided:
            self._windows.audit("voided")
            return
        if visit.staff:
            self._windows.zone(zone, "staff_dwell_ms", dwell_ms)
            return
        self._windows.dwelt(zone, dwell_ms)
        self._now.finished.append(Finished(zone, dwell_ms, outcome))
        estimate = self._estimates[zone]
        if estimate is not None and outcome:
            self._windows.zone(zone, "served" if outcome == "served" else "abandoned")
            self._windows.waited(zone, dwell_ms)
            estimate.departed()

    def _book_counts(self, t_ms: int) -> None:
        for index, shoppers in enumerate(self._shoppers()):
            estimate = self._estimates[index]
            if estimate is not None:
                estimate.step(t_ms, shoppers)
            if shoppers != self._said_counts[index]:
                self._said_counts[index] = shoppers
                wait_ms = None if estimate is None else estimate.wait_ms()
                self._now.events.append(OccupancyChanged(self._camera.zone[index].name, t_ms, shoppers, wait_ms))

    def _shoppers(self) -> list[int]:
        """How many are in each zone now; who is in a staff zone is none."""
        return [0 if zone.staff else count for zone, (count, _) in zip(self._camera.zone, self._presence.counts, strict=True)]

    def _audit(self, people: People, *, fallback: bool) -> None:
        windows = self._windows
        windows.audit("frames")
        if people.dropped:
            windows.audit("dropped_frames", people.dropped)
        if fallback:
            windows.audit("fallback_frames")
        if people.relinked:
            windows.audit("relinked", people.relinked)
        still = self._view.take_still_found()
        if still:
            windows.audit("still", still)
        born, inside = self._view.births
        if born:
            windows.audit("births", born)
            windows.audit("births_inside", inside)

    def _closed(self) -> None:
        if self._inside.count:
            self._windows.audit("drift", self._inside.count)
            self._inside.close()

    def _name(self, person: int, t_ms: int) -> bytes:
        """The pseudonym for something that happened at `t_ms`; none for what happened in an earlier epoch."""
        if self._disclosure == "windows" or t_ms < self._pseudonyms.began_ms:
            return b""
        return self._pseudonyms.of(person)

    def _box(self, box: Box) -> Box | None:
        if self._disclosure != "boxes":
            return None
        x0, y0, x1, y1 = (round(min(max(edge, 0.0), 1.0), BOX_DIGITS) for edge in box)
        return x0, y0, x1, y1

    def _step(self, windows: tuple[Window, ...]) -> Step:
        events = () if self._disclosure == "windows" else tuple(self._now.events)
        return Step(events, windows, self._live(changed=bool(self._now.events)), tuple(self._now.finished))

    def _live(self, *, changed: bool) -> LiveNumbers:
        now_ms = self._now_ms or 0
        if not changed and not self._board.is_due(now_ms):
            return self._board.last()
        since: list[int | None] = [None] * len(self._camera.zone)
        for (zone, _), visit in self._visits.items():
            if not visit.staff:
                first_ms = since[zone]
                since[zone] = visit.entry_ms if first_ms is None else min(first_ms, visit.entry_ms)
        return self._board.show(now_ms, self._shoppers(), self._estimates, since, self._inside)


class _Said:
    """What one step says, while it is put together."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.finished: list[Finished] = []


def _ms(t_s: float) -> int:
    return round(t_s * 1000.0)


def _permille(score: float) -> int:
    return round(min(max(score, 0.0), 1.0) * 1000.0)

"""5,000 devices come back together after an outage, in simulated time: how hard do they knock, and how soon is all in?

Each device is a real `Delivery`; only network, disk and clock are simulated. The collector answers after a round trip and
takes what its ceiling allows in a second, saying busy above it. Without jitter the same devices are the negative control.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.figure import Figure, figure, figure_parser, print_figures
from firmware.uplink.delivery import Delivery, Outcome, Place, Request
from firmware.uplink.exchange import Answer

DEVICES = 5_000
ENVELOPE_BYTES = 760  # a sealed 512-byte batch
FLUSH_S = 30.0
ROUND_TRIP_S = 0.2
CEILING_PER_S = 1_000  # what one small collector commits; above it: 503
COMMAND = "python -m benchmarks.herd"


@dataclass(frozen=True)
class Waiting:
    seq: int
    stream: bytes = bytes(8)
    envelope: bytes = bytes(ENVELOPE_BYTES)


class Backlog:
    """An outbox as two numbers: what waits is [first, last)."""

    def __init__(self, count: int) -> None:
        self.first, self.last = 0, count
        self.sent: set[int] = set()

    def newest(self, bytes_max: int, skip: Container[Place]) -> Sequence[Waiting]:
        return self._take(range(self.last - 1, self.first - 1, -1), bytes_max, skip)

    def oldest(self, bytes_max: int, skip: Container[Place]) -> Sequence[Waiting]:
        return self._take(range(self.first, self.last), bytes_max, skip)

    def _take(self, seqs: range, bytes_max: int, skip: Container[Place]) -> list[Waiting]:
        taken: list[Waiting] = []
        for seq in seqs:
            if (len(taken) + 1) * ENVELOPE_BYTES > bytes_max:
                break
            if seq not in self.sent and (bytes(8), seq) not in skip:
                taken.append(Waiting(seq))
        return taken

    def acknowledge(self, request: Request) -> None:
        self.sent |= {entry.seq for entry in request.entries}
        while self.first in self.sent:
            self.sent.remove(self.first)
            self.first += 1


@dataclass
class Outcomes:
    per_second: Counter[int]
    busy: int
    live_s: list[float]
    drained_s: float


def simulate(seed: int, outage_s: float, *, jitter: bool = True, devices: int = DEVICES) -> Outcomes:
    """From the moment the network is back until every device has drained."""
    rng = random.Random(seed)
    backlogs = [Backlog(int(outage_s / FLUSH_S)) for _ in range(devices)]
    draw = rng.random if jitter else (lambda: 0.0)
    machines = [Delivery(draw) for _ in range(devices)]
    for machine in machines:  # they have been failing for a while: each is somewhere in its longest back-off
        machine.answered(-outage_s, Request((), 0), _answer())
        for _ in range(12):
            machine.failed(0.0, Request((), 0), Outcome.UNREACHABLE)
    due = [(machine.due_s if jitter else 0.0, index) for index, machine in enumerate(machines)]
    heapq.heapify(due)
    out = Outcomes(Counter(), 0, [], 0.0)
    first_contact: set[int] = set()
    while due:
        now_s, index = heapq.heappop(due)
        request = machines[index].compose(now_s, backlogs[index])
        if request is None:
            continue
        second = int(now_s)
        out.per_second[second] += 1
        done_s = now_s + ROUND_TRIP_S
        if out.per_second[second] > CEILING_PER_S:
            out.busy += 1
            machines[index].failed(done_s, request, Outcome.BUSY, 1.0)
        else:
            backlogs[index].acknowledge(request)
            machines[index].answered(done_s, request, _answer())
            if index not in first_contact:
                first_contact.add(index)
                out.live_s.append(now_s)
            out.drained_s = done_s
        heapq.heappush(due, (max(machines[index].due_s, done_s), index))
    return out


def _answer() -> Answer:
    return Answer(1, bytes(32), bytes(16), (), (), (), 0)


def figures(seed: int = 1, *, quick: bool = False) -> Iterator[Figure]:
    """Peak and drain after outages of 4 hours and 3 days; the peak without jitter beside it."""
    devices = 1_000 if quick else DEVICES
    for label, outage_s in (("4h", 4 * 3600.0), ("3d", 3 * 86_400.0)):
        out = simulate(seed, outage_s, devices=devices)
        peak = max(out.per_second.values())
        yield figure(f"herd.peak.{label}", peak, "at most", 500, unit="requests/s", command=COMMAND)
        yield figure(f"herd.drained.{label}", out.drained_s / 60, "at most", 30, unit="min", command=COMMAND)
        yield figure(f"herd.live.p99.{label}", sorted(out.live_s)[int(len(out.live_s) * 0.99)], "at most", 300, unit="s", command=COMMAND)
    control = simulate(seed, 4 * 3600.0, jitter=False, devices=devices)
    peak = max(control.per_second.values())
    yield figure("herd.peak.without_jitter", peak, "at least", min(1000, devices), unit="requests/s", command=COMMAND)


def main() -> None:
    """Print them."""
    options = figure_parser(__doc__, "1,000 devices").parse_args()
    print_figures(figures(options.seed, quick=options.quick))


if __name__ == "__main__":
    main()

"""Exactly once, end to end, through `hostile_world`; and two months offline on a card that is too small for them."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

from benchmarks.postgres import new_database
from collector.reading import Query, report
from collector.receive import commit, prepare
from firmware.events import Audit, LineSums, Window
from firmware.uplink.delivery import Delivery
from firmware.uplink.exchange import write_request
from firmware.uplink.fold import About, fold, roll_up
from firmware.uplink.segment import LaneLimits
from firmware.uplink.spool import Spool, SpoolLimits
from tests.collector.conftest import *  # noqa: F403  # the two engines
from tests.collector.devices import EPOCH_MS, OPENINGS
from tests.hostile_world import CountingDevice, fresh, lived

STEPS = int(os.environ.get("PASSERBY_EXACTLY_ONCE_STEPS", "100000"))


def test_the_books_equal_the_truth(tmp_path: Path, postgres_server: str) -> None:
    """After every step of a hostile world, healed: equal to the integer; and in five orders on both engines, the same books."""
    life = lived(1, STEPS, tmp_path, [new_database(postgres_server, "exactly_once")])
    assert life.right
    assert (life.conflicts, life.orders) == (0, 10)
    assert min(life.seen.values()) > 0
    assert len(life.seen) == 17


def test_sixty_days_offline(tmp_path: Path) -> None:
    """Two months without a network, on a card that holds a third of it: drained, the totals are whole, and what was lost is known."""
    device = CountingDevice("door", random.Random(7))
    device.spool = Spool.open(
        device.folder, SpoolLimits(LaneLimits(64 * 1024, 64), LaneLimits(64 * 1024, 64), 0), b"o" * 16, os.urandom, device.gap
    )
    truth: Counter[str] = Counter()
    for _ in range(60 * 24):
        windows = []
        for _ in range(12):  # windows of five minutes, so that two months are 17,280 of them
            entries = device.rng.randint(0, 9)
            windows.append(Window(device.boot_ms, 300_000, (LineSums("entrance", entries),), (), Audit(300_000)))
            truth.update(entries=entries)
            device.boot_ms += 300_000
            for batch in fold(About("shop", "door", "windows", b"", device.stamp()), windows[-1:], ()):
                device.spool.put("batches", lambda place, batch=batch: device.sealed(batch, place))
        total = roll_up(About("shop", "door", "windows", b"", device.stamp()), windows)
        device.spool.put("keep", lambda place, total=total: device.sealed(total, place))
        device.spool.flush()
    world = fresh(str(tmp_path / "books.db"), [device])
    now_s, delivery = 1e6, Delivery(device.rng.random, 0.0)
    while (request := delivery.compose(now_s, device.spool)) is not None:
        key = device.identity.key.public_key()
        body = write_request([entry.envelope for entry in request.entries])
        (answer,) = commit(world, [prepare(device.identity.device, body, key, OPENINGS)], EPOCH_MS)
        for part in answer.acknowledged:
            device.spool.acknowledge(part.stream, part.through, part.sparse)
        delivery.answered(now_s, request, answer)
        now_s = max(now_s + 1.0, delivery.due_s)
    assert device.spool.health().spooled == 0
    kept = int(world.rows("SELECT count(*) FROM line_window")[0][0])
    lost = int(world.rows("SELECT coalesce(sum(last - first + 1), 0) FROM gap WHERE reason = 'evicted'")[0][0])
    assert 0 < kept < 60 * 24 * 12
    assert kept + lost == 60 * 24 * 12
    day = Query(0, 2**53, 86_400_000)
    assert sum(each.sums["entries"] for each in report(world, day) if each.place.kind == "line") == truth["entries"]
    world.close()

"""What the books say, placed in wall time, whole or explained."""

from __future__ import annotations

from collector.completeness import progress, site_hours
from collector.database import Database
from collector.reading import HOUR_MS, Query, distributions, report
from collector.receive import commit, prepare
from firmware.events import Window
from firmware.uplink.batch import FOREVER
from firmware.uplink.exchange import write_request
from firmware.uplink.fold import About, roll_up
from tests.collector.devices import EPOCH_MS, OPENINGS, Device, window

DAY = Query(EPOCH_MS - EPOCH_MS % HOUR_MS - HOUR_MS, EPOCH_MS + 86_400_000, HOUR_MS)


def post(database: Database, device: Device, *envelopes: bytes) -> None:
    for start in range(0, len(envelopes), 100):
        request = write_request(envelopes[start : start + 100])
        commit(database, [prepare(device.device, request, device.key.public_key(), OPENINGS)], EPOCH_MS + 10)


def hour(device: Device, windows: list[Window]) -> bytes:
    about = About("shop", "door", "events", b"", device.stamp(HOUR_MS))
    return device.sealed(roll_up(about, windows), HOUR_MS)


def enrolled(database: Database, name: str = "door") -> Device:
    device = Device(name)
    device.enrol(database)
    return device


def line_entries(database: Database, query: Query = DAY) -> int:
    return sum(each.sums["entries"] for each in report(database, query) if each.place.kind == "line")


def test_counts_lie_in_their_intervals(database: Database) -> None:
    """Windows of three hours land in their hours of wall time; occupancy takes the maximum, the rest adds."""
    device = enrolled(database)
    post(database, device, *(device.batch(window(index, 1 + index % 3)) for index in range(0, 720, 4)))
    lines = [each for each in report(database, DAY) if each.place.kind == "line"]
    assert sum(each.sums["entries"] for each in lines) == sum(1 + index % 3 for index in range(0, 720, 4))
    assert all(each.start_ms % HOUR_MS == 0 for each in lines)
    zones = [each for each in report(database, DAY) if each.place.kind == "zone:queue"]
    assert {each.sums["occupancy_max"] for each in zones} == {3}
    assert "dwell_ms" not in zones[0].sums


def test_lost_windows_are_made_good_by_the_roll_up(database: Database) -> None:
    """An hour of which some windows never came counts as the device summed it, once, and not twice when they come late."""
    device = enrolled(database)
    windows = [window(index, 2) for index in range(240)]
    sealed = [device.batch(each) for each in windows]
    total = hour(device, windows)
    post(database, device, *sealed[:100], total)
    assert line_entries(database) == 480
    post(database, device, *sealed[100:])
    assert line_entries(database) == 480


def test_dwell_leaves_protected(database: Database) -> None:
    """Two people a window: no row is about fewer than five, and nobody is missing from the total."""
    device = enrolled(database)
    post(database, device, *(device.batch(window(index, 1, dwell_people=2)) for index in range(10)))
    (dwell, _wait) = distributions(database, Query(DAY.from_ms, DAY.to_ms, 15_000))
    assert sum(part.people for part in dwell.total) == 20
    assert all(part.people >= 5 for part in dwell.total)
    assert sum(part.value or 0 for part in dwell.total) == 20 * 1500


def test_an_hour_is_final_when_the_numbering_passes_it(database: Database) -> None:
    """Provisional while an envelope is missing, final when it has come; blind time is coverage, not absence."""
    device = enrolled(database)
    sealed = [device.batch(window(index, 1, blind_ms=3_000)) for index in range(600)]
    post(database, device, *sealed[:100], *sealed[101:])
    first = site_hours(database, DAY)[1]
    assert (first.state, first.coverage_permille) == ("provisional", 800)
    assert progress(database)[0].missing == 1
    post(database, device, sealed[100])
    assert [each.state for each in site_hours(database, DAY)][:2] == ["final", "final"]
    assert progress(database)[0].missing == 0


def test_a_stream_that_ended_does_not_hold_an_hour_open(database: Database) -> None:
    """After a new card: the old stream's end is said in a gap, and the new numbering goes on."""
    device = enrolled(database)
    old = [device.batch(window(index)) for index in range(10)]
    post(database, device, *old[:8])
    ended = device.stream
    device.stream, device.seq, device.prev = b"stream-2", 0, bytes(16)
    post(database, device, device.gap(ended, 8, FOREVER))
    post(database, device, *(device.batch(window(index)) for index in range(10, 600)))
    assert [each.state for each in site_hours(database, DAY)][:2] == ["final", "final"]


def test_a_second_device_holds_its_site_open(database: Database) -> None:
    """A site is as complete as the slowest of its devices."""
    door, back = enrolled(database, "door"), enrolled(database, "back")
    post(database, door, *(door.batch(window(index)) for index in range(600)))
    post(database, back, *(back.batch(window(index)) for index in range(10)))
    assert site_hours(database, DAY)[1].state == "provisional"

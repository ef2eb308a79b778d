"""Each count exactly once, whatever arrives, in any order, on both engines."""

from __future__ import annotations

import contextlib
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from collector.database import Database, open_database
from collector.receive import commit, open_waiting, prepare
from collector.retention import retain
from firmware.errors import DataError, StorageError
from firmware.uplink.exchange import Acknowledged, Answer, write_request
from firmware.uplink.recipient import OpeningKey
from tests.collector.devices import OPENINGS, Device, books, crossing, window


def post(database: Database, device: Device, *envelopes: bytes, sealed: bool = False) -> Answer:
    prepared = prepare(device.device, write_request(envelopes), device.key.public_key(), None if sealed else OPENINGS)
    return commit(database, [prepared], 1_800_000_100_000)[0]


@pytest.fixture
def device(database: Database) -> Device:
    made = Device("door")
    made.enrol(database)
    return made


def entries(database: Database) -> int:
    return int(database.rows("SELECT coalesce(sum(entries), 0) FROM line_window")[0][0])


def test_a_repetition_changes_nothing_and_is_acknowledged(database: Database, device: Device) -> None:
    """The same envelope three times: counted once, acknowledged each time."""
    envelope = device.batch(window(0, 3), events=(crossing(10),))
    first = post(database, device, envelope)
    before = books(database)
    for _ in range(2):
        assert post(database, device, envelope).acknowledged == first.acknowledged == (Acknowledged(device.stream, 0, ()),)
    assert books(database) == before
    assert entries(database) == 3


def test_any_order_gives_the_same_books(url: str) -> None:
    """Five orders of arrival, with repetitions, leave books that are equal to the last integer."""
    device = Device("door")
    envelopes = [device.batch(window(index, index % 4, dwell_people=index), events=(crossing(index),)) for index in range(60)]
    envelopes.append(device.anchor(900_000))
    dumps = []
    for seed in range(5):
        rng = random.Random(seed)
        database = open_database(url)
        for table in (
            "line_window",
            "zone_window",
            "camera_window",
            "event",
            "anchor",
            "stamp",
            "ledger",
            "stream",
            "device",
            "boot",
            "place",
        ):
            database.run(f"DELETE FROM {table}")
        device.enrol(database)
        arrivals = envelopes + rng.choices(envelopes, k=20)
        rng.shuffle(arrivals)
        while arrivals:
            together = rng.randint(1, 9)
            post(database, device, *arrivals[:together])
            arrivals = arrivals[together:]
        dumps.append(books(database))
        database.close()
    assert all(dump == dumps[0] for dump in dumps)
    assert sum(row[5] for row in dumps[0]["line_window"]) == sum(index % 4 for index in range(60))


def test_processes_that_enter_the_same_envelopes_at_once_count_them_once(url: str) -> None:
    """Four writers over one database, each with all envelopes of three devices in groups and orders of its own: no deadlock, no doubt."""
    devices = [Device(name) for name in ("door", "back", "side")]
    posts = []
    database = open_database(url)
    for device in devices:
        device.enrol(database)
        sealed = [device.batch(window(index, 1)) for index in range(30)]
        sealed.append(device.gap(device.stream, 31, 35))
        posts += [prepare(device.device, write_request([envelope]), device.key.public_key(), OPENINGS) for envelope in sealed]

    def write(seed: int) -> int:
        rng, mine, acknowledged = random.Random(seed), list(posts), 0
        rng.shuffle(mine)
        with contextlib.closing(open_database(url)) as own:
            while mine:
                group, mine = mine[:7], mine[7:]
                acknowledged += sum(len(answer.acknowledged) for answer in commit(own, group, 1_800_000_100_000))
        return acknowledged

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, range(4))) == [len(posts)] * 4
    assert entries(database) == 90
    assert database.rows("SELECT count(*) FROM ledger") == [(93,)]
    assert database.rows("SELECT count(*) FROM conflict") == [(0,)]
    for device in devices:
        assert post(database, device, device.batch(window(40))).acknowledged == (Acknowledged(device.stream, 35, ()),)
    database.close()


def test_what_is_missing_is_waited_for(database: Database, device: Device) -> None:
    """Numbers beyond a hole are acknowledged one by one; `through` moves when the hole is filled."""
    zero, one, two, three = (device.batch(window(index)) for index in range(4))
    assert post(database, device, zero, two).acknowledged == (Acknowledged(device.stream, 0, (2,)),)
    assert post(database, device, three).acknowledged == (Acknowledged(device.stream, 0, (3,)),)
    assert post(database, device, one).acknowledged == (Acknowledged(device.stream, 3, ()),)


def test_a_gap_explains_what_will_not_come(database: Database, device: Device) -> None:
    """Evicted numbers are passed over once the device has said so."""
    evicted = [device.batch(window(index)) for index in range(10)]
    last = device.batch(window(10))
    assert post(database, device, last).acknowledged == (Acknowledged(device.stream, None, (10,)),)
    gap = device.gap(device.stream, 0, 9)
    assert post(database, device, gap).acknowledged == (Acknowledged(device.stream, 11, ()),)
    assert post(database, device, evicted[3]).acknowledged == (Acknowledged(device.stream, 11, ()),)
    assert entries(database) == 2  # it did arrive after all, and counts: a gap never contradicts an envelope


def test_old_rows_are_forgotten_and_still_counted_once(database: Database, device: Device) -> None:
    """A month later the ledger's rows go, and a repetition of what they stood for changes nothing."""
    sealed = [device.batch(window(index)) for index in range(5)]
    post(database, device, *sealed)
    month_ms = 31 * 86_400_000
    assert retain(database, 1_800_000_100_000 + month_ms)["ledger"] == 5
    assert post(database, device, sealed[2], device.batch(window(5))).acknowledged == (Acknowledged(device.stream, 5, ()),)
    assert entries(database) == 6


def test_two_envelopes_under_one_number_are_a_conflict(database: Database, device: Device) -> None:
    """A cloned card: the second one is kept apart, counted nowhere, and not acknowledged."""
    twin = Device("door")
    post(database, device, device.batch(window(0, 5)))
    answer = post(database, device, twin.batch(window(0, 7)))
    assert answer.acknowledged == ()
    assert [(conflict.stream, conflict.seq) for conflict in answer.conflicts] == [(device.stream, 0)]
    assert entries(database) == 5
    assert len(database.rows("SELECT 1 FROM conflict")) == 1


def test_what_does_not_verify_is_set_aside_and_the_rest_goes_on(database: Database, device: Device) -> None:
    """Another device's envelope, a turned bit, another tenant's recipient: named in the answer, kept with a reason, not counted."""
    stranger = Device("stranger")
    good = device.batch(window(0, 1))
    turned = bytearray(device.batch(window(1, 1)))
    turned[len(turned) // 2] ^= 1
    answer = post(database, device, stranger.batch(window(2, 1)), good, bytes(turned))
    assert [refusal.index for refusal in answer.refused] == [0, 2]
    assert answer.acknowledged == (Acknowledged(device.stream, 0, ()),)
    assert entries(database) == 1
    assert len(database.rows("SELECT reason FROM quarantine")) == 2


def test_another_tenants_envelope_opens_nowhere_else(database: Database, device: Device) -> None:
    """Sealed to another recipient: refused although the signature holds."""
    other = OpeningKey.from_private_bytes(1, bytes(range(32)))
    envelope = device.batch(window(0))
    prepared = prepare(device.device, write_request([envelope]), device.key.public_key(), {other.key_id: other})
    assert commit(database, [prepared], 1)[0].refused[0].reason.startswith("sealed to a recipient")


def test_framing_that_is_wrong_takes_nothing(device: Device) -> None:
    """A request that does not parse is refused as a whole."""
    with pytest.raises(DataError):
        prepare(device.device, b"\0\0\0\2xx", device.key.public_key(), OPENINGS)


def test_the_ingest_tier_stores_and_the_opening_tier_counts_once(database: Database, device: Device) -> None:
    """Without a key everything is acknowledged and nothing is readable; two openers over one pile count each envelope once."""
    envelopes = [device.batch(window(index, 2)) for index in range(20)]
    answer = post(database, device, *envelopes, sealed=True)
    assert answer.acknowledged == (Acknowledged(device.stream, 19, ()),)
    assert entries(database) == 0
    keys = {device.device: device.key.public_key()}
    opened = [open_waiting(database, keys.get, OPENINGS, 5, 8) for _ in range(4)]
    assert opened == [8, 8, 4, 0]
    post(database, device, *envelopes, sealed=True)
    assert open_waiting(database, keys.get, OPENINGS, 6, 100) == 0
    assert entries(database) == 40


def test_a_transaction_that_fails_leaves_nothing(database: Database, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ledger and books stand or fall together: after a fault in between, the repetition counts in full."""
    envelope = device.batch(window(0, 4))

    def fail(*_: object) -> None:
        raise StorageError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr("collector.receive.books.apply", fail)
        with pytest.raises(StorageError):
            post(database, device, envelope)
    assert database.rows("SELECT 1 FROM ledger") == []
    post(database, device, envelope)
    assert entries(database) == 4


def test_hostile_names_are_only_names(database: Database, device: Device) -> None:
    """SQL and markup in every string stay text (T31)."""
    nasty = "x'); DROP TABLE ledger; --"
    post(database, device, device.batch(window(0, 1), site=nasty))
    assert database.rows("SELECT site FROM place WHERE kind = 'line'") == [(nasty,)]
    assert len(database.rows("SELECT 1 FROM ledger")) == 1

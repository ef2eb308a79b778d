"""Attacks that need more than bytes at random: somebody has a device's key, a copy of its card, or another tenant's mail."""

from __future__ import annotations

import ssl

import msgspec
import pytest

from collector.completeness import progress
from collector.database import Database
from collector.reading import Query, distributions, report
from collector.receive import commit, prepare
from firmware.errors import DataError
from firmware.events import Audit, LineCrossed, LineSums, Window, ZoneSums
from firmware.uplink.batch import Batch, to_bytes
from firmware.uplink.envelope import Header, open_envelope, seal
from firmware.uplink.exchange import write_request
from firmware.uplink.recipient import OpeningKey
from firmware.uplink.tls import tls_context
from tests.collector.conftest import *  # noqa: F403  # the two engines
from tests.collector.devices import OPENINGS, Device, crossing, window
from tests.collector.test_app import Running, running  # noqa: F401  # the process
from tests.uplink.letters import DEVICE_KEY, OPENING, OTHER_OPENING, header, letter

NASTY = (
    "x'); DROP TABLE ledger; --",
    '"; DELETE FROM line_window; --',
    "%s %(x)s ? :a $1",
    "a\u0000b",
    "\u202enoitcejni",
    "🙂" * 16,
    "' OR 1=1 --",
)


def redressed(envelope: bytes, **changed: object) -> bytes:
    """The sealed part under another header, signed anew by whoever has the device's key."""
    fields = msgspec.msgpack.decode(envelope[:-64])
    for name, value in changed.items():
        fields[Header.__struct_fields__.index(name)] = value
    said = msgspec.msgpack.encode(fields)
    return said + DEVICE_KEY.sign(b"passerby/1 envelope" + said)


@pytest.mark.parametrize(
    "changed",
    [
        {"seq": 5, "prev": b"p" * 16},
        {"stream": b"stream-9"},
        {"kind": 1},
        {"boot_ms": 1},
        {"wall_ms": 1},
        {"wall_quality": 4},
        {"boot": b"b" * 8},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_header_cannot_be_changed_even_with_the_devices_key(changed: dict[str, object]) -> None:
    """T21, T23: the signature can be made anew, but HPKE's info is the header as it was sealed."""
    with pytest.raises(DataError, match="does not open"):
        open_envelope(redressed(letter(), **changed), DEVICE_KEY.public_key(), OPENING[1])


@pytest.mark.parametrize("suite", [1, 2])
def test_another_tenants_mail_does_not_open_under_our_name(suite: int) -> None:
    """T23: as it is it names another recipient; renamed and signed anew, it was still sealed to another key."""
    theirs = letter(suite=suite)
    ours = OTHER_OPENING[suite]
    with pytest.raises(DataError, match="recipient"):
        open_envelope(theirs, DEVICE_KEY.public_key(), ours)
    with pytest.raises(DataError, match="does not open"):
        open_envelope(redressed(theirs, recipient=ours.key_id), DEVICE_KEY.public_key(), ours)


def test_a_suite_cannot_be_talked_down() -> None:
    """T24: a collector that published X-Wing opens nothing else: not a relabelled envelope, not one sealed to its X25519 half."""
    xwing = OPENING[2]
    relabelled = redressed(letter(suite=2), suite=1)
    half = OpeningKey.from_private_bytes(1, bytes(range(2, 34)))
    downgraded = seal(
        header(1),
        to_bytes(Batch(site="s", camera="c", disclosure="windows", model=b"", clock=header(1).stamp)),
        half.recipient(),
        DEVICE_KEY,
    )
    for envelope in (relabelled, downgraded, redressed(downgraded, suite=2), redressed(downgraded, recipient=xwing.key_id)):
        with pytest.raises(DataError):
            open_envelope(envelope, DEVICE_KEY.public_key(), xwing)


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_refused(version: int) -> None:
    """T24: whoever signed it."""
    with pytest.raises(DataError, match="version"):
        open_envelope(redressed(letter(), version=version), DEVICE_KEY.public_key(), OPENING[1])


def test_tls_cannot_be_talked_down(running: Running) -> None:  # noqa: F811
    """T24: a client that offers TLS 1.2 at most has no conversation."""
    keys = running.device("old")
    old = tls_context(keys.folder)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(OSError, match=r"(?i)protocol|alert|ssl"):
        running.post(b"x", old)


def test_a_cloned_card_is_seen(database: Database) -> None:
    """T25, T28: two boards with one identity and one numbering: the second's count is kept aside, and status says conflict."""
    first, twin = Device("door"), Device("door")
    first.enrol(database)
    for device, entries in ((first, 3), (twin, 4)):
        body = write_request([device.batch(window(index, entries)) for index in range(3)])
        (answer,) = commit(database, [prepare(device.device, body, device.key.public_key(), OPENINGS)], 1)
    assert len(answer.conflicts) == 3
    assert answer.acknowledged == ()
    assert progress(database)[0].conflicts == 3
    assert database.rows("SELECT sum(entries) FROM line_window") == [(9,)]


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_text_from_outside_is_only_text(database: Database, nasty: str) -> None:
    """T31: in every string that a device or an operator can set: site, camera, line, zone, event, device name, and a query's."""
    device = Device(nasty)
    with database.transaction():
        key = device.key.public_key().public_bytes_raw()
        stored = nasty.replace("\0", "")  # PostgreSQL's text holds no NUL
        database.run("INSERT INTO device (device, name, public) VALUES (?, ?, ?)", (device.device, stored, key))
    sums = Window(0, 15_000, (LineSums(nasty, 3),), (ZoneSums(nasty, "queue", 2),), Audit(15_000))
    batch = Batch(
        site=nasty,
        camera=nasty,
        disclosure="events",
        model=b"",
        clock=device.stamp(15_000),
        windows=(sums,),
        events=(LineCrossed(nasty, 5, "in", "settled"), crossing(6)),
    )
    if "\0" in nasty:
        with pytest.raises(DataError, match="NUL"):
            device.sealed(batch, 15_000)  # refused at both ends by the schema
        return
    body = write_request([device.sealed(batch, 15_000)])
    (answer,) = commit(database, [prepare(device.device, body, device.key.public_key(), OPENINGS)], 1)
    assert answer.acknowledged[0].through == 0
    found = report(database, Query(0, 2**53, 86_400_000, site=nasty, name=nasty))
    assert [(each.place.site, each.sums["entries"]) for each in found] == [(nasty, 3), (nasty, 2)]
    assert len(distributions(database, Query(0, 2**53, 86_400_000, site=nasty, name=nasty))) == 2
    assert len(database.rows("SELECT 1 FROM ledger")) == 1
    assert len(database.rows("SELECT 1 FROM event")) == 2

"""Keys and payloads that the uplink's tests share. Keys are fixed and worthless."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.events import Audit, LineCrossed, LineSums, OccupancyChanged, Window, ZoneEntered, ZoneLeft, ZoneSums
from firmware.health import UplinkHealth, VisionHealth
from firmware.uplink.batch import FOREVER, Anchor, Batch, Gap, Health, HourRollUp, Payload, Pulse, kind_of, to_bytes
from firmware.uplink.envelope import GENESIS, Header, Kind, Place, device_id, header_for, seal
from firmware.uplink.fold import About, roll_up
from firmware.uplink.recipient import OpeningKey
from firmware.uplink.stamp import Stamp, WallQuality, boot_tag

DEVICE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DEVICE = device_id(DEVICE_KEY.public_key())
OTHER_DEVICE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
OPENING = {suite: OpeningKey.from_private_bytes(suite, bytes(range(2, 34))) for suite in (1, 2)}
OTHER_OPENING = {suite: OpeningKey.from_private_bytes(suite, bytes(range(3, 35))) for suite in (1, 2)}
STREAM = b"stream-1"
FIRST = Place(STREAM, 0, GENESIS)
STAMP = Stamp(boot_tag("00000000-0000-0000-0000-000000000000", DEVICE), 123_456, 1_700_000_000_000, WallQuality.NTP)
PULSE = Pulse("running", 9800, "durable", 3, 0, 0)


def window(index: int = 0) -> Window:
    """One of a quiet door and a queue."""
    return Window(
        15_000 * index,
        15_000,
        lines=(LineSums("entrance", 3, 2, 3, 2), LineSums("back", 1)),
        zones=(
            ZoneSums("checkout", "queue", 3, 2, 30_000, 3, 45_000, (0, 0, 1, 1) + (0,) * 12),
            ZoneSums("display", "area", 2, 2, 10_000, 2, 40_000, (2,) + (0,) * 15),
        ),
        audit=Audit(15_000, 0, 150),
    )


EVENTS = (
    LineCrossed("entrance", 1_234_567, "in", "settled", False, 930, b"12345678"),
    ZoneEntered("display", 1_234_568, 2, False, 900, b"12345678"),
    ZoneLeft("checkout", 1_234_599, 34_000, outcome="served", pseudonym=b"12345678"),
    OccupancyChanged("checkout", 1_234_600, 2, 61_000),
)
BOX_EVENT = ZoneEntered("display", 1_234_568, 2, False, 900, b"12345678", (0.25, 0.5, 0.375, 1.0))
ABOUT = About("site-0042", "door", "events", b"modelsha", STAMP, PULSE)
BATCH = Batch(
    site="site-0042",
    camera="door",
    disclosure="events",
    model=b"modelsha",
    clock=STAMP,
    windows=(window(0), window(1)),
    events=EVENTS,
    health=PULSE,
)
HOUR: HourRollUp = roll_up(ABOUT, [window(index) for index in range(240)])
HEALTH = Health(
    site="site-0042",
    clock=STAMP,
    firmware="0.1.0",
    cameras=(VisionHealth("door", 123_000, "running", frames=1230, fps_permille=9800, stage_us={"detect": 41_000, "track": 90}),),
    uplink=UplinkHealth(spooled=3, spool_bytes=3072, acknowledged=10, last_ack_age_s=12.5, last_error="no answer"),
)
ANCHOR = Anchor(reason="ntp", clock=STAMP, error_ms=40)
GAP = Gap(clock=STAMP, stream=STREAM, first=7, last=FOREVER, reason="ended")
PAYLOADS: dict[str, Payload] = {"batch": BATCH, "hour": HOUR, "health": HEALTH, "anchor": ANCHOR, "gap": GAP}


def header(suite: int = 1, kind: Kind = Kind.BATCH, place: Place = FIRST) -> Header:
    """A header from the fixed device to the fixed recipient."""
    return header_for(kind, place, STAMP, OPENING[suite].recipient(), DEVICE)


def letter(payload: Payload = BATCH, suite: int = 1, place: Place = FIRST) -> bytes:
    """An envelope of the fixed device."""
    return seal(header(suite, kind_of(payload), place), to_bytes(payload), OPENING[suite].recipient(), DEVICE_KEY)

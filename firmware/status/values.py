"""What the page and the API show: frozen values, encoded as JSON and nothing else.

Rules: integers and words about places, never about a person; ages in seconds instead of times of day, for the device's wall
clock may be wrong and the viewer's is not. The OpenAPI description is made from these types. Where the numbers come from is
`firmware.page`'s.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from firmware.config import LineConfig, ZoneConfig
from firmware.events import Window
from firmware.health import LiveNumbers

State = Literal["running", "degraded"]
Wall = Literal["enforced", "weaker", "open", "unknown"]
FEET_MAX = 256  # what one message of vision may hold


class PublicStatus(msgspec.Struct, frozen=True):
    """What anybody on the network may know: whether it works, which build, and the facts of the privacy notice."""

    state: State
    build: str
    purpose: str
    disclosure: str
    description: str = "/api/openapi.json"


class CameraHealth(msgspec.Struct, frozen=True):
    """How one camera is. `observed_s` and `blind_s` are of the last day; `open` holds the sums of the window not yet closed."""

    name: str
    state: str
    reason: str
    live: LiveNumbers
    open: Window | None
    frames_per_s: float
    frames: int
    dropped_frames: int
    observed_s: float
    blind_s: float
    restarts: int
    model: str
    model_sha256: str
    runtime: str
    fallback: bool
    wall: Wall
    stage_ms: dict[str, float]


class Delivery(msgspec.Struct, frozen=True):
    """Spool and collector. `last_ack_age_s` is None until something was acknowledged."""

    configured: bool
    waiting: int = 0
    spool_bytes: int = 0
    spool_bytes_max: int = 0
    acknowledged: int = 0
    last_ack_age_s: float | None = None
    last_error: str = ""
    storage: str = ""
    bytes_sent: int = 0


class Status(msgspec.Struct, frozen=True):
    """Everything of this second, for who has the token."""

    site: str
    state: State
    build: str
    uptime_s: float
    clock: str
    temperature_c: float | None
    disclosure: str
    presence_left_s: float
    faults: tuple[str, ...]
    cameras: tuple[CameraHealth, ...]
    delivery: Delivery
    sent: int  # how many payloads left the page's memory or are in it: a higher number means there is something new
    history: int  # how many windows the curves are made of: likewise


class Row(msgspec.Struct, frozen=True):
    """One line or zone in the curves. `cells` are [slot, entries, exits, most at once, waits, wait_s], without the empty ones."""

    camera: str
    kind: Literal["line", "area", "queue"]
    name: str
    cells: list[tuple[int, int, int, int, int, int]]


class History(msgspec.Struct, frozen=True):
    """The last seven days, in slots of `slot_s`; slot 0 is the one of now and began `age_s` ago, slot n began n slots earlier."""

    slot_s: int
    age_s: float
    slots: int
    rows: tuple[Row, ...]
    seen: list[tuple[int, int, int]]  # [slot, observed_s, blind_s] of all cameras together


class Sent(msgspec.Struct, frozen=True):
    """One payload as it was sealed: `content` is what only the collector can open, in clear."""

    stream: str
    seq: int
    kind: str
    bytes: int
    age_s: float
    acknowledged: bool
    content: dict[str, Any]


class SentList(msgspec.Struct, frozen=True):
    """The newest payloads, newest first. They are in memory only, and are gone when the device restarts."""

    payloads: tuple[Sent, ...]


class Feet(msgspec.Struct, frozen=True):
    """Where people stand now on one camera's plane: (x, y) in thousandths of the view. No ids: nobody can be followed by them."""

    camera: str
    points: tuple[tuple[int, int], ...]


class Geometry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The lines and zones of one camera, as in the configuration."""

    camera: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    line: Annotated[tuple[LineConfig, ...], msgspec.Meta(max_length=16)] = ()
    zone: Annotated[tuple[ZoneConfig, ...], msgspec.Meta(max_length=32)] = ()


class Plane(msgspec.Struct, frozen=True):
    """A camera's view: width over height, how tall people are at its top and bottom edge, what is drawn on it."""

    aspect: float
    person_height_share: tuple[float, float]
    geometry: Geometry


class Planes(msgspec.Struct, frozen=True):
    """All cameras' views; `writable` says whether this device can keep a new configuration."""

    cameras: tuple[Plane, ...]
    writable: bool


class Remark(msgspec.Struct, frozen=True):
    """A finding of the geometry checks; `kind` and `index` name the line or zone it is about, if it is about one."""

    level: Literal["error", "warning", "note"]
    rule: str
    what: str
    hint: str
    kind: Literal["", "line", "zone"] = ""
    index: int = -1


class Checked(msgspec.Struct, frozen=True):
    """What the checks say of a geometry; only one without errors is saved."""

    good: bool
    remarks: tuple[Remark, ...]


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token on the label."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class SessionStatus(msgspec.Struct, frozen=True):
    """Whether this browser has a session, what its writes must carry in X-Passerby-CSRF, and for how long both hold."""

    authenticated: bool
    csrf: str = ""
    left_s: float = 0.0
    presence_left_s: float = 0.0


class Done(msgspec.Struct, frozen=True):
    """It was done."""

    done: bool = True


class Refusal(msgspec.Struct, frozen=True):
    """It was not: `error` is a stable word, `what` says it to people."""

    error: str
    what: str

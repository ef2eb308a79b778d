"""Where things stand that are not people: the frozen map that `analytics.still_map` learns, and the daemon keeps over a restart.

Foot point and height of mannequins and posters, and for how long they were seen; never of a person. Left to others: how it
is learned, and where it is kept (`firmware.still_store`).
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

PLACES_MAX: Final = 64  # a fashion shop's window holds a dozen; the one seen longest ago gives way

Share = Annotated[float, msgspec.Meta(ge=-1.0, le=2.0)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0)]


class StillPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a thing stands: foot point and box height in 0..1; seconds seen while closed, and since it was last seen."""

    x: Share
    y: Share
    height: Annotated[float, msgspec.Meta(gt=0.0, le=4.0)]
    seen_s: Seconds = 0.0
    missed_s: Seconds = 0.0


class StillMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is known to stand still, at most PLACES_MAX places; `msgspec.json` writes and reads it."""

    places: Annotated[tuple[StillPlace, ...], msgspec.Meta(max_length=PLACES_MAX)] = ()

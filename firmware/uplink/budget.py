"""How many bytes a camera seals in a day at most, published so that anybody with a router can hold us to it (privacy check V2).

Measured over 24 simulated hours of the busiest shop (`python -m benchmarks.byte_budget`), rounded up: what a quiet shop seals
is most of it already, for envelopes are padded. One small still of 10 KB a minute would not fit beside it. After days
offline more than a day's budget is sent in a day: it was sealed in those days, and its clocks say so.
"""

from __future__ import annotations

from typing import Final

from firmware.events import Disclosure

DAY_BYTES_MAX: Final[dict[Disclosure, int]] = {"windows": 3_000_000, "events": 12_000_000, "boxes": 16_000_000}
"""Of one camera, with the default flush of 30 s and windows of 15 s, headers and signatures included, TLS and HTTP not."""

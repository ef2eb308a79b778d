"""Helpers of the spool's tests: a spool on a modelled card, and what it offers."""

from __future__ import annotations

import os
from collections.abc import Callable

from firmware.uplink.envelope import Place
from firmware.uplink.segment import LaneLimits, LaneName
from firmware.uplink.spool import Spool, SpoolLimits
from tests.uplink.crash_model import OWNER, Sealer, Truth, gap_of, offered
from tests.uplink.model_card import SECTOR, ModelFolder

LIMITS = SpoolLimits(LaneLimits(16 * SECTOR, 4), LaneLimits(16 * SECTOR, 4), 0)
LANES: tuple[LaneName, ...] = ("batches", "keep")


def opened(folder: ModelFolder, limits: SpoolLimits = LIMITS, owner: bytes = OWNER) -> Spool:
    return Spool.open(folder, limits, owner, os.urandom, Sealer(Truth(), []).gap)


def sealed(envelope: bytes) -> Callable[[Place], bytes]:
    return lambda place: envelope


def filled(spool: Spool, count: int, size: int = 480, lane: LaneName = "batches") -> list[bytes]:
    """So many envelopes, each flushed."""
    envelopes = [index.to_bytes(4, "big") * (size // 4) for index in range(count)]
    for envelope in envelopes:
        spool.put(lane, sealed(envelope))
        spool.flush()
    return envelopes


def gaps(spool: Spool) -> list[tuple[bytes, int, int]]:
    return [gap for envelope in offered(spool).values() if (gap := gap_of(envelope))]

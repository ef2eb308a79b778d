"""What the tracker hands on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from firmware.vision.track import Tracks


def test_tracks_are_frozen() -> None:
    """What crosses a module cannot be changed by whoever gets it."""
    tracks = Tracks(0.0, np.zeros(0, np.int64), np.zeros((0, 4)), *(np.zeros(0),) * 3, np.zeros((0, 4)), np.zeros(0))  # type: ignore[arg-type]
    assert tracks.ended == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        tracks.t_s = 1.0  # type: ignore[misc]

"""Whatever arrives, decoders refuse it or take it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_fuzzed_decoders_stay_small() -> None:
    """100,000 mutated payloads, envelopes and segments: refused or accepted, never another exception, memory grows by less than 32 MiB."""
    done = subprocess.run([sys.executable, "-m", "tests.uplink.fuzz_decoders", "100000", "1"], capture_output=True, text=True, check=True)
    tally = json.loads(done.stdout)
    assert tally["cases"] == 100_000 == tally["refused"] + tally["accepted"]
    assert (tally["other"], done.stderr) == (0, "")
    assert tally["refused"] > 60_000
    assert tally["grown_bytes"] < 32 * 1024 * 1024

"""The compiled kernels and the same code in plain Python agree to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.vision.kernels_digest import digest


def test_same_bytes_without_the_compiler() -> None:
    """Resize, every decoder, tiles and suppression: identical results with NUMBA_DISABLE_JIT=1."""
    root = Path(__file__).parents[2]
    plain = subprocess.run(
        [sys.executable, "-m", "tests.vision.kernels_digest"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert plain.stdout.strip() == digest()

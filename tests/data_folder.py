"""Where the clips, models and pictures lie, and the skip for machines without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("PASSERBY_DATA", Path(__file__).resolve().parents[1] / ".." / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the data folder is missing (PASSERBY_DATA, else {DATA})")

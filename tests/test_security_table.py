"""docs/security-tests.md is held against the tests that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "security-tests.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


@pytest.mark.parametrize("number", [*range(1, 34), 42, 43, 44])
def test_every_attack_has_its_tests(number: int) -> None:
    """A row, and at least one test named in it."""
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| T{number} |")]
    assert NAMED.findall(row)


def test_every_named_test_is_there() -> None:
    """In a file of that name, under that name."""
    for file, name in NAMED.findall(TEXT):
        found = [
            path
            for path in (ROOT / "tests").rglob(file)
            if re.search(rf"^(async )?def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE)
        ]
        assert found, f"{file}::{name}"

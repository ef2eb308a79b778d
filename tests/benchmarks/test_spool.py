"""The figures of the spool are figures, and the attacker in them is a real one."""

from __future__ import annotations

from pathlib import Path

from benchmarks import spool
from tests.uplink import letters


def test_the_device_opens_nothing_of_its_own_spool(tmp_path: Path) -> None:
    """With its private key, every file of the spool and every 32 bytes in them as an opening key: no envelope opens."""
    assert spool._opened_by_the_device(tmp_path) == 0


def test_the_attacker_would_notice_the_right_key() -> None:
    """The same attempt with the collector's key opens the envelope: the test above could fail."""
    for suite in (1, 2):
        assert spool._opens(letters.letter(suite=suite), suite, bytes(range(2, 34)))
        assert not spool._opens(letters.letter(suite=suite), suite, bytes(range(3, 35)))


def test_cost_figures_are_measured() -> None:
    """Each has a name of its own, a value, and holds."""
    figures = list(spool._envelope_cost())
    assert len({figure.name for figure in figures}) == len(figures) > 6
    assert all(figure.value > 0 and figure.holds for figure in figures)

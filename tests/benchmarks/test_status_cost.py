"""The figures of the page's cost are measured, and would notice work."""

from __future__ import annotations

import time

from benchmarks import status_cost


def test_figures_hold() -> None:
    """Each has a name of its own; nobody looking costs nothing that could be measured in a frame."""
    figures = list(status_cost.figures(quick=True))
    assert len({figure.name for figure in figures}) == len(figures) == 5
    assert all(figure.holds for figure in figures)


def test_work_in_each_frame_would_be_noticed() -> None:
    """A sink that takes twenty microseconds a frame is beyond the bound."""

    class Busy(status_cost.Silent):
        async def take(self, camera: str, events: object, windows: object) -> None:  # type: ignore[override]
            until_s = time.perf_counter() + 20e-6
            while time.perf_counter() < until_s:
                pass

    extra = status_cost.us_a_frame(Busy(), 20) - status_cost.us_a_frame(status_cost.Silent(), 20)
    assert extra > status_cost.FRAME_US_MAX

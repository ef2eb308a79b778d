"""Progress: every item passes, and nothing is drawn where nobody watches."""

from __future__ import annotations

import pytest

from firmware.commands.progress import bar, tracked


def test_items_pass_and_a_pipe_stays_clean(capfd: pytest.CaptureFixture[str]) -> None:
    """All items come out in order; on a pipe neither stream gets a byte."""
    assert list(tracked([3, 1, 2], "counting")) == [3, 1, 2]
    assert capfd.readouterr() == ("", "")
    assert bar().disable

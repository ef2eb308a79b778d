"""Findings with their places in the file. What people see of them is in test_check.py."""

from __future__ import annotations

import pytest

from firmware.commands.remarks import geometry_remarks, remarks_of, warn_of_geometry
from firmware.config import examine

SHOP = """site = "demo"
opening_hours = "24/7"
[[camera]]
name = "door"
source = "sim:"
[[camera.line]]
name = "a"
start = [0.1, 0.7]
[[camera.line]]
name = "b"
start = [0.1, 0.98]
end = [0.9, 0.98]
"""


def test_faults_come_before_geometry_each_on_its_line() -> None:
    """The first line has no end; the second, which could be read, cannot be cleared."""
    assert [(one.rule, one.line) for one in remarks_of(examine(SHOP))] == [("faulty", 6), ("line_near_edge", 9)]


def test_what_could_not_be_read_is_not_missing() -> None:
    """A camera whose only line is faulty is not told that it counts nothing."""
    text = SHOP[: SHOP.rindex("[[camera.line]]")]
    assert [one.rule for one in remarks_of(examine(text))] == ["faulty"]
    assert [one.rule for one in remarks_of(examine(text[: text.rindex("[[camera.line]]")]))] == ["counts_nothing"]


def test_a_text_that_is_no_configuration_has_no_geometry() -> None:
    """Only its faults."""
    assert geometry_remarks(examine("site = ")) == []
    assert len(remarks_of(examine("site = "))) == 1


def test_a_remark_is_one_line_as_compilers_write_it() -> None:
    """`file:line: level: what; hint`, so that editors jump to it."""
    assert remarks_of(examine(SHOP))[0].text("shop.toml") == (
        'shop.toml:6: error: end is missing in line "a" of camera "door"; add end = [x, y]'
    )


def test_a_device_that_starts_says_what_will_count_badly_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, without notes."""
    text = SHOP.replace("start = [0.1, 0.7]\n", "start = [0.1, 0.7]\nend = [0.9, 0.7]\n").replace("sim:", "rtsp://10.0.0.7/1")
    warn_of_geometry(text, "shop.toml")
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(" ")[0] for line in err.splitlines()] == ["shop.toml:10:"]

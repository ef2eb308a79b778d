"""Corals in sight: read from the system's files, and judged by their link."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.vision.coral import find_corals, missing_library, slow_reason


def plug(root: Path, name: str, vendor: str, product: str, speed: str) -> None:
    folder = root / "sys/bus/usb/devices" / name
    folder.mkdir(parents=True)
    for file, text in (("idVendor", vendor), ("idProduct", product), ("speed", speed)):
        (folder / file).write_text(f"{text}\n")


@pytest.mark.parametrize("ids", [("18d1", "9302"), ("1a6e", "089a")])
def test_usb_coral_is_found_before_and_after_its_firmware(tmp_path: Path, ids: tuple[str, str]) -> None:
    """Under either of its two numbers, among other devices, with its speed."""
    plug(tmp_path, "2-1", *ids, "5000")
    plug(tmp_path, "1-1", "046d", "c52b", "12")
    (found,) = find_corals(tmp_path)
    assert (found.where, found.mbit) == ("USB 2-1 at 5000 Mbit/s", 5000)
    assert slow_reason(found) == ""


def test_usb_2_is_no_help(tmp_path: Path) -> None:
    """At 480 Mbit/s, and at an unknown speed, it is refused with the number."""
    plug(tmp_path, "1-2", "18d1", "9302", "480")
    plug(tmp_path, "1-3", "18d1", "9302", "")
    assert ["480" in slow_reason(c) or "0 Mbit" in slow_reason(c) for c in find_corals(tmp_path)] == [True, True]


def test_pcie_is_fast_enough(tmp_path: Path) -> None:
    """An apex device needs no speed."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/apex_0").touch()
    (found,) = find_corals(tmp_path)
    assert slow_reason(found) == ""


def test_none_is_none(tmp_path: Path) -> None:
    """A machine without the folders has none; a library that is not there is named."""
    assert find_corals(tmp_path) == ()
    assert "libnone.so.9" in missing_library("libnone.so.9")
    assert missing_library("libc.so.6") == ""

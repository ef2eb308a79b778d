"""Corals in sight: what the system's files say of them, and why one would be no help.

A Coral on a USB 2 port takes 50 to 80 ms for a model that a Raspberry Pi 5 runs on its CPU in 24, so its speed is read
before it is used. Nothing is opened here; driving one is left to `firmware.vision.edgetpu`.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LIBRARY: Final = "libedgetpu.so.1"
_USB_IDS: Final = {("18d1", "9302"), ("1a6e", "089a")}  # the second until its firmware is loaded, by the first use
_MBIT_MIN: Final = 5000  # USB 3.0; USB 2 is 480


@dataclass(frozen=True, slots=True)
class Coral:
    """One accelerator.

    Attributes:
        where: how it is connected, for people.
        mbit: speed of its USB link in Mbit/s; None for PCIe, which is always fast enough.
    """

    where: str
    mbit: int | None


def find_corals(root: Path = Path("/")) -> tuple[Coral, ...]:
    """Every Coral the kernel shows below root: USB by vendor and product, PCIe by its driver's device."""
    found = []
    for device in sorted(root.glob("sys/bus/usb/devices/*")):
        if (_word(device / "idVendor"), _word(device / "idProduct")) in _USB_IDS:
            speed = _word(device / "speed")
            mbit = int(speed) if speed.isdigit() else 0
            found.append(Coral(f"USB {device.name} at {speed or 'unknown'} Mbit/s", mbit))
    return (*found, *(Coral(f"PCIe {path.name}", None) for path in sorted(root.glob("dev/apex_*"))))


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def slow_reason(coral: Coral) -> str:
    """Why its link is too slow to help; empty when it is not."""
    if coral.mbit is None or coral.mbit >= _MBIT_MIN:
        return ""
    return f"USB 2 speed ({coral.mbit} Mbit/s), at which the CPU is as fast"


def missing_library(library: str = LIBRARY) -> str:
    """Why the delegate's library cannot be loaded; empty when it can."""
    try:
        ctypes.CDLL(library)
    except OSError as error:
        return str(error).splitlines()[0]
    return ""

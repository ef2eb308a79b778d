"""Findings about a configuration with their places in its file: what `passerby check` prints and `passerby run` warns of.

Left to others: what is found (`firmware.struct_reader`, `firmware.config_rules`, `firmware.analytics.geometry_check`).
"""

from __future__ import annotations

import sys
from typing import Final, NamedTuple

from firmware.config import Examined, examine
from firmware.struct_reader import line_of
from firmware.toml_lines import Path

LEVELS: Final = ("error", "warning", "note")
_ABOUT_ABSENCE: Final = ("no_camera", "counts_nothing", "no_opening_hours", "no_service_side", "uplink_incomplete")


class Remark(NamedTuple):
    """A finding with its place in the file."""

    level: str
    rule: str
    line: int
    what: str
    hint: str

    def text(self, filename: str) -> str:
        return f"{filename}:{self.line}: {self.level}: {self.what}" + (f"; {self.hint}" if self.hint else "")


def remarks_of(examined: Examined, aspect: float | None = None) -> list[Remark]:
    """Faults first, then geometry in the order of the file; `aspect` is the pictures' width over height, None: by their source."""
    faults = [Remark("error", "faulty", fault.line, fault.what, fault.hint) for fault in examined.faults]
    return faults + geometry_remarks(examined, aspect)


def geometry_remarks(examined: Examined, aspect: float | None = None) -> list[Remark]:
    """What `check_config` finds in what could be read. What could not be read is not missing."""
    if examined.config is None:
        return []
    from firmware.analytics.geometry_check import check_config

    found = check_config(examined.config, aspect)
    if examined.faults:
        found = tuple(finding for finding in found if finding.rule not in _ABOUT_ABSENCE)
    places = [(finding, line_of(examined.lines, _in_file(finding.path, examined))) for finding in found]
    remarks = [Remark(finding.level, finding.rule, line, finding.what, finding.hint) for finding, line in places]
    return sorted(remarks, key=lambda remark: (remark.line, LEVELS.index(remark.level)))


def warn_of_geometry(text: str, filename: str) -> None:
    """Say on standard error what will count badly, and go on: a device that counts one door of two is better than none."""
    for remark in geometry_remarks(examine(text)):
        if remark.level != "note":
            print(remark.text(filename), file=sys.stderr)


def _in_file(path: Path, examined: Examined) -> Path:
    """A path in the configuration as a path in the file, where unreadable tables may stand between."""
    out: Path = ()
    for step in path:
        out = (*out, examined.kept[out][step] if isinstance(step, int) and out in examined.kept else step)
    return out

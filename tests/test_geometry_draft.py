"""Drafts of lines and zones: nothing else in the file changes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from firmware.commissioning.config_store import ConfigStore
from firmware.config import LineConfig, ZoneConfig, parse
from firmware.daemon import Source
from firmware.errors import ConfigError
from firmware.geometry_draft import Drafts, with_geometry
from firmware.status.values import Geometry

TEXT = """# our shop
site = "test"   # by the station

[[camera]]
name = "door"
source = "v4l2:/dev/video0"

[[camera.line]]   # the old one
name = "old"
start = [0.1, 0.6]
end = [0.9, 0.6]
dead_band_share = 0.2

[camera.tracker]
confirm_s = 0.4  # slow camera

[[camera]]
name = "till"
source = "v4l2:/dev/video1"
[[camera.zone]]
name = "queue"
kind = "queue"
polygon = [[0.1, 0.5], [0.9, 0.5], [0.9, 0.9]]

[uplink]
flush_s = 60.0
"""
LINE = LineConfig('new "one"\\ \u00fc', (0.123456, 0.6), (0.9, 0.61), "right", settle_s=2.0, door=False)
ZONE = ZoneConfig("shelf", ((0.2, 0.4), (0.6, 0.4), (0.6, 0.9)), dwell_s_min=3.5)


@pytest.mark.parametrize("camera", ["door", "till"])
@pytest.mark.parametrize(("lines", "zones"), [((LINE,), (ZONE,)), ((), ()), ((), (ZONE, replace(ZONE, name="b"))), ((LINE,), ())])
def test_only_lines_and_zones_of_that_camera_change(camera: str, lines: tuple[LineConfig, ...], zones: tuple[ZoneConfig, ...]) -> None:
    """Everything else parses as before, and the comments stand."""
    text = with_geometry(TEXT, Geometry(camera, lines, zones))
    before, after = parse(TEXT, "a"), parse(text, "b")
    changed = {each.name: each for each in after.camera}[camera]
    assert [line.name for line in changed.line] == [line.name for line in lines]
    assert [zone.polygon for zone in changed.zone] == [zone.polygon for zone in zones]
    same = replace(after, camera=tuple(replace(a, line=b.line, zone=b.zone) for a, b in zip(after.camera, before.camera, strict=True)))
    assert same == before
    for comment in ("# our shop", "# by the station", "# slow camera"):
        assert comment in text


def test_saving_twice_changes_nothing_the_second_time() -> None:
    """The text is stable: a file does not grow with every visit of the page."""
    once = with_geometry(TEXT, Geometry("door", (LINE,), (ZONE,)))
    assert with_geometry(once, Geometry("door", (LINE,), (ZONE,))) == once


def test_what_is_not_shown_on_the_page_is_kept() -> None:
    """A line keeps its dead band, because the page gives back what it got."""
    kept = parse(TEXT, "a").camera[0].line
    assert parse(with_geometry(TEXT, Geometry("door", kept, ())), "b").camera[0].line[0].dead_band_share == 0.2


@pytest.mark.parametrize(
    "text",
    [
        'site = "a"\ncamera = [{name = "door", source = "sim:", line = []}]\n',
        'site = "a"\n[[camera]]\nname = "door"\nsource = "sim:"\nline = [{name = "x", start = [0.1, 0.6], end = [0.9, 0.6]}]\n',
    ],
)
def test_a_file_that_is_written_otherwise_is_left_alone(text: str) -> None:
    """Inline tables cannot be edited here: told, not mangled."""
    with pytest.raises(ConfigError, match="cannot be edited"):
        with_geometry(text, Geometry("door", (LINE,), ()))


class FakeDaemon:
    def __init__(self, text: str, accepts: bool = True) -> None:
        self.source, self.accepts, self.applied = Source(parse(text, "a.toml"), text, "a.toml"), accepts, 0

    async def apply(self, source: Source) -> bool:
        self.applied += 1
        self.source = source if self.accepts else self.source
        return self.accepts


def drafts(daemon: Any, store: ConfigStore | None = None) -> Drafts:
    return Drafts(daemon, store)


async def test_a_good_draft_is_written_and_counted_by(tmp_path: Path) -> None:
    """Checked, saved whole, applied."""
    path = tmp_path / "a.toml"
    path.write_text(TEXT)
    daemon = FakeDaemon(TEXT)
    checked = await drafts(daemon, ConfigStore(path)).save(Geometry("door", (LINE,), (ZONE,)))
    assert (checked.good, daemon.applied) == (True, 1)
    assert parse(path.read_text(), "a").camera[0].zone == (ZONE,)
    assert daemon.source.text == path.read_text()


async def test_a_draft_with_an_error_is_not_written(tmp_path: Path) -> None:
    """A zone that crosses itself: the finding names it, the card keeps the old one."""
    path = tmp_path / "a.toml"
    path.write_text(TEXT)
    daemon = FakeDaemon(TEXT)
    bow = replace(ZONE, name="bow", polygon=((0.2, 0.4), (0.6, 0.9), (0.6, 0.4), (0.2, 0.9)))
    checked = await drafts(daemon, ConfigStore(path)).save(Geometry("door", (LINE,), (ZONE, bow)))
    assert (checked.good, daemon.applied, path.read_text()) == (False, 0, TEXT)
    found = [(each.kind, each.index) for each in checked.remarks if each.rule == "zone_crosses_itself"]
    assert found == [("zone", 1)]


async def test_two_names_alike_are_a_fault(tmp_path: Path) -> None:
    """What the parser refuses is a finding too, without the name of a file that is none."""
    checked = drafts(FakeDaemon(TEXT)).check(Geometry("door", (LINE, LINE), ()))
    assert not checked.good
    assert checked.remarks[0].rule == "faulty"
    assert "draft" not in checked.remarks[0].what


async def test_what_needs_a_restart_says_so() -> None:
    """The daemon refuses: nobody is told that it counts."""
    with pytest.raises(ConfigError, match="restart"):
        await drafts(FakeDaemon(TEXT, accepts=False)).save(Geometry("door", (LINE,), ()))


async def test_a_file_with_faults_is_not_written_over(tmp_path: Path) -> None:
    """Safe mode: what somebody wrote and mistyped is still theirs to mend."""
    path = tmp_path / "a.toml"
    path.write_text("mistyped")
    daemon = FakeDaemon(TEXT)
    daemon.source = Source(daemon.source.config, TEXT, "a.toml.good", ("a.toml:1: a fault",))
    with pytest.raises(ConfigError, match="mend the file"):
        await drafts(daemon, ConfigStore(path)).save(Geometry("door", (LINE,), ()))
    assert path.read_text() == "mistyped"
    assert not drafts(daemon).planes().writable


def test_planes_say_how_the_view_is() -> None:
    """Aspect, the people in it, what is drawn; and no source, which may hold a password."""
    first, _ = drafts(SimpleNamespace(source=Source(parse(TEXT, "a"), TEXT, "a"))).planes().cameras
    assert (first.aspect, first.geometry.camera, len(first.geometry.line)) == (4 / 3, "door", 1)
    assert not hasattr(first, "source")


def test_an_unknown_camera_is_a_fault() -> None:
    """Told by name."""
    with pytest.raises(ConfigError, match="nowhere"):
        with_geometry(TEXT, Geometry("nowhere"))

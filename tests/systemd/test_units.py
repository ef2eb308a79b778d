"""The units: how much they leave open by systemd's own judgement, that they are well formed, and that they fit our code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.exposure import bound, exposure
from firmware.daemon import FRESH_S
from firmware.sight import SILENT_S_MAX, START_S_MAX
from firmware.supervisor import STOP_S_MAX

FOLDER = Path(__file__).parent.parent.parent / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
SOCKETS = sorted(FOLDER.glob("*.socket"))
DAEMON, VISION = FOLDER / "passerby-daemon.service", FOLDER / "passerby-vision@.service"

needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze: apt-get install systemd")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the fragments set owners")


def said(*command: str | Path, check: bool = True) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=120)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def directives(unit: Path) -> dict[str, list[str]]:
    """Every assignment, in order; a unit may repeat a key, which configparser does not know."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def seconds(text: str) -> float:
    for unit, length_s in (("min", 60), ("s", 1)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * length_s
    return float(text)


@needs_analyze
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_exposure_is_within_its_bound(unit: Path) -> None:
    """By `systemd-analyze security --offline=true`, as the design asks; the figure is printed."""
    measured = exposure(unit)
    print(json.dumps({"name": f"exposure of {unit.name}", "value": measured, "bound": bound(unit)}))
    assert measured <= bound(unit)


@needs_analyze
def test_a_unit_without_protection_is_beyond_the_bound(tmp_path: Path) -> None:
    """The measure tells them apart."""
    bare = tmp_path / "bare.service"
    bare.write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
    assert exposure(bare) > 9.0


@needs_analyze
@pytest.mark.parametrize("unit", [*UNITS, *SOCKETS], ids=lambda unit: unit.name)
def test_a_unit_verifies(unit: Path, tmp_path: Path) -> None:
    """systemd finds nothing to remark, once the program is where the unit looks for it."""
    (tmp_path / "bin").mkdir()
    for program in ("passerby", "passerby-collector", "python"):
        (tmp_path / "bin" / program).symlink_to("/bin/true")
    for each in (*UNITS, *SOCKETS):
        text = each.read_text(encoding="utf-8").replace("/opt/passerby/", f"{tmp_path}/")
        (tmp_path / each.name).write_text(text, encoding="utf-8")
    assert said("systemd-analyze", "verify", "--man=no", tmp_path / unit.name.replace("@.", "@0.")) == ""


@needs_analyze
def test_verification_can_fail(tmp_path: Path) -> None:
    """A misspelt directive is found: the gate above is not blind."""
    wrong = tmp_path / "wrong.service"
    wrong.write_text("[Service]\nExecStart=/bin/true\nProtectSytem=strict\n", encoding="utf-8")
    assert "ProtectSytem" in said("systemd-analyze", "verify", "--man=no", wrong, check=False)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_program_is_one_we_install(unit: Path) -> None:
    """ExecStart names a script of pyproject.toml, with a configuration whose absence keeps the unit quiet."""
    words = directives(unit)["ExecStart"][0].split()
    if unit == VISION:
        assert words[1:] == ["-m", "firmware.vision.process", "--socket", directives(SOCKETS[0])["ListenStream"][0]]
        assert directives(unit)["ConditionPathExists"] == directives(DAEMON)["ConditionPathExists"]
        return
    scripts = (FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8").split("[project.scripts]")[1].split("\n\n")[0]
    assert f"{Path(words[0]).name} = " in scripts
    assert directives(unit)["ConditionPathExists"] == [words[words.index("--config") + 1]]


def test_the_service_manager_is_more_patient_than_the_daemon() -> None:
    """Whatever the daemon heals by itself, systemd must not interrupt."""
    unit = directives(DAEMON)
    assert seconds(unit["TimeoutStartSec"][0]) > START_S_MAX
    assert seconds(unit["WatchdogSec"][0]) > START_S_MAX + SILENT_S_MAX + FRESH_S
    assert seconds(unit["TimeoutStopSec"][0]) > 2 * STOP_S_MAX


def test_a_vision_that_hangs_is_ended_within_seconds() -> None:
    """Its watchdog and its restart together leave most of ten seconds for the start; its first start may compile for minutes."""
    unit = directives(VISION)
    assert seconds(unit["WatchdogSec"][0]) + seconds(unit["RestartSec"][0].replace("500ms", "0.5")) <= 6.0
    assert unit["WatchdogSignal"] == ["SIGKILL"]
    assert seconds(unit["TimeoutStartSec"][0]) > START_S_MAX
    assert unit["Restart"] == ["always"]


def test_vision_has_no_network_and_the_daemon_no_camera() -> None:
    """By the kernel, in both units, as two users."""
    vision, daemon = directives(VISION), directives(DAEMON)
    assert vision["PrivateNetwork"] == ["yes"]
    assert vision["IPAddressDeny"] == ["any"]
    assert "AF_INET" not in vision["RestrictAddressFamilies"][0]
    assert (daemon["PrivateDevices"], "DeviceAllow" in daemon, "SupplementaryGroups" in daemon) == (["yes"], False, False)
    assert vision["User"] != daemon["User"]


def test_only_vision_may_come_to_the_wall() -> None:
    """The socket's group, the daemon's question to the kernel and vision's user are one; the kernel can answer it."""
    wall, vision, daemon = directives(SOCKETS[0]), directives(VISION), directives(DAEMON)
    assert (wall["SocketGroup"], wall["SocketMode"]) == (vision["Group"], ["0660"])
    words = daemon["ExecStart"][0].split()
    assert words[words.index("--vision-user") + 1] == vision["User"][0]
    assert "PrivateUsers" not in daemon  # other users would all be nobody
    assert wall["Service"] == [DAEMON.name]


def test_no_counts_reach_the_journal() -> None:
    """`passerby run` prints what it counts; on the card counts lie sealed only."""
    assert directives(DAEMON)["StandardOutput"] == ["null"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_nothing_of_memory_reaches_a_disk(unit: Path) -> None:
    """No core dump, no swap, no lasting temporary file, no capability."""
    found = directives(unit)
    assert found["LimitCORE"] == ["0"]
    assert found["MemorySwapMax"] == ["0"]
    assert found["PrivateTmp"] == ["yes"]
    assert found["CapabilityBoundingSet"] == [""]


def test_the_collector_has_no_device() -> None:
    """It sees no camera, on no machine."""
    unit = directives(FOLDER / "passerby-collector.service")
    assert unit["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in unit


@needs_root
@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd-sysusers: apt-get install systemd")
def test_accounts_and_folders_are_made(tmp_path: Path) -> None:
    """In an empty root: both accounts without a shell, the folders closed to others."""
    (tmp_path / "etc").mkdir()
    said("systemd-sysusers", f"--root={tmp_path}", FOLDER / "passerby.sysusers")
    said("systemd-tmpfiles", f"--root={tmp_path}", "--create", FOLDER / "passerby.tmpfiles")
    accounts = {line.split(":")[0]: line.split(":") for line in (tmp_path / "etc/passwd").read_text(encoding="utf-8").splitlines()}
    for unit in UNITS:
        account = accounts[directives(unit)["User"][0]]
        assert account[6].endswith("nologin")
    keys = (tmp_path / "var/lib/passerby/keys").stat()
    assert (keys.st_mode & 0o777, keys.st_uid) == (0o700, int(accounts["passerby"][2]))
    for folder, owner, mode in (("passerby", "passerby", 0o770), ("passerby-collector", "passerby-collector", 0o750)):
        made = (tmp_path / "etc" / folder).stat()
        assert made.st_mode & 0o777 == mode
        assert (made.st_uid, made.st_gid) == (0, int(accounts[owner][3]))

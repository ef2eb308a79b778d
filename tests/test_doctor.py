"""The doctor: each check finds what it is for, on machines made for the purpose, and never raises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from firmware import doctor
from firmware.doctor import Check, Machine, examine
from firmware.errors import ModelError
from firmware.vision.runtime import Runtime, Trial
from tests.fakes import FakeInterpreter
from tests.vision.test_coral import plug

NOW_MS = 1_795_000_000_000  # in 2026


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def machine(root: Path, says: dict[str, tuple[int, str]] | None = None, wall_ms: int = NOW_MS) -> Machine:
    """A machine whose files lie below root and whose commands say what `says` says, by a word of theirs; else they do not exist."""

    def run(command: list[str]) -> tuple[int, str]:
        line = " ".join(command)
        return next((answer for word, answer in (says or {}).items() if word in line), (127, "No such file"))

    return Machine(wall_ms, root, run, root)


def raspberry(root: Path) -> None:
    write(root, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")


def test_runtime_that_builds_and_invokes_is_ok() -> None:
    """A runtime is judged by its invokes; the one that will be used says so, a broken one is a warning, a missing one is not."""
    assert doctor.runtime_check([Trial("litert", 1, 20.0), Trial("litert", 2, 11.0)], used=True) == Check(
        "litert", "ok", "person-320 in 11.0 ms on 2 threads, used"
    )
    broken = doctor.runtime_check([Trial("tflite", 1, None, "the runtime is broken here (numpy 2.4.6)", "run")], used=False)
    assert (broken.level, "numpy 2.4.6" in broken.what) == ("warn", True)
    assert doctor.runtime_check([Trial("tflite", 1, None, "tflite_runtime is not installed")], used=False).level == "ok"
    assert doctor.runtime_check([Trial("litert", 1, 900.0)], used=True).level == "warn"


def test_no_runtime_at_all_fails() -> None:
    """When nothing runs the packaged model, that is a failure with the runtime's reason."""

    def refuse(content: bytes, threads: int) -> FakeInterpreter:
        raise ModelError("broken beside this numpy", "mend it")

    checks = list(doctor.runtime_checks((Runtime("a", refuse),)))
    assert [check.level for check in checks] == ["ok", "fail"]
    assert "broken beside this numpy" in checks[1].what


def test_numpy_goes_through_every_binary_module() -> None:
    """In this environment numba, av, Pillow and msgpack all give back what they were given."""
    checks = list(doctor.numpy_checks())
    assert [check.name for check in checks] == ["numpy in numba", "numpy in av", "numpy in pillow", "numpy in msgpack"]
    assert {check.level for check in checks} == {"ok"}


def test_module_built_for_another_numpy_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that imports but breaks when it meets an array is a failure that names it, as is one that changes the array."""

    def broken(_sent: Any) -> bool:
        raise SystemError("_ARRAY_API not found")

    monkeypatch.setattr(doctor, "_through_av", broken)
    monkeypatch.setattr(doctor, "_through_pillow", lambda sent: False)
    by_name = {check.name: check for check in doctor.numpy_checks()}
    assert by_name["numpy in av"].what == "SystemError: _ARRAY_API not found"
    assert by_name["numpy in pillow"].what == "came back changed"
    assert [by_name[f"numpy in {name}"].level for name in ("av", "pillow", "numba")] == ["fail", "fail", "ok"]


def test_picamera2_missing_on_a_raspberry_says_how_to_get_it(tmp_path: Path) -> None:
    """On a Raspberry Pi its absence is a warning with the apt line, a broken libcamera a failure; elsewhere neither matters."""
    absent = {"picamera2": (1, "Traceback\nModuleNotFoundError: No module named 'libcamera'")}
    assert next(doctor.camera(machine(tmp_path, absent))).level == "ok"
    raspberry(tmp_path)
    found = next(doctor.camera(machine(tmp_path, absent)))
    assert (found.level, "--system-site-packages" in found.hint) == ("warn", True)
    assert next(doctor.camera(machine(tmp_path, {"picamera2": (1, "ImportError: libcamera.so.0.3")}))).level == "fail"
    assert next(doctor.camera(machine(tmp_path, {"picamera2": (0, "")}))).level == "ok"


def test_video_devices_are_named_or_missed(tmp_path: Path) -> None:
    """A device is shown by its name; one that may not be opened fails with the group to join; none is a warning."""
    assert list(doctor.camera(machine(tmp_path)))[1].level == "warn"
    write(tmp_path, "dev/video0", "")
    write(tmp_path, "sys/class/video4linux/video0/name", "HD Webcam\n")
    found = list(doctor.camera(machine(tmp_path)))[1]
    assert (found.level, found.what) == ("ok", "HD Webcam")


def test_video_device_without_rights_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that this user may not open is a failure that names the group."""
    write(tmp_path, "dev/video0", "")
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    found = list(doctor.camera(machine(tmp_path)))[1]
    assert (found.level, "usermod -aG video" in found.hint) == ("fail", True)


@pytest.mark.parametrize(
    ("ntp", "rtc", "wall_ms", "level"),
    [("yes", False, NOW_MS, "ok"), ("no", True, NOW_MS, "ok"), ("no", False, NOW_MS, "warn"), ("no", True, 0, "warn")],
)
def test_clock_by_who_sets_it(tmp_path: Path, ntp: str, rtc: bool, wall_ms: int, level: str) -> None:
    """Synchronised or with a battery it is ok; neither, or in 1970, it is a warning: counting goes on."""
    if rtc:
        write(tmp_path, "sys/class/rtc/rtc0/name", "rtc")
    assert doctor.clock(machine(tmp_path, {"timedatectl": (0, ntp)}, wall_ms)).level == level


def test_clock_without_timedatectl(tmp_path: Path) -> None:
    """Without systemd's tool the mark of its time daemon is looked at."""
    assert doctor.clock(machine(tmp_path)).level == "warn"
    write(tmp_path, "run/systemd/timesync/synchronized", "")
    assert doctor.clock(machine(tmp_path)).level == "ok"


@pytest.mark.parametrize(("milli", "level"), [("45000", "ok"), ("78000", "warn"), ("86100", "fail"), ("garbage", "ok")])
def test_temperature_by_the_hottest_zone(tmp_path: Path, milli: str, level: str) -> None:
    """The hottest zone counts, from 75 C on it is a warning, from 85 a failure; nonsense is not a temperature."""
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "30000\n")
    write(tmp_path, "sys/class/thermal/thermal_zone1/temp", f"{milli}\n")
    assert doctor.temperature(machine(tmp_path)).level == level


@pytest.mark.parametrize(
    ("bits", "level", "what"),
    [("0x0", "ok", "no under-voltage"), ("0x50005", "fail", "under-voltage, throttled, now"), ("0x10000", "warn", "under-voltage, since")],
)
def test_power_by_the_firmwares_bits(tmp_path: Path, bits: str, level: str, what: str) -> None:
    """What is now fails, what has been since power-on warns; read from the system's file or from vcgencmd."""
    raspberry(tmp_path)
    by_command = doctor.power(machine(tmp_path, {"vcgencmd": (0, f"throttled={bits}")}))
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", bits[2:])
    by_file = doctor.power(machine(tmp_path))
    assert by_command == by_file
    assert (by_file.level, by_file.what.startswith(what)) == (level, True)


def test_power_unknown(tmp_path: Path) -> None:
    """A Raspberry Pi that does not tell is a warning; other machines do not have it."""
    assert doctor.power(machine(tmp_path)).level == "ok"
    raspberry(tmp_path)
    assert doctor.power(machine(tmp_path)).level == "warn"


def test_coral_by_library_and_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its library, or at USB 2, a Coral is a warning; else it is ok; without a Coral nothing is asked for."""
    assert next(doctor.coral(machine(tmp_path))).what == "none connected"
    plug(tmp_path, "2-1", "18d1", "9302", "480")
    monkeypatch.setattr("firmware.vision.coral.missing_library", lambda: "libedgetpu.so.1: no such file")
    assert "no such file" in next(doctor.coral(machine(tmp_path))).what
    monkeypatch.setattr("firmware.vision.coral.missing_library", lambda: "")
    assert (next(doctor.coral(machine(tmp_path))).level) == "warn"
    write(tmp_path, "sys/bus/usb/devices/2-1/speed", "5000")
    assert next(doctor.coral(machine(tmp_path))).level == "ok"


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        ((0, "True True EAFNOSUPPORT"), "ok"),
        ((0, "False True EAFNOSUPPORT no own network namespace: Operation not permitted"), "ok"),
        ((0, "True False ENETUNREACH no seccomp filter for riscv64"), "warn"),
        ((0, "False False open no seccomp"), "fail"),
        ((1, "Traceback\nImportError: x"), "fail"),
    ],
)
def test_wall_by_what_holds(tmp_path: Path, answer: tuple[int, str], level: str) -> None:
    """Seccomp is enough, the namespace alone is a warning, an open network or a broken child a failure."""
    assert doctor.wall(machine(tmp_path, {"give_up_network": answer})).level == level


def test_real_wall_holds_here() -> None:
    """On this machine a child really gives up the network and really fails to reach it."""
    found = doctor.wall(Machine(NOW_MS))
    assert re.search(r"vision is cut off by .*\(E[A-Z]+\)", found.what)


def test_disk_and_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little room is a warning, none for the spool a failure, no folder a failure; little memory a warning."""
    for free, level in ((10 << 30, "ok"), (200 << 20, "warn"), (50 << 20, "fail")):
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder, free=free: type("Usage", (), {"free": free}))
        assert doctor.disk(machine(tmp_path)).level == level
    monkeypatch.undo()
    assert doctor.disk(Machine(NOW_MS, folder=tmp_path / "none")).level == "fail"
    for kilobytes, level in (("900000", "ok"), ("100000", "warn")):
        write(tmp_path, "proc/meminfo", f"MemTotal: 1000000 kB\nMemAvailable: {kilobytes} kB\n")
        assert doctor.memory(machine(tmp_path)).level == level


def test_children_that_hang_or_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that does not exist and one that never ends are answers, not exceptions."""
    assert doctor.run_child(["/no/such/command"])[0] == 127
    monkeypatch.setattr(doctor, "_CHILD_S_MAX", 0.2)
    assert doctor.run_child(["sleep", "30"]) == (124, "it hangs")
    assert doctor.run_child(["echo", "hello"]) == (0, "hello")


def test_empty_machine_is_examined_to_the_end(tmp_path: Path) -> None:
    """On a machine without any of the system's files every check still gives its line."""
    names = [check.name for check in examine(machine(tmp_path), (Runtime("fake", lambda content, threads: FakeInterpreter()),))]
    assert {"machine", "model", "fake", "picamera2", "clock", "temperature", "power", "Coral", "wall", "disk", "memory"} <= set(names)

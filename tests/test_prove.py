"""The proofs, on real processes; each must also be able to say that a claim is broken."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import msgspec
import numpy as np
import pytest

from firmware import prove, wall
from firmware.clock import SystemClock
from firmware.prove import CANARY_SEED, prove_locks, prove_no_trace, prove_schema, search
from firmware.trial import Trial
from firmware.vision.canary import painted
from firmware.vision.frame import Frame
from tests.fakes import FakeClock


def test_a_vision_process_that_tries_to_connect_fails() -> None:
    """V1: the real process, taken over after its locks closed; eleven ways out, each refused, each possible without the locks."""
    (finding,) = prove_locks(SystemClock())
    assert finding.verdict == "holds", finding.how
    assert "11 refused" in finding.how


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({"tried": {"connect by TCP": "", "write a file": "EFBIG"}}, "broken"),
        ({"tried": {"connect by TCP": "EACCES"}}, "holds"),
        ({}, "open"),
    ],
)
def test_a_way_out_is_told(said: dict[str, object], verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One attempt that succeeds breaks the claim; no answer proves nothing."""
    trial = Trial(messages=[wall.Failed("proof", json.dumps(said))])
    monkeypatch.setattr(prove, "run_vision", lambda *_, **__: trial)
    (finding,) = prove_locks(FakeClock())
    assert finding.verdict == verdict


def test_pixels_leave_no_trace(tmp_path: Path) -> None:
    """V3: the real process with the real model sees dozens of pictures; what crosses, what is printed, every new file: no hit."""
    (finding,) = prove_no_trace(SystemClock(), (tmp_path, Path("/dev/shm")))
    assert finding.verdict == "holds", finding.how


def test_every_place_is_searched(tmp_path: Path) -> None:
    """A strip of pixels at the wall, in print or in a file is found, and so is a compressed picture."""
    strip = painted(Frame(0.0, np.zeros((48, 64, 3), np.uint8)), CANARY_SEED).pixels[3, 5:50].tobytes()
    (tmp_path / "leak").write_bytes(b"head" + strip)
    assert search(Trial(), []) == ([], 0)
    assert search(Trial(crossed=strip), [])[0] == ["rgb/1 at the wall"]
    assert search(Trial(printed=b"xx" + strip), [])[0] == ["rgb/1 in print"]
    assert search(Trial(), [tmp_path / "leak"])[0] == [f"rgb/1 in {tmp_path / 'leak'}"]
    assert "compressed" in search(Trial(crossed=b"\x00\xff\xd8\xff\xe0"), [])[0][0]


def test_only_files_of_the_trial_are_searched(tmp_path: Path) -> None:
    """Old ones are nobody's business."""
    (tmp_path / "new").write_bytes(b"x")
    now_s = SystemClock().wall_ms() / 1000
    assert list(prove.new_files((tmp_path,), now_s)) == [tmp_path / "new"]
    assert list(prove.new_files((tmp_path,), now_s + 60)) == []


def test_what_cannot_be_looked_into_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that vanishes, a link, a pipe that nobody writes to, a mounted /proc: passed over, the rest is searched."""
    for name in ("gone", "kernel", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "other" / "file")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(prove, "_kernel_mounts", lambda: {str(tmp_path / "kernel")})
    really = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("gone"):
            raise FileNotFoundError(path)
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert list(prove.new_files((tmp_path,), SystemClock().wall_ms() / 1000)) == [tmp_path / "other" / "file"]


def test_the_kernels_own_files_are_known(tmp_path: Path) -> None:
    """By the type of what is mounted; a card or a memory file system is searched."""
    mounts = tmp_path / "mounts"
    mounts.write_text("proc /jail/proc proc rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sda1 / ext4 rw 0 0\n", encoding="utf-8")
    assert prove._kernel_mounts(mounts) == {"/jail/proc"}


def test_nothing_unknown_is_taken() -> None:
    """V8: at the wall and in batches."""
    assert [finding.verdict for finding in prove_schema(random.Random(3))] == ["holds", "holds"]


def test_an_open_schema_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that lets unknown fields pass is told, with the place."""
    monkeypatch.setattr(wall, "decode_from_vision", msgspec.msgpack.decode)
    first, second = prove_schema(random.Random(3))
    assert (first.verdict, second.verdict) == ("broken", "holds")
    assert "taken:" in first.how

"""The installer fits what it installs; the whole of it is proven by `make prove-arm64`, which takes half an hour."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = sorted((ROOT / "packaging").glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_parses_and_stops_at_the_first_error(script: Path) -> None:
    """bash reads it; it may be started as it is."""
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")
    assert script.stat().st_mode & 0o111


def test_every_unit_that_is_enabled_exists() -> None:
    """And every file of systemd/ is put in its place."""
    text = (ROOT / "packaging/install.sh").read_text(encoding="utf-8")
    (enabled,) = re.findall(r"systemctl enable -q (.*)", text)
    for unit in enabled.split():
        assert (ROOT / "systemd" / re.sub(r"@\d", "@", unit)).exists(), unit
    for name in ("passerby.sysusers", "passerby.tmpfiles", "*.service", "*.socket"):
        assert name in text


def test_kernels_are_compiled_for_the_user_who_runs_them() -> None:
    """Into the cache folder that vision's unit names."""
    text = (ROOT / "packaging/install.sh").read_text(encoding="utf-8")
    unit = (ROOT / "systemd/passerby-vision@.service").read_text(encoding="utf-8")
    (cache,) = re.findall(r"^cache=(\S+)", text, re.MULTILINE)
    assert f"NUMBA_CACHE_DIR={cache}/numba" in unit
    assert "--reuid passerby-vision" in text


def test_only_root_installs() -> None:
    """Anybody else is told how."""
    command = ["setpriv", "--reuid=65534", "--clear-groups", "bash", str(ROOT / "packaging/install.sh")]
    if subprocess.run(["setpriv", "--reuid=65534", "true"], check=False, capture_output=True).returncode:
        pytest.skip("not root: nobody else to be")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if "Permission denied" in done.stderr:
        pytest.skip("nobody may not read the project")
    assert (done.returncode, "run this as root" in done.stderr) == (1, True)

"""`passerby warm`: everything a device runs has run once, so that a start compiles nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from firmware.commands import warm
from firmware.commands.warm import cache_folder, has_kernels
from firmware.errors import ConfigError


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    warm.add_arguments(parser)
    return warm.run(parser.parse_args(list(words)))


def test_it_says_where_the_kernels_are(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """And takes a configuration whose cameras need other things."""
    config = tmp_path / "c.toml"
    config.write_text('site = "s"\n[[camera]]\nname = "c"\nsource = "sim-boxes:"\n', encoding="utf-8")
    assert run("--config", str(config)) == 0
    assert f"kept in {cache_folder()}" in capsys.readouterr().err


def test_the_cache_may_lie_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the units set it."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/var/cache/passerby/numba")
    assert cache_folder() == "/var/cache/passerby/numba"


def test_a_first_start_is_told_from_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By whether anything was compiled into the folder."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not has_kernels()
    (tmp_path / "firmware").mkdir()
    (tmp_path / "firmware" / "kernel.nbi").write_bytes(b"x")
    assert has_kernels()


def test_a_wrong_configuration_is_told(tmp_path: Path) -> None:
    """Before a minute is spent on compiling."""
    with pytest.raises(ConfigError, match="no such file"):
        run("--config", str(tmp_path / "none.toml"))

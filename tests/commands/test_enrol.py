"""`passerby enrol` as the installer meets it; the exchange is tested in tests/collector/test_claims.py."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware.__main__ import main
from provisioning.claim import new_claim
from provisioning.site import init_site

NOW = datetime.now(UTC)


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    """What to type, what comes next, what the exit codes are."""
    with pytest.raises(SystemExit):
        main(["enrol", "--help"])
    said = capsys.readouterr().out
    assert "passerby enrol --claim claim.toml --keys" in said
    assert "Exit codes" in said


def test_what_is_wrong_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No claim, a damaged one, a collector that is not there: 5, 5 and 7; and the claim stays."""
    keys = str(tmp_path / "keys")
    assert main(["enrol", "--claim", str(tmp_path / "none"), "--keys", keys]) == 5
    assert "claim new makes a claim" in capsys.readouterr().err
    (tmp_path / "bad").write_text("claim = 1\n")
    assert main(["enrol", "--claim", str(tmp_path / "bad"), "--keys", keys]) == 5
    init_site(tmp_path / "site", "Shop", 1, ["127.0.0.1"], None, NOW)
    claim = new_claim(tmp_path / "site", "door", tmp_path / "door.claim", "https://127.0.0.1:9", (NOW, 1)).file
    assert main(["enrol", "--claim", str(claim), "--keys", keys]) == 7
    error = capsys.readouterr().err.splitlines()[-1]
    assert "cannot reach https://127.0.0.1:9" in error
    assert claim.exists()

"""Claims as the operator makes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware.errors import ConfigError, DataError, StorageError
from firmware.uplink.enrolment import claim_digest, read_claim
from provisioning.__main__ import main
from provisioning.claim import new_claim
from provisioning.site import init_site

NOW = datetime.now(UTC)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    init_site(tmp_path / "site", "Shop", 2, ["collector.example", "10.0.0.1"], b"correct horse battery", NOW)
    return tmp_path / "site"


def test_a_claim_file_has_all_that_a_device_trusts(site: Path, tmp_path: Path) -> None:
    """Read back it is whole, for its owner alone, and goes to the first host of the site; no passphrase is asked for."""
    made = new_claim(site, "door", tmp_path / "door.claim", "", (NOW, 72))
    claim = read_claim(made.file.read_text())
    assert (claim.site, claim.enrol) == ("Shop", "https://collector.example:8441")
    assert claim.authority == (site / "ca.pem").read_text()
    assert made.file.stat().st_mode & 0o777 == 0o600


def test_the_sites_folder_does_not_tell_the_claim(site: Path, tmp_path: Path) -> None:
    """Its record has the digest: who reads the folder, or the database made of it, cannot enrol."""
    claim = read_claim(new_claim(site, "door", tmp_path / "door.claim", "", (NOW, 72)).file.read_text())
    (record,) = (site / "claims").glob("*.toml")
    assert claim_digest(claim.recipient_id, claim.secret).hex() in record.read_text()
    assert all(claim.secret.hex() not in path.read_text() for path in site.rglob("*") if path.is_file())


def test_two_claims_differ(site: Path, tmp_path: Path) -> None:
    """128 bits of their own."""
    files = [new_claim(site, "door", tmp_path / f"{index}.claim", "", (NOW, 72)).file for index in range(2)]
    assert len({read_claim(file.read_text()).secret for file in files}) == 2


def test_bad_input_is_said(site: Path, tmp_path: Path) -> None:
    """Name, address, hours, folder, and a file that is there already."""
    out = tmp_path / "door.claim"
    for name, enrol, hours in (
        ("", "", 1),
        ('a"b', "", 1),
        ("door", "http://x", 1),
        ("door", "https://", 1),
        ("door", "", 0),
        ("door", "", 1e4),
    ):
        with pytest.raises(ConfigError):
            new_claim(site, name, out, enrol, (NOW, hours))
    with pytest.raises(DataError, match="site init"):
        new_claim(tmp_path / "nowhere", "door", out, "", (NOW, 1))
    new_claim(site, "door", out, "", (NOW, 1))
    with pytest.raises(StorageError, match="exists already"):
        new_claim(site, "door", out, "", (NOW, 1))


def test_the_command_says_what_comes_next(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line of what was made, one of what to type; JSON when asked."""
    command = ["claim", "new", "--site", str(site), "--name", "door", "--out"]
    assert main([*command, str(tmp_path / "a.claim")]) == 0
    assert "passerby enrol --claim a.claim" in capsys.readouterr().out
    assert main([*command, str(tmp_path / "b.claim"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["enrol"] == "https://collector.example:8441"

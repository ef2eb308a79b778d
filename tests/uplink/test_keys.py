"""A device's folder: what is read, and what is refused by name."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware.errors import DataError
from firmware.uplink.keys import load_device_keys
from provisioning.device import new_device
from provisioning.site import init_site, load_card


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    init_site(folder / "site", "test", 2, ["collector.example"], None, datetime.now(UTC))
    new_device(folder / "site", "door", folder / "device", None, datetime.now(UTC))
    return folder


def test_a_folder_is_read_whole(made: Path) -> None:
    """Identity, recipient and receipt are those of the site, and where to renew is known."""
    keys, card = load_device_keys(made / "device"), load_card(made / "site" / "site.toml")
    assert (keys.site, keys.recipient.public, keys.receipt.public_bytes_raw()) == ("test", card.recipient, card.receipt)
    assert keys.device.hex() in (made / "device" / "device.toml").read_text()
    assert keys.enrol_url == "https://collector.example:8441"


def test_a_key_that_others_can_read_is_refused(made: Path, tmp_path: Path) -> None:
    """It may have been read."""
    shutil.copytree(made / "device", tmp_path / "device")
    (tmp_path / "device" / "identity.key").chmod(0o640)
    with pytest.raises(DataError, match="read by others"):
        load_device_keys(tmp_path / "device")


@pytest.mark.parametrize(
    ("file", "content"), [("identity.key", "no key"), ("trust.toml", "site ="), ("trust.toml", 'site = "x"'), ("identity.key", None)]
)
def test_what_is_damaged_is_said(made: Path, tmp_path: Path, file: str, content: str | None) -> None:
    """One line, with what makes another."""
    shutil.copytree(made / "device", tmp_path / "device")
    (tmp_path / "device" / file).unlink()
    if content is not None:
        (tmp_path / "device" / file).write_text(content)
        (tmp_path / "device" / file).chmod(0o600)
    with pytest.raises(DataError, match="device new makes"):
        load_device_keys(tmp_path / "device")

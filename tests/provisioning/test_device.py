"""A device's folder, and what it cannot do."""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from firmware.errors import ConfigError, DataError, StorageError
from provisioning.device import new_device
from provisioning.site import init_site

NOW = datetime.now(UTC)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    init_site(tmp_path / "site", "Shop", 1, ["localhost"], None, NOW)
    return tmp_path / "site"


def test_the_device_id_is_the_hash_of_its_public_key(site: Path, tmp_path: Path) -> None:
    """Nobody hands out ids: the key is the name."""
    made = new_device(site, "door", tmp_path / "device", None, NOW)
    key = load_pem_private_key((tmp_path / "device" / "identity.key").read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    assert made.device == hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:32]
    assert tomllib.loads((site / "devices" / f"{made.device}.toml").read_text())["public"] == key.public_key().public_bytes_raw().hex()


def test_the_certificate_is_a_clients_and_not_a_servers(site: Path, tmp_path: Path) -> None:
    """A stolen device key cannot pose as the collector."""
    new_device(site, "door", tmp_path / "device", None, NOW)
    verify = ["openssl", "verify", "-CAfile", str(site / "ca.pem"), "-purpose"]
    pem = str(tmp_path / "device" / "tls.pem")
    assert subprocess.run([*verify, "sslclient", pem], check=False).returncode == 0
    assert subprocess.run([*verify, "sslserver", pem], check=False).returncode != 0


def test_the_folder_holds_no_key_that_opens(site: Path, tmp_path: Path) -> None:
    """No file of the device contains the recipient's private key."""
    new_device(site, "door", tmp_path / "device", None, NOW)
    secret = load_pem_private_key((site / "recipient.key").read_bytes(), None).private_bytes_raw()  # type: ignore[union-attr]
    everything = b"".join(path.read_bytes() for path in (tmp_path / "device").iterdir())
    assert secret not in everything
    assert secret.hex().encode() not in everything


def test_an_existing_device_is_not_overwritten(site: Path, tmp_path: Path) -> None:
    """A second `device new` into the folder fails."""
    new_device(site, "door", tmp_path / "device", None, NOW)
    with pytest.raises(StorageError, match="never overwritten"):
        new_device(site, "door", tmp_path / "device", None, NOW)


def test_bad_input_is_said(site: Path, tmp_path: Path) -> None:
    """No site, and no name."""
    with pytest.raises(DataError, match="site init"):
        new_device(tmp_path / "nowhere", "door", tmp_path / "device", None, NOW)
    with pytest.raises(ConfigError):
        new_device(site, 'a"b', tmp_path / "device", None, NOW)

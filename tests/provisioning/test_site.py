"""A site's keys: made once, encrypted at rest, read back."""

from __future__ import annotations

import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from firmware.errors import ConfigError, DataError, StorageError
from firmware.uplink.recipient import Recipient, recipient_id
from provisioning.site import SUITES, init_site, load_authority, load_card, load_opening_key, load_receipt_key

NOW = datetime.now(UTC)
PASSPHRASE = b"correct horse battery"


@pytest.mark.parametrize("suite", SUITES)
def test_the_card_says_what_was_made(tmp_path: Path, suite: int) -> None:
    """site.toml reads back as the card, with a recipient key of the suite's length."""
    card = init_site(tmp_path, "Shop 12", suite, ["localhost", "127.0.0.1"], PASSPHRASE, NOW)
    assert load_card(tmp_path / "site.toml") == card
    assert len(card.recipient) == {1: 32, 2: 1184 + 32}[suite]
    assert card.recipient_id == recipient_id(suite, card.recipient)


def test_secrets_are_private_and_encrypted(tmp_path: Path) -> None:
    """Every key is mode 0600 in a 0700 folder; the authority and the recipient need the passphrase."""
    init_site(tmp_path / "site", "Shop", 1, ["localhost"], PASSPHRASE, NOW)
    assert stat.S_IMODE((tmp_path / "site").stat().st_mode) == 0o700
    for name in ("ca.key", "recipient.key", "receipt.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "site" / name).stat().st_mode) == 0o600
    with pytest.raises(TypeError):
        load_pem_private_key((tmp_path / "site" / "recipient.key").read_bytes(), None)
    with pytest.raises(DataError, match="passphrase"):
        load_authority(tmp_path / "site", b"another one")
    load_authority(tmp_path / "site", PASSPHRASE)


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    """A second init in the same folder fails and leaves the first keys as they were."""
    init_site(tmp_path, "Shop", 1, ["localhost"], None, NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    with pytest.raises(StorageError, match="never overwritten"):
        init_site(tmp_path, "Shop", 1, ["localhost"], None, NOW)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.*")} == before


@pytest.mark.parametrize(("name", "suite", "hosts"), [("", 1, ["h"]), ('a"b', 1, ["h"]), ("a", 3, ["h"]), ("a", 1, [])])
def test_bad_input_makes_nothing(tmp_path: Path, name: str, suite: int, hosts: list[str]) -> None:
    """A wrong name, suite or host is refused before the first file."""
    with pytest.raises(ConfigError):
        init_site(tmp_path / "site", name, suite, hosts, None, NOW)
    assert not (tmp_path / "site").exists()


def test_openssl_accepts_the_server_certificate_for_its_hosts(tmp_path: Path) -> None:
    """An independent tool agrees: chain, purpose and host name."""
    init_site(tmp_path, "Shop", 1, ["collector.example", "127.0.0.1"], None, NOW)
    command = ["openssl", "verify", "-purpose", "sslserver", "-CAfile", "ca.pem"]
    assert subprocess.run([*command, "-verify_hostname", "collector.example", "server.pem"], cwd=tmp_path, check=False).returncode == 0
    assert subprocess.run([*command, "-verify_hostname", "evil.example", "server.pem"], cwd=tmp_path, check=False).returncode != 0


@pytest.mark.parametrize("text", ["", "site = 1", "site = ["])
def test_a_damaged_card_is_a_data_error(tmp_path: Path, text: str) -> None:
    """Anything that is not a card says so, with the file's name."""
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=r"site\.toml"):
        load_card(path)


def test_a_card_whose_key_was_changed_is_refused(tmp_path: Path) -> None:
    """The id is the key's own hash: a swapped key is noticed."""
    init_site(tmp_path, "Shop", 1, ["localhost"], None, NOW)
    path = tmp_path / "site.toml"
    card = load_card(path)
    path.write_text(path.read_text().replace(card.recipient.hex(), "00" * 32))
    with pytest.raises(DataError, match="does not match"):
        load_card(path)


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_sealed_to_the_card_the_site_opens(tmp_path: Path, suite: int) -> None:
    """The opening key in the folder is the other half of the recipient on the card; without the passphrase it stays shut."""
    card = init_site(tmp_path, "Shop", suite, ["localhost"], PASSPHRASE, NOW)
    sealed = Recipient.from_public_bytes(suite, card.recipient).seal(b"counts", b"info")
    assert load_opening_key(tmp_path, PASSPHRASE).open(sealed, b"info") == b"counts"
    with pytest.raises(DataError, match="passphrase"):
        load_opening_key(tmp_path, None)


def test_the_receipt_key_is_the_cards(tmp_path: Path) -> None:
    """Devices check acknowledgements with the public half on the card."""
    card = init_site(tmp_path, "Shop", 1, ["localhost"], PASSPHRASE, NOW)
    assert load_receipt_key(tmp_path).public_key().public_bytes_raw() == card.receipt

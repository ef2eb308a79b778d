"""A claim: 16 random bytes that make one device, once, a device of this site. Single use, 72 hours by default.

The claim file goes to the installer (it holds the secret, mode 0600) together with all that a device must trust from then
on: the site's authority, recipient and receipt keys. The site's folder keeps `claims/<digest>.toml`, which does not
tell the claim. Neither needs a passphrase: no private key of the site is involved.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from firmware.errors import ConfigError, DataError
from firmware.private_file import make_private_folder, write_private, write_whole
from firmware.uplink.enrolment import CLAIM_BYTES, claim_digest
from provisioning.site import load_card

HOURS: Final = 72  # a card is written on Friday and hung up on Monday
HOURS_MAX: Final = 24 * 30
ENROL_PORT: Final = 8441


@dataclass(frozen=True, slots=True)
class NewClaim:
    """What the operator is told."""

    name: str
    file: Path
    enrol: str
    expires: datetime


def new_claim(site_folder: Path, name: str, out: Path, enrol: str, lasts: tuple[datetime, float]) -> NewClaim:
    """Make a claim file and record its digest with the site.

    Args:
        site_folder: what `site init` made.
        name: what people call the device that will use it.
        out: the claim file; must not exist.
        enrol: https://host[:port] of the collector's enrolment; empty: the first host of the site's server certificate.
        lasts: from when, and how many hours.

    Raises:
        ConfigError: the name, the address or the hours will not do.
        DataError: no site in `site_folder`.
        StorageError: `out` exists, or something cannot be written.
    """
    now, hours = lasts
    if not name or len(name) > 64 or not name.isprintable() or '"' in name or "\\" in name:
        raise ConfigError(f"{name!r} is no device name", "1 to 64 printable characters, no quotes or backslashes")
    if not 0 < hours <= HOURS_MAX:
        raise ConfigError(f"a claim for {hours:g} hours", f"more than 0, at most {HOURS_MAX}")
    card, authority = load_card(site_folder / "site.toml"), _read(site_folder / "ca.pem")
    enrol = (enrol or f"https://{server_host(site_folder)}:{ENROL_PORT}").rstrip("/")
    if urlsplit(enrol).scheme != "https" or not urlsplit(enrol).hostname or not enrol.isprintable() or '"' in enrol:
        raise ConfigError(f"{enrol!r} is no address for enrolment", "https://collector.example.com:8441")
    secret, expires = os.urandom(CLAIM_BYTES), (now + timedelta(hours=hours)).replace(microsecond=0)
    until = expires.isoformat().replace("+00:00", "Z")
    file = (
        f"# Makes one device, once, a device of {card.name}. Keep it secret until it is used: passerby enrol --claim THIS --keys FOLDER\n"
        f'claim = "{secret.hex()}"\nname = "{name}"\nexpires = {until}\nenrol = "{enrol}"\n{card.toml()}authority = """\n{authority}"""\n'
    )
    digest = claim_digest(card.recipient_id, secret)
    make_private_folder(site_folder / "claims")
    write_private(out, file.encode())
    record = f'digest = "{digest.hex()}"\nname = "{name}"\nexpires = {until}\n'
    write_whole(site_folder / "claims" / f"{digest.hex()[:32]}.toml", record.encode())
    return NewClaim(name, out, enrol, expires)


def server_host(site_folder: Path) -> str:
    """The first host of the site's server certificate, as it stands in a URL. Raises DataError."""
    try:
        certificate = x509.load_pem_x509_certificate(_read(site_folder / "server.pem").encode())
        first = next(iter(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value))
    except (ValueError, StopIteration, x509.ExtensionNotFound) as error:
        raise DataError(f"{site_folder / 'server.pem'} names no host", "passerby-provision site init") from error
    host = str(first.value)
    return f"[{host}]" if ":" in host else host


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}", "passerby-provision site init makes a site") from error

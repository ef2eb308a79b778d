"""A device's own folder: its identity, its TLS key and certificate, and whom it trusts.

    device.toml     id, name, site
    identity.key    Ed25519: signs every envelope; its public key's hash is the device id
    tls.key, tls.pem    client certificate of the site's authority
    trust.toml      the site card: to whom envelopes are sealed, whose acknowledgements count
    ca.pem          the authority that the collector's server certificate must come from

Made here on the operator's machine for the first devices and for demonstrations; a device in the field makes its own
keys and enrols with a claim. Nothing in the folder can open an envelope.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from firmware.errors import ConfigError
from firmware.private_file import make_private_folder, write_private, write_whole
from firmware.uplink.envelope import device_id
from provisioning.certificates import make_device, new_tls_key
from provisioning.claim import ENROL_PORT, server_host
from provisioning.site import load_authority, load_card, private_pem


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What the operator is told."""

    device: str
    name: str
    folder: Path


def new_device(site_folder: Path, name: str, out: Path, passphrase: bytes | None, now: datetime) -> NewDevice:
    """Make a device's folder and record the device with its site.

    Raises:
        ConfigError: the name will not do.
        DataError: no site in `site_folder`, or another passphrase.
        StorageError: `out` holds a device already, or cannot be written.
    """
    if not name or len(name) > 64 or not name.isprintable() or '"' in name or "\\" in name:
        raise ConfigError(f"{name!r} is no device name", "1 to 64 printable characters, no quotes or backslashes")
    card = load_card(site_folder / "site.toml")
    authority, authority_key = load_authority(site_folder, passphrase)
    identity, tls_key = ed25519.Ed25519PrivateKey.generate(), new_tls_key()
    public = identity.public_key().public_bytes_raw()
    device = device_id(identity.public_key()).hex()
    certificate = make_device(authority, authority_key, tls_key.public_key(), device, now)
    make_private_folder(out)
    write_private(out / "identity.key", private_pem(identity, None))
    write_private(out / "tls.key", private_pem(tls_key, None))
    write_whole(out / "tls.pem", certificate.public_bytes(Encoding.PEM))
    write_whole(out / "ca.pem", authority.public_bytes(Encoding.PEM))
    write_whole(out / "trust.toml", card.toml().encode())
    write_whole(out / "device.toml", _card(device, name, card.name, site_folder).encode())
    record = f'device = "{device}"\nname = "{name}"\npublic = "{public.hex()}"\n'
    write_whole(site_folder / "devices" / f"{device}.toml", record.encode())
    return NewDevice(device, name, out)


def _card(device: str, name: str, site: str, site_folder: Path) -> str:
    return f'device = "{device}"\nname = "{name}"\nsite = "{site}"\nenrol = "https://{server_host(site_folder)}:{ENROL_PORT}"\n'

"""The collector's configuration file, read by the rules of the device's: all faults at once, each with its line.

    site = "/etc/passerby/site"
    database = "postgresql:///passerby"
    role = "ingest"

Every key may be given on the command line instead, which wins. The passphrase has no key: it comes from a file, the
environment or a prompt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from collector.app import REQUESTS_PER_MINUTE
from collector.retention import EVENT_DAYS
from firmware.config import parse_as
from firmware.config_keys import key
from firmware.errors import ConfigError

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class CollectorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    site: Annotated[str, key("", "The site's folder, with its keys and devices.", max_length=4096)] = ""
    database: Annotated[str, key("", "A SQLite file, or postgresql://...; empty: collector.db in the site's folder.", max_length=4096)] = ""
    host: Annotated[str, key("", "Address to listen on.", min_length=1, max_length=255)] = "0.0.0.0"  # noqa: S104  # a server's default
    port: Annotated[int, key("", "TCP port; 0: a free one.", ge=0, le=65535)] = 8440
    enrol_port: Annotated[Port | None, key("", "TCP port where devices enrol and renew; default: port + 1.")] = None
    metrics_port: Annotated[Port | None, key("", "TCP port of /metrics and /healthz, on 127.0.0.1; default: port + 2.")] = None
    role: Annotated[
        Literal["all", "ingest", "enrol", "open"],
        key("", "ingest has no key that opens or certifies, enrol certifies, open has the opening key and no network; all is all."),
    ] = "all"
    requests_per_minute: Annotated[int, key("requests/min", "Of one device; more are answered with 429.", ge=1, le=10_000_000)] = (
        REQUESTS_PER_MINUTE
    )
    event_days: Annotated[int, key("days", "How long single crossings and visits are kept; sums stay.", ge=1, le=3650)] = EVENT_DAYS


def read_settings(path: Path | None) -> CollectorConfig:
    """The file's settings; defaults without one.

    Raises:
        ConfigError: it cannot be read, or is wrong; all faults at once.
    """
    if path is None:
        return CollectorConfig()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", "a TOML file in UTF-8") from error
    return parse_as(CollectorConfig, text, str(path))

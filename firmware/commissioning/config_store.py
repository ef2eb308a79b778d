"""The configuration on the card: written whole or not at all, the last good one kept, and read so that a device always starts.

    passerby.toml         what is wanted now; written by people, by provisioning, or from the page
    passerby.toml.good    what last ran and saw: put back by `rollback`, run when the wanted one has faults

`load` never leaves a shop without a count for a typing error: faults are carried beside the last good configuration (safe
mode) and the page shows them with file and line. Only text that the ordinary parser accepts is written. A text is good
once it ran and every camera saw (`keep_as_good`). This is the only module of commissioning that touches files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firmware.config import TEXT_BYTES_MAX, Config, parse
from firmware.errors import ConfigError, StorageError
from firmware.private_file import replace_file

GOOD_SUFFIX: Final = ".good"
MODE: Final = 0o640  # the service's group reads; a camera's password may be in it


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration to run.

    Attributes:
        config: parsed.
        text: as it stands in `filename`.
        filename: of the text that runs.
        faults: why the wanted one does not run, one line each, `file:line: what; hint`; empty when it does.
    """

    config: Config
    text: str
    filename: str
    faults: tuple[str, ...] = ()

    @property
    def safe_mode(self) -> bool:
        """Whether something else runs than is wanted."""
        return bool(self.faults)


class ConfigStore:
    """The configuration file at `path`, and its last good one beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.good_path = path.with_name(path.name + GOOD_SUFFIX)

    def load(self) -> Loaded:
        """What to run: the wanted configuration; where it has faults the last good one, with these faults.

        Raises:
            ConfigError: neither can be run; its faults are those of the wanted one.
        """
        try:
            text = _read(self.path)
            return Loaded(parse(text, str(self.path)), text, str(self.path))
        except ConfigError as error:
            wanted = error
        try:
            text = _read(self.good_path)
            return Loaded(parse(text, str(self.good_path)), text, str(self.good_path), wanted.faults)
        except ConfigError:
            raise wanted from None

    def load_or_empty(self, site: str = "not configured") -> Loaded:
        """As `load`, but where nothing can be run: a configuration without cameras, so that the page can say what is wrong."""
        try:
            return self.load()
        except ConfigError as error:
            text = f'site = "{site}"\n'
            return Loaded(parse(text, "no configuration"), text, "no configuration", error.faults)

    def text(self) -> str:
        """The wanted text as it stands, faulty or not; empty when there is none."""
        try:
            return _read(self.path)
        except ConfigError:
            return ""

    def save(self, text: str) -> Config:
        """Make `text` the wanted configuration.

        Raises:
            ConfigError: it has faults, all of them told; nothing was written.
            StorageError: the card refused; the old one stands.
        """
        config = parse(text, self.path.name)
        _write(self.path, text)
        return config

    def keep_as_good(self, text: str) -> None:
        """`text` ran and every camera saw: from now on it is what to go back to. Writes only when it is not that already.

        Raises:
            StorageError: the card refused.
        """
        parse(text, self.good_path.name)
        if not self._is_good(text):
            _write(self.good_path, text)

    def rollback(self) -> Loaded:
        """The last good configuration becomes the wanted one again.

        Raises:
            ConfigError: there is none.
            StorageError: the card refused.
        """
        text = _read(self.good_path)
        config = self.save(text)
        return Loaded(config, text, str(self.path))

    def _is_good(self, text: str) -> bool:
        try:
            return _read(self.good_path) == text
        except ConfigError:
            return False


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(TEXT_BYTES_MAX + 1).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "write one, or draw lines and zones on the status page") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text", "save the file as UTF-8") from error


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and durable before we return."""
    try:
        replace_file(path, text.encode(), MODE)
    except OSError as error:
        hint = f"{path.parent} must be writable by the service" if isinstance(error, PermissionError) else "check the card"
        raise StorageError(f"cannot write {path}: {error.strerror}", hint) from error

"""The tree of errors, split by who must act. A message says what and where; the hint says what to do.

    PasserbyError
    ├── ConfigError        the person who wrote the configuration       exit 2
    ├── SourceError        camera, cable, video file                     exit 3
    ├── ModelError         the model file or its runtime                 exit 4
    ├── DataError          a file or message that does not fit its format exit 5
    ├── StorageError       the card                                      exit 6
    ├── UplinkError        network, certificate, collector               exit 7
    └── WallError          the two processes of one device disagree      exit 8

Third-party exceptions are converted at the port that meets them, with `from`; nothing above a port knows them.
"""

from __future__ import annotations

from typing import ClassVar


class PasserbyError(Exception):
    """Base of all: `str(error)` is one line, `what; hint`."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what if not hint else f"{what}; {hint}")
        self.what = what
        self.hint = hint


class ConfigError(PasserbyError):
    """One or more faults in a configuration file; `faults` holds one line each, `file:line: what; hint`."""

    exit_code = 2

    def __init__(self, what: str, hint: str = "", faults: tuple[str, ...] = ()) -> None:
        super().__init__(what, hint)
        self.faults = faults or (str(self),)


class SourceError(PasserbyError):
    """No frames can be had, or no more."""

    exit_code = 3


class SourceSilentError(SourceError):
    """A camera sends nothing for now; reading on may bring the next frame. Blind time, not the end."""


class ModelError(PasserbyError):
    """The model cannot be loaded, or is of the wrong kind."""

    exit_code = 4


class DataError(PasserbyError):
    """Bytes that are not what their format says."""

    exit_code = 5


class StorageError(PasserbyError):
    """The card refused."""

    exit_code = 6


class UplinkError(PasserbyError):
    """The far end could not be reached or trusted."""

    exit_code = 7


class WallError(PasserbyError):
    """A message that may not cross, or did not parse."""

    exit_code = 8

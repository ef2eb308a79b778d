"""The still map of each camera on the card: written whole or not at all, and never in the way of a start.

A file that is missing or damaged is an empty map: it is learned again within a night. Left to others: what is in it
(`firmware.still_places`), when it is written (`firmware.daemon`: when it changed, at most once a minute).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from firmware.private_file import make_private_folder, write_whole
from firmware.still_places import StillMap

FILE_BYTES_MAX: Final = 32 * 1024  # 64 places of six numbers are 8 KB


class StillStore:
    """A folder of still maps, one file a camera; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def load(self, camera: str) -> StillMap:
        """What is known; an empty map where nothing can be read."""
        if self._folder is None:
            return StillMap()
        try:
            with self._path(camera).open("rb") as file:
                return msgspec.json.decode(file.read(FILE_BYTES_MAX), type=StillMap)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return StillMap()

    def save(self, camera: str, still: StillMap) -> None:
        """Keep it.

        Raises:
            StorageError: the card refused.
        """
        if self._folder is not None:
            make_private_folder(self._folder)
            write_whole(self._path(camera), msgspec.json.encode(still), mode=0o600)

    def _path(self, camera: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{camera}.still.json"

"""What the page asks of the device behind it. The composition that answers is `firmware.page`; tests pass fakes."""

from __future__ import annotations

from typing import Protocol

from firmware.status.values import Checked, Feet, Geometry, History, Planes, PublicStatus, SentList, Status


class Showing(Protocol):
    """Frozen pictures of now. Nothing is computed while nobody asks."""

    def public(self) -> PublicStatus:
        """For anybody on the network."""
        ...

    def status(self) -> Status:
        """For who has the token."""
        ...

    def history(self) -> History:
        """The last seven days."""
        ...

    def sent(self) -> SentList:
        """What left, newest first."""
        ...


class Floor(Protocol):
    """Foot points: they cross the wall only while somebody keeps asking for them."""

    async def watch(self, seconds: float) -> None:
        """Let vision say foot points for so long; asked again before that, it goes on."""
        ...

    def feet(self) -> tuple[Feet, ...]:
        """The newest points of each camera; none that are older than a second."""
        ...


class Drawing(Protocol):
    """Lines and zones, to look at and to change."""

    def planes(self) -> Planes:
        """As they are now."""
        ...

    def check(self, geometry: Geometry) -> Checked:
        """What the geometry checks say of a draft."""
        ...

    async def save(self, geometry: Geometry) -> Checked:
        """Check, write, and count by it from now on; nothing is written unless the checks find no error.

        Raises:
            StorageError: the card refused; the old configuration stands.
        """
        ...

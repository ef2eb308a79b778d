"""The still map on the card, and over the wall to the next life of vision."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from firmware import wall
from firmware.clock import SystemClock
from firmware.config import parse
from firmware.daemon import Daemon, Source
from firmware.errors import StorageError, WallError
from firmware.sd_notify import Notifier
from firmware.still_places import PLACES_MAX, StillMap, StillPlace
from firmware.still_store import StillStore

MAP = StillMap((StillPlace(0.5, 0.75, 0.3, 120.0, 4.0),))
TEXT = 'site = "s"\n[[camera]]\nname = "shop"\nsource = "sim-boxes:"\n'


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """One file a camera, for its owner alone."""
    store = StillStore(tmp_path / "learned")
    store.save("shop", MAP)
    assert store.load("shop") == MAP
    assert store.load("other") == StillMap()
    assert (tmp_path / "learned/shop.still.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("spoilt", [b"", b"{", b'{"places": [{"x": 0.5}]}', b'{"places": [], "face": 1}', b"\xff"])
def test_a_damaged_file_is_an_empty_map(tmp_path: Path, spoilt: bytes) -> None:
    """It never stops a start."""
    (tmp_path / "shop.still.json").write_bytes(spoilt)
    assert StillStore(tmp_path).load("shop") == StillMap()


def test_without_a_folder_nothing_is_kept() -> None:
    """And nothing is wrong."""
    StillStore(None).save("shop", MAP)
    assert StillStore(None).load("shop") == StillMap()


def test_a_card_that_refuses_is_told(tmp_path: Path) -> None:
    """As a StorageError, which the daemon prints."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        StillStore(tmp_path / "file").save("shop", MAP)


def test_the_message_is_bounded() -> None:
    """No more places than the map holds, none far outside the view, and nothing else."""
    place = {"x": 0.5, "y": 0.5, "height": 0.3}
    import msgspec

    def body(places: list[dict[str, object]]) -> bytes:
        return msgspec.msgpack.encode({"type": "still", "camera": "shop", "map": {"places": places}})

    assert isinstance(wall.decode_from_vision(body([place])), wall.Still)
    for wrong in ([place] * (PLACES_MAX + 1), [place | {"x": 77.0}], [place | {"face": 1}], [place | {"height": 0}]):
        with pytest.raises(WallError):
            wall.decode_from_vision(body(wrong))


async def test_what_vision_learned_reaches_the_card_and_its_next_life(tmp_path: Path) -> None:
    """A daemon keeps what it hears, orders the next vision with it, and another daemon begins with it."""
    store = StillStore(tmp_path / "learned")

    def daemon() -> Daemon:
        made = Daemon(Source(parse(TEXT, "t"), TEXT, "t"), SystemClock(), [], Notifier(""))
        made.keep_stills(store)
        return made

    first = daemon()
    await first.desks[0].heard(wall.Still("shop", MAP))
    await asyncio.sleep(0.2)
    assert store.load("shop") == MAP
    for each in (first, daemon()):
        assert each._supervisors[0]._order.configure.still == MAP

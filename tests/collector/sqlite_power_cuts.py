"""The collector's own commits on SQLite, cut at every write and sync: is everything there that it would have signed for?

`run()` lets the real `collector.receive.commit` enter uplinks, `run(level)` with another PRAGMA synchronous; and before each thing
that SQLite does to a file takes images of what a power cut may leave; each is opened by SQLite and compared: every number
whose commit had returned must be in the ledger, and the books must be the sums of just the envelopes in the ledger. The
collector sets FULL; NORMAL and OFF are the negative controls, which must be seen to lose. A torn sector is old or new here,
never garbage: SQLite assumes that a write does not spoil bytes beside it (sqlite.org/psow.html), which our spool does not.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import tempfile
from pathlib import Path

from collector.database import SqliteDatabase, upgrade
from collector.receive import commit, prepare
from firmware.uplink.exchange import write_request
from tests.collector.devices import OPENINGS, Device, window
from tests.collector.sqlite_on_model import sqlite_on, write_image
from tests.uplink.model_card import ModelFolder

UPLINKS = 40
ONCE = ("none", "all")
DRAWN = ("subset", "subset", "reordered")
MEMORY = Path("/dev/shm")


class Cutter:
    """Takes images before each operation, and judges them."""

    def __init__(self, folder: ModelFolder, where: Path, seed: int) -> None:
        self.folder, self.where, self.rng = folder, where, random.Random(seed)
        self.acknowledged = 0
        self.states, self.lost_states, self.lost_rows, self.wrong = 0, 0, 0, 0

    def before(self) -> None:
        self.folder.before = None
        for mode in (*ONCE, *DRAWN):
            write_image(self.folder, self.rng, mode, self.where)
            self.judge()
        self.folder.before = self.before

    def judge(self) -> None:
        self.states += 1
        seqs, entries = self.read()
        lost = len(set(range(self.acknowledged)) - set(seqs))
        self.lost_rows += lost
        self.lost_states += lost > 0
        self.wrong += entries != sum(seq % 5 for seq in seqs)

    def read(self) -> tuple[list[int], int]:
        """The numbers in the ledger, and the entries in the books; nothing at all where SQLite finds no database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.where / 'books.db'}?vfs=unix", uri=True)) as database:
            try:
                seqs = [int(row[0]) for row in database.execute("SELECT seq FROM ledger")]
                entries = int(database.execute("SELECT coalesce(sum(entries), 0) FROM line_window").fetchone()[0])
            except sqlite3.DatabaseError:
                return [], 0
        return seqs, entries


def run(level: str = "", seed: int = 1, uplinks: int = UPLINKS) -> dict[str, int]:
    """states, lost_states, lost_rows, wrong."""
    folder = ModelFolder()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place, sqlite_on(folder):
        Path(place, "images").mkdir()
        database = SqliteDatabase(Path(place) / "books.db")
        upgrade(database)
        if level:
            database.run(f"PRAGMA synchronous={level}")
        device = Device("door")
        device.enrol(database)
        database.rows("PRAGMA wal_checkpoint(FULL)")
        settle(folder)
        posts = [
            prepare(device.device, write_request([device.batch(window(seq, seq % 5))]), device.key.public_key(), OPENINGS)
            for seq in range(uplinks)
        ]
        cutter = Cutter(folder, Path(place, "images"), seed)
        folder.before = cutter.before
        for start in range(0, uplinks, 2):
            commit(database, posts[start : start + 2], 1_800_000_000_000)
            cutter.acknowledged = start + 2
        cutter.before()
        folder.before = None
        database.close()
        return {"states": cutter.states, "lost_states": cutter.lost_states, "lost_rows": cutter.lost_rows, "wrong": cutter.wrong}


def settle(folder: ModelFolder) -> None:
    """All that was done so far is on the card: the question is about the commits that follow."""
    for inode in folder.cached_names.values():
        inode.durable, inode.dirty = bytearray(inode.cached), set()
    folder.sync()

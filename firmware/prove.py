"""The privacy claims that an outsider can check, checked on this machine by trying to break them (docs/privacy.md).

V1 a vision process that was taken over cannot get out. V2 what is sealed in a day stays inside a published budget, in sizes
that tell nothing. V3 pixels of a known pattern leave no trace. V7 no key on this device opens what it spooled. V8 nothing
unknown crosses the wall or enters a batch. Each finding says how it was found, so that nobody has to believe it.

Rules: the installed program is what is tried, never a model of it; an attack that has no way to succeed proves nothing, so
each has a control that must succeed; what could not be tried is "open", never "holds". Left to others: the processes'
own state (`firmware.prove_processes`), printing (`firmware.commands.prove`).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from firmware import intruder, wall
from firmware.clock import Clock
from firmware.errors import DataError, WallError
from firmware.events import Event, LineCrossed, LineSums, OccupancyChanged, Window, ZoneEntered, ZoneLeft, ZoneSums
from firmware.health import LiveNumbers, VisionHealth
from firmware.trial import Trial, run_vision
from firmware.uplink.batch import Batch, from_bytes, to_bytes
from firmware.uplink.envelope import Kind
from firmware.uplink.stamp import Stamp, WallQuality
from firmware.vision.canary import COMPRESSED, needles, traces

Verdict = Literal["holds", "broken", "open"]
CANARY_S: Final = 8.0  # eighty pictures
CANARY_SEED: Final = 20_261_120
SCANNED_BYTES_MAX: Final = 256 * 1024 * 1024
MUTATIONS: Final = 2000
_MADE_UP: Final = frozenset({"proc", "sysfs", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "devpts", "bpf"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim, tried once.

    Attributes:
        claim: V1, V2, V3, V7 or V8.
        what: the claim, in words.
        verdict: holds, broken, or open (could not be tried here).
        how: what was done and what came of it, with numbers.
    """

    claim: str
    what: str
    verdict: Verdict
    how: str


def prove_locks(clock: Clock) -> Iterator[Finding]:
    """V1: run the real vision process, take it over after its locks closed, and let it try everything."""
    what = "a vision process that was taken over cannot get out"
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as inet, _unix_listener(folder) as path:
        port = inet.getsockname()[1]
        there = (f"127.0.0.1:{port}", path, f"{folder}/pixels")
        control = dict(intruder.attempts(*there))
        configure = wall.Configure('site = "proof"\n[[camera]]\nname = "proof"\nsource = "sim-boxes:"\n', "proof", "proof")
        module = ("firmware.intruder", "--inet", there[0], "--unix", there[1], "--file", there[2])
        trial = run_vision(configure, 1.0, clock, module=module)
    said = next((message.what for message in trial.messages if isinstance(message, wall.Failed)), "")
    try:
        tried: dict[str, str] = json.loads(said)["tried"]
    except (ValueError, KeyError, TypeError):
        yield Finding("V1", what, "open", f"the process did not start: {said or trial.printed.decode('utf-8', 'replace')[-200:]}")
        return
    out = [name for name, refusal in tried.items() if not refusal]
    works = [name for name in ("connect by TCP", "send by UDP", "ask a service by unix socket", "write a file") if not control[name]]
    how = f"{len(tried)} ways tried, {len(tried) - len(out)} refused by the kernel ({', '.join(sorted(set(tried.values()) - {''}))})"
    if out:
        yield Finding("V1", what, "broken", f"{how}; it could: {', '.join(out)}")
    elif len(works) < 4:
        yield Finding("V1", what, "open", f"{how}, but without locks only {works} worked here: the trial proves little")
    else:
        yield Finding("V1", what, "holds", f"{how}; without the locks {len(works)} of the same attempts succeed")


def prove_no_trace(clock: Clock, folders: tuple[Path, ...] = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))) -> Iterator[Finding]:  # noqa: S108
    """V3: pictures with a known pattern through the real process, then look for the pattern in all that came out of it."""
    what = "pixels leave no trace in files, at the wall or in logs"
    source = f"sim:?canary={CANARY_SEED}&people=30"
    began_s = clock.wall_ms() / 1000
    configure = wall.Configure(f'site = "proof"\n[[camera]]\nname = "proof"\nsource = "{source}"\n', "proof", "proof")
    trial = run_vision(configure, CANARY_S, clock)
    frames = max((message.health.frames for message in trial.messages if isinstance(message, wall.Alive)), default=0)
    if frames < 10 or trial.refused:
        words = trial.refused or trial.printed.decode("utf-8", "replace")[-200:]
        yield Finding("V3", what, "open", f"only {frames} pictures were seen: {words}")
        return
    files = list(new_files(folders, began_s))
    hits, scanned = search(trial, files)
    how = f"{frames} pictures seen; {len(trial.crossed)} bytes at the wall, {len(trial.printed)} printed, {len(files)} new files searched"
    how += f" ({scanned} bytes in all) for {len(needles(CANARY_SEED))} forms of the pattern and for picture formats"
    yield Finding("V3", what, "broken" if hits else "holds", f"{how}: {', '.join(hits) or 'no hit'}")


def search(trial: Trial, files: list[Path]) -> tuple[list[str], int]:
    """(where a trace was found, bytes searched). Compressed pictures are looked for at the wall and in print only."""
    wanted, scanned = needles(CANARY_SEED), 0
    hits = [f"{name} at the wall" for name in traces(trial.crossed, wanted)]
    hits += [f"{name} in print" for name in traces(trial.printed, wanted)]
    hits += [f"the start of a compressed picture ({mark!r})" for mark in COMPRESSED if mark in trial.crossed or mark in trial.printed]
    scanned += len(trial.crossed) + len(trial.printed)
    for path in files:
        with contextlib.suppress(OSError), path.open("rb") as file:
            text = file.read(SCANNED_BYTES_MAX)
            scanned += len(text)
            hits += [f"{name} in {path}" for name in traces(text, wanted)]
    return hits, scanned


def new_files(folders: tuple[Path, ...], began_s: float) -> Iterator[Path]:
    """Regular files below these folders that were written since a wall time.

    What vanishes meanwhile, and what this user may not look into, is passed over; so is what the kernel makes up on the spot
    (a /proc that is mounted there): reading some of its files never ends.
    """
    made_up = _kernel_mounts()
    for folder in folders:
        for at, inner, names in os.walk(folder):  # an error in one place ends nothing
            inner[:] = [name for name in inner if os.path.join(at, name) not in made_up]  # noqa: PTH118 as os.walk gives it
            for path in (Path(at, name) for name in names):
                with contextlib.suppress(OSError):
                    found = path.lstat()
                    if stat.S_ISREG(found.st_mode) and found.st_mtime >= began_s - 1.0:
                        yield path


def _kernel_mounts(mounts: Path = Path("/proc/self/mounts")) -> set[str]:
    """Where the kernel shows itself as files."""
    lines = (line.split() for line in mounts.read_text(encoding="ascii", errors="replace").splitlines())
    return {words[1] for words in lines if words[2] in _MADE_UP}


def prove_schema(chance: random.Random) -> Iterator[Finding]:
    """V8: unknown fields, at every depth, in everything that may cross or leave."""
    for what, encode, decode, error in (
        ("nothing unknown crosses the wall", _wall_body, wall.decode_from_vision, WallError),
        ("nothing unknown enters a batch", _batch_body, lambda body: from_bytes(Kind.BATCH, body), DataError),
    ):
        decode(encode())  # the control: as it is, it passes
        refused, passed = 0, []
        for _ in range(MUTATIONS):
            tree = msgspec.msgpack.decode(encode())
            where = _add_unknown(tree, chance)
            try:
                decode(msgspec.msgpack.encode(tree))
            except error:
                refused += 1
            else:
                passed.append(where)
        how = f"{MUTATIONS} messages with a field too many, at a random depth: {refused} refused"
        yield Finding("V8", what, "broken" if passed else "holds", how + (f"; taken: {sorted(set(passed))[:3]}" if passed else ""))


def _add_unknown(tree: Any, chance: random.Random) -> str:
    """Add one field to a random map, or one more element to a random array; says where."""
    places: list[tuple[str, Callable[[], None]]] = []

    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            value = chance.choice(("x", 7, b"pixels", [0.1, 0.2], {"face": 1}))
            places.append((path, lambda: node.__setitem__(f"extra{chance.randrange(1000)}", value)))
            for key, inner in node.items():
                if key != "stage_us":  # a map of names and numbers by itself
                    walk(inner, f"{path}.{key}")
        elif isinstance(node, list):
            places.append((path, lambda: node.append(b"pixels")))
            for index, inner in enumerate(node):
                walk(inner, f"{path}[{index}]")

    walk(tree, "")
    path, add = chance.choice(places)
    add()
    return path


_EVENTS: Final[tuple[Event, ...]] = (
    LineCrossed("door", 1, "in", "settled", pseudonym=bytes(8)),
    ZoneEntered("till", 2, 1, pseudonym=bytes(8)),
    ZoneLeft("till", 3, 1000, pseudonym=bytes(8)),
    OccupancyChanged("till", 4, 2),
)
_WINDOW: Final = Window(0, 15_000, (LineSums("door", 1),), (ZoneSums("till", "queue", 1),))


def _wall_body() -> bytes:
    messages: tuple[wall.FromVision, ...] = (
        wall.Counted("door", _EVENTS, (_WINDOW,)),
        wall.Alive(VisionHealth("door", 5), LiveNumbers(), wall.Will(_WINDOW, _WINDOW.lines, _EVENTS)),
        wall.EmptyRoom("door", 1, 1, b"\x80", 1000, 20),
        wall.Failed("door", "no camera"),
    )
    return wall.encode(random.SystemRandom().choice(messages))[wall.PREFIX_BYTES :]


def _batch_body() -> bytes:
    stamp = Stamp(bytes(8), 1, 1, WallQuality.NTP)
    batch = Batch(site="s", camera="c", disclosure="events", model=b"", clock=stamp, windows=(_WINDOW,), events=_EVENTS)
    return to_bytes(batch)


@contextlib.contextmanager
def _unix_listener(folder: str) -> Iterator[str]:
    path = f"{folder}/service"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        yield path

"""Start the device on this machine: vision and daemon, two processes with a wall between them.

    passerby run --config shop.toml       the cameras of a configuration, delivered as its [uplink] says
    passerby run                          the demonstration: a simulated shop, keys made on the spot, a local collector

The status page is served on this machine's private addresses; the demonstration prints an address with the token in it, a
device has its token on its label. On a terminal a table follows the counts; elsewhere one line a window (--json: one
JSON object a line). Ctrl-C or SIGTERM
ends it in order: what is being counted settles, the last batch is sealed, spooled and, if the collector is there, sent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pwd
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from firmware.clock import SystemClock
from firmware.commands.config_file import read_text
from firmware.commands.remarks import warn_of_geometry
from firmware.commands.warm import has_kernels
from firmware.commissioning.config_store import ConfigStore
from firmware.config import Config, parse
from firmware.daemon import Daemon, Sink, Source
from firmware.demonstration import LocalCollector, free_port, prepare, status_toml, uplink_toml
from firmware.errors import ConfigError, PasserbyError, StorageError
from firmware.geometry_draft import Drafts
from firmware.lives import Begin, Reception, activated_socket
from firmware.outbound import Outbound, Sealer, Terms, spool_in
from firmware.page import Board, Served, keys_folder, serve
from firmware.sd_notify import Notifier
from firmware.status.certificate import page_keys
from firmware.still_store import StillStore
from firmware.terminal import LiveOutput, PlainOutput
from firmware.uplink.enroller import Renewal
from firmware.uplink.keys import load_device_keys
from firmware.uplink.sender import Sender
from firmware.uplink.spool import SpoolLimits
from firmware.vision.confine import close_to_others

PAGE_PORT: Final = 8443
BUSY_SHOP: Final = "sim:?people=90&minutes=10"  # somebody comes every few seconds: a demonstration should not wait for its first customer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--config", metavar="FILE", help="configuration (TOML); without it the demonstration runs")
    parser.add_argument(
        "--safe-mode", action="store_true", help="a device: faults in the configuration are told, and the last good one counts on"
    )
    parser.add_argument(
        "--vision-user", metavar="NAME", help="vision is a unit of its own, of this user (systemd/passerby-vision@.service)"
    )
    parser.add_argument("--folder", type=Path, default=Path(".run"), help="the demonstration's private folder (default: .run)")
    parser.add_argument("--seconds", type=float, metavar="S", help="end after so long (default: until Ctrl-C)")
    parser.add_argument("--json", action="store_true", help="one JSON object per window, for machines")
    parser.add_argument("--plain", action="store_true", help="one line per window, also on a terminal")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    return asyncio.run(_demonstration(arguments) if arguments.config is None else _configured(arguments))


async def _configured(arguments: argparse.Namespace) -> int:
    store = ConfigStore(Path(arguments.config))
    source = _safe_source(store) if arguments.safe_mode else _source(arguments.config)
    warn_of_geometry(source.text, source.filename)
    await _run(arguments, source, list, store)
    return 0


def _source(path: str) -> Source:
    text = read_text(path)
    source = Source(parse(text, path), text, path)
    if not source.config.camera:
        raise ConfigError(f"{path}: no [[camera]]", "there is nothing to count with; see docs/configuration.md")
    return source


def _safe_source(store: ConfigStore) -> Source:
    """What can be run, whatever is on the card; what is wrong goes to the log and to the status page."""
    loaded = store.load_or_empty()
    for fault in loaded.faults:
        print(f"passerby run: safe mode: {fault}", file=sys.stderr)
    return Source(loaded.config, loaded.text, loaded.filename, loaded.faults)


async def _demonstration(arguments: argparse.Namespace) -> int:
    from firmware.vision.simulated_shop import SimulatedShop

    print("First start: keys for a demonstration site ...", file=sys.stderr) if not arguments.folder.exists() else None
    if not has_kernels():
        print("First start: compiling for this processor, a minute or two; until it is done, windows say blind", file=sys.stderr)
    places = prepare(arguments.folder.resolve())
    collector = LocalCollector(places)
    ports = await collector.start()
    text = SimulatedShop().config_toml(BUSY_SHOP) + uplink_toml(places, ports) + status_toml(free_port(PAGE_PORT))
    note = f"delivering to https://127.0.0.1:{ports[0]}; keys, spool and database are in {places.folder}"
    print(note, file=sys.stderr)
    try:
        await _run(arguments, Source(parse(text, "the demonstration"), text, "the demonstration"), lambda: [note], None)
        print("\nWhat the collector holds:", file=sys.stderr)
        print(await collector.windows(), file=sys.stderr)
    finally:
        await collector.stop()
    return 0


async def _run(arguments: argparse.Namespace, source: Source, footer: Callable[[], list[str]], store: ConfigStore | None) -> None:
    close_to_others()
    clock = SystemClock()
    sinks: list[Sink] = []
    daemon = Daemon(source, clock, sinks, Notifier(os.environ.get("NOTIFY_SOCKET", "")), _reception(arguments))
    if store is not None and arguments.safe_mode:
        daemon.on_seeing = lambda seen: _keep(store, seen)
    daemon.keep_stills(StillStore(_state_folder(source.config)))
    outbound = _outbound(source, daemon, clock)
    if outbound is not None:
        outbound.start()
        sinks.append(outbound)

    board = Board(daemon, outbound, clock)
    sinks.append(board)
    page, told = await _page(board, daemon, clock, store)

    def below() -> list[str]:
        return [*footer(), *told[:1], _delivery_line(outbound)]

    if sys.stdout.isatty() and not arguments.json and not arguments.plain:
        sinks.append(LiveOutput(daemon.cameras, below, Console()))
    else:
        sinks.append(PlainOutput(lambda line: print(line, flush=True), as_json=arguments.json))
    if arguments.seconds is not None:
        asyncio.get_running_loop().call_later(arguments.seconds, daemon.stop)
    try:
        await daemon.run()
    finally:
        if page is not None:
            await page.close()
    print(_delivery_line(outbound), file=sys.stderr)


async def _page(board: Board, daemon: Daemon, clock: SystemClock, store: ConfigStore | None) -> tuple[Served | None, list[str]]:
    """The status page, and a line for each of its addresses; None when the configuration wants none.

    What keeps it from being served never keeps us from counting.
    """
    config, demonstration = daemon.source.config, store is None
    if not config.status.enabled:
        return None, []
    try:
        keys = page_keys(keys_folder(config.uplink.spool), new=demonstration)
    except PasserbyError as error:
        print(f"passerby run: no status page: {error}", file=sys.stderr)
        return None, []
    board.begin_presence(demonstration=demonstration)
    page = await serve(board, Drafts(daemon, store), keys, daemon, clock)
    if page.page.listening.trouble:
        print(f"passerby run: no status page yet: {page.page.listening.trouble}", file=sys.stderr)
    shown = f"#token={keys.token}" if keys.token and (demonstration or sys.stderr.isatty()) else ""  # never into a journal
    told = [f"status page: {address}{shown}" for address in page.addresses(config.status.port)]
    print("\n".join(told), file=sys.stderr)
    return page, told


def _keep(store: ConfigStore, seen: Source) -> None:
    """Every camera saw under this configuration: it is what to go back to."""
    try:
        store.keep_as_good(seen.text)
    except StorageError as error:
        print(f"passerby run: the last good configuration is not kept: {error}", file=sys.stderr)


def _reception(arguments: argparse.Namespace) -> Begin | None:
    """Where vision comes in, when the service manager starts it: the unix socket it handed us. None: it is our child."""
    if not arguments.vision_user:
        return None
    listener = activated_socket(dict(os.environ), os.getpid())
    if listener is None:
        raise ConfigError("--vision-user without a socket", "the service manager hands one over: see systemd/passerby-wall.socket")
    try:
        return Reception(listener, pwd.getpwnam(arguments.vision_user).pw_uid).begin
    except KeyError as error:
        raise ConfigError(f"there is no user {arguments.vision_user}", "systemd-sysusers makes it") from error


def _state_folder(config: Config) -> Path | None:
    """Where the device may keep what it learns: the unit's state folder, else beside the spool, else nowhere."""
    state = os.environ.get("STATE_DIRECTORY", "")
    return Path(state) / "learned" if state else Path(config.uplink.spool).parent / "learned" if config.uplink.spool else None


def _outbound(source: Source, daemon: Daemon, clock: SystemClock) -> Outbound | None:
    """The uplink of a configuration; None when it names no keys: then counts are only shown."""
    uplink = source.config.uplink
    if not uplink.keys:
        return None
    if not uplink.spool:
        raise ConfigError(f"{source.filename}: [uplink] has keys but no spool", 'spool = "/var/lib/passerby/spool"')
    keys = load_device_keys(Path(uplink.keys))
    sealer = Sealer(keys, clock)
    sender = None
    if uplink.url:
        enrol_url = uplink.enrol_url or keys.enrol_url
        renewal = Renewal(keys.folder, keys.identity, enrol_url) if enrol_url else None
        wall = partial(_wall, clock)
        sender = Sender(uplink.url, keys.folder, keys.device, keys.receipt, wall, renewal)

    limits = SpoolLimits.of_bytes(uplink.spool_bytes_max)
    terms = Terms(source.config.site, source.config.disclosure, uplink)
    return Outbound(
        terms,
        sealer,
        lambda: spool_in(Path(uplink.spool), limits, keys.device, sealer.gap),
        sender,
        lambda: [state.health for state in daemon.cameras()],
        clock,
    )


def _wall(clock: SystemClock) -> datetime:
    return datetime.fromtimestamp(clock.wall_ms() / 1000, UTC)


def _delivery_line(outbound: Outbound | None) -> str:
    if outbound is None:
        return "nothing is delivered: the configuration has no [uplink] keys"
    health = outbound.health
    error = f"; {health.last_error}" if health.last_error else ""
    return f"{health.acknowledged} envelopes acknowledged, {health.spooled} waiting ({health.storage}){error}"

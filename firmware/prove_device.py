"""What the running device and its card say about the privacy claims: V1 by the processes, V2 and V7 by the spool and the keys.

Read only. The kernel's own word (/proc) on each vision process: its filter, its capabilities, its limits, its open files. The
spool's envelopes, as they would leave: sizes and bytes a day, and every secret on the device tried as a key for them. Some
of it needs root, for vision closes itself to its own user; what could not be read is said, never assumed.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from firmware.config import Config
from firmware.errors import DataError
from firmware.prove import Finding, Verdict
from firmware.uplink.budget import DAY_BYTES_MAX
from firmware.uplink.envelope import opens, read_header
from firmware.uplink.recipient import KEY_BYTES, OpeningKey
from firmware.uplink.spool_format import RECORD_BYTES, read_segment

SPAN_S_MIN: Final = 600.0  # less of a day says little about one
ENVELOPES_TRIED: Final = 20
SECRETS_MAX: Final = 4096
FILE_BYTES_MAX: Final = 1 << 20
_HEX: Final = re.compile(rb"[0-9a-fA-F]{64}")
_CAMERAS: Final = ("/dev/video", "/dev/media", "/dev/dma_heap", "/dev/v4l")


@dataclass(frozen=True, slots=True)
class Process:
    """A process, read from /proc: what of it can be read."""

    folder: Path

    def text(self, name: str) -> str:
        """A file of it; empty when it may not be read."""
        try:
            return (self.folder / name).read_text(encoding="ascii", errors="replace")
        except OSError:
            return ""

    def status(self) -> dict[str, str]:
        """The fields of /proc/PID/status."""
        return {name: value.strip() for name, _, value in (line.partition(":") for line in self.text("status").splitlines())}

    def words(self) -> list[str]:
        """The command line."""
        return self.text("cmdline").split("\0")

    def open_files(self) -> list[tuple[str, bool]] | None:
        """(what each descriptor leads to, whether it is a regular file open for writing); None when that may not be read."""
        found: list[tuple[str, bool]] = []
        try:
            for link in (self.folder / "fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    leads_to = str(link.readlink())
                    flags = re.search(r"flags:\s*(\d+)", self.text(f"fdinfo/{link.name}"))
                    writes = flags is not None and int(flags[1], 8) & os.O_ACCMODE != os.O_RDONLY
                    found.append((leads_to, writes and not leads_to.startswith("/memfd:") and _is_regular(link)))
        except PermissionError:
            return None
        return found


def _is_regular(link: Path) -> bool:
    try:
        return stat.S_ISREG(link.stat().st_mode)
    except OSError:
        return False


def vision_processes(proc: Path = Path("/proc")) -> list[Process]:
    """Every vision process that runs on this machine."""
    found = (Process(folder) for folder in proc.iterdir() if folder.name.isdigit())
    return [process for process in found if "firmware.vision.process" in process.words()]


def prove_processes(processes: list[Process]) -> Iterator[Finding]:
    """V1 of what runs: the kernel's word on each vision process, and on the daemon that started it."""
    what = "the running vision processes are locked by the kernel"
    if not processes:
        yield Finding("V1", what, "open", "no vision process runs here: start passerby, then prove again")
        return
    wrong = [f"process {process.folder.name}: {fault}" for process in processes for fault in _unlocked(process)]
    how = f"{len(processes)} processes: seccomp filter, no new privileges, no capability, no file can grow, no core, nothing swapped"
    yield Finding("V1", what, "broken" if wrong else "holds", "; ".join(wrong) if wrong else how)
    yield _files_finding(processes)
    yield _daemon_finding(processes)


def _unlocked(process: Process) -> Iterator[str]:
    status, limits = process.status(), process.text("limits")
    if "--network" in process.words():
        yield "it has an RTSP camera and keeps the network: the wall is weaker"
        return
    wanted = {"Seccomp": "2", "NoNewPrivs": "1", "CapEff": "0" * 16, "CapPrm": "0" * 16, "CapBnd": None, "VmSwap": "0 kB"}
    for name, value in wanted.items():
        if value is not None and status.get(name, value) != value:
            yield f"{name} is {status[name]}"
    for name in ("Max file size", "Max core file size"):
        match = re.search(rf"{name}\s+(\S+)\s+(\S+)", limits)
        if match is None or match.groups() != ("0", "0"):
            yield f"{name} is {match[1] if match else 'not told'}"


def _files_finding(processes: list[Process]) -> Finding:
    what = "vision has no network socket and no file open for writing"
    found = [process.open_files() for process in processes]
    if any(files is None for files in found):
        return Finding("V1", what, "open", "needs root: vision closes itself to its own user")
    wrong: list[str] = []
    for process, files in zip(processes, found, strict=True):
        inet = _inodes(process, ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet"))
        for leads_to, writes in files or ():
            if writes:
                wrong.append(f"{leads_to} is open for writing")
            if leads_to.startswith("socket:[") and leads_to[8:-1] in inet:
                wrong.append(f"{leads_to} is a network socket")
    count = sum(len(files or ()) for files in found)
    return Finding("V1", what, "broken" if wrong else "holds", "; ".join(wrong) or f"{count} descriptors looked at")


def _daemon_finding(processes: list[Process]) -> Finding:
    what = "the process with the network has no camera"
    parents = {process.status().get("PPid", "0") for process in processes} - {"0", "1"}
    files = [Process(processes[0].folder.parent / parent).open_files() for parent in parents]
    if not files or any(each is None for each in files):
        return Finding("V1", what, "open", "needs root, and a daemon that started vision")
    cameras = [leads_to for each in files for leads_to, _ in each or () if leads_to.startswith(_CAMERAS)]
    return Finding("V1", what, "broken" if cameras else "holds", ", ".join(cameras) or "no camera, media or picture buffer is open in it")


def _inodes(process: Process, tables: tuple[str, ...]) -> set[str]:
    lines = (line.split() for table in tables for line in process.text(f"net/{table}").splitlines()[1:])
    return {words[9] if len(words) > 9 else words[-1] for words in lines if words}


def prove_spool(config: Config) -> Iterator[Finding]:
    """V2 and V7 of a device: its spool's envelopes, and every secret it has."""
    size_claim, key_claim = "what is sealed in a day stays inside the published budget", "no key on this device opens its spool"
    if not config.uplink.spool:
        yield Finding("V2", size_claim, "open", "the configuration names no spool")
        yield Finding("V7", key_claim, "open", "the configuration names no spool")
        return
    envelopes = list(envelopes_in(Path(config.uplink.spool)))
    yield _budget_finding(size_claim, config, envelopes)
    yield _keys_finding(key_claim, Path(config.uplink.keys), envelopes)


def envelopes_in(folder: Path) -> Iterator[bytes]:
    """Every envelope in a spool's segments, sent or not."""
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob("*.seg")):
            with contextlib.suppress(OSError, DataError):
                segment = path.read_bytes()
                for _, place, length in read_segment(segment).envelopes:
                    yield segment[place + RECORD_BYTES : place + RECORD_BYTES + length]


def _budget_finding(what: str, config: Config, envelopes: list[bytes]) -> Finding:
    headers = [(read_header(envelope), len(envelope)) for envelope in envelopes]
    boots: dict[bytes, list[tuple[int, int]]] = {}
    for header, size in headers:
        boots.setdefault(header.boot, []).append((header.boot_ms, size))
    span_s = sum(max(t for t, _ in rows) - min(t for t, _ in rows) for rows in boots.values()) / 1000
    sizes = {1 << (size.bit_length() - 1) for _, size in headers}
    told = f"{len(envelopes)} envelopes over {span_s / 3600:.1f} h, {len(sizes)} padded sizes"
    if span_s < SPAN_S_MIN:
        return Finding("V2", what, "open", f"{told}: let it run for ten minutes")
    a_day = sum(size for _, size in headers) / span_s * 86_400
    budget = DAY_BYTES_MAX[config.disclosure] * max(1, len(config.camera))
    verdict: Verdict = "holds" if a_day <= budget and len(sizes) <= 9 else "broken"
    return Finding("V2", what, verdict, f"{told}: {a_day / 1e6:.2f} MB a day, {budget / 1e6:.0f} MB published for {config.disclosure}")


def _keys_finding(what: str, keys: Path, envelopes: list[bytes]) -> Finding:
    try:
        secrets = secrets_in(keys)
    except OSError as error:
        return Finding("V7", what, "open", f"{keys}: {error.strerror}: needs root, or the service's user")
    if not envelopes or not secrets:
        return Finding("V7", what, "open", f"{len(envelopes)} envelopes in the spool, {len(secrets)} secrets in the keys' folder")
    own = OpeningKey.from_private_bytes(1, bytes(range(KEY_BYTES)))
    control = own.open(own.recipient().seal(b"control", b""), b"") == b"control"
    opened = [envelope for envelope in envelopes[-ENVELOPES_TRIED:] if any(_opens(envelope, secret) for secret in secrets)]
    how = f"{len(secrets)} secrets from {keys} tried on {min(len(envelopes), ENVELOPES_TRIED)} envelopes: {len(opened)} opened"
    verdict: Verdict = "broken" if opened else "holds" if control else "open"
    return Finding("V7", what, verdict, f"{how}; a right key does open what is sealed to it")


def _opens(envelope: bytes, secret: bytes) -> bool:
    return opens(envelope, OpeningKey.from_private_bytes(read_header(envelope).suite, secret))


def secrets_in(folder: Path) -> set[bytes]:
    """Every 32 bytes in a keys' folder that could be a private key: of PEM files, and all that stands there in hex."""
    found: set[bytes] = set()
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file():
            with path.open("rb") as file:
                text = file.read(FILE_BYTES_MAX)
            found |= {bytes.fromhex(match.decode()) for match in _HEX.findall(text)}
            if len(text) == KEY_BYTES:
                found.add(text)
            with contextlib.suppress(ValueError, TypeError):
                key = load_pem_private_key(text, None)
                if isinstance(key, (ed25519.Ed25519PrivateKey, x25519.X25519PrivateKey)):
                    found.add(key.private_bytes_raw())
                elif isinstance(key, ec.EllipticCurvePrivateKey):
                    found.add(key.private_numbers().private_value.to_bytes(KEY_BYTES, "big"))
    return set(sorted(found)[:SECRETS_MAX])

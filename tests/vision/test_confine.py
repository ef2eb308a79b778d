"""The locks, tried in a real process of their own: they cannot be undone."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PREAMBLE = """
import json, socket, sys
from firmware.vision.confine import give_up_files, give_up_network, try_network
"""


def run(script: str, *arguments: str) -> dict[str, object]:
    """Run a script that prints one JSON line."""
    command = [sys.executable, "-c", PREAMBLE + textwrap.dedent(script), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert finished.stdout, finished.stderr
    return json.loads(finished.stdout)


def test_no_socket_of_any_network_family_can_be_made() -> None:
    """IPv4, IPv6, packet and virtual-machine sockets fail; unix sockets, which the wall needs, do not."""
    said = run("""
        locks = give_up_network()
        def tried(family):
            try:
                socket.socket(family, socket.SOCK_DGRAM).close()
                return "made"
            except OSError as error:
                return error.errno
        print(json.dumps({"denied": locks.network_denied, "unix": tried(socket.AF_UNIX), "probe": try_network(),
            "others": [tried(f) for f in (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_VSOCK)]}))
    """)
    assert said == {"denied": True, "unix": "made", "probe": "EAFNOSUPPORT", "others": [97, 97, 97, 97]}


def test_a_child_is_as_confined_as_its_parent() -> None:
    """A process started later inherits the filter."""
    said = run("""
        import subprocess
        give_up_network()
        code = "import socket; socket.socket()"
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        print(json.dumps({"code": child.returncode, "said": child.stderr.splitlines()[-1]}))
    """)
    assert said["code"] == 1
    assert "Address family not supported" in str(said["said"])


def test_no_capability_is_left() -> None:
    """The own namespace gives nothing back: effective and permitted sets are empty."""
    said = run("""
        give_up_network()
        lines = open("/proc/self/status").read().splitlines()
        print(json.dumps({line[:6]: int(line.split()[1], 16) for line in lines if line[:6] in ("CapEff", "CapPrm")}))
    """)
    assert said == {"CapEff": 0, "CapPrm": 0}


def test_no_file_grows(tmp_path: Path) -> None:
    """After the last lock not one byte reaches a file, new or old, and the process lives on."""
    old = tmp_path / "old"
    old.write_bytes(b"before")
    said = run(
        """
        locks = give_up_files(give_up_network())
        def wrote(path, mode):
            try:
                with open(path, mode) as file:
                    file.write(b"pixel")
                return "wrote"
            except OSError as error:
                return error.errno
        print(json.dumps({"files": locks.files, "new": wrote(sys.argv[1] + "/new", "wb"), "old": wrote(sys.argv[1] + "/old", "ab")}))
        """,
        str(tmp_path),
    )
    assert said == {"files": True, "new": 27, "old": 27}
    assert old.read_bytes() == b"before"


@pytest.mark.parametrize("escape", ["ctypes.CDLL(None).syscall(425, 1, 0)"])
def test_io_uring_is_no_way_round(escape: str) -> None:
    """io_uring can make sockets without socket(); it is denied as a whole."""
    said = run(f"""
        import ctypes
        give_up_network()
        print(json.dumps({{"made": {escape}}}))
    """)
    assert said["made"] == -1


def test_without_the_locks_the_network_is_there() -> None:
    """The probe itself can tell: unconfined, a datagram socket is made."""
    said = run("""
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
        print(json.dumps({"made": True}))
    """)
    assert said == {"made": True}

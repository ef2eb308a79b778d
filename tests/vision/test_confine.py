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
    """IPv4, IPv6, packet, virtual-machine and unix sockets fail; a pair of stream sockets, which leads nowhere else, does not."""
    said = run("""
        locks = give_up_network()
        def tried(family):
            try:
                socket.socket(family, socket.SOCK_DGRAM).close()
                return "made"
            except OSError as error:
                return error.errno
        def pair(type_):
            try:
                socket.socketpair(socket.AF_UNIX, type_)
                return "made"
            except OSError as error:
                return error.errno
        print(json.dumps({"denied": locks.network_denied, "netlink": tried(socket.AF_NETLINK), "probe": try_network(),
            "others": [tried(f) for f in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_VSOCK)],
            "pairs": [pair(t) for t in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM)]}))
    """)
    assert said == {
        "denied": True,
        "netlink": "made",
        "probe": "EAFNOSUPPORT",
        "others": [97] * 5,
        "pairs": ["made", "made", 97],
    }


def test_no_service_of_this_machine_can_be_asked(tmp_path: Path) -> None:
    """A unix socket made before the locks cannot be connected after them: no resolver, no bus, no journal to talk through."""
    said = run(
        """
        server = socket.socket(socket.AF_UNIX); server.bind(sys.argv[1]); server.listen()
        ours = socket.socket(socket.AF_UNIX)
        give_up_network()
        try:
            ours.connect(sys.argv[1])
            print(json.dumps({"connected": True}))
        except OSError as error:
            print(json.dumps({"connected": error.errno}))
        """,
        str(tmp_path / "service"),
    )
    assert said == {"connected": 97}


def test_no_other_process_can_be_traced_or_read() -> None:
    """The daemon runs as the same user: neither ptrace nor its memory is within reach."""
    said = run("""
        import ctypes, os
        parent = os.getppid()
        give_up_network()
        libc = ctypes.CDLL(None, use_errno=True)
        def tried(result):
            return ctypes.get_errno() if result == -1 else "done"
        print(json.dumps({"seize": tried(libc.ptrace(0x4206, parent, None, None)),
            "read": tried(libc.process_vm_readv(parent, None, 0, None, 0, 0))}))
    """)
    assert said == {"seize": 97, "read": 97}


def test_a_process_that_closed_itself_cannot_be_read_by_its_user() -> None:
    """The kernel hands its memory to nobody of the same user."""
    said = run("""
        from firmware.vision.confine import close_to_others
        import os
        before = os.stat("/proc/self/mem").st_uid
        if os.getuid() == 0:
            os.setuid(65534)
        close_to_others()
        print(json.dumps({"owner": os.stat("/proc/self/mem").st_uid}))
    """)
    assert said == {"owner": 0}


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

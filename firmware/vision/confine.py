"""Vision gives up the network, and then the right to write files: by the kernel, for good, before it sees a picture.

Three locks, each on its own enough, each tried and reported, none silent:
1. an own user and network namespace: no interface but a dead loopback (not where the kernel forbids it);
2. a seccomp filter, for this process and all its children: socket() fails but for AF_NETLINK, which libcamera finds cameras
   by; connect() fails, so that no service on this machine (a resolver, a bus) can be asked to talk; pairs of stream sockets
   stay; no other process can be traced, read or written, the daemon least of all;
3. RLIMIT_FSIZE 0: no regular file can grow by a byte (taken last: the Numba cache may still be written at start).
An RTSP camera needs the network and gets the third lock alone; the status page says that the wall is weaker.
Filters stay to the end of the process; nothing here can be undone. Linux on x86_64 and aarch64; elsewhere `Locks` says no.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import socket
import struct
from dataclasses import dataclass
from typing import Final

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2
_CAPABILITY_VERSION: Final = 0x20080522  # linux/capability.h, version 3

# linux/audit.h and the tables of system calls. io_uring can make sockets past a filter on socket(), so it is denied whole.
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SYSCALLS: Final = {
    "x86_64": {"socket": 41, "socketpair": 53, "connect": 42, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311},
    "aarch64": {"socket": 198, "socketpair": 199, "connect": 203, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271},
}
_SAME_EVERYWHERE: Final = {"io_uring_setup": 425, "pidfd_getfd": 438}
_X32_BIT: Final = 0x40000000

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND: Final = 0x54
_IF_EQUAL: Final = 0x15
_IF_ANY_BIT: Final = 0x45
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_ERRNO: Final = 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24  # struct seccomp_data, little endian
_TYPE_MASK: Final = 0xF  # of a socket's type; the rest are flags


@dataclass(frozen=True, slots=True)
class Locks:
    """Which locks hold, and why not where one does not."""

    namespace: bool
    seccomp: bool
    files: bool
    reasons: tuple[str, ...] = ()

    @property
    def network_denied(self) -> bool:
        """The kernel keeps this process off every network."""
        return self.namespace or self.seccomp


def give_up_network() -> Locks:
    """Take locks 1 and 2. Must run before any thread starts and before any untrusted byte is read."""
    reasons: list[str] = []
    libc = ctypes.CDLL(None, use_errno=True)
    namespace = libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0
    if not namespace:
        reasons.append(f"no own network namespace: {os.strerror(ctypes.get_errno())}")
    seccomp = _deny_sockets(libc, reasons)
    _drop_capabilities(libc)
    return Locks(namespace, seccomp, files=False, reasons=tuple(reasons))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """An own user namespace begins with every capability in it: netfilter and mounts would be within reach. None is needed."""
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    libc.capset(header, bytes(24))  # effective, permitted, inheritable, twice 32 bits: all zero


def give_up_files(locks: Locks) -> Locks:
    """Take lock 3: from here on no regular file can grow. Core dumps end here too."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write then fails with EFBIG instead of killing
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return Locks(locks.namespace, locks.seccomp, files=True, reasons=locks.reasons)


def die_with_parent() -> None:
    """The kernel ends this process when the one that started it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def close_to_others() -> None:
    """No process of this user may trace this one, or read its memory: for the daemon, whose user vision shares under `passerby run`."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def try_network() -> str:
    """Try to reach out, as a test of the locks: how the kernel refused, or an empty string when it did not."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect(("192.0.2.1", 9) if family == socket.AF_INET else ("2001:db8::1", 9))  # documentation addresses
        except OSError as error:
            refusal = errno.errorcode.get(error.errno or 0, str(error))
        else:
            return ""
    return refusal


def _deny_sockets(libc: ctypes.CDLL, reasons: list[str]) -> bool:
    """Install the filter; False, with a reason, where the kernel or the machine does not know how."""
    if platform.machine() not in _SYSCALLS:
        reasons.append(f"no seccomp filter for {platform.machine()}")
        return False
    program = _filter(platform.machine())
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        reasons.append(f"no seccomp filter: {os.strerror(ctypes.get_errno())}")
        return False
    return True


def _filter(machine: str) -> bytes:
    """The BPF program: struct sock_filter[] (u16 code, u8 jump-true, u8 jump-false, u32 k). Jumps are to labels."""
    calls = _SYSCALLS[machine] | _SAME_EVERYWHERE
    denied = [number for name, number in calls.items() if name not in {"socket", "socketpair"}]
    lines: list[tuple[str, int, str, str, int]] = [
        ("", _LOAD, "", "", _ARCHITECTURE),
        ("", _IF_EQUAL, "", "kill", _ARCHITECTURES[machine]),
        ("", _LOAD, "", "", _NUMBER),
        *([("", _IF_ANY_BIT, "kill", "", _X32_BIT)] if machine == "x86_64" else []),  # the other numbering of the same calls
        ("", _IF_EQUAL, "socket", "", calls["socket"]),
        ("", _IF_EQUAL, "socketpair", "", calls["socketpair"]),
        *(("", _IF_EQUAL, "deny", "", number) for number in denied),
        ("", _RETURN, "", "", _ALLOW),
        ("socket", _LOAD, "", "", _FIRST_ARGUMENT),
        ("", _IF_EQUAL, "allow", "deny", socket.AF_NETLINK),
        ("socketpair", _LOAD, "", "", _FIRST_ARGUMENT),
        ("", _IF_EQUAL, "", "deny", socket.AF_UNIX),
        ("", _LOAD, "", "", _SECOND_ARGUMENT),
        ("", _AND, "", "", _TYPE_MASK),  # a pair of datagram sockets could still be sent from to any address
        ("", _IF_EQUAL, "allow", "", socket.SOCK_STREAM),
        ("", _IF_EQUAL, "allow", "deny", socket.SOCK_SEQPACKET),
        ("allow", _RETURN, "", "", _ALLOW),
        ("deny", _RETURN, "", "", _ERRNO | errno.EAFNOSUPPORT),
        ("kill", _RETURN, "", "", _KILL),
    ]
    at = {label: index for index, (label, *_) in enumerate(lines) if label}
    packed = b""
    for index, (_, code, when_true, when_false, k) in enumerate(lines):
        jumps = (at[label] - index - 1 if label else 0 for label in (when_true, when_false))
        packed += struct.pack("HBBI", code, *jumps, k)
    return packed

"""Vision gives up the network, and then the right to write files: by the kernel, for good, before it sees a picture.

Three locks, each on its own enough, each tried and reported, none silent:
1. an own user and network namespace: no interface but a dead loopback (not where the kernel forbids it);
2. a seccomp filter: socket() of any family but AF_UNIX fails with EAFNOSUPPORT, in this process and all its children;
   AF_NETLINK stays for libcamera's device enumeration;
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

# linux/audit.h and the syscall tables: architecture token, socket(), socketpair(), io_uring_setup().
# io_uring can make sockets past a filter on socket(), so it is denied whole.
_SYSCALLS: Final = {
    "x86_64": (0xC000003E, 41, 53, 425),
    "aarch64": (0xC00000B7, 198, 199, 425),
}
_X32_BIT: Final = 0x40000000

_LD_W_ABS: Final = 0x20
_JEQ_K: Final = 0x15
_JSET_K: Final = 0x45
_RET_K: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_ERRNO: Final = 0x00050000
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARG0 = 0, 4, 16  # struct seccomp_data, little endian


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
    table = _SYSCALLS.get(platform.machine())
    if table is None:
        reasons.append(f"no seccomp filter for {platform.machine()}")
        return False
    program = _filter(*table)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        reasons.append(f"no seccomp filter: {os.strerror(ctypes.get_errno())}")
        return False
    return True


def _filter(arch: int, nr_socket: int, nr_socketpair: int, nr_io_uring: int) -> bytes:
    """The BPF program: struct sock_filter[] (u16 code, u8 jump-true, u8 jump-false, u32 k)."""
    allow, deny, kill = 11, 12, 13
    lines = [
        (_LD_W_ABS, None, None, _OFFSET_ARCH),
        (_JEQ_K, 2, kill, arch),
        (_LD_W_ABS, None, None, _OFFSET_NR),
        (_JSET_K, kill, 4, _X32_BIT),
        (_JEQ_K, 8, 5, nr_socket),
        (_JEQ_K, 8, 6, nr_socketpair),
        (_JEQ_K, deny, allow, nr_io_uring),
        (_RET_K, None, None, _ALLOW),
        (_LD_W_ABS, None, None, _OFFSET_ARG0),
        (_JEQ_K, allow, 10, socket.AF_UNIX),
        (_JEQ_K, allow, deny, socket.AF_NETLINK),
        (_RET_K, None, None, _ALLOW),
        (_RET_K, None, None, _ERRNO | errno.EAFNOSUPPORT),
        (_RET_K, None, None, _KILL),
    ]
    lines[3] = (_JSET_K, kill, 4, _X32_BIT) if arch == _SYSCALLS["x86_64"][0] else (_JSET_K, 4, 4, 0)
    packed = b""
    for index, (code, when_true, when_false, k) in enumerate(lines):
        jump_true = 0 if when_true is None else when_true - index - 1
        jump_false = 0 if when_false is None else when_false - index - 1
        packed += struct.pack("HBBI", code, jump_true, jump_false, k)
    return packed

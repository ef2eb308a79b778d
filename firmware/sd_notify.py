"""systemd's notification protocol (sd_notify(3)): one datagram of KEY=VALUE lines to $NOTIFY_SOCKET; silent elsewhere."""

from __future__ import annotations

import socket


class Watchdog:
    """As Notifier, over one socket that is opened now: for a process that may open none later. Silent where nobody listens."""

    def __init__(self, address: str) -> None:
        """`address` as for Notifier."""
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            try:
                self._socket.connect("\0" + address[1:] if address.startswith("@") else address)
            except OSError:
                self._socket = None

    def say(self, **fields: str | int) -> None:
        """Send the fields; a manager that is gone is no error of ours."""
        if self._socket is not None:
            try:
                self._socket.send(_lines(fields))
            except OSError:
                return


class Notifier:
    """Says READY, STATUS, WATCHDOG and STOPPING to the service manager, or to nobody when `address` is empty."""

    def __init__(self, address: str) -> None:
        """`address` is the value of NOTIFY_SOCKET; a leading @ means the abstract namespace."""
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def say(self, **fields: str | int) -> None:
        """Send the fields, e.g. `say(READY=1, STATUS="counting")`. A manager that is gone is no error of ours."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to_manager:
            try:
                to_manager.sendto(_lines(fields), self._address)
            except OSError:
                return


def _lines(fields: dict[str, str | int]) -> bytes:
    return "\n".join(f"{key}={str(value).replace(chr(10), ' ')}" for key, value in fields.items()).encode()

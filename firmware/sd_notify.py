"""systemd's notification protocol (sd_notify(3)): one datagram of KEY=VALUE lines to $NOTIFY_SOCKET; silent elsewhere."""

from __future__ import annotations

import socket


class Notifier:
    """Says READY, STATUS, WATCHDOG and STOPPING to the service manager, or to nobody when `address` is empty."""

    def __init__(self, address: str) -> None:
        """`address` is the value of NOTIFY_SOCKET; a leading @ means the abstract namespace."""
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def say(self, **fields: str | int) -> None:
        """Send the fields, e.g. `say(READY=1, STATUS="counting")`. A manager that is gone is no error of ours."""
        if not self._address:
            return
        lines = "\n".join(f"{key}={str(value).replace(chr(10), ' ')}" for key, value in fields.items())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to_manager:
            try:
                to_manager.sendto(lines.encode(), self._address)
            except OSError:
                return

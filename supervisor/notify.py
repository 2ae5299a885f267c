"""Tells systemd what the service is doing: the notify protocol of sd_notify(3), nothing where there is no systemd."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Send for example `READY=1` or `STOPPING=1` to the socket that `NOTIFY_SOCKET` names."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.sendto(state.encode(), address)


def watchdog_interval_s() -> float | None:
    """How often systemd wants to hear `WATCHDOG=1`: half of what it allows; None if it does not watch this process."""
    allowed_us = os.environ.get("WATCHDOG_USEC", "")
    pid = os.environ.get("WATCHDOG_PID", "")
    if not allowed_us.isdecimal() or (pid and pid != str(os.getpid())):
        return None
    return int(allowed_us) / 2_000_000

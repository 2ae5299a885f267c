"""Ports on the loopback address."""

from __future__ import annotations

import errno
import socket

HOST = "127.0.0.1"


def obstacle(port: int) -> str | None:
    """Why a server could not listen on `port` now, or None when it could."""
    with _socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return (
                "is taken by another process"
                if error.errno == errno.EADDRINUSE
                else f"cannot be used: {error.strerror}"
            )
        return None


def free_port() -> int:
    """A port that was free a moment ago. Others may take it before the caller does: be ready to ask again."""
    with _socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether somebody listens on `port`."""
    with _socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _socket() -> socket.socket:
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # As Java's server sockets: the remains of closed connections do not block a port.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return probe

"""Binds the addresses of listeners: before anything else starts, so that a worker that cannot have them ends at once."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connectd.errors import ConnectException
from supervisor.rest.listeners import Listener, address_of

_BACKLOG: Final = 128


@dataclass(frozen=True)
class BoundListener:
    """A listener with its sockets, which queue connections until somebody serves them."""

    listener: Listener
    sockets: Sequence[socket.socket]

    @property
    def host(self) -> str:
        """A name or address under which others may reach it."""
        return address_of(self.listener)

    @property
    def port(self) -> int:
        """The port that it really has."""
        port: int = self.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """For people and programs to use."""
        return Listener(self.listener.tls, self.host, self.port).url


def bind_all(key: str, listeners: Sequence[Listener]) -> list[BoundListener]:
    """All of them, or none. Raises ConnectException that names `key`."""
    bound: list[BoundListener] = []
    try:
        for listener in listeners:
            bound.append(BoundListener(listener, bind(key, listener)))
    except BaseException:
        for each in bound:
            close(each.sockets)
        raise
    return bound


def bind(key: str, listener: Listener) -> list[socket.socket]:
    """Listening sockets for all addresses of the host; those that it has not on this machine are left out, if any is left.

    Raises ConnectException that names `key`.
    """
    try:
        addresses = _addresses(listener)
    except OSError as error:
        raise ConnectException(f"{key}: the host of {listener.url} is not known: {error.strerror}") from error
    bound: list[socket.socket] = []
    missing: OSError | None = None
    for family, address in addresses:
        try:
            bound.append(_bound(family, address))
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                missing = error
                continue
            close(bound)
            raise _refused(key, listener, error) from error
    if missing is not None and not bound:
        raise _refused(key, listener, missing) from missing
    return bound


def close(sockets: Sequence[socket.socket]) -> None:
    """Close them all."""
    for each in sockets:
        each.close()


def _addresses(listener: Listener) -> Sequence[tuple[socket.AddressFamily, tuple[object, ...]]]:
    if not listener.host:
        family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        return [(family, ("", listener.port))]
    found = socket.getaddrinfo(listener.host, listener.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
    addresses.sort(key=lambda each: each[0] is not socket.AF_INET)
    # Two addresses would get two different free ports.
    return addresses if listener.port else addresses[:1]


def _bound(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            # The empty host means IPv4 too; a host with addresses of both kinds has a socket for each.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1 if address[0] else 0)
        sock.bind(address)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
        stack.pop_all()
    return sock


def _refused(key: str, listener: Listener, error: OSError) -> ConnectException:
    if error.errno == errno.EADDRINUSE:
        other = f"{listener.url.rpartition(':')[0]}:{listener.port + 1}"
        return ConnectException(
            f"{key}: {listener.url} cannot be used, port {listener.port} is taken by another program. Set {key} in the "
            f"worker file to another address, for example {key}={other}"
        )
    return ConnectException(f"{key}: {listener.url} cannot be used: {error.strerror}")

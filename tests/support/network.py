"""A network namespace whose cable can be pulled: a machine of its own, as far as the network goes. Needs root and iproute2."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

# What is reserved for benchmarks of networks (RFC 2544), so that nobody has it; the second byte of the rest tells runs apart.
_NETWORK = "198.18"


class NoNetwork(Exception):
    """There cannot be a namespace here, and why."""


@dataclass(frozen=True)
class Network:
    """A bridge of this machine with the address `here`, and a namespace with the address `there` at the end of a cable."""

    name: str
    here: str
    there: str

    def command(self, *command: str) -> list[str]:
        """A command, in the namespace."""
        return ["ip", "netns", "exec", self.name, *command]

    def cut(self) -> None:
        """Pull the cable: whatever is sent is lost, and nobody is told."""
        _ip("link", "set", f"{self.name}-h", "down")

    def mend(self) -> None:
        """Put it in again."""
        _ip("link", "set", f"{self.name}-h", "up")


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Gone with the block, whatever happens in it. Raises NoNetwork."""
    if os.geteuid() != 0:
        raise NoNetwork("only root may create network namespaces")
    if shutil.which("ip") is None:
        raise NoNetwork("there is no `ip`: install iproute2")
    _forget_others()
    number = os.getpid() % 250
    found = Network(f"ctd{os.getpid()}", f"{_NETWORK}.{number}.1", f"{_NETWORK}.{number}.2")
    with contextlib.ExitStack() as cleaning:
        try:
            _build(found, cleaning)
        except subprocess.CalledProcessError as error:
            raise NoNetwork(f"{' '.join(error.cmd)}: {error.stderr.decode().strip()}") from error
        yield found


def _forget_others() -> None:
    """What processes have left that were killed."""
    for name in subprocess.run(["ip", "netns"], check=True, capture_output=True, text=True).stdout.splitlines():
        found = re.match(r"ctd(\d+)\b", name)
        if found and not psutil.pid_exists(int(found[1])):
            for link in ("h", "b"):
                _forget("link", "del", f"{found[0]}-{link}")
            _forget("netns", "del", found[0])


def _build(found: Network, cleaning: contextlib.ExitStack) -> None:
    bridge, cable, end = f"{found.name}-b", f"{found.name}-h", f"{found.name}-n"
    _ip("netns", "add", found.name)
    cleaning.callback(_forget, "netns", "del", found.name)
    _ip("link", "add", bridge, "type", "bridge")
    cleaning.callback(_forget, "link", "del", bridge)
    _ip("link", "add", cable, "type", "veth", "peer", "name", end)
    cleaning.callback(_forget, "link", "del", cable)
    _ip("link", "set", end, "netns", found.name)
    _ip("link", "set", cable, "master", bridge)
    _ip("addr", "add", f"{found.here}/24", "dev", bridge)
    for each in (bridge, cable):
        _ip("link", "set", each, "up")
    _ip("-n", found.name, "addr", "add", f"{found.there}/24", "dev", end)
    for each in (end, "lo"):
        _ip("-n", found.name, "link", "set", each, "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _forget(*arguments: str) -> None:
    with contextlib.suppress(subprocess.CalledProcessError):
        _ip(*arguments)

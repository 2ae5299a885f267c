"""Waiting for conditions, and looking at processes from outside."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

# Only a bug reaches it: a machine that is busy may take long.
TIMEOUT_S = 90.0


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
    """Returns as soon as the condition holds; fails after the timeout. Looks less often the longer it waits, and the longer a
    look takes: looking costs the time of those that are waited for."""
    begin = looked = time.monotonic()
    while not condition():
        now = time.monotonic()
        assert now - begin < timeout_s, f"still waiting until {what}"
        time.sleep(min(0.005 + (now - begin) / 20, 0.05) + min(2 * (now - looked), 0.2))
        looked = time.monotonic()


async def until(condition: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
    """The same in an event loop."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"still waiting until {what}"
        await asyncio.sleep(0.002)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def parent_of(pid: int) -> int:
    """The pid of the parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def open_descriptors() -> int:
    """How many files, sockets and pipes this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def threads() -> int:
    """How many threads this process has."""
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208

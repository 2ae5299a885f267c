"""Waiting for conditions, and looking at processes from outside."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

# Only a bug reaches it: a machine that is busy may take long.
TIMEOUT_S = 90.0

What = str | Callable[[], str]
"""What is waited for; a function says, too, what there is by then."""


def wait_until(
    condition: Callable[[], object], what: What, timeout_s: float = TIMEOUT_S, longest_s: float = 0.05
) -> None:
    """Returns as soon as the condition holds; fails after the timeout. Between looks that cost nothing it waits for
    `longest_s` at most."""
    begin = looked = time.monotonic()
    while not condition():
        time.sleep(_pause(begin, looked, what, timeout_s, longest_s))
        looked = time.monotonic()


async def until(condition: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
    """The same in an event loop."""
    begin = looked = time.monotonic()
    while not condition():
        await asyncio.sleep(_pause(begin, looked, what, timeout_s, longest_s=0.02))
        looked = time.monotonic()


def _pause(begin: float, looked: float, what: What, timeout_s: float, longest_s: float) -> float:
    """Seconds until the next look: the more, the longer all takes and the longer the last look took. Looking costs the time
    of those that are waited for. Raises AssertionError after the timeout."""
    now = time.monotonic()
    assert now - begin < timeout_s, f"still waiting until {what if isinstance(what, str) else what()}"
    return min(0.002 + (now - begin) / 20, longest_s) + min(2 * (now - looked), 0.2)


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

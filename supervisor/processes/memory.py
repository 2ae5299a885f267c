"""How much memory a process uses, as cheaply as /proc tells it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def used_bytes(pid: int, at_least: int) -> int:
    """What a process and all that it has started use, as far as it counts against a limit of `at_least`; 0 if it is gone.

    It is the proportional set size, which counts what is shared with others in parts. For the kernel that is a walk through all
    pages: of processes whose resident sets, which are never less, are below the limit together, these are returned instead.
    """
    pids = [pid, *_descendants(pid)]
    resident = sum(map(_resident_bytes, pids))
    return resident if resident < at_least else sum(map(_proportional_bytes, pids))


def _descendants(pid: int) -> Iterator[int]:
    """What any thread of it has started, and what that has; see proc(5)."""
    for child in _children(pid):
        yield child
        yield from _descendants(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):  # it may end at any moment, and its threads each for itself
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (thread / "children").read_text().split())
    return found


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Pss:")), 0)


def mib(count: int) -> str:
    """For example `512 MiB`."""
    return f"{count / (1 << 20):.0f} MiB" if count >= 1 << 20 else f"{count} bytes"

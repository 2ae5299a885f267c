"""How much memory a process uses, as cheaply as /proc tells it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def used_bytes(pid: int, at_least: int) -> int:
    """The proportional set size of a process, which counts what is shared with others in parts; 0 if there is no such process.

    For the kernel it is a walk through all pages. Of a process whose resident set, which is never less, is below `at_least`
    that is returned instead.
    """
    try:
        resident = int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
        return resident if resident < at_least else _proportional_bytes(pid)
    except (OSError, IndexError):
        return 0


def _proportional_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def give_back() -> None:
    """Return to the system what the C library keeps for later: starting hundreds of tasks takes more than watching them.

    Other C libraries than glibc have no call for it.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def mib(count: int) -> str:
    """For example `512 MiB`."""
    return f"{count / (1 << 20):.0f} MiB" if count >= 1 << 20 else f"{count} bytes"

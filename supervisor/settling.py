"""Waits until nobody writes files any more: an editor may be in the middle of it when SIGHUP comes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

# Files that were last written at least so long ago are taken to be complete.
SETTLED_S: Final = 0.1
PATIENCE_S: Final = 2.0
_INTERVAL_S: Final = 0.02


async def settle(paths: Callable[[], Iterable[str]]) -> set[str]:
    """Wait until all of these files and folders are settled; those that are not after `PATIENCE_S` are returned.

    Of a file that is not there its folder counts: many editors save by deleting and renaming.
    """
    deadline = time.monotonic() + PATIENCE_S
    while fresh := {path for path in paths() if _is_fresh(path)}:
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(_INTERVAL_S)
    return fresh


def _is_fresh(path: str) -> bool:
    try:
        written = os.stat(path).st_mtime  # noqa: PTH116 (a thousand of them: no objects)
    except FileNotFoundError:
        return _is_fresh(str(Path(path).parent)) if path != str(Path(path).parent) else False
    except OSError:
        return False
    return abs(time.time() - written) < SETTLED_S

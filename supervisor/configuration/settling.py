"""Reads files that nobody is writing: an editor may be in the middle of it when SIGHUP comes."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

# Files that were last written at least so long ago are taken to be complete. One that is wrong, for example empty, may be so
# because it is not, and is looked at again for longer.
SETTLED_S: Final = 0.2
SUSPECT_S: Final = 1.0
PATIENCE_S: Final = 2.0
_INTERVAL_S: Final = 0.02

T = TypeVar("T")


class Stamp(NamedTuple):
    """Another one after each change of a file."""

    inode: int
    size: int
    written_ns: int


async def read_settled(
    paths: Callable[[], Iterable[str]], read: Callable[[], T], wrong: Callable[[T], Iterable[str]]
) -> tuple[T, set[str]]:
    """What `read` makes, in a thread, of files that nobody writes: of `paths`, files and folders, none is written shortly
    before, and none meanwhile. `wrong` names those that it could not make sense of. After `PATIENCE_S` it is read all the
    same, and those that were not settled are returned too.

    Of a file that is not there its folder counts: many editors save by deleting and renaming.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        before = _stamps(paths())
        unsettled = {path for path, stamp in before.items() if _age_s(stamp) < SETTLED_S}
        if not unsettled or time.monotonic() > deadline:
            result = await asyncio.to_thread(read)
            after = _stamps(paths())
            unsettled |= {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
            suspect = any(_age_s(after.get(path)) < SUSPECT_S for path in wrong(result))
            if not (unsettled or suspect) or time.monotonic() > deadline:
                return result, unsettled
        await asyncio.sleep(_INTERVAL_S)


def _stamps(paths: Iterable[str]) -> dict[str, Stamp | None]:
    return {path: _stamp(path) for path in paths}


def _stamp(path: str) -> Stamp | None:
    """None if nothing is to be known."""
    try:
        status = os.stat(path)  # noqa: PTH116 (a thousand of them: no objects)
    except FileNotFoundError:
        parent = str(Path(path).parent)
        return None if parent == path else _stamp(parent)
    except OSError:
        return None
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


def _age_s(stamp: Stamp | None) -> float:
    """How long ago it was written. Clocks differ: what was written in the future is as old as it is far away."""
    return math.inf if stamp is None else abs(time.time() - stamp.written_ns / 1e9)

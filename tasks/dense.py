"""Leaves no free space between what the forkserver has in memory.

What a child makes would otherwise go into such gaps, one here and one there, and each copies a page of 4 KiB that the child
would have shared with the forkserver. Without gaps it lies together, in few pages.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Final

# CPython's own allocator (Objects/obmalloc.c): blocks of multiples of 16 bytes, of one size in each pool.
_BLOCK: Final = 16
_LARGEST_BLOCK: Final = 512
_POOL: Final = 16_384
_POOL_HEADER: Final = 48
# Of a bytes object beside its bytes.
_BYTES_HEADER: Final = 33
# The growth of a list takes blocks itself, up to this length.
_LEAST: Final = 200
# There are not as many gaps; whoever has given so much without a row is another allocator (PYTHONMALLOC, LD_PRELOAD).
_MOST_BYTES: Final = 16 << 20
_MOST_HEAP_BYTES: Final = 64 << 20
# glibc's: above this a chunk is a mapping of its own.
_LARGEST_CHUNK: Final = 1 << 16
_LEAST_CHUNK: Final = 24

_kept: Final[list[object]] = []


def fill_gaps() -> None:
    """To be called when all is there that the forkserver shares with its children."""
    if all(_fill_pools(size, make) for size, make in _makers()):
        _fill_heap()


def _makers() -> Iterator[tuple[int, Callable[[], object]]]:
    """What makes an object of each size that the collector does not look at."""
    yield 16, object
    yield 32, complex
    for size in range(48, _LARGEST_BLOCK + 1, _BLOCK):
        yield size, partial(bytes, size - _BYTES_HEADER)


def _fill_pools(size: int, make: Callable[[], object]) -> bool:
    """Keep blocks of this size until they come from a pool that has only just begun: one behind the other. False, and nothing
    is kept, if they never do."""
    in_a_row = (_POOL - _POOL_HEADER) // size
    at_once = max(3 * in_a_row, _LEAST)
    kept: list[object] = []
    for _ in range(_MOST_BYTES // (at_once * size)):
        blocks = [make() for _ in range(at_once)]
        start = 0
        for index, (address, following) in enumerate(pairwise(map(id, blocks)), 1):
            if following != address + size:
                start = index
            elif index - start + 1 >= in_a_row:
                _kept.extend(kept + blocks[:start])
                return True
        kept += blocks
    return False


class _MallocInformation(ctypes.Structure):
    """`struct mallinfo2` of mallinfo(3)."""

    _fields_ = (*((f"other{number}", ctypes.c_size_t) for number in range(9)), ("keepcost", ctypes.c_size_t))


def _fill_heap() -> None:
    """Keep chunks of all sizes, from the large to the small, until they come from the end of the heap. Only glibc can tell."""
    libc = ctypes.CDLL(None)
    try:
        malloc, free, end, information = libc.malloc, libc.free, libc.sbrk, libc.mallinfo2
    except AttributeError:
        return
    malloc.argtypes, malloc.restype = [ctypes.c_size_t], ctypes.c_size_t
    free.argtypes, free.restype = [ctypes.c_size_t], None
    end.argtypes, end.restype = [ctypes.c_ssize_t], ctypes.c_size_t
    information.restype = _MallocInformation
    size, given = _LARGEST_CHUNK, 0
    while size >= _LEAST_CHUNK and given < _MOST_HEAP_BYTES:
        chunk = malloc(size)
        given += size
        if chunk >= end(0) - information().keepcost - size - 2 * _BLOCK:
            free(chunk)
            size = min(size * 7 // 8, size - _BLOCK) if size > 1100 else size - _BLOCK

"""What a burst has left in memory goes back once the task has come to rest."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from tasks.leftovers import CALM_S, Calm

PROGRAM = textwrap.dedent(
    """
    import ctypes
    from pathlib import Path
    from tasks.leftovers import give_back

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1])

    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    chunks = [libc.malloc(10_000) for _ in range(3000)]
    for chunk in chunks:
        ctypes.memset(chunk, 1, 10_000)
    for chunk in chunks[:-1]:  # the last one keeps the heap from shrinking by itself
        libc.free(ctypes.c_void_p(chunk))
    before = resident()
    give_back()
    print(before - resident())
    """
)


def seconds_of_calm(*moved: float) -> list[int]:
    """The seconds in which a task comes to rest that has moved so many records at the end of each second."""
    calm = Calm()
    return [second for second, count in enumerate(moved) if calm.has_come(second, {"sink-record-read-total": count})]


def test_comes_once_after_each_burst() -> None:
    rest = int(CALM_S)
    assert seconds_of_calm(1, 2, *[3] * (3 * rest), *[9] * (2 * rest)) == [2 + rest, 2 + 3 * rest + rest]


def test_does_not_come_while_records_come_now_and_then() -> None:
    assert seconds_of_calm(*[count for count in range(10) for _ in range(int(CALM_S) - 1)]) == []


def test_what_was_freed_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 3000

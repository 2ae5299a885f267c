"""Gaps between what is in memory: none is left, so that what is made next lies together."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = textwrap.dedent(
    """
    import sys
    from tasks.dense import fill_gaps

    SIZE = int(sys.argv[1])  # of a bytes object of which only every twentieth is kept, which leaves gaps
    made = [bytes(SIZE - 33) for _ in range(20_000)]
    kept = made[::20]
    del made

    def pages():
        new = [bytes(SIZE - 33) for _ in range(1000)]
        return len({id(each) // 4096 for each in new})

    before = pages()
    fill_gaps()
    print(before, pages())
    """
)


@pytest.mark.parametrize("size", [48, 128, 512, 2048])
def test_what_is_made_when_gaps_are_filled_lies_together(size: int) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(size)], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    needed = 1000 * size / 4096
    assert after <= 1.5 * needed + 5 and after < before


def test_with_another_allocator_than_pythons_own_nothing_is_kept() -> None:
    program = "import sys; from tasks import dense; dense.fill_gaps(); sys.exit(len(dense._kept))"
    assert subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONMALLOC": "malloc"}).returncode == 0

"""The limits that a process sets for itself."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

PROGRAM = """
import os, resource
from tasks.limits import apply_limits
from tasks.settings import Limits
apply_limits(Limits.of({}, %r))
print(os.nice(0), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("config", "nicer", "files"),
    [
        ({}, 0, None),
        ({"task.cpu.nice": "7"}, 7, None),
        ({"task.open.files.max": "123"}, 0, (123, 123)),
        ({"task.open.files.max": str(1 << 40)}, 0, (1 << 40, 1 << 40)),
    ],
)
def test_niceness_and_open_files(config: dict[str, str], nicer: int, files: tuple[int, int] | None) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    done = subprocess.run([sys.executable, "-c", PROGRAM % config], capture_output=True, text=True, check=True)
    if files is None:
        files = limits
    elif limits[1] != resource.RLIM_INFINITY:
        files = (min(files[0], limits[1]), min(files[1], limits[1]))
    assert [int(word) for word in done.stdout.split()] == [os.nice(0) + nicer, *files]

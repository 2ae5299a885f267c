"""Real text that every machine with Python has: the sources of its standard library."""

from __future__ import annotations

import hashlib
import itertools
import sysconfig
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.processes import RunFailed

_NOT_THE_LIBRARY = {"site-packages", "dist-packages", "__pycache__"}


@dataclass(frozen=True)
class Text:
    """A text of whole lines: UTF-8, each line ended by one newline character."""

    content: bytes
    lines: int
    files: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def lines_in(self, size: int) -> int:
        """How many lines the first `size` bytes hold."""
        return self.content.count(b"\n", 0, size)


def library_text(lines_wanted: int) -> Text:
    """At least so many lines of the standard library's modules in the order of their names, from the first again if need be."""
    folder = Path(sysconfig.get_path("stdlib"))
    paths = sorted(path for path in folder.rglob("*.py") if not _NOT_THE_LIBRARY.intersection(path.parts))
    parts: list[str] = []
    lines = 0
    for text in itertools.cycle(_readable(paths, folder)):
        parts.append(text)
        lines += text.count("\n")
        if lines >= lines_wanted:
            break
    return Text("".join(parts).encode(), lines, len(parts))


def _readable(paths: list[Path], folder: Path) -> Iterator[str]:
    """Their texts, one after the other; raises RunFailed if not one can be read."""
    found = False
    for path in paths:
        if text := _read(path):
            found = True
            yield text
    if not found:
        raise RunFailed(f"no Python sources in {folder}, where the standard library of this Python should be")


def _read(path: Path) -> str:
    """The file in the encoding that it declares, with newlines as line ends, also of the last line; empty if unreadable.

    A few of the library's own tests are broken on purpose. A lone carriage return ends a line for a file connector, too.
    """
    try:
        with tokenize.open(path) as file:
            text = file.read()
        text.encode()
    except (OSError, SyntaxError, UnicodeError):
        return ""
    return text if text.endswith("\n") or not text else text + "\n"

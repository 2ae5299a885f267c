"""Writes a lock file anew: `python -m supervisor.embedded.lock FILE [ROOT ...]`, by default for the roots FILE names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from plugins.jars.artifacts import Progress, hash_artifacts, silent
from plugins.jars.lockfile import format_lock, read_lock


def write_lock(path: Path, roots: Sequence[str], progress: Progress = silent) -> None:
    """Resolve `roots` now, and write the coordinates and hashes seen to `path`, whole or not at all."""
    text = format_lock(roots, hash_artifacts(roots, progress))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("roots", nargs=-1)
def main(file: Path, roots: tuple[str, ...]) -> None:
    """Resolve ROOTS (Maven coordinates group:artifact:version) and write their class path with hashes to FILE."""
    write_lock(file, roots or read_lock(file).roots, click.echo)


if __name__ == "__main__":
    main()

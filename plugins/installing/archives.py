"""Unpacks archives of connectors, as Confluent Hub (zip) and Debezium (tar.gz) publish them."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from plugins.installing.errors import PluginRefused
from plugins.installing.provided import is_provided

_Member = tuple[PurePosixPath, IO[bytes]]
_DAMAGED: Final = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def unpack(archive: Path, target: Path) -> str | None:
    """Put the files of an archive below `target`, without the one folder that all of them may be in; returns its name.

    Raises PluginRefused if it is damaged, or has entries that are no files or lie outside, and OSError.
    """
    try:
        for path, content in _members(archive):
            if not is_provided(path.name):
                place = target / path
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("wb") as file:
                    shutil.copyfileobj(content, file)
    except _DAMAGED as error:
        raise PluginRefused(f"{archive.name} cannot be unpacked: {error}") from error
    return _lift(target)


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        yield from _in_zip(archive)
    elif tarfile.is_tarfile(archive):
        yield from _in_tar(archive)
    else:
        raise PluginRefused(f"{archive.name} is no zip, no tar and no jar")


def _in_zip(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as file:
        for each in file.infolist():
            path = _inside(each.filename.replace("\\", "/"))
            if not each.is_dir():
                with file.open(each) as content:
                    yield path, content


def _in_tar(archive: Path) -> Iterator[_Member]:
    with tarfile.open(archive) as file:
        for each in file:
            path = _inside(each.name)
            if each.isdir():
                continue
            content = file.extractfile(each) if each.isreg() else None
            if content is None:
                raise PluginRefused(f"{archive.name} has an entry that is neither a file nor a folder: {each.name}")
            with content:
                yield path, content


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise PluginRefused(f"the archive has an entry that would lie outside of its folder: {name!r}")
    return path


def _lift(target: Path) -> str | None:
    entries = list(target.iterdir())
    if len(entries) != 1 or not entries[0].is_dir():
        return None
    (top,) = entries
    # Out of the way first, for it may hold an entry of its own name.
    aside = top.rename(target.with_name(f"{target.name}.top"))
    target.rmdir()
    aside.rename(target)
    return top.name

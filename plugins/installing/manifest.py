"""What `connectd plugins install` notes in each folder that it makes: where the plugin is from, and its files."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

NAME: Final = "connectd-plugin.json"


class Manifest(msgspec.Struct, frozen=True):
    """`source` is a Maven coordinate, a path or a URL; `files` are sha256 in hexadecimal digits by path in the folder."""

    source: str
    installed: datetime.datetime
    files: dict[str, str]

    def differences(self, folder: Path) -> list[str]:
        """The files that were added, changed or removed since."""
        now = dict(hashes(folder))
        return sorted(path for path in {*self.files, *now} if self.files.get(path) != now.get(path))


def read_manifest(folder: Path) -> Manifest | None:
    """None if install has not made this folder."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None


def write_manifest(folder: Path, source: str) -> None:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    manifest = Manifest(source, now, dict(hashes(folder)))
    (folder / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def hashes(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and sha256 of each file but the manifest."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / NAME:
            with path.open("rb") as file:
                yield str(path.relative_to(folder)), hashlib.file_digest(file, "sha256").hexdigest()

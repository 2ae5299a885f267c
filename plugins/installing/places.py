"""A folder of plugin folders that plugins are put into and taken from, whole or not at all.

What is unfinished lies in it under a name that connectd passes over, for only within one file system a folder appears at once.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from plugins.installing.errors import PluginRefused, PluginUnavailable
from plugins.installing.manifest import NAME, read_manifest
from plugins.java.folders import UNFINISHED

_REPLACED: Final = f"{UNFINISHED}replaced-"
_VALID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def writable_folder(plugin_path: Sequence[str]) -> Path:
    """The last folder of `plugin.path` that can be written to. Raises PluginUnavailable."""
    for each in reversed(plugin_path):
        folder = Path(each).expanduser().absolute()
        if folder.is_dir() and os.access(folder, os.W_OK):
            return folder
    raise PluginUnavailable(
        f"no folder of plugin.path can be written to: {', '.join(plugin_path)}"
        if plugin_path
        else "plugin.path is empty"
    )


class Place:
    """One such folder, for this process alone while it is open (see `opened`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """An empty folder, which is gone afterwards unless it was published."""
        draft = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.folder))
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def check_free(self, name: str, *, replace: bool) -> None:
        """Raises PluginRefused if the name is no name, or taken by what must not be replaced."""
        if not _VALID.fullmatch(name):
            raise PluginRefused(f"{name!r} is no name of a plugin folder: expected letters, digits, '.', '_', '-'")
        folder = self.folder / name
        if not os.path.lexists(folder):
            return
        manifest = read_manifest(folder)
        if manifest is None:
            raise PluginRefused(f"{folder} is there already, and was not made by `connectd plugins install`")
        if not replace:
            raise PluginRefused(f"{name} is installed already, from {manifest.source}: --upgrade replaces it")

    def publish(self, draft: Path, name: str) -> Path:
        """Give a finished folder its name; one of that name is replaced."""
        target, replaced = self.folder / name, self.folder / f"{_REPLACED}{name}"
        draft.chmod(0o755)  # mkdtemp keeps others out, and workers often run as another user
        if os.path.lexists(target):
            target.rename(replaced)
        draft.rename(target)
        shutil.rmtree(replaced, ignore_errors=True)
        return target

    def remove(self, name: str, *, force: bool) -> None:
        """Take away what install made. Raises PluginRefused."""
        folder = self.folder / name
        if not _VALID.fullmatch(name) or not folder.is_dir():
            raise PluginRefused(f"{self.folder} has no plugin folder {name!r}")
        manifest = read_manifest(folder)
        if manifest is None:
            raise PluginRefused(f"{folder} was not made by `connectd plugins install`: it has no {NAME}")
        if not force and (changed := manifest.differences(folder)):
            raise PluginRefused(
                f"{folder} has been changed since it was installed: {', '.join(changed[:5])}"
                f"{' and more' if len(changed) > 5 else ''}. --force removes it nevertheless"
            )
        with self.draft() as draft:
            folder.rename(draft / name)

    def recover(self) -> None:
        """Clear away what a killed process has left."""
        for each in self.folder.glob(f"{UNFINISHED}*"):
            name = each.name.removeprefix(_REPLACED)
            if name != each.name and not os.path.lexists(self.folder / name):
                each.rename(self.folder / name)
            else:
                shutil.rmtree(each, ignore_errors=True)


@contextmanager
def opened(folder: Path) -> Iterator[Place]:
    """Others that want to change the same folder are turned away meanwhile. Raises PluginRefused, PluginUnavailable."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise PluginRefused(f"{folder}: expected a folder of plugin folders: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PluginUnavailable(f"another process installs or removes plugins in {folder}") from error
        place = Place(folder)
        place.recover()
        yield place
    except OSError as error:
        raise PluginUnavailable(f"{folder} cannot be written to: {error.strerror or error}") from error
    finally:
        os.close(descriptor)

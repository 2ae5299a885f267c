"""Puts a plugin into a folder, from wherever it comes."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from plugins.installing.archives import unpack
from plugins.installing.downloads import Received, download, is_url, shown
from plugins.installing.errors import PluginRefused, PluginUnavailable
from plugins.installing.manifest import write_manifest
from plugins.installing.maven import Coordinate, PluginRepositories
from plugins.installing.places import Place
from plugins.installing.provided import PROVIDED
from plugins.jars.errors import MissingPackageError
from plugins.java.folders import java_folders
from plugins.java.plugin import JavaPlugin
from plugins.java.scanning import scan

_CONNECTIONS: Final = 8
_JAR: Final = ".jar"
_ENDING: Final = re.compile(r"\.(?:jar|zip|tgz|tar(?:\.\w+)?)$", re.IGNORECASE)
# The version at the end of a name, and what may come after it.
_VERSION: Final = re.compile(r"[-_]v?\d+(?:\.\w+)+(?:[-.]\w+)*$")


class Progress(msgspec.Struct, frozen=True):
    """Who is told how it goes: `say` gets lines for a person, `received` the bytes of a download."""

    say: Callable[[str], None]
    received: Received


class Request(msgspec.Struct, frozen=True):
    """What is to be installed: a Coordinate, or the path or URL of an archive.

    `name` is that of the folder, None for the plugin's own. `sha256` is what an archive must have. With `replace` it takes
    the place of one that was installed before.
    """

    source: Coordinate | str
    name: str | None = None
    sha256: str | None = None
    replace: bool = False


class Installed(msgspec.Struct, frozen=True):
    """The folder that a plugin was put into, and what is in it."""

    folder: Path
    plugins: list[JavaPlugin]


def install(request: Request, place: Place, progress: Progress) -> Installed:
    """Returns when it is there as a whole. Raises PluginRefused, PluginUnavailable, OSError."""
    source = request.source
    name = request.name or (source.artifact if isinstance(source, Coordinate) else None)
    if name is not None:  # before anything is fetched
        place.check_free(name, replace=request.replace)
    with place.draft() as draft:
        files, fetched = draft / "files", draft / "fetched"
        files.mkdir()
        fetched.mkdir()
        if isinstance(source, Coordinate):
            _from_maven(source, fetched, files, request.sha256, progress)
        else:
            archive = download(source, fetched, progress.received) if is_url(source) else Path(source)
            own_name = _take(archive, files, request.sha256)
            name = name or own_name
            place.check_free(name, replace=request.replace)
        plugins = _plugins_in(draft, files, source)
        write_manifest(files, _origin(source))
        assert name is not None
        return Installed(place.publish(files, name), plugins)


def _from_maven(plugin: Coordinate, fetched: Path, files: Path, sha256: str | None, progress: Progress) -> None:
    try:
        repositories = PluginRepositories()
    except MissingPackageError as error:
        raise PluginUnavailable(
            f"Maven's repositories are read by the package {error.package}: pip install 'connectd[java]'"
        ) from error
    if plugin.type != "jar":
        progress.say(f"Fetching {plugin.file_name}")
        _take(repositories.fetch_verified(plugin, fetched), files, sha256)
        return
    progress.say(f"Resolving {plugin}")
    jars = repositories.runtime(plugin, PROVIDED, fetched)
    progress.say(f"Fetching {len(jars)} jars")
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        found = list(pool.map(lambda jar: repositories.fetch_verified(jar, fetched), jars))
    _check(found[0], sha256)
    _copy(jars, found, files)


def _copy(jars: Sequence[Coordinate], found: Sequence[Path], files: Path) -> None:
    for jar, path in zip(jars, found, strict=True):
        target = files / jar.file_name
        # Jars of two groups may have one name.
        shutil.copyfile(path, target if not target.exists() else files / f"{jar.group}.{jar.file_name}")


def _take(archive: Path, files: Path, sha256: str | None) -> str:
    """Unpack an archive, or copy a single jar; returns the plugin's name by what the archive calls itself."""
    if not archive.is_file():
        raise PluginRefused(f"{archive}: expected a file, the URL of one, or a Maven coordinate group:artifact:version")
    _check(archive, sha256)
    top = None
    if archive.name.lower().endswith(_JAR):
        shutil.copyfile(archive, files / archive.name)
    else:
        top = unpack(archive, files)
    return _VERSION.sub("", top or _ENDING.sub("", archive.name))


def _check(file: Path, sha256: str | None) -> None:
    if sha256 is None:
        return
    with file.open("rb") as content:
        seen = hashlib.file_digest(content, "sha256").hexdigest()
    if seen != sha256.lower():
        raise PluginRefused(f"{file.name}: expected sha256 {sha256}, it is {seen}")


def _plugins_in(draft: Path, files: Path, source: Coordinate | str) -> list[JavaPlugin]:
    found = [plugin for folder in java_folders([str(draft)]) if folder.path == str(files) for plugin in scan(folder)]
    if not found:
        hint = (
            ". If it is published as an archive, too, name that: for example --classifier plugin --type tar.gz"
            if isinstance(source, Coordinate) and not source.classifier
            else ""
        )
        raise PluginRefused(f"{_origin(source)} has no plugin of Kafka Connect in it{hint}")
    return found


def _origin(source: Coordinate | str) -> str:
    """What is said of it, and noted in the manifest."""
    if isinstance(source, Coordinate):
        return str(source) if source.type == "jar" else f"{source} ({source.type})"
    return shown(source) if is_url(source) else str(Path(source).absolute())

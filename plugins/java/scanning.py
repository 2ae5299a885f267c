"""Finds the plugins in the jars of one folder: by their manifests, or if there are none by all class files."""

from __future__ import annotations

import io
import logging
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from plugins.discovery.kinds import PluginKind
from plugins.java.classfiles import ClassHead, read_head
from plugins.java.folders import JavaFolder
from plugins.java.plugin import BASES, JavaPlugin

logger = logging.getLogger(__name__)

_SERVICES: Final = "META-INF/services/"
_MANIFEST: Final = "META-INF/MANIFEST.MF"
_POM: Final = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")
_VERSION_IN_NAME: Final = re.compile(r"-(\d[^/]*)\.(?:jar|zip)$", re.IGNORECASE)
UNDEFINED: Final = "undefined"
# What zipfile raises for a jar that is no zip file, is damaged, or is packed in a way of which it knows nothing.
_UNREADABLE: Final = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def scan(folder: JavaFolder) -> list[JavaPlugin]:
    """Its plugins, by kind and name. A jar that cannot be read is left out, with a warning."""
    declared = [found for jar in folder.jars for found in _declared(jar)]
    found = declared or list(_by_class_files(folder.jars))
    plugins = {
        JavaPlugin(name=name, kind=kind, version=version, folder=folder.path, declared=bool(declared))
        for name, kind, version in found
    }
    return sorted(plugins, key=lambda each: (each.kind, each.name))


_Found = tuple[str, PluginKind, str]


def _declared(jar: str) -> Iterator[_Found]:
    with _opened(jar) as file:
        for base, kind in BASES.items():
            try:
                text = file.read(_SERVICES + base).decode("utf-8", "replace")
            except KeyError:
                continue
            for line in text.splitlines():
                if name := line.partition("#")[0].strip():
                    yield name, kind, _version(jar, file)


def _by_class_files(jars: Iterable[str]) -> Iterator[_Found]:
    """All public classes that are derived from one of the bases, through whatever classes of the folder."""
    heads: dict[str, ClassHead] = {}
    versions: dict[str, str] = {}
    for jar in jars:
        with _opened(jar) as file:
            version = _version(jar, file)
            for head in _heads(file):
                heads.setdefault(head.name, head)
                versions.setdefault(head.name, version)
    children = defaultdict(list)
    for head in heads.values():
        for parent in head.parents:
            children[parent].append(head)
    for base, kind in BASES.items():
        for head in _descendants(base, children):
            if head.concrete:
                yield head.name, kind, versions[head.name]


def _descendants(base: str, children: dict[str, list[ClassHead]]) -> Iterator[ClassHead]:
    seen: set[str] = set()
    waiting = [base]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child.name not in seen:
                seen.add(child.name)
                waiting.append(child.name)
                yield child


def _heads(file: zipfile.ZipFile) -> Iterator[ClassHead]:
    for entry in file.namelist():
        # Classes for other versions of Java are below META-INF.
        if entry.endswith(".class") and not entry.startswith("META-INF/"):
            head = read_head(file.read(entry))
            if head is not None:
                yield head


def _version(jar: str, file: zipfile.ZipFile) -> str:
    """What the jar says of itself: in Maven's properties, if they are about this jar alone, in its manifest, in its name."""
    poms = [each for each in file.namelist() if _POM.fullmatch(each)]
    texts = [(each, "version=") for each in poms] if len(poms) == 1 else []
    for entry, key in (*texts, (_MANIFEST, "Implementation-Version: "), (_MANIFEST, "Bundle-Version: ")):
        try:
            lines = file.read(entry).decode("utf-8", "replace").splitlines()
        except KeyError:
            continue
        for line in lines:
            if line.startswith(key):
                return line.removeprefix(key).strip()
    in_name = _VERSION_IN_NAME.search(jar)
    return UNDEFINED if in_name is None else in_name[1]


@contextmanager
def _opened(jar: str) -> Iterator[zipfile.ZipFile]:
    """One that cannot be read, or not to its end, has nothing more in it."""
    try:
        file = zipfile.ZipFile(jar)
    except _UNREADABLE as error:
        _warn(jar, error)
        file = zipfile.ZipFile(io.BytesIO(), "w")
    with file:
        try:
            yield file
        except _UNREADABLE as error:
            _warn(jar, error)


def _warn(jar: str, error: Exception) -> None:
    logger.warning("plugin.path: cannot read '%s', ignoring it: %s", jar, error)

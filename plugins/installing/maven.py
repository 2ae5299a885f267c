"""Plugins in the user's Maven repositories: which files belong to one, and fetching them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from plugins.installing.errors import PluginUnavailable
from plugins.jars.maven import MIRRORS, TIMEOUT_S, Maven

if TYPE_CHECKING:
    from jgo.maven import Artifact, Dependency

# The first one is there for every file of Maven Central; by name, as hashlib calls them.
_CHECKSUMS: Final = ("sha1", "sha256", "sha512")

_Checksum = tuple[str, str]


class Coordinate(msgspec.Struct, frozen=True):
    """One file of a Maven repository; `type` is how its name ends."""

    group: str
    artifact: str
    version: str
    classifier: str = ""
    type: str = "jar"

    def __str__(self) -> str:
        return ":".join(filter(None, (self.group, self.artifact, self.version, self.classifier)))

    @property
    def file_name(self) -> str:
        """Its name in the repository."""
        return "-".join(filter(None, (self.artifact, self.version, self.classifier))) + f".{self.type}"


class PluginRepositories(Maven):
    """The user's repositories, see Maven, which plugins come from."""

    def runtime(self, plugin: Coordinate, provided: Iterable[tuple[str, str]], staging: Path) -> list[Coordinate]:
        """The plugin's jar and those that it needs at run time, in the versions of its own build.

        Left out are groups and artifacts that are `provided`, and what nothing but they need. Raises PluginUnavailable.
        """
        context = self._context(staging, self._local)
        left_out = [context.project(group, artifact) for group, artifact in provided]
        wanted = [context.create_dependency(f"{plugin.group}:{plugin.artifact}:{plugin.version}", left_out)]
        try:
            while True:
                inputs, needed = context.resolver.resolve(wanted)
                ranges = [each for each in needed if each.version.startswith(("[", "("))]
                if not ranges:
                    break
                # jgo leaves ranges as they are. "!" (raw): versions that these manage are not for the plugin's other jars.
                wanted += [context.create_dependency(f"{_highest(each)}!", left_out) for each in ranges]
            needed = [*inputs[1:], *needed]
            self._read_again(needed, staging)
        except Exception as error:
            raise PluginUnavailable(f"cannot resolve {plugin}: {_reason(error)}") from error
        artifacts = [each.artifact for each in needed if each.type != "pom"]
        return [
            plugin,
            *(Coordinate(a.groupId, a.artifactId, a.version, a.classifier, a.packaging) for a in artifacts),
        ]

    def fetch_verified(self, coordinate: Coordinate, staging: Path) -> Path:
        """A file with the checksum that its repository says it has. Raises PluginUnavailable."""
        seen: _Checksum | None = None
        # A damaged file in the user's local repository, or one of unknown origin, is fetched anew.
        for local in (self._local, []):
            try:
                artifact = self._artifact(coordinate, staging, local)
                found = Path(artifact.resolve())
                seen = self._published(artifact) if staging in found.parents else _kept_beside(found)
            except Exception as error:
                raise PluginUnavailable(f"cannot fetch {coordinate}: {_reason(error)}") from error
            if seen is not None and _digest(found, seen[0]) == seen[1]:
                return found
            if staging in found.parents:
                break
        why = "its repository has no checksum for it" if seen is None else f"it came damaged, by its {seen[0]}"
        raise PluginUnavailable(f"cannot fetch {coordinate}: {why}")

    def _read_again(self, dependencies: Iterable[Dependency], staging: Path) -> None:
        """jgo passes over what a jar needs if its POM, or one of that's parents, could not be fetched: raises then."""
        from jgo.maven import MavenContext

        here = MavenContext(repo_cache=staging, local_repos=self._local, remote_repos={})
        for each in dependencies:
            try:
                pom = here.project(each.groupId, each.artifactId).at_version(each.version).pom()
                while (parent := here.pom_parent(pom)) is not None:
                    pom = parent
            except Exception as error:
                raise RuntimeError(f"the POM of {each}, or a parent of it, could not be fetched whole") from error

    def _artifact(self, coordinate: Coordinate, staging: Path, local: list[Path]) -> Artifact:
        context = self._context(staging, local)
        component = context.project(coordinate.group, coordinate.artifact).at_version(coordinate.version)
        return component.artifact(coordinate.classifier, coordinate.type)

    def _published(self, artifact: Artifact) -> _Checksum | None:
        from jgo.util import http

        for repository in self._remote.values():
            for algorithm in _CHECKSUMS:
                url = f"{repository}/{artifact.component.path_prefix.as_posix()}/{artifact.filename}.{algorithm}"
                answer = http.get(url, timeout=TIMEOUT_S)
                if answer.status_code == 200 and (words := answer.text.split()):
                    return algorithm, words[0].lower()
        return None


def _highest(dependency: Dependency) -> str:
    """The coordinate with the highest version in the range that is asked for, as Maven takes it."""
    from jgo.maven import compare_versions, version_in_range

    project = dependency.artifact.component.project
    project.update()
    versions = [each for each in project.metadata.versions if version_in_range(each, dependency.version)]
    if not versions:
        raise RuntimeError(f"no version of {project} is in the range {dependency.version}")
    return f"{project}:{max(versions, key=functools.cmp_to_key(compare_versions))}"


def _kept_beside(found: Path) -> _Checksum | None:
    """What Maven noted in the local repository."""
    for algorithm in _CHECKSUMS:
        try:
            words = found.with_name(f"{found.name}.{algorithm}").read_text().split()
        except OSError:
            continue
        if words:
            return algorithm, words[0].lower()
    return None


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _reason(error: Exception) -> str:
    """Whether something is not there, or nobody can be asked."""
    from requests import ConnectionError, Timeout

    if isinstance(error, ConnectionError | Timeout):
        url = str(error.request.url) if error.request is not None else "the repository"
        return f"{url} cannot be had. {MIRRORS}"
    return str(error) or type(error).__name__

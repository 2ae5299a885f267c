"""Maven artifacts through jgo, from the repositories of the user's jgo settings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ArtifactError, MissingPackageError

if TYPE_CHECKING:
    from jgo.maven import MavenContext

TIMEOUT_S = 30
MIRRORS = "A mirror can be named in jgo's settings file: section [repositories], key central"


class Maven:
    """Access to the user's Maven repositories.

    jgo writes downloads in place, so the folders for them must belong to this process alone. The user's own local
    repository (~/.m2/repository, `M2_REPO`, or jgo's setting) is only read. Mirrors: section
    `[repositories]` of ~/.config/jgo.conf.
    """

    def __init__(self) -> None:
        try:
            from jgo.config import GlobalSettings
            from jgo.constants import MAVEN_CENTRAL_URL
        except ModuleNotFoundError as error:
            raise MissingPackageError("jgo") from error
        settings = GlobalSettings.load()
        self._local = [settings.repo_cache]
        self._remote = {"central": MAVEN_CENTRAL_URL, **settings.repositories}

    def resolve(self, roots: Iterable[str], staging: Path) -> list[str]:
        """Coordinates of the runtime class path of `roots`, roots first; raises ArtifactError."""
        context = self._context(staging, self._local)
        try:
            # "!" (raw): a root's own dependencyManagement must not change the versions that the other roots ask for.
            inputs, transitive = context.resolver.resolve([context.create_dependency(f"{root}!") for root in roots])
        except Exception as error:
            raise ArtifactError(f"cannot resolve {' '.join(roots)}: {error}") from error
        artifacts = [dependency.artifact for dependency in (*inputs, *transitive)]
        return [":".join(filter(None, (a.groupId, a.artifactId, a.version, a.classifier))) for a in artifacts]

    def fetch(self, coordinate: str, staging: Path, *, local: bool = True) -> Path:
        """A jar's file: in `staging`, or in the user's local repository if it is there and `local` allows it."""
        context = self._context(staging, self._local if local else [])
        try:
            return Path(context.create_dependency(coordinate).artifact.resolve())
        except Exception as error:
            raise ArtifactError(f"cannot fetch {coordinate}: {error}. {MIRRORS}") from error

    def _context(self, staging: Path, local: list[Path]) -> MavenContext:
        from jgo.maven import MavenContext

        return MavenContext(repo_cache=staging, local_repos=local, remote_repos=self._remote, timeout=TIMEOUT_S)

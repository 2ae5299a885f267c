"""The jars of a lock file, fetched once, verified, and kept in the user's cache."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from .cache import cache_dir
from .errors import ArtifactError
from .lockfile import Jar, read_lock
from .maven import Maven

Progress = Callable[[str], None]

_CONNECTIONS = 8
_TRIES = 3


def silent(line: str) -> None:
    """The progress report of those who want none."""


def class_path(lock: Path, progress: Progress = silent) -> list[Path]:
    """The jars of the lock file `lock`, in order, each with the sha256 that the lock names.

    Needs no network when they are all there. Several processes may ask at once: one fetches, the others wait for it.
    `progress` gets lines for a person. Raises ArtifactError, or MissingPackageError if something must be
    fetched and jgo is missing.
    """
    wanted = read_lock(lock)
    store = cache_dir() / "jars"
    # Hashing takes a second, looking at sizes and times a millisecond: files that were hashed once are remembered.
    memory = store / f"verified-{wanted.digest[:16]}.json"
    if _stamps(store, wanted.jars) != _remembered(memory):
        if _damaged(store, wanted.jars):
            _fetch_missing(store, wanted.jars, f"Fetching {lock.stem}", progress)
        _remember(memory, _stamps(store, wanted.jars))
    return [store / jar.path for jar in wanted.jars]


def hash_artifacts(roots: Sequence[str], progress: Progress = silent) -> list[Jar]:
    """Resolve the class path of the Maven coordinates `roots` and trust what the repositories answer."""
    store = cache_dir() / "jars"
    with _staging(store, progress) as staging:
        maven = Maven()
        coordinates = maven.resolve(roots, staging)
        progress(f"Fetching {len(coordinates)} jars to {store}")
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            return list(pool.map(lambda coordinate: _adopt(maven, staging, store, coordinate), coordinates))


def _adopt(maven: Maven, staging: Path, store: Path, coordinate: str) -> Jar:
    """Put a jar into the store as it is."""
    found = maven.fetch(coordinate, staging)
    jar = Jar(coordinate, _sha256(found))
    _publish(found, staging, store / jar.path)
    return jar


def _fetch_missing(store: Path, jars: Sequence[Jar], title: str, progress: Progress) -> None:
    with _staging(store, progress) as staging:
        missing = _damaged(store, jars)  # again: another process may have fetched them while this one waited
        if not missing:
            return
        progress(f"{title}: {len(missing)} jars, once, to {store}")
        maven = Maven()
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            for done, _ in enumerate(pool.map(lambda jar: _fetch(maven, staging, store, jar), missing), start=1):
                if done % 10 == 0 or done == len(missing):
                    progress(f"{title}: {done} of {len(missing)}")


def _fetch(maven: Maven, staging: Path, store: Path, jar: Jar) -> None:
    """Put one jar into the store whole, or not at all."""
    for attempt in range(1, _TRIES + 1):
        try:
            # Each try has its own folder, since jgo would take half a file of the last one for the whole; and only the
            # first looks into the user's local Maven repository, where a damaged file may lie.
            found = maven.fetch(jar.coordinate, staging / str(attempt), local=attempt == 1)
            if (seen := _sha256(found)) != jar.sha256:
                raise ArtifactError(f"{jar.coordinate}: sha256 is {seen}, the lock file says {jar.sha256}")
            _publish(found, staging, store / jar.path)
            return
        except ArtifactError:
            if attempt == _TRIES:
                raise


def _publish(found: Path, staging: Path, target: Path) -> None:
    whole = staging / f"{target.name}.whole"
    # Copied, since a file of the user's local repository stays where it is.
    shutil.copyfile(found, whole)
    with whole.open("rb") as file:
        os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    whole.replace(target)


@contextmanager
def _staging(store: Path, progress: Progress) -> Iterator[Path]:
    """A folder for downloads that this process alone uses meanwhile; what a killed process left in it is removed."""
    try:
        store.mkdir(parents=True, exist_ok=True)
        with (store / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("Waiting for another process that fetches the same jars")
                fcntl.flock(lock, fcntl.LOCK_EX)
            staging = store / ".staging"
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
            try:
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise ArtifactError(
            f"cannot write to the cache {store}: {error} ($CONNECTD_CACHE names another folder)"
        ) from error


def _damaged(store: Path, jars: Sequence[Jar]) -> list[Jar]:
    return [jar for jar in jars if not (store / jar.path).exists() or _sha256(store / jar.path) != jar.sha256]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamps(store: Path, jars: Sequence[Jar]) -> dict[str, list[int]]:
    """Size in bytes and modification time of the jars that exist."""
    stamps = {}
    for jar in jars:
        try:
            stat = (store / jar.path).stat()
        except OSError:
            continue
        stamps[jar.coordinate] = [stat.st_size, stat.st_mtime_ns]
    return stamps


def _remembered(memory: Path) -> object:
    try:
        return json.loads(memory.read_text())
    except (OSError, ValueError):
        return None


def _remember(memory: Path, stamps: dict[str, list[int]]) -> None:
    draft = memory.with_name(f"{memory.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(stamps))
        draft.replace(memory)
    except OSError:
        # A cache that cannot be written serves as it is, only slower.
        with contextlib.suppress(OSError):
            draft.unlink()

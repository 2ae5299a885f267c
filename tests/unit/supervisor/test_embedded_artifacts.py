"""Jars: fetched once from the user's repositories, verified against the lock, kept, and safe for many processes."""

from __future__ import annotations

import hashlib
import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.jars.artifacts import class_path
from plugins.jars.errors import ArtifactError
from plugins.jars.lockfile import Jar, LockFile, format_lock, read_lock
from supervisor.embedded.lock import write_lock
from tests.support.maven import Repository, dependency, only_repository

pytest.importorskip("jgo")

ALPHA, BETA = b"the jar of alpha", b"the jar of beta"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The user's only one, with two jars of which the first needs the second."""
    with only_repository(tmp_path, monkeypatch) as repository:
        repository.put("alpha", ALPHA, dependency("beta", more="<scope>runtime</scope>"))
        repository.put("beta", BETA)
        yield repository


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "example.lock"
    jars = [Jar(f"org.example:{name}:1.0", sha256(jar)) for name, jar in (("alpha", ALPHA), ("beta", BETA))]
    path.write_text(format_lock(["org.example:alpha:1.0"], jars))
    return path


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_fetches_in_order_and_once(repository: Repository, lock: Path) -> None:
    said: list[str] = []
    jars = class_path(lock, said.append)
    assert [jar.read_bytes() for jar in jars] == [ALPHA, BETA]
    assert class_path(lock, said.append) == jars
    assert sorted(repository.jars_asked_for()) == ["alpha-1.0.jar", "beta-1.0.jar"]
    assert said[0].startswith("Fetching example: 2 jars")


def test_warm_cache_needs_neither_network_nor_jgo(
    repository: Repository, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jars = class_path(lock)
    monkeypatch.setitem(sys.modules, "jgo.config", None)
    repository.requests.clear()
    assert class_path(lock) == jars
    # Copied elsewhere with other times, as in a container image: hashed again, still good.
    jars[0].touch()
    assert class_path(lock) == jars
    assert repository.requests == []


@pytest.mark.parametrize("damage", [b"", b"the jar of alphA"])
def test_a_damaged_jar_is_fetched_again(repository: Repository, lock: Path, damage: bytes) -> None:
    damaged = class_path(lock)[0]
    damaged.write_bytes(damage)
    assert class_path(lock)[0].read_bytes() == ALPHA
    assert repository.jars_asked_for().count("alpha-1.0.jar") == 2


def test_the_users_local_repository_is_used_but_not_trusted(repository: Repository, lock: Path, tmp_path: Path) -> None:
    for name, content in (("alpha", ALPHA), ("beta", b"half a jar")):
        local = tmp_path / "m2/org/example" / name / "1.0" / f"{name}-1.0.jar"
        local.parent.mkdir(parents=True)
        local.write_bytes(content)
    assert [jar.read_bytes() for jar in class_path(lock)] == [ALPHA, BETA]
    assert repository.jars_asked_for() == ["beta-1.0.jar"]
    assert local.read_bytes() == b"half a jar"


def test_a_jar_that_is_not_the_pinned_one_is_refused(repository: Repository, lock: Path, tmp_path: Path) -> None:
    repository.put("beta", b"something else")
    with pytest.raises(ArtifactError, match=rf"org.example:beta:1.0: sha256 is {sha256(b'something else')}"):
        class_path(lock)
    assert not list((tmp_path / "cache").rglob("beta*"))


def test_a_missing_jar_names_coordinate_and_mirror_setting(repository: Repository, tmp_path: Path) -> None:
    lock = tmp_path / "missing.lock"
    lock.write_text(format_lock([], [Jar("org.example:gamma:1.0", sha256(b""))]))
    with pytest.raises(ArtifactError, match=r"cannot fetch org.example:gamma:1.0.*section \[repositories\]"):
        class_path(lock)


def test_a_cache_that_cannot_be_written_says_which_variable(
    repository: Repository, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONNECTD_CACHE", str(tmp_path / "file"))
    with pytest.raises(ArtifactError, match="CONNECTD_CACHE"):
        class_path(lock)


def test_processes_that_ask_at_once_fetch_once(repository: Repository, lock: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        answers = pool.map(class_path, [lock] * 3)
    assert [jar.read_bytes() for jar in answers[0]] == [ALPHA, BETA]
    assert answers[0] == answers[1] == answers[2]
    assert sorted(repository.jars_asked_for()) == ["alpha-1.0.jar", "beta-1.0.jar"]


def test_a_new_lock_names_all_that_the_roots_need(repository: Repository, tmp_path: Path) -> None:
    path = tmp_path / "locks" / "new.lock"
    write_lock(path, ["org.example:alpha:1.0"])
    expected = (Jar("org.example:alpha:1.0", sha256(ALPHA)), Jar("org.example:beta:1.0", sha256(BETA)))
    assert read_lock(path) == LockFile(("org.example:alpha:1.0",), expected)
    repository.requests.clear()
    assert [jar.read_bytes() for jar in class_path(path)] == [ALPHA, BETA]
    assert repository.requests == []


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "wrong.lock"
    lock.write_text("# a comment\norg.example:alpha 12\n")
    with pytest.raises(ArtifactError, match=r"wrong.lock, line 2: expected a Maven coordinate"):
        read_lock(lock)

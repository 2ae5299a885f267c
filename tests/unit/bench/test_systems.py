"""What each system is told to do, and the files made for it from `conf/`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.bed import LINE_BYTES, write_lines
from bench.connect_files import CONF, FILE_SINK, FILE_SOURCE, WORKER, derive, read
from bench.systems import Connectd, Job, KafkaConnectJava, KafkaConnectJavaTuned, Kcat


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job("run-1", "127.0.0.1:9", "topic", tmp_path / "lines.txt", tmp_path / "sink.txt", tmp_path, 100)


def test_a_derived_file_keeps_what_it_does_not_change(tmp_path: Path) -> None:
    derived = read(derive(WORKER, tmp_path / "worker.properties", {"bootstrap.servers": "other:1", "new": "a=b"}))
    assert derived == {**read(WORKER), "bootstrap.servers": "other:1", "new": "a=b"}


def test_all_workers_get_the_same_files_but_for_the_tuning(job: Job) -> None:
    seen = {}
    for system in (Connectd(), KafkaConnectJava(), KafkaConnectJavaTuned()):
        system.both(job)
        worker = read(job.folder / WORKER.name)
        worker.pop("listeners")
        tuning = set(system.worker_settings)
        seen[system.name] = (
            {key: value for key, value in worker.items() if key not in tuning},
            read(job.folder / FILE_SOURCE.name),
            read(job.folder / FILE_SINK.name),
        )
    assert seen["connectd"] == seen["kafka-connect-java"] == seen["kafka-connect-java-tuned"]
    worker, source, sink = seen["connectd"]
    assert worker["bootstrap.servers"] == "127.0.0.1:9"
    assert worker["value.converter"].endswith("StringConverter")
    assert (source["file"], source["topic"]) == (str(job.source), "topic")
    assert (sink["file"], sink["topics"]) == (str(job.sink), "topic")
    assert source["name"] != sink["name"]


def test_a_system_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "kcat is not installed" in str(Kcat().prepare(print))


def test_lines_differ_and_have_their_length(tmp_path: Path) -> None:
    write_lines(tmp_path / "lines.txt", 250)
    lines = (tmp_path / "lines.txt").read_bytes().splitlines(keepends=True)
    assert len(lines) == len(set(lines)) == 250
    assert {len(line) for line in lines} == {LINE_BYTES}


def test_the_files_in_conf_fit_together() -> None:
    source, sink = read(FILE_SOURCE), read(FILE_SINK)
    assert source["topic"] == sink["topics"]
    assert source["file"] != sink["file"]
    assert len({read(path).get("name", path.name) for path in CONF.glob("*.properties")}) == 6

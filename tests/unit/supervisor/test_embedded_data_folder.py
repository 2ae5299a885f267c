"""The data folder: one broker at a time, no older Kafka, and never a signal to a stranger."""

from __future__ import annotations

import os
import stat
import subprocess
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.jars.cache import cache_dir
from supervisor.embedded.broker import stop_broker
from supervisor.embedded.data_folder import DataFolder
from supervisor.embedded.errors import DataFolderError
from supervisor.embedded.files import read_properties, write_json, write_private, write_properties
from supervisor.embedded.folders import default_data_dir
from supervisor.embedded.processes import started_at


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def record(folder: DataFolder, pid: int, start: str) -> None:
    write_json(folder.running, {"pid": str(pid), "started_at": start, "bootstrap_servers": "127.0.0.1:1"})


def test_one_holder_at_a_time(folder: DataFolder) -> None:
    held = folder.acquire()
    with pytest.raises(DataFolderError, match="in use by a broker that is starting or stopping"):
        folder.acquire()
    os.close(held)
    os.close(folder.acquire())


def test_the_lock_lives_as_long_as_a_process_that_inherited_it(folder: DataFolder) -> None:
    held = folder.acquire()
    broker = subprocess.Popen(["sleep", "60"], pass_fds=[held])
    os.close(held)
    start = started_at(broker.pid)
    assert start
    record(folder, broker.pid, start)
    with pytest.raises(DataFolderError, match=rf"in use by a running broker \(pid {broker.pid}, 127.0.0.1:1\)"):
        folder.acquire()
    broker.kill()
    broker.wait()
    os.close(folder.acquire())


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderError, match="file/data cannot be used: Not a directory"):
        DataFolder(tmp_path / "file" / "data").acquire()


def test_a_full_disk_is_said_before_the_start(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: Namespace(free=3 << 20))
    with pytest.raises(DataFolderError, match="3 MiB are free on its disk, 100 MiB are needed"):
        folder.acquire()


def test_a_newer_kafkas_folder_is_refused_an_older_ones_taken(folder: DataFolder) -> None:
    folder.topics.mkdir(parents=True)
    folder.note_version("4.10.0")
    folder.check_version("4.10.0")
    folder.check_version("4.11.0")
    with pytest.raises(DataFolderError, match=r"written by Kafka 4.10.0, which 4.9.1 cannot read.*--version 4.10.0"):
        folder.check_version("4.9.1")


def test_a_pid_that_another_process_has_by_now_is_left_alone(
    folder: DataFolder, bystander: subprocess.Popen[bytes]
) -> None:
    folder.path.mkdir()
    record(folder, bystander.pid, "1")
    assert folder.broker() == {}
    assert stop_broker(folder) is False
    assert bystander.poll() is None


def test_stop_signals_the_recorded_process_and_waits_for_its_end(
    folder: DataFolder, bystander: subprocess.Popen[bytes]
) -> None:
    folder.path.mkdir()
    record(folder, bystander.pid, started_at(bystander.pid) or "")
    assert folder.broker()["pid"] == str(bystander.pid)
    assert stop_broker(folder) is True
    assert started_at(bystander.pid) is None
    assert not folder.running.exists()
    assert stop_broker(folder) is False


def test_secret_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_properties_come_back_as_written(tmp_path: Path) -> None:
    properties = {"sasl.jaas.config": 'Module required password="a=b";', "ssl.keystore.location": "C:\\keys"}
    write_properties(tmp_path / "client.properties", properties)
    assert read_properties(tmp_path / "client.properties") == properties


def test_folders_follow_the_xdg_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CONNECTD_CACHE", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    assert cache_dir() == Path.home() / ".cache/connectd"
    assert default_data_dir() == Path.home() / ".local/state/connectd/kafka"
    monkeypatch.setenv("XDG_STATE_HOME", "relative/is/ignored")
    assert default_data_dir() == Path.home() / ".local/state/connectd/kafka"
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert default_data_dir() == Path("/var/state/connectd/kafka")
    assert cache_dir() == Path("/var/cache/connectd")
    monkeypatch.setenv("CONNECTD_CACHE", "/elsewhere")
    assert cache_dir() == Path("/elsewhere")

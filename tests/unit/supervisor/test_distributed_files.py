"""Connector files of workers in a cluster: whose counts, who is left alone, and what is deleted with its file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from connectd.errors import ConnectException
from supervisor.configuration import running as running_module
from supervisor.configuration.live_settings import CONNECTOR_FILE
from supervisor.configuration.marks import Mark, over_rest, without_mark
from supervisor.configuration.running import RunningRecord, read_record
from supervisor.herder.distributed import files as module
from supervisor.herder.distributed.files import ClusterFiles
from supervisor.herder.entities import ConnectorInfo, ConnectorType
from supervisor.herder.herder import LocalHerder
from supervisor.inquiries.validation import FileOutcome
from supervisor.units.lifecycle import Statuses
from supervisor.units.unit import Surroundings
from tasks.messages import LogSettings, Validated
from tasks.states import TargetState
from tests.support.processes import until


class FakeCluster:
    """The config topic, as a herder shows it; `failures` are what the next writes fail with."""

    def __init__(self) -> None:
        self.configs: dict[str, dict[str, str]] = {}
        self.failures: list[ConnectException] = []
        self.writes = 0
        self.worker = self
        self.on_applied: Callable[[], object] = lambda: None
        self.surroundings = Surroundings(
            pool=cast("Any", None),
            statuses=Statuses(),
            worker_config={},
            log=LogSettings(levels={}),
            graceful_stop_s=1.0,
        )

    def connectors(self) -> list[str]:
        return list(self.configs)

    def info(self, name: str) -> ConnectorInfo:
        return ConnectorInfo(name, self.configs[name], [], ConnectorType.SOURCE)

    async def put(
        self, config: dict[str, str], target_state: TargetState | None = None, validated: Validated | None = None
    ) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        self.writes += 1
        self.configs[config["name"]] = config
        return True

    def put_over_rest(self, config: dict[str, str]) -> None:
        self.configs[config["name"]] = over_rest(config, self.configs.get(config["name"]))

    async def discard(self, name: str) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.writes += 1
        del self.configs[name]


class Worker:
    """One worker with a folder of its own."""

    def __init__(self, cluster: FakeCluster, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self.files = ClusterFiles(cast("LocalHerder", cluster), name)

    def write(self, connector: str, content: str, at: float) -> None:
        path = self.folder / f"{connector}.properties"
        path.write_text(f"name={connector}\nconnector.class=Some\ncontent={content}\n")
        os.utime(path, (at, at))

    async def reload(self) -> None:
        await self.files.reload((), str(self.folder))


@pytest.fixture(autouse=True)
def nothing_is_validated_or_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def validate(pool: Any, worker_config: Any, log: Any, files: Any) -> list[FileOutcome]:
        return [FileOutcome(path=file.path) for file in files]

    monkeypatch.setattr("supervisor.configuration.connector_files.validate_files", validate)
    monkeypatch.setattr("supervisor.configuration.settling.SETTLED_S", 0.0)
    monkeypatch.setattr(module, "_RETRIES_S", (0.0, 0.0))


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def content(cluster: FakeCluster, name: str = "c") -> str:
    return cluster.configs[name]["content"]


async def test_a_connector_says_which_file_of_which_worker_it_comes_from(cluster: FakeCluster, tmp_path: Path) -> None:
    one = Worker(cluster, tmp_path, "one")
    one.write("c", "first", at=1000.5)
    await one.reload()
    assert content(cluster) == "first"
    mark = Mark.of_config(cluster.configs["c"])
    assert mark == Mark("1970-01-01T00:16:40.500000+00:00", "one", str(one.folder / "c.properties"))


async def test_workers_with_the_same_files_write_once(cluster: FakeCluster, tmp_path: Path) -> None:
    workers = [Worker(cluster, tmp_path, name) for name in ("one", "two", "three")]
    for number, worker in enumerate(workers):
        worker.write("c", "same", at=1000 + number)
        await worker.reload()
        await worker.reload()
    assert cluster.writes == 1


async def test_the_file_that_was_written_last_counts_whoever_reads_last(cluster: FakeCluster, tmp_path: Path) -> None:
    one, two = Worker(cluster, tmp_path, "one"), Worker(cluster, tmp_path, "two")
    one.write("c", "old", at=1000)
    two.write("c", "new", at=2000)
    for worker in (one, two, one, two, one):
        await worker.reload()
    assert content(cluster) == "new"
    assert cluster.writes == 2
    one.write("c", "newest", at=3000)
    await one.reload()
    await two.reload()
    assert content(cluster) == "newest"


async def test_a_worker_that_starts_again_with_an_old_file_changes_nothing(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    one, two = Worker(cluster, tmp_path, "one"), Worker(cluster, tmp_path, "two")
    one.write("c", "old", at=1000)
    two.write("c", "new", at=2000)
    await one.reload()
    await two.reload()
    again = ClusterFiles(cast("LocalHerder", cluster), "one")
    await again.reload((), str(one.folder))
    assert content(cluster) == "new"


async def test_what_was_changed_over_rest_stays_until_the_file_is_changed(cluster: FakeCluster, tmp_path: Path) -> None:
    one, two = Worker(cluster, tmp_path, "one"), Worker(cluster, tmp_path, "two")
    for worker, at in ((one, 1000), (two, 2000)):
        worker.write("c", "file", at)
        await worker.reload()
    cluster.put_over_rest({**cluster.configs["c"], "content": "rest"})
    for worker in (one, two):
        await worker.reload()
    assert content(cluster) == "rest"
    one.write("c", "edited", at=900)  # its time tells nothing: it was seen before and is another one now
    await one.reload()
    assert content(cluster) == "edited"
    assert CONNECTOR_FILE in cluster.configs["c"]


async def test_what_is_written_over_rest_as_it_is_stays_the_files(cluster: FakeCluster, tmp_path: Path) -> None:
    one = Worker(cluster, tmp_path, "one")
    one.write("c", "file", at=1000)
    await one.reload()
    cluster.put_over_rest(without_mark(cluster.configs["c"]))
    (one.folder / "c.properties").unlink()
    await one.reload()
    assert not cluster.configs


async def test_a_copy_that_was_made_over_rest_does_not_go_with_the_file(cluster: FakeCluster, tmp_path: Path) -> None:
    one = Worker(cluster, tmp_path, "one")
    one.write("c", "file", at=1000)
    await one.reload()
    cluster.put_over_rest({**cluster.configs["c"], "name": "copy"})
    await one.reload()
    assert set(cluster.configs) == {"c", "copy"}


async def test_a_connector_goes_with_the_file_that_brought_it_and_with_no_other(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    one, two = Worker(cluster, tmp_path, "one"), Worker(cluster, tmp_path, "two")
    for worker in (one, two):
        worker.write("c", "same", at=1000)
        await worker.reload()
    cluster.configs["rest"] = {"name": "rest", "connector.class": "Some"}
    (two.folder / "c.properties").unlink()
    await two.reload()
    assert set(cluster.configs) == {"c", "rest"}
    (one.folder / "c.properties").unlink()
    again = ClusterFiles(cast("LocalHerder", cluster), "one")  # also after a restart
    await again.reload((), str(one.folder))
    assert set(cluster.configs) == {"rest"}


async def test_a_file_that_is_wrong_now_does_not_delete_its_connector(cluster: FakeCluster, tmp_path: Path) -> None:
    one = Worker(cluster, tmp_path, "one")
    one.write("c", "file", at=1000)
    await one.reload()
    (one.folder / "c.properties").write_text("")
    os.utime(one.folder / "c.properties", (900, 900))
    await one.reload()
    assert content(cluster) == "file"


async def test_a_write_that_fails_is_tried_again_and_in_the_end_said_to_have_failed(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    one = Worker(cluster, tmp_path, "one")
    one.write("c", "file", at=1000)
    cluster.failures = [ConnectException("the group has no leader now")] * 2
    await one.reload()
    assert content(cluster) == "file"
    one.write("d", "file", at=1000)
    cluster.failures = [ConnectException("the group has no leader now")] * 3
    await one.reload()
    assert "d" not in cluster.configs
    await one.reload()
    assert content(cluster, "d") == "file"


async def test_a_deletion_that_fails_is_tried_again(cluster: FakeCluster, tmp_path: Path) -> None:
    one = Worker(cluster, tmp_path, "one")
    one.write("c", "file", at=1000)
    await one.reload()
    (one.folder / "c.properties").unlink()
    cluster.failures = [ConnectException("the group has no leader now")] * 2
    await one.reload()
    assert cluster.configs == {}


async def test_a_connector_that_another_worker_has_brought_meanwhile_is_not_deleted(
    cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = Worker(cluster, tmp_path, "one"), Worker(cluster, tmp_path, "two")
    one.write("c", "old", at=1000)
    await one.reload()
    (one.folder / "c.properties").unlink()
    two.write("c", "new", at=2000)

    async def two_is_faster(seconds: float) -> None:
        await two.reload()

    cluster.failures = [ConnectException("the group has no leader now")]
    monkeypatch.setattr(module.asyncio, "sleep", two_is_faster)
    await one.reload()
    assert content(cluster) == "new"


async def test_what_runs_is_recorded_with_where_it_comes_from(
    cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = Worker(cluster, tmp_path, "one"), Worker(cluster, tmp_path, "two")
    one.write("c", "secret", at=1000)
    two.write("d", "secret", at=2000)
    await one.reload()
    await two.reload()
    cluster.configs["rest"] = {"name": "rest", "content": "secret"}
    path = tmp_path / "later" / "running"
    writes: list[Path] = []
    write = running_module._write

    def noted(path: Path, content: bytes) -> None:
        writes.append(path)
        write(path, content)

    monkeypatch.setattr(running_module, "_write", noted)
    with capture_logs() as logs:
        record = RunningRecord(path, cast("LocalHerder", cluster), one.files, [])
        for tries in range(1, 4):
            await until(lambda tries=tries: writes == [path] * tries, "it is tried")
            cluster.on_applied()
    assert [entry["event"] for entry in logs] == [
        f"connectd check cannot know what runs: cannot write {path}: No such file or directory"
    ]
    path.parent.mkdir()
    cluster.on_applied()
    await until(path.exists, "it is written")
    running = read_record(path)
    assert running is not None and running.shared is not None
    assert b"secret" not in path.read_bytes()
    assert set(running.connectors) == {"c", "d", "rest"}
    assert running.sources == {"c": str(one.folder / "c.properties")}
    assert {name: mark.worker for name, mark in running.shared.marks.items()} == {"c": "one", "d": "two"}
    assert list(running.shared.read) == [str(one.folder / "c.properties")]
    assert "connectd.file" not in running.connectors["c"]
    await record.close()
    assert not path.exists()

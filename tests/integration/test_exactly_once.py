"""Sources that deliver exactly once (KIP-618) on real workers and a real Kafka."""

from __future__ import annotations

import os
import signal
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Producer

from tests.support.cluster import PATIENCE_S, Cluster, ClusterMember, cluster, processes_of, wait_until
from tests.support.kafka import TestKafka

LINES = 8_000  # for each kill
KILLS = 4
ENABLED = {"exactly_once_source_support": "enabled", "task_restart_backoff_ms": "50"}


@pytest.fixture
def name(topic: str) -> str:
    return f"e-{uuid.uuid4().hex[:8]}"


def source(name: str, file: Path, topic: str, **more: str) -> dict[str, str]:
    return {
        "name": name,
        "connector.class": "FileStreamSource",
        "tasks.max": "1",
        "file": str(file),
        "topic": topic,
        "batch.size": "500",
        "exactly.once.support": "required",
        **more,
    }


def write_lines(file: Path, first: int, last: int) -> list[str]:
    lines = [f"line {number}" for number in range(first, last)]
    with file.open("a") as opened:
        opened.writelines(f"{line}\n" for line in lines)
    return lines


def kill(name: str) -> None:
    for pids in processes_of(name).values():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def stored(worker: ClusterMember, name: str) -> list[object]:
    return [each["offset"] for each in worker.ok("GET", f"/connectors/{name}/offsets")["offsets"]]


# --- one worker for all that follows ----------------------------------------------------------------------------------

PLUGINS = Path(__file__).parent / "plugins"
COUNT = 1000


@pytest.fixture(scope="module")
def one(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("exactly-once")
    with cluster(kafka, folder, f"e-{uuid.uuid4().hex[:8]}", 1, plugin_path=str(PLUGINS), **ENABLED) as it:
        yield it


@pytest.mark.parametrize("own", [False, True])
def test_each_line_comes_once_and_in_order_though_the_task_is_killed(
    one: Cluster, kafka: TestKafka, tmp_path: Path, name: str, topic: str, own: bool
) -> None:
    kafka.create_topic(topic)
    file = tmp_path / "lines"
    expected = write_lines(file, 0, 1)
    interval = {"transaction.boundary": "interval", "transaction.boundary.interval.ms": "50"}
    more = {"offsets.storage.topic": f"{name}-own", **interval} if own else {}
    worker = one.members[0]
    worker.ok("POST", "/connectors", {"name": name, "config": source(name, file, topic, **more)})
    for _ in range(KILLS):
        before = kafka.end_offsets(topic)[0]
        expected += write_lines(file, len(expected), len(expected) + LINES)
        wait_until(lambda before=before: kafka.end_offsets(topic)[0] > before, "it writes")
        kill(name)
    expected += write_lines(file, len(expected), len(expected) + 1)
    assert kafka.lines(topic, len(expected), PATIENCE_S) == expected
    wait_until(lambda: stored(worker, name) == [{"position": file.stat().st_size}], "the offset is stored")
    worker.ok("DELETE", f"/connectors/{name}")


def counting(topic: str, tasks: int, **more: str) -> dict[str, str]:
    config = {
        "connector.class": "counting.CountingSource",
        "tasks.max": str(tasks),
        "topic": topic,
        "limit": str(COUNT),
    }
    return {**config, **more}


def counted(kafka: TestKafka, topic: str, tasks: int, numbers: Sequence[int]) -> bool:
    """Whether each task has counted all of these, each once and in order."""
    found: dict[str, list[int]] = {}
    for line in kafka.lines(topic, tasks * len(numbers), PATIENCE_S):
        task, number = line.split()
        found.setdefault(task, []).append(int(number))
    return found == {str(task): list(numbers) for task in range(tasks)}


def said(worker: ClusterMember, text: str, connector: str) -> bool:
    return any(text in str(event["message"]) and event.get("connector") == connector for event in worker.events)


def test_a_new_plan_fences_all_tasks_before_it(one: Cluster, kafka: TestKafka, name: str, topic: str) -> None:
    kafka.create_topic(topic)
    worker = one.members[0]
    worker.ok("PUT", f"/connectors/{name}/config", counting(topic, 3))
    one.wait_until_in("RUNNING", name, 3)
    assert not said(worker, "fencing the producers", name)
    before = processes_of(name)
    # What is planned for the first two tasks is the same but for this; they are of another set all the same.
    worker.ok("PUT", f"/connectors/{name}/config", counting(topic, 3, support="SUPPORTED"))
    wait_until(lambda: said(worker, "fencing the producers of the 3 tasks", name), "those before are fenced")
    one.wait_until_in("RUNNING", name, 3)
    assert not {pid for pids in processes_of(name).values() for pid in pids} & {p for ps in before.values() for p in ps}
    assert counted(kafka, topic, 3, range(COUNT))
    worker.ok("DELETE", f"/connectors/{name}")


def test_a_connector_defines_its_transactions(one: Cluster, kafka: TestKafka, name: str, topic: str) -> None:
    kafka.create_topic(topic)
    worker = one.members[0]
    config = {**counting(topic, 2), "transaction.boundary": "connector", "offsets.storage.topic": f"{name}-own"}
    worker.ok("PUT", f"/connectors/{name}/config", config)
    seen = [number for number in range(COUNT) if not 20 <= number % 100 < 30]
    assert counted(kafka, topic, 2, seen)
    last = [{"n": COUNT - 1}, {"n": COUNT - 1}]
    wait_until(lambda: stored(worker, name) == last, "the offsets of all are stored")
    metrics = "kafka_connect_source_task_transaction_size_max"
    assert f'{metrics}{{connector="{name}",task="0"}} 10.0' in metrics_of(worker)
    worker.ok("DELETE", f"/connectors/{name}")


def test_offsets_are_altered_after_a_round_of_fencing(one: Cluster, kafka: TestKafka, name: str, topic: str) -> None:
    kafka.create_topic(topic)
    worker = one.members[0]
    worker.ok("PUT", f"/connectors/{name}/config", counting(topic, 2))
    assert counted(kafka, topic, 2, range(COUNT))
    worker.ok("PUT", f"/connectors/{name}/stop")
    offsets = [{"partition": {"task": "1"}, "offset": {"n": COUNT - 6}}]
    wait_until(
        lambda: worker.request("PATCH", f"/connectors/{name}/offsets", {"offsets": offsets})[0] == 200,
        "they are altered",
    )
    assert said(worker, "fencing the producers of the 2 tasks", name)
    worker.ok("PUT", f"/connectors/{name}/resume")
    again = [f"1 {number}" for number in range(COUNT - 5, COUNT)]
    assert kafka.lines(topic, 2 * COUNT + 5, PATIENCE_S)[-5:] == again
    worker.ok("PUT", f"/connectors/{name}/stop")
    wait_until(lambda: worker.request("DELETE", f"/connectors/{name}/offsets")[0] == 200, "they are reset")
    assert stored(worker, name) == []
    worker.ok("DELETE", f"/connectors/{name}")


def test_a_task_whose_producer_is_fenced_fails_and_goes_on_when_it_is_restarted(
    one: Cluster, kafka: TestKafka, name: str, topic: str
) -> None:
    kafka.create_topic(topic)
    worker = one.members[0]
    worker.ok(
        "PUT", f"/connectors/{name}/config", {**counting(topic, 1), "limit": "1000000", "task.restart.policy": "never"}
    )
    wait_until(lambda: kafka.end_offsets(topic)[0] > 0, "it writes")
    other = Producer({**kafka.client, "transactional.id": f"{one.name}-{name}-0", "log_level": 0})
    other.init_transactions(PATIENCE_S)

    def task() -> dict[str, str]:
        tasks: list[dict[str, str]] = worker.ok("GET", f"/connectors/{name}/status")["tasks"]
        return tasks[0]

    wait_until(lambda: task()["state"] == "FAILED", "it fails")
    assert "Either another run of this task has taken over" in task()["trace"]
    worker.ok("POST", f"/connectors/{name}/tasks/0/restart")
    # With the marks of transactions there were fewer records when it failed.
    count = kafka.end_offsets(topic)[0]
    assert kafka.lines(topic, count, PATIENCE_S) == [f"0 {number}" for number in range(count)]
    worker.ok("DELETE", f"/connectors/{name}")


def test_what_is_refused(one: Cluster, name: str) -> None:
    config = {**counting("t", 1), "name": name, "exactly.once.support": "required", "transaction.boundary": "connector"}
    wrong = {"support": "UNSUPPORTED", "producer.override.bootstrap.servers": "elsewhere:9092"}
    for more, keys in (({}, set()), (wrong, {"exactly.once.support", "transaction.boundary", *list(wrong)[1:]})):
        path = "/connector-plugins/counting.CountingSource/config/validate"
        answer = one.members[0].ok("PUT", path, {**config, **more})
        assert {each["value"]["name"] for each in answer["configs"] if each["value"]["errors"]} == keys


def metrics_of(worker: ClusterMember) -> str:
    with urllib.request.urlopen(f"http://{worker.worker_id}/metrics", timeout=60) as answer:
        return str(answer.read().decode())


# --- zombies ----------------------------------------------------------------------------------------------------------


def test_a_task_that_was_replaced_while_it_was_suspended_writes_nothing_more(
    kafka: TestKafka, tmp_path: Path, name: str, topic: str
) -> None:
    kafka.create_topic(topic)
    quick = {"scheduled_rebalance_max_delay_ms": "0", "plugin_path": str(PLUGINS)}
    with cluster(kafka, tmp_path, name, 2, **ENABLED, **quick) as it:
        config = {**counting(topic, 2), "limit": "8000"}
        it.members[0].ok("PUT", f"/connectors/{name}/config", config)
        it.wait_until_in("RUNNING", name, 2)
        zombie = it.followers[0]
        other = it.leader
        (task,) = (
            unit for unit, (_, worker) in it.statuses(name).items() if worker == zombie.worker_id and unit != name
        )
        (pid,) = processes_of(name)[task]
        zombie.kill(signal.SIGSTOP)
        os.kill(pid, signal.SIGSTOP)

        def taken_over() -> bool:
            status, body = other.request("GET", f"/connectors/{name}/status")
            return status == 200 and all(
                each["worker_id"] == other.worker_id and each["state"] == "RUNNING" for each in body["tasks"]
            )

        wait_until(taken_over, "the other worker runs all")
        wait_until(lambda: not psutil.pid_exists(pid), "the task ends without going on")
        zombie.kill(signal.SIGCONT)
        assert counted(kafka, topic, 2, range(8_000))

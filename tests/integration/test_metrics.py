"""Metrics of a running worker: what Prometheus would see."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from supervisor.embedded.ports import free_port
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.worker_process import WorkerProcess, worker_process

STRING = "org.apache.kafka.connect.storage.StringConverter"

# Kafka Connect's metrics by the names that its JMX exporter gives them with Strimzi's rules, for a source and a sink that
# move records in a standalone worker.
KAFKAS = frozenset(
    """
kafka_connect_connector_status kafka_connect_connector_connector_type kafka_connect_connector_connector_class
kafka_connect_connector_connector_version kafka_connect_connector_task_status
kafka_connect_connector_task_running_ratio kafka_connect_connector_task_pause_ratio
kafka_connect_connector_task_offset_commit_max_time_ms kafka_connect_connector_task_offset_commit_avg_time_ms
kafka_connect_connector_task_batch_size_max kafka_connect_connector_task_batch_size_avg
kafka_connect_source_task_source_record_poll_rate kafka_connect_source_task_source_record_poll_total
kafka_connect_source_task_source_record_write_rate kafka_connect_source_task_source_record_write_total
kafka_connect_source_task_poll_batch_max_time_ms kafka_connect_source_task_poll_batch_avg_time_ms
kafka_connect_source_task_source_record_active_count kafka_connect_sink_task_sink_record_read_rate
kafka_connect_sink_task_sink_record_read_total kafka_connect_sink_task_sink_record_send_rate
kafka_connect_sink_task_sink_record_send_total kafka_connect_sink_task_sink_record_lag_max
kafka_connect_sink_task_partition_count kafka_connect_sink_task_offset_commit_seq_no
kafka_connect_sink_task_offset_commit_completion_rate kafka_connect_sink_task_offset_commit_completion_total
kafka_connect_sink_task_offset_commit_skip_rate kafka_connect_sink_task_offset_commit_skip_total
kafka_connect_sink_task_put_batch_max_time_ms kafka_connect_sink_task_put_batch_avg_time_ms
kafka_connect_sink_task_sink_record_active_count kafka_connect_worker_connector_count kafka_connect_worker_task_count
kafka_connect_worker_connector_startup_attempts_total kafka_connect_worker_connector_startup_success_total
kafka_connect_worker_connector_startup_success_percentage kafka_connect_worker_connector_startup_failure_total
kafka_connect_worker_connector_startup_failure_percentage kafka_connect_worker_task_startup_attempts_total
kafka_connect_worker_task_startup_success_total kafka_connect_worker_task_startup_success_percentage
kafka_connect_worker_task_startup_failure_total kafka_connect_worker_task_startup_failure_percentage
kafka_connect_worker_connector_total_task_count kafka_connect_worker_connector_running_task_count
kafka_connect_worker_connector_paused_task_count kafka_connect_worker_connector_failed_task_count
kafka_connect_worker_connector_unassigned_task_count kafka_connect_worker_connector_destroyed_task_count
kafka_connect_worker_connector_restarting_task_count kafka_connect_task_error_total_record_failures
kafka_connect_task_error_total_record_errors kafka_connect_task_error_total_records_skipped
kafka_connect_task_error_total_retries kafka_connect_task_error_total_errors_logged
kafka_connect_task_error_deadletterqueue_produce_requests kafka_connect_task_error_deadletterqueue_produce_failures
kafka_connect_task_error_last_error_timestamp kafka_producer_connection_count kafka_producer_outgoing_byte_total
kafka_admin_client_connection_count kafka_consumer_connection_count
kafka_consumer_incoming_byte_total kafka_consumer_fetch_manager_records_lag
""".split()  # noqa: SIM905 (a list would be a page long)
)


@dataclass(frozen=True)
class Scraped:
    """The samples of one scrape."""

    samples: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of one series."""
        return self.samples.get((name, frozenset(labels.items())))

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.samples}


@dataclass(frozen=True)
class Worker:
    """A running worker and where it answers."""

    process: WorkerProcess
    url: str
    metrics_url: str

    def get(self, path: str, url: str | None = None) -> tuple[int, str]:
        """Status and body."""
        try:
            with urllib.request.urlopen(f"{url or self.url}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path)[1])

    def put(self, path: str, body: object = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method="PUT")
        urllib.request.urlopen(request, timeout=60).close()

    def scrape(self, url: str | None = None) -> Scraped:
        status, text = self.get("/metrics", url)
        assert status == 200
        samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        return Scraped(samples)


@pytest.fixture
def worker(kafka: TestKafka, topic: str, tmp_path: Path) -> Iterator[Worker]:
    """Moves three lines from a file to a topic and on to another file."""
    port, metrics_port = free_port(), free_port()
    (tmp_path / "worker.properties").write_text(
        f"bootstrap.servers={kafka.bootstrap_servers}\nkey.converter={STRING}\nvalue.converter={STRING}\n"
        f"offset.storage.file.filename={tmp_path}/offsets\noffset.flush.interval.ms=200\n"
        f"listeners=http://127.0.0.1:{port}\nmetrics.listeners=http://127.0.0.1:{metrics_port}\n"
    )
    (tmp_path / "in.txt").write_text("one\ntwo\nthree\n")
    (tmp_path / "in.properties").write_text(
        f"name=in\nconnector.class=FileStreamSource\nfile={tmp_path}/in.txt\ntopic={topic}\n"
        "topic.creation.default.replication.factor=1\ntopic.creation.default.partitions=1\n"
    )
    (tmp_path / "out.properties").write_text(
        f"name=out\nconnector.class=FileStreamSink\nfile={tmp_path}/out.txt\ntopics={topic}\ntask.restart.policy=never\n"
        # Tests may run at the same time, on one Kafka.
        f"consumer.override.group.id=connect-{topic}\n"
    )
    with worker_process(tmp_path, "worker.properties", "in.properties", "out.properties") as process:
        process.wait_until_runs("in-0", "out-0")
        yield Worker(process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}")


def test_every_metric_of_kafka_connect_is_there_and_right(worker: Worker, topic: str) -> None:
    source, sink = {"connector": "in", "task": "0"}, {"connector": "out", "task": "0"}

    def moved() -> bool:
        scraped = worker.scrape()
        return (
            scraped("kafka_connect_source_task_source_record_write_total", **source) == 3
            and scraped("kafka_connect_sink_task_sink_record_send_total", **sink) == 3
            and (scraped("kafka_consumer_incoming_byte_total", clientid="connector-consumer-out-0") or 0) > 0
            and (scraped("kafka_admin_client_connection_count", clientid="connector-adminclient-in-0") or 0) > 0
        )

    # The clients tell what they have counted every 10 s.
    wait_until(moved, "three records were moved, and the clients have counted them", timeout_s=120)
    wait_until(
        lambda: worker.scrape()("connectd_sink_lag_records", **sink, topic=topic, partition="0") == 0,
        "no lag is seen",
        60,
    )
    scraped = worker.scrape()
    assert scraped.names >= KAFKAS, sorted(KAFKAS - scraped.names)
    assert scraped("kafka_connect_connector_status", connector="in", status="running") == 1
    assert scraped("kafka_connect_connector_task_status", **sink, status="running") == 1
    assert scraped("kafka_connect_connector_connector_type", connector="out", connector_type="sink") == 1
    assert scraped("kafka_connect_worker_connector_count") == scraped("kafka_connect_worker_task_count") == 2
    assert scraped("kafka_connect_worker_task_startup_success_total") == 2
    assert scraped("kafka_connect_worker_connector_running_task_count", connector="in") == 1
    assert scraped("connectd_source_lag", **source, unit="bytes") == 0
    assert (scraped("connectd_process_resident_memory_bytes", **source) or 0) > 1_000_000
    assert (scraped("connectd_process_open_fds", **source) or 0) > 3
    assert (scraped("connectd_heartbeat_age_seconds", **source) or 99) < 60
    assert scraped("connectd_processes", kind="task") == 2
    assert scraped("connectd_ready") == 1
    assert worker.scrape(worker.metrics_url).names >= KAFKAS
    assert worker.get("/connectors", worker.metrics_url)[0] == 404


def test_what_fails_keeps_its_series_and_its_lag_grows(worker: Worker, kafka: TestKafka, topic: str) -> None:
    sink = {"connector": "out", "task": "0"}
    wait_until(
        lambda: worker.scrape()("kafka_connect_sink_task_sink_record_send_total", **sink) == 3,
        "the sink took three records",
    )
    # From now on values are not what the converter takes: the task fails, and nothing restarts it.
    config = worker.json("/connectors/out/config")
    worker.put("/connectors/out/config", config | {"value.converter": "JsonConverter", "errors.tolerance": "none"})

    def has_failed() -> bool:
        # The process before may take a record yet.
        kafka.produce(topic, ["not JSON"])
        return worker.scrape()("kafka_connect_connector_task_status", **sink, status="failed") == 1

    wait_until(has_failed, "the sink has failed")
    scraped = worker.scrape()
    assert scraped("kafka_connect_connector_task_status", **sink, status="running") is None
    assert (scraped("kafka_connect_sink_task_sink_record_send_total", **sink) or 0) >= 3
    assert scraped("connectd_failures_total", **sink, cause="exception") == 1
    assert scraped("kafka_connect_worker_connector_failed_task_count", connector="out") == 1

    def lag() -> float:
        return sum(value for (name, _), value in worker.scrape().samples.items() if name == "connectd_sink_lag_records")

    wait_until(lambda: lag() > 0, "records are waiting", 60)
    before = lag()
    kafka.produce(topic, ["more"] * 4)
    wait_until(lambda: lag() >= before + 4, "four more records are waiting", 60)
    status, body = worker.get("/connectd/v1/health/connectors")
    assert status == 503 and [each["connector"] for each in json.loads(body)["failed"]] == ["out"]
    assert worker.get("/connectd/v1/health/connectors?maxFailed=1")[0] == 200
    assert worker.get("/connectd/v1/health/connectors?maxFailed=x")[0] == 400
    assert worker.get("/connectd/v1/health/live")[0] == worker.get("/connectd/v1/health/ready")[0] == 200


def test_what_the_tasks_are_doing(worker: Worker) -> None:
    wait_until(
        lambda: [each["records"] for each in worker.json("/connectd/v1/tasks") if each["task"] == 0] == [3, 3],
        "both tasks moved three records",
    )
    connector, task, *_ = worker.json("/connectd/v1/tasks")
    assert (connector["connector"], connector["task"], task["task"]) == ("in", None, 0)
    assert (task["state"], task["source_lag"], task["restarts"], task["stalled"]) == ("RUNNING", {"bytes": 0}, 0, False)
    assert task["memory_bytes"] > 1_000_000 and task["pid"] > 1

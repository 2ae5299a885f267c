"""A real Prometheus beside a cluster: the rules and the dashboard that ship with connectd, and the stock dashboard of Strimzi."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.cluster import Cluster, ClusterMember, cluster, wait_until
from tests.support.kafka import TestKafka
from tests.support.prometheus import Prometheus, prometheus, tool
from tests.support.worker_process import CONNECTD

CONF: Final = Path(__file__).parents[2] / "conf"
RULES: Final = CONF / "prometheus" / "connectd.rules.yml"
DASHBOARD: Final = CONF / "grafana" / "connectd.json"

# More dashboards, as Grafana's JSON files between colons: of each that ships elsewhere, such as Strimzi's.
MORE_DASHBOARDS: Final = "CONNECTD_DASHBOARDS"

# What Strimzi's operator adds to the series of its clusters, and its dashboard selects by.
STRIMZI: Final = {"namespace": "n", "strimzi_io_kind": "KafkaConnect", "strimzi_io_cluster": "c"}
VARIABLES: Final = {
    "$__rate_interval": "1m",
    "$kubernetes_namespace": "n",
    "$strimzi_connect_cluster_name": "c",
    "$instance": ".*",
    "$connector": ".*",
}
# Panels of what Java and Kubernetes tell, and only they.
FOREIGN: Final = ("jvm_", "container_")


@dataclass(frozen=True)
class Watched:
    """A cluster with a source, a sink, a paused and a failed connector, and the Prometheus that looks at it."""

    cluster: Cluster
    prometheus: Prometheus


@pytest.fixture(scope="module")
def watched(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("prometheus")
    tool("prometheus")
    (folder / "in.txt").write_text("one\ntwo\n")
    source = {"connector.class": "FileStreamSource", "file": str(folder / "in.txt"), "topic": "prometheus-lines"}
    sink = {"connector.class": "FileStreamSink", "topics": "prometheus-lines"}
    with cluster(kafka, folder, "prometheus", 2) as workers:
        first = workers.members[0]
        configurations = {
            "in": source,
            "out": {**sink, "file": str(folder / "out.txt")},
            "paused": {**sink, "file": str(folder / "paused.txt")},
            # A folder that is not there fails the start, and nothing tries again.
            "broken": {**sink, "file": str(folder / "nowhere" / "out.txt"), "task.restart.policy": "never"},
        }
        for name, configuration in configurations.items():
            first.ok("PUT", f"/connectors/{name}/config", configuration)
        workers.wait_until_in("RUNNING", "paused", 1)
        first.ok("PUT", "/connectors/paused/pause")
        workers.wait_until_in("RUNNING", "in", 1)
        workers.wait_until_in("RUNNING", "out", 1)
        workers.wait_until_in("PAUSED", "paused", 1)
        wait_until(lambda: workers.statuses("broken").get("broken-0", ("",))[0] == "FAILED", "a task has failed")
        wait_until(
            lambda: (folder / "out.txt").exists() and len((folder / "out.txt").read_bytes()) == 8, "two lines came"
        )
        labels = {
            each.worker_id: {**STRIMZI, "kubernetes_pod_name": f"pod-{n}"} for n, each in enumerate(workers.members)
        }
        with prometheus(folder, labels, [RULES]) as server:
            wait_until(lambda: len(server.query("connectd_ready == 1")) == 2, "both workers were scraped")
            # Something to count from now on: rates are those of series that were there before.
            (pid,) = workers.processes_of("out")["out-0"]
            os.kill(pid, signal.SIGKILL)
            with (folder / "in.txt").open("a") as file:
                file.write("three\n")
            yield Watched(workers, server)


def test_all_rules_are_understood_and_evaluated(watched: Watched) -> None:
    recorded = {name: rule for name, rule in watched.prometheus.rules().items() if rule["type"] == "recording"}
    for name in recorded:
        wait_until(lambda name=name: watched.prometheus.query(name), f"{name} has data")  # type: ignore[misc]
    assert {rule.get("lastError", "") for rule in watched.prometheus.rules().values()} == {""}
    assert {rule["health"] for rule in watched.prometheus.rules().values()} == {"ok"}
    wait_until(
        lambda: watched.prometheus.query('connector:sink_lag_records:sum{connector="out"} == 0'), "no lag is left"
    )


def test_alerts_are_those_of_what_is_wrong(watched: Watched) -> None:
    expected = {("ConnectTaskFailed", "broken")}
    wait_until(lambda: watched.prometheus.alerts() >= expected, "the failed task is an alert")
    assert watched.prometheus.alerts() == expected


@pytest.mark.parametrize("file", [DASHBOARD, *filter(None, os.environ.get(MORE_DASHBOARDS, "").split(":"))], ids=str)
def test_every_query_of_a_dashboard_has_data(watched: Watched, file: Path | str) -> None:
    queries = {
        query
        for panel in _panels(json.loads(Path(file).read_text())["panels"])
        for target in panel.get("targets", ())
        if "expr" in target and not any(foreign in (query := _query(target["expr"])) for foreign in FOREIGN)
    }
    assert len(queries) > 10
    _wait_for_all(watched.prometheus, queries)


def test_every_query_of_strimzis_dashboard_has_data(watched: Watched) -> None:
    """Its panels by what they ask for: sums of all workers, of each, and joins that name the class and the state."""
    of_cluster = '{strimzi_io_kind=~"KafkaConnect.*", strimzi_io_cluster="c"}'
    sums = [
        "kafka_connect_worker_connector_count",
        "kafka_connect_worker_task_count",
        "kafka_consumer_connection_count",
        "kafka_producer_connection_count",
        "kafka_admin_client_connection_count",
        "kafka_connect_worker_rebalance_rebalancing",
        *(
            f"kafka_connect_worker_connector_{state}_task_count"
            for state in ("running", "paused", "failed", "unassigned", "destroyed")
        ),
    ]
    by_worker = ["kafka_connect_coordinator_assigned_connectors", "kafka_connect_coordinator_assigned_tasks"]
    rates = ["kafka_producer_outgoing_byte_total", "kafka_consumer_incoming_byte_total"]
    described = " * on (connector) ".join(
        [
            f"kafka_connect_connector_status{of_cluster}",
            *(f"group_left ({of}) kafka_connect_connector_{of}" for of in _DESCRIPTION),
        ]
    )
    with_state = (
        f"kafka_connect_task_error_total_record_failures{of_cluster}"
        " * on (connector, task) group_left (status) kafka_connect_connector_task_status"
    )
    troubles = (
        f"sum by (connector) (kafka_connect_worker_connector_{state}_task_count{of_cluster}) != 0"
        for state in ("paused", "failed")
    )
    _wait_for_all(
        watched.prometheus,
        {
            *(f"sum({name}{of_cluster})" for name in sums),
            *(f"sum by (kubernetes_pod_name) ({name}{of_cluster})" for name in by_worker),
            *(f"sum by (kubernetes_pod_name) (rate({name}{of_cluster}[5m]))" for name in rates),
            f"sum by (connector, status, kubernetes_pod_name, {', '.join(_DESCRIPTION)}) ({described})",
            f"sum by (connector, status, kubernetes_pod_name, task) ({with_state})",
            *troubles,
        },
    )
    assert len(watched.prometheus.query(f"sum by (connector, connector_class) ({described})")) == 4


_DESCRIPTION: Final = ("connector_class", "connector_version", "connector_type")


def test_a_worker_that_is_gone_is_an_alert(watched: Watched) -> None:
    gone: ClusterMember = watched.cluster.members[1]
    gone.kill()
    wait_until(lambda: ("ConnectWorkerDown", gone.worker_id) in watched.prometheus.alerts(), "its absence is an alert")


def test_promtool_accepts_the_metrics(watched: Watched) -> None:
    """All but Kafka's own names, which are what they are: it does not like gauges that end in `_count`, or milliseconds."""
    with urllib.request.urlopen(f"http://{watched.cluster.members[0].worker_id}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    done = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=text, text=True, capture_output=True, check=False, timeout=60
    )
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("kafka_")]
    assert not complaints


def test_alerts_by_promtool() -> None:
    """Each alert fires for series that show its trouble, and not for those of a quiet worker."""
    rules = Path(__file__).with_name("prometheus_alerts.yml")
    done = subprocess.run(
        [tool("promtool"), "test", "rules", str(rules)], text=True, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_commands_that_alerts_name_are_there() -> None:
    named = set(re.findall(r"`connectd ([^`]+)`", RULES.read_text()))
    assert len(named) > 3
    for words in named:
        # Without what it is asked for; an unknown command or option is an error all the same.
        command = [each for each in words.split() if "$" not in each and each not in ("{{", "}}")]
        done = subprocess.run([*CONNECTD, *command, "--help"], text=True, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))


def _query(expression: str) -> str:
    """With values for the variables. What a panel leaves out because it is 0 is data too."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    return expression.removesuffix("!= 0")


def _wait_for_all(server: Prometheus, queries: set[str]) -> None:
    missing = set(queries)

    def all_have_data() -> bool:
        missing.difference_update([query for query in missing if server.query(query)])
        return not missing

    try:
        wait_until(all_have_data, "all queries have data", 60)
    except AssertionError as error:
        raise AssertionError(f"without data: {sorted(missing)}") from error

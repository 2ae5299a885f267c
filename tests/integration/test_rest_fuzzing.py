"""schemathesis asks a real worker whatever the OpenAPI document allows, and what it does not: no answer is a 5xx.

A run is short and always the same. `CONNECTD_FUZZ_EXAMPLES=100 CONNECTD_FUZZ_SEED=1` makes it long and another one.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from supervisor.rest.openapi import openapi_document
from supervisor.rest.own_routes import DESCRIBED_ROUTES
from tests.peer.rest_talk import PATIENCE_S
from tests.peer.rest_workers import Worker, connectd_worker
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until

EXAMPLES = int(os.environ.get("CONNECTD_FUZZ_EXAMPLES", "4"))
SEED = os.environ.get("CONNECTD_FUZZ_SEED")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SOURCE = {"connector.class": "RestPlugins$TroubleSource", "needed": "x", "topic": "@topic"}
SINK = {"connector.class": "RestPlugins$TroubleSink", "needed": "x", "topics": "@topic"}
CONNECTORS: dict[str, tuple[dict[str, str], str | None, list[str]]] = {
    "runs": (SOURCE, None, ["RUNNING", "RUNNING"]),
    "sink": (SINK, None, ["RUNNING", "RUNNING"]),
    "paused": (SOURCE, "pause", ["PAUSED", "PAUSED"]),
    "stopped": (SOURCE, "stop", ["STOPPED"]),
    "failed": ({**SOURCE, "fail": "start"}, None, ["FAILED"]),
    "task-failed": ({**SOURCE, "fail": "task"}, None, ["RUNNING", "FAILED"]),
}
# Keys that change what a connector does; `tasks` would start more processes than a test should.
KEYS = ["fail", "alter", "mode", "depth", "names", "ratio", "on", "host", "key.converter", "transforms", "predicates"]
JSON = {"Content-Type": "application/json"}
TASK = st.integers(-1, 2)
SCHEMA = schemathesis.openapi.from_dict(openapi_document(DESCRIBED_ROUTES))
OPERATIONS = {
    each.definition.raw["operationId"]: each for each in (found.ok() for found in SCHEMA.get_all_operations())
}


@pytest.fixture(scope="module")
def worker(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with connectd_worker(tmp_path_factory.mktemp("fuzz"), kafka.bootstrap_servers) as worker:
        yield worker


def allowed_and_not() -> Iterator[tuple[str, GenerationMode]]:
    """Where everything is a text there is nothing that is not allowed."""
    for operation_id, operation in OPERATIONS.items():
        yield operation_id, GenerationMode.POSITIVE
        declared = operation.definition.raw
        typed = any(parameter["schema"]["type"] != "string" for parameter in declared["parameters"])
        if typed or "requestBody" in declared:
            yield operation_id, GenerationMode.NEGATIVE


@pytest.mark.parametrize(("operation_id", "mode"), list(allowed_and_not()))
def test_an_operation(worker: Worker, operation_id: str, mode: GenerationMode) -> None:
    restore(worker)
    statuses: Counter[int] = Counter()

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=SEED is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=OPERATIONS[operation_id].as_strategy(generation_mode=mode),
        name=st.sampled_from(list(CONNECTORS)) | st.none(),
        task=TASK,
        extra=st.dictionaries(st.sampled_from(KEYS), st.text(max_size=20) | st.none() | st.integers(), max_size=3),
    )
    def ask(case: Case, name: str | None, task: int, extra: dict[str, Any]) -> None:
        aim(case, name, task, extra)
        response = case.call(base_url=f"http://127.0.0.1:{worker.port}")
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)
        if response.status_code == 201:
            created = response.headers["Location"].partition("/connectors/")[2]
            assert worker.request("DELETE", f"/connectors/{created}")[0] == 204

    if SEED is not None:
        ask = hypothesis.seed(int(SEED))(ask)
    ask()
    print(f"{operation_id}, {mode.value}: {dict(statuses)}")
    assert worker.process.poll() is None
    assert not [line for line in worker.log.read_text().splitlines() if '"level": "critical"' in line]


def aim(case: Case, name: str | None, task: int, extra: dict[str, Any]) -> None:
    """Random names are those of no connector, and random configurations those of no class: here is more to hit."""
    parameters = case.path_parameters
    if case.query is not None and str(case.query.get("follow")).lower() == "true":
        del case.query["follow"]  # such an answer has no end
    if name is not None and "connector" in parameters:
        parameters["connector"] = name
        if "task" in parameters:
            parameters["task"] = task
    if "pluginName" in parameters and name is not None:
        parameters["pluginName"] = SOURCE["connector.class"]
    if not isinstance(case.body, dict):
        return
    config = case.body.get("config") if case.operation.definition.raw["operationId"] == "createConnector" else case.body
    if isinstance(config, dict) and name is not None and case.path.endswith(("/config", "/validate", "/connectors")):
        config.update({**SOURCE, **extra})


def restore(worker: Worker) -> None:
    """Every connector in its state, whatever has been done to it."""
    for name, (config, verb, states) in CONNECTORS.items():
        path = f"/connectors/{name}"
        wanted = {**{key: worker.private(value) for key, value in config.items()}, "name": name}
        if worker.get(f"{path}/config") == wanted and worker.states(name) == states:
            continue
        worker.request("DELETE", path)
        status, _, body = worker.request("PUT", f"{path}/config", json.dumps(wanted).encode(), JSON)
        assert status == 201, body
        if verb is not None:
            wait_for(worker, name, ["RUNNING", "RUNNING"])
            assert worker.request("PUT", f"{path}/{verb}")[0] in (202, 204)
        wait_for(worker, name, states)


def wait_for(worker: Worker, name: str, states: list[str]) -> None:
    wait_until(lambda: worker.states(name) == states, f"{name} is {states}, it is {worker.states(name)}", PATIENCE_S)

"""Kafka's own stores of configurations, offsets and statuses in a JVM, and what ours know in the same form."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from supervisor.storage.snapshot import ClusterConfig
from supervisor.storage.status_records import WorkStatus
from supervisor.storage.status_state import StatusState
from supervisor.units.lifecycle import UnitId
from tests.peer.jvm import compile_java, java_command, run_java
from tests.support.storage import worker_props

MAIN = "org.apache.kafka.connect.storage.StorageRecords"
Command = Sequence[Any]


def fed(commands: Iterable[Command]) -> list[Any]:
    """The answers of stores without a Kafka, see StorageRecords.java."""
    lines = "".join(json.dumps(command) + "\n" for command in commands)
    settings = [f"{key}={value}" for key, value in worker_props("fed").items()]
    out = run_java(MAIN, "fed", *settings, stdin=lines.encode(), classes=[_classes()], timeout_s=300)
    return [json.loads(line) for line in out.splitlines()]


class StoresOnTopics:
    """Kafka's stores on real topics, until the end of the `with` block. They have read them before the first answer."""

    def __init__(self, props: Mapping[str, str]) -> None:
        settings = [f"{key}={value}" for key, value in props.items()]
        command = java_command(MAIN, "topics", *settings, classes=[_classes()])
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
        )

    def ask(self, *command: Any) -> Any:
        """The answer to a command."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        answer = self._process.stdout.readline()
        assert answer, f"Java gave no answer to {command}"
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        finally:
            self._process.kill()


def config_dump(state: ClusterConfig) -> dict[str, Any]:
    """As Java answers "configs"."""
    key = state.session_key
    return {
        "offset": state.offset,
        "session_key": key and [encoded(key.key), key.algorithm, key.creation_timestamp_ms],
        "connectors": state.connector_configs,
        "target_states": state.target_states,
        "task_counts": state.task_counts,
        "tasks": {str(task): config for task, config in state.task_configs.items()},
        "task_count_records": state.task_count_records,
        "generations": state.task_config_generations,
        "applied": state.applied_connector_configs,
        "pending_fencing": sorted(state.connectors_pending_fencing),
        "inconsistent": sorted(state.inconsistent),
    }


def status_dump(state: StatusState, connectors: Iterable[str]) -> dict[str, Any]:
    """As Java answers "statuses"."""
    return {
        connector: {
            "connector": _shown(state.get(UnitId(connector))),
            "tasks": {str(number): _shown(status) for number, status in state.tasks_of(connector).items()},
            "topics": {
                each.topic: [each.connector, each.task, each.discover_timestamp_ms]
                for each in state.topics_of(connector)
            },
        }
        for connector in connectors
    }


def encoded(data: bytes | None) -> str | None:
    """As bytes are told to Java."""
    return None if data is None else base64.b64encode(data).decode()


def _shown(status: WorkStatus | None) -> list[Any] | None:
    return status and [status.state, status.worker_id, status.generation, status.trace, status.version]


def _classes() -> Path:
    return compile_java(Path(__file__).with_name("StorageRecords.java"))

"""Stand-ins for a cluster's topics and group, in memory and on the event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connectd.errors import ConnectException
from supervisor.storage.config_records import SessionKey
from supervisor.storage.snapshot import EMPTY, ClusterConfig
from supervisor.storage.status_records import TopicStatus, WorkStatus
from supervisor.units.lifecycle import UnitId
from tasks.states import State, TargetState


class FakeConfigLog:
    """The config topic. What is written is read at once; `notes` are those of connectors and tasks, `failures` are what the next
    writes fail with, `unread` is what only a refresh brings, and `lag` how many refreshes time out before."""

    def __init__(self) -> None:
        self.config = EMPTY
        self.unread: ClusterConfig | None = None
        self.lag = 0
        self.failures: list[ConnectException] = []
        self.written: list[tuple[Any, ...]] = []
        self.notes: list[bytes | None] = []

    def snapshot(self) -> ClusterConfig:
        return self.config

    async def refresh(self, timeout_s: float) -> None:
        if self.lag:
            self.lag -= 1
            raise TimeoutError
        self.config, self.unread = self.unread or self.config, None

    async def claim_write_privileges(self) -> None:
        self._write("claim")

    async def put_connector_config(
        self,
        connector: str,
        config: Mapping[str, str],
        target_state: TargetState | None = None,
        note: bytes | None = None,
    ) -> None:
        self._write("connector", connector, config, target_state)
        self.notes.append(note)
        self._change(connector_configs={**self.config.connector_configs, connector: config})
        if target_state is not None:
            await self.put_target_state(connector, target_state)

    async def remove_connector_config(self, connector: str) -> None:
        self._write("remove", connector)
        self._change(
            connector_configs={name: each for name, each in self.config.connector_configs.items() if name != connector}
        )

    async def put_task_configs(
        self, connector: str, configs: Sequence[Mapping[str, str]], note: bytes | None = None
    ) -> None:
        self._write("tasks", connector, list(configs))
        self.notes.append(note)
        tasks = {id: each for id, each in self.config.task_configs.items() if id.connector != connector}
        tasks |= {UnitId(connector, number): each for number, each in enumerate(configs)}
        self._change(
            task_configs=tasks,
            task_counts={**self.config.task_counts, connector: len(configs)},
            applied_connector_configs={
                **self.config.applied_connector_configs,
                connector: self.config.connector_configs[connector],
            },
            inconsistent=self.config.inconsistent - {connector},
            task_config_generations={
                **self.config.task_config_generations,
                connector: self.config.task_config_generations.get(connector, -1) + 1,
            },
            connectors_pending_fencing=self.config.connectors_pending_fencing | {connector},
        )

    async def put_task_count_record(self, connector: str, tasks: int) -> None:
        self._write("count", connector, tasks)
        self._change(
            task_count_records={**self.config.task_count_records, connector: tasks},
            connectors_pending_fencing=self.config.connectors_pending_fencing - {connector},
        )

    async def put_target_state(self, connector: str, state: TargetState) -> None:
        self._write("state", connector, state)
        self._change(target_states={**self.config.target_states, connector: state})

    async def put_session_key(self, key: SessionKey) -> None:
        self._write("key")
        self._change(session_key=key)

    def _write(self, *what: Any) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.written.append(what)

    def _change(self, **changes: Any) -> None:
        self.config = msgspec.structs.replace(self.config, offset=self.config.offset + 1, **changes)


class FakeStatusLog:
    """The status topic; `written` has the calls."""

    def __init__(self) -> None:
        self.statuses: dict[UnitId, WorkStatus] = {}
        self.topics: dict[tuple[str, str], TopicStatus] = {}
        self.written: list[tuple[str, str, State, int]] = []
        self.withdrawn: list[UnitId] = []

    def withdraw(self, unit: UnitId) -> None:
        self.withdrawn.append(unit)

    def put(self, unit: UnitId, status: WorkStatus) -> None:
        self._put("put", unit, status)

    def put_safe(self, unit: UnitId, status: WorkStatus) -> None:
        self._put("put_safe", unit, status)

    def _put(self, how: str, unit: UnitId, status: WorkStatus) -> None:
        self.written.append((how, str(unit), status.state, status.generation))
        self.statuses[unit] = status
        if status.state is State.DESTROYED:
            del self.statuses[unit]

    async def flush(self, timeout_s: float) -> bool:
        self.written.append(("flush", "", State.RUNNING, 0))
        return True

    def get(self, unit: UnitId) -> WorkStatus | None:
        return self.statuses.get(unit)

    def connectors(self) -> set[str]:
        return {unit.connector for unit in self.statuses}

    def tasks_of(self, connector: str) -> dict[int, WorkStatus]:
        return {
            unit.task: status
            for unit, status in self.statuses.items()
            if unit.connector == connector and unit.task is not None
        }

    def put_topic(self, status: TopicStatus) -> None:
        self.topics[status.connector, status.topic] = status

    def delete_topic(self, connector: str, topic: str) -> None:
        del self.topics[connector, topic]

    def topic(self, connector: str, topic: str) -> TopicStatus | None:
        return self.topics.get((connector, topic))

    def topics_of(self, connector: str) -> list[TopicStatus]:
        return [status for (name, _), status in sorted(self.topics.items()) if name == connector]


class FakeMember:
    """This worker's place in the group."""

    def __init__(self, *, is_leader: bool = True, leader_url: str | None = "http://leader/") -> None:
        self.is_leader = is_leader
        self.leader_url = leader_url
        self.generation = 3
        self.protocol_version = 2
        self.may_write = True
        self.is_settled = True

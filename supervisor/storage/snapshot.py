"""ClusterConfig: what the config topic said at one moment (`org.apache.kafka.connect.storage.ClusterConfigState`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from supervisor.storage.config_records import SessionKey
from supervisor.units.lifecycle import UnitId
from tasks.states import TargetState

Config = Mapping[str, str]


class ClusterConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The connectors of a cluster and their tasks. It never changes: take a new one to see what was written since.

    Configurations are as they were written, with references to config providers unresolved. `offset` is the one after the
    last record that was read, -1 before the first one; workers compare them to find out who knows more. A connector is in
    `inconsistent` if its last set of task configurations is not complete, because of compaction or a leader that died while it
    wrote them: it must be asked for its tasks again.
    """

    offset: int = -1
    session_key: SessionKey | None = None
    connector_configs: Mapping[str, Config] = msgspec.field(default_factory=dict)
    target_states: Mapping[str, TargetState] = msgspec.field(default_factory=dict)
    task_counts: Mapping[str, int] = msgspec.field(default_factory=dict)
    task_configs: Mapping[UnitId, Config] = msgspec.field(default_factory=dict)
    task_count_records: Mapping[str, int] = msgspec.field(default_factory=dict)
    task_config_generations: Mapping[str, int] = msgspec.field(default_factory=dict)
    applied_connector_configs: Mapping[str, Config] = msgspec.field(default_factory=dict)
    connectors_pending_fencing: frozenset[str] = frozenset()
    inconsistent: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        # Configurations hold secrets.
        return f"ClusterConfig(offset={self.offset}, connectors={sorted(self.connector_configs)})"

    def contains(self, connector: str) -> bool:
        """Whether there is such a connector."""
        return connector in self.connector_configs

    def connectors(self) -> Collection[str]:
        """The names of all connectors."""
        return self.connector_configs.keys()

    def connector_config(self, connector: str) -> Config | None:
        """The configuration of a connector, None if there is none."""
        return self.connector_configs.get(connector)

    def applied_connector_config(self, connector: str) -> Config | None:
        """The connector's configuration when its present tasks were made; None if it never had tasks."""
        return self.applied_connector_configs.get(connector)

    def target_state(self, connector: str) -> TargetState | None:
        """What the connector is to be. It may be known before the connector itself."""
        return self.target_states.get(connector)

    def tasks(self, connector: str) -> list[UnitId]:
        """The tasks of a connector by number; none for one that is inconsistent or unknown."""
        return [UnitId(connector, number) for number in range(self.tasks_to_run(connector))]

    def tasks_to_run(self, connector: str) -> int:
        """How many tasks the connector has; 0 for one that is inconsistent or unknown."""
        return 0 if connector in self.inconsistent else self.task_count(connector)

    def all_tasks(self) -> list[UnitId]:
        """The tasks of all connectors."""
        return [task for connector in self.connector_configs for task in self.tasks(connector)]

    def task_count(self, connector: str) -> int:
        """How many tasks the connector has, also if it is inconsistent; 0 for an unknown one."""
        return self.task_counts.get(connector, 0)

    def task_config(self, task: UnitId) -> Config | None:
        """The configuration of a task, None if there is none."""
        return self.task_configs.get(task)

    def task_config_generation(self, connector: str) -> int | None:
        """How often the connector's tasks were replaced since this worker has read the topic, from 0; None for never."""
        return self.task_config_generations.get(connector)

    def task_count_record(self, connector: str) -> int | None:
        """How many tasks with a transactional producer the connector may have running (KIP-618), None if it never had any."""
        return self.task_count_records.get(connector)

    def pending_fencing(self, connector: str) -> bool:
        """Whether there are tasks newer than the last task count record, so that their predecessors must be fenced first."""
        return connector in self.connectors_pending_fencing


EMPTY: Final = ClusterConfig()

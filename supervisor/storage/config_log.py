"""ConfigLog: the config topic of a cluster (`org.apache.kafka.connect.storage.KafkaConfigBackingStore`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectd.errors import ConnectException
from supervisor.storage.config_listener import ConfigListener
from supervisor.storage.config_records import RestartRequest, SessionKey
from supervisor.storage.snapshot import ClusterConfig
from tasks.settings.distributed import DistributedConfig
from tasks.states import TargetState


class PrivilegedWriteException(ConnectException):
    """Another worker writes to the config topic now: this one is the leader no more."""


class ConfigLog:
    """Connectors, their tasks, target states and what else workers tell each other.

    All is to be called on the event loop. Only the leader writes, other than `put_target_state` and `put_logger_level`; each
    write returns when the record was read back, and raises ConnectException if that takes longer than 30 s. Whether it was
    written is then unknown.
    """

    def __init__(self, worker: DistributedConfig, listener: ConfigListener) -> None: ...

    async def start(self) -> None:
        """Create the topic if it is missing, and read all of it. The listener hears only of what is written later.

        Raises ConfigException for a topic of another kind, ConnectException if Kafka does not answer.
        """

    async def stop(self) -> None:
        """Give up write privileges and close all clients."""

    def snapshot(self) -> ClusterConfig: ...

    def contains(self, connector: str) -> bool: ...

    async def refresh(self, timeout_s: float) -> None:
        """Read what was written until now. Raises TimeoutError."""

    async def claim_write_privileges(self) -> None:
        """To be called by a new leader before it writes: with `exactly.once.source.support` it fences its predecessors.

        Raises ConnectException.
        """

    async def put_connector_config(
        self, connector: str, config: Mapping[str, str], target_state: TargetState | None = None
    ) -> None:
        """Create a connector, or change its configuration; None leaves its target state as it is."""

    async def remove_connector_config(self, connector: str) -> None: ...

    async def put_task_configs(self, connector: str, configs: Sequence[Mapping[str, str]]) -> None: ...

    async def put_target_state(self, connector: str, state: TargetState) -> None: ...

    async def put_task_count_record(self, connector: str, tasks: int) -> None: ...

    async def put_session_key(self, key: SessionKey) -> None: ...

    async def put_restart_request(self, request: RestartRequest) -> None: ...

    async def put_logger_level(self, logger: str, level: str) -> None: ...

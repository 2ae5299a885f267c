"""ConfigLog: the config topic of a cluster (`org.apache.kafka.connect.storage.KafkaConfigBackingStore`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from connectd.errors import ConfigException, ConnectException
from supervisor.storage import config_records as records
from supervisor.storage.config_listener import ConfigListener
from supervisor.storage.config_records import Entry, RestartRequest, SessionKey
from supervisor.storage.config_state import ConfigState
from supervisor.storage.errors import PrivilegedWriteException, StorageUnavailable
from supervisor.storage.kafka_log import KafkaLog
from supervisor.storage.leader_writer import LeaderWriter, NotedEntry
from supervisor.storage.settings import CONFIG_WRITE_TIMEOUT_S, config_log_settings
from supervisor.storage.snapshot import ClusterConfig
from supervisor.storage.tail import LogRecord
from supervisor.storage.writer import Position
from supervisor.units.lifecycle import UnitId
from tasks.clients.storage import leader_producer_settings
from tasks.settings.distributed import CONFIG_STORAGE, DistributedConfig
from tasks.states import TargetState

# Records that follow each other are written, or not, together: unless one of them is too large.
_ANY_TOPIC_TAKES_BYTES: Final = 16_384


class ConfigLog:
    """Connectors, their tasks, target states and what else workers tell each other.

    All is to be called on the event loop. Only the leader writes, other than target states and log levels; each write returns
    when the record was read back, and raises ConnectException if that fails or takes longer than 30 s. Whether it was written
    is then unknown.
    """

    def __init__(self, worker: DistributedConfig, listener: ConfigListener) -> None:
        """Raises ConfigException for client settings that are wrong."""
        self._worker = worker
        self._listener = listener
        self._state = ConfigState()
        self._log = KafkaLog(config_log_settings(worker), self._apply)
        self._leader_writer: LeaderWriter | None = None
        self._started = False

    async def start(self) -> None:
        """Create the topic if it is missing, and read all of it. The listener hears only of what is written later.

        Raises ConfigException for a topic that is not compacted or has several partitions, StorageUnavailable if Kafka does
        not answer, ConnectException if it refuses.
        """
        await self._log.start()
        partitions = self._log.partition_count
        if partitions != 1:
            await self._log.stop()
            raise ConfigException(
                f"{CONFIG_STORAGE}topic",
                self._log.topic,
                f"Expected a topic with one partition, as the order of configurations matters; it has {partitions}",
            )
        self._started = True

    async def stop(self) -> None:
        """Give up write privileges and close all clients."""
        await self._relinquish()
        await self._log.stop()

    def snapshot(self) -> ClusterConfig:
        """What was read until now."""
        return self._state.snapshot()

    def contains(self, connector: str) -> bool:
        """Whether there is such a connector."""
        return self._state.contains(connector)

    async def refresh(self, timeout_s: float) -> None:
        """Read what was written until now. Raises TimeoutError, ConnectException."""
        async with asyncio.timeout(timeout_s):
            await self._log.read_to_end()

    # --- writing ------------------------------------------------------------------------------------------------------

    async def claim_write_privileges(self) -> None:
        """To be called by a new leader before it writes: with `exactly.once.source.support` it fences its predecessors.

        Raises ConnectException.
        """
        if self._worker.transactional_leader_enabled and self._leader_writer is None:
            settings = leader_producer_settings(self._worker, "configs", int(CONFIG_WRITE_TIMEOUT_S * 1000))
            self._leader_writer = await LeaderWriter.claim(self._log.topic, settings, CONFIG_WRITE_TIMEOUT_S)

    async def put_connector_config(
        self,
        connector: str,
        config: Mapping[str, str],
        target_state: TargetState | None = None,
        note: bytes | None = None,
    ) -> None:
        """Create a connector, or change its configuration; None leaves its target state as it is. All who read it read the note,
        other than Java's workers."""
        entries = [] if target_state is None else [records.target_state_record(connector, target_state)]
        async with self._in_time(f"the configuration of connector {connector}"):
            await self._write_as_leader([*entries, records.connector_record(connector, config)], note)

    async def remove_connector_config(self, connector: str) -> None:
        """Delete a connector with its target state."""
        async with self._in_time(f"the removal of connector {connector}"):
            await self._write_as_leader(
                [records.connector_record(connector, None), records.target_state_record(connector, None)]
            )

    async def put_task_configs(
        self, connector: str, configs: Sequence[Mapping[str, str]], note: bytes | None = None
    ) -> None:
        """Replace the tasks of a connector. If only a part of it is written, the old ones stay. The note is read with the last
        of it."""
        tasks = [records.task_record(UnitId(connector, number), config) for number, config in enumerate(configs)]
        commit = records.commit_record(connector, len(configs))
        async with self._in_time(f"the tasks of connector {connector}"):
            if not self._worker.transactional_leader_enabled and _size(tasks) > _ANY_TOPIC_TAKES_BYTES:
                # A commit record is only for tasks that are all there: with some of them the connector would have none.
                await self._send(tasks)
                await self._write([commit], note)
            else:
                await self._write_as_leader([*tasks, commit], note)

    async def put_target_state(self, connector: str, state: TargetState) -> None:
        """Have a connector paused, stopped or resumed. Any worker may do it."""
        async with self._in_time(f"the target state of connector {connector}"):
            await self._write([records.target_state_record(connector, state)])

    async def put_task_count_record(self, connector: str, tasks: int) -> None:
        """Note that a connector's predecessors were fenced, and that it is to have so many tasks (KIP-618)."""
        async with self._in_time(f"the task count record of connector {connector}"):
            await self._write_as_leader([records.task_count_record(connector, tasks)])

    async def put_session_key(self, key: SessionKey) -> None:
        """Give all workers another key to sign their requests with (KIP-507)."""
        async with self._in_time("the session key"):
            await self._write_as_leader([records.session_key_record(key)])

    async def put_restart_request(self, request: RestartRequest) -> None:
        """Have a connector restarted by those who run it (KIP-745)."""
        async with self._in_time(f"the restart request for connector {request.connector}"):
            await self._write_as_leader([records.restart_record(request)])

    async def put_logger_level(self, logger: str, level: str) -> None:
        """Set the level of a logger on all workers (KIP-976). Any worker may do it."""
        async with self._in_time(f"the level of logger {logger}"):
            await self._write([records.logger_record(logger, level)])

    @asynccontextmanager
    async def _in_time(self, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(CONFIG_WRITE_TIMEOUT_S):
                yield
        except TimeoutError:
            raise StorageUnavailable(
                f"{what} could not be written to topic {self._log.topic} within {CONFIG_WRITE_TIMEOUT_S:g} s"
            ) from None

    async def _write_as_leader(self, entries: Sequence[Entry], note: bytes | None = None) -> None:
        if not self._worker.transactional_leader_enabled:
            await self._write(entries, note)
            return
        if self._leader_writer is None:
            raise PrivilegedWriteException("only the leader may write this, and this worker has not claimed to be it")
        try:
            partition, offset = await self._leader_writer.write(_noted(entries, note), CONFIG_WRITE_TIMEOUT_S)
        except ConnectException:
            await self._relinquish()
            raise
        await self._log.read_until({partition: offset})

    async def _relinquish(self) -> None:
        writer, self._leader_writer = self._leader_writer, None
        if writer is not None:
            await writer.close()

    async def _write(self, entries: Sequence[Entry], note: bytes | None = None) -> None:
        for partition, offset in await self._send(entries, note):
            await self._log.read_until({partition: offset})

    async def _send(self, entries: Sequence[Entry], note: bytes | None = None) -> list[Position]:
        writing = (self._log.send(key, value, note=note) for key, value, note in _noted(entries, note))
        return await asyncio.gather(*writing)

    def _apply(self, record: LogRecord) -> None:
        notify = self._state.apply(record.offset, record.key, record.value)
        if record.note is not None:
            self._listener.on_note(record.note)
        if self._started:
            notify(self._listener)


def _noted(entries: Sequence[Entry], note: bytes | None) -> list[NotedEntry]:
    """The last one has the note."""
    last = len(entries) - 1
    return [(key.encode(), value, note if n == last else None) for n, (key, value) in enumerate(entries)]


def _size(entries: Sequence[Entry]) -> int:
    return sum(len(key) + len(value or b"") for key, value in entries)

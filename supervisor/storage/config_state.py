"""ConfigState: what the records of the config topic amount to, one after another (`KafkaConfigBackingStore.ConsumeCallback`).

Compaction and leaders that die while they write leave holes in the topic. So task configurations wait until a commit says that
they are all there; if they are not, the connector is inconsistent until it has written a complete set.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import structlog

from supervisor.storage import config_records as records
from supervisor.storage.config_listener import ConfigListener
from supervisor.storage.config_records import RestartRequest, SessionKey
from supervisor.storage.json_values import Malformed, bool_field, int_field, json_object, properties, str_field
from supervisor.storage.keys import task_of_key
from supervisor.storage.snapshot import ClusterConfig, Config
from supervisor.units.lifecycle import UnitId
from tasks.states import TargetState

log = structlog.get_logger(__name__)

Notify = Callable[[ConfigListener], None]
"""Tells a listener what a record has changed."""


def _nothing(listener: ConfigListener) -> None:
    """Nobody has to know."""


class ConfigState:
    """Applies records in the order of the topic. Records that make no sense are logged and change nothing."""

    def __init__(self) -> None:
        self._offset = -1
        self._session_key: SessionKey | None = None
        self._connector_configs: dict[str, Config] = {}
        self._target_states: dict[str, TargetState] = {}
        self._task_counts: dict[str, int] = {}
        self._task_configs: dict[UnitId, Config] = {}
        self._deferred: dict[str, dict[UnitId, Config]] = {}
        self._task_count_records: dict[str, int] = {}
        self._generations: dict[str, int] = {}
        self._applied: dict[str, Config] = {}
        self._pending_fencing: set[str] = set()
        self._inconsistent: set[str] = set()
        self._snapshot: ClusterConfig | None = None
        # In Java's order: some prefixes are the beginning of others.
        self._readers: Final[Sequence[tuple[str, Callable[[str, Any], Notify]]]] = (
            (records.TARGET_STATE, self._read_target_state),
            (records.CONNECTOR, self._read_connector),
            (records.TASK, self._read_task),
            (records.COMMIT, self._read_commit),
            (records.RESTART, self._read_restart),
            (records.TASK_COUNT, self._read_task_count),
            (records.LOGGER, self._read_logger),
        )

    def contains(self, connector: str) -> bool:
        """Whether there is such a connector."""
        return connector in self._connector_configs

    def snapshot(self) -> ClusterConfig:
        """All of it as it is now."""
        if self._snapshot is None:
            self._snapshot = ClusterConfig(
                offset=self._offset,
                session_key=self._session_key,
                connector_configs=dict(self._connector_configs),
                target_states=dict(self._target_states),
                task_counts=dict(self._task_counts),
                task_configs=dict(self._task_configs),
                task_count_records=dict(self._task_count_records),
                task_config_generations=dict(self._generations),
                applied_connector_configs=dict(self._applied),
                connectors_pending_fencing=frozenset(self._pending_fencing),
                inconsistent=frozenset(self._inconsistent),
            )
        return self._snapshot

    def apply(self, offset: int, key: bytes | None, value: bytes | None) -> Notify:
        """Apply the record at an offset; the result tells a listener about it."""
        try:
            content = None if value is None else msgspec.json.decode(value)
        except (ValueError, RecursionError):
            log.error("ignoring a record of the config topic whose value is not JSON", offset=offset, key=_shown(key))
            return _nothing
        # As Java: workers compare their offsets, and must come to the same one whatever they make of a record.
        self._offset = offset + 1
        self._snapshot = None
        try:
            return self._read(_shown(key), content)
        except Malformed as error:
            log.error(f"ignoring a malformed record of the config topic: {error}", offset=offset, key=_shown(key))
            return _nothing

    def _read(self, key: str, value: Any) -> Notify:
        if key == records.SESSION_KEY:
            return self._read_session_key(value)
        for prefix, read in self._readers:
            if key.startswith(prefix):
                return read(key.removeprefix(prefix), value)
        raise Malformed("nobody knows such a key")

    # --- connectors ---------------------------------------------------------------------------------------------------

    def _read_connector(self, connector: str, value: Any) -> Notify:
        if value is None:
            self._forget(connector)
            return lambda listener: listener.on_connector_config_remove(connector)
        self._connector_configs[connector] = properties(json_object(value))
        self._target_states.setdefault(connector, TargetState.STARTED)
        return lambda listener: listener.on_connector_config_update(connector)

    def _forget(self, connector: str) -> None:
        self._connector_configs.pop(connector, None)
        self._task_counts.pop(connector, None)
        self._deferred.pop(connector, None)
        self._applied.pop(connector, None)
        for task in [task for task in self._task_configs if task.connector == connector]:
            del self._task_configs[task]

    def _read_target_state(self, connector: str, value: Any) -> Notify:
        before = self._target_states.get(connector)
        if value is None:
            self._target_states.pop(connector, None)
            if connector in self._connector_configs:
                self._target_states[connector] = TargetState.STARTED
            return _nothing
        state = self._target_states[connector] = _target_state(json_object(value))
        if state is before or connector not in self._connector_configs:
            return _nothing
        return lambda listener: listener.on_target_state_change(connector)

    # --- tasks --------------------------------------------------------------------------------------------------------

    def _read_task(self, rest: str, value: Any) -> Notify:
        task = task_of_key(rest)
        if task is None:
            raise Malformed("expected the key of a task: task-CONNECTOR-NUMBER")
        self._deferred.setdefault(task.connector, {})[task] = properties(json_object(value))
        return _nothing

    def _read_commit(self, connector: str, value: Any) -> Notify:
        if connector not in self._connector_configs:
            # It was deleted, and compaction has removed all other trace of it.
            self._forget(connector)
            return _nothing
        count = int_field(json_object(value), "tasks")
        deferred = self._deferred.get(connector, {})
        updated: list[UnitId] = []
        # More than the commit says may be there: of tasks that are gone, and that nothing has compacted away.
        if all(UnitId(connector, number) in deferred for number in range(count)):
            updated = list(deferred)
            self._task_configs.update(deferred)
            if connector in self._deferred:
                self._generations[connector] = self._generations.get(connector, -1) + 1
            self._inconsistent.discard(connector)
            self._applied[connector] = self._connector_configs[connector]
        else:
            self._inconsistent.add(connector)
        # Applied or not, the next commit must have a set of its own.
        deferred.clear()
        self._task_counts[connector] = count
        self._pending_fencing.add(connector)
        return lambda listener: listener.on_task_config_update(updated)

    def _read_task_count(self, connector: str, value: Any) -> Notify:
        self._task_count_records[connector] = int_field(json_object(value), "task-count")
        self._pending_fencing.discard(connector)
        return _nothing

    # --- what workers tell each other ---------------------------------------------------------------------------------

    def _read_session_key(self, value: Any) -> Notify:
        key = self._session_key = _session_key(json_object(value))
        return lambda listener: listener.on_session_key_update(key)

    def _read_restart(self, connector: str, value: Any) -> Notify:
        content = json_object(value)
        request = RestartRequest(
            connector,
            only_failed=bool_field(content, "only-failed", default=False),
            include_tasks=bool_field(content, "include-tasks", default=False),
        )
        return lambda listener: listener.on_restart_request(request)

    def _read_logger(self, logger: str, value: Any) -> Notify:
        level = str_field(json_object(value), "level")
        return lambda listener: listener.on_logging_level_update(logger, level)


def _target_state(value: Mapping[str, Any]) -> TargetState:
    newer = value.get("state.v2")
    text = newer if isinstance(newer, str) else str_field(value, "state")
    try:
        return TargetState(text)
    except ValueError:
        raise Malformed(f"expected one of {', '.join(TargetState)}, found {text!r}") from None


def _session_key(value: Mapping[str, Any]) -> SessionKey:
    try:
        key = base64.b64decode(str_field(value, "key"), validate=True)
    except binascii.Error:
        raise Malformed("expected the key in base64") from None
    if not key:
        raise Malformed("expected a key that is not empty")
    return SessionKey(key, str_field(value, "algorithm"), int_field(value, "creation-timestamp"))


def _shown(key: bytes | None) -> str:
    """Keys are text; foreign ones may be anything."""
    return "" if key is None else key.decode(errors="replace")

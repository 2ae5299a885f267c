"""Settings of workers with storage topics of their own, and a listener that keeps what it hears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from supervisor.storage.config_records import RestartRequest, SessionKey
from supervisor.units.lifecycle import UnitId

JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter"


def worker_props(prefix: str, bootstrap_servers: str = "localhost:1", **more: str) -> dict[str, str]:
    """The settings of a worker whose topics' names begin with a prefix; in `more`, underscores stand for dots."""
    props = {"bootstrap.servers": bootstrap_servers, "group.id": prefix}
    props |= {"key.converter": JSON_CONVERTER, "value.converter": JSON_CONVERTER}
    for kind in ("config", "offset", "status"):
        props |= {f"{kind}.storage.topic": f"{prefix}-{kind}s", f"{kind}.storage.replication.factor": "1"}
    return props | {key.replace("_", "."): value for key, value in more.items()}


class Heard:
    """A listener that keeps what it hears, as Java's does."""

    def __init__(self) -> None:
        self.events: list[list[Any]] = []

    def on_note(self, note: bytes) -> None:
        self.events.append(["note", note])

    def on_connector_config_update(self, connector: str) -> None:
        self.events.append(["update", connector])

    def on_connector_config_remove(self, connector: str) -> None:
        self.events.append(["remove", connector])

    def on_task_config_update(self, tasks: Sequence[UnitId]) -> None:
        self.events.append(["tasks", sorted(map(str, tasks))])

    def on_target_state_change(self, connector: str) -> None:
        self.events.append(["target-state", connector])

    def on_session_key_update(self, key: SessionKey) -> None:
        self.events.append(["session-key", key.creation_timestamp_ms])

    def on_restart_request(self, request: RestartRequest) -> None:
        self.events.append(["restart", request.connector, request.only_failed, request.include_tasks])

    def on_logging_level_update(self, logger: str, level: str) -> None:
        self.events.append(["logger", logger, level])

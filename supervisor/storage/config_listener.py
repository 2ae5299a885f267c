"""What happens in the config topic, as its readers hear of it (`ConfigBackingStore.UpdateListener`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from supervisor.storage.config_records import RestartRequest, SessionKey
from supervisor.units.lifecycle import UnitId


class ConfigListener(Protocol):
    """Called on the event loop once the log has started, in the order of the records; a snapshot taken in a call has what it
    is about."""

    def on_note(self, note: bytes) -> None:
        """What the leader has to say beside a record, before all else of this record. Called also while the log starts."""

    def on_connector_config_update(self, connector: str) -> None:
        """A connector was created or has another configuration."""

    def on_connector_config_remove(self, connector: str) -> None:
        """A connector was deleted."""

    def on_task_config_update(self, tasks: Sequence[UnitId]) -> None:
        """These tasks have new configurations; it may be none of them, if a connector has none any more."""

    def on_target_state_change(self, connector: str) -> None:
        """A connector that exists is to be paused, stopped or resumed."""

    def on_session_key_update(self, key: SessionKey) -> None:
        """The leader has made another session key."""

    def on_restart_request(self, request: RestartRequest) -> None:
        """A connector is to be restarted."""

    def on_logging_level_update(self, logger: str, level: str) -> None:
        """A logger is to have this level on all workers."""

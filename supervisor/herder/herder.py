"""What the REST API asks of a herder, whether it is the standalone or the distributed one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from supervisor.herder.entities import (
    ConnectorInfo,
    ConnectorOffset,
    ConnectorStateInfo,
    Created,
    TaskInfo,
    TaskState,
)
from supervisor.herder.signatures import RequestSignature
from supervisor.log_levels import LogLevels
from supervisor.units.worker import Worker
from tasks.messages import Validated
from tasks.states import TargetState

ConfigPatch = Mapping[str, str | None]


class Herder(Protocol):
    """Reads answer from memory at once. Writes may raise, besides what they say, RequestTarget, OperationInProgress or
    Unavailable; then nothing was changed.

    What does not exist is NotFoundException.
    """

    @property
    def is_ready(self) -> bool:
        """Whether the worker has started."""

    @property
    def leader_url(self) -> str | None:
        """Where the leader of the cluster has its REST API; None without a cluster, or while there is no leader."""

    @property
    def worker_urls(self) -> Sequence[str]:
        """Where all workers of the cluster have their REST APIs, this one too. Only the leader knows; empty otherwise."""

    @property
    def log_levels(self) -> LogLevels:
        """The log levels of this worker."""

    def require_signed(self, signature: RequestSignature | None) -> None:
        """Whether a request comes from a worker of the group (KIP-507).

        Raises BadRequest, Forbidden, or Unavailable while this worker has no key to tell.
        """

    def require_valid(self, signature: RequestSignature) -> None:
        """As `require_signed`, also in a group that does not ask for it."""

    async def catch_up(self) -> None:
        """Have what other workers have changed be seen here too, if that can be done soon. Never raises."""

    # --- reading ------------------------------------------------------------------------------------------------------

    def connectors(self) -> list[str]:
        """The names of all connectors."""

    def info(self, name: str) -> ConnectorInfo:
        """A connector's configuration and tasks."""

    def secret_keys(self, name: str) -> Collection[str]:
        """The keys of a connector that its plugins declare as passwords; empty for an unknown one."""

    def status(self, name: str) -> ConnectorStateInfo:
        """The state of a connector and its tasks."""

    def task_status(self, name: str, task: int) -> TaskState:
        """The state of one task."""

    def task_configs(self, name: str) -> list[TaskInfo]:
        """The tasks with their configurations."""

    def active_topics(self, name: str) -> list[str]:
        """The topics that a connector has used; none for an unknown one."""

    async def offsets(self, name: str) -> list[ConnectorOffset]:
        """How far a connector has read."""

    # --- writing ------------------------------------------------------------------------------------------------------

    async def submit(
        self, config: ConfigPatch, target_state: TargetState | None = None, *, replace: bool = True
    ) -> Created:
        """Validate a configuration and apply it. Raises InvalidConnector, AlreadyExistsException, InquiryFailed."""

    async def patch(self, name: str, patch: ConfigPatch) -> ConnectorInfo:
        """Change some keys, None removes one. Raises InvalidConnector, InquiryFailed."""

    async def remove(self, name: str) -> None:
        """Delete a connector."""

    async def set_target_state(self, name: str, target_state: TargetState) -> None:
        """Pause, resume or stop a connector."""

    async def restart(self, name: str, *, include_tasks: bool, only_failed: bool) -> ConnectorStateInfo:
        """Restart a connector and its tasks; returns the state with RESTARTING for all that is restarted (KIP-745)."""

    async def restart_task(self, name: str, task: int) -> None:
        """Restart one task."""

    async def reset_active_topics(self, name: str) -> None:
        """Forget which topics a connector used so far."""

    async def alter_offsets(self, name: str, offsets: Sequence[ConnectorOffset] | None) -> bool:
        """Change the offsets of a stopped connector, None resets them all; True if the connector took care of it too.

        Raises BadRequest if it is not stopped or does not accept them, InquiryFailed.
        """

    async def put_task_configs(self, name: str, configs: Sequence[Mapping[str, str]]) -> None:
        """The tasks that another worker's connector wants."""

    async def write_connector(
        self, name: str, config: Mapping[str, str] | None, target_state: TargetState | None
    ) -> None:
        """Write a connector that another worker has validated, or delete it."""

    async def fence_zombies(self, name: str) -> None:
        """Fence the producers of a source's earlier tasks (KIP-618)."""

    async def set_cluster_log_level(self, logger: str, level: str) -> None:
        """Set the level of a logger on all workers."""


class LocalHerder(Herder, Protocol):
    """What signals and files ask of a herder beyond that."""

    @property
    def worker(self) -> Worker:
        """What runs on this machine."""

    async def validate(self, config: ConfigPatch) -> Validated:
        """All that is wrong with a connector's configuration. Raises InquiryFailed if its plugin does not say."""

    async def put(
        self, config: dict[str, str], target_state: TargetState | None = None, validated: Validated | None = None
    ) -> bool:
        """As `submit`, for a configuration that has been validated, and without waiting for anything; True if it is new."""

    async def discard(self, name: str) -> None:
        """Delete a connector whose file is gone."""

    async def stop(self) -> None:
        """Stop all connectors and tasks of this worker in good order."""

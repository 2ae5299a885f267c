"""Connectors: they read a configuration and split the work into tasks (`org.apache.kafka.connect.connector.Connector`)."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from connectd.components import Plugin
from connectd.config import ConfigDef, ConfigValue
from connectd.tasks import SinkTask, SourceTask


class ExactlyOnceSupport(enum.Enum):
    """Whether a source can deliver exactly once with the given configuration (KIP-618)."""

    SUPPORTED = "SUPPORTED"
    UNSUPPORTED = "UNSUPPORTED"


class ConnectorTransactionBoundaries(enum.Enum):
    """Whether a source can define its own transactions (KIP-618)."""

    SUPPORTED = "SUPPORTED"
    UNSUPPORTED = "UNSUPPORTED"


class ConnectorContext(ABC):
    """What the worker offers to a running connector."""

    @abstractmethod
    def request_task_reconfiguration(self) -> None:
        """Ask the worker to call `task_configs` again, for example because a table was added. May be called from any thread."""

    @abstractmethod
    def raise_error(self, error: Exception) -> None:
        """Fail the connector, for example from a thread that watches the source."""


class Connector(Plugin, ABC):
    """The part of a connector that plans. It runs in a process of its own, its tasks in others.

    The worker calls `validate`, then `start`, then `task_class` and `task_configs`, and at the end `stop`.
    Its process is kept for as long as it watches something. By default (`keeps_running` None) that is when it has started a
    thread; True keeps the process in any case, False never does.
    """

    keeps_running: ClassVar[bool | None] = None

    context: ConnectorContext

    def initialize(self, context: ConnectorContext) -> None:
        """Called before `start`."""
        self.context = context

    @abstractmethod
    def start(self, props: Mapping[str, str]) -> None:
        """Begin; `props` is the connector's configuration with references to config providers resolved."""

    @abstractmethod
    def task_class(self) -> type[SourceTask] | type[SinkTask]:
        """The class of the tasks."""

    @abstractmethod
    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        """One configuration a task, at most `max_tasks` of them."""

    def stop(self) -> None:
        """Release what `start` took."""

    @abstractmethod
    def config(self) -> ConfigDef:
        """The declaration of this connector's own keys."""

    def validate(self, props: Mapping[str, str]) -> list[ConfigValue]:
        """Check a configuration: one ConfigValue a declared key, each with its errors and recommended values.

        Override to add checks that need the source or sink itself; call this first and add to its result.
        """
        return self.config().validate(props)


class SourceConnector(Connector):
    """A connector that reads from a system and writes to Kafka."""

    @abstractmethod
    def task_class(self) -> type[SourceTask]: ...

    def exactly_once_support(self, props: Mapping[str, str]) -> ExactlyOnceSupport | None:
        """Whether exactly-once delivery is possible with this configuration; None where the connector does not say."""
        return None

    def can_define_transaction_boundaries(self, props: Mapping[str, str]) -> ConnectorTransactionBoundaries:
        """Whether the tasks use their TransactionContext when `transaction.boundary` is `connector`."""
        return ConnectorTransactionBoundaries.UNSUPPORTED

    def alter_offsets(
        self,
        props: Mapping[str, str],
        offsets: Sequence[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]],
    ) -> bool:
        """Check, and where needed carry out in the source, a change of offsets that an operator asks for (KIP-875).

        `offsets` are pairs of source partition and source offset; an offset of None is to be removed.
        Raises ConnectException to refuse. Returns True if the connector took care of it, False if it did nothing.
        """
        return False


class SinkConnector(Connector):
    """A connector that reads from Kafka and writes to a system."""

    @abstractmethod
    def task_class(self) -> type[SinkTask]: ...

    def alter_offsets(self, props: Mapping[str, str], offsets: Mapping[Any, int | None]) -> bool:
        """As for a source; the keys are TopicPartitions and the values Kafka offsets, None to reset."""
        return False

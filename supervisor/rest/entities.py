"""Request and response bodies beside those of herders (`org.apache.kafka.connect.runtime.rest.entities`)."""

from __future__ import annotations

import enum

import msgspec

from supervisor.herder.entities import ConnectorInfo, ConnectorOffset, ConnectorStateInfo
from tasks.states import TargetState


class Expanded(msgspec.Struct, omit_defaults=True):
    """What a list of connectors says about each of them, as far as it was asked for."""

    status: ConnectorStateInfo | None = None
    info: ConnectorInfo | None = None


class InitialState(enum.StrEnum):
    """The state in which a connector is created (KIP-980)."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class CreateConnectorRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A connector to create. Numbers and booleans count as the texts that they are written as."""

    name: str | None = None
    config: dict[str, str | None] | None = None
    initial_state: InitialState | None = None


class WrittenConnector(msgspec.Struct, forbid_unknown_fields=True):
    """A connector that another worker has validated, for the leader to write; a configuration of null deletes it."""

    config: dict[str, str] | None
    target_state: TargetState | None = None


class ConnectorOffsets(msgspec.Struct):
    """How far a connector has read: partitions of the source, or of topics for a sink."""

    offsets: list[ConnectorOffset]


class AlterOffsetsRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Offsets to write; an offset of null forgets the one of its partition."""

    offsets: list[RequestedOffset] | None = None


class RequestedOffset(ConnectorOffset, frozen=True, forbid_unknown_fields=True):
    """One of them."""


class ActiveTopics(msgspec.Struct):
    """The topics that a connector has used since it was created or they were reset (KIP-558)."""

    topics: list[str]


class Message(msgspec.Struct):
    """What was done."""

    message: str


class ErrorMessage(msgspec.Struct):
    """Why a request was not carried out; `error_code` is the status."""

    error_code: int
    message: str | None


class ServerInfo(msgspec.Struct):
    """The worker, and the Kafka cluster that it works with; the cluster is null while it does not answer."""

    version: str
    commit: str
    kafka_cluster_id: str | None


class WorkerStatus(msgspec.Struct):
    """`healthy`, `starting` or `unhealthy`, with an explanation (KIP-1017)."""

    status: str
    message: str


class PluginInfo(msgspec.Struct, omit_defaults=True):
    """A plugin of the worker; the version is left out where it is not known."""

    class_: str = msgspec.field(name="class")
    type: str
    version: str = "undefined"


class Me(msgspec.Struct):
    """Who asks, and what they may do: `read`, `operate` or `admin`."""

    user: str
    role: str


class FailedUnit(msgspec.Struct):
    """A connector, or one of its tasks, that has failed, and why in one line."""

    connector: str
    task: int | None
    reason: str


class Health(msgspec.Struct, omit_defaults=True):
    """For load balancers and probes; the status of HTTP says the same."""

    status: str
    failed: list[FailedUnit] = []

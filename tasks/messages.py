"""What the supervisor and a child process say to each other: every message is declared here and nothing else is sent.

Orders go down, reports go up. A `generation` travels with each order to run something and comes back with each report, so
that whoever was superseded can be told from the living.
"""

from __future__ import annotations

import msgspec

from tasks.states import Call, State, TargetState


class Message(msgspec.Struct, tag=True, kw_only=True):
    """Base of all messages; on the wire a msgpack map with the class name as its tag."""


# --- orders: supervisor -> child --------------------------------------------------------------------------------------


class LogSettings(Message):
    """How a child logs: the same format and levels as the supervisor. `levels` maps logger names to level names."""

    json: bool
    levels: dict[str, str]


class RunTask(Message):
    """Become this task. All configurations are as the operator wrote them: the child resolves `${provider:...}` itself."""

    connector: str
    task: int
    generation: int
    task_class: str
    task_config: dict[str, str]
    connector_config: dict[str, str]
    worker_config: dict[str, str]
    target_state: TargetState
    log: LogSettings


class RunConnector(Message):
    """Become this connector: start it and report its plan (`Planned`)."""

    connector: str
    generation: int
    config: dict[str, str]
    worker_config: dict[str, str]
    target_state: TargetState
    log: LogSettings


class Validate(Message):
    """Validate a connector's configuration, framework keys and plugin keys alike; answered by `Validated`."""

    config: dict[str, str]
    worker_config: dict[str, str]
    log: LogSettings


class ListPlugins(Message):
    """List the plugins that this worker would find; answered by `Plugins`."""

    worker_config: dict[str, str]
    log: LogSettings


class ChangeTargetState(Message):
    """Pause or resume without a restart."""

    target_state: TargetState


class Stop(Message):
    """End in good order: finish the batch, flush, commit, exit. The supervisor kills what has not ended within its timeout.

    `leave_group`: a sink's static membership ends too, because nobody will take this task over at once. Without it the
    other members wait for the session of one who will not come back.
    """

    leave_group: bool = False


class OffsetsRead(Message):
    """Answer to `ReadOffsets`: the stored values in the order of the keys, None where there is none, or an error."""

    request: int
    values: list[bytes | None] = []
    error: str | None = None


class OffsetsCommitted(Message):
    """Answer to `CommitOffsets`: durable now, or an error."""

    request: int
    error: str | None = None


Order = RunTask | RunConnector | Validate | ListPlugins | ChangeTargetState | Stop | OffsetsRead | OffsetsCommitted


# --- reports: child -> supervisor -------------------------------------------------------------------------------------


class Warm(Message):
    """Everything is imported; waiting for an order."""


class StateChanged(Message):
    """The child's own view of its state. `trace` explains FAILED; `config_error` says that a restart cannot help."""

    generation: int
    state: State
    trace: str | None = None
    config_error: bool = False


class Heartbeat(Message):
    """Sent every second by a thread of the child. `call_s`: for how long it has been in `call`.

    `counters` are totals and gauges since the child's start under the attribute names of Kafka's ConnectMetricsRegistry.
    """

    generation: int
    call: Call
    call_s: float
    counters: dict[str, float]


class ReadOffsets(Message):
    """Source offsets wanted, where the supervisor keeps them (standalone). Keys are as in Connect's offset topic."""

    generation: int
    request: int
    keys: list[bytes]


class CommitOffsets(Message):
    """Source offsets to make durable before answering. A value of None removes its key."""

    generation: int
    request: int
    entries: list[tuple[bytes, bytes | None]]


class Planned(Message):
    """A connector's plan. `task_class` is `module:Class`; `watching` says that its process must be kept."""

    generation: int
    kind: str  # "source" or "sink"
    version: str
    task_class: str
    task_configs: list[dict[str, str]]
    watching: bool


class ReconfigurationRequested(Message):
    """The connector wants its tasks planned again: a new `Planned` follows."""

    generation: int


class ConfigKeyErrors(Message):
    """One key of a validated configuration that is wrong, with all that is wrong with it. Never holds a password's value."""

    key: str
    value: str | None
    errors: list[str]


class Validated(Message):
    """Answer to `Validate`: the errors, no error meaning valid; the unknown keys with a close match where there is one."""

    errors: list[ConfigKeyErrors]
    unknown_keys: dict[str, str | None] = {}
    kind: str | None = None


class PluginInfo(Message):
    """One plugin, or one that could not be loaded, then with its `error`."""

    name: str
    kind: str
    version: str
    location: str
    aliases: list[str] = []
    error: str | None = None


class Plugins(Message):
    """Answer to `ListPlugins`."""

    plugins: list[PluginInfo]


Report = (
    Warm
    | StateChanged
    | Heartbeat
    | ReadOffsets
    | CommitOffsets
    | Planned
    | ReconfigurationRequested
    | Validated
    | Plugins
)

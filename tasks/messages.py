"""What the supervisor and a child process say to each other: every message is declared here and nothing else is sent.

Orders go down, reports go up. A `generation` travels with each order to run something and comes back with each report, so
that whoever was superseded can be told from the living.
"""

from __future__ import annotations

import enum

import msgspec

from tasks.infos import ConfigInfos, ConfigKeyInfo
from tasks.states import Call, State, TargetState


class Message(msgspec.Struct, tag=True, kw_only=True):
    """Base of all messages; on the wire a msgpack map with the class name as its tag."""

    def __repr__(self) -> str:
        # Never with configurations or the like, which hold secrets.
        fields = ((name, getattr(self, name)) for name in self.__struct_fields__)
        shown = (f"{name}={value!r}" for name, value in fields if isinstance(value, bool | int | float | str))
        return f"{type(self).__name__}({', '.join(shown)})"


# --- orders: supervisor -> child --------------------------------------------------------------------------------------


class LogSettings(Message):
    """How a child logs: `levels` maps logger names to level names, `worker` is how its worker is called in states."""

    levels: dict[str, str]
    worker: str = ""


class RunTask(Message):
    """Become this task. All configurations are as the operator wrote them: the child resolves `${provider:...}` itself.

    With a `salt` it reports `ReferencesResolved`. `resumed`: another process has just run the very same task here, and so
    has left a static member of the same subscription in a sink's group. `exactly_once`: a source writes its records and
    offsets in transactions (KIP-618).
    """

    connector: str
    task: int
    generation: int
    task_class: str
    task_config: dict[str, str]
    connector_config: dict[str, str]
    worker_config: dict[str, str]
    target_state: TargetState
    log: LogSettings
    salt: bytes = b""
    resumed: bool = False
    exactly_once: bool = False


class RunConnector(Message):
    """Become this connector: start it and report its plan (`Planned`). Configurations and `salt` are as in `RunTask`."""

    connector: str
    generation: int
    config: dict[str, str]
    worker_config: dict[str, str]
    target_state: TargetState
    log: LogSettings
    salt: bytes = b""


class Validate(Message):
    """Validate a connector's configuration, framework keys and plugin keys alike; answered by `Validated`.

    With `plugins`, those of the worker, the answer holds everything that the REST API says about each key.
    """

    config: dict[str, str | None]
    worker_config: dict[str, str]
    log: LogSettings
    plugins: list[PluginInfo] | None = None


class DescribePlugin(Message):
    """Say which keys a plugin declares; `version` is a version, a range of them, or `latest`. Answered by `PluginConfig`."""

    name: str
    version: str
    worker_config: dict[str, str]
    log: LogSettings


class DescribeCluster(Message):
    """Ask Kafka for the id of its cluster; answered by `ClusterDescribed`."""

    worker_config: dict[str, str]
    log: LogSettings
    timeout_s: float


class MeasureLag(Message):
    """Ask Kafka how far groups have read, and where these partitions end (topic, partition); answered by `LagMeasured`."""

    worker_config: dict[str, str]
    log: LogSettings
    groups: list[str]
    partitions: list[tuple[str, int]]
    timeout_s: float


class ListOffsets(Message):
    """Read the committed offsets of a sink's consumer group; answered by `OffsetsListed`."""

    config: dict[str, str]
    worker_config: dict[str, str]
    log: LogSettings
    timeout_s: float


class AlterOffsets(Message):
    """Have a stopped connector accept other offsets (KIP-875); answered by `OffsetsAltered`.

    `offsets` is the JSON of a list of pairs of partition and offset, None to reset them all. `stored` are the keys under
    which the worker keeps offsets of this source. What a source's offsets become, the supervisor stores; those of a sink
    are changed in Kafka before the answer.
    """

    config: dict[str, str]
    worker_config: dict[str, str]
    log: LogSettings
    offsets: bytes | None
    stored: list[bytes]
    timeout_s: float


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A static member (KIP-345) of a consumer group, and the sink task whose consumer it is.

    With a `member`, the id that Kafka has given to it, it leaves only if nobody has taken it over since.
    """

    group: str
    instance: str
    connector_config: dict[str, str]
    task: int
    member: str = ""


class LeaveGroups(Message):
    """End the memberships of sink tasks that are gone; answered by `GroupsLeft`."""

    members: list[Membership]
    worker_config: dict[str, str]
    log: LogSettings
    timeout_s: float


class FenceProducers(Message):
    """Keep the producers with these transactional ids from writing anything more (KIP-618); answered by `ProducersFenced`."""

    config: dict[str, str]
    worker_config: dict[str, str]
    log: LogSettings
    transactional_ids: list[str]
    timeout_s: float


class ListPlugins(Message):
    """List the plugins that this worker would find; answered by `Plugins`."""

    worker_config: dict[str, str]
    log: LogSettings


class ResolveWorkerConfig(Message):
    """Look up what the worker's own settings refer to; answered by `WorkerConfigResolved`."""

    worker_config: dict[str, str]
    log: LogSettings


class DigestReferences(Message):
    """Look references up again, `${provider:...}`, to see which values have changed; answered by `ReferencesDigested`."""

    references: list[str]
    worker_config: dict[str, str]
    salt: bytes
    log: LogSettings


class UseInterpreter(Message):
    """To a spare process: go on in this interpreter, and wait there for an order; answered by `Moved`."""

    python: str


class ChangeTargetState(Message):
    """Pause or resume without a restart."""

    target_state: TargetState


class SetLogLevels(Message):
    """Log like this from now on: level names by logger name, `root` for all others."""

    levels: dict[str, str]


class ForgetTopics(Message):
    """Report the topics that are used anew: those reported so far were reset."""


class Lease(Message):
    """Run until then, on the clock of `boottime`, and no longer without another lease: whoever did not hear of the
    supervisor must be gone before another worker takes over. Who never had a lease needs none.

    Another worker takes over `gone_by` at the earliest: who is still there is killed then, such as one that stands still.
    """

    until: float
    gone_by: float


class Stop(Message):
    """End in good order: finish the batch, flush, commit, exit. The supervisor kills what has not ended within its timeout."""


class OffsetsRead(Message):
    """Answer to `ReadOffsets`: the stored values in the order of the keys, None where there is none, or an error."""

    request: int
    values: list[bytes | None] = []
    error: str | None = None


class OffsetsCommitted(Message):
    """Answer to `CommitOffsets`: durable now, or an error."""

    request: int
    error: str | None = None


class PreflightChecked(Message):
    """Answer to `PreflightCheck`: the task may go on, or an error."""

    request: int
    error: str | None = None


class TryTransforms(Message):
    """Show what a connector's transformations make of records, without writing anything; answered by `TransformsTried`.

    `records` are JSON, one each; with a `topic` up to `limit` records of it are read instead.
    """

    config: dict[str, str]
    worker_config: dict[str, str]
    log: LogSettings
    records: list[bytes]
    topic: str | None
    limit: int
    timeout_s: float


class LetterFilter(Message):
    """Which records of a dead letter queue are meant; what is None does not count. `at` is the offset in the queue itself.

    The others are about the record: where it failed, of which connector, from where, and its timestamp.
    """

    stage: str | None = None
    exception: str | None = None
    connector: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    at: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None


class ReplayLetters(Message):
    """Put records of a dead letter queue through the pipeline of a connector again; answered by `LettersReplayed`."""

    config: dict[str, str]
    worker_config: dict[str, str]
    log: LogSettings
    queue: str
    filter: LetterFilter
    limit: int
    timeout_s: float


Inquiry = (
    Validate
    | ListPlugins
    | DescribePlugin
    | DescribeCluster
    | MeasureLag
    | ListOffsets
    | AlterOffsets
    | LeaveGroups
    | FenceProducers
    | ResolveWorkerConfig
    | DigestReferences
    | TryTransforms
    | ReplayLetters
)

Order = (
    RunTask
    | RunConnector
    | Inquiry
    | UseInterpreter
    | ChangeTargetState
    | SetLogLevels
    | ForgetTopics
    | Lease
    | Stop
    | OffsetsRead
    | OffsetsCommitted
    | PreflightChecked
)


# --- reports: child -> supervisor -------------------------------------------------------------------------------------


class Warm(Message):
    """Everything is imported; waiting for an order."""


class Moved(Message):
    """The process goes on in another interpreter, by its own decision too; empty for that of connectd."""

    python: str


class StateChanged(Message):
    """The child's own view of its state. `trace` explains FAILED; `config_error` says that a restart cannot help.

    With `closing` it is FAILED as soon as it is closed and stopped: the same comes again then, if nothing hangs or crashes.
    """

    generation: int
    state: State
    trace: str | None = None
    config_error: bool = False
    closing: bool = False


class ReferencesResolved(Message):
    """What this child's configurations refer to: a digest of each value, keyed with the order's salt, by its reference.

    None is the digest of what could not be resolved. `restart` says whether a change is to restart the connector
    (`config.action.reload`).
    """

    generation: int
    digests: dict[str, bytes | None]
    restart: bool


class SecretsChanged(Message):
    """Values that these references stand for were due, and are others now: the connector is to be restarted."""

    generation: int
    references: list[str]


class Heartbeat(Message):
    """Sent by a thread of the child when there is something new, see `tasks.heartbeat`. `call_s`: for how long it is in `call`.

    `counters` are totals and gauges since the child's start under the attribute names of Kafka's ConnectMetricsRegistry; what
    is called a maximum there is that since the heartbeat before. `positions` of a sink are topic, partition and the offset
    of the record that it is given next, -1 before the first; `source_lag` is what `SourceTask.lag` says.
    """

    generation: int
    call: Call
    call_s: float
    counters: dict[str, float]
    positions: list[tuple[str, int, int]] = []
    source_lag: dict[str, float] = {}


class ReadOffsets(Message):
    """Source offsets wanted, where the supervisor keeps them (standalone). Keys are as in Connect's offset topic."""

    generation: int
    request: int
    keys: list[bytes]


class CommitOffsets(Message):
    """Source offsets to make durable before answering. A value of None removes its key.

    With `copied` they are in the connector's own topic already, and are for the worker's alone.
    """

    generation: int
    request: int
    entries: list[tuple[bytes, bytes | None]]
    copied: bool = False


class PreflightCheck(Message):
    """A source task that delivers exactly once (KIP-618) is about to claim its transactional id, or has `claimed` it."""

    generation: int
    request: int
    claimed: bool


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
    """Answer to `Validate`: the errors, no error meaning valid; the unknown keys with a close match where there is one.

    `kind` and `version` are the connector's, None and `undefined` if it could not be loaded; `secret_keys` the keys whose
    values are passwords. `infos` is there if the order had `plugins`.
    """

    errors: list[ConfigKeyErrors]
    unknown_keys: dict[str, str | None] = {}
    kind: str | None = None
    version: str = "undefined"
    secret_keys: list[str] = []
    infos: ConfigInfos | None = None


class WorkerConfigResolved(Message):
    """Answer to `ResolveWorkerConfig`, by reference: the values that were found, and why others were not."""

    values: dict[str, str]
    errors: dict[str, str]


class ReferencesDigested(Message):
    """Answer to `DigestReferences`: digests as in `ReferencesResolved`, and why other references could not be looked up."""

    digests: dict[str, bytes | None]
    errors: dict[str, str]


class PluginInfo(Message):
    """One plugin, or one that could not be loaded, then with its `error`. `runtime` is what runs it, python or java."""

    name: str
    kind: str
    version: str
    location: str
    runtime: str = "python"
    aliases: list[str] = []
    error: str | None = None


class Plugins(Message):
    """Answer to `ListPlugins`."""

    plugins: list[PluginInfo]


class PluginConfig(Message):
    """Answer to `DescribePlugin`."""

    keys: list[ConfigKeyInfo]


class ClusterDescribed(Message):
    """Answer to `DescribeCluster`."""

    cluster_id: str


class LagMeasured(Message):
    """Answer to `MeasureLag`: group, topic, partition and committed offset; topic, partition and end offset."""

    committed: list[tuple[str, str, int, int]]
    ends: list[tuple[str, int, int]]


class OffsetsListed(Message):
    """Answer to `ListOffsets`: topic, partition and offset."""

    offsets: list[tuple[str, int, int]]


class OffsetsAltered(Message):
    """Answer to `AlterOffsets`: whether the connector took care of the change itself, and for a source what is to be stored."""

    handled: bool
    entries: list[tuple[bytes, bytes | None]] = []


class GroupsLeft(Message):
    """Answer to `LeaveGroups`: what went wrong, empty if all have left."""

    problems: list[str]


class StepTried(Message):
    """What one transformation made of a record: `after` is None if it dropped it, or failed with `error`.

    Not `applied` says that its predicate did not choose the record.
    """

    alias: str
    transformation: str
    after: bytes | None
    applied: bool = True
    error: str | None = None


class RecordTried(Message):
    """One record on its way, `before` and after each step as JSON; `error` tells why it cannot even be converted."""

    place: str
    before: bytes | None
    steps: list[StepTried] = []
    error: str | None = None


class TransformsTried(Message):
    """Answer to `TryTransforms`."""

    records: list[RecordTried]


class LetterReplayed(Message):
    """What became of one dead letter: written if it was neither `dropped` by a transformation nor failed with `error`."""

    partition: int
    offset: int
    dropped: bool = False
    error: str | None = None


class LettersReplayed(Message):
    """Answer to `ReplayLetters`."""

    letters: list[LetterReplayed]


class Reason(enum.StrEnum):
    """Why an inquiry was refused."""

    NOT_FOUND = "not found"
    WRONG = "wrong"  # what was asked for makes no sense, or the connector does not accept it
    BUSY = "busy"  # not now: something else must end first
    UNAVAILABLE = "unavailable"  # Kafka does not answer
    FAILED = "failed"


class Refused(Message):
    """Instead of the answer to an inquiry."""

    reason: Reason
    error: str


class Stays(Message):
    """Before the answer to an inquiry: this process can answer more questions about connectors like this one, and quicker."""


class JoinedGroup(Message):
    """The consumer of this task is to be a static member of a group, and stays one after the end of its process.

    It is said again with `member`, the id that Kafka has given to it.
    """

    generation: int
    group: str
    instance: str
    member: str = ""


class ProducersFenced(Message):
    """Answer to `FenceProducers`: none of them can write any more."""


class TopicsUsed(Message):
    """Topics that this task used for the first time (KIP-558)."""

    generation: int
    topics: list[str]


Report = (
    Warm
    | Moved
    | StateChanged
    | ReferencesResolved
    | SecretsChanged
    | Heartbeat
    | ReadOffsets
    | CommitOffsets
    | PreflightCheck
    | Planned
    | ReconfigurationRequested
    | Validated
    | WorkerConfigResolved
    | ReferencesDigested
    | Plugins
    | PluginConfig
    | ClusterDescribed
    | LagMeasured
    | OffsetsListed
    | OffsetsAltered
    | GroupsLeft
    | ProducersFenced
    | TransformsTried
    | LettersReplayed
    | Refused
    | Stays
    | JoinedGroup
    | TopicsUsed
)

"""A worker of a cluster: what its group gives and takes, what it says of its tasks, and how its plans get to the leader."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
import structlog.testing

from connectd.errors import ConnectException
from supervisor.group import Assignment, GroupSettings
from supervisor.herder.distributed import cluster_worker as cluster_worker_module
from supervisor.herder.distributed import plans as plans_module
from supervisor.herder.distributed.cluster_worker import ClusterWorker
from supervisor.herder.distributed.group_listener import WorkListener
from supervisor.herder.distributed.plans import Plans
from supervisor.herder.distributed.rebalances import Rebalances
from supervisor.herder.distributed.status_reporter import StatusReporter
from supervisor.herder.distributed.topics import ClusterTopics
from supervisor.herder.distributed.work import Work
from supervisor.units.lifecycle import Statuses, UnitId
from supervisor.units.specs import Plan
from supervisor.units.unit import Surroundings
from tasks.deadline import boottime
from tasks.messages import LogSettings
from tasks.settings import DistributedConfig
from tasks.states import State, TargetState
from tests.support.cluster_fakes import FakeConfigLog, FakeMember, FakeStatusLog
from tests.support.processes import until
from tests.support.storage import worker_props

CONFIG = {"name": "c", "connector.class": "Some"}
TASKS = [{"task.class": "some.Task", "n": "0"}, {"task.class": "some.Task", "n": "1"}]
C, C0, C1 = UnitId("c"), UnitId("c", 0), UnitId("c", 1)


class FakeWorker:
    """What runs, by id; what is taken away has ended when `may_end` is set."""

    def __init__(self) -> None:
        self.running: set[UnitId] = set()
        self.ending: set[UnitId] = set()
        self.moved: set[UnitId] = set()
        self.may_end = asyncio.Event()
        self.may_end.set()

    def apply(self, connectors: Mapping[str, Any], tasks: Mapping[UnitId, Any], moving: Container[UnitId] = ()) -> None:
        wanted = {*map(UnitId, connectors), *tasks}
        gone = self.running - wanted
        self.ending |= gone
        self.moved |= {unit for unit in gone if unit in moving}
        self.running = wanted

    @property
    def tasks(self) -> set[UnitId]:
        return {unit for unit in self.running if unit.task is not None}

    def units(self) -> list[Any]:
        return [SimpleNamespace(id=unit) for unit in self.running]

    async def ended(self, units: Iterable[UnitId]) -> None:
        if self.ending & set(units):
            await self.may_end.wait()


class Bed:
    """A connector with two tasks, and a worker that was given nothing yet."""

    def __init__(self) -> None:
        self.configs, self.statuses, self.worker, self.member = (
            FakeConfigLog(),
            FakeStatusLog(),
            FakeWorker(),
            FakeMember(),
        )
        self.work = Work(cast("Any", self.worker), self.configs.snapshot)
        self.now = 100.0
        self.rebalances = Rebalances(lambda: cast("Any", self.member), lambda: self.work.counts, "me", lambda: self.now)
        self.rounds: list[Assignment] = []
        self.left: list[str] = []
        self.failed: list[ConnectException] = []
        self.abandoned: list[set[UnitId]] = []
        self.listener = WorkListener(
            self.work,
            cast("Any", self.configs),
            cast("Any", self.statuses),
            self.rebalances,
            0.01,
            self._after_round,
            self.left.append,
            self.failed.append,
            lambda: self.abandoned.append(set(self.worker.running)),
        )

    def metrics(self) -> dict[str, float]:
        return {
            family.name + labels: value for family, series in self.rebalances.families() for labels, value in series
        }

    async def _after_round(self, assignment: Assignment) -> None:
        self.rounds.append(assignment)

    async def configured(self) -> Bed:
        await self.configs.put_connector_config("c", CONFIG, TargetState.STARTED)
        await self.configs.put_task_configs("c", TASKS)
        return self

    async def given(self, connectors: Sequence[str], tasks: Sequence[UnitId], **more: Any) -> None:
        fields = {"offset": self.configs.config.offset, "connectors": tuple(connectors), "tasks": tuple(tasks)}
        await self.listener.on_assigned(Assignment(**(fields | more)), 3)


# --- the group --------------------------------------------------------------------------------------------------------


async def test_what_is_given_runs_and_what_is_taken_has_ended_before_others_may_have_it() -> None:
    bed = await Bed().configured()
    await bed.given(["c"], [C0, C1])
    assert bed.worker.running == {C, C0, C1}
    bed.worker.may_end.clear()
    revoking = asyncio.ensure_future(bed.listener.on_revoked("leader", ["c"], [C0]))
    await until(lambda: bed.worker.running == {C1}, "they are ordered to end")
    assert not revoking.done()
    bed.worker.may_end.set()
    await revoking
    assert bed.worker.moved == {C0}
    assert bed.statuses.written[-1][0] == "flush"


async def test_what_is_granted_runs_beside_what_was_given() -> None:
    bed = await Bed().configured()
    await bed.given(["c"], [C0])
    await bed.listener.on_granted([C1])
    assert bed.worker.running == {C, C0, C1}
    assert bed.work.counts == (1, 2)
    await bed.listener.on_revoked("leader", [], [C1])
    assert bed.worker.running == {C, C0}


async def test_a_worker_that_stops_starts_nothing_whatever_it_is_told() -> None:
    bed = await Bed().configured()
    await bed.given(["c"], [C0])
    bed.worker.running = set()
    bed.work.end()
    bed.work.reconcile()
    await bed.listener.on_granted([C1])
    await bed.given(["c"], [C0, C1])
    assert bed.worker.running == set()


async def test_what_was_deleted_is_not_waited_for() -> None:
    bed = await Bed().configured()
    await bed.given(["c"], [C0])
    await bed.configs.remove_connector_config("c")
    bed.worker.may_end.clear()
    await bed.listener.on_revoked("leader", ["c"], [C0])
    assert bed.worker.moved == set()


async def test_nothing_runs_before_the_worker_knows_what_the_leader_knows() -> None:
    bed = Bed()
    later = (await Bed().configured()).configs.config
    bed.configs.unread, bed.configs.lag = later, 2
    await bed.given(["c"], [C0], offset=later.offset)
    assert bed.worker.running == {C, C0}
    assert bed.left == []


async def test_a_worker_that_cannot_catch_up_stops_everything_and_leaves() -> None:
    bed = await Bed().configured()
    await bed.given(["c"], [C0])
    bed.configs.lag = 100
    await bed.given(["c"], [C0, C1], offset=bed.configs.config.offset + 1)
    assert bed.worker.running == set()
    assert len(bed.left) == 1
    assert len(bed.rounds) == 1


async def test_for_how_long_a_worker_tries_and_stays_away_is_said_by_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    listeners: list[WorkListener] = []
    limits: list[float] = []
    left: list[float] = []

    def member(group: GroupSettings, configured: object, listener: WorkListener) -> Any:
        listeners.append(listener)
        return SimpleNamespace(session_until=0.0, leave_for=lambda seconds, reason: left.append(seconds))

    async def refresh(timeout_s: float) -> None:
        limits.append(timeout_s)
        raise TimeoutError

    monkeypatch.setattr(cluster_worker_module, "GroupMember", member)
    settings = DistributedConfig(worker_props("g", worker_sync_timeout_ms="20", worker_unsync_backoff_ms="5000"))
    surroundings = Surroundings(
        pool=cast("Any", SimpleNamespace(expect_work=lambda expected: None)),
        statuses=Statuses(),
        worker_config={},
        log=LogSettings(levels={}),
        graceful_stop_s=1.0,
    )
    cluster = ClusterWorker(surroundings, settings, "http://me:1/", "me:1", cast("Any", None))
    monkeypatch.setattr(cluster.storage.configs, "refresh", refresh)
    await listeners[0].on_assigned(Assignment(offset=1), 1)
    assert (set(limits), left) == ({0.02}, [5.0])


async def test_a_lease_is_renewed_when_the_group_has_answered_and_only_by_a_member(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nothing() -> None: ...

    member = SimpleNamespace(session_until=0.0, protocol_version=2)
    monkeypatch.setattr(cluster_worker_module, "GroupMember", lambda *_: member)
    surroundings = Surroundings(
        pool=cast("Any", None),
        statuses=Statuses(),
        worker_config={},
        log=LogSettings(levels={}),
        graceful_stop_s=1.0,
    )
    settings = DistributedConfig(worker_props("g"))
    cluster = ClusterWorker(surroundings, settings, "http://me:1/", "me:1", cast("Any", None))
    told: list[float] = []
    monkeypatch.setattr(cluster.worker, "send_to_all", lambda lease: told.append(lease.until))
    monkeypatch.setattr(cluster.leadership, "look_after", nothing)
    now = boottime()
    for session_until in (now + 60, now + 60, now + 63, 0.0, now - 1, now + 66):
        member.session_until = session_until
        await cluster._tick()
    assert told == [now + 60, now + 63, now + 66]


async def test_a_worker_whose_topic_ends_before_the_leaders_says_what_may_be_wrong() -> None:
    bed = await Bed().configured()
    with structlog.testing.capture_logs() as logs:
        await bed.given(["c"], [C0], offset=bed.configs.config.offset + 1)
    assert len(bed.left) == 1
    assert all("need the same config.storage.topic" in each["event"] for each in logs if each["log_level"] == "error")
    assert any(each["log_level"] == "error" for each in logs)


async def test_a_failed_round_changes_nothing_but_that_the_topic_is_read() -> None:
    bed = await Bed().configured()
    await bed.given(["c"], [C0])
    bed.configs.unread = msgspec.structs.replace(bed.configs.config, offset=99)
    await bed.given([], [], error=1, offset=99)
    assert bed.worker.running == {C, C0}
    assert bed.configs.config.offset == 99
    assert len(bed.rounds) == 1


@pytest.mark.parametrize("call", ["on_lost", "on_poll_timeout"])
async def test_who_has_lost_the_membership_stops_everything(call: str) -> None:
    bed = await Bed().configured()
    await bed.given(["c"], [C0, C1])
    await getattr(bed.listener, call)(*(["no answer"] if call == "on_lost" else []))
    assert bed.worker.running == set()
    assert bed.worker.moved == {C0, C1}
    assert bed.abandoned == [{C, C0, C1}]  # before anything else
    await bed.given(["c"], [C0, C1])
    assert bed.worker.running == {C, C0, C1}


async def test_who_is_not_wanted_ends() -> None:
    bed = await Bed().configured()
    await bed.given(["c"], [C0])
    await bed.listener.on_failed(ConnectException("fenced"))
    assert bed.worker.running == set()
    assert [str(each) for each in bed.failed] == ["fenced"]


async def test_what_is_deleted_or_planned_away_ends_at_once_and_what_is_planned_anew_runs_when_it_is_given() -> None:
    bed = await Bed().configured()
    await bed.given(["c"], [C0, C1])
    await bed.configs.put_task_configs("c", TASKS[:1])
    bed.work.reconcile()
    assert bed.worker.running == {C, C0}
    assert bed.worker.moved == set()
    await bed.configs.put_task_configs("c", TASKS)
    bed.work.reconcile()
    assert bed.worker.running == {C, C0, C1}
    await bed.configs.remove_connector_config("c")
    bed.work.reconcile()
    assert bed.worker.running == set()


async def test_rounds_are_counted_and_timed() -> None:
    bed = await Bed().configured()
    before = bed.metrics()
    assert before["kafka_connect_worker_rebalance_completed_rebalances_total"] == 0
    assert "kafka_connect_worker_rebalance_time_since_last_rebalance_ms" not in before

    def slow(connectors: Any, tasks: Any, moving: Any = ()) -> None:
        bed.now += 0.25

    bed.worker.apply = slow  # type: ignore[method-assign]
    await bed.given(["c"], [C0, C1])
    await bed.given([], [], error=1)
    bed.now += 2
    found = bed.metrics()
    prefix = "kafka_connect_worker_rebalance_"
    assert {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)} == {
        "completed_rebalances_total": 1,
        "epoch": 3,
        "rebalancing": 0,
        "rebalance_max_time_ms": 250,
        "rebalance_avg_time_ms": 250,
        "time_since_last_rebalance_ms": 2000,
        'leader_name{leader_name="http://leader/"}': 1,
        'connect_protocol{connect_protocol="SESSIONED"}': 1,
    }
    assert found['kafka_connect_coordinator_assigned_connectors{clientid="me"}'] == 1
    assert found['kafka_connect_coordinator_assigned_tasks{clientid="me"}'] == 2


# --- statuses ---------------------------------------------------------------------------------------------------------


def reporting(bed: Bed) -> tuple[Statuses, StatusReporter]:
    statuses = Statuses()
    reporter = StatusReporter(
        statuses,
        cast("Any", bed.statuses),
        "me:1",
        lambda: bed.member.generation,
        lambda name: "1.0",
        lambda: bed.member.may_write,
    )
    return statuses, reporter


async def test_states_are_said_with_worker_generation_and_version() -> None:
    bed = Bed()
    statuses, reporter = reporting(bed)
    for state in (State.UNASSIGNED, State.RUNNING, State.PAUSED, State.RUNNING):
        statuses.change(C0, state)
        statuses.change(C0, state, pid=1)  # nothing that others need to hear of
    statuses.change(C0, State.FAILED, trace="it broke")
    bed.member.generation = 4
    assert bed.statuses.withdrawn == []
    statuses.change(C0, State.DESTROYED)
    assert bed.statuses.withdrawn == [C0]
    reporter.unassigned(C0)
    assert bed.statuses.written == [
        ("put", "c-0", State.RUNNING, 3),
        ("put", "c-0", State.PAUSED, 3),
        ("put", "c-0", State.RUNNING, 3),
        ("put_safe", "c-0", State.FAILED, 3),
        ("put_safe", "c-0", State.UNASSIGNED, 4),
    ]
    last = bed.statuses.statuses[C0]
    assert (last.worker_id, last.version) == ("me:1", "1.0")


async def test_a_worker_that_stops_says_that_it_has_let_go() -> None:
    bed = Bed()
    statuses, _ = reporting(bed)
    for state in (State.UNASSIGNED, State.RUNNING, State.UNASSIGNED):
        statuses.change(C0, state)
    assert bed.statuses.written[-1][:3] == ("put_safe", "c-0", State.UNASSIGNED)


async def test_whoever_was_superseded_says_nothing() -> None:
    bed = Bed()
    statuses, reporter = reporting(bed)
    bed.member.may_write = False
    statuses.change(C0, State.RUNNING)
    statuses.change(C0, State.FAILED)
    reporter.unassigned(C0)
    reporter.deleted(C0)
    assert bed.statuses.written == []


# --- topics -----------------------------------------------------------------------------------------------------------


def test_topics_are_noted_once_and_forgotten_when_any_worker_resets_them() -> None:
    log = FakeStatusLog()
    topics = ClusterTopics(cast("Any", log), lambda: 5.0)
    topics.add("c", 1, ["t", "u"])
    topics.add("c", 0, ["t"])
    assert topics.of("c") == ["t", "u"]
    assert (log.topics["c", "t"].task, log.topics["c", "t"].discover_timestamp_ms) == (1, 5000)
    assert topics.forgotten() == set()
    other = ClusterTopics(cast("Any", log))
    other.reset("c")
    assert topics.of("c") == []
    assert topics.forgotten() == {"c"}
    assert topics.forgotten() == set()
    topics.add("c", 0, ["t"])
    assert topics.of("c") == ["t"]


# --- plans ------------------------------------------------------------------------------------------------------------


class Published:
    """A leader that is there when `failures` are over."""

    def __init__(self, bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(plans_module, "FIRST_BACKOFF_S", 0.001)
        self.configs = bed.configs
        self.failures = 0
        self.calls = 0
        self.plans = Plans(bed.configs.snapshot, self._publish)

    async def _publish(self, connector: str, configs: Sequence[Mapping[str, str]]) -> None:
        self.calls += 1
        if self.failures:
            self.failures -= 1
            raise ConnectException("the group has no leader now")
        await self.configs.put_task_configs(connector, configs)


def plan(count: int, **config: str) -> Plan:
    return Plan(
        connector_config={**CONFIG, **config},
        kind="source",
        version="1.0",
        task_class="some:Task",
        task_configs=[{"task.class": "some.Task", "n": str(number)} for number in range(count)],
    )


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    return Published(Bed(), monkeypatch)


async def test_a_plan_is_published_until_the_cluster_has_it(published: Published) -> None:
    await published.configs.put_connector_config("c", CONFIG, TargetState.STARTED)
    published.failures = 3
    published.plans.put("c", plan(2))
    await until(lambda: published.configs.config.task_count("c") == 2, "it is known")
    assert published.calls == 4


async def test_a_plan_that_the_cluster_has_is_not_published(published: Published) -> None:
    await published.configs.put_connector_config("c", CONFIG, TargetState.STARTED)
    await published.configs.put_task_configs("c", TASKS)
    published.plans.put("c", plan(2))
    published.plans.put("c", plan(3))
    await until(lambda: published.configs.config.task_count("c") == 3, "the other one is known")
    assert published.calls == 1


async def test_a_plan_for_another_configuration_or_of_a_connector_that_is_at_rest_is_dropped(
    published: Published,
) -> None:
    await published.configs.put_connector_config("c", {**CONFIG, "batch": "9"}, TargetState.STARTED)
    await published.configs.put_connector_config("d", {**CONFIG, "name": "d"}, TargetState.PAUSED)
    published.plans.put("c", plan(2))
    published.plans.put("d", plan(2, name="d"))
    published.plans.put("gone", plan(2, name="gone"))
    await asyncio.sleep(0)
    await published.configs.put_connector_config("e", {**CONFIG, "name": "e"}, TargetState.STARTED)
    published.plans.put("e", plan(1, name="e"))
    await until(lambda: published.configs.config.task_count("e") == 1, "the last one is known")
    assert published.calls == 1


async def test_a_connector_that_went_to_another_worker_is_not_spoken_for(published: Published) -> None:
    await published.configs.put_connector_config("c", CONFIG, TargetState.STARTED)
    published.failures = 1000
    published.plans.put("c", plan(2))
    await until(lambda: published.calls > 2, "it is tried")
    published.plans.forget("c")
    published.failures = 0
    await published.configs.put_connector_config("e", {**CONFIG, "name": "e"}, TargetState.STARTED)
    published.plans.put("e", plan(1, name="e"))
    await until(lambda: published.configs.config.task_count("e") == 1, "the other one is known")
    assert published.configs.config.task_count("c") == 0


async def test_a_half_written_set_of_tasks_is_written_again(published: Published) -> None:
    await published.configs.put_connector_config("c", CONFIG, TargetState.STARTED)
    published.plans.put("c", plan(2))
    await until(lambda: published.configs.config.task_count("c") == 2, "it is known")
    published.configs.config = msgspec.structs.replace(published.configs.config, inconsistent=frozenset({"c"}))
    published.plans.repair()
    await until(lambda: not published.configs.config.inconsistent, "it is whole again")

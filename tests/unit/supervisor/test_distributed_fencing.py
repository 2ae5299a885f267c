"""Which producers the leader fences before tasks of an exactly-once source start, and what it notes of that (KIP-618)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from connectd.errors import ConnectException, NotFoundException
from supervisor.herder.distributed import fencing as module
from supervisor.herder.distributed.fencing import ZombieFencing
from supervisor.herder.distributed.preflight_checks import PreflightChecks
from supervisor.herder.distributed.wanted import wanted
from supervisor.herder.entities import ConnectorType
from supervisor.herder.errors import BadRequest, OperationInProgress, RequestTarget, Unavailable
from supervisor.inquiries.inquiry import InquiryRefused
from supervisor.storage.snapshot import ClusterConfig
from supervisor.units.lifecycle import UnitId
from supervisor.units.specs import TaskSpec
from tasks.messages import FenceProducers, LogSettings, ProducersFenced, Reason
from tasks.settings import DistributedConfig
from tests.support.cluster_fakes import FakeConfigLog
from tests.unit.supervisor.test_distributed_leadership import WORKER

CONFIG = {"name": "c", "connector.class": "Some"}


class Bed:
    """A leader. `fenced` are the transactional ids of each round, whose end `gate` holds up if it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.configs = FakeConfigLog()
        self.configs.config = ClusterConfig(connector_configs={"c": CONFIG})
        self.type = ConnectorType.SOURCE
        self.leads = True
        self.fenced: list[list[str]] = []
        self.refusal: InquiryRefused | None = None
        self.gate: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.fencing = ZombieFencing(
            cast("Any", self),
            DistributedConfig(WORKER),
            cast("Any", self.configs),
            cast("Any", self),
            cast("Any", self),
        )
        monkeypatch.setattr(module, "ask", self.ask)

    pool = None
    worker_config = WORKER
    log = LogSettings(levels={})

    def kind(self, config: Mapping[str, str]) -> ConnectorType:
        return self.type

    def require(self, what: str) -> None:
        if not self.leads:
            raise RequestTarget(what, "http://leader/")

    async def put_task_count_record(self, name: str, tasks: int) -> None:
        await self.configs.put_task_count_record(name, tasks)

    async def ask(self, pool: Any, order: FenceProducers, expected: Any, timeout_s: float) -> ProducersFenced:
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        self.fenced.append(order.transactional_ids)
        return ProducersFenced()

    async def plan(self, tasks: int) -> None:
        await self.configs.put_task_configs("c", [{"n": str(number)} for number in range(tasks)])

    @property
    def records(self) -> list[int]:
        return [each[2] for each in self.configs.written if each[0] == "count"]


@pytest.fixture
def bed(monkeypatch: pytest.MonkeyPatch) -> Bed:
    return Bed(monkeypatch)


async def test_the_first_tasks_have_nobody_to_fence_but_are_noted(bed: Bed) -> None:
    await bed.plan(3)
    await bed.fencing.fence("c")
    await bed.fencing.fence("c")  # each task of the set asks
    assert (bed.fenced, bed.records) == ([], [3])


async def test_all_tasks_before_the_new_set_are_fenced_once(bed: Bed) -> None:
    await bed.plan(3)
    await bed.fencing.fence("c")
    await bed.plan(2)
    bed.gate = asyncio.Event()
    asking = [asyncio.create_task(bed.fencing.fence("c")) for _ in range(2)]
    await bed.asked.wait()
    bed.gate.set()
    await asyncio.gather(*asking)
    assert bed.fenced == [["cluster-c-0", "cluster-c-1", "cluster-c-2"]]
    assert bed.records == [3, 2]


async def test_one_task_after_one_task_fences_its_predecessor_itself(bed: Bed) -> None:
    for _ in range(2):
        await bed.plan(1)
        await bed.fencing.fence("c")
    assert (bed.fenced, bed.records) == ([], [1, 1])


async def test_without_tasks_there_is_nobody_to_fence(bed: Bed) -> None:
    for tasks in (0, 2):
        await bed.plan(tasks)
        await bed.fencing.fence("c")
    assert (bed.fenced, bed.records) == ([], [0, 2])


async def test_tasks_that_were_replaced_meanwhile_are_not_noted(bed: Bed) -> None:
    await bed.plan(2)
    await bed.fencing.fence("c")
    await bed.plan(3)
    bed.gate = asyncio.Event()
    asking = asyncio.create_task(bed.fencing.fence("c"))
    await bed.asked.wait()
    await bed.plan(4)
    bed.gate.set()
    with pytest.raises(OperationInProgress, match="new task configurations were generated"):
        await asking
    assert bed.records == [2]
    await bed.fencing.fence("c")
    assert bed.records == [2, 4]


@pytest.mark.parametrize(("reason", "error"), [(Reason.UNAVAILABLE, Unavailable), (Reason.FAILED, ConnectException)])
async def test_producers_that_cannot_be_fenced_are_fenced_next_time(
    bed: Bed, reason: Reason, error: type[ConnectException]
) -> None:
    await bed.plan(2)
    await bed.fencing.fence("c")
    await bed.plan(2)
    bed.refusal = InquiryRefused(reason, "no")
    with pytest.raises(error, match="no"):
        await bed.fencing.fence("c")
    assert bed.records == [2]
    bed.refusal = None
    await bed.fencing.fence("c")
    assert bed.records == [2, 2]


async def test_what_is_refused(bed: Bed) -> None:
    with pytest.raises(NotFoundException, match="Connector d not found"):
        await bed.fencing.fence("d")
    bed.type = ConnectorType.SINK
    with pytest.raises(BadRequest, match="Connector c is not a source connector"):
        await bed.fencing.fence("c")
    bed.leads = False
    with pytest.raises(RequestTarget):
        await bed.fencing.fence("c")


async def test_a_topic_that_cannot_be_read_decides_nothing(bed: Bed) -> None:
    await bed.plan(2)
    bed.configs.lag = 1
    with pytest.raises(Unavailable, match="Failed to read to end of config topic"):
        await bed.fencing.fence("c")
    assert bed.records == []


async def test_a_task_of_an_older_set_may_not_start(bed: Bed) -> None:
    leader = type("Leader", (), {"fence_zombies": lambda self, name: bed.fencing.fence(name)})()
    checks = PreflightChecks(cast("Any", leader), cast("Any", bed.configs), 1.0)

    def task() -> TaskSpec:
        return wanted(bed.configs.config, [], [UnitId("c", 0)]).tasks[UnitId("c", 0)]

    await bed.plan(2)
    old = task()
    await checks.fence(old)
    await checks.verify(old)
    await bed.plan(2)  # the very same, written again
    with pytest.raises(ConnectException, match="Cannot start source task c-0 with exactly-once support"):
        await checks.verify(old)
    await checks.verify(task())
    bed.configs.lag = 1
    with pytest.raises(ConnectException, match="Failed to read to end of config topic"):
        await checks.verify(task())
    bed.leads = False
    with pytest.raises(ConnectException, match="Failed to perform round of zombie fencing"):
        await checks.fence(task())

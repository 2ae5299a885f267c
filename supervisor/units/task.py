"""A task under supervision: pausing, and source offsets where the supervisor keeps them."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import msgspec

from connectd.errors import ConnectException
from supervisor.processes.process import Child
from supervisor.storage.offset_file import OffsetBackingStore, OffsetStores
from supervisor.units.hangs import HangLimits
from supervisor.units.memberships import Heir, Memberships
from supervisor.units.specs import TaskSpec
from supervisor.units.unit import Rules, Surroundings, Unit
from tasks.messages import (
    ChangeTargetState,
    CommitOffsets,
    JoinedGroup,
    Membership,
    OffsetsCommitted,
    OffsetsRead,
    Order,
    PreflightCheck,
    PreflightChecked,
    ReadOffsets,
    Report,
    RunTask,
    TopicsUsed,
)


class TaskUnit(Unit):
    """Runs one task. `offsets` is None where tasks keep their offsets in Kafka themselves."""

    __slots__ = (
        "_is_exactly_once",
        "_membership",
        "_memberships",
        "_offsets",
        "_ordered",
        "_stores",
        "heir",
        "spec",
    )
    # Of all tasks together: most read once.
    _reading: ClassVar[set[asyncio.Task[None]]] = set()

    def __init__(
        self,
        spec: TaskSpec,
        surroundings: Surroundings,
        rules: Rules,
        offsets: OffsetStores | None,
        memberships: Memberships,
        after: asyncio.Future[None] | None = None,
    ) -> None:
        self.spec = spec
        self._stores = offsets
        self._offsets: OffsetBackingStore | None = None
        self._memberships = memberships
        self._membership: Membership | None = None
        self.heir = Heir.NOBODY
        self._ordered: TaskSpec | None = None
        self._is_exactly_once = False  # the present process has said so
        super().__init__(spec.id, surroundings, rules, after)

    def update(self, spec: TaskSpec) -> None:
        """Run what `spec` says: pausing, resuming and other rules of supervision keep the process."""
        before, self.spec = self.spec, spec
        replaced = self._is_exactly_once and before.plan_number != spec.plan_number
        if replaced or not before.needs_same_process(spec):
            self.restart()
        elif before.target_state is not spec.target_state and self._child is not None:
            self._child.send(ChangeTargetState(target_state=spec.target_state))

    @property
    def _hang_limits(self) -> HangLimits:
        limits = self._rules.limits
        return HangLimits(call_s=limits.task_hang_s, poll_s=limits.task_poll_hang_s)

    def _has_work(self) -> bool:
        return True

    def _order(self, generation: int) -> Order:
        spec, before = self.spec, self._ordered
        self._ordered = spec
        self._is_exactly_once = False
        self._offsets = None if self._stores is None else self._stores.of(spec.connector_config)
        return RunTask(
            connector=spec.connector,
            task=spec.task,
            generation=generation,
            task_class=spec.task_class,
            task_config=spec.task_config,
            connector_config=spec.connector_config,
            worker_config=self._surroundings.worker_config,
            target_state=spec.target_state,
            log=self._surroundings.log_of(spec.connector),
            salt=self._surroundings.salt,
            resumed=before is not None and before.needs_same_process(spec),
            exactly_once=self._surroundings.preflight is not None,
        )

    async def _let_go(self) -> None:
        membership, self._membership = self._membership, None
        if membership is None:
            return
        match self.heir:
            case Heir.NOBODY:
                await self._memberships.leave(msgspec.structs.replace(membership, member=""))
            case Heir.ANOTHER_WORKER:
                self._memberships.leave_later(membership)
            case Heir.THIS_WORKER:
                pass

    def _on_report(self, report: Report) -> None:
        child = self._child
        assert child is not None
        match report:
            case ReadOffsets():
                self._keep(self._loop.create_task(self._read_offsets(report, child)))
            case CommitOffsets():
                self._commit_offsets(report, child)
            case PreflightCheck():
                self._keep(self._loop.create_task(self._check_preflight(report, child)))
            case JoinedGroup():
                self._join(report)
            case TopicsUsed():
                self._surroundings.topics.add(self.spec.connector, self.spec.task, report.topics)
            case _:
                child.kill(f"a task has nothing to say about {type(report).__name__}")

    def _join(self, report: JoinedGroup) -> None:
        spec, before = self._ordered or self.spec, self._membership
        self._membership = Membership(
            group=report.group,
            instance=report.instance,
            connector_config=spec.connector_config,
            task=spec.task,
            member=report.member,
        )
        if before is not None and (before.group, before.instance) != (report.group, report.instance):
            self._memberships.leave(before)

    async def _read_offsets(self, report: ReadOffsets, child: Child) -> None:
        answer = OffsetsRead(request=report.request)
        try:
            if self._offsets is None:
                raise ConnectException("this worker keeps source offsets in Kafka")
            answer.values = await self._offsets.read(report.keys)
        except ConnectException as error:
            answer.error = str(error)
        child.send(answer)

    async def _check_preflight(self, report: PreflightCheck, child: Child) -> None:
        answer = PreflightChecked(request=report.request)
        try:
            await self._pass_preflight(claimed=report.claimed)
        except ConnectException as error:
            answer.error = str(error)
        child.send(answer)

    async def _pass_preflight(self, *, claimed: bool) -> None:
        preflight, task = self._surroundings.preflight, self._ordered
        if preflight is None or task is None:
            raise ConnectException("the sources of this worker do not deliver exactly once")
        self._is_exactly_once = True
        if task.plan_number != self.spec.plan_number:
            self.restart()  # as it would have been, had it said earlier what it is
        elif not claimed:
            await preflight.fence(task)
        else:
            await preflight.verify(task)
            # Whose topic does not exist yet, it does now. Not before: a zombie's transaction would have to be waited for.
            if self._offsets is not None:
                await self._offsets.read([])

    def _keep(self, reading: asyncio.Task[None]) -> None:
        """The event loop alone would forget it."""
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)

    def _commit_offsets(self, report: CommitOffsets, child: Child) -> None:
        error = self._refusal(report)
        if error is not None or self._offsets is None:
            child.send(OffsetsCommitted(request=report.request, error=error))
            return
        store = self._offsets
        if report.copied and self._stores is not None:
            store = self._stores.of({})
        store.commit(report.entries).add_done_callback(
            lambda done: child.send(OffsetsCommitted(request=report.request, error=_error_of(done)))
        )

    def _refusal(self, report: CommitOffsets) -> str | None:
        if report.generation != self._generation:
            return (
                f"superseded: generation {report.generation} of {self.id} may not commit, {self._generation} runs now"
            )
        return "this worker keeps source offsets in Kafka" if self._offsets is None else None


def _error_of(done: asyncio.Future[None]) -> str | None:
    error = done.exception()
    return None if error is None else str(error)

"""A connector under supervision: its process plans, and is kept only if it watches its source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from supervisor.units.hangs import HangLimits
from supervisor.units.lifecycle import UnitId
from supervisor.units.specs import ConnectorSpec, Plan, need_same_process
from supervisor.units.unit import Rules, Surroundings, Unit
from tasks.messages import Order, Planned, ReconfigurationRequested, Report, RunConnector
from tasks.states import State, TargetState

log = structlog.get_logger(__name__)

# Without a process, because the operator wants it so.
_AT_REST: Final = (State.PAUSED, State.STOPPED)

OnPlan = Callable[[str, Plan], None]


class ConnectorUnit(Unit):
    """Runs one connector and hands on each of its plans.

    While it is paused or stopped it has no process: as in Java its `stop` was called, and `start` is when it resumes.
    """

    __slots__ = ("_on_plan", "_planned", "spec")

    def __init__(
        self,
        spec: ConnectorSpec,
        surroundings: Surroundings,
        rules: Rules,
        on_plan: OnPlan,
        after: asyncio.Future[None] | None = None,
    ) -> None:
        self.spec = spec
        self._on_plan = on_plan
        self._planned = False
        super().__init__(UnitId(spec.name), surroundings, rules, after)

    def update(self, spec: ConnectorSpec) -> None:
        """Run what `spec` says."""
        before, self.spec = self.spec, spec
        resumed = before.target_state is not spec.target_state and spec.target_state is TargetState.STARTED
        if resumed and self._state in _AT_REST:
            self._change(State.UNASSIGNED)
        if not need_same_process(before.config, spec.config):
            self.restart()
        elif before.target_state is not spec.target_state and (
            # As in Java, what has failed can be stopped, but neither paused nor resumed.
            self._state is not State.FAILED or spec.target_state is TargetState.STOPPED
        ):
            self._stop_process()
            self._woken.set()

    def restart(self) -> None:
        if self._state in _AT_REST:
            self._woken.set()
        else:
            super().restart()

    @property
    def _hang_limits(self) -> HangLimits:
        return HangLimits(call_s=self._rules.limits.connector_hang_s, poll_s=0)

    @property
    def _kills_hung(self) -> bool:
        """A deadline, whatever the policy: of a connector that hangs nothing is to be had."""
        return True

    def _has_work(self) -> bool:
        match self.spec.target_state:
            case TargetState.STARTED:
                return True
            case TargetState.PAUSED:
                self._change(State.PAUSED)
            case TargetState.STOPPED:
                self._change(State.STOPPED)
        return False

    def _order(self, generation: int) -> Order:
        self._planned = False
        return RunConnector(
            connector=self.spec.name,
            generation=generation,
            config=self.spec.config,
            worker_config=self._surroundings.worker_config,
            target_state=self.spec.target_state,
            log=self._surroundings.log_of(self.spec.name),
            salt=self._surroundings.salt,
        )

    def _may_end(self) -> bool:
        return self._planned

    def _on_report(self, report: Report) -> None:
        match report:
            case Planned():
                self._plan(report)
            case ReconfigurationRequested():
                log.info("the connector asks for its tasks to be planned again", **self._log_fields)
            case _:
                assert self._child is not None
                self._child.kill(f"a connector has nothing to say about {type(report).__name__}")

    def _plan(self, report: Planned) -> None:
        if self._ordered_to_stop:
            return  # the configuration has changed in the meantime
        self._planned = True
        self._on_plan(
            self.spec.name,
            Plan(
                connector_config=self.spec.config,
                kind=report.kind,
                version=report.version,
                task_class=report.task_class,
                task_configs=report.task_configs,
            ),
        )

"""What a cluster looks like: states are put together anew only when something has changed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from connectd.errors import NotFoundException
from supervisor.herder.distributed.kinds import ConnectorKinds
from supervisor.herder.distributed.view import ClusterView
from supervisor.herder.entities import ConnectorType
from supervisor.rest.encoded import EncodedStates
from supervisor.storage.status_records import WorkStatus
from supervisor.units.lifecycle import UnitId
from tasks.messages import Validated
from tasks.states import State
from tests.support.cluster_fakes import FakeConfigLog, FakeStatusLog

CONFIG = {"name": "c", "connector.class": "Some"}
C, C0, D = UnitId("c"), UnitId("c", 0), UnitId("d")


class Bed:
    """A view of connectors `c`, which has a task, and `d`."""

    def __init__(self) -> None:
        self.configs, self.statuses = FakeConfigLog(), FakeStatusLog()
        self.kinds = ConnectorKinds(cast("Any", None))
        self.view = ClusterView(self.configs.snapshot, cast("Any", self.statuses), self.kinds)
        self.encoded = EncodedStates()
        for unit in (C, C0, D):
            self.write(unit, State.RUNNING)

    def write(self, unit: UnitId, state: State) -> None:
        status = WorkStatus(state=state, worker_id="w", generation=1)
        self.statuses.put(unit, status)
        self.view.on_status(unit, None if state is State.DESTROYED else status)

    def shown(self) -> bytes:
        return bytes(self.encoded.all([self.view.status(name) for name in ("c", "d")]))


async def test_a_state_is_the_same_object_until_something_of_the_connector_changes() -> None:
    bed = Bed()
    c, d, shown = bed.view.status("c"), bed.view.status("d"), bed.shown()
    assert bed.view.status("c") is c
    assert bed.shown() == shown
    bed.write(C0, State.FAILED)
    assert bed.view.status("c").tasks[0].state is State.FAILED
    assert bed.view.status("d") is d
    assert bed.shown() == shown.replace(b'"tasks":[{"id":0,"state":"RUNNING"', b'"tasks":[{"id":0,"state":"FAILED"')


async def test_what_the_plugins_say_of_a_connector_is_seen_when_it_is_known() -> None:
    bed = Bed()
    await bed.configs.put_connector_config("c", CONFIG)
    assert bed.view.status("c").type is ConnectorType.UNKNOWN
    bed.kinds.learn(CONFIG, Validated(errors=[], kind="sink", version="1"))
    assert bed.view.status("c").type is ConnectorType.SINK


async def test_a_connector_that_was_deleted_is_gone() -> None:
    bed = Bed()
    bed.view.status("d")
    bed.write(D, State.DESTROYED)
    with pytest.raises(NotFoundException):
        bed.view.status("d")

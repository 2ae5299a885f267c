"""The supervisor's own memory: what lives is passed over by the collector, what is garbage goes."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from supervisor.own_memory import OwnMemory
from supervisor.units.connector import ConnectorUnit
from supervisor.units.task import TaskUnit


class Knot:
    """Goes only when the collector finds it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def memory() -> Iterator[OwnMemory]:
    thresholds = gc.get_threshold()
    yield OwnMemory()
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_the_collector_passes_over_what_lives(memory: OwnMemory) -> None:
    lives = Knot()
    memory.tidy(1)
    assert not any(each is lives for each in gc.get_objects())


def test_garbage_goes_when_there_are_many_more_processes(memory: OwnMemory) -> None:
    garbage = Knot()
    gone = weakref.ref(garbage)
    memory.tidy(100)
    del garbage  # what was passed over must not stay for ever
    memory.tidy(101)
    assert gone() is not None
    memory.tidy(200)
    assert gone() is None


def test_garbage_goes_when_there_are_many_fewer_processes(memory: OwnMemory) -> None:
    memory.tidy(100)
    garbage = Knot()
    gone = weakref.ref(garbage)
    del garbage
    memory.tidy(10)
    assert gone() is None


def test_few_processes_come_and_go_without_a_search(memory: OwnMemory) -> None:
    memory.tidy(2)
    lives = Knot()
    memory.tidy(5)
    assert any(each is lives for each in gc.get_objects())


@pytest.mark.parametrize("kind", [TaskUnit, ConnectorUnit])
def test_connectors_and_tasks_have_no_dictionaries(kind: type) -> None:
    """There are thousands, each with more attributes than Python stores well there."""
    assert kind.__dictoffset__ == 0

"""The supervisor's own memory: the collector seldom looks at everything, what is garbage goes all the same."""

from __future__ import annotations

import contextlib
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


@contextlib.contextmanager
def frozen() -> Iterator[object]:
    """An object that was there before the forkserver was forked off."""
    shared = Knot()
    gc.freeze()
    yield shared
    gc.unfreeze()


def seen(wanted: object) -> bool:
    """Whether the collector looks at it when it looks at everything."""
    return any(each is wanted for each in gc.get_objects())


def searches() -> int:
    """Among all objects, so far."""
    found: int = gc.get_stats()[2]["collections"]
    return found


def test_many_new_objects_are_no_reason_to_search_among_all(memory: OwnMemory) -> None:
    memory.tidy(1)
    before = searches()
    lives = [Knot() for _ in range(300_000)]
    assert searches() == before
    assert len(lives) == 300_000


def test_what_the_forkserver_shares_stays_untouched(memory: OwnMemory) -> None:
    with frozen() as shared:
        for processes in (1, 100, 1):
            memory.tidy(processes)
        assert not seen(shared)


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
    before = searches()
    memory.tidy(5)
    assert searches() == before


@pytest.mark.parametrize("kind", [TaskUnit, ConnectorUnit])
def test_connectors_and_tasks_have_no_dictionaries(kind: type) -> None:
    """There are thousands, each with more attributes than Python stores well there."""
    assert kind.__dictoffset__ == 0

"""The process that has answered a question about a connector in Java stays for a while: its virtual machine is warm."""

from __future__ import annotations

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

from supervisor.processes.pool import ProcessPool
from supervisor.processes.process import Child
from tasks.messages import DescribePlugin, Inquiry, Validate
from tasks.settings.connector import CONNECTOR_CLASS

# For so long it waits for the next question.
IDLE_S: Final = 20.0


class _Staying:
    """At the most one process of a pool, and the names of connectors that such questions were about."""

    def __init__(self) -> None:
        self.child: Child | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.names: set[str] = set()


_of_pools: Final[WeakKeyDictionary[ProcessPool, _Staying]] = WeakKeyDictionary()


def take(pool: ProcessPool, order: Inquiry) -> Child | None:
    """The process that stays, if the question is one for it; it is the caller's then."""
    staying = _of_pools.get(pool)
    if staying is None or staying.child is None or _name(order) not in staying.names:
        return None
    assert staying.timer is not None
    staying.timer.cancel()
    child, staying.child = staying.child, None
    return None if child.exited.done() else child


def keep(pool: ProcessPool, child: Child, order: Inquiry) -> None:
    """Have the process, which has answered this question, wait for the next one."""
    staying = _of_pools.setdefault(pool, _Staying())
    if staying.child is not None and staying.timer is not None:
        staying.timer.cancel()
        staying.child.kill("another process stays in its place")
    staying.names.add(_name(order))
    staying.child = child
    staying.timer = asyncio.get_running_loop().call_later(IDLE_S, _end, staying, child)


def _end(staying: _Staying, child: Child) -> None:
    if staying.child is child:
        staying.child = None
    child.kill("nobody has asked anything for a while")


def _name(order: Inquiry) -> str:
    match order:
        case Validate(config=config):
            return config.get(CONNECTOR_CLASS) or ""
        case DescribePlugin(name=name):
            return name
        case _:
            return ""

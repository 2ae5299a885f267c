"""Changes of a connector that take a while, because plugin code or Kafka is asked: one at a time, and visible."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import msgspec

from supervisor.herder.errors import OperationInProgress

# Most operations take less; who has waited for so long is told what is going on.
PATIENCE_S = 5.0


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is going on; `started` is monotonic. While it is exclusive, nothing else may change the connector."""

    what: str
    started: float
    exclusive: bool
    done: asyncio.Event


class Operations:
    """What is going on with which connector."""

    def __init__(self) -> None:
        self._running: dict[str, Operation] = {}

    @contextlib.asynccontextmanager
    async def begin(self, connector: str, what: str, *, exclusive: bool = False) -> AsyncIterator[None]:
        """Wait a moment for what is going on with this connector, then do `what`. Raises OperationInProgress."""
        deadline = time.monotonic() + PATIENCE_S
        while (other := self._running.get(connector)) is not None:
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await other.done.wait()
            except TimeoutError:
                raise _in_progress(connector, other) from None
        operation = Operation(what=what, started=time.monotonic(), exclusive=exclusive, done=asyncio.Event())
        self._running[connector] = operation
        try:
            yield
        finally:
            del self._running[connector]
            operation.done.set()

    def require_none_exclusive(self, connector: str) -> None:
        """Raises OperationInProgress."""
        operation = self._running.get(connector)
        if operation is not None and operation.exclusive:
            raise _in_progress(connector, operation)


def _in_progress(connector: str, operation: Operation) -> OperationInProgress:
    seconds = time.monotonic() - operation.started
    return OperationInProgress(
        f"Connector {connector} is busy: {operation.what} since {seconds:.0f} s. Nothing was changed, try again later"
    )

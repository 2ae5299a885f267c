"""Rows of several workers as one stream: the last ones in order, then each as it comes; who reads slowly slows down nobody."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Final

from supervisor.logs.lines import in_order, time_of

Rows = Sequence[bytes]
# The rows of one worker: first the last ones, so many at the most, then, batch by batch, what comes.
Source = Callable[[int], AsyncGenerator[Rows]]

# Batches that wait for the reader; who has more to say waits, and leaves lines out.
_WAITING: Final = 2
# For so long the first rows wait for those of all workers.
_PATIENCE_S: Final = 1.5
# An empty row this often tells the reader that there is somebody.
_ALIVE_S: Final = 10.0


class Merged:
    """`own` decides how long it goes on, and yields every second or so. `others` are the sources there are now, by name."""

    def __init__(self, lines: int, own: Source, others: Callable[[], Mapping[str, Source]]) -> None:
        self._lines = lines
        self._own = own
        self._others = others
        self._batches: asyncio.Queue[Rows | None] = asyncio.Queue(_WAITING)
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._first: dict[str, asyncio.Future[Rows]] = {}

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Rows as they are sent, with their ends; empty ones are for looking whether anybody reads."""
        self._readers[""] = asyncio.create_task(self._read_own())
        self._open_others(self._lines)
        try:
            yield await self._first_rows() + b"\n"
            alive = time.monotonic()
            while (rows := await self._batches.get()) is not None:
                if rows or time.monotonic() - alive > _ALIVE_S:
                    alive = time.monotonic()
                    yield b"".join(row + b"\n" for row in rows) or b"\n"
                else:
                    yield b""
                    self._open_others(0)
        finally:
            for reader in self._readers.values():
                reader.cancel()
            await asyncio.gather(*self._readers.values(), return_exceptions=True)

    async def _first_rows(self) -> bytes:
        await asyncio.sleep(0)  # the readers begin
        await asyncio.wait(self._first.values(), timeout=_PATIENCE_S)
        rows = in_order([each.result() for each in self._first.values() if each.done()], time_of)
        for late in self._first.values():
            late.cancel()  # what it has to say comes later
        return b"".join(row + b"\n" for row in rows[max(0, len(rows) - self._lines) :])

    def _open_others(self, lines: int) -> None:
        """Read those that are not being read: a task may run somewhere else now, or its worker is back."""
        others: Mapping[str, Source] = {}
        with contextlib.suppress(Exception):  # whatever it is, it is no reason not to show what there is
            others = self._others()
        for name, source in others.items():
            if name not in self._readers or self._readers[name].done():
                self._readers[name] = asyncio.create_task(self._read(name, source, lines))

    async def _read_own(self) -> None:
        with contextlib.suppress(Exception):
            await self._read("", self._own, self._lines)
        await self._batches.put(None)

    async def _read(self, name: str, source: Source, lines: int) -> None:
        first = self._first.setdefault(name, asyncio.get_running_loop().create_future())
        try:
            rows = source(lines)
            async with contextlib.aclosing(rows):
                async for batch in rows:
                    if first.done():
                        await self._batches.put(batch)
                    else:
                        first.set_result(batch)
        finally:
            if not first.done():
                first.set_result([])

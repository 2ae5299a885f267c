"""The thread that tells the supervisor every second that this child lives, what it is doing and what it has done."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec

from tasks.control import Control
from tasks.messages import Heartbeat

INTERVAL_S = 1.0

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class Measures(msgspec.Struct, kw_only=True):
    """What a heartbeat tells beside the call: see `tasks.messages.Heartbeat`."""

    counters: dict[str, float] = {}
    positions: list[tuple[str, int, int]] = []
    source_lag: dict[str, float] = {}


def start_heartbeat(control: Control, measure: Callable[[], Measures]) -> None:
    """Start it. The first beat is sent at once."""
    statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    def beat() -> None:
        while True:
            control.on_heartbeat()
            call, since = control.call
            measures = measure()
            control.send(
                Heartbeat(
                    generation=control.generation,
                    call=call,
                    call_s=time.monotonic() - since,
                    counters=measures.counters | _of_process(statm),
                    positions=measures.positions,
                    source_lag=measures.source_lag,
                )
            )
            time.sleep(INTERVAL_S)

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()


def _of_process(statm: int) -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "process-cpu-seconds-total": usage.ru_utime + usage.ru_stime,
        "process-resident-memory-bytes": int(os.pread(statm, 100, 0).split()[1]) * _PAGE_BYTES,
        "process-open-fds": len(os.listdir("/proc/self/fd")) - 1,  # noqa: PTH208 (cheaper; one is the listing's own)
    }

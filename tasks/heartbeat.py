"""The thread that tells the supervisor every second that this child lives, what it is doing and what it has done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tasks.control import Control
from tasks.messages import Heartbeat

INTERVAL_S = 1.0


def start_heartbeat(control: Control, counters: Callable[[], dict[str, float]]) -> None:
    """Start it. The first beat is sent at once."""

    def beat() -> None:
        while True:
            control.on_heartbeat()
            call, since = control.call
            control.send(
                Heartbeat(
                    generation=control.generation, call=call, call_s=time.monotonic() - since, counters=counters()
                )
            )
            time.sleep(INTERVAL_S)

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()

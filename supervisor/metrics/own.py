"""What the supervisor measures of itself: its event loop, its process, the REST API."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from prometheus_client.metrics import Histogram
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import CollectorRegistry

_INTERVAL_S: Final = 1.0
_DELAYS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_REQUESTS_S: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)


class OwnMetrics:
    """Few series, kept by the library. `registry` also has the process metrics that all Prometheus clients have."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._delay = Histogram(
            "connectd_event_loop_delay_seconds",
            "How late the supervisor's event loop does what is due",
            registry=self.registry,
            buckets=_DELAYS_S,
        )
        self._requests = Histogram(
            "connectd_rest_request_duration_seconds",
            "Requests to the REST API",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=_REQUESTS_S,
        )

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request that was answered; `route` is a path with its parameters' names, empty for an unknown one."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    async def watch_loop(self) -> None:
        """Measure the event loop until cancelled."""
        while True:
            due = time.monotonic() + _INTERVAL_S
            await asyncio.sleep(_INTERVAL_S)
            self._delay.observe(max(0.0, time.monotonic() - due))

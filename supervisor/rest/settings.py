"""The REST API's settings as the server needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from supervisor.rest.listeners import Listener, parse_listener
from tasks.settings import WorkerConfig
from tasks.settings.rest import ADMIN_LISTENERS, ADVERTISED_HOST_NAME, ADVERTISED_PORT, LISTENERS, MAX_REQUEST_BYTES


@dataclass(frozen=True, kw_only=True)
class RestSettings:
    """No `listeners`: the REST API is off. `admin_listeners` None: the administrative part shares the `listeners`; empty:
    there is none."""

    listeners: Sequence[Listener]
    admin_listeners: Sequence[Listener] | None
    advertised_host: str | None
    advertised_port: int | None
    max_body_bytes: int
    topic_tracking: bool
    topic_tracking_reset: bool

    @classmethod
    def of(cls, worker: WorkerConfig) -> Self:
        """Raises ConfigException."""
        admin = worker.get(ADMIN_LISTENERS)
        return cls(
            listeners=[parse_listener(LISTENERS, url) for url in worker.get(LISTENERS)],
            admin_listeners=None if admin is None else [parse_listener(ADMIN_LISTENERS, url) for url in admin if url],
            advertised_host=worker.get(ADVERTISED_HOST_NAME),
            advertised_port=worker.get(ADVERTISED_PORT),
            max_body_bytes=worker.get(MAX_REQUEST_BYTES),
            topic_tracking=worker.topic_tracking_enable,
            topic_tracking_reset=worker.topic_tracking_allow_reset,
        )

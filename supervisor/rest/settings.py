"""The REST API's settings as the server needs them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from connectd.errors import ConfigException
from supervisor.rest.credentials import Credentials, credentials_file
from supervisor.rest.cross_origin import CrossOrigin
from supervisor.rest.listeners import Listener, parse_listener
from supervisor.rest.response_headers import HeaderRule, parse_rules
from supervisor.rest.roles import Role
from supervisor.rest.tls import ADMIN_LISTENERS_PREFIX, LISTENERS_PREFIX, client_context, server_context
from tasks.settings import WorkerConfig
from tasks.settings.rest import (
    ADMIN_LISTENERS,
    ADVERTISED_HOST_NAME,
    ADVERTISED_LISTENER,
    ADVERTISED_PORT,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    BASIC_AUTH_FILE,
    EXTENSION_CLASSES,
    LISTENERS,
    MAX_REQUEST_BYTES,
    METRICS_LISTENERS,
    RESPONSE_HEADERS,
    ROLE_PREFIX,
    ROLES,
    UI_ENABLED,
)


@dataclass(frozen=True, kw_only=True)
class RestSettings:
    """No `listeners`: the REST API is off. `admin_listeners` None: the administrative part shares the `listeners`; empty:
    there is none. `tls` and `admin_tls` are there if a listener is `https`; `client_tls` makes that of requests to workers."""

    listeners: Sequence[Listener]
    admin_listeners: Sequence[Listener] | None
    metrics_listeners: Sequence[Listener]
    advertised_host: str | None
    advertised_port: int | None
    advertised_listener: str | None
    max_body_bytes: int
    topic_tracking: bool
    topic_tracking_reset: bool
    ui: bool
    tls: ssl.SSLContext | None
    admin_tls: ssl.SSLContext | None
    client_tls: Callable[[], ssl.SSLContext]
    credentials: Credentials | None
    roles: dict[str, Role] = field(default_factory=dict)
    cross_origin: CrossOrigin | None
    response_headers: Sequence[HeaderRule]

    @classmethod
    def of(cls, worker: WorkerConfig) -> Self:
        """Raises ConfigException."""
        admin = worker.get(ADMIN_LISTENERS)
        listeners = [parse_listener(LISTENERS, url) for url in worker.get(LISTENERS)]
        admin_listeners = [parse_listener(ADMIN_LISTENERS, url) for url in admin or () if url]
        metrics_listeners = [parse_listener(METRICS_LISTENERS, url) for url in worker.get(METRICS_LISTENERS)]
        file = credentials_file(worker.get(BASIC_AUTH_FILE)) if worker.get(EXTENSION_CLASSES) else None
        return cls(
            listeners=listeners,
            admin_listeners=None if admin is None else admin_listeners,
            metrics_listeners=metrics_listeners,
            advertised_host=worker.get(ADVERTISED_HOST_NAME),
            advertised_port=worker.get(ADVERTISED_PORT),
            advertised_listener=worker.get(ADVERTISED_LISTENER),
            max_body_bytes=worker.get(MAX_REQUEST_BYTES),
            topic_tracking=worker.topic_tracking_enable,
            topic_tracking_reset=worker.topic_tracking_allow_reset,
            ui=worker.get(UI_ENABLED),
            tls=_tls(worker, [*listeners, *metrics_listeners], LISTENERS_PREFIX),
            admin_tls=_tls(worker, admin_listeners, ADMIN_LISTENERS_PREFIX),
            client_tls=partial(client_context, worker),
            credentials=None if file is None else Credentials(file),
            roles={user: Role[name.upper()] for name in ROLES for user in worker.get(ROLE_PREFIX + name)},
            cross_origin=CrossOrigin.of(worker.get(ALLOW_ORIGIN), worker.get(ALLOW_METHODS)),
            response_headers=parse_rules(worker.get(RESPONSE_HEADERS)),
        )


def _tls(worker: WorkerConfig, listeners: Sequence[Listener], prefix: str) -> ssl.SSLContext | None:
    return server_context(worker, prefix) if any(listener.tls for listener in listeners) else None


def rest_errors(worker: WorkerConfig) -> list[ConfigException]:
    """What is wrong with the settings of the REST API, beyond what single keys can tell; nothing listens."""
    try:
        RestSettings.of(worker)
    except ConfigException as error:
        return [error]
    return []

"""HTTPS: what the `ssl.` keys of a worker file mean for a listener (`org.apache.kafka.connect.runtime.rest.util.SSLUtils`)."""

from __future__ import annotations

import ssl
from typing import Final

from plugins.tls.context import TlsSettings
from tasks.settings import WorkerConfig

LISTENERS_PREFIX: Final = "listeners.https."
ADMIN_LISTENERS_PREFIX: Final = "admin.listeners.https."


def server_context(worker: WorkerConfig, prefix: str) -> ssl.SSLContext:
    """The TLS of listeners. As in Java, if there are keys below `prefix` these are all that counts. Raises ConfigException."""
    return _settings(worker, prefix).server_context()


def client_context(worker: WorkerConfig) -> ssl.SSLContext:
    """The TLS of requests to other workers, with the same keys as the listeners. Raises ConfigException."""
    return _settings(worker, LISTENERS_PREFIX).client_context()


def _settings(worker: WorkerConfig, prefix: str) -> TlsSettings:
    given = worker.values_with_prefix_all_or_nothing(prefix)
    if not any(key.startswith(prefix) for key in worker.originals()):
        return TlsSettings("", given)
    defaults = {name: key.default_value for name, key in worker.definition.config_keys.items() if key.has_default}
    return TlsSettings(prefix, {**defaults, **given})

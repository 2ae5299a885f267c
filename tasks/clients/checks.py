"""What is wrong with the client settings of a worker file, before any client is created."""

from __future__ import annotations

from connectd.errors import ConfigException
from tasks.clients.layers import worker_layer
from tasks.clients.translate import errors
from tasks.clients.translated import Client
from tasks.settings.worker import WorkerConfig


def worker_client_errors(worker: WorkerConfig) -> list[ConfigException]:
    """An error for each wrong setting below `producer.`, `consumer.` and `admin.`, or of admin clients without a prefix."""
    found = {str(error): error for client in Client for error in errors(client, worker_layer(client, worker))}
    return list(found.values())

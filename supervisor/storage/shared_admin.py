"""The admin client that all storage topics of a worker share (`org.apache.kafka.connect.util.SharedTopicAdmin`)."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakValueDictionary

from confluent_kafka.admin import AdminClient

from tasks.clients import ClientSettings, create

_Key = tuple[tuple[str, object], ...]

_living: Final[WeakValueDictionary[_Key, AdminClient]] = WeakValueDictionary()


def shared_admin(settings: ClientSettings, *, instead_of: AdminClient | None = None, **callbacks: Any) -> AdminClient:
    """The client with these settings that others have already, else a new one with these callbacks; it lives as long as
    somebody has it.

    With `instead_of`, which is of no use any more, it is another one than that. Raises ConfigException, ConnectException.
    """
    key = tuple(sorted(settings.conf.items()))
    client = _living.get(key)
    if client is None or client is instead_of:
        client = _living[key] = create(AdminClient, settings, **callbacks)
    return client

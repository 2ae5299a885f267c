"""Clients that live as long as their task or worker: what they tell about themselves, and brokers for one that lost them all.

A broker that is stopped answers for a moment that there are topics, but no brokers. librdkafka (2.13 to 2.16 at least,
https://github.com/confluentinc/librdkafka/issues/5301) then gives up all that it knows, and sometimes does not start again
from `bootstrap.servers`: that client would never connect to anything again, nor tell its caller. Java's client takes no notice
of such an answer (`NetworkClient.handleSuccessfulResponse`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
import structlog

from tasks.clients.client_settings import ClientSettings, create

T = TypeVar("T")

# librdkafka writes its statistics so often, as JSON: often enough for metrics, and no load (0.1 ms each).
INTERVAL_MS: Final = 10_000
# Others are librdkafka's own: a coordinator, for one, that has no address while there are no brokers.
_REAL: Final = frozenset({"configured", "learned"})

log = structlog.get_logger(__name__)


class Broker(msgspec.Struct):
    """As a client sees it. `nodeid` is negative for one of `bootstrap.servers`."""

    state: str
    nodeid: int
    source: str


class Statistics(msgspec.Struct):
    """What is needed of https://github.com/confluentinc/librdkafka/blob/master/STATISTICS.md; bytes since the start."""

    name: str
    tx_bytes: int
    rx_bytes: int
    brokers: dict[str, Broker]


_decoder = msgspec.json.Decoder(Statistics)


def create_lasting(
    factory: Callable[[dict[str, Any]], T],
    settings: ClientSettings,
    note: Callable[[Statistics], object] | None = None,
    **callbacks: Any,
) -> T:
    """As `create`, for a client that is served (`poll`, `consume`, `flush`) all its life: `note` is called there now and then.

    Raises ConfigException, ConnectException.
    """
    attention = _Attention(settings.conf.get("bootstrap.servers", ""), note)
    own = {"statistics.interval.ms": INTERVAL_MS, "stats_cb": attention.on_statistics}
    client = create(factory, settings, **callbacks, **own)
    attention.handle = handle_of(client)
    return client


class _Attention:
    """To one client."""

    def __init__(self, bootstrap_servers: str, note: Callable[[Statistics], object] | None) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._note = note
        # Not the client, which would live on in this circle.
        self.handle: int | None = None

    def on_statistics(self, text: str) -> None:
        """Called by the client while it is served, so that it is there."""
        statistics = _decoder.decode(text)
        if self.handle and not any(broker.source in _REAL for broker in statistics.brokers.values()):
            log.warning(
                f"Kafka client {statistics.name} lost all brokers and starts again from bootstrap.servers,"
                f" {self._bootstrap_servers}"
            )
            _add_brokers(self.handle, self._bootstrap_servers)
        if self._note is not None:
            self._note(statistics)


def handle_of(client: object) -> int | None:
    """The address of librdkafka's handle: confluent_kafka keeps it first of all in each of its clients."""
    return ctypes.c_void_p.from_address(id(client) + object.__basicsize__).value


def _add_brokers(handle: int, servers: str) -> None:
    """`rd_kafka_brokers_add`, which confluent_kafka does not offer."""
    from confluent_kafka import cimpl

    add = ctypes.CDLL(cimpl.__file__).rd_kafka_brokers_add
    add.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    add(handle, servers.encode())

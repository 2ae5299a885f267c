"""Connections and bytes of a Kafka client, under the attribute names of Kafka's own clients."""

from __future__ import annotations

from typing import Any, Final

import msgspec

# librdkafka writes its statistics so often, as JSON: often enough for metrics, and no load (0.1 ms each).
INTERVAL_MS: Final = 10_000


class _Broker(msgspec.Struct):
    state: str
    nodeid: int


class _Statistics(msgspec.Struct):
    tx_bytes: int
    rx_bytes: int
    brokers: dict[str, _Broker]


_decoder = msgspec.json.Decoder(_Statistics)


class Traffic:
    """Of one client: `client` is `producer`, `consumer` or `adminclient`, as in the names of the clients."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._last = _Statistics(tx_bytes=0, rx_bytes=0, brokers={})

    @property
    def settings(self) -> dict[str, Any]:
        """What the client is created with."""
        return {"statistics.interval.ms": INTERVAL_MS, "stats_cb": self._on_statistics}

    def snapshot(self) -> dict[str, float]:
        """For the heartbeat."""
        last = self._last
        # The brokers that were named to begin with are the cluster's under another name: connections to those are short.
        connections = sum(broker.state == "UP" and broker.nodeid >= 0 for broker in last.brokers.values())
        return {
            f"{self._client}-connection-count": connections,
            f"{self._client}-outgoing-byte-total": last.tx_bytes,
            f"{self._client}-incoming-byte-total": last.rx_bytes,
        }

    def _on_statistics(self, text: str) -> None:
        self._last = _decoder.decode(text)

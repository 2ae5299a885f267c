"""Connections and bytes of a Kafka client, under the attribute names of Kafka's own clients."""

from __future__ import annotations

from tasks.clients import Statistics


class Traffic:
    """Of one client: `client` is `producer`, `consumer` or `adminclient`, as in the names of the clients."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._last = Statistics(name="", tx_bytes=0, rx_bytes=0, brokers={})

    def note(self, statistics: Statistics) -> None:
        """For `create_lasting`."""
        self._last = statistics

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

"""The settings of group membership (`org.apache.kafka.clients.GroupRebalanceConfig`, `DistributedConfig`)."""

from __future__ import annotations

from typing import Final, Self
from urllib.parse import urlsplit

import msgspec

from supervisor.group.protocol import ConnectProtocol
from tasks.clients import worker_admin_settings
from tasks.clients.translated import ClientConf
from tasks.settings import DistributedConfig

# Where a worker file sets nothing, what Java's distributed workers have; answers may be long, for they tell of every task.
_CLIENT: Final = {
    "request_timeout_ms": 40_000,
    "retry_backoff_ms": 100,
    "reconnect_backoff_ms": 50,
    "reconnect_backoff_max_ms": 1_000,
    "receive_message_max_bytes": 100_000_000,
}


class GroupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who this worker is in which group. `url` is where other workers reach its REST API; `client` is for kafka-python,
    and hides its secrets when it is printed. A worker with an `instance_id` is a static member (KIP-345). `topics` are its
    storage topics."""

    group_id: str
    url: str
    client: ClientConf
    client_id: str
    topics: tuple[str, ...] = ()
    instance_id: str | None = None
    protocol: ConnectProtocol = ConnectProtocol.SESSIONED
    session_timeout_ms: int = 10_000
    heartbeat_interval_ms: int = 3_000
    rebalance_timeout_ms: int = 60_000
    scheduled_rebalance_max_delay_ms: int = 300_000

    @classmethod
    def of(cls, worker: DistributedConfig, url: str) -> Self:
        """The settings of a worker. Raises ConfigException for security settings that cannot be used."""
        # Imported here, as everywhere: it loads kafka-python, which only distributed workers need.
        from tasks.clients.kafka_python import kafka_python_conf

        client_id = worker.originals().get("client.id") or f"connect-{urlsplit(url).netloc}"
        return cls(
            group_id=worker.group_id,
            url=url,
            client=ClientConf(_CLIENT | kafka_python_conf(worker_admin_settings(worker, client_id))),
            client_id=client_id,
            topics=(worker.config_topic.name, worker.offset_topic.name, worker.status_topic.name),
            instance_id=worker.group_instance_id,
            protocol=ConnectProtocol(worker.get("connect.protocol").lower()),
            session_timeout_ms=worker.get("session.timeout.ms"),
            heartbeat_interval_ms=worker.get("heartbeat.interval.ms"),
            rebalance_timeout_ms=worker.rebalance_timeout_ms,
            scheduled_rebalance_max_delay_ms=worker.get("scheduled.rebalance.max.delay.ms"),
        )

"""The broker's configuration files, from what the user chose. Pure functions: text in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .ports import HOST

# One version is tested and pinned by hashes (kafka-<version>.lock).
KAFKA_VERSION = "4.3.0"
NODE_ID = 1

# A single node, quick to be ready, small at rest; all else is as Apache Kafka ships it, so that speed is a real broker's.
_SINGLE_NODE = {
    "process.roles": "broker,controller",
    "node.id": str(NODE_ID),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "CLIENT",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "true",
    # The default of 128 MiB is allocated at once: half a second of the start, and memory.
    "log.cleaner.dedupe.buffer.size": str(8 << 20),
}

_LOG4J2 = """\
status=warn
# Kafka logs its own shutdown, in a hook of the same kind.
shutdownHook=disable
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=info
rootLogger.appenderRef.console.ref=console
# Hundreds of lines with every configuration value.
logger.config.name=org.apache.kafka.common.config.AbstractConfig
logger.config.level=warn
"""


@dataclass(frozen=True)
class BrokerOptions:
    """What the user may choose. `sasl` is None, "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512"; `heap` as for java -Xmx."""

    version: str = KAFKA_VERSION
    port: int = 9092
    heap: str = "512m"
    tls: bool = False
    sasl: str | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"

    @property
    def security_protocol(self) -> str:
        """Kafka's name of the clients' listener protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
        if self.sasl:
            return "SASL_SSL" if self.tls else "SASL_PLAINTEXT"
        return "SSL" if self.tls else "PLAINTEXT"


def server_properties(
    options: BrokerOptions, log_dir: Path, controller_port: int, security: Mapping[str, str]
) -> dict[str, str]:
    """The broker's server.properties; `security` holds the settings of TLS and SASL."""
    return {
        **_SINGLE_NODE,
        "controller.quorum.voters": f"{NODE_ID}@{HOST}:{controller_port}",
        "listeners": f"CLIENT://{HOST}:{options.port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"CLIENT://{HOST}:{options.port}",
        "listener.security.protocol.map": f"CONTROLLER:PLAINTEXT,CLIENT:{options.security_protocol}",
        "log.dirs": str(log_dir),
        **security,
    }


def log4j2_properties() -> str:
    """The configuration of the broker's log: all to standard output."""
    return _LOG4J2

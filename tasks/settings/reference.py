"""The reference page of all settings, made from their declarations: `docs/configuration.md`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectd.config import ConfigDef
from tasks.clients.client_settings import ADMIN_TUNING, CONSUMER_TUNING, MAX_POLL_RECORDS, PRODUCER_TUNING
from tasks.clients.setting import Setting
from tasks.clients.translated import Client
from tasks.clients.translation import TABLE
from tasks.settings.connector import ConnectorConfig
from tasks.settings.distributed import DistributedConfig
from tasks.settings.sink import SinkConnectorConfig
from tasks.settings.source import SourceConnectorConfig
from tasks.settings.worker import StandaloneConfig, WorkerConfig

_INTRODUCTION = """\
# Configuration

<!-- Made by `connectd config-docs` from the declarations in the code; do not edit. -->

The files of Kafka Connect work as they are: names, types and defaults of the keys are those of Apache Kafka 4.3. Keys
that exist only here are marked "(connectd only)". A worker file is a Java `.properties` file; a connector file is one
too, or JSON: the flat map of keys, or `{"name": ..., "config": {...}}` as in the REST API. A wrong value is an error that
names the key, the value and what was expected, all errors of a file at once. An unknown key is a warning with the name
that it was probably meant to be.
"""

_CLIENTS = """\
## Kafka clients

The settings of the Kafka clients that tasks use come from, each before the one above it:

1. what Connect sets by itself: `acks=all`, idempotence and endless delivery for producers; `auto.offset.reset=earliest`,
   no automatic commit, and the static membership `connect-NAME-TASK` in the group `connect-NAME` for sinks; and what
   Java's consumers do by default where librdkafka's do not (`isolation.level=read_uncommitted`, `check.crcs=true`,
   `allow.auto.create.topics=true`, but `false` with `topics.regex`),
2. the worker file, with the prefix `producer.`, `consumer.` or `admin.` (for admin clients also without a prefix),
3. the connector, with the prefix `producer.override.`, `consumer.override.` or `admin.override.`, if the worker's
   `connector.client.config.override.policy` allows it.

Being a static member (KIP-345), a sink task that was restarted or killed goes on at once, without a rebalance. Where
nobody takes it over at once, it leaves its group: when its connector is removed or stopped or has fewer tasks, when it has
failed for good, and when the worker stops. That is done with the settings and rights of its consumer.

As in Java, `security.protocol` and the like without a prefix are for the worker's admin clients alone: repeat them with
`producer.` and `consumer.`. The clients are librdkafka's. Settings are written as for Java's clients, and translated by the
table below. Settings that only librdkafka ([its reference](https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md))
has may be given too, by its names and below the same prefixes. A setting that has no effect here gives a warning.

Key stores and trust stores may be JKS, PKCS12 or PEM files, or PEM texts; they are converted in memory.

Where nothing else is said, these settings of librdkafka are used, for throughput in bounded memory:
"""


def reference_page(more: Mapping[str, ConfigDef] | None = None) -> str:
    """The page in Markdown. `more` are sections whose keys are declared elsewhere, by title: they precede the clients."""
    base = ConnectorConfig.base_config_def()
    sections = {
        "Worker": WorkerConfig.config_def(),
        "Standalone worker": _beyond(StandaloneConfig.config_def(), WorkerConfig.config_def()),
        "Distributed worker": _beyond(DistributedConfig.config_def(), WorkerConfig.config_def()),
        "All connectors": base,
        "Source connectors": _beyond(SourceConnectorConfig.base_config_def(), base),
        "Topics created for source connectors": _beyond(
            SourceConnectorConfig.config_def({"topic.creation.groups": "NAME"}), SourceConnectorConfig.base_config_def()
        ),
        "Sink connectors": _beyond(SinkConnectorConfig.base_config_def(), base),
        **(more or {}),
    }
    parts = [_INTRODUCTION]
    parts += [f"## {title}\n\n{definition.to_markdown(4)}" for title, definition in sections.items()]
    return "\n".join([*parts, _CLIENTS, _tuning(), _translations()])


def _beyond(definition: ConfigDef, base: ConfigDef) -> ConfigDef:
    """The keys that `definition` has and `base` has not."""
    own = ConfigDef()
    for key in definition.config_keys.values():
        if key.name not in base.config_names:
            own.define_key(key)
    return own


def _tuning() -> str:
    rows = [("producer", name, value) for name, value in PRODUCER_TUNING.items()]
    rows += [("consumer", name, value) for name, value in CONSUMER_TUNING.items()]
    rows.append(("consumer", "max.poll.records", MAX_POLL_RECORDS))
    rows += [("admin", name, value) for name, value in ADMIN_TUNING.items()]
    return _table(("Client", "Setting", "Value"), ((client, f"`{name}`", str(value)) for client, name, value in rows))


def _translations() -> str:
    rows = ((f"`{row.name}`", row.type.name.lower(), _clients(row), _escaped(row.meaning)) for row in TABLE)
    return _table(("Java's setting", "Type", "Clients", "Here"), sorted(rows))


def _clients(row: Setting) -> str:
    return "all" if row.clients == ~Client(0) else ", ".join(str(client.name).lower() for client in row.clients)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")

"""Reads and changes the offsets of a connector (KIP-875), as `Worker.connectorOffsets` and `modifyConnectorOffsets` in Java.

It calls the connector's own `alter_offsets`, and so runs third-party code: in children only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from connectd.connectors import Connector, SinkConnector, SourceConnector
from connectd.errors import ConnectException, DataException
from connectd.records import TopicPartition
from plugins.discovery import find_class
from tasks.java.choosing import java_connector
from tasks.messages import AlterOffsets, ListOffsets, OffsetsAltered, OffsetsListed, Reason
from tasks.refusal import Refusal
from tasks.settings import SinkConnectorConfig, WorkerConfig
from tasks.settings.connector import CONNECTOR_CLASS
from tasks.sink.group import ConsumerGroup, GroupOffsets
from tasks.source.offsets import encode_key, encode_value

TOPIC: Final = "kafka_topic"
PARTITION: Final = "kafka_partition"
OFFSET: Final = "kafka_offset"

Pairs = Sequence[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]]


def list_offsets(order: ListOffsets) -> OffsetsListed:
    """The committed offsets of a sink's group. Raises Refusal."""
    with ConsumerGroup.of(
        WorkerConfig(order.worker_config), SinkConnectorConfig(order.config), order.timeout_s
    ) as group:
        offsets = group.offsets()
    return OffsetsListed(offsets=[(each.topic, each.partition, offset or 0) for each, offset in offsets.items()])


def alter_offsets(order: AlterOffsets) -> OffsetsAltered:
    """Ask the connector, then change the group of a sink; what a source's offsets become is in the answer. Raises Refusal."""
    worker = WorkerConfig(order.worker_config)
    java = java_connector(order.config, order.worker_config, worker.plugin_path)
    if java is not None:
        # Only where it is needed: every other process starts sooner without it.
        from tasks.java.asking import alter_java_offsets

        return alter_java_offsets(order, java)
    connector: Connector = find_class(order.config[CONNECTOR_CLASS], plugin_path=worker.plugin_path)()
    with connector:
        requested = None if order.offsets is None else json.loads(order.offsets)
        if isinstance(connector, SinkConnector):
            return _alter_sink(connector, order, worker, requested)
        assert isinstance(connector, SourceConnector)
        return _alter_source(connector, order, requested)


# --- sources ----------------------------------------------------------------------------------------------------------


def _alter_source(connector: SourceConnector, order: AlterOffsets, requested: Pairs | None) -> OffsetsAltered:
    offsets = [(json.loads(key)[1], None) for key in order.stored] if requested is None else _without_doubles(requested)
    name = order.config["name"]
    try:
        entries = [(encode_key(name, partition or {}), encode_value(offset)) for partition, offset in offsets]
    except DataException as error:
        raise Refusal(Reason.WRONG, str(error)) from error
    handled = _ask(name, lambda: connector.alter_offsets(order.config, offsets))
    # A partition of null cannot be found again by a source, so there is nothing to store under it.
    kept = [entry for entry, (partition, _) in zip(entries, offsets, strict=True) if partition is not None]
    return OffsetsAltered(handled=handled, entries=kept)


def _without_doubles(requested: Pairs) -> Pairs:
    """Of several offsets for one partition the last counts."""
    return list({json.dumps(pair[0], sort_keys=True): pair for pair in requested}.values())


# --- sinks ------------------------------------------------------------------------------------------------------------


def _alter_sink(
    connector: SinkConnector, order: AlterOffsets, worker: WorkerConfig, requested: Pairs | None
) -> OffsetsAltered:
    wanted = None if requested is None else _parsed(requested)
    with ConsumerGroup.of(worker, SinkConnectorConfig(order.config), order.timeout_s) as group:
        offsets: GroupOffsets = dict.fromkeys(group.offsets(), None) if wanted is None else wanted
        handled = _ask(order.config["name"], lambda: connector.alter_offsets(order.config, offsets))
        if wanted is None:
            group.delete()
        else:
            group.alter(wanted)
    return OffsetsAltered(handled=handled)


def _parsed(requested: Pairs) -> dict[TopicPartition, int | None]:
    """As `SinkUtils.parseSinkConnectorOffsets`. Raises Refusal."""
    return {_partition(partition): _offset(offset) for partition, offset in requested}


def _partition(partition: Mapping[str, Any] | None) -> TopicPartition:
    if partition is None:
        raise _wrong("The partition for a sink connector offset cannot be null or missing")
    if TOPIC not in partition or PARTITION not in partition:
        raise _wrong(f"The partition for a sink connector offset must contain the keys '{TOPIC}' and '{PARTITION}'")
    topic, number = partition[TOPIC], partition[PARTITION]
    if topic is None:
        raise _wrong("Kafka topic names must be valid strings and may not be null")
    if number is None:
        raise _wrong("Kafka partitions must be valid numbers and may not be null")
    return TopicPartition(
        str(topic),
        _integer(
            number,
            f"Failed to parse the following Kafka partition value in the provided offsets: '{number}'. Partition values "
            "for sink connectors need to be integers.",
        ),
    )


def _offset(offset: Mapping[str, Any] | None) -> int | None:
    if offset is None:
        return None
    if OFFSET not in offset:
        raise _wrong(f"The offset for a sink connector should either be null or contain the key '{OFFSET}'")
    value = offset[OFFSET]
    shown = "null" if value is None else value
    return _integer(
        value,
        f"Failed to parse the following Kafka offset value in the provided offsets: '{shown}'. Offset values for sink "
        "connectors need to be integers.",
    )


def _integer(value: Any, message: str) -> int:
    """A number, or the text of one."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _wrong(message)
    try:
        number = int(value)
    except ValueError:
        raise _wrong(message) from None
    if number < 0:
        raise _wrong(f"{message} Negative ones do not exist.")
    return number


# --- both -------------------------------------------------------------------------------------------------------------


def _ask(name: str, alter: Callable[[], bool]) -> bool:
    try:
        return bool(alter())
    except NotImplementedError as error:
        raise _wrong(
            f"Failed to modify offsets for connector {name} because it doesn't support external modification of offsets"
        ) from error
    except ConnectException as error:
        raise _wrong(str(error)) from error
    except Exception as error:
        raise Refusal(
            Reason.FAILED, f"The connector's alter_offsets failed: {type(error).__name__}: {error}"
        ) from error


def _wrong(message: str) -> Refusal:
    return Refusal(Reason.WRONG, message)

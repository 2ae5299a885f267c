"""The offsets of connectors: of sources where the worker keeps them, of sinks in their consumer groups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import structlog

from connectd.errors import ConnectException
from supervisor.herder.entities import ConnectorOffset, ConnectorType
from supervisor.herder.errors import BadRequest, OperationInProgress, Unavailable
from supervisor.herder.progress import Outcome, note
from supervisor.inquiries.inquiry import Answer, InquiryRefused, ask
from supervisor.storage.offset_file import OffsetStores, source_partition
from supervisor.units.unit import Surroundings
from tasks.messages import AlterOffsets, ListOffsets, OffsetsAltered, OffsetsListed, Reason

log = structlog.get_logger(__name__)

# How long Kafka may take; the child gets a little longer before it is given up, so that it can say what went wrong.
READ_TIMEOUT_S = 15.0
CHANGE_TIMEOUT_S = 60.0
GRACE_S = 20.0


class ConnectorOffsets:
    """Reads and changes them. Kafka and plugin code are asked in a child."""

    def __init__(self, surroundings: Surroundings, stores: OffsetStores) -> None:
        self._surroundings = surroundings
        self._stores = stores

    async def read(self, config: dict[str, str], kind: ConnectorType) -> list[ConnectorOffset]:
        """How far the connector has read. Raises Unavailable, InquiryFailed."""
        if kind is not ConnectorType.SINK:
            return [ConnectorOffset(partition, offset) for _, partition, offset in await self._stored(config)]
        order = ListOffsets(
            config=config,
            worker_config=self._surroundings.worker_config,
            log=self._surroundings.log,
            timeout_s=READ_TIMEOUT_S,
        )
        listed = await self._ask(order, OffsetsListed)
        return [
            ConnectorOffset({"kafka_topic": topic, "kafka_partition": partition}, {"kafka_offset": offset})
            for topic, partition, offset in listed.offsets
        ]

    async def alter(self, config: dict[str, str], offsets: Sequence[ConnectorOffset] | None) -> bool:
        """Change or, with None, reset them; True if the connector took care of it too.

        Raises BadRequest, Unavailable, OperationInProgress, InquiryFailed; OffsetFileError if they cannot be stored.
        """
        pairs = None if offsets is None else [(each.partition, each.offset) for each in offsets]
        order = AlterOffsets(
            config=config,
            worker_config=self._surroundings.worker_config,
            log=self._surroundings.log,
            offsets=None if pairs is None else json.dumps(pairs).encode(),
            stored=[key for key, _, _ in await self._stored(config)],
            timeout_s=CHANGE_TIMEOUT_S,
        )
        note(Outcome.UNKNOWN)  # the connector and Kafka change theirs in the child
        altered = await self._ask(order, OffsetsAltered)
        if altered.entries:
            await self._stores.of(config).commit(altered.entries)
        note(Outcome.APPLIED)
        return altered.handled

    async def _stored(
        self, config: Mapping[str, str]
    ) -> list[tuple[bytes, dict[str, object], dict[str, object] | None]]:
        """Key, partition and offset of each entry of a source."""
        found = []
        for key, value in await self._stores.of(config).entries_of(config["name"]):
            if (stored := source_partition(key)) is not None:
                found.append((key, stored[1], _offset(value)))
        return found

    async def _ask(self, order: ListOffsets | AlterOffsets, expected: type[Answer]) -> Answer:
        try:
            return await ask(self._surroundings.pool, order, expected, order.timeout_s + GRACE_S)
        except InquiryRefused as refused:
            if refused.reason is not Reason.UNAVAILABLE:
                note(Outcome.NOT_APPLIED)
            kinds: dict[Reason, type[ConnectException]] = {
                Reason.WRONG: BadRequest,
                Reason.BUSY: OperationInProgress,
                Reason.UNAVAILABLE: Unavailable,
            }
            raise kinds.get(refused.reason, ConnectException)(str(refused)) from refused


def _offset(value: bytes | None) -> dict[str, object] | None:
    try:
        content = json.loads(value or b"null")
    except ValueError:
        return None
    return content if isinstance(content, dict) else None

"""The bytes that members of a Connect group exchange: worker states and assignments of the protocol's versions 0, 1 and 2.

Kafka's `ConnectProtocol` (version 0) and `IncrementalCooperativeConnectProtocol` (1, KIP-415; 2, KIP-507, the same but for
its number). Numbers are big-endian; a text is its length in two bytes and UTF-8; an array its length in four.

Behind states and assignments of versions 1 and 2 stand the storage topics, after a text that says whose addition that is.
Java's workers read what they know and leave the rest alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

from supervisor.group.assignment import COMPATIBLE, EAGER, SESSIONED, Assignment, WorkerState
from supervisor.units.lifecycle import UnitId

# Stands among the numbers of tasks for the connector itself.
_CONNECTOR: Final = -1
_NULL: Final = -1
_ADDITION: Final = "connectd"
_VERSIONS_WITH_ADDITION: Final = (COMPATIBLE, SESSIONED)


class WireError(ValueError):
    """Bytes that no Connect worker sends."""


def encode_state(state: WorkerState, version: int) -> bytes:
    """What a member says when it joins. Version 0 does not tell what the worker runs."""
    found = _int16(version) + _text(state.url) + _int64(state.offset)
    if version < COMPATIBLE:
        return found
    allocation = b"" if state.assignment == Assignment() else encode_assignment(state.assignment, version)
    return found + _int32(len(allocation) or _NULL) + allocation + _topics(state.topics)


def decode_state(data: bytes) -> WorkerState:
    """Any version. Raises WireError."""
    reader = _Reader(data)
    version = reader.version()
    url, offset = reader.text(), reader.int64()
    length = reader.int32() if reader.has_more else _NULL
    assignment = Assignment() if length == _NULL else decode_assignment(reader.take(length))
    return WorkerState(url=url, offset=offset, assignment=assignment, topics=reader.topics(version))


def encode_assignment(assignment: Assignment, version: int) -> bytes:
    """What the leader tells a member. Version 0 knows neither revocations nor delays."""
    found = b"".join(
        (
            _int16(version),
            _int16(assignment.error),
            _text(assignment.leader),
            _text(assignment.leader_url),
            _int64(assignment.offset),
            _units(assignment.connectors, assignment.tasks),
        )
    )
    if version == EAGER:
        return found
    revoked = _units(assignment.revoked_connectors, assignment.revoked_tasks)
    return found + revoked + _int32(assignment.delay_ms) + _topics(assignment.topics)


def decode_assignment(data: bytes) -> Assignment:
    """Any version. No bytes at all are an assignment of nothing by nobody. Raises WireError."""
    if not data:
        return Assignment()
    reader = _Reader(data)
    version, error = reader.version(), reader.int16()
    leader, leader_url, offset = reader.text(), reader.text(), reader.int64()
    connectors, tasks = reader.units()
    revoked_connectors, revoked_tasks = reader.units()
    return Assignment(
        version=version,
        error=error,
        leader=leader,
        leader_url=leader_url,
        offset=offset,
        connectors=connectors,
        tasks=tasks,
        revoked_connectors=revoked_connectors,
        revoked_tasks=revoked_tasks,
        delay_ms=reader.int32() if reader.has_more else 0,
        topics=reader.topics(version),
    )


# --- writing ----------------------------------------------------------------------------------------------------------


def _int16(value: int) -> bytes:
    return struct.pack(">h", value)


def _int32(value: int) -> bytes:
    return struct.pack(">i", value)


def _int64(value: int) -> bytes:
    return struct.pack(">q", value)


def _text(value: str | None) -> bytes:
    if value is None:
        raise WireError("a text of the Connect protocol is missing: only an assignment of nothing has no leader")
    data = value.encode()
    return _int16(len(data)) + data


def _units(connectors: Iterable[str], tasks: Iterable[UnitId]) -> bytes:
    """Grouped by connector: first those that are given themselves, in the order given."""
    numbers: dict[str, list[int]] = {connector: [_CONNECTOR] for connector in connectors}
    for task in tasks:
        assert task.task is not None
        numbers.setdefault(task.connector, []).append(task.task)
    groups = (
        _text(connector) + struct.pack(f">i{len(found)}i", len(found), *found) for connector, found in numbers.items()
    )
    return _int32(len(numbers)) + b"".join(groups)


def _topics(topics: tuple[str, ...]) -> bytes:
    return _text(_ADDITION) + _int32(len(topics)) + b"".join(map(_text, topics)) if topics else b""


# --- reading ----------------------------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._position = 0

    @property
    def has_more(self) -> bool:
        """What a later version has added at the end is missing in the bytes of an earlier one."""
        return self._position < len(self._data)

    def take(self, length: int) -> bytes:
        end = self._position + length
        if length < 0 or end > len(self._data):
            raise WireError(f"Connect protocol: {length} bytes expected, {len(self._data) - self._position} are left")
        found = self._data[self._position : end]
        self._position = end
        return bytes(found)

    def int16(self) -> int:
        return int.from_bytes(self.take(2), signed=True)

    def int32(self) -> int:
        return int.from_bytes(self.take(4), signed=True)

    def int64(self) -> int:
        return int.from_bytes(self.take(8), signed=True)

    def version(self) -> int:
        version = self.int16()
        if version < EAGER:
            raise WireError(f"Connect protocol: unsupported version {version}")
        return version

    def text(self) -> str:
        try:
            return self.take(self.int16()).decode()
        except UnicodeDecodeError as error:
            raise WireError(f"Connect protocol: a text is not UTF-8: {error}") from error

    def topics(self, version: int) -> tuple[str, ...]:
        """Empty where there are none; what a later version has added is something else."""
        if version not in _VERSIONS_WITH_ADDITION or not self.has_more or self.text() != _ADDITION:
            return ()
        return tuple(self.text() for _ in range(self.int32()))

    def units(self) -> tuple[tuple[str, ...], tuple[UnitId, ...]]:
        """Connectors and tasks; a null array is an empty one."""
        connectors, tasks = [], []
        for _ in range(self.int32() if self.has_more else 0):
            connector = self.text()
            count = self.int32()
            for number in struct.unpack(f">{max(count, 0)}i", self.take(count * 4)):
                if number == _CONNECTOR:
                    connectors.append(connector)
                else:
                    tasks.append(UnitId(connector, number))
        return tuple(connectors), tuple(tasks)

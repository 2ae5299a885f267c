"""OffsetState: what the records of the offset topic amount to (`KafkaOffsetBackingStore`, `OffsetUtils.processPartitionKey`)."""

from __future__ import annotations

from typing import Final

from supervisor.storage.offset_file import canonical, source_partition

_FOREIGN: Final = ""  # no connector can have this name


class OffsetState:
    """The last value of each key, by connector.

    Keys are compared as JSON, for the same source partition may be written with its fields in another order. Then its records
    may be in several partitions of the topic, which have no order among each other: there the later timestamp counts.
    Kept small, for there may be millions: a key that is its own canonical form, and can have no other, is stored once.
    """

    def __init__(self) -> None:
        self._values: dict[str, dict[bytes, bytes]] = {}  # by connector, by canonical key
        self._written: dict[bytes, tuple[bytes, int]] = {}  # canonical key -> as it was written last, and when

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, however it is written."""
        connector, _, same = _identify(key)
        return self._values.get(connector, {}).get(same)

    def key_in_topic(self, key: bytes) -> bytes:
        """The key as it was written before, so that the new record replaces that one."""
        connector, _, same = _identify(key)
        return self._as_written(same) if same in self._values.get(connector, {}) else key

    def entries_of(self, connector: str) -> list[tuple[bytes, bytes]]:
        """All entries of a source: key as in the topic, and value."""
        return [(self._as_written(same), value) for same, value in self._values.get(connector, {}).items()]

    def apply(self, key: bytes | None, value: bytes | None, timestamp_ms: int) -> None:
        """Apply a record."""
        if key is None:
            return
        connector, fields, same = _identify(key)
        if fields > 1 or key != same:
            other, when = self._written.get(same, (key, timestamp_ms))
            if other != key and when > timestamp_ms:
                return
            self._written[same] = key, timestamp_ms
        if value is not None:
            self._values.setdefault(connector, {})[same] = value
        elif connector in self._values:
            self._values[connector].pop(same, None)

    def _as_written(self, same: bytes) -> bytes:
        return self._written[same][0] if same in self._written else same


def _identify(key: bytes) -> tuple[str, int, bytes]:
    """The connector, how many fields its source partition has, and the canonical form of a key."""
    found = source_partition(key)
    connector, fields = (_FOREIGN, 0) if found is None else (found[0], len(found[1]))
    return connector, fields, canonical(key)

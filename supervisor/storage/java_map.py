"""Reads and writes a serialized `java.util.HashMap<byte[], byte[]>`, the format of Kafka's `FileOffsetBackingStore`.

The grammar is chapter 6 of the Java Object Serialization Specification; of it only what such a map consists of is known here.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

_HEADER: Final = b"\xac\xed\x00\x05"
_NULL, _REFERENCE, _CLASS_DESCRIPTION, _OBJECT, _ARRAY = 0x70, 0x71, 0x72, 0x73, 0x75
_BLOCK_DATA, _END_BLOCK_DATA = 0x77, 0x78
_FIRST_HANDLE: Final = 0x7E0000

_MAP_CLASS: Final = "java.util.HashMap"
_BYTES_CLASS: Final = "[B"
_FIELD_SIZES: Final = {"B": 1, "C": 2, "D": 8, "F": 4, "I": 4, "J": 8, "S": 2, "Z": 1}

# Class descriptions as Java writes them: name, serialVersionUID, flags, fields, no annotation, no superclass.
_MAP_DESCRIPTION: Final = (
    b"\x72\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02F\x00\x0aloadFactorI\x00\x09thresholdxp"
)
_BYTES_DESCRIPTION: Final = b"\x72\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00xp"
# Its handle: the description of the map and the map itself come before it.
_BYTES_REFERENCE: Final = b"\x71" + struct.pack("!I", _FIRST_HANDLE + 2)

JavaMap = dict[bytes | None, bytes | None]


class JavaFormatError(Exception):
    """The bytes are not a serialized HashMap from byte arrays to byte arrays; the message says what was found."""


def write_map(entries: Mapping[bytes | None, bytes | None]) -> bytes:
    """What `ObjectOutputStream.writeObject` makes of a HashMap with these entries, in their order."""
    capacity = 16
    while len(entries) > capacity * 3 // 4:
        capacity *= 2
    threshold = capacity * 3 // 4 if entries else 0  # an empty map has no table yet
    parts = [
        _HEADER,
        bytes([_OBJECT]),
        _MAP_DESCRIPTION,
        struct.pack("!fI", 0.75, threshold),
        struct.pack("!BBII", _BLOCK_DATA, 8, capacity, len(entries)),
    ]
    description = _BYTES_DESCRIPTION
    for pair in entries.items():
        for value in pair:
            if value is None:
                parts.append(bytes([_NULL]))
            else:
                parts.append(b"".join((bytes([_ARRAY]), description, struct.pack("!I", len(value)), value)))
                description = _BYTES_REFERENCE
    parts.append(bytes([_END_BLOCK_DATA]))
    return b"".join(parts)


def read_map(data: bytes) -> JavaMap:
    """The entries of a serialized HashMap. Raises JavaFormatError."""
    try:
        return _Reader(data).read()
    except (struct.error, IndexError):
        raise JavaFormatError(f"it ends too early, after {len(data)} bytes") from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        # What later references may point at, in the order of the stream: class names and fields, arrays, the map itself.
        self._handles: list[Any] = []

    def read(self) -> JavaMap:
        if self._take(len(_HEADER)) != _HEADER:
            raise JavaFormatError("it does not begin like a serialized Java object")
        if self._byte() != _OBJECT:
            raise JavaFormatError("it holds no object")
        name, fields = self._class_description()
        if name != _MAP_CLASS:
            raise JavaFormatError(f"it holds a {name} instead of a {_MAP_CLASS}")
        self._handles.append(None)
        self._take(sum(_FIELD_SIZES[field] for field in fields))
        if self._byte() != _BLOCK_DATA or self._byte() != 8:
            raise JavaFormatError("the size of the map is missing")
        _, size = self._unpack("!II")
        entries = {}
        for _ in range(size):
            key = self._bytes_or_null()
            entries[key] = self._bytes_or_null()
        if self._byte() != _END_BLOCK_DATA:
            raise JavaFormatError("there is more in the map than its size says")
        return entries

    def _class_description(self) -> tuple[str, str]:
        """Name and types of the fields of a class, described here or before."""
        kind = self._byte()
        if kind == _REFERENCE:
            description = self._referenced()
            if not isinstance(description, tuple):
                raise JavaFormatError("a reference does not point at a class")
            return description
        if kind != _CLASS_DESCRIPTION:
            raise JavaFormatError(f"a class was expected at byte {self._position - 1}")
        name = self._text()
        self._take(9)  # serialVersionUID and flags
        index = len(self._handles)
        self._handles.append(None)
        (count,) = self._unpack("!H")
        fields = "".join(self._field(name) for _ in range(count))
        if self._byte() != _END_BLOCK_DATA or self._byte() != _NULL:
            raise JavaFormatError(f"the class {name} is not described as Java describes it")
        self._handles[index] = (name, fields)
        return name, fields

    def _field(self, of_class: str) -> str:
        kind = chr(self._byte())
        name = self._text()
        if kind not in _FIELD_SIZES:
            raise JavaFormatError(f"the field {name} of {of_class} is not a number")
        return kind

    def _bytes_or_null(self) -> bytes | None:
        kind = self._byte()
        if kind == _NULL:
            return None
        if kind == _REFERENCE:
            value = self._referenced()
            if not isinstance(value, bytes):
                raise JavaFormatError("a reference does not point at a byte array")
            return value
        if kind != _ARRAY:
            raise JavaFormatError(f"a key or value is no byte array, at byte {self._position - 1}")
        name, _ = self._class_description()
        if name != _BYTES_CLASS:
            raise JavaFormatError(f"a key or value is a {name} instead of a byte array")
        (length,) = self._unpack("!I")
        value = self._take(length)
        self._handles.append(value)
        return value

    def _referenced(self) -> Any:
        (handle,) = self._unpack("!I")
        if not 0 <= handle - _FIRST_HANDLE < len(self._handles):
            raise JavaFormatError(f"a reference points at nothing, at byte {self._position - 4}")
        return self._handles[handle - _FIRST_HANDLE]

    def _text(self) -> str:
        (length,) = self._unpack("!H")
        return self._take(length).decode("utf-8", "replace")

    def _byte(self) -> int:
        return self._take(1)[0]

    def _unpack(self, format: str) -> tuple[Any, ...]:
        return struct.unpack(format, self._take(struct.calcsize(format)))

    def _take(self, count: int) -> bytes:
        taken = self._data[self._position : self._position + count]
        if len(taken) < count:
            raise IndexError
        self._position += count
        return taken

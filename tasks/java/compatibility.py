"""What Kafka 4 has taken from the classes that plugins use, given back, so that plugins made for older versions run as they are.

`Consumer.poll(long)` is gone since Kafka 4.0; Debezium before 2.0, for one, reads its schema history with it.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from plugins.java.classfiles import CLASS, UTF8, constants

_CONSUMER: Final = "org/apache/kafka/clients/consumer/Consumer"
_RECORDS: Final = "Lorg/apache/kafka/clients/consumer/ConsumerRecords;"
_DURATION: Final = "java/time/Duration"

_METHOD, _INTERFACE_METHOD, _NAME_AND_TYPE = 10, 11, 12
_PUBLIC: Final = 0x0001


def restored_classes(jars: Sequence[Path]) -> dict[str, bytes]:
    """Class files, by their place in a jar, that are to come before those of `jars` on the class path."""
    entry = f"{_CONSUMER}.class"
    for jar in jars:
        with zipfile.ZipFile(jar) as file:
            if entry in file.namelist():
                return {entry: with_poll_of_milliseconds(file.read(entry))}
    return {}


def with_poll_of_milliseconds(consumer: bytes) -> bytes:
    """The interface `Consumer` with the method that was there until Kafka 3.9.

    default ConsumerRecords poll(long timeout) { return poll(Duration.ofMillis(timeout)); }
    """
    constants = _Constants(consumer)
    name = constants.text("poll")
    descriptor = constants.text(f"(J){_RECORDS}")
    code_name = constants.text("Code")
    of_millis = constants.member(_METHOD, _DURATION, "ofMillis", f"(J)L{_DURATION};")
    poll = constants.member(_INTERFACE_METHOD, _CONSUMER, "poll", f"(L{_DURATION};){_RECORDS}")
    # aload_0, lload_1, invokestatic Duration.ofMillis, invokeinterface poll with two arguments, areturn
    code = struct.pack(">BBBHBHBBB", 0x2A, 0x1F, 0xB8, of_millis, 0xB9, poll, 2, 0, 0xB0)
    body = struct.pack(">HHI", 3, 3, len(code)) + code + struct.pack(">HH", 0, 0)
    method = struct.pack(">HHHHHI", _PUBLIC, name, descriptor, 1, code_name, len(body)) + body
    return constants.class_with(method)


class _Constants:
    """The constants of a class file, to which more can be added (chapter 4.4 of the Java Virtual Machine Specification)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._added = b""
        *_, (self._count, _, self._end) = constants(data)

    def text(self, text: str) -> int:
        """The number of a new constant."""
        encoded = text.encode()
        return self._add(struct.pack(">BH", UTF8, len(encoded)) + encoded)

    def member(self, tag: int, owner: str, name: str, descriptor: str) -> int:
        """That of a method of a class or an interface."""
        its_class = self._add(struct.pack(">BH", CLASS, self.text(owner)))
        name_and_type = self._add(struct.pack(">BHH", _NAME_AND_TYPE, self.text(name), self.text(descriptor)))
        return self._add(struct.pack(">BHH", tag, its_class, name_and_type))

    def _add(self, constant: bytes) -> int:
        self._added += constant
        self._count += 1
        return self._count - 1

    def class_with(self, method: bytes) -> bytes:
        """The class file with these constants and one more method, which comes first. An interface without fields."""
        data, position = self._data, self._end
        (interfaces,) = struct.unpack_from(">H", data, position + 6)
        methods = position + 8 + 2 * interfaces + 2
        (fields,) = struct.unpack_from(">H", data, methods - 2)
        if fields:
            raise ValueError("an interface with fields was not expected")
        (count,) = struct.unpack_from(">H", data, methods)
        return b"".join(
            (
                data[:8],
                struct.pack(">H", self._count),
                data[10 : self._end],
                self._added,
                data[self._end : methods],
                struct.pack(">H", count + 1),
                method,
                data[methods + 2 :],
            )
        )

"""Descriptors of Protobuf from files: the registry's, with those that they import and those that everybody knows."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any, Final

from google.protobuf import (
    any_pb2,
    api_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    source_context_pb2,
    struct_pb2,
    timestamp_pb2,
    type_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as _Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto as File
from google.protobuf.message import DecodeError

from connectd.errors import DataException

_WELL_KNOWN: Final = (
    any_pb2,
    descriptor_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    source_context_pb2,
    struct_pb2,
    timestamp_pb2,
    type_pb2,
    api_pb2,
    wrappers_pb2,
)


def _message_file(name: str, package: str, message: str, **fields: int) -> File:
    file = File(name=name, package=package, syntax="proto3")
    proto = file.message_type.add(name=message)
    for number, (field, kind) in enumerate(fields.items(), 1):
        proto.field.add(name=field, number=number, label=_Field.LABEL_OPTIONAL, type=kind)
    return file


def _known_files() -> dict[str, File]:
    from confluent_kafka.schema_registry.confluent import meta_pb2

    int32, uint32, data = _Field.TYPE_INT32, _Field.TYPE_UINT32, _Field.TYPE_BYTES
    files = [File.FromString(module.DESCRIPTOR.serialized_pb) for module in (*_WELL_KNOWN, meta_pb2)]
    files += [
        _message_file("google/type/date.proto", "google.type", "Date", year=int32, month=int32, day=int32),
        _message_file(
            "google/type/timeofday.proto",
            "google.type",
            "TimeOfDay",
            hours=int32,
            minutes=int32,
            seconds=int32,
            nanos=int32,
        ),
        _message_file(
            "confluent/type/decimal.proto", "confluent.type", "Decimal", value=data, precision=uint32, scale=int32
        ),
    ]
    known = {file.name: file for file in files}
    known["confluent/meta.proto"].name = "confluent/meta.proto"
    return known


def read_file(text: str) -> File:
    """A file as the registry serializes it: base64 of its descriptor. Raises DataException for anything else."""
    try:
        return File.FromString(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, DecodeError):
        raise DataException(
            "Expected the Schema Registry to answer format=serialized with a serialized Protobuf descriptor; it did not:"
            " the registry may be too old for that"
        ) from None


class Pool:
    """The messages of one file. Raises DataException for files that do not fit together."""

    def __init__(self, file: File, references: Iterable[tuple[str, File]] = ()) -> None:
        self.file = file
        self._pool = descriptor_pool.DescriptorPool()
        self._files = dict(_known_files())
        for name, referred in references:
            copied = File()
            copied.CopyFrom(referred)
            copied.name = name
            self._files[name] = copied
        self._added: set[str] = set()
        try:
            self._add(file)
        except TypeError as error:
            raise DataException(f"The Protobuf schema cannot be used: {error}") from error

    def _add(self, file: File) -> None:
        for name in file.dependency:
            if name not in self._added:
                self._added.add(name)
                if name not in self._files:
                    raise DataException(f"The Protobuf schema imports {name}, which the registry does not have")
                self._add(self._files[name])
        self._pool.Add(file) if hasattr(self._pool, "Add") else self._pool.AddSerializedFile(file.SerializeToString())

    def message(self, name: str) -> Descriptor:
        """A message by its full name."""
        return self._pool.FindMessageTypeByName(name)

    def at(self, indexes: Iterable[int]) -> Descriptor:
        """A message by its place among the messages of the file, and of those around it."""
        names: list[str] = []
        messages: Any = self.file.message_type
        try:
            for index in indexes:
                names.append(messages[index].name)
                messages = messages[index].nested_type
        except IndexError:
            raise DataException(f"The Protobuf schema has no message at {list(indexes)}") from None
        return self.message(".".join([self.file.package, *names] if self.file.package else names))


def indexes_of(descriptor: Descriptor) -> list[int]:
    """The place of a message in its file, as `Pool.at` takes it."""
    if descriptor.containing_type is None:
        siblings = list(descriptor.file.message_types_by_name)
        return [siblings.index(descriptor.name)]
    return [*indexes_of(descriptor.containing_type), descriptor.index]

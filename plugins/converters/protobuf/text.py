"""Protobuf files as text, in the form that a Schema Registry keeps and people read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from plugins.converters.protobuf.constants import META_FILE
from plugins.converters.protobuf.meta import parameters_of


def to_text(file: Any) -> str:
    """A file of proto3 that `from_connect` made, or one of Google's own."""
    lines = [f'syntax = "{file.syntax or "proto2"}";']
    if file.package:
        lines.append(f"package {file.package};")
    # The registry imports what the options are in by itself.
    imports = [f'import "{name}";' for name in file.dependency if name != META_FILE]
    if imports:
        lines += ["", *imports]
    for message in file.message_type:
        lines += ["", *_message(message, file.package)]
    return "\n".join(lines) + "\n"


def _message(message: Any, scope: str) -> Iterator[str]:
    path = f"{scope}.{message.name}" if scope else message.name
    yield f"message {message.name} {{"
    real_oneofs = {field.oneof_index for field in message.field if _is_in_oneof(field)}
    for field in message.field:
        if not _is_in_oneof(field):
            yield from _indented(_field(field, path))
    for index in sorted(real_oneofs):
        yield f"  oneof {message.oneof_decl[index].name} {{"
        for field in message.field:
            if _is_in_oneof(field) and field.oneof_index == index:
                yield from _indented(_field(field, path), 4)
        yield "  }"
    for nested in message.nested_type:
        yield ""
        yield from _indented(_message(nested, path))
    for enum in message.enum_type:
        yield ""
        yield f"  enum {enum.name} {{"
        for value in enum.value:
            yield f"    {value.name} = {value.number};"
        yield "  }"
    yield "}"


def _is_in_oneof(field: Any) -> bool:
    return bool(field.HasField("oneof_index") and not field.proto3_optional)


def _field(field: Any, path: str) -> Iterator[str]:
    label = "repeated " if field.label == Field.LABEL_REPEATED else "optional " if field.proto3_optional else ""
    begin = f"{label}{_type(field, path)} {field.name} = {field.number}"
    parameters = parameters_of(field.options)
    if not parameters:
        yield f"{begin};"
        return
    yield f"{begin} [(confluent.field_meta) = {{"
    yield "  params: ["
    for index, (key, value) in enumerate(parameters.items()):
        yield "    {"
        yield f"      key: {json.dumps(key)},"
        yield f"      value: {json.dumps(value)}"
        yield "    }" + ("," if index + 1 < len(parameters) else "")
    yield "  ]"
    yield "}];"


def _type(field: Any, path: str) -> str:
    if field.type in (Field.TYPE_MESSAGE, Field.TYPE_ENUM):
        name = field.type_name.removeprefix(".")
        # Within the message that it is of a type needs its own name only.
        return str(name.removeprefix(f"{path}.") if name.startswith(f"{path}.") else field.type_name)
    return str(Field.Type.Name(field.type)).removeprefix("TYPE_").lower()


def _indented(lines: Iterator[str], width: int = 2) -> Iterator[str]:
    return (" " * width + line if line else line for line in lines)

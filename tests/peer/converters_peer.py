"""Questions to Java's converters: the Python half of ConverterPeer.java."""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import struct
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectd.errors import ConnectException
from connectd.schema import Schema, Type
from connectd.struct import Struct
from plugins.converters.base import BuiltinConverter
from plugins.converters.simple_header import SimpleHeaderConverter
from tests.peer.jvm import compile_java, java_command

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
AnyConverter = type[BuiltinConverter] | type[SimpleHeaderConverter]


@dataclass(frozen=True)
class Write:
    """Write a value: the answer is bytes, or "error"."""

    converter: AnyConverter
    schema: Schema | None
    value: Any
    config: Mapping[str, str] = field(default_factory=dict)
    is_header: bool = False

    def request(self) -> dict[str, Any]:
        return {"schema": tagged_schema(self.schema), "value": tagged(self.schema, self.value)}

    def answer(self, converter: Any) -> Any:
        if self.is_header:
            return converter.from_connect_header("topic", "key", self.schema, self.value)
        return converter.from_connect_data("topic", self.schema, self.value)


@dataclass(frozen=True)
class Read:
    """Read bytes: the answer is a tagged schema and a tagged value, or "error"."""

    converter: AnyConverter
    data: bytes | None
    config: Mapping[str, str] = field(default_factory=dict)
    is_header: bool = False

    def request(self) -> dict[str, Any]:
        return {"bytes": None if self.data is None else base64.b64encode(self.data).decode()}

    def answer(self, converter: Any) -> Any:
        if self.is_header:
            read = converter.to_connect_header("topic", "key", self.data)
        else:
            read = converter.to_connect_data("topic", self.data)
        return {"schema": tagged_schema(read.schema), "value": tagged(read.schema, read.value)}


Case = Write | Read


class JavaConverters:
    """A running ConverterPeer. `more` is what its class path has besides Kafka Connect."""

    def __init__(self, more: Sequence[Path] = ()) -> None:
        self._more = more

    def __enter__(self) -> JavaConverters:
        classes = compile_java(Path(__file__).with_name("ConverterPeer.java"))
        command = java_command(
            "ConverterPeer", classes=[classes, *self._more], jvm=("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
        )
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._converters: dict[str, Any] = {}
        return self

    def __exit__(self, *error: object) -> None:
        # It ends when its input does; what it then still writes is of no interest.
        self._process.communicate(timeout=60)

    def assert_same_answers(self, cases: Sequence[Case]) -> None:
        """Fail with all cases that connectd answers otherwise than Java. An error equals any error."""
        found: list[str] = []
        for case, theirs in zip(cases, self.answers(cases), strict=True):
            ours, error = _our_answer(case, self._converters)
            if isinstance(theirs, str):
                if error is None:
                    found.append(f"{case}\n  Java: {theirs}\n  connectd: {ours}")
            elif error is not None or _comparable(ours) != _comparable(theirs):
                found.append(f"{case}\n  Java: {theirs}\n  connectd: {error or ours}")
        assert not found, f"{len(found)} of {len(cases)} answers differ:\n" + "\n".join(found[:30])

    def answers(self, cases: Sequence[Case]) -> list[Any]:
        """Java's answer to each case: bytes, None, a dict of schema and value, or a str that begins with "error"."""
        requests = b"".join(json.dumps(_request(case)).encode() + b"\n" for case in cases)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        # Both pipes hold little, so one has to be filled while the other is emptied.
        writer = threading.Thread(target=lambda: (stdin.write(requests), stdin.flush()))
        writer.start()
        lines = [stdout.readline() for _ in cases]
        writer.join()
        return [_java_answer(json.loads(line)) for line in lines]


def _request(case: Case) -> dict[str, Any]:
    return {
        "converter": case.converter.JAVA_NAME,
        "config": dict(case.config),
        "header": case.is_header,
        **case.request(),
    }


def _java_answer(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        return f"error {answer['error']}"
    if "bytes" in answer:
        return None if answer["bytes"] is None else base64.b64decode(answer["bytes"])
    return answer


def _our_answer(case: Case, converters: dict[str, Any]) -> tuple[Any, Exception | None]:
    key = f"{case.converter} {case.config}"
    try:
        if key not in converters:
            converter = case.converter()
            converter.configure(case.config)
            converters[key] = converter
        return case.answer(converters[key]), None
    except ConnectException as error:
        return None, error


def _comparable(answer: Any) -> Any:
    # Java's maps have no order, and its parameters' order does not matter.
    return _sorted_maps(answer) if isinstance(answer, dict) else answer


def _sorted_maps(node: Any) -> Any:
    if isinstance(node, list):
        if len(node) == 2 and node[0] == "map":
            return ["map", sorted((_sorted_maps(entry) for entry in node[1]), key=json.dumps)]
        return [_sorted_maps(each) for each in node]
    if isinstance(node, dict):
        return {key: _sorted_maps(each) for key, each in node.items()}
    return node


def tagged_schema(schema: Schema | None) -> dict[str, Any] | None:
    """A schema as JSON that loses nothing."""
    if schema is None:
        return None
    node: dict[str, Any] = {
        "type": str(schema.type),
        "optional": schema.is_optional,
        "default": tagged(schema, schema.default_value),
        "name": schema.name,
        "version": schema.version,
        "doc": schema.doc,
        "parameters": None if schema.parameters is None else dict(schema.parameters),
    }
    if schema.type is Type.STRUCT:
        node["fields"] = [[each.name, tagged_schema(each.schema)] for each in schema.fields]
    if schema.type is Type.MAP:
        node["keys"] = tagged_schema(schema.key_schema)
    if schema.type in (Type.MAP, Type.ARRAY):
        node["values"] = tagged_schema(schema.value_schema)
    return node


def tagged(schema: Schema | None, value: Any) -> Any:
    """A value as JSON that tells its Java type, which the schema knows for numbers; else they are Long and Double."""
    type = None if schema is None else schema.type
    match value:
        case None:
            return None
        case list():
            element = schema.value_schema if schema is not None and type is Type.ARRAY else None
            return ["list", [tagged(element, each) for each in value]]
        case dict():
            is_map = schema is not None and type is Type.MAP
            keys, values = (schema.key_schema, schema.value_schema) if schema and is_map else (None, None)
            return ["map", [[tagged(keys, key), tagged(values, each)] for key, each in value.items()]]
        case Struct():
            fields = zip(value.schema.fields, value.field_values, strict=True)
            return ["struct", tagged_schema(value.schema), [tagged(each.schema, it) for each, it in fields]]
    return _tagged_leaf(type, value)


def _tagged_leaf(type: Type | None, value: Any) -> list[Any]:
    match value:
        case bool():
            return ["bool", value]
        case int():
            is_sized = type in (Type.INT8, Type.INT16, Type.INT32)
            return [type.value if is_sized and type else "int64", value]
        case float():
            return _tagged_float(type, value)
        case str():
            return ["string", value]
        case bytes():
            return ["bytes", base64.b64encode(value).decode()]
        case memoryview():
            return ["buffer", base64.b64encode(value).decode()]
        case decimal.Decimal():
            sign, digits, exponent = value.as_tuple()
            return ["decimal", str(int(decimal.Decimal((sign, digits, 0)))), -int(exponent)]
        case datetime.datetime() | datetime.date() | datetime.time():
            return ["date", _milliseconds(value)]
    raise TypeError(f"no tag for {value!r}")


def _tagged_float(type: Type | None, value: float) -> list[Any]:
    if type is Type.FLOAT32:
        return ["float32", struct.unpack("<i", struct.pack("<f", value))[0]]
    return ["float64", struct.unpack("<q", struct.pack("<d", value))[0]]


def _milliseconds(value: datetime.date | datetime.time) -> int:
    if isinstance(value, datetime.time):
        value = datetime.datetime.combine(EPOCH.date(), value, datetime.UTC)
    elif not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time(), datetime.UTC)
    return (value - EPOCH) // datetime.timedelta(milliseconds=1)

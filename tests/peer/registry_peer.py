"""Confluent's converters as peers: what they answer to cases, recorded, and compared with what connectd answers.

The answers in `registry_vectors.json.xz` are of Confluent's own classes, run against the tests' registry by

    python -m tests.peer.registry_peer CLASS_PATH

where CLASS_PATH has their converters and what those need. They are in no package registry, so the tests compare with
what was recorded.
"""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from connectd.errors import ConnectException
from connectd.schema import Schema
from plugins.converters.avro import AvroConverter
from plugins.converters.protobuf import ProtobufConverter
from plugins.converters.protobuf.indexes import read_indexes
from plugins.converters.protobuf.pool import Pool
from plugins.converters.registry.converter import RegistryConverter
from plugins.converters.registry.wire import ID_SIZE, id_bytes, read_id
from tests.peer.converters_peer import JavaConverters, Read, Write, tagged, tagged_schema
from tests.support.registry import Registry, running_registry
from tests.support.registry_store import compiled

VECTORS = Path(__file__).with_name("registry_vectors.json.xz")

Answer = Any
"""`error`, or what was written (text of the schema and data) or read (schema and value)."""


@dataclass(frozen=True)
class WriteCase:
    """Write a value: the answer has the registered schema and the data."""

    converter: type[RegistryConverter]
    schema: Schema | None
    value: Any
    config: Mapping[str, str] = field(default_factory=dict)

    def question(self) -> Any:
        return [self.converter.__name__, dict(self.config), tagged_schema(self.schema), tagged(self.schema, self.value)]

    def for_java(self, registry: Registry) -> Write:
        return Write(self.converter, self.schema, self.value, _configured(self.config, registry))

    def answer_of(self, data: bytes | None, registry: Registry) -> Answer:
        if data is None:
            return None
        stored = registry.store.by_id(read_id(data).id or 0)
        return {"text": stored.text, "data": base64.b64encode(data[ID_SIZE:]).decode()}

    def is_same(self, one: Answer, other: Answer) -> bool:
        """Whether two answers are alike; Java's maps have no order."""
        if one == other or not isinstance(one, dict) or not isinstance(other, dict):
            return bool(one == other)
        return _decoded(self.converter, one) == _decoded(self.converter, other)

    def answer(self, converter: RegistryConverter, registry: Registry) -> Answer:
        return self.answer_of(converter.from_connect_data("topic", self.schema, self.value), registry)


@dataclass(frozen=True)
class ReadCase:
    """Read data that was written with a schema of the registry."""

    converter: type[RegistryConverter]
    text: str
    data: bytes
    config: Mapping[str, str] = field(default_factory=dict)

    def question(self) -> Any:
        return [self.converter.__name__, dict(self.config), self.text, base64.b64encode(self.data).decode()]

    def message(self, registry: Registry) -> bytes:
        body = {"schema": self.text, "schemaType": self.converter.SCHEMA_TYPE}
        return id_bytes(registry.store.register("topic-value", body).schema.id) + self.data

    def for_java(self, registry: Registry) -> Read:
        return Read(self.converter, self.message(registry), _configured(self.config, registry))

    def answer_of(self, answer: Any, registry: Registry) -> Answer:
        return _without_version(_sorted(answer))

    def is_same(self, one: Answer, other: Answer) -> bool:
        """Whether two answers are alike."""
        return bool(one == other)

    def answer(self, converter: RegistryConverter, registry: Registry) -> Answer:
        read = converter.to_connect_data("topic", self.message(registry))
        return self.answer_of(
            {"schema": tagged_schema(read.schema), "value": tagged(read.schema, read.value)}, registry
        )


Case = WriteCase | ReadCase


def key_of(case: Case) -> str:
    """What a case's recorded answer is found by."""
    return hashlib.sha256(json.dumps(case.question(), sort_keys=True).encode()).hexdigest()[:24]


@cache
def recorded() -> dict[str, Answer]:
    """The answers of Confluent's converters."""
    answers: dict[str, Answer] = json.loads(lzma.decompress(VECTORS.read_bytes()))
    return answers


def ours(cases: Sequence[Case]) -> list[tuple[Answer, str]]:
    """What connectd answers, and its error."""
    converters: dict[str, RegistryConverter] = {}
    answers: list[tuple[Answer, str]] = []
    with running_registry() as registry:
        registry.store.levels[""] = "NONE"
        for case in cases:
            key = f"{case.converter} {sorted(case.config.items())}"
            if key not in converters:
                converters[key] = case.converter()
                converters[key].configure(_configured(case.config, registry))
            try:
                answers.append((case.answer(converters[key], registry), ""))
            except ConnectException as error:
                answers.append(("error", str(error)))
        for converter in converters.values():
            converter.close()
    return answers


def theirs(cases: Sequence[Case], class_path: Sequence[Path]) -> list[Answer]:
    """What Confluent's converters answer."""
    with running_registry() as registry, JavaConverters(class_path) as java:
        registry.store.levels[""] = "NONE"
        answers = java.answers([case.for_java(registry) for case in cases])
        return [
            "error" if isinstance(answer, str) else case.answer_of(answer, registry)
            for case, answer in zip(cases, answers, strict=True)
        ]


def record(class_path: Sequence[Path]) -> None:
    """Ask Confluent's converters all cases, and keep the answers."""
    from tests.peer.registry_cases import all_cases

    cases = all_cases()
    answers = dict(zip(map(key_of, cases), theirs(cases, class_path), strict=True))
    VECTORS.write_bytes(lzma.compress(json.dumps(answers, sort_keys=True, ensure_ascii=False).encode(), preset=9))


def _decoded(converter: type[RegistryConverter], written: dict[str, str]) -> Any:
    """Schema and data in a form in which the order of a map does not matter, nor how a .proto file is laid out."""
    text, data = written["text"], base64.b64decode(written["data"])
    if converter is AvroConverter and text != '"bytes"':
        value = fastavro.schemaless_reader(BytesIO(data), json.loads(text), None)
        return text, _unordered(value)
    if converter is ProtobufConverter:
        file = FileDescriptorProto.FromString(compiled(text, {}))
        message = message_factory.GetMessageClass(Pool(file).at(read_indexes(data)[0]))
        value = json_format.MessageToDict(message.FromString(data[read_indexes(data)[1] :]))
        return sorted(file.dependency), str(file.message_type), _unordered(value)
    return text, data


def _unordered(node: Any) -> Any:
    if isinstance(node, list):
        elements = [_unordered(each) for each in node]
        is_map = all(isinstance(each, dict) and each.keys() == {"key", "value"} for each in elements)
        return sorted(elements, key=repr) if is_map else elements
    if isinstance(node, dict):
        return {key: _unordered(each) for key, each in node.items()}
    return node


def _configured(config: Mapping[str, str], registry: Registry) -> dict[str, str]:
    return {"schema.registry.url": registry.url, **config}


def _sorted(node: Any) -> Any:
    """Java's maps have no order."""
    if isinstance(node, list):
        if len(node) == 2 and node[0] == "map":
            return ["map", sorted((_sorted(entry) for entry in node[1]), key=json.dumps)]
        return ["bytes" if each == "buffer" and index == 0 else _sorted(each) for index, each in enumerate(node)]
    if isinstance(node, dict):
        return {key: _sorted(each) for key, each in node.items()}
    return node


def _without_version(answer: Any) -> Any:
    # All cases share a subject, so the version tells only how many came before.
    if answer["schema"] is not None and isinstance(answer["schema"], dict):
        answer["schema"].pop("version", None)
        _drop_version(answer["value"])
    return answer


def _drop_version(value: Any) -> None:
    if isinstance(value, list) and value and value[0] == "struct":
        value[1].pop("version", None)


if __name__ == "__main__":
    record([Path(each) for each in sys.argv[1].split(":")])

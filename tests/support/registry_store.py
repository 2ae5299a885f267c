"""The state of the tests' Schema Registry: schemas, subjects, versions, compatibility levels."""

from __future__ import annotations

import base64
import json
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectd.errors import DataException
from plugins.converters.avro.model import parse, to_text
from plugins.converters.avro.resolution import reasons_not_to_read


class RegistryRefusal(Exception):
    """An answer other than 200: HTTP status, error code, message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Stored:
    """A schema; equal ones have one id whatever their subjects."""

    id: int
    guid: str
    type: str
    text: str
    references: tuple[tuple[str, str, int], ...] = ()
    metadata: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass
class Version:
    """A schema in a subject."""

    number: int
    schema: Stored
    is_deleted: bool = False


class RegistryStore:
    """What the registry knows. Only Avro's compatibility is checked; the others are accepted as they come."""

    def __init__(self) -> None:
        self.subjects: dict[str, list[Version]] = {}
        self.levels: dict[str, str] = {"": "BACKWARD"}
        self._schemas: dict[tuple[str, str, tuple[Any, ...], str], Stored] = {}

    def register(self, subject: str, body: Mapping[str, Any]) -> Version:
        """The version of a schema, which is new if the subject does not have it yet."""
        schema = self.stored(body)
        versions = self.subjects.get(subject, [])
        for each in versions:
            if each.schema == schema and not each.is_deleted:
                return each
        reasons = self.incompatibilities(subject, schema)
        if reasons:
            raise RegistryRefusal(409, 409, f"Schema being registered is incompatible: {'; '.join(reasons)}")
        version = Version(1 + max((each.number for each in versions), default=0), schema)
        self.subjects.setdefault(subject, []).append(version)
        return version

    def look_up(self, subject: str, body: Mapping[str, Any]) -> Version:
        """The version of the subject that has this schema."""
        wanted = self.stored(body)
        for each in self.versions(subject):
            if each.schema == wanted:
                return each
        raise RegistryRefusal(404, 40403, "Schema not found")

    def versions(self, subject: str) -> list[Version]:
        """Those of a subject that are not deleted."""
        alive = [each for each in self.subjects.get(subject, []) if not each.is_deleted]
        if not alive:
            raise RegistryRefusal(404, 40401, f"Subject '{subject}' not found.")
        return alive

    def version(self, subject: str, number: str) -> Version:
        """One version by its number, or the latest one."""
        versions = self.versions(subject)
        if number in ("latest", "-1"):
            return versions[-1]
        for each in versions:
            if each.number == int(number):
                return each
        raise RegistryRefusal(404, 40402, f"Version {number} not found.")

    def with_metadata(self, subject: str, wanted: Mapping[str, str]) -> Version:
        """The latest version with these properties."""
        for each in reversed(self.versions(subject)):
            properties = (each.schema.metadata or {}).get("properties", {})
            if wanted.items() <= properties.items():
                return each
        raise RegistryRefusal(404, 40402, "Version not found.")

    def by_id(self, schema_id: int) -> Stored:
        """A schema by its id."""
        for each in self._schemas.values():
            if each.id == schema_id:
                return each
        raise RegistryRefusal(404, 40403, f"Schema {schema_id} not found")

    def by_guid(self, guid: str) -> Stored:
        """A schema by its globally unique id."""
        for each in self._schemas.values():
            if each.guid == guid:
                return each
        raise RegistryRefusal(404, 40403, f"Schema {guid} not found")

    def delete(self, subject: str) -> list[int]:
        """Delete a subject; its schemas keep their ids."""
        numbers = [each.number for each in self.versions(subject)]
        for each in self.subjects[subject]:
            each.is_deleted = True
        return numbers

    def incompatibilities(self, subject: str, schema: Stored) -> list[str]:
        """Why the schema must not follow those of the subject."""
        level = self.levels.get(subject, self.levels[""])
        earlier = [each.schema for each in self.subjects.get(subject, []) if not each.is_deleted]
        if level == "NONE" or not earlier:
            return []
        if any(each.type != schema.type for each in earlier):
            return ["another schema type"]
        if schema.type != "AVRO":
            return []
        compared = earlier if level.endswith("_TRANSITIVE") else earlier[-1:]
        new, reasons = self._avro(schema), list[str]()
        for each in compared:
            old = self._avro(each)
            if level.startswith(("BACKWARD", "FULL")):
                reasons += reasons_not_to_read(new, old)
            if level.startswith(("FORWARD", "FULL")):
                reasons += reasons_not_to_read(old, new)
        return reasons

    def text(self, schema: Stored, text_format: str | None) -> str:
        """The text of a schema; Protobuf's also as a serialized descriptor."""
        if schema.type == "PROTOBUF" and text_format == "serialized" and not _is_base64(schema.text):
            return base64.b64encode(compiled(schema.text, self._referred(schema))).decode()
        return schema.text

    def stored(self, body: Mapping[str, Any]) -> Stored:
        """A schema with its id, new or not. RegistryRefusal for what is none."""
        kind, text = body.get("schemaType") or "AVRO", body["schema"]
        references = tuple((each["name"], each["subject"], each["version"]) for each in body.get("references") or ())
        canonical = self._canonical(kind, text, references)
        metadata = json.dumps(body.get("metadata"), sort_keys=True)
        key = kind, canonical, references, metadata
        if key not in self._schemas:
            number = len(self._schemas) + 1
            guid = str(uuid.uuid5(uuid.NAMESPACE_OID, repr(key)))
            if kind != "PROTOBUF":
                text = _compact(text)
            self._schemas[key] = Stored(number, guid, kind, text, references, body.get("metadata"))
        return self._schemas[key]

    def _canonical(self, kind: str, text: str, references: tuple[tuple[str, str, int], ...]) -> str:
        schema = Stored(0, "", kind, text, references)
        try:
            if kind == "PROTOBUF":
                return text if _is_base64(text) else _in_order(compiled(text, self._referred(schema)))
            if kind == "AVRO":
                return to_text(self._avro(schema))
            return _compact(text)
        except (DataException, ValueError) as error:
            raise RegistryRefusal(422, 42201, f"Invalid schema: {error}") from error

    def _avro(self, schema: Stored) -> Any:
        return parse(schema.text, self._referred(schema).values())

    def _referred(self, schema: Stored) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, subject, number in schema.references:
            referred = self.version(subject, str(number)).schema
            found |= self._referred(referred)
            found[name] = referred.text
        return found


def _in_order(file: bytes) -> str:
    """A file that is the same however its fields are arranged."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    descriptor = FileDescriptorProto.FromString(file)
    for message in descriptor.message_type:
        message.field.sort(key=lambda field: field.number)
    return base64.b64encode(descriptor.SerializeToString()).decode()


def _compact(text: str) -> str:
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def compiled(text: str, references: Mapping[str, str]) -> bytes:
    """The descriptor of a .proto file, by Google's own compiler. Raises ValueError for what it refuses."""
    import grpc_tools
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from grpc_tools import protoc

    if "(confluent." in text:
        # Confluent's registry needs no import for its own options.
        text = text.replace(";", ';\nimport "confluent/meta.proto";', 1)
    bundled = Path(grpc_tools.__file__).with_name("_proto")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {**references, "schema.proto": text}.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        for name, content in known_files().items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        output = Path(folder, "out")
        arguments = ["protoc", f"-I{folder}", f"-I{bundled}", f"--descriptor_set_out={output}", "schema.proto"]
        if protoc.main(arguments) != 0:
            raise ValueError("protoc refuses it")
        [file] = FileDescriptorSet.FromString(output.read_bytes()).file
        file.dependency.sort()
        data: bytes = file.SerializeToString()
        return data


def known_files() -> dict[str, str]:
    """The files beyond Google's own that every registry knows."""
    date = "int32 year = 1; int32 month = 2; int32 day = 3;"
    time = "int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4;"
    decimal = "bytes value = 1; uint32 precision = 2; int32 scale = 3;"
    meta = "string doc = 1; map<string, string> params = 2; repeated string tags = 3;"
    options = "".join(
        f"extend google.protobuf.{kind}Options {{ Meta {kind.lower()}_meta = 1088; }}\n"
        for kind in ("File", "Message", "Field", "Enum")
    )
    return {
        "google/type/date.proto": f'syntax = "proto3"; package google.type; message Date {{ {date} }}',
        "google/type/timeofday.proto": f'syntax = "proto3"; package google.type; message TimeOfDay {{ {time} }}',
        "confluent/type/decimal.proto": f'syntax = "proto3"; package confluent.type; message Decimal {{ {decimal} }}',
        "confluent/meta.proto": 'syntax = "proto3"; package confluent; import "google/protobuf/descriptor.proto";\n'
        f"message Meta {{ {meta} }}\n{options}",
    }

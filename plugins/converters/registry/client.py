"""What converters ask the Schema Registry, with its errors as ours and what it answered kept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from connectd.errors import ConnectException, DataException, RetriableException

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import RegisteredSchema, Schema, SchemaRegistryClient

# As in Confluent's serializers: what may have passed by the next time.
_RETRIABLE: Final = frozenset((408, 429, 500, 502, 503, 504))
_NOT_ALLOWED: Final = frozenset((401, 403))
_NOT_FOUND: Final = 404


class SchemaText(NamedTuple):
    """A schema as the registry keeps it; `references` are the texts it refers to, by the names that it uses."""

    text: str
    references: Mapping[str, str]


class Registered(NamedTuple):
    """A schema of the registry with its id."""

    id: int
    schema: SchemaText


class RegistryClient:
    """The registry as one converter sees it. `schema_type` is AVRO, PROTOBUF or JSON.

    `text_format` is the form in which texts are asked for, where a type has several. All methods raise
    RetriableException when the registry does not answer or says to come again, DataException for what it refuses, and
    ConnectException when it lets nobody in.
    """

    def __init__(
        self, new_client: Callable[[], SchemaRegistryClient], schema_type: str, text_format: str | None = None
    ) -> None:
        self._new_client = new_client
        self._client = new_client()
        self._schema_type = schema_type
        self._format = text_format

    @cached_property
    def _reader(self) -> SchemaRegistryClient:
        # Another one, since a client remembers texts of either form under the same id.
        return self._new_client()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        if "_reader" in vars(self):
            self._reader.close()

    def register(self, subject: str, text: str, normalize: bool) -> int:
        """The id of a schema, which is registered if the registry does not know it."""
        with _errors_named(f"The schema cannot be registered under {subject}"):
            registered = self._client.register_schema_full_response(subject, self._schema(text), normalize)
        _refuse_rules(registered.schema)
        return _id_of(registered)

    def look_up(self, subject: str, text: str, normalize: bool) -> int:
        """The id of a schema that is registered under the subject."""
        with _errors_named(f"The schema is not found under {subject}"):
            found = self._client.lookup_schema(subject, self._schema(text), normalize)
        _refuse_rules(found.schema)
        return _id_of(found)

    def latest(self, subject: str) -> Registered:
        """The latest schema of the subject."""
        with _errors_named(f"The latest schema of {subject} cannot be read"):
            return self._registered(self._reader.get_latest_version(subject, self._format))

    def latest_with_metadata(self, subject: str, metadata: dict[str, str]) -> Registered:
        """The latest schema of the subject that has these properties."""
        with _errors_named(f"The latest schema of {subject} with {metadata} cannot be read"):
            return self._registered(self._reader.get_latest_with_metadata(subject, metadata, fmt=self._format))

    def by_id(self, schema_id: int, subject: str | None) -> SchemaText:
        """The schema with an id; the subject matters only where ids are not unique."""
        with _errors_named(f"The schema with the id {schema_id} cannot be read"):
            return self._text_of(self._reader.get_schema(schema_id, subject, self._format, self._format))

    def by_guid(self, guid: str) -> SchemaText:
        """The schema with a globally unique id."""
        with _errors_named(f"The schema {guid} cannot be read"):
            return self._text_of(self._reader.get_schema_by_guid(guid, self._format))

    def version(self, schema_id: int, subject: str) -> int | None:
        """Which version of the subject the schema is; None if it is not registered there."""
        with _errors_named(f"The versions of the schema with the id {schema_id} cannot be read"):
            try:
                versions = self._reader.get_schema_versions(schema_id, subject)
            except Exception as error:
                if _status(error) == _NOT_FOUND:
                    return None
                raise
        found = [each.version for each in versions if each.subject == subject and each.version is not None]
        return max(found, default=None)

    def _schema(self, text: str) -> Schema:
        from confluent_kafka.schema_registry import Schema

        return Schema(text, self._schema_type)

    def _registered(self, found: RegisteredSchema) -> Registered:
        return Registered(_id_of(found), self._text_of(found.schema))

    def _text_of(self, schema: Schema) -> SchemaText:
        if (schema.schema_type or "AVRO") != self._schema_type:
            raise DataException(
                f"Expected a schema of type {self._schema_type}, found one of type {schema.schema_type}"
            )
        _refuse_rules(schema)
        references: dict[str, str] = {}
        self._collect(schema, references)
        return SchemaText(schema.schema_str or "", references)

    def _collect(self, schema: Schema, found: dict[str, str]) -> None:
        """Those that others refer to come first."""
        for each in schema.references or ():
            if each.name is None or each.subject is None or each.name in found:
                continue
            version = -1 if each.version is None else each.version
            referred = self._reader.get_version(each.subject, version, deleted=True, fmt=self._format).schema
            self._collect(referred, found)
            found[each.name] = referred.schema_str or ""


def _refuse_rules(schema: Schema | None) -> None:
    """Rules may say that a field is encrypted: better no data than such data as it is."""
    rules = schema.rule_set if schema is not None else None
    if rules is not None and (rules.domain_rules or getattr(rules, "encoding_rules", None)):
        raise DataException("The schema has rules (a rule set of the Schema Registry), which are not supported here")


def _id_of(found: RegisteredSchema) -> int:
    if found.schema_id is None:
        raise DataException("The Schema Registry's answer has no id")
    return int(found.schema_id)


def _status(error: Exception) -> int | None:
    status = getattr(error, "http_status_code", None)
    return status if isinstance(status, int) else None


@contextlib.contextmanager
def _errors_named(what: str) -> Iterator[None]:
    import httpx2
    from confluent_kafka.schema_registry.error import OAuthTokenError, SchemaRegistryError

    try:
        yield
    except SchemaRegistryError as error:
        raise _kind(error.http_status_code)(f"{what}: the Schema Registry says {error}") from error
    except httpx2.TransportError as error:
        kind = f"{type(error).__name__}: {error}"
        raise RetriableException(f"{what}: the Schema Registry does not answer: {kind}") from error
    except OAuthTokenError as error:
        raise ConnectException(f"{what}: no token could be had") from error
    except ValueError as error:
        raise DataException(f"{what}: the Schema Registry's answer makes no sense: {error}") from error


def _kind(status: int) -> type[ConnectException]:
    if status in _RETRIABLE:
        return RetriableException
    return ConnectException if status in _NOT_ALLOWED else DataException

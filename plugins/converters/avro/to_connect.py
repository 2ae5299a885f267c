"""From Avro's schemas to Connect's (Confluent's `AvroData.toConnectSchema`)."""

from __future__ import annotations

import logging
from typing import Any, Final

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, SchemaBuilder
from plugins.converters.avro.constants import (
    AVRO_PROP,
    CONNECT_DEFAULT,
    CONNECT_DOC,
    CONNECT_ENUM_DOC,
    CONNECT_INTERNAL_TYPE,
    CONNECT_NAME,
    CONNECT_PARAMETERS,
    CONNECT_RECORD_DOC,
    CONNECT_TYPE,
    CONNECT_VERSION,
    DECIMAL,
    DECIMAL_PRECISION,
    DEFAULT_FULL_NAME,
    DEFAULT_PRECISION,
    ENUM,
    ENUM_DEFAULT,
    ENUM_DOC,
    FIELD_DEFAULT,
    FIELD_DOC,
    FIXED_SIZE,
    GENERAL_ENUM,
    GENERAL_UNION,
    GENERAL_UNION_PREFIX,
    KEY,
    LOGICAL_TYPE,
    MAP_ENTRY,
    NAMESPACE,
    PRECISION,
    RECORD_DOC,
    SCALE,
    UNION,
    VALUE,
)
from plugins.converters.avro.defaults import default_from_json
from plugins.converters.avro.kinds import branch_field_name
from plugins.converters.avro.model import NO_DEFAULT, AvroField, AvroSchema
from plugins.converters.avro.settings import AvroSettings
from plugins.converters.registry.cyclic import CyclicSchema

logger = logging.getLogger(__name__)

_PLAIN: Final = {
    "boolean": SchemaBuilder.bool,
    "double": SchemaBuilder.float64,
    "float": SchemaBuilder.float32,
    "string": SchemaBuilder.string,
}
_NARROW: Final = {"int8": SchemaBuilder.int8, "int16": SchemaBuilder.int16}


def connect_schema(avro: AvroSchema, settings: AvroSettings, version: int | None = None) -> Schema:
    """The Connect schema of data in Avro; `version` is taken where the schema itself has none.

    Raises DataException for what Connect has no type for.
    """
    mapping = _Mapping(settings)
    schema = mapping.convert(avro, version=version)
    mapping.complete()
    return schema


def is_map_entry(avro: AvroSchema) -> bool:
    """Whether the elements of an array are the entries of a map."""
    is_marked = avro.props.get(CONNECT_INTERNAL_TYPE) == MAP_ENTRY
    return avro.type == "record" and (is_marked or avro.name == f"{NAMESPACE}.{MAP_ENTRY}")


def only_branch(avro: AvroSchema, settings: AvroSettings) -> AvroSchema | None:
    """The type that a union stands for: it has no other, or none but null. Else None."""
    if len(avro.types) == 1 and settings.flatten_singleton_unions:
        return avro.types[0]
    if len(avro.types) == 2 and avro.is_nullable:
        return next((each for each in avro.types if each.type != "null"), None)
    return None


class _Mapping:
    def __init__(self, settings: AvroSettings) -> None:
        self._settings = settings
        self._open: list[AvroSchema] = []
        self._cyclic: list[tuple[AvroSchema, CyclicSchema]] = []
        self._built: dict[int, Schema] = {}
        self._unions = 0

    def complete(self) -> None:
        """Tell the schemas within themselves which ones they are."""
        for avro, cyclic in self._cyclic:
            cyclic.complete(self._built[id(avro)])

    def convert(
        self,
        avro: AvroSchema,
        is_optional: bool = False,
        field: AvroField | None = None,
        version: int | None = None,
    ) -> Schema:
        """`field` is the one whose schema this is, if any: it has the default value."""
        if any(each is avro for each in self._open):
            cyclic = CyclicSchema(self._name(avro, None), is_optional)
            self._cyclic.append((avro, cyclic))
            return cyclic
        if avro.type == "union" and (branch := only_branch(avro, self._settings)) is not None:
            return self.convert(branch, is_optional or len(avro.types) == 2, _without_default(field))
        builder = self._builder(avro)
        self._describe(builder, avro, field, version)
        name = self._name(avro, builder.build().name)
        if name is not None:
            builder.name(name)
        if is_optional:
            builder.optional()
        schema = builder.build()
        if avro.type == "record":
            self._built[id(avro)] = schema
        return schema

    def _builder(self, avro: AvroSchema) -> SchemaBuilder:
        match avro.type:
            case "bytes" | "fixed":
                return _bytes(avro)
            case "int":
                return _int(avro)
            case "long":
                is_timestamp = _logical_type(avro) == "timestamp-millis"
                return Timestamp.builder() if is_timestamp else SchemaBuilder.int64()
            case "array":
                return self._array(avro)
            case "map":
                return SchemaBuilder.map(Schema.STRING_SCHEMA, self.convert(_items(avro)))
            case "record":
                return self._record(avro)
            case "enum":
                return self._enum(avro)
            case "union":
                return self._union(avro)
            case "null":
                raise DataException(
                    "Avro's null alone has no type in Connect; only in a union it makes others optional"
                )
        return _PLAIN[avro.type]()

    def _array(self, avro: AvroSchema) -> SchemaBuilder:
        items = _items(avro)
        if not is_map_entry(items):
            return SchemaBuilder.array(self.convert(items))
        entry = {each.name: each.schema for each in items.fields}
        if entry.keys() != {KEY, VALUE}:
            raise DataException(f"Expected entries of a map with the fields {KEY} and {VALUE}, found {list(entry)}")
        return SchemaBuilder.map(self.convert(entry[KEY]), self.convert(entry[VALUE]))

    def _record(self, avro: AvroSchema) -> SchemaBuilder:
        builder = SchemaBuilder.struct()
        keeps_docs = self._settings.connect_meta_data and not self._settings.discard_type_doc_default
        self._open.append(avro)
        if keeps_docs and avro.doc is not None:
            builder.parameter(RECORD_DOC, avro.doc)
        for each in avro.fields:
            if keeps_docs and each.doc is not None:
                builder.parameter(FIELD_DOC + each.name, each.doc)
            schema = self.convert(each.schema, field=each)
            parameters = each.props.get(CONNECT_PARAMETERS)
            if self._settings.connect_meta_data and isinstance(parameters, dict):
                schema = _with_parameters(schema, parameters)
            builder.field(each.name, schema)
        self._open.pop()
        return builder

    def _enum(self, avro: AvroSchema) -> SchemaBuilder:
        settings, builder = self._settings, SchemaBuilder.string()
        assert avro.name is not None
        short = avro.name.rpartition(".")[2]
        if settings.connect_meta_data:
            if avro.doc is not None:
                builder.parameter(CONNECT_ENUM_DOC if settings.discard_type_doc_default else ENUM_DOC + short, avro.doc)
            if not settings.discard_type_doc_default and avro.enum_default is not None:
                builder.parameter(ENUM_DEFAULT + short, avro.enum_default)
        marker = GENERAL_ENUM if settings.generalized_sum_types else ENUM
        builder.parameter(marker, avro.name)
        for index, symbol in enumerate(avro.symbols):
            builder.parameter(f"{marker}.{symbol}", str(index) if settings.generalized_sum_types else symbol)
        return builder

    def _union(self, avro: AvroSchema) -> SchemaBuilder:
        builder = SchemaBuilder.struct()
        if self._settings.generalized_sum_types:
            name = f"{GENERAL_UNION_PREFIX}{self._unions}"
            self._unions += 1
            builder.name(name).parameter(GENERAL_UNION, name)
        else:
            builder.name(UNION)
        for index, each in enumerate(avro.types):
            if each.type == "null":
                builder.optional()
            else:
                builder.field(branch_field_name(each, index, self._settings), self.convert(each, is_optional=True))
        return builder

    def _describe(self, builder: SchemaBuilder, avro: AvroSchema, field: AvroField | None, version: int | None) -> None:
        settings = self._settings
        self._add_doc(builder, avro, field)
        stated = avro.props.get(CONNECT_VERSION, version)
        if stated is not None and stated >= 0:
            builder.version(int(stated))
        parameters = avro.props.get(CONNECT_PARAMETERS)
        if settings.connect_meta_data and parameters is not None:
            if not isinstance(parameters, dict) or not all(isinstance(each, str) for each in parameters.values()):
                raise DataException(f"Expected {CONNECT_PARAMETERS} to be an object of texts")
            builder.parameters(parameters)
        for name, value in avro.props.items():
            if name.startswith(AVRO_PROP):
                builder.parameter(name, str(value))
        self._add_default(builder, avro, field)

    def _add_doc(self, builder: SchemaBuilder, avro: AvroSchema, field: AvroField | None) -> None:
        settings, connect_doc = self._settings, avro.props.get(CONNECT_DOC)
        if not settings.discard_type_doc_default:
            if settings.connect_meta_data and connect_doc is not None:
                builder.doc(connect_doc)
            return
        doc = (None if field is None else field.doc) or avro.doc or connect_doc
        if doc:
            builder.doc(doc)
        if settings.connect_meta_data and avro.doc is not None:
            builder.parameter(CONNECT_RECORD_DOC, avro.doc)

    def _add_default(self, builder: SchemaBuilder, avro: AvroSchema, field: AvroField | None) -> None:
        settings, of_connect = self._settings, avro.props.get(CONNECT_DEFAULT, NO_DEFAULT)
        default: Any = NO_DEFAULT if field is None else field.default
        is_of_field = default is not NO_DEFAULT
        if not is_of_field:
            default = of_connect
        elif settings.connect_meta_data and not settings.discard_type_doc_default and of_connect is NO_DEFAULT:
            builder.parameter(FIELD_DEFAULT, "true")
        if default is NO_DEFAULT or default is None:
            return
        try:
            builder.default_value(default_from_json(builder.build(), avro, default, is_of_field))
        except (DataException, TypeError, ValueError, AttributeError) as error:
            logger.warning("The default value of %s is left out, it does not fit: %s", avro.branch_name(), error)

    @staticmethod
    def _name(avro: AvroSchema, given: str | None) -> str | None:
        """The name of the schema; `given` is that of a logical type."""
        name = avro.props.get(CONNECT_NAME)
        is_decimal = given == Decimal.LOGICAL_NAME
        if name is None and (avro.type in ("record", "enum") or (avro.type == "fixed" and not is_decimal)):
            name = avro.name
        if name is None or name.startswith(DEFAULT_FULL_NAME):
            return given
        if not isinstance(name, str) or (given is not None and name != given):
            raise DataException(f"Expected {CONNECT_NAME} to be the text {given}, found {name!r}")
        return name


def _bytes(avro: AvroSchema) -> SchemaBuilder:
    if _logical_type(avro) == DECIMAL:
        scale, precision = avro.props.get(SCALE), avro.props.get(PRECISION)
        builder = Decimal.builder(scale if isinstance(scale, int) else 0)
        if precision is not None and not isinstance(precision, int):
            raise DataException(f"Expected {PRECISION} to be an integer")
        if precision is not None and precision != DEFAULT_PRECISION:
            builder.parameter(DECIMAL_PRECISION, str(precision))
    else:
        builder = SchemaBuilder.bytes()
    if avro.type == "fixed":
        builder.parameter(FIXED_SIZE, str(avro.size))
    return builder


def _int(avro: AvroSchema) -> SchemaBuilder:
    match _logical_type(avro):
        case "date":
            return Date.builder()
        case "time-millis":
            return Time.builder()
        case None:
            narrow = avro.props.get(CONNECT_TYPE)
            if narrow is not None and narrow not in _NARROW:
                raise DataException(f"Expected {CONNECT_TYPE} to be one of {', '.join(_NARROW)}, found {narrow!r}")
            return _NARROW[narrow]() if narrow is not None else SchemaBuilder.int32()
    return SchemaBuilder.int32()


def _logical_type(avro: AvroSchema) -> str | None:
    logical_type = avro.props.get(LOGICAL_TYPE)
    return logical_type.lower() if isinstance(logical_type, str) else None


def _items(avro: AvroSchema) -> AvroSchema:
    assert avro.items is not None
    return avro.items


def _without_default(field: AvroField | None) -> AvroField | None:
    return None if field is None else AvroField(field.name, field.schema, field.doc)


def _with_parameters(schema: Schema, parameters: dict[str, Any]) -> Schema:
    """The schema with parameters that belong to one field only."""
    own = dict(schema.parameters or {})
    added = {key: str(value) for key, value in parameters.items()}
    if all(own.get(key) == value for key, value in added.items()):
        return schema
    if isinstance(schema, CyclicSchema):
        return schema
    type, is_optional, default, name, version, doc, _, fields, keys, values = schema._parts()
    return Schema(type, is_optional, default, name, version, doc, {**own, **added}, fields, keys, values)  # type: ignore[arg-type]

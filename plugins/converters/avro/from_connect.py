"""From Connect's schemas to Avro's (Confluent's `AvroData.fromConnectSchema`)."""

from __future__ import annotations

from typing import Any, Final

from connectd.errors import DataException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import Schema, Type
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
    DEFAULT_NAME,
    DEFAULT_PRECISION,
    ENUM,
    ENUM_DEFAULT,
    ENUM_DOC,
    FIELD_DEFAULT,
    FIELD_DOC,
    FIXED_SIZE,
    GENERAL_ENUM,
    KEY,
    LOGICAL_TYPE,
    MAP_ENTRY,
    NAMESPACE,
    PRECISION,
    RECORD_DOC,
    SCALE,
    VALUE,
)
from plugins.converters.avro.defaults import default_to_json, fits
from plugins.converters.avro.kinds import (
    has_string_keys,
    is_fixed,
    is_union,
    new_anything,
    non_optional,
    parameter,
    writes_enum,
)
from plugins.converters.avro.model import NAMED, NO_DEFAULT, AvroField, AvroSchema, check_name, named
from plugins.converters.avro.settings import AvroSettings
from plugins.converters.registry.names import scrub, split_name

_PRIMITIVES: Final = {
    Type.INT8: "int",
    Type.INT16: "int",
    Type.INT32: "int",
    Type.INT64: "long",
    Type.FLOAT32: "float",
    Type.FLOAT64: "double",
    Type.BOOLEAN: "boolean",
    Type.STRING: "string",
}
_NARROW: Final = {Type.INT8: "int8", Type.INT16: "int16"}
_LOGICAL_TYPES: Final = {
    Date.LOGICAL_NAME: "date",
    Time.LOGICAL_NAME: "time-millis",
    Timestamp.LOGICAL_NAME: "timestamp-millis",
}


def avro_schema(schema: Schema | None, settings: AvroSettings) -> AvroSchema:
    """The Avro schema that values of a Connect schema are written with. Raises DataException where there is none."""
    return new_anything() if schema is None else _Mapping(settings).convert(schema)


class _Mapping:
    """One schema's translation: names that were given, types that were made or are being made."""

    def __init__(self, settings: AvroSettings) -> None:
        self._settings = settings
        self._made: dict[Schema, AvroSchema] = {}
        self._open: dict[str, AvroSchema] = {}
        self._seen_names: set[str] = set()
        self._unnamed = 0

    def convert(self, schema: Schema, ignore_optional: bool = False) -> AvroSchema:
        is_reusable = not schema.is_optional and not is_union(schema)
        if is_reusable and (made := self._made.get(schema)) is not None:
            return made
        avro = self._base(schema)
        if avro.type != "union":
            self._add_metadata(avro, schema)
            if not ignore_optional and schema.is_optional:
                avro = _nullable(avro, null_first=schema.default_value is None)
        if is_reusable:
            self._made[schema] = avro
        return avro

    def _element(self, schema: Schema | None) -> AvroSchema:
        """Within another schema, where a type may be used that is still being made."""
        if schema is None:
            return new_anything()
        if schema.name is not None and (avro := self._open.get(schema.name)) is not None:
            return _nullable(avro, null_first=schema.default_value is None) if schema.is_optional else avro
        return self.convert(schema)

    def _base(self, schema: Schema) -> AvroSchema:
        match schema.type:
            case Type.STRING if writes_enum(schema, self._settings):
                return self._enum(schema)
            case Type.BYTES:
                return self._bytes(schema)
            case Type.ARRAY:
                return AvroSchema("array", items=self._element(schema.value_schema))
            case Type.MAP:
                return self._map(schema)
            case Type.STRUCT:
                return self._struct(schema)
        return AvroSchema(_PRIMITIVES[schema.type])

    def _enum(self, schema: Schema) -> AvroSchema:
        marker = GENERAL_ENUM if self._settings.generalized_sum_types else ENUM
        name = self._name(schema)[1]
        parameters = schema.parameters or {}
        if marker not in parameters:
            raise DataException(f"Expected the parameter {marker} in {schema}: it was made an enum in another way")
        symbols = [each[len(marker) + 1 :] for each in parameters if each.startswith(f"{marker}.")]
        namespace, _, short = parameters[marker].rpartition(".")
        if self._settings.discard_type_doc_default:
            return named("enum", short, namespace, symbols=symbols, doc=parameters.get(CONNECT_ENUM_DOC))
        return named(
            "enum",
            short,
            namespace,
            symbols=symbols,
            doc=parameters.get(ENUM_DOC + name),
            enum_default=parameters.get(ENUM_DEFAULT + name),
        )

    def _bytes(self, schema: Schema) -> AvroSchema:
        if is_fixed(schema):
            namespace, name = self._name(schema)
            avro = named("fixed", name, namespace, size=int(parameter(schema, FIXED_SIZE) or 0))
        else:
            avro = AvroSchema("bytes")
        if schema.name == Decimal.LOGICAL_NAME:
            avro.props[SCALE] = int(parameter(schema, SCALE) or 0)
            avro.props[PRECISION] = int(parameter(schema, DECIMAL_PRECISION) or DEFAULT_PRECISION)
        return avro

    def _map(self, schema: Schema) -> AvroSchema:
        assert schema.key_schema is not None and schema.value_schema is not None
        if has_string_keys(schema, self._settings):
            return AvroSchema("map", items=self._element(schema.value_schema))
        if schema.name is None:
            entry = named("record", MAP_ENTRY, NAMESPACE)
        else:
            namespace, name = self._name(schema)
            entry = named("record", name, namespace, props={CONNECT_INTERNAL_TYPE: MAP_ENTRY})
        entry.fields = [
            self._field(KEY, schema.key_schema, None),
            self._field(VALUE, schema.value_schema, None),
        ]
        return AvroSchema("array", items=entry)

    def _struct(self, schema: Schema) -> AvroSchema:
        if is_union(schema):
            branches = [AvroSchema("null")] if schema.is_optional else []
            return AvroSchema("union", types=branches + [self._branch(each.schema) for each in schema.fields])
        if schema.is_optional:
            return AvroSchema("union", types=[AvroSchema("null"), self._element(non_optional(schema))])
        return self._record(schema)

    def _branch(self, schema: Schema) -> AvroSchema:
        if schema.name is not None and (avro := self._open.get(schema.name)) is not None:
            return avro
        return self.convert(non_optional(schema), ignore_optional=True)

    def _record(self, schema: Schema) -> AvroSchema:
        settings = self._settings
        namespace, name = self._name(schema)
        doc = parameter(schema, CONNECT_RECORD_DOC if settings.discard_type_doc_default else RECORD_DOC)
        avro = named("record", name, namespace, doc=doc)
        if schema.name is not None:
            self._open[schema.name] = avro
        for each in schema.fields:
            field_name = scrub(each.name) if settings.scrub_names else each.name
            check_name(field_name)
            doc = None if settings.discard_type_doc_default else parameter(schema, FIELD_DOC + each.name)
            avro.fields.append(self._field(field_name, each.schema, doc))
        if schema.name is not None:
            del self._open[schema.name]
        return avro

    def _field(self, name: str, schema: Schema, doc: str | None) -> AvroField:
        settings = self._settings
        default: Any = NO_DEFAULT
        if schema.default_value is not None:
            default = default_to_json(schema, schema.default_value, settings)
        elif schema.is_optional:
            default = None
        is_repeated = self._is_seen(schema.name)
        avro = self.convert(schema)
        if default is not NO_DEFAULT and not fits(avro, default):
            default = NO_DEFAULT
        field = AvroField(name, avro, schema.doc if settings.discard_type_doc_default else doc, default)
        # A type that is defined elsewhere is only named here, so what is particular about it goes to the field.
        is_named_only = settings.connect_meta_data and is_repeated and _holds_named_type(avro)
        if is_named_only and (parameters := self._parameters(schema)):
            field.props[CONNECT_PARAMETERS] = parameters
        return field

    def _is_seen(self, name: str | None) -> bool:
        if name is None:
            return False
        namespace, short = split_name(name, self._settings.scrub_names)
        full_name = f"{namespace}.{short}" if namespace else short
        is_seen = full_name in self._seen_names
        self._seen_names.add(full_name)
        return is_seen

    def _add_metadata(self, avro: AvroSchema, schema: Schema) -> None:
        props = avro.props
        if self._settings.connect_meta_data:
            self._add_connect_properties(props, schema)
        if schema.name == Decimal.LOGICAL_NAME:
            props[LOGICAL_TYPE] = DECIMAL
        elif schema.name in _LOGICAL_TYPES:
            props[LOGICAL_TYPE] = _LOGICAL_TYPES[schema.name]
        for name, value in (schema.parameters or {}).items():
            if name.startswith(AVRO_PROP):
                props[name] = value

    def _add_connect_properties(self, props: dict[str, Any], schema: Schema) -> None:
        settings = self._settings
        if schema.doc is not None:
            props[CONNECT_DOC] = schema.doc
        if schema.version is not None:
            props[CONNECT_VERSION] = schema.version
        if parameters := self._parameters(schema):
            props[CONNECT_PARAMETERS] = parameters
        is_of_field = not settings.discard_type_doc_default and parameter(schema, FIELD_DEFAULT) is not None
        if schema.default_value is not None and not is_of_field:
            props[CONNECT_DEFAULT] = default_to_json(schema, schema.default_value, settings)
        if schema.name is not None:
            props[CONNECT_NAME] = schema.name
        if schema.type in _NARROW:
            props[CONNECT_TYPE] = _NARROW[schema.type]

    def _parameters(self, schema: Schema) -> dict[str, str]:
        keeps_all = self._settings.discard_type_doc_default
        return {key: value for key, value in (schema.parameters or {}).items() if keeps_all or key != FIELD_DEFAULT}

    def _name(self, schema: Schema) -> tuple[str | None, str]:
        if schema.name is not None:
            return split_name(schema.name, self._settings.scrub_names)
        self._unnamed += 1
        return NAMESPACE, f"{DEFAULT_NAME}{self._unnamed if self._unnamed > 1 else ''}"


def _nullable(avro: AvroSchema, null_first: bool) -> AvroSchema:
    null = AvroSchema("null")
    return AvroSchema("union", types=[null, avro] if null_first else [avro, null])


def _holds_named_type(avro: AvroSchema) -> bool:
    return avro.type in NAMED or any(each.type in NAMED for each in avro.types)

"""A value as another version of its schema has it, as `org.apache.kafka.connect.data.SchemaProjector`."""

from __future__ import annotations

from typing import Any

from connectd.errors import SchemaProjectorException
from connectd.javanumbers import to_double, to_float32
from connectd.schema import Schema, Type
from connectd.struct import Struct

_NUMBERS_BY_WIDTH = (Type.INT8, Type.INT16, Type.INT32, Type.INT64, Type.FLOAT32, Type.FLOAT64)


class SchemaProjector:
    """Projects values between schemas of one subject: fields come and go, numbers get wider, defaults fill in."""

    @staticmethod
    def project(source: Schema, value: Any, target: Schema) -> Any:
        """`value`, which has schema `source`, as a value of schema `target`.

        Raises SchemaProjectorException when the schemas do not allow it: another type (numbers may only get wider),
        name or parameters, a required field that is missing, an optional one that became required without a default.
        """
        _check_compatible(source, target)
        if source.is_optional and not target.is_optional and target.default_value is None:
            raise SchemaProjectorException(
                "Writer schema is optional, however, target schema does not provide a default value."
            )
        if value is None:
            return target.default_value if source.is_optional and not target.is_optional else None
        if target.type is Type.STRUCT:
            return _project_struct(source, value, target)
        if target.type is Type.ARRAY:
            return [_project_element(source.value_schema, element, target.value_schema) for element in value]
        if target.type is Type.MAP:
            return {
                _project_element(source.key_schema, key, target.key_schema): _project_element(
                    source.value_schema, element, target.value_schema
                )
                for key, element in value.items()
            }
        return _project_primitive(value, target)


def _check_compatible(source: Schema, target: Schema) -> None:
    if source.type is not target.type and not _is_promotable(source.type, target.type):
        raise SchemaProjectorException(
            f"Schema type mismatch. source type: {source.type} and target type: {target.type}"
        )
    if source.name != target.name:
        raise SchemaProjectorException(
            f"Schema name mismatch. source name: {source.name} and target name: {target.name}"
        )
    if source.parameters != target.parameters:
        raise SchemaProjectorException(
            "Schema parameters not equal. "
            f"source parameters: {source.parameters} and target parameters: {target.parameters}"
        )


def _is_promotable(source: Type, target: Type) -> bool:
    widths = _NUMBERS_BY_WIDTH
    return source in widths and target in widths and widths.index(source) <= widths.index(target)


def _project_element(source: Schema | None, value: Any, target: Schema | None) -> Any:
    if source is None or target is None:
        raise SchemaProjectorException("Cannot project elements of an array or map whose schema is not known")
    return SchemaProjector.project(source, value, target)


def _project_struct(source: Schema, value: Struct, target: Schema) -> Struct:
    result = Struct(target)
    for field in target.fields:
        source_field = source.field(field.name)
        if source_field is not None:
            try:
                projected = SchemaProjector.project(source_field.schema, value.get(field.name), field.schema)
            except SchemaProjectorException as error:
                raise SchemaProjectorException(f"Error projecting {field.name}: {error}") from error
            result.put(field, projected)
        elif field.schema.default_value is not None and not field.schema.is_optional:
            result.put(field, field.schema.default_value)
        elif not field.schema.is_optional:
            raise SchemaProjectorException(f"Required field `{field.name}` is missing from source schema: {source}")
    return result


def _project_primitive(value: Any, target: Schema) -> Any:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return value
    if target.type is Type.FLOAT32:
        return to_float32(value)
    return to_double(value) if target.type is Type.FLOAT64 else value

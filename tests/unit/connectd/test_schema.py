"""Schemas, their builder, and the check of values against them."""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from connectd.errors import DataException, SchemaBuilderException
from connectd.logical import Date, Decimal, Time, Timestamp
from connectd.schema import (
    Field,
    Schema,
    SchemaAndValue,
    SchemaBuilder,
    Type,
    schema_type_of,
    validate_value,
    value_fits,
)
from connectd.struct import Struct

NOW = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC)


def point() -> SchemaBuilder:
    return SchemaBuilder.struct().name("point").field("x", Schema.INT32_SCHEMA).field("y", Schema.INT32_SCHEMA)


POINT = point().build()


def user() -> SchemaBuilder:
    return (
        SchemaBuilder.struct()
        .name("com.example.User")
        .version(2)
        .doc("a user")
        .parameter("k", "v")
        .field("id", Schema.INT64_SCHEMA)
        .field("tags", SchemaBuilder.array(Schema.STRING_SCHEMA).optional())
    )


class TestType:
    def test_names(self) -> None:
        assert [type.value for type in Type] == [type.name.lower() for type in Type]
        assert (Type.FLOAT64.value, str(Type.FLOAT64)) == ("float64", "FLOAT64")

    def test_primitives(self) -> None:
        assert [type for type in Type if not type.is_primitive] == [Type.ARRAY, Type.MAP, Type.STRUCT]


class TestBuilder:
    def test_all_parts(self) -> None:
        schema = user().optional().build()
        assert (schema.type, schema.name, schema.version, schema.doc) == (Type.STRUCT, "com.example.User", 2, "a user")
        assert schema.is_optional
        assert schema.parameters == {"k": "v"}
        assert [(field.name, field.index) for field in schema.fields] == [("id", 0), ("tags", 1)]
        tags = schema.field("tags")
        assert tags is not None
        assert tags.schema == SchemaBuilder.array(Schema.STRING_SCHEMA).optional().build()
        assert schema.field("unknown") is None

    def test_nothing_set(self) -> None:
        schema = SchemaBuilder.int32().build()
        assert schema == Schema.INT32_SCHEMA
        assert (schema.name, schema.version, schema.doc, schema.parameters) == (None, None, None, None)
        assert schema.default_value is None
        assert not schema.is_optional

    @pytest.mark.parametrize("type", [type for type in Type if type.is_primitive])
    def test_constants(self, type: Type) -> None:
        assert getattr(Schema, f"{type}_SCHEMA") == SchemaBuilder(type).build()
        assert getattr(Schema, f"OPTIONAL_{type}_SCHEMA") == SchemaBuilder(type).optional().build()

    def test_methods_for_types(self) -> None:
        builders = (
            SchemaBuilder.int8(),
            SchemaBuilder.int16(),
            SchemaBuilder.int32(),
            SchemaBuilder.int64(),
            SchemaBuilder.float32(),
            SchemaBuilder.float64(),
            SchemaBuilder.bool(),
            SchemaBuilder.string(),
            SchemaBuilder.bytes(),
        )
        assert [builder.build().type for builder in builders] == [type for type in Type if type.is_primitive]

    def test_array_and_map(self) -> None:
        array = SchemaBuilder.array(Schema.INT8_SCHEMA).build()
        map = SchemaBuilder.map(Schema.STRING_SCHEMA, array).build()
        assert array.value_schema is Schema.INT8_SCHEMA
        assert (map.key_schema, map.value_schema) == (Schema.STRING_SCHEMA, array)

    def test_builder_stands_for_its_schema(self) -> None:
        schema = SchemaBuilder.map(SchemaBuilder.string(), SchemaBuilder.array(SchemaBuilder.int8())).build()
        assert schema.key_schema == Schema.STRING_SCHEMA
        assert schema.value_schema == SchemaBuilder.array(Schema.INT8_SCHEMA).build()
        assert Struct(user(), id=1).schema == user().build()

    def test_built_schema_is_not_changed_by_the_builder(self) -> None:
        builder = user()
        built = builder.build()
        builder.field("more", Schema.INT8_SCHEMA).parameter("k", "other")
        assert len(built.fields) == 2
        assert built.parameters == {"k": "v"}

    def test_same_value_may_be_set_twice(self) -> None:
        builder = SchemaBuilder.int8().optional().optional().name("n").name("n").version(1).version(1).doc("d").doc("d")
        assert builder.default_value(1).default_value(1).build().default_value == 1

    def test_parameters(self) -> None:
        schema = SchemaBuilder.int8().parameters({}).parameter("a", "1").parameters({"b": "2", "a": "3"}).build()
        assert schema.parameters == {"a": "3", "b": "2"}
        assert SchemaBuilder.int8().parameters({}).build().parameters is None

    @pytest.mark.parametrize(
        ("step", "message"),
        [
            (lambda: SchemaBuilder.int8().optional().required(), "optional has already been set"),
            (lambda: SchemaBuilder.int8().required().optional(), "optional has already been set"),
            (lambda: SchemaBuilder.int8().name("a").name("b"), "name has already been set"),
            (lambda: SchemaBuilder.int8().version(1).version(2), "version has already been set"),
            (lambda: SchemaBuilder.int8().doc("a").doc("b"), "doc has already been set"),
            (lambda: SchemaBuilder.int8().default_value(1).default_value(2), "default has already been set"),
            (lambda: SchemaBuilder.int8().default_value(300), "Invalid default value: .*int 300 .*-128 to 127"),
            (lambda: SchemaBuilder.int8().default_value(None), "Invalid default value: .*null"),
            (lambda: SchemaBuilder.int8().field("a", Schema.INT8_SCHEMA), "Cannot create fields on type INT8"),
            (lambda: SchemaBuilder.struct().field("", Schema.INT8_SCHEMA), "fieldName cannot be null"),
            (lambda: SchemaBuilder.struct().field("a", None), "fieldSchema for field a cannot be null"),  # type: ignore[arg-type]
            (lambda: user().field("id", Schema.INT8_SCHEMA), "field name duplication id"),
            (lambda: SchemaBuilder.array(None), "valueSchema cannot be null"),  # type: ignore[arg-type]
            (lambda: SchemaBuilder.map(None, Schema.INT8_SCHEMA), "keySchema cannot be null"),  # type: ignore[arg-type]
            (lambda: SchemaBuilder.map(Schema.INT8_SCHEMA, None), "valueSchema cannot be null"),  # type: ignore[arg-type]
            (lambda: SchemaBuilder(None), "type must be one of Type"),  # type: ignore[arg-type]
        ],
    )
    def test_errors(self, step: Callable[[], SchemaBuilder], message: str) -> None:
        with pytest.raises(SchemaBuilderException, match=message):
            step()

    def test_other_things_are_no_schemas(self) -> None:
        with pytest.raises(DataException, match=r"Expected a Schema or SchemaBuilder, not <Type\.INT8"):
            SchemaBuilder.array(Type.INT8)  # type: ignore[arg-type]


class TestDefaults:
    @pytest.mark.parametrize(
        ("builder", "value"),
        [
            (SchemaBuilder.int8(), 1),
            (SchemaBuilder.string().optional(), None),
            (SchemaBuilder.array(Schema.INT8_SCHEMA), [1, 2]),
            (SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA), {"a": 1}),
            (Decimal.builder(2), decimal.Decimal("1.25")),
            (Timestamp.builder(), NOW),
        ],
    )
    def test_accepted(self, builder: SchemaBuilder, value: Any) -> None:
        assert builder.default_value(value).build().default_value == value

    def test_of_a_struct_has_the_schema_it_is_the_default_of(self) -> None:
        schema = SchemaBuilder.struct().field("at", point().default_value(Struct(POINT, x=3, y=4))).build()
        at = schema.field("at")
        assert at is not None
        default = Struct(schema).get("at")
        assert default == Struct(at.schema, x=3, y=4)
        validate_value(at.schema, default)
        assert Struct(schema, at=default).get("at") == default

    def test_of_a_struct_is_compared_and_pickled(self) -> None:
        one = point().default_value(Struct(POINT, x=3, y=4)).build()
        assert one == point().default_value(Struct(POINT, x=3, y=4)).build()
        assert one != point().default_value(Struct(POINT, x=3, y=5)).build()
        assert one != POINT
        copied = pickle.loads(pickle.dumps(one))
        assert copied == one
        assert copied.default_value == one.default_value

    def test_fields_come_before_the_default(self) -> None:
        with pytest.raises(SchemaBuilderException, match="Cannot create field z after the default value"):
            point().default_value(Struct(POINT, x=3, y=4)).field("z", Schema.INT32_SCHEMA)


class TestSchema:
    def test_equality_and_hash(self) -> None:
        assert user().build() == user().build()
        assert hash(user().build()) == hash(user().build())

    @pytest.mark.parametrize(
        "other",
        [
            user().optional(),
            user().field("more", Schema.INT8_SCHEMA),
            user().parameter("k", "w"),
            user().parameter("l", "v"),
            SchemaBuilder.struct().name("com.example.User"),
            SchemaBuilder.int64(),
        ],
    )
    def test_difference(self, other: SchemaBuilder) -> None:
        assert user().build() != other.build()

    def test_doc_and_default_count(self) -> None:
        assert SchemaBuilder.int8().doc("a").build() != SchemaBuilder.int8().build()
        one, two = SchemaBuilder.int8().default_value(1).build(), SchemaBuilder.int8().default_value(2).build()
        assert one != two

    def test_default_need_not_be_hashable(self) -> None:
        schema = SchemaBuilder.array(Schema.INT8_SCHEMA).default_value([1]).build()
        assert {schema: 1}[SchemaBuilder.array(Schema.INT8_SCHEMA).default_value([1]).build()] == 1

    def test_order_of_parameters_does_not_count(self) -> None:
        first = SchemaBuilder.int8().parameter("a", "1").parameter("b", "2").build()
        second = SchemaBuilder.int8().parameter("b", "2").parameter("a", "1").build()
        assert first == second
        assert hash(first) == hash(second)

    def test_builder_is_never_equal_to_a_schema(self) -> None:
        assert SchemaBuilder.int8() != Schema.INT8_SCHEMA

    def test_survives_pickle_and_copy(self) -> None:
        schema = user().build()
        assert pickle.loads(pickle.dumps(schema)) == schema
        assert copy.deepcopy(schema) == schema

    def test_immutable(self) -> None:
        schema = user().build()
        field = schema.fields[0]
        with pytest.raises(AttributeError, match="cannot set name"):
            schema.name = "other"
        with pytest.raises(AttributeError, match="cannot delete name"):
            del schema.name
        with pytest.raises(AttributeError, match="cannot set index"):
            field.index = 3
        with pytest.raises(AttributeError, match="cannot delete index"):
            del field.index
        with pytest.raises(TypeError):
            schema.parameters["k"] = "w"  # type: ignore[index]

    @pytest.mark.parametrize(
        ("look", "message"),
        [
            (lambda: Schema.INT8_SCHEMA.fields, "Cannot list fields on non-struct type"),
            (lambda: Schema.INT8_SCHEMA.field("a"), "Cannot look up fields on non-struct type"),
            (lambda: SchemaBuilder.array(Schema.INT8_SCHEMA).build().key_schema, "key schema on non-map type"),
            (lambda: Schema.INT8_SCHEMA.value_schema, "value schema on non-array and non-map type"),
        ],
    )
    def test_parts_that_the_type_has_not(self, look: Callable[[], object], message: str) -> None:
        with pytest.raises(DataException, match=message):
            look()

    def test_repr(self) -> None:
        assert repr(Schema.INT8_SCHEMA) == "Schema{INT8}"
        assert repr(user().build()) == "Schema{com.example.User:STRUCT}"
        assert repr(Field("a", 0, Schema.INT8_SCHEMA)) == "Field{name=a, index=0, schema=Schema{INT8}}"

    def test_fields_compare(self) -> None:
        assert Field("a", 0, Schema.INT8_SCHEMA) == Field("a", 0, SchemaBuilder.int8())
        assert Field("a", 0, Schema.INT8_SCHEMA) != Field("a", 1, Schema.INT8_SCHEMA)
        assert len({Field("a", 0, Schema.INT8_SCHEMA), Field("a", 0, Schema.INT8_SCHEMA)}) == 1


class Color(enum.IntEnum):
    RED = 1


class TestValidation:
    @pytest.mark.parametrize(
        ("schema", "value"),
        [
            (Schema.INT8_SCHEMA, -128),
            (Schema.INT8_SCHEMA, 127),
            (Schema.INT16_SCHEMA, 2**15 - 1),
            (Schema.INT32_SCHEMA, -(2**31)),
            (Schema.INT64_SCHEMA, 2**63 - 1),
            (Schema.INT32_SCHEMA, Color.RED),
            (Schema.FLOAT32_SCHEMA, 3.4028234663852886e38),
            (Schema.FLOAT32_SCHEMA, math.inf),
            (Schema.FLOAT32_SCHEMA, math.nan),
            (Schema.FLOAT64_SCHEMA, 1e300),
            (Schema.BOOLEAN_SCHEMA, False),
            (Schema.STRING_SCHEMA, ""),
            (Schema.BYTES_SCHEMA, b"x"),
            (Schema.BYTES_SCHEMA, bytearray(b"x")),
            (Schema.BYTES_SCHEMA, memoryview(b"x")),
            (Schema.OPTIONAL_STRING_SCHEMA, None),
            (SchemaBuilder.array(Schema.OPTIONAL_INT8_SCHEMA).build(), [1, None]),
            (SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).build(), {"a": 1}),
            (POINT, Struct(POINT, x=1, y=2)),
            (Decimal.schema(1), decimal.Decimal("1.0")),
            (Date.SCHEMA, datetime.date(2024, 2, 29)),
            (Time.SCHEMA, datetime.time(12, 30)),
            (Timestamp.SCHEMA, NOW),
            (Timestamp.SCHEMA, NOW.astimezone(datetime.timezone(datetime.timedelta(hours=2)))),
        ],
    )
    def test_accepts(self, schema: Schema, value: Any) -> None:
        validate_value(schema, value)
        assert value is None or value_fits(schema, value)

    @pytest.mark.parametrize(
        ("schema", "value", "message"),
        [
            (Schema.INT8_SCHEMA, 128, "with type INT8: int 128 for value, expected int from -128 to 127"),
            (Schema.INT16_SCHEMA, -(2**15) - 1, "int -32769"),
            (Schema.INT32_SCHEMA, 2**31, "int 2147483648"),
            (Schema.INT64_SCHEMA, 2**63, "int 9223372036854775808"),
            (Schema.INT32_SCHEMA, True, "bool"),
            (Schema.INT32_SCHEMA, 1.0, "float"),
            (Schema.FLOAT64_SCHEMA, 1, "int 1 for value, expected float"),
            (Schema.FLOAT32_SCHEMA, 1e39, "float 1e[+]39 for value, expected float within the range of 32 bits"),
            (Schema.BOOLEAN_SCHEMA, 1, "expected bool"),
            (Schema.STRING_SCHEMA, b"x", "bytes for value, expected str"),
            (Schema.BYTES_SCHEMA, "x", "str for value, expected bytes"),
            (SchemaBuilder.array(Schema.INT8_SCHEMA).build(), (1,), "tuple for value, expected list"),
            (SchemaBuilder.array(Schema.INT8_SCHEMA).build(), ["x"], "str for element of array value"),
            (SchemaBuilder.array(Schema.INT8_SCHEMA).build(), [None], "null used for required element of array value"),
            (SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).build(), {1: 1}, "int 1 for key of map value"),
            (SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).build(), {"a": ""}, "for value of map value"),
            (SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).build(), [], "list for value, expected dict"),
            (POINT, {"x": 1}, 'schema "point" with type STRUCT: dict for value, expected Struct'),
            (POINT, Struct(POINT, x=1), 'null used for required field: "y", schema type: INT32'),
            (POINT, Struct(SchemaBuilder.struct()), "Struct schemas do not match"),
            (Schema(Type.ARRAY), [1], "No schema defined for element of array value"),
            (Schema(Type.MAP), {}, "No schema defined for key of map value"),
            (Schema.STRING_SCHEMA, None, "null used for required value, schema type: STRING"),
            (Decimal.schema(0), 1, "int for value, expected decimal.Decimal"),
            (Date.SCHEMA, NOW, "datetime for value, expected datetime.date without a time"),
            (Time.SCHEMA, datetime.time(1, tzinfo=datetime.UTC), "expected datetime.time without a time zone"),
            (Timestamp.SCHEMA, NOW.replace(tzinfo=None), "expected datetime.datetime with a time zone"),
            (Timestamp.SCHEMA, NOW.date(), "date for value, expected datetime.datetime"),
        ],
    )
    def test_refuses(self, schema: Schema, value: Any, message: str) -> None:
        with pytest.raises(DataException, match=message):
            validate_value(schema, value)

    def test_names_the_field(self) -> None:
        with pytest.raises(DataException, match='str for element of array field: "tags"'):
            validate_value(SchemaBuilder.array(Schema.INT8_SCHEMA).build(), ["x"], "tags")

    def test_never_shows_text(self) -> None:
        with pytest.raises(DataException) as raised:
            validate_value(Schema.INT8_SCHEMA, "s3cret")
        assert "s3cret" not in str(raised.value)

    def test_value_fits_takes_the_stored_form_too(self) -> None:
        assert value_fits(Date.SCHEMA, 5)
        assert value_fits(Decimal.schema(0), b"\x01")
        assert not value_fits(Date.SCHEMA, NOW)
        assert not value_fits(Schema.INT8_SCHEMA, NOW.date())


class TestSchemaTypeOf:
    @pytest.mark.parametrize(
        ("value", "type"),
        [
            ("x", Type.STRING),
            (1, Type.INT64),
            (2**63, None),
            (True, Type.BOOLEAN),
            (1.5, Type.FLOAT64),
            (b"x", Type.BYTES),
            (bytearray(), Type.BYTES),
            ([], Type.ARRAY),
            ({}, Type.MAP),
            (Struct(POINT), Type.STRUCT),
            (decimal.Decimal(1), None),
            (NOW, None),
            (None, None),
        ],
    )
    def test_guess(self, value: Any, type: Type | None) -> None:
        assert schema_type_of(value) is type


class TestSchemaAndValue:
    def test_compares(self) -> None:
        assert SchemaAndValue(SchemaBuilder.int8().build(), 1) == SchemaAndValue(Schema.INT8_SCHEMA, 1)
        assert SchemaAndValue(Schema.INT16_SCHEMA, 1) != SchemaAndValue(Schema.INT8_SCHEMA, 1)
        assert SchemaAndValue(None, None) == SchemaAndValue.NULL

    def test_is_frozen(self) -> None:
        with pytest.raises(AttributeError):
            SchemaAndValue.NULL.value = 1  # type: ignore[misc]

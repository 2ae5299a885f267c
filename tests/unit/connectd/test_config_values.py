"""Passwords, parsing and printing of values beyond what the vectors of Java show."""

import copy
import json
import logging
import pickle
import traceback
from decimal import Decimal
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectd.config import (
    ConfigDef,
    Importance,
    NonEmptyString,
    Password,
    Type,
    ValidList,
    ValidString,
    Width,
    convert_to_string,
    convert_to_string_map_with_password_values,
    parse_type,
)
from connectd.errors import ConfigException

SECRET = Password("s3cret")


def test_a_password_gives_its_secret_only_on_purpose() -> None:
    assert SECRET.value == "s3cret"
    assert (
        f"{SECRET} {SECRET!r} {SECRET:>10} %s {[SECRET]}" % SECRET == "[hidden] [hidden]   [hidden] [hidden] [[hidden]]"
    )


def test_passwords_compare_by_their_secret() -> None:
    assert Password("s3cret") == SECRET
    assert Password("other") != SECRET
    assert SECRET != "s3cret"
    assert len({SECRET, Password("s3cret")}) == 1


def test_a_password_survives_pickling_and_copying() -> None:
    assert pickle.loads(pickle.dumps(SECRET)).value == "s3cret"
    assert copy.deepcopy(SECRET).value == "s3cret"


@pytest.mark.parametrize("encode", [json.dumps, orjson.dumps, msgspec.json.encode, msgspec.msgpack.encode])
def test_encoders_refuse_a_password(encode: Any) -> None:
    with pytest.raises(TypeError):
        encode({"password": SECRET})


@pytest.mark.parametrize("enum", [Type.STRING, Importance.HIGH, Width.NONE])
def test_enums_encode_as_their_names(enum: Any) -> None:
    assert orjson.loads(orjson.dumps(enum)) == enum.name == str(enum) == json.loads(json.dumps(enum))


def test_only_a_password_is_sensitive() -> None:
    assert [type for type in Type if type.is_sensitive] == [Type.PASSWORD]


def definition_with_secret(validator: Any = None) -> ConfigDef:
    return ConfigDef().define("password", Type.PASSWORD, validator=validator)


def refuse(name: str, value: Any) -> None:
    raise ConfigException(name, value, "Too weak")


@pytest.mark.parametrize(
    ("validator", "value"),
    [(ValidString.in_("a"), "s3cret"), (refuse, "s3cret"), (None, 5_3_77), (None, ["s3cret", 5377])],
)
def test_no_error_shows_a_password(validator: Any, value: Any) -> None:
    definition = definition_with_secret(validator)
    with pytest.raises(ConfigException) as error:
        definition.parse({"password": value})
    shown = "".join(traceback.format_exception(error.value)) + repr(definition.validate({"password": value}))
    assert "Invalid value [hidden] for configuration password" in shown
    assert "s3cret" not in shown
    assert "5377" not in shown
    assert "s3cret" not in repr(vars(error.value))


def test_validators_of_strings_look_into_a_password() -> None:
    definition = definition_with_secret(NonEmptyString())
    assert definition.parse({"password": "x"}) == {"password": Password("x")}
    with pytest.raises(
        ConfigException, match=r"Invalid value \[hidden\] for configuration password: String must be non"
    ):
        definition.parse({"password": " "})


@pytest.mark.parametrize("type", list(Type))
def test_none_stays_none(type: Type) -> None:
    assert parse_type("key", None, type) is None
    assert convert_to_string(None, type) is None


@pytest.mark.parametrize(
    ("type", "value"),
    [
        (Type.INT, 2**31),
        (Type.INT, -(2**31) - 1),
        (Type.SHORT, 2**15),
        (Type.LONG, 2**63),
        (Type.LONG, "1" * 100_000),
    ],
)
def test_integers_beyond_their_range_are_refused(type: Type, value: Any) -> None:
    with pytest.raises(ConfigException, match=f"for configuration key: Not a number of type {type}$"):
        parse_type("key", value, type)


@pytest.mark.parametrize(("type", "bits"), [(Type.SHORT, 16), (Type.INT, 32), (Type.LONG, 64)])
def test_integers_reach_both_ends_of_their_range(type: Type, bits: int) -> None:
    for number in (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1):
        assert parse_type("key", number, type) == parse_type("key", str(number), type) == number


@pytest.mark.parametrize(
    ("value", "expected"), [(Decimal("2.5"), 2.5), (10**400, float("inf")), (-(10**400), float("-inf"))]
)
def test_any_number_is_a_double(value: Any, expected: float) -> None:
    assert parse_type("key", value, Type.DOUBLE) == expected


@pytest.mark.parametrize("type", [Type.INT, Type.SHORT, Type.LONG, Type.DOUBLE])
def test_a_boolean_is_no_number(type: Type) -> None:
    with pytest.raises(ConfigException, match=r"Invalid value true for configuration key: .* but it was a bool$"):
        parse_type("key", True, type)


def test_a_class_stays_a_name_or_a_class() -> None:
    assert parse_type("key", " plugins.File ", Type.CLASS) == "plugins.File"
    assert parse_type("key", Decimal, Type.CLASS) is Decimal
    assert convert_to_string(Decimal, Type.CLASS) == "decimal.Decimal"
    assert convert_to_string("plugins.File", Type.CLASS) == "plugins.File"
    with pytest.raises(ConfigException, match="Invalid value 5 for configuration key: Expected a Class instance"):
        parse_type("key", 5, Type.CLASS)


def test_a_parsed_list_belongs_to_the_caller() -> None:
    given_list = ["a"]
    parsed = parse_type("key", given_list, Type.LIST)
    parsed.append("b")
    assert given_list == ["a"]


def test_a_map_of_texts_has_readable_passwords_and_no_nones() -> None:
    configs = {"a": True, "b": None, "c": SECRET, "d": ["x", "y"], "e": 1e7, "f": int}
    assert convert_to_string_map_with_password_values(configs) == {
        "a": "true",
        "c": "s3cret",
        "d": "x,y",
        "e": "1.0E7",
        "f": "builtins.int",
    }


ENTRIES = st.text("abc xyz", min_size=1).map(str.strip).filter(bool)
VALUES = st.one_of(
    st.tuples(st.just(Type.BOOLEAN), st.booleans()),
    st.tuples(st.just(Type.SHORT), st.integers(-(2**15), 2**15 - 1)),
    st.tuples(st.just(Type.INT), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(Type.LONG), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just(Type.DOUBLE), st.floats(allow_nan=False)),
    st.tuples(st.just(Type.STRING), ENTRIES),
    st.tuples(st.just(Type.LIST), st.lists(ENTRIES)),
)


@given(VALUES)
def test_what_is_printed_is_read_back(case: tuple[Type, Any]) -> None:
    type, value = case
    assert parse_type("key", convert_to_string(value, type), type) == value


@given(st.sampled_from(list(Type)), st.text())
def test_any_text_parses_or_names_key_and_value(type: Type, text: str) -> None:
    try:
        parse_type("key", text, type)
    except ConfigException as error:
        assert error.key == "key"
        assert error.value == text
        assert str(error).startswith(f"Invalid value {text} for configuration key: ")


def test_removed_duplicates_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    definition = ConfigDef().define("topics", Type.LIST, validator=ValidList.any_non_duplicate_values(True, True))
    with caplog.at_level(logging.WARNING):
        assert definition.parse({"topics": "a,b,a"}) == {"topics": ["a", "b"]}
    assert "topics" in caplog.text

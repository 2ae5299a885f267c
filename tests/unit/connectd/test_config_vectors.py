"""ConfigDef against what Kafka 4.3's own ConfigDef answered (tests/peer/ConfigVectors.java wrote the answers)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from connectd.config import (
    AbstractConfig,
    CaseInsensitiveValidString,
    CompositeValidator,
    ConfigDef,
    ConfigValue,
    Importance,
    LambdaValidator,
    ListSize,
    NonEmptyString,
    NonEmptyStringWithoutControlChars,
    NonNullValidator,
    Password,
    Range,
    Type,
    Validator,
    ValidList,
    ValidString,
    Width,
    convert_to_string,
    parse_type,
)
from connectd.errors import ConfigException

VECTORS = json.loads((Path(__file__).parents[2] / "peer" / "config_vectors.json").read_text("utf-8"))

# Java names a value's class in some messages; ours are Python's.
JAVA_CLASSES = {
    "java.lang.Boolean": "bool",
    "java.lang.Integer": "int",
    "java.lang.Double": "float",
    "java.util.ImmutableCollections$List12": "list",
}


def ours(message: str) -> str:
    for java, python in JAVA_CLASSES.items():
        message = message.replace(java, python)
    return message


def readable(value: Any, type: Type) -> Any:
    if isinstance(value, Password):
        return value.value
    return convert_to_string(value, type) if type in (Type.DOUBLE, Type.CLASS) else value


def all_readable(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.value if isinstance(value, Password) else value for name, value in values.items()}


def label(row: dict[str, Any]) -> str:
    return f"{row['type']}-{row['input']!r}"


@pytest.mark.parametrize("row", VECTORS["parse_strings"], ids=label)
def test_strings_parse_as_in_java(row: dict[str, Any]) -> None:
    type = Type[row["type"]]
    if "error" in row:
        with pytest.raises(ConfigException) as error:
            parse_type("key", row["input"], type)
        assert str(error.value) == row["error"]
    else:
        assert readable(parse_type("key", row["input"], type), type) == row["parsed"]


@pytest.mark.parametrize("row", VECTORS["parse_natives"], ids=label)
def test_values_that_are_no_strings_parse_as_in_java(row: dict[str, Any]) -> None:
    type = Type[row["type"]]
    if "error" in row:
        with pytest.raises(ConfigException) as error:
            parse_type("key", row["input"], type)
        expected = ours(row["error"])
        if type is Type.PASSWORD:  # Java shows what was meant as a secret
            expected = re.sub("value .* for", "value [hidden] for", expected, count=1)
        assert str(error.value) == expected
    else:
        parsed = readable(parse_type("key", row["input"], type), type)
        assert (parsed, parsed.__class__) == (row["parsed"], row["parsed"].__class__)


@pytest.mark.parametrize(("hexadecimal", "text"), VECTORS["double_texts"])
def test_doubles_print_as_in_java(hexadecimal: str, text: str) -> None:
    assert convert_to_string(float.fromhex(hexadecimal), Type.DOUBLE) == text


def never(name: str, value: Any) -> None:
    raise ConfigException(name, value, "Never valid")


VALIDATORS: dict[str, Validator] = {
    "between": Range.between(0, 10),
    "between_doubles": Range.between(0.5, 1.5),
    "at_least": Range.at_least(3),
    "valid_string": ValidString.in_("a", "b"),
    "case_insensitive": CaseInsensitiveValidString.in_("abc"),
    "list_in": ValidList.in_("a", "b"),
    "list_in_not_empty": ValidList.in_("a", "b", is_empty_allowed=False),
    "any_list": ValidList.any_non_duplicate_values(True, True),
    "any_list_not_empty": ValidList.any_non_duplicate_values(False, False),
    "non_null": NonNullValidator(),
    "non_empty": NonEmptyString(),
    "no_control_chars": NonEmptyStringWithoutControlChars(),
    "list_size": ListSize.at_most_of_size(1),
    "composite": CompositeValidator.of(NonNullValidator(), ValidString.in_("a", "")),
    "lambda": LambdaValidator.with_(never, lambda: "nothing"),
}


@pytest.mark.parametrize("name", VECTORS["validators"])
def test_validators_describe_themselves_as_in_java(name: str) -> None:
    assert str(VALIDATORS[name]) == VECTORS["validators"][name]["text"]


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name, entry in VECTORS["validators"].items() for case in entry["cases"]]
)
def test_validators_complain_as_in_java(name: str, case: dict[str, Any]) -> None:
    try:
        VALIDATORS[name].ensure_valid("key", case["value"])
        complaint = None
    except ConfigException as error:
        complaint = str(error)
    assert complaint == case["error"]


class Letters:
    def valid_values(self, name: str, parsed: Any) -> list[str]:
        if parsed["size"] == 9:
            raise ConfigException("size", 9, "Nine has no letters")
        return ["a", "b"]

    def visible(self, name: str, parsed: Any) -> bool:
        return parsed["flag"] is True


def definition() -> ConfigDef:
    return (
        ConfigDef()
        .define("zeta", Type.STRING, importance=Importance.LOW, doc="Last in the alphabet, first without a default.")
        .define("plain.low", Type.STRING, "", None, Importance.LOW, "Low.")
        .define("plain.high", Type.STRING, None, None, Importance.HIGH, "High.")
        .define("plain.also.high", Type.DOUBLE, 2.5, None, Importance.HIGH, "Also high.")
        .define(
            "size",
            Type.INT,
            5,
            Range.between(1, 10),
            Importance.MEDIUM,
            "A size.",
            group="Second",
            order=2,
            width=Width.SHORT,
            display_name="Size",
        )
        .define(
            "flag",
            Type.BOOLEAN,
            True,
            None,
            Importance.MEDIUM,
            "A flag.",
            group="Second",
            order=1,
            display_name="Flag",
            dependents=["size", "names"],
        )
        .define(
            "names",
            Type.LIST,
            ["a"],
            ValidList.in_("a", "b"),
            Importance.HIGH,
            "Names.\n\nTwo paragraphs.",
            group="First",
            order=1,
            display_name="Names",
            recommender=Letters(),
        )
        .define("interval.ms", Type.LONG, 3_600_000, None, Importance.LOW, "An interval.")
        .define("timeout.ms", Type.LONG, 1500, None, Importance.LOW, "A timeout.")
        .define("buffer.bytes", Type.INT, 2097152, None, Importance.LOW, "A buffer.")
        .define("block.bytes", Type.INT, 1024, None, Importance.LOW, "A block.")
        .define("secret", Type.PASSWORD, "hush", None, Importance.LOW, "A secret.")
        .define("internal", Type.INT, 1, None, Importance.HIGH, internal=True)
    )


@pytest.mark.parametrize("row", VECTORS["parse"])
def test_properties_parse_as_in_java(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(ConfigException) as error:
            definition().parse(row["props"])
        assert str(error.value) == row["error"]
    else:
        assert all_readable(definition().parse(row["props"])) == row["values"]


def as_json(values: list[ConfigValue]) -> dict[str, Any]:
    return {
        value.name: {
            "value": value.value.value if isinstance(value.value, Password) else value.value,
            "recommended_values": value.recommended_values,
            "error_messages": value.error_messages,
            "visible": value.visible,
        }
        for value in values
    }


@pytest.mark.parametrize("row", VECTORS["validate"])
def test_properties_are_validated_as_in_java(row: dict[str, Any]) -> None:
    tested = definition()
    if "undefined" in row:
        tested.define("lonely", Type.STRING, "x", group="First", dependents=["nowhere"])
    assert as_json(tested.validate(row["props"])) == row["values"]


def test_the_reference_has_the_keys_and_facts_of_javas() -> None:
    markdown = definition().to_markdown()
    assert re.findall(r"^### `(.*)`$", markdown, re.M) == re.findall(r"^``(.*)``$", VECTORS["rst"], re.M)
    facts = r"^ *[*-] (Type|Default|Valid Values|Importance|Dependents): (.*)$"
    java = [(name.lower(), value.replace("``", "`")) for name, value in re.findall(facts, VECTORS["rst"], re.M)]
    found = re.findall(facts, markdown, re.M | re.I)
    assert [(name.lower(), value) for name, value in found] == java
    assert re.findall(r"^## (.*)$", markdown, re.M) == re.findall(r"^(\w+)\n\^+$", VECTORS["rst"], re.M)


def test_a_child_is_embedded_as_in_java() -> None:
    vector = VECTORS["embedded"]
    parent = ConfigDef().define("own", Type.STRING, "").embed("child.", "Child", 3, definition())
    keys = [
        {
            "name": key.name,
            "group": key.group,
            "order": key.order_in_group,
            "display_name": key.display_name,
            "dependents": list(key.dependents),
        }
        for key in parent.config_keys.values()
        if not key.internal_config
    ]
    values = as_json(parent.validate(vector["props"]))
    del values["child.internal"]
    assert values == vector["values"]
    assert keys == vector["keys"]


@pytest.mark.parametrize("row", VECTORS["prefixed"])
def test_prefixed_properties_are_found_as_in_java(row: dict[str, Any]) -> None:
    config = AbstractConfig(definition(), row["props"])
    assert config.originals_with_prefix("p.") == row["originals_with_prefix"]
    assert all_readable(config.values_with_prefix_override("p.")) == row["values_with_prefix_override"]
    assert all_readable(config.values_with_prefix_all_or_nothing("p.")) == row["values_with_prefix_all_or_nothing"]

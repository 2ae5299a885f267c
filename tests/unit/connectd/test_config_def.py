"""ConfigDef: declaring, errors all at once, recommenders, dependents, embedding, the reference."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectd.config import (
    NO_DEFAULT,
    CompositeValidator,
    ConfigDef,
    Importance,
    NonEmptyString,
    NonNullValidator,
    Password,
    Range,
    Type,
    Validator,
    ValidList,
    ValidString,
)
from connectd.errors import ConfigException


def definition() -> ConfigDef:
    return (
        ConfigDef()
        .define("topic", Type.STRING, validator=NonEmptyString(), importance=Importance.HIGH, doc="Where to write.")
        .define("batch.size", Type.INT, 2000, Range.at_least(1), doc="Lines a batch.")
        .define("password", Type.PASSWORD, None)
        .define("formats", Type.LIST, ["json"], ValidList.in_("json", "text"))
    )


def test_a_definition_says_what_it_declares() -> None:
    defined = definition().define("path", Type.STRING, "", group="Files").define("mode", Type.STRING, "", group="Files")
    assert list(defined.config_keys) == ["topic", "batch.size", "password", "formats", "path", "mode"]
    assert defined.config_names == set(defined.config_keys)
    assert defined.default_values == {
        "batch.size": 2000,
        "password": None,
        "formats": ["json"],
        "path": "",
        "mode": "",
    }
    assert defined.groups == ("Files",)
    key = defined.config_keys["topic"]
    assert (key.display_name, key.group, key.order_in_group, key.default_value) == ("topic", None, -1, NO_DEFAULT)


def test_keys_of_a_group_are_numbered_as_they_come() -> None:
    defined = (
        ConfigDef()
        .define("a", Type.STRING, "", group="One")
        .define("b", Type.STRING, "", group="Two")
        .define("c", Type.STRING, "", group="One", order=7)
        .define("d", Type.STRING, "", group="One")
    )
    assert [key.order_in_group for key in defined.config_keys.values()] == [1, 1, 7, 8]


def test_a_key_is_declared_once() -> None:
    with pytest.raises(ConfigException, match=r"^Configuration topic is defined twice\.$"):
        definition().define("topic", Type.INT)


@pytest.mark.parametrize(
    ("type", "default", "validator", "message"),
    [
        (Type.INT, "many", None, "Invalid value many for configuration key: Not a number of type INT"),
        (Type.INT, 0, Range.at_least(1), "Invalid value 0 for configuration key: Value must be at least 1"),
        (Type.INT, None, Range.at_least(1), "Invalid value null for configuration key: Value must be non-null"),
        (Type.LIST, "a,a", ValidList.in_("a"), "Configuration 'key' values must not be duplicated."),
    ],
)
def test_a_default_must_be_valid(type: Type, default: Any, validator: Validator | None, message: str) -> None:
    defined = ConfigDef()
    with pytest.raises(ConfigException) as error:
        defined.define("key", type, default, validator)
    assert str(error.value) == message
    assert not defined.config_keys


def test_a_default_is_parsed() -> None:
    defined = ConfigDef().define("password", Type.PASSWORD, "s3cret").define("retries", Type.LONG, " 5 ")
    assert defined.parse({}) == {"password": Password("s3cret"), "retries": 5}


def test_a_default_list_is_not_shared() -> None:
    defined = definition()
    defined.parse({"topic": "t"})["formats"].append("changed")
    defined.validate({})[3].value.append("changed")
    defined.default_values["formats"].append("changed")
    assert defined.parse({"topic": "t"})["formats"] == ["json"]


def test_a_copied_definition_grows_alone() -> None:
    base = definition().define("a", Type.STRING, "", group="One")
    copied = ConfigDef(base).define("b", Type.STRING, "", group="Two")
    assert "b" not in base.config_keys
    assert (base.groups, copied.groups) == (("One",), ("One", "Two"))
    assert copied.parse({"topic": "t"})["batch.size"] == 2000


def test_the_keys_cannot_be_changed_from_outside() -> None:
    with pytest.raises(TypeError):
        definition().config_keys["new"] = definition().config_keys["topic"]  # type: ignore[index]


def test_undeclared_properties_are_left_out() -> None:
    assert "other" not in definition().parse({"topic": "t", "other": "x"})


def test_all_errors_are_found_at_once() -> None:
    errors = definition().errors({"batch.size": "many", "formats": "xml"})
    assert [(error.key, str(error)) for error in errors] == [
        ("topic", 'Missing required configuration "topic" which has no default value.'),
        ("batch.size", "Invalid value many for configuration batch.size: Not a number of type INT"),
        ("formats", "Invalid value xml for configuration formats: String must be one of: json, text"),
    ]


def test_an_error_of_an_embedded_key_names_it_in_full() -> None:
    parent = ConfigDef().embed("file.", "File", 1, definition())
    errors = parent.errors({"file.topic": ""})
    assert [(error.key, str(error)) for error in errors] == [
        ("file.topic", "Invalid value  for configuration topic: String must be non-empty")
    ]


def test_the_error_of_a_missing_key_knows_the_key() -> None:
    with pytest.raises(ConfigException) as error:
        definition().parse({})
    assert error.value.key == "topic"


PROPS = st.dictionaries(
    st.sampled_from(["topic", "batch.size", "password", "formats"]),
    st.one_of(st.none(), st.integers(-1, 5), st.sampled_from(["", "1", "x", "json", "json,json", "text,xml"])),
)


@given(PROPS)
def test_errors_and_parse_agree(props: dict[str, Any]) -> None:
    errors = definition().errors(props)
    if not errors:
        assert definition().parse(props).keys() == definition().config_names
        return
    with pytest.raises(ConfigException) as first:
        definition().parse(props)
    assert str(first.value) == str(errors[0])


@given(PROPS)
def test_validate_finds_at_least_the_errors_of_parse(props: dict[str, Any]) -> None:
    wrong = {value.name for value in definition().validate(props) if value.error_messages}
    assert wrong >= {error.key for error in definition().errors(props)}


def test_a_plain_function_validates() -> None:
    def even(name: str, value: Any) -> None:
        """An even number.

        Nothing else.
        """
        if value % 2:
            raise ValueError("must be even")

    defined = ConfigDef().define("count", Type.INT, 2, even)
    assert str(defined.config_keys["count"].validator) == "An even number."
    with pytest.raises(ConfigException, match=r"^Invalid value 3 for configuration count: must be even$"):
        defined.parse({"count": "3"})


def test_a_function_without_a_docstring_has_no_description() -> None:
    defined = ConfigDef().define("count", Type.INT, 2, lambda name, value: None)
    assert str(defined.config_keys["count"].validator) == ""
    assert "Valid values" not in defined.to_markdown()


def test_an_impossible_list_is_refused() -> None:
    with pytest.raises(ValueError, match="At least one valid string"):
        ValidList.in_(is_empty_allowed=False)


def test_a_composite_asks_in_order() -> None:
    composite = CompositeValidator.of(NonNullValidator(), ValidString.in_("a"))
    with pytest.raises(ConfigException, match="entry must be non null"):
        composite.ensure_valid("key", None)


def test_parsing_refuses_dependents_that_nobody_declared() -> None:
    defined = definition().define("mode", Type.STRING, "", dependents=["depth", "topic", "width"])
    message = "Some configurations in are referred in the dependents, but not defined: depth,width"
    with pytest.raises(ConfigException) as error:
        defined.parse({"topic": "t"})
    assert str(error.value) == message
    assert [error.key for error in defined.errors({"topic": "t"})] == ["depth", "width"]
    outcome = defined.validate_all({"topic": "t"})["depth"]
    assert outcome.error_messages == ["depth is referred in the dependents, but not defined."]
    assert not outcome.visible


def test_dependents_may_be_shared_and_circular() -> None:
    defined = (
        ConfigDef()
        .define("a", Type.INT, dependents=["b", "c"])
        .define("b", Type.INT, dependents=["c"])
        .define("c", Type.INT, dependents=["b"])
    )
    outcomes = defined.validate({"a": "1", "b": "x"})
    assert [len(outcome.error_messages) for outcome in outcomes] == [0, 1, 1]


class Shards:
    """Offers as many shards as the parent key allows; hidden when there is but one."""

    def valid_values(self, name: str, parsed: Mapping[str, Any]) -> range:
        if parsed["shards"] is None:
            raise ConfigException("shards", None, "Needed to choose one")
        return range(parsed["shards"])

    def visible(self, name: str, parsed: Mapping[str, Any]) -> bool:
        return bool(parsed["shards"] > 1)


def sharded() -> ConfigDef:
    return (
        ConfigDef()
        .define("shard", Type.INT, 0, recommender=Shards())
        .define("shards", Type.INT, 1, dependents=["shard"])
    )


def test_a_recommender_sees_the_parsed_values() -> None:
    outcome = sharded().validate_all({"shards": "3"})["shard"]
    assert (outcome.recommended_values, outcome.visible) == ([0, 1, 2], True)
    assert not sharded().validate_all({})["shard"].visible


def test_a_recommender_that_fails_is_an_error_of_its_key() -> None:
    outcome = sharded().validate_all({"shards": "x"})["shard"]
    assert outcome.error_messages == ["Invalid value null for configuration shards: Needed to choose one"]
    assert outcome.visible


def test_an_embedded_recommender_sees_its_own_names() -> None:
    parent = ConfigDef().define("shards", Type.INT, 9).embed("db.", "Database", 1, sharded())
    assert parent.validate_all({"db.shards": "2"})["db.shard"].recommended_values == [0, 1]


def test_the_reference_reads_well() -> None:
    defined = (
        ConfigDef()
        .define("topic", Type.STRING, importance=Importance.HIGH, doc="Where to write.")
        .define("idle.ms", Type.LONG, 60_000, Range.at_least(0), group="Time", dependents=["topic"])
        .define("host", Type.STRING, "box-7", group="Network", alternative_string="name of the host")
        .define("hidden", Type.STRING, "", internal=True)
    )
    assert defined.to_markdown() == (
        "### `topic`\n\nWhere to write.\n\n- Type: string\n- Importance: high\n\n"
        "## Time\n\n### `idle.ms`\n\n- Type: long\n- Default: 60000 (1 minute)\n- Valid values: [0,...]\n"
        "- Importance: medium\n- Dependents: `topic`\n\n"
        "## Network\n\n### `host`\n\n- Type: string\n- Default: name of the host\n- Importance: medium\n"
    )


def test_the_reference_never_shows_a_password() -> None:
    assert "s3cret" not in ConfigDef().define("password", Type.PASSWORD, "s3cret").to_markdown()


def test_an_empty_definition_has_an_empty_reference() -> None:
    assert ConfigDef().to_markdown() == ""


def test_a_default_of_zero_has_no_unit() -> None:
    assert "- Default: 0\n" in ConfigDef().define("linger.ms", Type.LONG, 0).to_markdown()

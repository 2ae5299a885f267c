"""AbstractConfig: values, originals, prefixes, and which keys were used."""

from collections.abc import Mapping
from typing import Any

import pytest

from connectd.config import AbstractConfig, ConfigDef, Password, Range, Type
from connectd.errors import ConfigException

DEFINITION = (
    ConfigDef()
    .define("group.id", Type.STRING, None, doc="The group.")
    .define("batch.size", Type.INT, 2000, Range.at_least(1))
    .define("password", Type.PASSWORD, None)
)


def config(**props: Any) -> AbstractConfig:
    return AbstractConfig(DEFINITION, {key.replace("_", "."): value for key, value in props.items()})


def test_values_are_parsed_or_defaults() -> None:
    parsed = config(batch_size=" 5 ")
    assert parsed["batch.size"] == parsed.get("batch.size") == 5
    assert parsed.get("group.id") is None
    assert parsed.values() == {"group.id": None, "batch.size": 5, "password": None}


def test_a_wrong_value_fails_at_once() -> None:
    with pytest.raises(
        ConfigException, match=r"^Invalid value 0 for configuration batch.size: Value must be at least 1$"
    ):
        config(batch_size="0")


def test_a_key_that_is_not_a_string_fails() -> None:
    with pytest.raises(ConfigException, match=r"^Invalid value x for configuration 5: Key must be a string\.$"):
        AbstractConfig(DEFINITION, {5: "x"})  # type: ignore[dict-item]


def test_an_undeclared_key_cannot_be_read() -> None:
    with pytest.raises(ConfigException, match=r"^Unknown configuration 'other'$"):
        config(other="x").get("other")


def test_types_and_documentation_are_at_hand() -> None:
    parsed = config()
    assert (parsed.type_of("batch.size"), parsed.type_of("other")) == (Type.INT, None)
    assert (parsed.documentation_of("group.id"), parsed.documentation_of("other")) == ("The group.", None)


def test_originals_are_a_copy_as_given() -> None:
    parsed = config(batch_size="5", other="x")
    assert parsed.originals() == parsed.originals_strings() == {"batch.size": "5", "other": "x"}
    assert parsed.originals({"other": "y"})["other"] == "y"
    parsed.originals()["other"] = "changed"
    assert parsed.originals()["other"] == "x"


def test_originals_that_are_no_strings_are_refused_where_strings_are_asked_for() -> None:
    with pytest.raises(TypeError, match=r"Non-string value found in original settings for key batch.size: int"):
        config(batch_size=5).originals_strings()


def test_prefixed_originals_keep_the_prefix_on_request() -> None:
    parsed = AbstractConfig(DEFINITION, {"producer.acks": "all", "producer.": "x", "acks": "0"})
    assert parsed.originals_with_prefix("producer.") == {"acks": "all"}
    assert parsed.originals_with_prefix("producer.", strip=False) == {"producer.acks": "all"}


@pytest.mark.parametrize("read", ["values_with_prefix_override", "values_with_prefix_all_or_nothing"])
def test_prefixed_values_are_validated(read: str) -> None:
    parsed = AbstractConfig(DEFINITION, {"p.batch.size": "0"})
    with pytest.raises(ConfigException, match="Invalid value 0 for configuration batch"):
        getattr(parsed, read)("p.")


USES = {
    "get": lambda parsed: parsed.get("a"),
    "item": lambda parsed: parsed["a"],
    "ignore": lambda parsed: parsed.ignore("a"),
    "values": lambda parsed: parsed.values().get("a"),
    "values_item": lambda parsed: parsed.values()["a"],
    "originals": lambda parsed: parsed.originals().get("a"),
    "originals_item": lambda parsed: parsed.originals()["a"],
    "originals_strings": lambda parsed: parsed.originals_strings()["a"],
    "nothing_prefixed": lambda parsed: parsed.values_with_prefix_all_or_nothing("q.")["a"],
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_key_that_was_read_is_used(use: Any) -> None:
    parsed = AbstractConfig(ConfigDef().define("a", Type.STRING, ""), {"a": "x", "b": "y"})
    assert parsed.unused() == {"a", "b"}
    use(parsed)
    assert parsed.unused() == {"b"}


PREFIXED_USES = {
    "originals": (lambda parsed: parsed.originals_with_prefix("p.")["a"], {"a", "b"}),
    "originals_unstripped": (lambda parsed: parsed.originals_with_prefix("p.", False)["p.a"], {"a", "b"}),
    "override": (lambda parsed: parsed.values_with_prefix_override("p.").get("a"), {"b"}),
    "all_or_nothing": (lambda parsed: parsed.values_with_prefix_all_or_nothing("p.").get("a"), {"b"}),
}


@pytest.mark.parametrize(("use", "left"), PREFIXED_USES.values(), ids=PREFIXED_USES)
def test_a_key_that_was_read_below_its_prefix_is_used(use: Any, left: set[str]) -> None:
    parsed = AbstractConfig(ConfigDef().define("a", Type.STRING, ""), {"p.a": "x", "a": "y", "b": "z"})
    use(parsed)
    assert parsed.unused() == left


def test_listing_a_copy_does_not_use_its_keys() -> None:
    parsed = config(batch_size="5")
    assert list(parsed.originals().items())
    assert "batch.size" in parsed.values()
    assert parsed.unused() == {"batch.size"}


def test_unknown_keys_come_with_what_was_probably_meant() -> None:
    parsed = config(bach_size="5", group_id="g", zebra="x", read="y", producer_acks="all")
    parsed.originals()["read"]
    assert parsed.unknown() == {"bach.size": "batch.size", "producer.acks": None, "zebra": None}
    assert parsed.unknown(["producer."]) == {"bach.size": "batch.size", "zebra": None}


class Derived(AbstractConfig):
    def pre_process_parsed_config(self, props: dict[str, Any]) -> Mapping[str, Any]:
        return {**props, "group.id": props.get("group.id", "made-up")}

    def post_process_parsed_config(self, parsed: dict[str, Any]) -> Mapping[str, Any]:
        return {"batch.size": len(parsed["group.id"])}


def test_subclasses_change_what_is_parsed_and_what_came_of_it() -> None:
    derived = Derived(DEFINITION, {})
    assert derived.values() == {"group.id": "made-up", "batch.size": 7, "password": None}


def test_changed_values_must_be_valid_too() -> None:
    with pytest.raises(ConfigException, match="Value must be at least 1"):
        Derived(DEFINITION, {"group.id": ""})


def test_configurations_compare_by_class_and_properties() -> None:
    assert config(batch_size="5") == config(batch_size="5")
    assert config(batch_size="5") != config(batch_size=5)
    assert Derived(DEFINITION, {"group.id": "g"}) != config(group_id="g")


def test_its_text_hides_passwords_and_what_nobody_declared() -> None:
    parsed = config(password="s3cret", passwort="s3cret")
    assert repr(parsed) == "AbstractConfig(batch.size=2000, group.id=None, password=[hidden])"
    assert parsed["password"] == Password("s3cret")


def test_a_default_is_the_configurations_own() -> None:
    definition = ConfigDef().define("names", Type.LIST, ["a"])
    first, second = AbstractConfig(definition, {}), AbstractConfig(definition, {})
    first["names"].append("b")
    assert (first["names"], first.values(), second["names"]) == (["a", "b"], {"names": ["a", "b"]}, ["a"])


def test_of_several_wrong_keys_the_one_that_was_declared_first_is_told() -> None:
    definition = ConfigDef().define("a", Type.INT, 1).define("b", Type.INT).define("c", Type.INT, 3)
    for props, wrong in ({"c": "x", "a": "y", "b": "1"}, "a"), ({"c": "x"}, "b"), ({"c": "x", "b": "1"}, "c"):
        with pytest.raises(ConfigException) as raised:
            AbstractConfig(definition, props)
        assert raised.value.key == wrong

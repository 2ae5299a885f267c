"""Validation of whole connector configurations, with plugins made for it."""

from collections.abc import Mapping
from typing import Any

import pytest

from connectd import Connector, SinkConnector, SourceConnector
from connectd.config import ConfigDef, ConfigValue, Type
from connectd.converters import Converter
from connectd.errors import ConfigException
from connectd.schema import Schema, SchemaAndValue
from connectd.transforms import Transformation
from tasks.settings import worker_config
from tasks.settings.validation import ConnectorValidation, validate_connector

WORKER = {"bootstrap.servers": "localhost:9092", "key.converter": "String", "value.converter": "String"}


class Numbers(SourceConnector):
    def start(self, props: Mapping[str, str]) -> None: ...

    def task_class(self) -> Any: ...

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return []

    def config(self) -> ConfigDef:
        return ConfigDef().define("limit", Type.INT).define("api.token", Type.PASSWORD, None)

    def validate(self, props: Mapping[str, str]) -> list[ConfigValue]:
        values = super().validate(props)
        for value in values:
            if value.name == "api.token" and value.value is not None and props.get("limit") == "13":
                value.add_error_message("The token is refused")
        return values


class Crashing(Numbers):
    def validate(self, props: Mapping[str, str]) -> list[ConfigValue]:
        raise ZeroDivisionError("by nothing")


class Refusing(Numbers):
    def validate(self, props: Mapping[str, str]) -> list[ConfigValue]:
        raise ConfigException("limit", 1, "Expected less")


class Broken(Numbers):
    def __init__(self) -> None:
        raise OSError("no licence")


class Sink(SinkConnector):
    def start(self, props: Mapping[str, str]) -> None: ...

    def task_class(self) -> Any: ...

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return []

    def config(self) -> ConfigDef:
        return ConfigDef()


class Hex(Converter):
    def config(self) -> ConfigDef:
        return ConfigDef().define("upper", Type.BOOLEAN, False)

    def from_connect_data(self, topic: str, schema: Schema | None, value: Any) -> bytes | None:
        return None

    def to_connect_data(self, topic: str, value: bytes | None) -> SchemaAndValue:
        raise NotImplementedError


class Scale(Transformation[Any]):
    def config(self) -> ConfigDef:
        return ConfigDef().define("factor", Type.INT).define("type", Type.STRING, "hidden by the worker's")

    def apply(self, record: Any) -> Any:
        return record


PLUGINS = {plugin.__name__: plugin for plugin in (Numbers, Crashing, Refusing, Broken, Connector, Sink, Hex, Scale)}


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_class(name: str, *, plugin_path: list[str]) -> type:
        if name == "Unimportable":
            raise SyntaxError("invalid syntax")
        return PLUGINS[name]

    monkeypatch.setattr("tasks.settings.plugin_definitions.find_class", find_class)


def validate(worker: Mapping[str, str] | None = None, **keys: str) -> ConnectorValidation:
    config = {"name": "n", "connector.class": "Numbers", "limit": "1"}
    config |= {key.replace("_", "."): value for key, value in keys.items()}
    return validate_connector(config, worker_config({**WORKER, **(worker or {})}))


def wrong(validation: ConnectorValidation) -> dict[str, list[str]]:
    return {value.name: value.error_messages for value in validation.wrong}


def test_a_valid_configuration_has_a_value_for_every_key() -> None:
    validation = validate()
    values = {value.name: value.value for value in validation.values}
    assert (wrong(validation), validation.kind, validation.unknown_keys) == ({}, "source", {})
    assert (values["limit"], values["tasks.max"]) == (1, 1)
    assert values["value.converter"] == "String"  # the worker's
    assert validation.message({}).errors == []


CLUSTER = {
    "group.id": "connect-s",
    "config.storage.topic": "configs",
    "offset.storage.topic": "offsets",
    "status.storage.topic": "statuses",
}


@pytest.mark.parametrize(
    ("keys", "errors"),
    [
        ({"connector_class": "Sink", "name": "s"}, {"name": ["named s conflicts with Connect worker group connect-s"]}),
        ({"connector_class": "Sink", "name": "t"}, {}),
        ({"connector_class": "Sink", "name": "s", "consumer_override_group_id": "other"}, {}),
        (
            {"connector_class": "Sink", "name": "t", "consumer_override_group_id": "connect-s"},
            {"consumer.override.group.id": ["Consumer group connect-s conflicts with Connect worker group connect-s"]},
        ),
        ({"name": "s"}, {}),
        (
            {"exactly_once_support": "required"},
            {"exactly.once.support": ["This worker does not have exactly-once source support enabled."]},
        ),
    ],
)
def test_a_cluster_refuses_what_conflicts_with_it(keys: dict[str, str], errors: dict[str, list[str]]) -> None:
    given = keys if keys.get("connector_class") is None else {**keys, "topics": "t"}
    found = wrong(validate(CLUSTER, **given))
    assert found.keys() == errors.keys()
    for key, messages in errors.items():
        assert all(message in found[key][0] for message in messages)
    assert wrong(validate(None, **given)) == {}


def test_all_errors_are_found_at_once() -> None:
    validation = validate(
        limit="many",
        tasks_max="0",
        transforms="a",
        transforms_a_type="Numbers",
        value_converter="Hex",
        value_converter_upper="perhaps",
        producer_override_linger_ms="soon",
        topic_creation_groups="",
    )
    assert set(wrong(validation)) == {
        "limit",
        "tasks.max",
        "transforms.a.type",
        "value.converter.upper",
        "producer.override.linger.ms",
        "topic.creation.default.partitions",
        "topic.creation.default.replication.factor",
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Unimportable", "invalid syntax"),
        ("Hex", "Expected the name of a SourceConnector or SinkConnector"),
        ("Connector", "Expected the name of a SourceConnector or SinkConnector"),
        ("Broken", "no licence"),
        ("Crashing", "ZeroDivisionError: by nothing"),
    ],
)
def test_a_connector_that_fails_is_an_error_of_its_class(name: str, said: str) -> None:
    validation = validate(connector_class=name, tasks_max="none")
    assert set(wrong(validation)) == {"connector.class", "tasks.max"}
    assert said in wrong(validation)["connector.class"][0]


def test_a_connector_that_is_missing_is_one_error() -> None:
    validation = validate_connector({"name": "n"}, worker_config(WORKER))
    assert [len(errors) for errors in wrong(validation).values()] == [1]
    assert (list(wrong(validation)), validation.kind) == (["connector.class"], None)


def test_a_config_exception_of_a_connector_is_an_error_of_its_key() -> None:
    assert wrong(validate(connector_class="Refusing")) == {
        "limit": ["Invalid value 1 for configuration limit: Expected less"]
    }


def test_passwords_are_hidden_in_the_answer() -> None:
    validation = validate(limit="13", api_token="s3cret", producer_override_sasl_jaas_config="s3cret")
    message = validation.message({})
    assert [(error.key, error.value) for error in message.errors] == [("api.token", "[hidden]")]
    assert "s3cret" not in repr(message)
    assert "s3cret" not in repr(validation)


def test_the_keys_of_transformations_are_checked_and_known() -> None:
    validation = validate(transforms="a", transforms_a_type="Scale", transforms_a_factor="x", transforms_b_type="y")
    assert set(wrong(validation)) == {"transforms.a.factor"}
    assert validation.unknown_keys == {"transforms.b.type": "transforms.a.type"}


def test_a_converter_that_cannot_be_used_is_an_error_of_its_key() -> None:
    assert set(wrong(validate(key_converter="Numbers"))) == {"key.converter"}


def test_unknown_keys_are_no_errors() -> None:
    validation = validate(limt="1")
    assert (wrong(validation), validation.unknown_keys) == ({}, {"limt": "limit"})


class TestClientSettings:
    def test_are_checked_for_the_clients_that_the_connector_has(self) -> None:
        keys = {"consumer_override_fetch_min_bytes": "x", "admin_override_retries": "x"}
        assert wrong(validate(**keys)) == {}
        sink = {"connector_class": "Sink", "topics": "t"}
        assert set(wrong(validate(**keys, **sink))) == {"consumer.override.fetch.min.bytes"}
        dlq = {"errors_deadletterqueue_topic_name": "q"}
        assert set(wrong(validate(**keys, **sink, **dlq))) == {
            "consumer.override.fetch.min.bytes",
            "admin.override.retries",
        }

    def test_that_the_policy_forbids_are_wrong(self) -> None:
        policy = {"connector.client.config.override.policy": "None"}
        validation = validate(policy, producer_override_linger_ms="1", producer_override_sasl_password="s3cret")
        assert set(wrong(validation)) == {"producer.override.linger.ms", "producer.override.sasl.password"}
        assert "'None' policy" in wrong(validation)["producer.override.linger.ms"][0]
        assert "s3cret" not in repr(validation.message({}))

    def test_that_contradict_each_other_are_wrong(self) -> None:
        validation = validate({"producer.acks": "1"}, producer_override_enable_idempotence="true")
        assert set(wrong(validation)) == {"producer.acks"}

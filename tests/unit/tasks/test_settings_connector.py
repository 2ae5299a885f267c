"""Connector configurations: what the framework reads in them, and which combinations are wrong."""

import pytest

from connectd.errors import ConfigException
from tasks.settings import (
    ConnectorConfig,
    SinkConnectorConfig,
    SourceConnectorConfig,
    ToleranceType,
    TransactionBoundary,
    WorkerConfig,
)
from tasks.settings.source import OFFSETS_STORAGE_TOPIC, own_offsets_topic
from tasks.settings.unknown import unknown_keys

BASE = {"name": "lines", "connector.class": "FileStreamSource"}
WORKER = WorkerConfig(
    {
        "bootstrap.servers": "localhost:9092",
        "key.converter": "String",
        "value.converter": "Json",
        "value.converter.schemas.enable": "false",
    }
)


def keys_of(errors: list[ConfigException]) -> list[str | None]:
    return [error.key for error in errors]


def test_the_least_connector_has_javas_defaults() -> None:
    config = SourceConnectorConfig(BASE)
    assert (config.name, config.connector_class, config.tasks_max) == ("lines", "FileStreamSource", 1)
    assert config.tasks_max_enforce
    assert config.errors_tolerance is ToleranceType.NONE
    assert (config.errors_retry_timeout_ms, config.errors_retry_delay_max_ms) == (0, 60_000)
    assert not config.errors_log_enable
    assert config.transformations == []
    assert config.transaction_boundary is TransactionBoundary.POLL
    assert config.transaction_boundary_interval_ms is None
    assert config.get(OFFSETS_STORAGE_TOPIC) is None
    assert config.topic_creation_groups == []


@pytest.mark.parametrize(
    ("topic", "own"), [(None, None), (" ", None), ("all", None), (" all ", None), ("mine", "mine"), (" mine ", "mine")]
)
def test_a_topic_for_its_offsets_is_its_own_if_it_is_not_that_of_all(topic: str | None, own: str | None) -> None:
    config = BASE if topic is None else {**BASE, OFFSETS_STORAGE_TOPIC: topic}
    assert own_offsets_topic(config, "all") == own


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", ""),
        ("name", "a\nb"),
        ("tasks.max", "0"),
        ("errors.tolerance", "some"),
        ("config.action.reload", "perhaps"),
        ("transforms", "a,b,a"),
        ("exactly.once.support", "maybe"),
        ("transaction.boundary.interval.ms", "-1"),
        ("offsets.storage.topic", ""),
    ],
)
def test_a_wrong_value_is_an_error_of_its_key(key: str, value: str) -> None:
    props = {**BASE, key: value, "transforms.a.type": "T", "transforms.b.type": "T"}
    assert keys_of(SourceConnectorConfig.errors(props)) == [key]
    with pytest.raises(ConfigException):
        SourceConnectorConfig(props)


class TestTransformations:
    PROPS = {  # noqa: RUF012
        **BASE,
        "transforms": "first,second",
        "transforms.first.type": "InsertField$Value",
        "transforms.first.static.field": "source",
        "transforms.first.predicate": "lines",
        "transforms.first.negate": "true",
        "transforms.second.type": "Drop",
        "predicates": "lines",
        "predicates.lines.type": "TopicNameMatches",
        "predicates.lines.pattern": "lines-.*",
    }

    def test_come_in_order_with_their_own_keys_and_predicates(self) -> None:
        first, second = ConnectorConfig(self.PROPS).transformations
        assert (first.alias, first.type, first.negate) == ("first", "InsertField$Value", True)
        assert first.configs == {"type": "InsertField$Value", "static.field": "source"}
        assert first.predicate is not None
        assert (first.predicate.alias, first.predicate.type) == ("lines", "TopicNameMatches")
        assert first.predicate.configs["pattern"] == "lines-.*"
        assert (second.type, second.predicate, second.negate) == ("Drop", None, False)

    def test_without_a_type_are_wrong(self) -> None:
        props = {key: value for key, value in self.PROPS.items() if key != "transforms.second.type"}
        assert keys_of(ConnectorConfig.errors(props)) == ["transforms.second.type"]

    def test_refer_to_predicates_that_exist(self) -> None:
        errors = ConnectorConfig.errors({**self.PROPS, "transforms.first.predicate": "line"})
        assert keys_of(errors) == ["transforms.first.predicate"]
        assert "lines" in str(errors[0])

    def test_negate_a_predicate_that_is_given(self) -> None:
        props = {key: value for key, value in self.PROPS.items() if key != "transforms.first.predicate"}
        assert keys_of(ConnectorConfig.errors(props)) == ["transforms.first.negate"]


class TestConverter:
    def test_is_the_workers_with_its_keys(self) -> None:
        converter = ConnectorConfig({**BASE, "value.converter.schemas.enable": "true"}).converter(
            "value.converter", WORKER
        )
        assert (converter.type, converter.configs) == ("Json", {"schemas.enable": "false"})

    def test_is_the_connectors_with_its_keys_if_it_names_one(self) -> None:
        config = ConnectorConfig({**BASE, "value.converter": "Json", "value.converter.schemas.enable": "true"})
        assert config.converter("value.converter", WORKER).configs == {"schemas.enable": "true"}

    def test_of_headers_has_a_default(self) -> None:
        assert ConnectorConfig(BASE).converter("header.converter", WORKER).type.endswith(".SimpleHeaderConverter")


class TestTopicCreation:
    PROPS = {  # noqa: RUF012
        **BASE,
        "topic.creation.groups": "compacted,default,logs",
        "topic.creation.default.partitions": "3",
        "topic.creation.default.replication.factor": "-1",
        "topic.creation.default.retention.ms": "1000",
        "topic.creation.default.include": "ignored",
        "topic.creation.compacted.include": "table-.*, view",
        "topic.creation.compacted.exclude": "table-x.*",
        "topic.creation.compacted.cleanup.policy": "compact",
        "topic.creation.compacted.partitions": "1",
        "topic.creation.logs.include": "log-.*",
    }

    def test_takes_the_first_group_that_matches_and_the_default_one_otherwise(self) -> None:
        groups = SourceConnectorConfig(self.PROPS).topic_creation_groups

        def group_of(topic: str) -> str:
            return next(group.name for group in groups if group.matches(topic))

        assert [group.name for group in groups] == ["compacted", "logs", "default"]
        topics = ("table-1", "view", "views", "table-x1", "log-1", "a-table-1")
        assert [group_of(topic) for topic in topics] == [
            "compacted",
            "compacted",
            "default",
            "default",
            "logs",
            "default",
        ]

    def test_groups_inherit_the_numbers_of_the_default_one_but_no_topic_settings(self) -> None:
        compacted, logs, default = SourceConnectorConfig(self.PROPS).topic_creation_groups
        assert [(group.partitions, group.replication_factor) for group in (compacted, logs, default)] == [
            (1, -1),
            (3, -1),
            (3, -1),
        ]
        assert compacted.configs == {"cleanup.policy": "compact"}
        assert logs.configs == {}
        assert default.configs == {"retention.ms": "1000"}

    def test_needs_the_numbers_of_the_default_group(self) -> None:
        errors = SourceConnectorConfig.errors({**BASE, "topic.creation.groups": ""})
        assert keys_of(errors) == ["topic.creation.default.replication.factor", "topic.creation.default.partitions"]

    @pytest.mark.parametrize("value", ["0", "-2", "many"])
    def test_numbers_are_positive_or_the_brokers_default(self, value: str) -> None:
        errors = SourceConnectorConfig.errors({**self.PROPS, "topic.creation.default.partitions": value})
        assert keys_of(errors) == ["topic.creation.default.partitions"]

    def test_patterns_are_checked(self) -> None:
        errors = SourceConnectorConfig.errors({**self.PROPS, "topic.creation.logs.exclude": "a, (b"})
        assert keys_of(errors) == ["topic.creation.logs.exclude"]


class TestSink:
    PROPS = {"name": "out", "connector.class": "FileStreamSink"}  # noqa: RUF012

    def test_reads_listed_topics(self) -> None:
        config = SinkConnectorConfig({**self.PROPS, "topics": "a, b"})
        assert (config.topics, config.topics_regex, config.dlq_topic_name) == (["a", "b"], None, None)
        assert not config.errant_record_reporter_enabled

    def test_reads_topics_that_match(self) -> None:
        pattern = SinkConnectorConfig({**self.PROPS, "topics.regex": "(?<kind>log|line)-\\d+"}).topics_regex
        assert pattern is not None
        assert pattern.fullmatch("log-7")

    def test_reports_errors_to_a_dead_letter_queue(self) -> None:
        props = {**self.PROPS, "topics": "a", "errors.deadletterqueue.topic.name": "dlq"}
        config = SinkConnectorConfig(props)
        assert (config.dlq_topic_name, config.dlq_topic_replication_factor) == ("dlq", 3)
        assert config.errant_record_reporter_enabled

    @pytest.mark.parametrize(
        ("props", "keys"),
        [
            ({}, ["topics", "topics.regex"]),
            ({"topics": " ", "topics.regex": ""}, ["topics", "topics.regex"]),
            ({"topics": "a", "topics.regex": "b"}, ["topics", "topics.regex"]),
            ({"topics.regex": "(a"}, ["topics.regex"]),
            ({"topics": "a,b", "errors.deadletterqueue.topic.name": "b"}, ["topics"]),
            ({"topics.regex": "d.*", "errors.deadletterqueue.topic.name": "dlq"}, ["topics.regex"]),
            ({"topics.regex": "(a", "errors.deadletterqueue.topic.name": "dlq"}, ["topics.regex"]),
        ],
    )
    def test_topics_go_together(self, props: dict[str, str], keys: list[str]) -> None:
        assert keys_of(SinkConnectorConfig.errors({**self.PROPS, **props})) == keys
        with pytest.raises(ConfigException):
            SinkConnectorConfig({**self.PROPS, **props})


def test_keys_below_the_prefixes_of_others_are_not_unknown() -> None:
    props = {
        **TestTopicCreation.PROPS,
        "transforms": "mask",
        "transforms.mask.type": "MaskField",
        "transforms.mask.fields": "x",
        "transforms.mesk.fields": "x",
        "producer.override.linger.ms": "1",
        "key.converter.schemas.enable": "true",
        "task.restart.policy": "never",
        "topic.creation.compactd.partitions": "1",
        "taks.max": "1",
    }
    names = SourceConnectorConfig.config_def(props).config_names
    unknown = unknown_keys(props, names, SourceConnectorConfig.known_prefixes(props))
    assert list(unknown) == ["taks.max", "topic.creation.compactd.partitions", "transforms.mesk.fields"]
    assert unknown["taks.max"] == "tasks.max"

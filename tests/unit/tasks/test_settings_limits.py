"""Limits: the connector's before the worker's before the defaults; what is wrong is named."""

from __future__ import annotations

import pytest

from connectd.errors import ConfigException
from tasks.settings import Limits, SinkConnectorConfig, StandaloneConfig

CONNECTOR = {"name": "c", "connector.class": "X", "topics": "t"}


def test_without_any_there_are_defaults() -> None:
    assert Limits.of({}, {}) == Limits(
        task_hang_s=300,
        task_poll_hang_s=0,
        connector_hang_s=90,
        memory_max_bytes=0,
        cpu_nice=0,
        cpu_weight=0,
        open_files_max=0,
        records_per_s=0,
        bytes_per_s=0,
        log_lines=200,
        log_lines_per_s=1000,
    )


def test_a_connector_overrides_the_worker_key_by_key() -> None:
    limits = Limits.of(
        {"task.memory.max": "1000", "task.cpu.nice": "5"}, {"task.cpu.nice": "7", "task.hang.timeout.ms": "0", "x": "y"}
    )
    assert (limits.memory_max_bytes, limits.cpu_nice, limits.task_hang_s) == (1000, 7, 0)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("task.memory.max", "-1", "Value must be at least 0"),
        ("task.memory.max", "512m", "Not a number of type LONG"),
        ("task.cpu.nice", "20", "Value must be no more than 19"),
        ("task.cpu.weight", "10001", "Value must be no more than 10000"),
        ("connector.hang.timeout.ms", "0", "Value must be at least 1"),
    ],
)
def test_a_wrong_value_is_an_error_of_its_key(key: str, value: str, words: str) -> None:
    expected = f"Invalid value {value} for configuration {key}: {words}"
    with pytest.raises(ConfigException, match=expected):
        Limits.of({}, {key: value})
    assert [str(error) for error in SinkConnectorConfig.errors({**CONNECTOR, key: value})] == [expected]
    assert expected in [str(error) for error in StandaloneConfig.errors({key: value})]


def test_what_is_wrong_leaves_those_of_the_worker_and_then_the_defaults() -> None:
    assert Limits.as_far_as_known({"task.cpu.nice": "5"}, {"task.memory.max": "much"}).cpu_nice == 5
    assert Limits.as_far_as_known({"task.cpu.nice": "x"}, {"task.memory.max": None}) == Limits.of({}, {})

"""Our declarations against those of Kafka 4.3 (tests/peer/SettingsVectors.java wrote them down)."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectd.config import ConfigDef, ConfigKey, convert_to_string
from tasks.clients.translated import Client
from tasks.clients.translation import TABLE, settings_of
from tasks.settings import DistributedConfig, SinkConnectorConfig, SourceConnectorConfig, StandaloneConfig
from tasks.settings.limits import define_worker_limits

VECTORS = json.loads((Path(__file__).parents[2] / "peer" / "settings_vectors.json").read_text("utf-8"))

DECLARED: dict[str, ConfigDef] = {
    "DistributedConfig": DistributedConfig.config_def(),
    "StandaloneConfig": StandaloneConfig.config_def(),
    "SourceConnectorConfig": SourceConnectorConfig.base_config_def(),
    "SinkConnectorConfig": SinkConnectorConfig.base_config_def(),
}
# REST: on the loopback interface unless one asks for more. The groups of the worker's keys are for our reference page.
WORKERS = ("DistributedConfig", "StandaloneConfig")
DEVIATIONS = {"StandaloneConfig": {"listeners": {"default": "http://localhost:8083"}}}
LIMITS = ConfigDef()
define_worker_limits(LIMITS)
OURS = {
    "errors.batch.bisect",
    "errors.deadletterqueue.context.headers.enable",
    "errors.deadletterqueue.topic.name",
    "errors.deadletterqueue.topic.replication.factor",
    "group.instance.id",
    "connectors.directory",
    "log.levels",
    "metrics.listeners",
    "plugin.python",
    "plugin.runtime",
    "java.home",
    "java.options",
    "rest.basic.auth.file",
    "rest.request.max.bytes",
    "rest.roles.admin",
    "rest.roles.operate",
    "rest.roles.read",
    "ui.enabled",
    *LIMITS.config_names,
}
# In Java a key of its policy's own.
POLICY_KEYS = {"connector.client.config.override.allowlist"}

CLIENTS = {
    "ProducerConfig": Client.PRODUCER,
    "ConsumerConfig": Client.CONSUMER,
    "AdminClientConfig": Client.ADMIN,
}


def facts(key: ConfigKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "type": key.type.name,
        "required": not key.has_default,
        "default": convert_to_string(key.default_value, key.type) if key.has_default else None,
        "importance": key.importance.name,
        "group": key.group,
        "width": key.width.name,
        "display_name": key.display_name,
    }


@pytest.mark.parametrize("name", DECLARED)
def test_every_key_is_declared_as_in_java(name: str) -> None:
    ours = {key.name: facts(key) for key in DECLARED[name].config_keys.values()}
    for expected in VECTORS[name]:
        expected |= DEVIATIONS.get(name, {}).get(expected["name"], {})
        if name in WORKERS:
            expected |= {"group": ours[expected["name"]]["group"]}
        assert ours[expected["name"]] == expected


@pytest.mark.parametrize("name", DECLARED)
def test_no_key_is_added_but_those_that_say_so(name: str) -> None:
    added = DECLARED[name].config_names - {key["name"] for key in VECTORS[name]} - POLICY_KEYS
    assert added <= OURS
    for key in added:
        assert "(connectd only)" in DECLARED[name].config_keys[key].documentation


@pytest.mark.parametrize("name", CLIENTS)
def test_every_client_key_of_java_is_in_the_table_with_its_type(name: str) -> None:
    rows = settings_of(CLIENTS[name])
    assert {row.name: row.type.name for row in rows.values()} == {key["name"]: key["type"] for key in VECTORS[name]}


def test_no_key_has_two_rows_for_one_client() -> None:
    for client in CLIENTS.values():
        assert len(settings_of(client)) == sum(client in row.clients for row in TABLE)

"""Worker files: values, defaults, errors, unknown keys."""

import pytest

from connectd.errors import ConfigException
from tasks.settings import StandaloneConfig, WorkerConfig
from tasks.settings.unknown import unknown_worker_keys

WORKER = {
    "bootstrap.servers": "one:9092, two:9092",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "String",
    "offset.storage.file.filename": "connect.offsets",
}


def test_the_least_worker_file_has_javas_defaults() -> None:
    worker = StandaloneConfig(WORKER)
    assert worker.bootstrap_servers == "one:9092,two:9092"
    assert worker.offset_storage_file_filename == "connect.offsets"
    assert worker.offset_flush_interval_ms == 60_000
    assert worker.offset_flush_timeout_ms == 5_000
    assert worker.task_shutdown_graceful_timeout_ms == 5_000
    assert worker.plugin_path == []
    assert worker.topic_creation_enable
    assert worker.client_config_override_policy == "All"
    assert worker.connectors_directory == "conf/connectors.d"
    assert worker.log_levels == {}
    assert not worker.exactly_once_source_enabled


def test_a_child_reads_the_common_part_of_any_worker_file() -> None:
    assert WorkerConfig({**WORKER, "group.id": "cluster"}).bootstrap_servers == "one:9092,two:9092"


def test_all_errors_of_a_file_are_found_at_once() -> None:
    wrong = {
        "bootstrap.servers": "",
        "key.converter": "String",
        "offset.flush.interval.ms": "soon",
        "listeners": "ftp://here",
        "connector.client.config.override.policy": "Some",
        "response.http.headers.config": "put X-Frame-Options: DENY",
    }
    keys = [error.key for error in StandaloneConfig.errors(wrong)]
    assert sorted(map(str, keys)) == [
        "bootstrap.servers",
        "connector.client.config.override.policy",
        "listeners",
        "offset.flush.interval.ms",
        "offset.storage.file.filename",
        "response.http.headers.config",
        "value.converter",
    ]
    with pytest.raises(ConfigException):
        StandaloneConfig(wrong)


@pytest.mark.parametrize(
    "policy", ["Principal", "org.apache.kafka.connect.connector.policy.PrincipalConnectorClientConfigOverridePolicy"]
)
def test_the_override_policy_may_be_written_as_javas_class(policy: str) -> None:
    worker = WorkerConfig({**WORKER, "connector.client.config.override.policy": policy})
    assert worker.client_config_override_policy == "Principal"


@pytest.mark.parametrize(
    "rules", ["", "set X-Frame-Options: DENY", '"add Cache-Control: no-cache, no-store",setDate Expires: 0']
)
def test_response_headers_are_rules(rules: str) -> None:
    assert StandaloneConfig.errors({**WORKER, "response.http.headers.config": rules}) == []


def test_unknown_keys_come_with_the_name_most_like_them() -> None:
    props = {
        **WORKER,
        "ofset.flush.interval.ms": "1",
        "something": "else",
        # Not unknown: handed on, or the settings of the worker's admin clients.
        "producer.linger.ms": "5",
        "key.converter.schemas.enable": "false",
        "config.providers.file.class": "FileConfigProvider",
        "admin.listeners.https.ssl.keystore.location": "rest.p12",
        "task.restart.policy": "never",
        "security.protocol": "SSL",
        "sasl.jaas.config": "secret",
    }
    assert unknown_worker_keys(props, StandaloneConfig) == {
        "ofset.flush.interval.ms": "offset.flush.interval.ms",
        "something": None,
    }


def test_passwords_are_hidden_when_the_settings_are_printed() -> None:
    assert "s3cret" not in repr(WorkerConfig({**WORKER, "ssl.keystore.password": "s3cret"}))

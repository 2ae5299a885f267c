"""What a cluster refuses of sources that are to deliver exactly once, and what their producers are given."""

from __future__ import annotations

import pytest

from connectd.errors import ConfigException
from tasks.clients import exactly_once_producer_settings, fencing_producer_settings
from tasks.settings import DistributedConfig, SourceConnectorConfig
from tasks.settings.exactly_once import Says, exactly_once_errors

WORKER = {
    "bootstrap.servers": "localhost:1",
    "key.converter": "String",
    "value.converter": "String",
    "group.id": "cluster",
    "config.storage.topic": "configs",
    "offset.storage.topic": "offsets",
    "status.storage.topic": "statuses",
}
REQUIRED = {"exactly.once.support": "REQUIRED"}
OWN = {"transaction.boundary": "Connector"}


def worker(support: str = "enabled") -> DistributedConfig:
    return DistributedConfig({**WORKER, "exactly.once.source.support": support})


def never() -> str:
    raise AssertionError("nobody is to be asked")


def failing(text: str) -> Says:
    def says() -> str:
        raise ValueError(text)

    return says


def errors(
    config: dict[str, str | None], support: Says = never, boundaries: Says = never, mode: str = "enabled"
) -> str:
    return "\n".join(f"{key}: {text}" for key, text in exactly_once_errors(config, worker(mode), support, boundaries))


def test_a_connector_is_asked_only_where_its_answer_counts() -> None:
    assert errors({}) == errors({"exactly.once.support": "requested", "transaction.boundary": "poll"}) == ""
    assert errors({**REQUIRED, **OWN}, lambda: "SUPPORTED", lambda: "SUPPORTED") == ""


@pytest.mark.parametrize(
    ("support", "text"),
    [
        (lambda: None, "does not implement the API required for preflight validation"),
        (lambda: "UNSUPPORTED", "does not support exactly-once semantics with the provided configuration."),
        (lambda: "PERHAPS", "Unexpected value returned from exactly_once_support: PERHAPS"),
        (failing("no file"), "An unexpected error occurred during validation: no file"),
        (failing(""), "An unexpected error occurred during validation; please see the worker logs"),
    ],
)
def test_a_connector_that_does_not_say_that_it_can_is_refused_where_it_must(support: Says, text: str) -> None:
    assert text in errors({**REQUIRED}, support)


@pytest.mark.parametrize("mode", ["disabled", "preparing"])
def test_a_worker_that_cannot_says_so_beside_the_connector(mode: str) -> None:
    found = errors({**REQUIRED}, lambda: "UNSUPPORTED", mode=mode)
    assert "This worker does not have exactly-once source support enabled.\n" in found
    assert found.count("exactly.once.support: ") == 2


@pytest.mark.parametrize(
    ("boundaries", "text"),
    [
        (lambda: None, "has returned a null value"),
        (lambda: "UNSUPPORTED", "does not support connector-defined transaction boundaries"),
        (failing("oh"), "An unexpected error occurred during validation: oh"),
    ],
)
def test_a_connector_that_defines_no_transactions_is_not_waited_for_to_do_so(boundaries: Says, text: str) -> None:
    found = errors({**OWN}, boundaries=boundaries)
    assert found.startswith("transaction.boundary: ") and text in found


def test_a_producer_has_javas_transactional_id_and_is_idempotent_whatever_the_user_says() -> None:
    config = {
        "name": "orders",
        "connector.class": "Source",
        "producer.override.enable.idempotence": "false",
        "producer.override.transactional.id": "mine",
        "producer.override.transaction.timeout.ms": "9000",
    }
    conf = exactly_once_producer_settings(worker(), SourceConnectorConfig(config), 3).conf
    assert (conf["transactional.id"], conf["enable.idempotence"]) == ("cluster-orders-3", "true")
    assert conf["delivery.timeout.ms"] == conf["transaction.timeout.ms"] == 9000


def test_offsets_are_written_where_this_worker_reads_them() -> None:
    servers = "producer.override.bootstrap.servers"
    config: dict[str, str] = {"name": "orders", "connector.class": "Source", servers: "elsewhere:1"}
    assert errors({**config}).startswith(f"{servers}: ") and errors({**config}, mode="disabled") == ""
    with pytest.raises(ConfigException, match=r"Expected the worker's own bootstrap\.servers, localhost:1") as raised:
        exactly_once_producer_settings(worker(), SourceConnectorConfig(config), 0)
    assert raised.value.key == servers
    same = SourceConnectorConfig({**config, servers: "localhost:1"})
    assert exactly_once_producer_settings(worker(), same, 0).conf["bootstrap.servers"] == "localhost:1"


def test_zombies_are_fenced_with_the_rights_of_the_admin_client() -> None:
    config = {"name": "orders", "connector.class": "Source", "admin.override.client.id": "fencer"}
    conf = fencing_producer_settings(worker(), SourceConnectorConfig(config), "cluster-orders-7").conf
    assert (conf["transactional.id"], conf["client.id"]) == ("cluster-orders-7", "fencer")

"""Orders with references: what a child makes of them, and what it says to the supervisor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectd.errors import ConnectException
from tasks.channel import decode_order, decode_report, encode
from tasks.inspection import validate
from tasks.messages import (
    DigestReferences,
    ListOffsets,
    LogSettings,
    ReferencesResolved,
    Refused,
    ResolveWorkerConfig,
    RunConnector,
    RunTask,
    SecretsChanged,
    StateChanged,
    Validate,
)
from tasks.messages import Reason as RefusalReason
from tasks.secrets import masking
from tasks.secrets.orders import (
    digest_references,
    resolve_config,
    resolve_connector,
    resolve_task,
    resolve_worker,
)
from tasks.secrets.reports import without_secrets
from tasks.states import State, TargetState
from tests.support.processes import wait_until
from tests.support.ticking_provider import CLASS, TickingProvider, unavailable

LOG = LogSettings(levels={})
WORKER = {
    "bootstrap.servers": "b:1",
    "key.converter": "StringConverter",
    "value.converter": "StringConverter",
    "config.providers": "t",
    "config.providers.t.class": CLASS,
    "config.providers.t.param.token": "${t:never}",
    "producer.ssl.key.password": "${t:p:worker}",
    "listeners.https.ssl.key.password": "${t:p:rest}",
}
SALT = b"salt"


class Control:
    """Keeps what a child reports."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, report: Any) -> None:
        self.sent.append(report)


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    TickingProvider.reset()
    TickingProvider.values = {"p": {"k": "hunter2", "worker": "staple", "rest": "rest-secret", "n": "5"}}
    masking.forget_all()
    yield
    masking.forget_all()


def worker(**more: str) -> dict[str, str]:
    """Without the setting of the provider that needs itself."""
    config = {key: value for key, value in WORKER.items() if not key.endswith(".token")}
    return {**config, **{key.replace("_", "."): value for key, value in more.items()}}


def run_task_order(**connector_config: str) -> RunTask:
    return RunTask(
        connector="c",
        task=0,
        generation=7,
        task_class="T",
        task_config={"password": "${t:p:k}"},
        connector_config={"password": "${t:p:k}", **{k.replace("_", "."): v for k, v in connector_config.items()}},
        worker_config=worker(),
        target_state=TargetState.STARTED,
        log=LOG,
        salt=SALT,
    )


def test_a_task_has_values_and_reports_their_digests() -> None:
    control = Control()
    resolved = resolve_task(run_task_order(), control)  # type: ignore[arg-type]
    assert resolved.task_config == {"password": "hunter2"}
    assert resolved.connector_config == {"password": "hunter2"}
    assert resolved.worker_config == worker(producer_ssl_key_password="staple")
    (report,) = control.sent
    assert isinstance(report, ReferencesResolved)
    assert (report.generation, report.restart) == (7, True)
    order = DigestReferences(references=sorted(report.digests), worker_config=worker(), salt=SALT, log=LOG)
    assert digest_references(order).digests == report.digests
    assert sorted(report.digests) == ["${t:p:k}", "${t:p:worker}"]
    TickingProvider.values["p"] = {"k": "changed", "worker": "staple"}
    again = digest_references(order).digests
    assert {text for text in again if again[text] != report.digests[text]} == {"${t:p:k}"}
    TickingProvider.values["p"] = unavailable()
    failed = digest_references(order)
    assert (failed.digests, set(failed.errors.values())) == ({}, {"nobody answers"})


def test_what_could_not_be_resolved_is_reported_before_the_task_fails() -> None:
    TickingProvider.values["p"] = unavailable()
    control = Control()
    with pytest.raises(ConnectException, match="nobody answers"):
        resolve_task(run_task_order(), control)  # type: ignore[arg-type]
    (report,) = control.sent
    assert report.digests == {"${t:p:k}": None, "${t:p:worker}": None}


def test_a_due_value_is_reported_unless_it_is_to_restart_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.secrets.watch.MIN_INTERVAL_S", 0.01)
    TickingProvider.ttl_ms = 1
    quiet, control = Control(), Control()
    resolve_task(run_task_order(config_action_reload="NONE"), quiet)  # type: ignore[arg-type]
    resolve_task(run_task_order(config_action_reload="Restart"), control)  # type: ignore[arg-type]
    TickingProvider.values["p"] = {"k": "changed", "worker": "staple"}
    wait_until(lambda: len(control.sent) == 2, "the change is reported")
    changed = control.sent[1]
    assert isinstance(changed, SecretsChanged)
    assert (changed.generation, changed.references) == (7, ["${t:p:k}"])
    assert [report.restart for report in quiet.sent] == [False]


def test_a_connector_has_values_and_its_tasks_references() -> None:
    order = RunConnector(
        connector="c",
        generation=1,
        config={"password": "${t:p:k}"},
        worker_config=worker(),
        target_state=TargetState.STARTED,
        log=LOG,
        salt=SALT,
    )
    resolved, reverse = resolve_connector(order, Control())  # type: ignore[arg-type]
    assert resolved.config == {"password": "hunter2"}
    assert reverse.apply({"url": "x:hunter2", "key": "staple"}) == {"url": "x:${t:p:k}", "key": "${t:p:worker}"}


def test_the_supervisor_gets_what_it_needs_of_the_worker_alone() -> None:
    found = resolve_worker(ResolveWorkerConfig(worker_config=WORKER, log=LOG))
    assert found.values == {}
    assert "need each other: t -> t" in found.errors["${t:p:rest}"]
    found = resolve_worker(ResolveWorkerConfig(worker_config=worker(), log=LOG))
    assert found.values == {"${t:p:worker}": "staple", "${t:p:rest}": "rest-secret"}


def test_inquiries_have_values() -> None:
    order = ListOffsets(config={"a": "${t:p:k}"}, worker_config=worker(), log=LOG, timeout_s=1)
    assert resolve_config(order).config == {"a": "hunter2"}


def validated(**config: str) -> Any:
    config = {"name": "c", "connector.class": "FileStreamSource", "topic": "t", **config}
    written = {key.replace("_", "."): value for key, value in config.items()}
    return without_secrets(validate(Validate(config=written, worker_config=worker(), log=LOG, plugins=[])))


def test_validation_checks_values_and_shows_references() -> None:
    outcome = validated(file="${t:p:k}", tasks_max="${t:p:n}", batch_size="${t:p:k}")
    values = {each.value.name: each.value for each in outcome.infos.configs}
    assert values["file"].value == "${t:p:k}"
    assert (values["tasks.max"].value, values["tasks.max"].errors) == ("${t:p:n}", [])
    assert values["batch.size"].errors == [
        "Invalid value ${t:p:k} for configuration batch.size: Not a number of type INT"
    ]
    (wrong,) = outcome.errors
    assert (wrong.key, outcome.infos.error_count) == ("batch.size", 1)


def test_validation_names_the_keys_whose_values_are_not_to_be_had() -> None:
    TickingProvider.values["q"] = unavailable()
    outcome = validated(batch_size="${t:q:k}", unheard_of="${t:q:k}", file="${t:p:k}")
    assert {each.key: each.errors for each in outcome.errors} == {
        "batch.size": ["nobody answers"],
        "unheard.of": ["nobody answers"],
    }
    errors = {each.value.name: each.value.errors for each in outcome.infos.configs}
    assert (errors["batch.size"], errors["unheard.of"], errors["file"]) == (["nobody answers"], ["nobody answers"], [])
    assert outcome.infos.error_count == 2


def test_reports_hold_no_values() -> None:
    masking.remember({"hunter2": "${t:p:k}"})
    failed = without_secrets(StateChanged(generation=1, state=State.FAILED, trace="ValueError: hunter2"))
    assert failed.trace == "ValueError: ${t:p:k}"
    assert without_secrets(Refused(reason=RefusalReason.FAILED, error="no hunter2")).error == "no ${t:p:k}"
    running = StateChanged(generation=1, state=State.RUNNING)
    assert decode_report(encode(without_secrets(running))[4:]) == running


def test_an_order_shows_no_configuration() -> None:
    order = decode_order(encode(run_task_order(password="inline-secret"))[4:])
    assert "inline-secret" not in repr(order)
    assert repr(order).startswith("RunTask(connector='c', task=0, generation=7, task_class='T', target_state=")

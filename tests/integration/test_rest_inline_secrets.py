"""A password that stands in a connector's configuration itself: whoever may write it reads it back, and nobody else sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.peer.rest_talk import JSON, PATIENCE_S
from tests.peer.rest_workers import Worker, connectd_worker
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.secretive import CONNECTOR, digest

PASSWORD = "hunter2-inline"
REFUSED = "refused-hunter2"


def ask(worker: Worker, method: str, path: str, body: Any = None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    status, _, answer = worker.request(method, path, data, JSON if data else {})
    return status, answer.decode()


def test_an_inline_password_is_seen_by_nobody_else(
    kafka: TestKafka, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    fail = tmp_path / "fail"
    config = {"connector.class": CONNECTOR, "password": PASSWORD, "topic": topic, "fail.when": str(fail)}
    with connectd_worker(tmp_path, kafka.bootstrap_servers) as worker:
        status, answer = ask(worker, "POST", "/connectors", {"name": topic, "config": config})
        assert status == 201, answer
        assert kafka.lines(topic, 1) == [digest(PASSWORD, f"jdbc:db://ann:{PASSWORD}@host/db")]
        # Get, edit, put goes round.
        assert json.loads(ask(worker, "GET", f"/connectors/{topic}/config")[1])["password"] == PASSWORD
        # The plugin refuses it, and repeats it.
        status, refused = ask(worker, "PATCH", f"/connectors/{topic}/config", {"password": REFUSED})
        assert (status, "It does not open anything" in refused) == (400, True)
        fail.touch()
        wait_until(lambda: worker.states(topic) == ["RUNNING", "FAILED"], "the task has failed", PATIENCE_S)
        trace = ask(worker, "GET", f"/connectors/{topic}/status")[1]
        assert "login failed for jdbc:db://ann:[hidden]@host/db" in trace
        log = worker.log.read_text()
        # What the plugin has logged and printed is there, but for the password.
        for said in (
            "the connector knows [hidden]",
            "the task knows [hidden]",
            "printed: jdbc:db://ann:[hidden]@host/db",
        ):
            assert said in log
        for shown in (refused, trace, log):
            assert "hunter2" not in shown

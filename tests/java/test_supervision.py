"""Java connectors that hang or freeze, that plan anew, that run on another Java, and what is heard of Kafka itself."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from connectd.errors import ConfigException
from tasks.java.archive import AHEAD_OF_TIME
from tasks.java.machine import machine
from tests.java.worker import TIMEOUT_S, JavaWorker
from tests.support.processes import wait_until

# What people set, and where most systems have theirs.
_HOMES = [Path(os.environ.get("JAVA_HOME", "/none")), *sorted(Path("/usr/lib/jvm").glob("*"))]


def test_a_poll_that_never_returns_and_a_machine_that_is_frozen(worker: JavaWorker, topic: str) -> None:
    worker.ticker("frozen", f"{topic}-frozen", task_hang_timeout_ms="4000")
    worker.ticker("stuck", f"{topic}-stuck", task_poll_hang_timeout_ms="4000")
    before = {name: worker.machine(f"{name}-0") for name in ("frozen", "stuck")}
    frozen = before["frozen"]
    assert frozen is not None
    frozen.suspend()
    worker.order("stuck", "hang")

    for name, why in (("stuck", "hung in poll for"), ("frozen", "no sign of life for")):
        wait_until(lambda why=why, name=name: worker.said(why, connector=name), f"{name} is found", TIMEOUT_S)  # type: ignore[misc]
        # Where it hangs is told by the virtual machine itself.
        wait_until(
            lambda name=name: worker.said("at tests.Ticker$TickerTask.poll", connector=name, task=0),  # type: ignore[misc]
            "its threads are told",
            TIMEOUT_S,
        )
        wait_until(
            lambda name=name: worker.machine(f"{name}-0") not in (None, before[name]),
            "it is replaced",
            TIMEOUT_S,  # type: ignore[misc]
        )
        worker.wait_for_task(name, "RUNNING")
        worker.request("DELETE", f"/connectors/{name}")


def test_a_connector_that_asks_for_other_tasks(worker: JavaWorker, topic: str) -> None:
    plans = worker.folder / "planning.plans"
    worker.ticker("planning", topic, plans=str(plans))

    def plan() -> str:
        (task,) = worker.request("GET", "/connectors/planning/tasks")
        return str(task["config"]["plan"])

    assert plan() == "0"
    connector, task = worker.machine("planning", "connector"), worker.machine("planning-0")
    plans.touch()
    wait_until(lambda: plan() == "1", "there is another plan", TIMEOUT_S)
    wait_until(lambda: worker.machine("planning-0") not in (None, task), "its task was restarted", TIMEOUT_S)
    worker.wait_for_task("planning", "RUNNING")
    assert connector is not None and worker.machine("planning", "connector") == connector
    worker.request("DELETE", "/connectors/planning")


def test_what_kafka_says_of_itself_is_not_heard_unless_asked_for(worker: JavaWorker, topic: str) -> None:
    quiet = "org.apache.kafka.clients.producer.KafkaProducer"
    worker.ticker("silent", f"{topic}-silent")
    assert not worker.said("Added plugin") and not worker.said("", logger=quiet)
    worker.request("PUT", "/admin/loggers/org.apache.kafka.clients?connector=silent", {"level": "INFO"})
    worker.request("PUT", "/connectors/silent/stop")
    wait_until(lambda: worker.said("Closing the Kafka producer", logger=quiet), "it is heard", TIMEOUT_S)
    worker.request("DELETE", "/connectors/silent")


def test_what_keeps_a_virtual_machine_from_running_a_connector_is_said(worker: JavaWorker, topic: str) -> None:
    newer = worker.folder / "plugins" / "newer"
    newer.mkdir()
    with (
        zipfile.ZipFile(worker.folder / "plugins" / "ticker" / "ticker-7.0.jar") as old,
        zipfile.ZipFile(newer / "newer-1.0.jar", "w") as jar,
    ):
        for name in old.namelist():
            content = old.read(name).replace(b"tests/Ticker", b"newer/Ticker")
            # The version of the class file, which no Java of today knows.
            jar.writestr(name.replace("tests/", "newer/"), content[:6] + b"\x01\x00" + content[8:])
    config = {"name": "wrong", "connector.class": "newer.Ticker", "tasks.max": "1", "topic": topic, "orders": "none"}
    refused = worker.request("POST", "/connectors", {"name": "wrong", "config": config})
    assert refused["error_code"] == 400
    assert "newer.Ticker cannot be loaded: java.lang.UnsupportedClassVersionError" in refused["message"]

    config |= {"connector.class": "tests.Ticker", "java.options": "-XX:+Nonsense"}
    refused = worker.request("POST", "/connectors", {"name": "wrong", "config": config})
    assert refused["error_code"] == 400 and "Unrecognized VM option 'Nonsense'" in refused["message"]


def another_java() -> Path | None:
    """One of the system's that connectd runs on, with an archive of the older kind."""
    for home in _HOMES:
        try:
            found = machine(str(home))
        except ConfigException:
            continue
        if found.java.exists() and found.version < AHEAD_OF_TIME:
            return home
    return None


@pytest.mark.skipif(another_java() is None, reason="there is no Java from 17 to 24")
def test_another_java_has_an_archive_of_its_own(worker: JavaWorker, topic: str) -> None:
    home = another_java()
    assert home is not None
    worker.ticker("elsewhere", topic, java_home=str(home))
    running = worker.machine("elsewhere-0")
    assert running is not None and running.exe() == str((home / "bin" / "java").resolve())
    assert [each for each in running.cmdline() if each.startswith("-XX:SharedArchiveFile=")]
    worker.request("DELETE", "/connectors/elsewhere")

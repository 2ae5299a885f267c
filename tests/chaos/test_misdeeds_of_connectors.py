"""Connectors that hang, crash and leak wherever their code is called, and plugins that cannot be imported: nobody waits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chaos import PLUGINS, Chaos, chaos, wait_for
from tests.support.kafka import TestKafka

# For importing, too, on a machine that is busy.
HANG = {"connector.hang.timeout.ms": "5000"}
LEAST = {"task.memory.max": str(200 << 20)}
PLUGIN = """
from connectd import ConfigDef, SourceConnector

{statement}


class {name}(SourceConnector):
    def start(self, props): ...
    def task_class(self): ...
    def task_configs(self, max_tasks): ...
    def config(self): return ConfigDef()
"""
STATEMENTS = {
    "Hanging": "import time; time.sleep(3600)",
    "Exiting": "import os; os._exit(3)",
    "Crashing": "import ctypes; ctypes.string_at(0)",
    "Raising": "raise OSError('no such library')",
    "Leaving": "import sys; sys.exit(3)",
    "Leaking": "import os, time; hoard = [os.urandom(1) * (400 << 20)]; time.sleep(3600)",
}


@pytest.fixture(scope="module")
def world(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    """With plugins that do wrong when they are imported."""
    plugins = tmp_path_factory.mktemp("plugins")
    for name, statement in STATEMENTS.items():
        (plugins / name.lower()).mkdir()
        (plugins / name.lower() / f"chaos_{name.lower()}.py").write_text(PLUGIN.format(name=name, statement=statement))
    folder = tmp_path_factory.mktemp("chaos")
    with chaos(folder, kafka, folder.parent.name + folder.name, plugin_path=f"{PLUGINS},{plugins}") as running:
        yield running


CALLS = ("start", "task_configs")
MISDEEDS = {
    # First, for it takes longest.
    "spin": r"The process of \S+ ended: killed by the supervisor: no sign of life for \d+ s",
    "raise no such host": "OSError: no such host",
    "sys.exit 3": "SystemExit: 3",
    "exit 3": r"The process of \S+ ended: exit code 3",
    "segfault": r"The process of \S+ ended: killed by SIGSEGV\n(?s:.*)",
    "sleep": r"The process of \S+ ended: killed by the supervisor: hung in {call} for \d s",
    "leak": r"The process of \S+ ended: killed by the supervisor: it used \d+ MiB of memory, .* allows 200 MiB",
}


def test_start_and_task_configs(shared: Chaos) -> None:
    victims = {}
    for number, (misdeed, cause) in enumerate(MISDEEDS.items()):
        call = CALLS[number % 2]
        name = re.sub(r"\W+", "-", f"{call}-{misdeed}")
        config = LEAST if misdeed == "leak" else HANG
        victim = shared.create(name, "source", {f"connector.{call}": f"once {misdeed}"}, **config)
        victims[misdeed] = (call, cause, victim)
    for misdeed, (call, cause, victim) in victims.items():
        trace = shared.await_failure(victim, task=None)
        expected = rf"(?s:.*){cause.format(call=call)}\nRestart at once\."
        assert re.fullmatch(expected, trace), f"{misdeed} in {call}: {trace}"
    for _, _, victim in victims.values():
        shared.await_state(victim, "RUNNING", None)
        wait_for(lambda victim=victim: shared.moved(victim) > 100, f"{victim.name} works")  # type: ignore[misc]
        shared.stop(victim)
        shared.assert_nothing_lost(victim)
        shared.remove(victim)


def test_stop_that_hangs_is_given_the_graceful_time(shared: Chaos) -> None:
    victim = shared.create("stop", "source", {"connector.stop": "sleep"})
    shared.await_state(victim, "RUNNING")
    shared.remove(victim)
    # What is created anew is not in the way of what is still ending.
    killed = f"{victim.name} was killed: it did not stop within 3 s (task.shutdown.graceful.timeout.ms)"
    wait_for(lambda: killed in [event["message"] for event in shared.worker.events], "it is killed")


@pytest.mark.parametrize(
    ("misdeed", "answer", "config"),
    [
        ("raise no such host", "OSError: no such host", {}),
        ("exit 3", "validation ended its process: exit code 3", {}),
        ("segfault", "validation ended its process: killed by SIGSEGV", {}),
        ("sleep", "validation hung: no answer after 5 s", HANG),
        ("spin", "validation hung: no answer after 5 s", HANG),
        ("leak", "validation ended its process: killed by the supervisor: it used", LEAST),
    ],
)
def test_validation(shared: Chaos, misdeed: str, answer: str, config: dict[str, str]) -> None:
    name = re.sub(r"\W+", "-", f"validate-{misdeed}")
    status, body, _ = shared.try_to_create(name, "source", {"connector.validate": misdeed}, **config)
    assert status >= 400
    assert answer in body["message"]
    assert len(shared.rest("GET", "/connectors")[1]) == 2


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Hanging", "validation hung: no answer after 5 s"),
        ("Exiting", "validation ended its process: exit code 3"),
        ("Crashing", "validation ended its process: killed by SIGSEGV"),
        ("Raising", "Cannot import chaos_raising: OSError: no such library"),
        ("Leaving", "Cannot import chaos_leaving: SystemExit: 3"),
        ("Leaking", "validation ended its process: killed by the supervisor: it used"),
    ],
)
def test_a_plugin_that_cannot_be_imported(shared: Chaos, name: str, answer: str) -> None:
    config = {"connector.class": name, "tasks.max": "1", **(LEAST if name == "Leaking" else HANG)}
    status, body = shared.rest("POST", "/connectors", {"name": f"import-{name}", "config": config})
    assert status >= 400
    assert answer in body["message"]


def test_connector_classes_that_can_be_imported_are_found_beside_those_that_cannot(
    shared: Chaos, tmp_path: Path
) -> None:
    """They have been all the time, but for a new connector everything is looked at again."""
    victim = shared.create("new", "source")
    wait_for(lambda: shared.moved(victim) > 100, "it works")
    shared.remove(victim)

"""SIGHUP after SIGHUP while connector files change: in the end the files count, and who did not change did not notice."""

from __future__ import annotations

import random
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chaos import Chaos, Numbers, chaos, wait_for
from tests.support.kafka import TestKafka

STORMS = 25
NAMES = ("a", "b", "c", "d")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "connectors.d").mkdir()
    return tmp_path / "connectors.d"


@pytest.fixture
def world(kafka: TestKafka, tmp_path: Path, folder: Path) -> Iterator[Chaos]:
    prefix = f"chaos-{uuid.uuid4().hex[:8]}"
    with chaos(tmp_path, kafka, prefix, connectors_directory=str(folder)) as running:
        yield running


def write(folder: Path, numbers: Numbers, version: int) -> None:
    (folder / f"{numbers.name}.properties").write_text(
        f"name={numbers.name}\nconnector.class=chaos_numbers.NumbersSource\ntasks.max=1\n"
        f"folder={numbers.folder}\ntopic={numbers.topic}\nversion={version}\n"
    )


def running(world: Chaos) -> dict[str, str]:
    """The versions of all but the healthy ones, by name, as far as their tasks run."""
    found = {}
    for name, each in world.rest("GET", "/connectors?expand=info&expand=status")[1].items():
        if name not in (world.source.name, world.sink.name):
            states = [task["state"] for task in each["status"]["tasks"]]
            found[name] = each["info"]["config"]["version"] if states == ["RUNNING"] else str(states)
    return found


def test_the_last_state_of_the_files_counts(world: Chaos, folder: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    connectors: dict[str, Numbers] = {}
    for name in (*NAMES, "steady"):
        full_name = f"{world.source.name}-{name}"
        (folder.parent / full_name).mkdir()
        topic = world.kafka.create_topic(full_name)
        connectors[name] = Numbers(full_name, "source", topic, folder.parent / full_name)
    steady = connectors["steady"]
    write(folder, steady, 0)
    world.worker.process.send_signal(signal.SIGHUP)
    wait_for(lambda: running(world) == {steady.name: "0"}, "the first file is read")
    pid = world.pid(f"{steady.name}-0")
    for version in range(1, STORMS + 1):
        numbers = connectors[chance.choice(NAMES)]
        match chance.randrange(4):
            case 0:
                (folder / f"{numbers.name}.properties").unlink(missing_ok=True)
            case 1:
                (folder / f"{numbers.name}.properties").write_text(f"name={numbers.name}\nconnector.class=Num")
            case _:
                write(folder, numbers, version)
        for _ in range(chance.randrange(1, 5)):
            world.worker.process.send_signal(signal.SIGHUP)
        assert world.rest("GET", "/")[0] == 200
    for name in NAMES:  # whatever was wrong, or gone, in between
        write(folder, connectors[name], 1000)
    world.worker.process.send_signal(signal.SIGHUP)
    everything = {connectors[name].name: "1000" for name in NAMES} | {steady.name: "0"}
    wait_for(lambda: running(world) == everything, f"all files are followed: {running(world)}")
    assert world.pid(f"{steady.name}-0") == pid
    world.assert_unharmed()
    for path in folder.iterdir():
        path.unlink()
    world.worker.process.send_signal(signal.SIGHUP)
    wait_for(lambda: not running(world), "all of them are removed")
    world.assert_clean()
    for numbers in connectors.values():
        world.assert_nothing_lost(numbers)

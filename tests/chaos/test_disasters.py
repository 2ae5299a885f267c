"""What happens around the tasks: kill -9 of whatever runs, a full disk, a broker that is away for a while."""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from supervisor.storage.java_map import read_map
from tests.support.chaos import Chaos, chaos, wait_for
from tests.support.kafka import ShortLivedKafka, TestKafka
from tests.support.processes import alive


@pytest.fixture
def world(kafka: TestKafka, tmp_path: Path) -> Iterator[Chaos]:
    """A worker of its own for each test."""
    with chaos(tmp_path, kafka, f"chaos-{uuid.uuid4().hex[:8]}") as running:
        yield running


def forkserver(world: Chaos) -> int:
    (pid,) = [pid for pid, name in world.family().items() if name == "connectd: forkserver"]
    return pid


def committed(world: Chaos) -> int:
    """The number that the healthy source has committed, straight from the offset file."""
    entries = read_map((world.worker.log.parent / "connect.offsets").read_bytes())
    for key, value in entries.items():
        if key is not None and value is not None and json.loads(key)[0] == world.source.name:
            return int(json.loads(value)["n"])
    return -1


def test_kill_9_of_the_forkserver(world: Chaos) -> None:
    """All children end with it, and come back from a new one."""
    world.may_repeat = True
    before = world.family()
    psutil.Process(forkserver(world)).send_signal(signal.SIGKILL)
    children = before.keys() - {world.worker.process.pid}
    wait_for(lambda: not any(map(alive, children)), "the children ended")
    for numbers in (world.source, world.sink):
        trace = world.await_failure(numbers)
        assert trace == (
            f"The process of {numbers.name}-0 ended: lost: the forkserver died, and with it all of its children\n"
            "Restart at once."
        )
        world.await_state(numbers, "RUNNING")
    world.note_pids()
    world.assert_unharmed()
    world.assert_clean()
    new = world.create("new", "source")
    wait_for(lambda: world.moved(new) > 100, "new connectors run")
    world.remove(new)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_supervisor(world: Chaos, number: signal.Signals) -> None:
    """Not even what tasks have forked, or started in a session of its own, and what ignores all signals that can be."""
    victims = [
        world.create("forking", "source", {"start": "fork"}),
        world.create("family", "source", {"start": "family"}),
        world.create("away", "source", {"start": "family away"}),
        world.create("deaf", "source", {"poll": "after 5 deaf"}),
        world.create("spinning", "source", {"poll": "after 5 spin"}),
        world.create("stopped", "source", {"poll": "after 5 signal SIGSTOP"}),
    ]
    for victim in victims:
        call = "start" if victim.name.endswith(("forking", "family", "away")) else "poll"
        wait_for((victim.folder / "task-0" / f"{call}.done").exists, f"{victim.name} does wrong")
    wait_for(lambda: sum(len(victim.noted_pids()) for victim in victims) == 3, "three processes were started")
    pids = [*world.family(), *(pid for victim in victims for pid in victim.noted_pids())]
    world.worker.process.send_signal(number)
    assert world.worker.process.wait(60) == (0 if number == signal.SIGTERM else -number)
    wait_for(lambda: not any(map(alive, pids)), "nothing is left")
    if number == signal.SIGTERM:
        assert world.assert_nothing_lost(world.source) == world.assert_nothing_lost(world.sink) == 0


def test_a_full_disk(world: Chaos) -> None:
    """First no offset can be stored, then no file can grow at all: no log, and nothing that a sink writes."""
    world.may_repeat = True
    with no_space([world.worker.process.pid]):
        moved, stored = world.moved(world.source), committed(world)
        wait_for(lambda: failed_commits(world), "commits fail")
        wait_for(lambda: world.moved(world.source) > moved + 500, "the source goes on")
        assert committed(world) == stored
        with no_space(world.family()):
            moved = world.moved(world.source)
            wait_for(lambda: world.moved(world.source) > moved + 500, "the source still goes on")
            for numbers in (world.source, world.sink):
                assert world.state(numbers) == ("RUNNING", "")
    wait_for(lambda: committed(world) > moved, "offsets are committed again")
    # With their processes, and with a log.
    world.assert_unharmed()
    world.assert_clean()


def failed_commits(world: Chaos) -> list[str]:
    """As the worker keeps them: it cannot write its log."""
    said = "failed to commit source offsets, trying again at the next interval"
    _, lines = world.rest("GET", f"/connectd/v1/connectors/{world.source.name}/logs?lines=200")
    return [str(line["fields"]["error"]) for line in lines["lines"] if line["message"] == said]


@contextlib.contextmanager
def no_space(pids: Iterable[int]) -> Iterator[None]:
    """Files of these processes cannot grow in this block."""

    def limit_files(size: int) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    try:
        limit_files(0)
        yield
    finally:
        limit_files(resource.RLIM_INFINITY)


def test_a_broker_that_is_away_for_a_while(tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    broker = ShortLivedKafka(tmp_path / "kafka").start()
    try:
        port = int(broker.bootstrap_servers.rpartition(":")[2])
        with chaos(tmp_path / "worker", TestKafka(broker.client), "away") as world:
            # A sink may get records again that it could not commit.
            world.may_repeat = True
            stored = committed(world)
            broker.stop()
            client_errors = len(complaints(world))
            wait_for(lambda: len(complaints(world)) > client_errors, "clients notice")
            assert world.rest("GET", "/connectors")[0] == 200
            for numbers in (world.source, world.sink):
                assert world.state(numbers) == ("RUNNING", "")
            broker = ShortLivedKafka(tmp_path / "kafka", port=port).start()
            wait_for(lambda: committed(world) > stored + 500, "the source goes on")
            world.assert_unharmed()
            print(f"{world.moved(world.source)} records, {world.moved(world.sink)} written")
    finally:
        broker.stop()


def complaints(world: Chaos) -> list[str]:
    return [str(event.get("error")) for event in world.worker.events if event["message"] == "kafka client"]

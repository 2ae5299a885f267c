"""What may happen to a cluster of three workers while twenty connectors move records: each time nothing is lost, nobody who was
replaced writes, and in the end everything runs once, each worker with its share.

The fixture `fleet` checks that before and after each fault; the workers and their broker are those of the whole module.
"""

from __future__ import annotations

import contextlib
import re
import signal
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from supervisor.embedded import EmbeddedKafka
from supervisor.embedded import broker as embedded_broker
from supervisor.embedded.ports import free_port
from supervisor.exit_codes import CommandExit
from tests.support.chaos import PLUGINS
from tests.support.cluster import PATIENCE_S, Cluster, ClusterMember, cluster, wait_until
from tests.support.fleet import Fleet
from tests.support.kafka import TestKafka
from tests.support.network import Network, NoNetwork, network

WORKERS = 3
# Rebalances that come one after another, and in a storm of a minute.
SOME, STORM = 16, 60
# For longer than the sessions of all workers.
AWAY_S = 60.0


class Bed:
    """The fleet with its workers and its broker; `remote` is where a worker may be cut off, or why there is no such place."""

    def __init__(self, fleet: Fleet, broker: EmbeddedKafka, remote: Remote | NoNetwork) -> None:
        self.fleet = fleet
        self.broker = broker
        self.remote = remote

    @property
    def cluster(self) -> Cluster:
        return self.fleet.cluster

    def is_well(self) -> None:
        """Three workers have everything, and records flow."""
        self.fleet.converge(self.cluster.members)
        self.fleet.flow()

    def take_over(self, *gone: ClusterMember) -> None:
        """Until those who are left have everything, and records flow."""
        self.fleet.converge([each for each in self.cluster.members if each not in gone])
        self.fleet.flow()

    def all_gone(self) -> None:
        """Until no connector and no task runs anywhere."""
        wait_until(lambda: not self.fleet.processes(), "everything has ended")

    def rounds(self) -> int:
        """How many rounds the group has had."""
        found = (re.findall(r"generation (\d+) of the group", each.log.read_text()) for each in self.cluster.members)
        return max(int(number) for numbers in found for number in numbers)

    def end(self, *members: ClusterMember) -> None:
        """Stop workers in good order, all at the same time."""
        self.signal(signal.SIGTERM, *members)
        assert [each.process.wait(60) for each in members if each.process is not None] == [0] * len(members)

    def signal(self, number: int, *members: ClusterMember) -> None:
        """Without waiting for what comes of it."""
        for each in members:
            assert each.process is not None
            each.process.send_signal(number)

    def revive(self) -> None:
        """Whatever a test has left undone."""
        added = self.cluster.members[WORKERS:]
        del self.cluster.members[WORKERS:]
        for each in added:
            if each.process is not None and each.process.poll() is None:
                each.kill()
        for each in self.cluster.members:
            if each in self.cluster.living:
                each.kill(signal.SIGCONT)
            else:
                each.start()


class Remote:
    """A machine at the end of a cable, and where it finds the broker."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.bootstrap_servers = f"{network.here}:{free_port()}"

    def listeners(self, properties: dict[str, str]) -> dict[str, str]:
        """The broker's properties with a listener for it."""
        listener = f",REMOTE://{self.bootstrap_servers}"
        added = {key: properties[key] + listener for key in ("listeners", "advertised.listeners")}
        protocols = properties["listener.security.protocol.map"] + ",REMOTE:PLAINTEXT"
        return {**properties, **added, "listener.security.protocol.map": protocols}

    def add_worker(self, cluster: Cluster) -> ClusterMember:
        network = self.network

        class RemoteMember(ClusterMember):
            host = network.there

            @property
            def command(self) -> Sequence[str]:
                return network.command(*super().command)

        port = free_port()
        where = {"bootstrap_servers": self.bootstrap_servers, "listeners": f"http://{network.there}:{port}"}
        member = cluster.add(RemoteMember, **where)
        member.port = port
        return member


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    folder = tmp_path_factory.mktemp("cluster")
    name = f"f-{uuid.uuid4().hex[:8]}"
    with contextlib.ExitStack() as ending:
        remote = _remote(ending)
        broker = EmbeddedKafka(folder / "kafka", port=free_port()).start()
        ending.callback(broker.stop)
        it = ending.enter_context(cluster(TestKafka(broker.client), folder, name, WORKERS, plugin_path=str(PLUGINS)))
        fleet = Fleet(it)
        ending.callback(fleet.close)
        fleet.create()
        yield Bed(fleet, broker, remote)


def _remote(ending: contextlib.ExitStack) -> Remote | NoNetwork:
    """The broker listens there too, each time it is started."""
    try:
        remote = Remote(ending.enter_context(network()))
    except NoNetwork as error:
        return error
    usual = embedded_broker.server_properties
    patch = ending.enter_context(pytest.MonkeyPatch.context())
    patch.setattr(embedded_broker, "server_properties", lambda *given: remote.listeners(usual(*given)))
    return remote


@pytest.fixture
def well(bed: Bed) -> Iterator[Bed]:
    bed.is_well()
    yield bed
    bed.revive()


# --- workers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leads", [False, True])
def test_a_worker_is_killed(well: Bed, leads: bool) -> None:
    killed = well.cluster.leader if leads else well.cluster.followers[0]
    killed.kill()
    well.take_over(killed)
    killed.start()
    well.is_well()


def test_a_worker_is_suspended_for_longer_than_its_session(well: Bed) -> None:
    """Only the supervisor stands still: its tasks have to end by themselves before others begin them."""
    zombie = well.cluster.followers[0]
    zombie.kill(signal.SIGSTOP)
    well.take_over(zombie)
    zombie.kill(signal.SIGCONT)
    well.is_well()


def test_a_machine_is_suspended_for_longer_than_the_session(well: Bed) -> None:
    """The worker and all of its tasks: none of them may go on when it wakes up."""
    zombie = well.cluster.followers[0]
    assert zombie.process is not None
    family = [psutil.Process(zombie.process.pid), *psutil.Process(zombie.process.pid).children(recursive=True)]
    tasks = [process for process in family if "connectd: task " in " ".join(process.cmdline())]
    for process in family:
        process.suspend()
    try:
        others = [each for each in well.cluster.members if each is not zombie]
        wait_until(lambda: all_on(well, others), "the others have everything")
        assert tasks and all(process.status() == psutil.STATUS_ZOMBIE for process in tasks)
    finally:
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
    well.is_well()


def all_on(bed: Bed, workers: list[ClusterMember]) -> bool:
    states = workers[0].request("GET", "/connectors?expand=status")[1]
    units = [unit for each in states.values() for unit in (each["status"]["connector"], *each["status"]["tasks"])]
    return all(unit["worker_id"] in {each.worker_id for each in workers} for unit in units)


@pytest.mark.long
def test_all_workers_are_stopped_and_started(well: Bed) -> None:
    well.end(*well.cluster.members)
    assert not well.fleet.processes()
    for each in well.cluster.members:
        each.start()
    well.is_well()


@pytest.mark.long
def test_all_workers_are_killed_and_started(well: Bed) -> None:
    well.signal(signal.SIGKILL, *well.cluster.members)
    well.all_gone()
    for each in well.cluster.members:
        each.kill()
        each.start()
    well.is_well()


@pytest.mark.long
def test_two_workers_start_at_the_same_moment(well: Bed) -> None:
    added = [well.cluster.add(), well.cluster.add()]
    well.is_well()
    well.end(*added)
    del well.cluster.members[WORKERS:]
    well.is_well()


@pytest.mark.long
def test_the_first_two_workers_start_at_the_same_moment(well: Bed, tmp_path: Path) -> None:
    """There is no group yet, and there are no topics."""
    name = f"f-{uuid.uuid4().hex[:8]}"
    with cluster(well.cluster.kafka, tmp_path, name, 2, plugin_path=str(PLUGINS)) as it:
        fleet = Fleet(it, pairs=2)
        fleet.create()
        fleet.converge()
        fleet.flow()
        fleet.close()


# --- the broker -------------------------------------------------------------------------------------------------------


def test_the_broker_is_restarted(well: Bed) -> None:
    well.broker.stop()
    well.broker.start()
    well.is_well()


@pytest.mark.long
def test_the_broker_is_away_for_a_minute(well: Bed) -> None:
    """All that runs ends by itself, and begins again."""
    well.broker.stop()
    back_at = time.monotonic() + AWAY_S
    well.all_gone()
    wait_until(lambda: time.monotonic() > back_at, "the minute is over")
    well.broker.start()
    well.is_well()


# --- the network ------------------------------------------------------------------------------------------------------


def test_a_worker_is_cut_off(well: Bed) -> None:
    """No connection ends, and nothing is refused: there is only silence."""
    if isinstance(well.remote, NoNetwork):
        pytest.skip(str(well.remote))
    cut_off = well.remote.add_worker(well.cluster)
    well.is_well()
    well.remote.network.cut()
    try:
        well.take_over(cut_off)
    finally:
        well.remote.network.mend()
    well.is_well()
    well.end(cut_off)
    well.cluster.members.remove(cut_off)


# --- rebalances -------------------------------------------------------------------------------------------------------


class Restless:
    """A worker that joins the group and leaves it, again and again."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self.member = bed.cluster.add()
        self._leaves = False

    def go_on(self) -> None:
        if self.member not in self._bed.cluster.living:
            self.member.start()
            self._leaves = False
        elif not self._leaves and self.member.is_ready():
            self._bed.signal(signal.SIGTERM, self.member)
            self._leaves = True

    def end(self) -> None:
        if not self._leaves and self.member in self._bed.cluster.living:
            self.member.wait_until_ready()
            self._bed.end(self.member)
        assert self.member.process is not None
        assert self.member.process.wait(60) == 0
        self._bed.cluster.members.remove(self.member)


@pytest.mark.parametrize("count", [SOME, pytest.param(STORM, marks=pytest.mark.long)])
def test_one_rebalance_comes_after_another(well: Bed, count: int) -> None:
    """A connector comes and another one goes, and so does a worker, before all is settled."""

    def create(number: int) -> None:
        topic = f"{well.cluster.name}-storm-{number}"
        config = well.fleet.config(well.fleet.sources[0]) | {"topic": topic}
        well.cluster.members[number % WORKERS].ok("POST", "/connectors", {"name": topic, "config": config})

    def delete(number: int) -> None:
        """It is this that takes a round."""
        rounds = well.rounds()
        well.cluster.members[number % WORKERS].ok("DELETE", f"/connectors/{well.cluster.name}-storm-{number}")
        wait_until(lambda: well.rounds() > rounds, "there was a rebalance")

    restless = Restless(well)
    create(0)
    for number in range(count):
        restless.go_on()
        create(number + 1)
        delete(number)
    delete(count)
    restless.end()
    well.is_well()


# --- a worker that is not like the others -----------------------------------------------------------------------------


def test_a_worker_lacks_a_plugin(well: Bed, tmp_path: Path) -> None:
    """What it is given fails there, and says why; all else goes on, and so does that once it is elsewhere."""
    odd = well.cluster.add(plugin_path=str(tmp_path))
    odd.wait_until_ready()

    def what_is_given() -> list[tuple[str, str, str]]:
        status, body = well.cluster.members[0].request("GET", "/connectors?expand=status")
        states = [each["status"] for each in body.values()] if status == 200 else []
        units = [unit for each in states for unit in (each["connector"], *each["tasks"])]
        return [(unit["worker_id"], unit["state"], unit.get("trace", "")) for unit in units]

    def settled() -> bool:
        return all((state == "FAILED") is (worker == odd.worker_id) for worker, state, _ in what_is_given()) and any(
            worker == odd.worker_id for worker, _, _ in what_is_given()
        )

    wait_until(settled, "what the odd worker was given has failed, and nothing else")
    for worker, _, trace in what_is_given():
        assert worker != odd.worker_id or "No plugin is called 'chaos_runs.Runs" in trace, trace
    well.end(odd)
    well.cluster.members.remove(odd)
    well.is_well()


@pytest.mark.parametrize("kind", ["config", "offset"])
def test_a_worker_has_another_storage_topic(well: Bed, kind: str) -> None:
    """It says so and ends, and nobody else notices."""
    processes = sorted(well.fleet.processes())
    other = f"{well.cluster.name}-other-{kind}"
    odd = well.cluster.add(**{f"{kind}_storage_topic": other})
    assert odd.process is not None
    assert odd.process.wait(PATIENCE_S) == CommandExit.UNAVAILABLE
    well.cluster.members.remove(odd)
    said = [str(event["message"]) for event in odd.events if event["level"] == "error"]
    difference = f"its {kind}.storage.topic is {other} instead of {well.cluster.name}-{kind}s"
    assert len([each for each in said if each.endswith(difference)]) == 1, said
    well.is_well()
    assert sorted(well.fleet.processes()) == processes

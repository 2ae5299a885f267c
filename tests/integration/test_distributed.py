"""`connectd distributed`: one to three real workers on a real Kafka."""

from __future__ import annotations

import json
import signal
import subprocess
import uuid
from collections import Counter
from pathlib import Path

import pytest

from supervisor.embedded.ports import free_port
from tests.support.cluster import Cluster, ClusterMember, cluster, processes_of, wait_until
from tests.support.kafka import TestKafka
from tests.support.worker_process import CONNECTD


@pytest.fixture
def name(topic: str) -> str:
    """Of the group, its topics and, with endings, its connectors."""
    return f"c-{uuid.uuid4().hex[:8]}"


def source(name: str, folder: Path, **more: str) -> dict[str, str]:
    return {
        "connector.class": "FileStreamSource",
        "tasks.max": "1",
        "file": str(folder / f"{name}.in"),
        "topic": f"{name}-lines",
        **more,
    }


def sink(name: str, folder: Path, **more: str) -> dict[str, str]:
    return {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": "2",
        "file": str(folder / f"{name}.out"),
        "topics": f"{name}-lines",
        **more,
    }


def append(name: str, folder: Path, lines: range) -> None:
    with (folder / f"{name}.in").open("a") as file:
        file.writelines(f"line {number}\n" for number in lines)


def arrived(name: str, folder: Path) -> list[int]:
    path = folder / f"{name}.out"
    return [int(line.split()[1]) for line in path.read_text().splitlines()] if path.exists() else []


def create(member: ClusterMember, connector: str, config: dict[str, str]) -> None:
    member.ok("POST", "/connectors", {"name": connector, "config": config})


def move_lines(it: Cluster, name: str) -> None:
    """A source with one task and a sink with two that move lines from a file to another."""
    append(name, it.folder, range(100))
    create(it.members[0], f"{name}-source", source(name, it.folder))
    create(it.members[-1], f"{name}-sink", sink(name, it.folder))
    it.wait_until_in("RUNNING", f"{name}-source", 1)
    it.wait_until_in("RUNNING", f"{name}-sink", 2)
    wait_until(lambda: len(arrived(name, it.folder)) >= 100, "the first lines arrived")


def nothing_runs_twice(name: str) -> bool:
    found = processes_of(f"{name}-source") | processes_of(f"{name}-sink")
    return set(found) == {f"{name}-source-0", f"{name}-sink-0", f"{name}-sink-1"} and all(
        len(pids) == 1 for pids in found.values()
    )


def no_status(member: ClusterMember, connector: str) -> bool:
    return member.request("GET", f"/connectors/{connector}/status")[0] == 404


def test_one_worker_does_all_that_a_connector_needs_and_goes_on_after_a_restart(
    kafka: TestKafka, tmp_path: Path, name: str
) -> None:
    with cluster(kafka, tmp_path, name, 1) as it:
        worker = it.members[0]
        move_lines(it, name)
        assert worker.request("GET", f"/connectors/{name}-source")[1]["tasks"] == [
            {"connector": f"{name}-source", "task": 0}
        ]
        assert worker.request("GET", f"/connectors/{name}-source/tasks")[1][0]["config"]["task.class"] == (
            "org.apache.kafka.connect.file.FileStreamSourceTask"
        )
        position = (tmp_path / f"{name}.in").stat().st_size

        def committed() -> bool:
            offsets = worker.request("GET", f"/connectors/{name}-source/offsets")[1]["offsets"]
            return [each["offset"] for each in offsets] == [{"position": position}]

        wait_until(committed, "the offset of the source is in the topic")
        topics = worker.request("GET", f"/connectors/{name}-source/topics")[1]
        assert topics == {f"{name}-source": {"topics": [f"{name}-lines"]}}
        assert worker.stop() == 0
        append(name, tmp_path, range(100, 200))
        worker.start()
        worker.wait_until_ready()
        wait_until(lambda: len(arrived(name, tmp_path)) >= 200, "the other lines arrived")
        assert worker.stop() == 0
    assert arrived(name, tmp_path) == list(range(200))
    assert not [event for event in worker.events if event["level"] in ("error", "critical")]


def test_a_worker_without_kafka_says_that_it_is_starting_and_can_be_stopped(
    kafka: TestKafka, tmp_path: Path, name: str
) -> None:
    with cluster(kafka, tmp_path, name, 0) as it:
        worker = it.add(bootstrap_servers=f"127.0.0.1:{free_port()}")
        wait_until(worker.answers, "the REST API answers")
        assert worker.request("GET", "/health") == (
            503,
            {"status": "starting", "message": "Worker is still starting up."},
        )
        for method, path in (("GET", "/connectors"), ("GET", "/connectors/c/status"), ("PUT", "/connectors/c/pause")):
            status, body = worker.request(method, path)
            assert (status, "still starting" in body["message"]) == (503, True)
        assert worker.stop() == 0
    assert not [event for event in worker.events if event["level"] in ("error", "critical")]


def session_keys(it: Cluster) -> set[bytes | None]:
    """All that the cluster has had so far."""
    topic = f"{it.name}-configs"
    records = it.kafka.consume(topic, it.kafka.end_offsets(topic)[0])
    return {record.value() for record in records if record.key() == b"session-key"}


def has_planned(member: ClusterMember, connector: str, batch_size: str) -> bool:
    tasks = member.request("GET", f"/connectors/{connector}/tasks")[1]
    return [task["config"]["batch.size"] for task in tasks] == [batch_size]


def test_any_worker_carries_out_any_request(kafka: TestKafka, tmp_path: Path, name: str) -> None:
    """The key by which workers sign what they ask of each other is another one every second."""
    connector, other = f"{name}-source", f"{name}-other"
    with cluster(kafka, tmp_path, name, 2, inter_worker_key_ttl_ms="1000") as it:
        append(name, tmp_path, range(10))
        create(it.followers[0], connector, source(name, tmp_path))
        assert it.followers[0].request("GET", f"/connectors/{connector}")[0] == 200
        it.wait_until_in("RUNNING", connector, 1)
        for member in it.members:
            assert member.request("GET", "/connectors")[1] == [connector]
            assert (
                member.request("POST", "/connectors", {"name": connector, "config": source(name, tmp_path)})[0] == 409
            )
            member.ok("POST", f"/connectors/{connector}/restart")
            member.ok("PUT", f"/connectors/{connector}/pause")  # before it runs again, most likely
            it.wait_until_in("PAUSED", connector, 1)
            member.ok("PUT", f"/connectors/{connector}/resume")
            it.wait_until_in("RUNNING", connector, 1)
            before = processes_of(connector)
            member.ok("POST", f"/connectors/{connector}/tasks/0/restart")
            wait_until(lambda before=before: processes_of(connector) not in ({}, before), "the task was restarted")
            it.wait_until_in("RUNNING", connector, 1)
            before = processes_of(connector)
            plan = member.ok("POST", f"/connectors/{connector}/restart?includeTasks=true")
            assert (plan["connector"]["state"], plan["tasks"][0]["state"]) == ("RESTARTING", "RESTARTING")
            wait_until(lambda before=before: processes_of(connector) not in ({}, before), "all was restarted")
            it.wait_until_in("RUNNING", connector, 1)
            member.ok("PUT", f"/connectors/{connector}/stop")
            it.wait_until_in("STOPPED", connector, 0)
            assert member.request("GET", f"/connectors/{connector}/tasks") == (200, [])
            assert "reset successfully" in member.ok("DELETE", f"/connectors/{connector}/offsets")["message"]
            assert member.request("GET", f"/connectors/{connector}/offsets")[1] == {"offsets": []}
            member.ok("PUT", f"/connectors/{connector}/resume")
            it.wait_until_in("RUNNING", connector, 1)
            changed = member.ok("PATCH", f"/connectors/{connector}/config", {"batch.size": str(member.port)})
            assert changed["config"]["batch.size"] == str(member.port)
            assert member.request("POST", f"/connectors/{connector}/tasks", [])[0] == 400  # it is not signed
        # Each worker has one of two connectors, and the one that does not lead has to sign what its own has planned.
        create(it.leader, other, source(other, tmp_path, **{"batch.size": "7"}))
        wait_until(lambda: has_planned(it.members[0], connector, str(it.members[1].port)), "it has planned anew")
        wait_until(lambda: has_planned(it.members[0], other, "7"), "the other one has planned")
        assert len(session_keys(it)) > 2
        for each in (connector, other):
            it.followers[0].ok("DELETE", f"/connectors/{each}")
        for member in it.members:
            wait_until(lambda member=member: member.request("GET", "/connectors")[1] == [], "it is gone everywhere")
            wait_until(lambda member=member: no_status(member, connector), "and so is its status")
        wait_until(lambda: processes_of(connector) == {}, "its processes are gone")


def test_work_is_taken_over_from_a_killed_follower_and_a_killed_leader(
    kafka: TestKafka, tmp_path: Path, name: str
) -> None:
    with cluster(kafka, tmp_path, name, 3) as it:
        move_lines(it, name)
        wait_until(lambda: nothing_runs_twice(name), "each task runs once")
        it.followers[0].kill()
        append(name, tmp_path, range(100, 200))
        wait_until(lambda: set(arrived(name, tmp_path)) >= set(range(200)), "lines flow without the follower")
        it.wait_until_in("RUNNING", f"{name}-source", 1)
        it.wait_until_in("RUNNING", f"{name}-sink", 2)
        wait_until(lambda: nothing_runs_twice(name), "each task runs once")
        it.leader.kill()
        append(name, tmp_path, range(200, 300))
        wait_until(lambda: set(arrived(name, tmp_path)) >= set(range(300)), "lines flow without the leader")
        it.wait_until_in("RUNNING", f"{name}-source", 1)
        it.wait_until_in("RUNNING", f"{name}-sink", 2)
        wait_until(lambda: nothing_runs_twice(name), "each task runs once")
        for member in it.members:
            if member not in it.living:
                member.start()
        for member in it.members:
            member.wait_until_ready()
        wait_until(
            lambda: (
                len({worker for _, worker in {**it.statuses(f"{name}-source"), **it.statuses(f"{name}-sink")}.values()})
                == 3
            ),
            "those that came back have work again",
        )
        assert set(arrived(name, tmp_path)) == set(range(300))


def rounds(member: ClusterMember) -> int:
    """How many rounds of the group a worker has seen."""
    return len([event for event in member.events if "leader" in event])


def places(it: Cluster, connectors: list[str]) -> dict[str, str]:
    """Where connectors and tasks run, by their names."""
    return {unit: worker for each in connectors for unit, (_, worker) in it.statuses(each).items()}


def test_new_connectors_and_tasks_take_no_round_and_are_spread(kafka: TestKafka, tmp_path: Path, name: str) -> None:
    with cluster(kafka, tmp_path, name, 3) as it:
        wait_until(lambda: all(rounds(member) for member in it.members), "all have joined")
        # The workers came one after the other: until the last one's round is over, a round may still be under way.
        create(it.members[0], f"{name}-first", sink(f"{name}-first", tmp_path))
        it.wait_until_in("RUNNING", f"{name}-first", 2)
        before = [rounds(member) for member in it.members]
        new = [f"{name}-{number}" for number in range(5)]
        for number, each in enumerate(new):
            create(it.members[number % 3], each, sink(each, tmp_path))
        for each in new:
            it.wait_until_in("RUNNING", each, 2)
        it.members[1].ok("PUT", f"/connectors/{new[0]}/config", {**sink(new[0], tmp_path), "tasks.max": "5"})
        it.wait_until_in("RUNNING", new[0], 5)
        assert [rounds(member) for member in it.members] == before
        found = places(it, [f"{name}-first", *new])
        kinds = Counter(
            (worker, "task" if unit not in (f"{name}-first", *new) else "connector") for unit, worker in found.items()
        )
        assert {kinds[member.worker_id, "connector"] for member in it.members} == {2}
        assert {kinds[member.worker_id, "task"] for member in it.members} == {5}
        # What is deleted takes a round, and so does what would leave a worker with less to do than another.
        it.members[2].ok("DELETE", f"/connectors/{new[1]}")
        wait_until(lambda: all(rounds(member) > n for member, n in zip(it.members, before, strict=True)), "a round")
        wait_until(lambda: processes_of(new[1]) == {}, "its processes are gone")
        for each in (f"{name}-first", *new[2:]):
            it.wait_until_in("RUNNING", each, 2)
        after = places(it, [f"{name}-first", new[0], *new[2:]])
        assert len([unit for unit in after if after[unit] != found[unit]]) <= 2


def test_what_is_created_while_a_dead_worker_is_not_missed_yet_runs_on_the_others(
    kafka: TestKafka, tmp_path: Path, name: str
) -> None:
    with cluster(kafka, tmp_path, name, 3, scheduled_rebalance_max_delay_ms="600000") as it:
        old = [f"{name}-old{number}" for number in range(3)]
        for each in old:
            create(it.leader, each, sink(each, tmp_path))
            it.wait_until_in("RUNNING", each, 2)
        victim = it.followers[0]
        its = {unit for unit, worker in places(it, old).items() if worker == victim.worker_id}
        assert its
        victim.kill()
        new = [f"{name}-new{number}" for number in range(3)]
        for each in new:
            create(it.leader, each, sink(each, tmp_path))
        for each in new:
            it.wait_until_in("RUNNING", each, 2, on=it.living)
        assert {unit for unit, worker in places(it, old).items() if worker == victim.worker_id} == its
        victim.start()
        victim.wait_until_ready()
        for each in (*old, *new):
            it.wait_until_in("RUNNING", each, 2)
        wait_until(lambda: all(len(processes_of(each)) == 2 for each in (*old, *new)), "each task has its process")


def test_a_static_member_that_is_restarted_has_its_work_back_and_the_others_do_not_notice(
    kafka: TestKafka, tmp_path: Path, name: str
) -> None:
    with cluster(kafka, tmp_path, name, 0, session_timeout_ms="30000", scheduled_rebalance_max_delay_ms="60000") as it:
        for number in range(2):
            it.add(group_instance_id=f"worker-{number}")
        for member in it.members:
            member.wait_until_ready()
        move_lines(it, name)
        wait_until(lambda: nothing_runs_twice(name), "each task runs once")
        connectors = (f"{name}-source", f"{name}-sink")
        places = {unit: worker for each in connectors for unit, (_, worker) in it.statuses(each).items()}
        assert len(set(places.values())) == 2
        for signal_name in ("kill", "stop"):
            before = processes_of(connectors[0]) | processes_of(connectors[1])
            restarted = it.followers[0]
            rounds = len([event for event in it.leader.events if "leader" in event])
            getattr(restarted, signal_name)()
            restarted.start()
            restarted.wait_until_ready()
            for each, tasks in zip(connectors, (1, 2), strict=True):
                it.wait_until_in("RUNNING", each, tasks)
            wait_until(lambda: nothing_runs_twice(name), "each task runs once")
            assert {u: w for each in connectors for u, (_, w) in it.statuses(each).items()} == places
            after = processes_of(connectors[0]) | processes_of(connectors[1])
            kept = {unit for unit, worker in places.items() if worker != restarted.worker_id and unit in before}
            assert {unit: before[unit] for unit in kept} == {unit: after[unit] for unit in kept}
            assert len([event for event in it.leader.events if "leader" in event]) == rounds
        append(name, tmp_path, range(100, 200))
        wait_until(lambda: set(arrived(name, tmp_path)) == set(range(200)), "all lines arrived")


def test_a_worker_that_was_stopped_for_longer_than_its_session_does_no_harm(
    kafka: TestKafka, tmp_path: Path, name: str
) -> None:
    with cluster(kafka, tmp_path, name, 2) as it:
        move_lines(it, name)
        wait_until(lambda: nothing_runs_twice(name), "each task runs once")
        zombie = it.followers[0]
        other = next(member for member in it.members if member is not zombie)
        zombie.kill(signal.SIGSTOP)  # its tasks do not hear of it
        append(name, tmp_path, range(100, 200))

        def other_has_all() -> bool:
            status, body = other.request("GET", "/connectors?expand=status")
            states = [each["status"] for each in body.values()] if status == 200 else []
            workers = {unit["worker_id"] for each in states for unit in (each["connector"], *each["tasks"])}
            return workers == {other.worker_id} and all(
                t["state"] == "RUNNING" for each in states for t in each["tasks"]
            )

        wait_until(other_has_all, "the other worker runs everything")
        assert nothing_runs_twice(name)
        wait_until(lambda: set(arrived(name, tmp_path)) == set(range(200)), "lines flow")
        zombie.kill(signal.SIGCONT)
        append(name, tmp_path, range(200, 300))
        wait_until(lambda: set(arrived(name, tmp_path)) == set(range(300)), "lines go on to flow")
        it.wait_until_in("RUNNING", f"{name}-source", 1)
        it.wait_until_in("RUNNING", f"{name}-sink", 2)
        wait_until(lambda: nothing_runs_twice(name), "each task runs once")


def test_connectors_of_files_are_those_of_the_cluster_and_say_whose_they_are(
    kafka: TestKafka, tmp_path: Path, name: str
) -> None:
    connector = f"{name}-source"
    with cluster(kafka, tmp_path, name, 0) as it:
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
            properties = {"name": connector, **source(name, tmp_path)}
            text = "".join(f"{key}={value}\n" for key, value in properties.items())
            (folder / "source.properties").write_text(text)
            it.add(connectors_directory=str(folder))
        for member in it.members:
            member.wait_until_ready()
        it.wait_until_in("RUNNING", connector, 1)
        owner = it.members[0].request("GET", f"/connectors/{connector}/config")[1]["connectd.file"].split(" ")
        index = [member.worker_id for member in it.members].index(owner[1])
        assert owner[2] == str(folders[index] / "source.properties")
        one, other = it.members[index], it.members[1 - index]
        for member in it.members:
            wait_until(lambda member=member: checked(member) == {connector: "same"}, "nothing is to be changed")
        with (folders[1 - index] / "source.properties").open("a") as file:
            file.write("batch.size=77\n")
        assert (checked(one), checked(other)) == ({connector: "same"}, {connector: "changed"})
        other.kill(signal.SIGHUP)
        config = f"/connectors/{connector}/config"
        wait_until(lambda: it.members[0].request("GET", config)[1].get("batch.size") == "77", "the change is applied")
        wait_until(lambda: checked(one) == {connector: "left"}, "the older file is known to be left alone")
        wait_until(lambda: checked(other) == {connector: "same"}, "the newer file is known to be applied")
        for member in it.members:
            (folders[index] / "source.properties").unlink(missing_ok=True)
            member.kill(signal.SIGHUP)
        wait_until(lambda: all(reloads(member) >= 2 for member in it.members), "all have read their files again")
        assert it.members[0].request("GET", "/connectors")[1] == [connector]  # the other worker's file has brought it
        (folders[1 - index] / "source.properties").unlink()
        assert (checked(one), checked(other)) == ({}, {connector: "removed"})
        other.kill(signal.SIGHUP)
        wait_until(lambda: it.members[0].request("GET", "/connectors")[1] == [], "it is gone with its file")


def reloads(member: ClusterMember) -> int:
    return len([event for event in member.events if str(event["message"]).startswith("reloaded")])


def checked(member: ClusterMember) -> dict[str, str]:
    """What SIGHUP would do with the connectors of this worker, as `connectd check` says, run somewhere else."""
    command = [*CONNECTD, "check", "--output", "json", str(member.file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd="/")
    worker, *connectors = json.loads(done.stdout)
    assert worker["change"] is not None, "the record of the worker was not found"
    assert worker["change"]["what"] == "same"
    return {report["connector"]: report["change"]["what"] for report in connectors}

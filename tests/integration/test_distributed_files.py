"""Connector files of several workers on a real Kafka: all with the same files, all told at once, and with a leader that dies."""

from __future__ import annotations

import signal
import uuid
from collections import Counter
from pathlib import Path

from tests.support.cluster import Cluster, ClusterMember, cluster, wait_until
from tests.support.kafka import TestKafka

WORKERS = 3


class Machines:
    """Workers with a folder each, as on three machines with the same configuration management."""

    def __init__(self, it: Cluster, folder: Path) -> None:
        self.cluster = it
        self._folder = folder
        self._folders = [folder / f"machine-{number}" for number in range(WORKERS)]
        for each in self._folders:
            each.mkdir()

    def write(self, *members: ClusterMember, **batch_sizes: int | None) -> None:
        """The files of these connectors, on the machines of these workers, or on all; None deletes one."""
        for folder in [self._folders[self.cluster.members.index(each)] for each in members] or self._folders:
            for name, size in batch_sizes.items():
                path = folder / f"{name}.properties"
                if size is None:
                    path.unlink()
                else:
                    path.write_text(_properties(self.connector(name), self._folder, size))

    def connector(self, name: str) -> str:
        return f"{self.cluster.name}-{name}"

    def start(self) -> None:
        for each in self._folders:
            self.cluster.add(connectors_directory=str(each))
        for member in self.cluster.members:
            member.wait_until_ready()

    def reload(self, *members: ClusterMember) -> None:
        """All at the same moment; returns when all have done it."""
        before = {each.port: _reloads(each) for each in members}
        for each in members:
            each.kill(signal.SIGHUP)
        wait_until(lambda: all(_reloads(each) > before[each.port] for each in members), "all have reloaded")

    def are(self, **batch_sizes: int) -> bool:
        """Whether all living workers see exactly these connectors."""
        wanted = {self.connector(name): str(size) for name, size in batch_sizes.items()}
        return all(_sizes(each) == wanted for each in self.cluster.living)

    def writes(self) -> Counter[str]:
        """How often each connector was written or deleted."""
        topic = f"{self.cluster.name}-configs"
        records = self.cluster.kafka.consume(topic, self.cluster.kafka.end_offsets(topic)[0])
        keys = [bytes(record.key() or b"").decode() for record in records]
        return Counter(key.removeprefix("connector-") for key in keys if key.startswith("connector-"))


def _properties(name: str, folder: Path, batch_size: int) -> str:
    return (
        f"name={name}\nconnector.class=FileStreamSource\ntasks.max=1\nfile={folder}/{name}.in\ntopic={name}\n"
        f"batch.size={batch_size}\n"
    )


def _reloads(member: ClusterMember) -> int:
    return len([event for event in member.events if str(event["message"]).startswith("reloaded")])


def _sizes(member: ClusterMember) -> dict[str, str]:
    status, body = member.request("GET", "/connectors?expand=info")
    return {name: each["info"]["config"]["batch.size"] for name, each in body.items()} if status == 200 else {}


def machines(it: Cluster, folder: Path) -> Machines:
    found = Machines(it, folder)
    found.write(same=1, changed=1, gone=1)
    found.start()
    wait_until(lambda: found.are(same=1, changed=1, gone=1), "the files are applied")
    return found


def test_workers_with_the_same_files_do_not_fight(kafka: TestKafka, tmp_path: Path) -> None:
    with cluster(kafka, tmp_path, f"c-{uuid.uuid4().hex[:8]}", 0) as it:
        found = machines(it, tmp_path)
        config = {"connector.class": "FileStreamSource", "topic": "t", "batch.size": "9"}
        it.members[0].ok("POST", "/connectors", {"name": found.connector("rest"), "config": config})
        before = found.writes()
        found.write(changed=2, gone=None, new=1)
        found.reload(*it.members)
        wait_until(lambda: found.are(same=1, changed=2, new=1, rest=9), "the files are applied, and nothing else")
        after = found.writes()
        found.reload(*it.members)
        assert found.writes() == after
        assert found.are(same=1, changed=2, new=1, rest=9)
        # Each worker may have begun before it saw that another one had done it; nobody sets anything back.
        written = {
            name: after[found.connector(name)] - before[found.connector(name)] for name in ("changed", "gone", "new")
        }
        assert all(1 <= times <= WORKERS for times in written.values()), written
        assert after[found.connector("same")] == before[found.connector("same")]
        # What somebody changes or copies over REST is not that of a file any more, though he sends what he has read.
        it.members[0].ok("PATCH", f"/connectors/{found.connector('same')}/config", {"batch.size": "5"})
        copied = it.members[0].ok("GET", f"/connectors/{found.connector('new')}/config")
        it.members[0].ok(
            "PUT", f"/connectors/{found.connector('copy')}/config", {**copied, "name": found.connector("copy")}
        )
        found.reload(*it.members)
        assert found.writes()[found.connector("copy")] == 1
        wait_until(lambda: found.are(same=5, changed=2, new=1, copy=1, rest=9), "all that was done over REST is there")


def test_a_reload_goes_on_when_the_leader_dies(kafka: TestKafka, tmp_path: Path) -> None:
    with cluster(kafka, tmp_path, f"c-{uuid.uuid4().hex[:8]}", 0) as it:
        found = machines(it, tmp_path)
        leader, followers = it.leader, it.followers
        found.write(followers[0], own=1)
        found.reload(followers[0])
        wait_until(lambda: found.are(same=1, changed=1, gone=1, own=1), "one worker has a file that the others lack")
        found.write(followers[0], own=None)
        found.write(*followers, changed=2, new=1)
        leader.kill()
        found.reload(*followers)
        wait_until(lambda: found.are(same=1, changed=2, new=1, gone=1), "the files are applied by another leader")
        assert not [event for each in followers for event in each.events if "not reloaded" in str(event["message"])]

"""One group of a Java worker and ours: ours joins it, follows it, and leads it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from supervisor.group import Assignment
from supervisor.group.leader import all_units
from supervisor.units.lifecycle import UnitId
from tests.peer.rest_workers import Worker, java_worker
from tests.support.group import QUICK, WAIT_S, Ledger, LocalWorker, connectors, group_settings, started
from tests.support.kafka import TestKafka
from tests.support.processes import until

NAMES = ("a", "b", "c", "d")
EVERYTHING = connectors(**dict.fromkeys(NAMES, 1))
SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"


class Neighbour(LocalWorker):
    """As if it had read the config topic as far as the leader."""

    async def on_assigned(self, assignment: Assignment, generation: int) -> None:
        self.configured = msgspec.structs.replace(self.configured, offset=assignment.offset)
        await super().on_assigned(assignment, generation)


def java_settings(group: str) -> dict[str, str]:
    found = {**QUICK, "group.id": group, "offset.storage.partitions": "1", "status.storage.partitions": "1"}
    for kind in ("config", "offset", "status"):
        found |= {f"{kind}.storage.topic": f"{group}-{kind}", f"{kind}.storage.replication.factor": "1"}
    return found


def runs_on_java(java: Worker) -> set[UnitId]:
    """What the Java worker says that it runs itself: its state is that of the status topic."""
    found = set()
    for name in NAMES:
        status: Mapping[str, Any] = java.get(f"/connectors/{name}/status") or {"connector": {}, "tasks": []}
        parts = {UnitId(name): status["connector"]} | {UnitId(name, task["id"]): task for task in status["tasks"]}
        address = f"127.0.0.1:{java.port}"
        found |= {
            unit for unit, part in parts.items() if (part.get("state"), part.get("worker_id")) == ("RUNNING", address)
        }
    return found


def create_connectors(java: Worker, folder: Path) -> None:
    for name in NAMES:
        (folder / name).touch()
        config = {
            "connector.class": SOURCE,
            "tasks.max": "1",
            "file": str(folder / name),
            "topic": f"{folder.name}-{name}",
        }
        body = json.dumps(config).encode()
        status, _, answer = java.request(
            "PUT", f"/connectors/{name}/config", body, {"Content-Type": "application/json"}
        )
        assert status == 201, answer


def test_ours_follows_java_and_leads_it(kafka: TestKafka, tmp_path: Path) -> None:
    group = f"group-{uuid.uuid4().hex[:8]}"
    settings = java_settings(group)
    everything = set(all_units(EVERYTHING))

    async def test() -> None:
        ledger = Ledger()
        client = {"bootstrap.servers": kafka.bootstrap_servers}
        ours = Neighbour(ledger, group_settings(client, group, "ours"), msgspec.structs.replace(EVERYTHING, offset=-1))
        (tmp_path / "first").mkdir()
        java = java_worker(tmp_path / "first", kafka.bootstrap_servers, **settings)
        first = await asyncio.to_thread(java.__enter__)
        try:
            await asyncio.to_thread(create_connectors, first, tmp_path)
            await until_thread(lambda: runs_on_java(first) == everything, "Java runs everything")
            await started(ours)
            await until(lambda: len(ours.running) == len(everything) // 2, "ours has its half of Java", WAIT_S)
            assert not ours.member.is_leader
            assert ours.member.leader_url == f"http://127.0.0.1:{first.port}/"
            await until(lambda: ours.member.is_settled, "the group is settled", WAIT_S)
        finally:
            await asyncio.to_thread(java.__exit__, None, None, None)
        await until(lambda: set(ours.running) == everything and ours.member.is_leader, "ours has it all", WAIT_S)
        (tmp_path / "second").mkdir()
        java = java_worker(tmp_path / "second", kafka.bootstrap_servers, **settings)
        second = await asyncio.to_thread(java.__enter__)
        try:
            await until(lambda: len(ours.running) == len(everything) // 2, "Java has its half of ours", WAIT_S)
            assert ours.member.is_leader
            await until_thread(lambda: runs_on_java(second) == everything - ours.running, "Java runs its half")
            for unit in everything - ours.running:
                assert ours.member.owner_url(unit) == f"http://127.0.0.1:{second.port}/"
            await ours.stop()
            await until_thread(lambda: runs_on_java(second) == everything, "Java runs everything again")
        finally:
            await asyncio.to_thread(java.__exit__, None, None, None)

    asyncio.run(test())


async def until_thread(condition: Callable[[], bool], what: str) -> None:
    """For a condition that takes a while to be looked up."""
    for _ in range(int(WAIT_S)):
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(1)
    raise AssertionError(f"still waiting until {what}")

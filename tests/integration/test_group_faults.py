"""A group on a real Kafka, and what goes wrong: killed and suspended workers, a broker that restarts or stands still."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from supervisor.embedded import EmbeddedKafka
from supervisor.embedded.ports import free_port
from tests.support.group import (
    FOUR,
    WAIT_S,
    Event,
    Ledger,
    LocalWorker,
    ProcessWorker,
    group_settings,
    settled,
    started,
)
from tests.support.kafka import ShortLivedKafka, TestKafka
from tests.support.processes import until


class Processes:
    """Workers of one group, each in a process of its own."""

    def __init__(self, kafka: TestKafka) -> None:
        self.ledger = Ledger()
        self.group = f"group-{uuid.uuid4().hex[:8]}"
        self.all: list[ProcessWorker] = []
        self._client = {"bootstrap.servers": kafka.bootstrap_servers}

    def start(self, name: str, **more: str) -> ProcessWorker:
        worker = ProcessWorker(self.ledger, name, self._client, self.group, **more)
        self.all.append(worker)
        return worker

    def leader_and_others(self) -> tuple[ProcessWorker, list[ProcessWorker]]:
        leader, *others = sorted(self.all, key=lambda worker: not worker.seen()[-1].leads)
        return leader, others

    def generation(self, worker: ProcessWorker) -> int:
        return worker.seen("assigned")[-1].generation


@pytest.fixture
def processes(kafka: TestKafka) -> Iterator[Processes]:
    found = Processes(kafka)
    yield found
    for worker in found.all:
        worker.resume_and_stop()


def run(test: Awaitable[None]) -> None:
    asyncio.run(asyncio.wait_for(test, 4 * WAIT_S))


async def all_agree(processes: Processes, count: int) -> None:
    """All workers have completed the same round, and one of them leads."""
    await until(
        lambda: (
            len({processes.generation(worker) for worker in processes.all if worker.seen("assigned")}) == 1
            and sum(worker.seen()[-1].leads for worker in processes.all if worker.seen()) == 1
            and sum(bool(worker.seen("assigned")) for worker in processes.all) == count
        ),
        "all agree",
        WAIT_S,
    )


@pytest.mark.parametrize("leads", [True, False])
def test_the_work_of_a_killed_worker_goes_to_the_others(processes: Processes, leads: bool) -> None:
    async def test() -> None:
        for number in range(3):
            processes.start(f"w{number}", scheduled_rebalance_max_delay_ms="1000")
        await settled(processes.ledger, processes.all)
        await all_agree(processes, 3)
        leader, others = processes.leader_and_others()
        killed = leader if leads else others[0]
        stay = [worker for worker in processes.all if worker is not killed]
        runs = [processes.ledger.running(worker.name) for worker in stay]
        killed.kill()
        await settled(processes.ledger, stay)
        assert all(processes.ledger.running(worker.name) >= was for worker, was in zip(stay, runs, strict=True))
        processes.ledger.check_nothing_ran_twice()

    run(test())


@pytest.mark.parametrize("leads", [True, False])
def test_a_killed_static_member_goes_on_when_it_is_started_again(processes: Processes, leads: bool) -> None:
    async def test() -> None:
        for number in range(3):
            processes.start(f"w{number}", group_instance_id=f"i{number}", session_timeout_ms="60000")
        await settled(processes.ledger, processes.all)
        await all_agree(processes, 3)
        leader, others = processes.leader_and_others()
        killed = leader if leads else others[0]
        stay = [worker for worker in processes.all if worker is not killed]
        was, generation = processes.ledger.running(killed.name), processes.generation(killed)
        heard = [rounds_of(worker) for worker in stay]
        killed.kill()
        processes.all.remove(killed)
        again = processes.start(killed.name, group_instance_id=f"i{killed.name[1:]}", session_timeout_ms="60000")
        await settled(processes.ledger, processes.all)
        assert (processes.ledger.running(again.name), processes.generation(again)) == (was, generation)
        assert [rounds_of(worker) for worker in stay] == heard
        assert again.seen()[-1].leads is leads

    run(test())


def test_a_static_member_that_is_back_while_the_group_rebalances(processes: Processes) -> None:
    """The coordinator does not tell then what it had: the leader gives it back by its URL."""

    async def test() -> None:
        more = {"session_timeout_ms": "60000", "scheduled_rebalance_max_delay_ms": "600000"}
        for number in range(3):
            processes.start(f"w{number}", group_instance_id=f"i{number}", **more)
        await settled(processes.ledger, processes.all)
        await all_agree(processes, 3)
        leader, (killed, other) = processes.leader_and_others()
        was = processes.ledger.running(killed.name)
        killed.kill()
        leader.request_rejoin()
        await until(lambda: not leader.seen()[-1].settled, "a round begins", WAIT_S)
        processes.all.remove(killed)
        again = processes.start(killed.name, group_instance_id=f"i{killed.name[1:]}", **more)
        await settled(processes.ledger, [leader, other, again])
        assert processes.ledger.running(again.name) == was
        processes.ledger.check_nothing_ran_twice()

    run(test())


@pytest.mark.parametrize("leads", [True, False])
def test_a_suspended_worker_stops_before_anything_else_when_it_is_resumed(processes: Processes, leads: bool) -> None:
    """Others have started its work meanwhile, but not before its session was over: so long its tasks go on without it."""

    async def test() -> None:
        for number in range(3):
            processes.start(f"w{number}")
        await settled(processes.ledger, processes.all)
        await all_agree(processes, 3)
        leader, others = processes.leader_and_others()
        zombie = leader if leads else others[0]
        stay = [worker for worker in processes.all if worker is not zombie]
        zombie.suspend()
        suspended = len(zombie.seen())
        await until(
            lambda: processes.ledger.runs_once([worker.name for worker in stay], FOUR), "others take over", WAIT_S
        )
        zombie.resume()
        await settled(processes.ledger, processes.all)
        first = next(event for event in zombie.seen()[suspended:] if event.kind != "session")
        assert first.kind == "lost"
        processes.ledger.check_nothing_ran_twice()

    run(test())


def test_a_short_pause_costs_nothing(processes: Processes) -> None:
    async def test() -> None:
        for number in range(2):
            processes.start(f"w{number}", session_timeout_ms="30000")
        await settled(processes.ledger, processes.all)
        await all_agree(processes, 2)
        paused = processes.all[0]
        before = [rounds_of(worker) for worker in processes.all]
        ends_at = paused.seen("session")[-1].session_until
        paused.suspend()
        await asyncio.sleep(3)  # a pause that is noticed as one, and far from the end of the session
        paused.resume()
        await until(lambda: paused.seen("session")[-1].session_until > ends_at + 3, "its session goes on", WAIT_S)
        assert [rounds_of(worker) for worker in processes.all] == before

    run(test())


# --- the broker -------------------------------------------------------------------------------------------------------


@contextmanager
def own_kafka(folder: Path) -> Iterator[EmbeddedKafka]:
    """A broker that may be stopped and started again."""
    broker = ShortLivedKafka(folder, port=free_port()).start()
    try:
        yield broker
    finally:
        broker.stop()


def workers_of(kafka: EmbeddedKafka, ledger: Ledger, **more: str) -> list[LocalWorker]:
    client, group = {"bootstrap.servers": kafka.bootstrap_servers}, f"group-{uuid.uuid4().hex[:8]}"
    return [LocalWorker(ledger, group_settings(client, group, f"w{number}", **more)) for number in range(3)]


async def with_sessions(workers: list[LocalWorker], test: Callable[[], Awaitable[None]]) -> None:
    """The sessions are noted until the test is over."""

    async def note() -> None:
        while True:
            for worker in workers:
                worker.note_session()
            await asyncio.sleep(0.05)

    noting = asyncio.create_task(note())
    try:
        await test()
    finally:
        noting.cancel()
        for worker in workers:
            await worker.stop()


def test_a_broker_that_is_restarted_within_the_session_costs_nothing(tmp_path: Path) -> None:
    async def test(kafka: EmbeddedKafka) -> None:
        ledger = Ledger()
        workers = workers_of(kafka, ledger, session_timeout_ms="300000")

        async def body() -> None:
            await started(*workers)
            await settled(ledger, workers)
            await until(lambda: all(worker.member.is_settled for worker in workers), "the group is settled", WAIT_S)
            generation, loads = workers[0].member.generation, [worker.running for worker in workers]
            await asyncio.to_thread(kafka.stop)
            sessions = [worker.member.session_until for worker in workers]
            await asyncio.to_thread(kafka.start)
            for worker, session in zip(workers, sessions, strict=True):
                await until(lambda w=worker, s=session: w.member.session_until > s, "its session goes on", WAIT_S)  # type: ignore[misc]
            assert not [event for worker in workers for event in worker.seen("lost", "failed")]
            assert [worker.running for worker in workers] == loads
            assert {worker.member.generation for worker in workers} == {generation}

        await with_sessions(workers, body)

    with own_kafka(tmp_path / "kafka") as kafka:
        run(test(kafka))


def test_without_a_broker_all_stop_before_their_sessions_are_over_and_go_on_afterwards(tmp_path: Path) -> None:
    async def test(kafka: EmbeddedKafka) -> None:
        ledger = Ledger()
        workers = workers_of(kafka, ledger)

        async def body() -> None:
            await started(*workers)
            await settled(ledger, workers)
            loads = [worker.running for worker in workers]
            await asyncio.to_thread(kafka.stop)
            for worker in workers:
                await until(lambda w=worker: w.seen("lost"), "it gives up", WAIT_S)  # type: ignore[misc]
                assert worker.seen("lost")[0].at < max(event.session_until for event in worker.seen("session"))
                assert worker.member.member_id == ""
            await asyncio.to_thread(kafka.start)
            await settled(ledger, workers)
            assert Counter(len(load) for load in loads) == Counter(len(worker.running) for worker in workers)
            ledger.check_nothing_ran_twice()

        await with_sessions(workers, body)

    with own_kafka(tmp_path / "kafka") as kafka:
        run(test(kafka))


def test_a_broker_that_stands_still_is_noticed(tmp_path: Path) -> None:
    """No connection ends; only answers do not come."""

    async def test(kafka: EmbeddedKafka) -> None:
        ledger = Ledger()
        workers = workers_of(kafka, ledger)

        async def body() -> None:
            await started(*workers)
            await settled(ledger, workers)
            broker = [process.pid for process in [psutil.Process(kafka.pid), *psutil.Process(kafka.pid).children()]]
            for pid in broker:
                os.kill(pid, signal.SIGSTOP)
            try:
                for worker in workers:
                    await until(lambda w=worker: w.seen("lost"), "it gives up", WAIT_S)  # type: ignore[misc]
                    assert worker.seen("lost")[0].at < max(event.session_until for event in worker.seen("session"))
            finally:
                for pid in reversed(broker):
                    os.kill(pid, signal.SIGCONT)
            await settled(ledger, workers)
            ledger.check_nothing_ran_twice()

        await with_sessions(workers, body)

    with own_kafka(tmp_path / "kafka") as kafka:
        run(test(kafka))


def rounds_of(worker: ProcessWorker) -> list[Event]:
    """What it was told of rounds."""
    return worker.seen("assigned", "revoked", "lost", "poll_timeout", "failed")

"""Members of one group on a real Kafka: who runs what, and that nothing ever runs twice."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer

from supervisor.group import Configured, Grant
from supervisor.group.protocol import ConnectProtocol
from supervisor.units.lifecycle import UnitId
from tests.support.cuttable_proxy import CuttableProxy
from tests.support.group import FOUR, WAIT_S, Ledger, LocalWorker, connectors, group_settings, settled, started
from tests.support.kafka import ShortLivedKafka, TestKafka
from tests.support.processes import until


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4().hex[:8]}"


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 3 * WAIT_S))


class Cluster:
    """Workers of one group."""

    def __init__(self, kafka: TestKafka, group: str) -> None:
        self.ledger = Ledger()
        self._kafka = kafka
        self._group = group

    def worker(
        self, name: str, configured: Configured = FOUR, client: dict[str, Any] | None = None, **more: str
    ) -> LocalWorker:
        settings = group_settings({"bootstrap.servers": self._kafka.bootstrap_servers}, self._group, name, **more)
        for key, value in (client or {}).items():
            settings.client[key] = value
        return LocalWorker(self.ledger, settings, configured)

    async def __aenter__(self) -> Cluster:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.ledger.check_nothing_ran_twice()


async def watch_session(worker: LocalWorker) -> None:
    while True:
        worker.note_session()
        await asyncio.sleep(0.05)


def test_workers_that_come_at_the_same_time_share_everything(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            workers = [cluster.worker(f"w{number}") for number in range(5)]
            await started(*workers)
            await settled(cluster.ledger, workers)
            leaders = [worker for worker in workers if worker.member.is_leader]
            assert len(leaders) == 1
            assert {worker.member.leader_url for worker in workers} == {f"http://{leaders[0].name}:8083/"}
            await until(lambda: all(worker.member.is_settled for worker in workers), "the group is settled", WAIT_S)
            assert len({worker.member.generation for worker in workers}) == 1
            for worker in workers:
                for unit in worker.running:
                    assert leaders[0].member.owner_url(unit) == f"http://{worker.name}:8083/"
                    assert worker is leaders[0] or worker.member.owner_url(unit) is None
            assert leaders[0].member.owner_url(UnitId("z")) is None
            for worker in workers:
                await worker.stop()

    run(test())


def test_one_comes_and_one_goes(kafka: TestKafka, group: str) -> None:
    """Who comes takes no more than its share, and when one goes, nobody else stops anything."""

    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            first, second, third = (cluster.worker(name) for name in ("w0", "w1", "w2"))
            await started(first, second)
            await settled(cluster.ledger, [first, second])
            earlier = len(first.seen("revoked") + second.seen("revoked"))
            before = first.running | second.running
            await started(third)
            await settled(cluster.ledger, [first, second, third])
            revoked = sorted(first.seen("revoked") + second.seen("revoked"), key=lambda event: event.at)
            assert {unit for event in revoked[earlier:] for unit in event.units} == third.running
            assert first.running | second.running | third.running == before
            await first.stop()
            await settled(cluster.ledger, [second, third])
            assert second.seen("revoked") == [event for event in revoked if event.worker == "w1"]
            assert not third.seen("revoked")
            await second.stop()
            await third.stop()

    run(test())


def test_who_expects_a_round_does_not_wait_for_its_next_heartbeat(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            first, second = (
                cluster.worker(name, heartbeat_interval_ms="400000", session_timeout_ms="1200000")
                for name in ("w0", "w1")
            )

            async def settled_at_once(workers: list[LocalWorker]) -> None:
                def check() -> bool:
                    for worker in workers:
                        worker.member.expect_round()
                    return cluster.ledger.runs_once([worker.name for worker in workers], FOUR)

                await until(check, "everything runs", WAIT_S)

            await started(first)
            await settled(cluster.ledger, [first])
            await started(second)
            await settled_at_once([first, second])
            await second.stop()
            await settled_at_once([first])
            await first.stop()

    run(test())


def test_the_work_of_one_that_has_gone_waits_for_its_return(kafka: TestKafka, group: str) -> None:
    """Back under its URL it has everything back at once, although the delay is far from over."""

    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            workers = [cluster.worker(f"w{number}", scheduled_rebalance_max_delay_ms="600000") for number in range(3)]
            for worker in workers:
                await started(worker)
                await until(lambda worker=worker: worker.running, "it runs something")  # type: ignore[misc]
            await settled(cluster.ledger, workers)
            leader, *others = sorted(workers, key=lambda worker: not worker.member.is_leader)
            gone, stays = others
            was = gone.running
            await gone.stop()
            await until(lambda: stays.seen("assigned")[-1].delay_ms > 0, "the others wait", WAIT_S)
            again = cluster.worker(gone.name, scheduled_rebalance_max_delay_ms="600000")
            await started(again)
            await settled(cluster.ledger, [leader, stays, again])
            assert again.running == was
            for worker in (leader, stays, again):
                await worker.stop()

    run(test())


@pytest.mark.parametrize("leads", [True, False])
def test_a_static_member_that_is_restarted_goes_on_and_nobody_notices(
    kafka: TestKafka, group: str, leads: bool
) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:

            def worker(name: str) -> LocalWorker:
                return cluster.worker(name, group_instance_id=name, session_timeout_ms="60000")

            workers = [worker(f"w{number}") for number in range(3)]
            await started(*workers)
            await settled(cluster.ledger, workers)
            await until(lambda: all(each.member.is_settled for each in workers), "the group is settled", WAIT_S)
            restarted = next(each for each in workers if each.member.is_leader is leads)
            others = [each for each in workers if each is not restarted]
            for _ in range(2):
                was, generation = restarted.running, restarted.member.generation
                heard = [each.seen() for each in others]
                await restarted.stop()
                restarted = worker(restarted.name)
                await started(restarted)
                await settled(cluster.ledger, [restarted, *others])
                await until(lambda r=restarted: r.member.is_settled, "it is back in the group", WAIT_S)  # type: ignore[misc]
                assert (restarted.running, restarted.member.generation) == (was, generation)
                assert [each.seen() for each in others] == heard
                assert restarted.member.is_leader is leads
                if leads:
                    for each in (restarted, *others):
                        assert {restarted.member.owner_url(unit) for unit in each.running} == {
                            f"http://{each.name}:8083/"
                        }
            # It leads, or follows, as well as before.
            newcomer = cluster.worker("w9")
            await started(newcomer)
            await settled(cluster.ledger, [restarted, *others, newcomer])
            for each in (newcomer, restarted, *others):
                await each.stop()

    run(test())


FIVE = msgspec.structs.replace(connectors(a=3, b=3, c=3, d=3, e=4), offset=2)


def granted_by(leader: LocalWorker, workers: list[LocalWorker]) -> list[Grant]:
    """Connector e and its tasks, made and granted."""
    for each in workers:
        each.configured = FIVE
    units = ([UnitId("e")], FIVE.tasks["e"])
    found = [grant for each in units if (grant := leader.member.grant(each)) is not None]
    assert [set(grant.owners) for grant in found] == [set(each) for each in units]
    return found


async def grantable(ledger: Ledger, workers: list[LocalWorker]) -> LocalWorker:
    """The leader, once nothing moves any more."""
    await settled(ledger, workers)
    probe = [UnitId("e")]
    await until(lambda: any(each.member.grant(probe) for each in workers), "the leader may grant", WAIT_S)
    return next(each for each in workers if each.member.is_leader)


def test_what_is_new_is_granted_without_a_round(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            workers = [cluster.worker(f"w{number}") for number in range(3)]
            names = [each.name for each in workers]
            await started(*workers)
            leader = await grantable(cluster.ledger, workers)
            assert [each.member.grant([UnitId("e")]) for each in workers if each is not leader] == [None, None]
            grants, generation = granted_by(leader, workers), leader.member.generation
            for grant in grants:
                assert all(each.member.take(grant) for each in workers)
            await until(lambda: cluster.ledger.runs_once(names, FIVE), "all run what they were granted", WAIT_S)
            for each in workers:
                assert {leader.member.owner_url(unit) for unit in each.running} == {f"http://{each.name}:8083/"}
            assert {each.member.generation for each in workers} == {generation}
            # Another round leaves everything where it is, and what was granted before is good no more.
            was, revoked = [each.running for each in workers], [each.seen("revoked") for each in workers]
            leader.member.request_rejoin("a test wants a round")
            await until(
                lambda: all(each.member.is_settled and each.member.generation > generation for each in workers),
                "there was another round",
                WAIT_S,
            )
            assert [each.running for each in workers] == was
            assert [each.seen("revoked") for each in workers] == revoked
            assert not any(each.member.take(grant) for each in workers for grant in grants)
            for each in workers:
                await each.stop()

    run(test())


def test_what_a_member_does_not_take_is_assigned_in_a_round(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            workers = [cluster.worker(f"w{number}") for number in range(3)]
            await started(*workers)
            leader = await grantable(cluster.ledger, workers)
            grants = granted_by(leader, workers)
            for grant in grants:
                for each in workers:
                    if each is not workers[0]:
                        each.member.take(grant)
            leader.member.grants.add(grants[1])
            assert leader.member.is_untaken(grants[1])
            leader.member.request_rejoin("somebody has not taken it")
            await until(
                lambda: cluster.ledger.runs_once([each.name for each in workers], FIVE), "everything runs", WAIT_S
            )
            for each in workers:
                await each.stop()

    run(test())


@pytest.mark.parametrize("leads", [True, False])
def test_a_static_member_that_is_restarted_runs_on_what_it_was_granted(
    kafka: TestKafka, group: str, leads: bool
) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:

            def worker(name: str, configured: Configured) -> LocalWorker:
                return cluster.worker(name, configured, group_instance_id=name, session_timeout_ms="60000")

            workers = [worker(f"w{number}", FOUR) for number in range(3)]
            await started(*workers)
            leader = await grantable(cluster.ledger, workers)
            grants = granted_by(leader, workers)
            for grant in grants:
                for each in workers:
                    each.member.take(grant)
            names = [each.name for each in workers]
            await until(lambda: cluster.ledger.runs_once(names, FIVE), "all run what they were granted", WAIT_S)
            restarted = next(each for each in workers if each.member.is_leader is leads)
            others = [each for each in workers if each is not restarted]
            was, generation = restarted.running, restarted.member.generation
            await restarted.stop()
            restarted = worker(restarted.name, FIVE)
            for grant in grants:  # it reads them in the config topic before it joins
                assert not restarted.member.take(grant)
            await started(restarted)
            await until(lambda: restarted.member.is_settled, "it is back in the group", WAIT_S)
            await until(lambda: restarted.running == was, "it runs what it ran", WAIT_S)
            assert restarted.member.generation == generation
            if leads:
                for each in (restarted, *others):
                    assert {restarted.member.owner_url(unit) for unit in each.running} == {f"http://{each.name}:8083/"}
            for each in (restarted, *others):
                await each.stop()

    run(test())


def test_a_static_member_under_another_url_is_found_there(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            workers = [cluster.worker(f"w{n}", group_instance_id=f"i{n}", session_timeout_ms="60000") for n in range(2)]
            await started(*workers)
            await settled(cluster.ledger, workers)
            leader, follower = sorted(workers, key=lambda worker: not worker.member.is_leader)
            was = follower.running
            await follower.stop()
            moved = cluster.worker("moved", group_instance_id=f"i{follower.name[1:]}", session_timeout_ms="60000")
            await started(moved)
            await until(
                lambda: leader.member.owner_url(min(was, key=str)) == "http://moved:8083/", "it is found", WAIT_S
            )
            assert moved.running == was
            await settled(cluster.ledger, [leader, moved])
            for each in (leader, moved):
                await each.stop()

    run(test())


def test_of_two_with_one_instance_id_the_later_one_stays(kafka: TestKafka, group: str) -> None:
    """Until the first one hears of it, both run the same: that is why each worker needs a name of its own."""

    async def test() -> None:
        cluster = Cluster(kafka, group)
        first, second = (cluster.worker(name, group_instance_id="same") for name in ("w0", "w1"))
        await started(first)
        await settled(cluster.ledger, [first])
        await started(second)
        await until(lambda: first.seen("failed"), "the first one hears of it", WAIT_S)
        assert "group.instance.id" in first.seen("failed")[0].text
        await settled(cluster.ledger, [second])
        await first.stop()
        await second.stop()

    run(test())


def test_a_group_uses_what_all_its_members_know(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            first, second = cluster.worker("w0"), cluster.worker("w1", connect_protocol="compatible")
            eager = cluster.worker("w2", connect_protocol="eager")
            await started(first)
            await settled(cluster.ledger, [first])
            assert first.member.protocol_version == ConnectProtocol.SESSIONED.version
            await started(second)
            await settled(cluster.ledger, [first, second])
            assert first.member.protocol_version == ConnectProtocol.COMPATIBLE.version
            await started(eager)
            await settled(cluster.ledger, [first, second, eager])
            assert {each.member.protocol_version for each in (first, second, eager)} == {ConnectProtocol.EAGER.version}
            await eager.stop()
            await settled(cluster.ledger, [first, second])
            await until(
                lambda: first.member.is_settled and first.member.protocol_version == ConnectProtocol.COMPATIBLE.version,
                "the group is cooperative again",
                WAIT_S,
            )
            await settled(cluster.ledger, [first, second])
            await first.stop()
            await second.stop()

    run(test())


def test_eagerly_everything_is_stopped_before_anything_is_started(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            first, second = (cluster.worker(name, connect_protocol="eager") for name in ("w0", "w1"))
            await started(first)
            await settled(cluster.ledger, [first])
            was = first.running
            first.revocations_may_end.clear()
            await started(second)
            await until(
                lambda: second.member.member_id == "" and first.member.is_settled is False, "a round begins", WAIT_S
            )
            assert not second.seen("assigned")
            first.revocations_may_end.set()
            await settled(cluster.ledger, [first, second])
            assert set(first.seen("revoked")[0].units) == was
            await first.stop()
            await second.stop()

    run(test())


def test_nothing_is_given_on_before_it_is_stopped(kafka: TestKafka, group: str) -> None:
    """The member waits for the herder, however long that takes within rebalance.timeout.ms, and heartbeats go on."""

    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            first, second = (cluster.worker(name, scheduled_rebalance_max_delay_ms="600000") for name in ("w0", "w1"))
            await started(first)
            await settled(cluster.ledger, [first])
            first.revocations_may_end.clear()
            await started(second)
            await until(lambda: second.seen("assigned"), "the second one is a member", WAIT_S)
            session = first.member.session_until
            await until(lambda: first.member.session_until > session + 10, "a session has gone by", WAIT_S)
            assert not second.running
            first.revocations_may_end.set()
            await settled(cluster.ledger, [first, second])
            assert not first.seen("lost", "poll_timeout")
            await first.stop()
            await second.stop()

    run(test())


def test_who_does_not_stop_what_it_must_leaves_the_group(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        cluster = Cluster(kafka, group)
        first, second = (cluster.worker(name, rebalance_timeout_ms="3000") for name in ("w0", "w1"))
        await started(first)
        await settled(cluster.ledger, [first])
        first.revocations_may_end.clear()
        await started(second)
        await until(lambda: first.seen("poll_timeout"), "the herder is told", WAIT_S)
        await until(lambda: first.member.member_id == "", "it has left", WAIT_S)
        await settled(cluster.ledger, [second])
        first.revocations_may_end.set()
        await settled(cluster.ledger, [first, second])
        await first.stop()
        await second.stop()

    run(test())


def test_new_connectors_are_shared_out_and_deleted_ones_stopped(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            workers = [cluster.worker(f"w{number}") for number in range(2)]
            await started(*workers)
            await settled(cluster.ledger, workers)
            more = msgspec.structs.replace(connectors(b=3, c=3, d=5, e=4), offset=7)
            for worker in workers:
                worker.configured = more
            workers[0].member.request_rejoin("connectors have changed")
            await settled(cluster.ledger, workers, more)
            for worker in workers:
                await worker.stop()

    run(test())


def test_while_the_leader_has_read_less_than_others_nothing_changes(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            first, second = cluster.worker("w0"), cluster.worker("w1")
            await started(first)
            await settled(cluster.ledger, [first])
            later = msgspec.structs.replace(FOUR, offset=9)
            second.configured = later
            await started(second)
            await until(lambda: first.seen("assigned")[-1].error == 1, "the leader says that it lags behind", WAIT_S)
            assert len(first.running) == 16
            first.configured = later
            await settled(cluster.ledger, [first, second])
            assert not first.seen("lost")
            await first.stop()
            await second.stop()

    run(test())


def test_one_that_leaves_for_a_while_is_back_afterwards(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            workers = [
                cluster.worker(f"w{n}", group_instance_id=f"w{n}", scheduled_rebalance_max_delay_ms="600000")
                for n in range(3)
            ]
            await started(*workers)
            await settled(cluster.ledger, workers)
            leader, away, other = sorted(workers, key=lambda worker: not worker.member.is_leader)
            was, rounds, given_up = away.running, len(other.seen("assigned")), away.seen("revoked", "lost")
            away.member.leave_for(1.0, "it must catch up")
            await until(lambda: away.member.member_id == "", "it has left", WAIT_S)
            assert away.member.session_until == 0
            await until(lambda: len(other.seen("assigned")) > rounds, "the others hear of it", WAIT_S)
            await until(lambda: away.member.is_settled, "it is back", WAIT_S)
            await settled(cluster.ledger, workers)
            assert (away.running, away.seen("revoked", "lost")) == (was, given_up)
            for worker in (leader, away, other):
                await worker.stop()

    run(test())


def test_rounds_without_an_end_move_nothing(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        async with Cluster(kafka, group) as cluster:
            workers = [cluster.worker(f"w{number}") for number in range(3)]
            await started(*workers)
            await settled(cluster.ledger, workers)
            await until(lambda: all(worker.member.is_settled for worker in workers), "the group is settled", WAIT_S)
            was = [(worker.running, worker.seen("revoked")) for worker in workers]
            leader = next(worker for worker in workers if worker.member.is_leader)
            generation = leader.member.generation
            while leader.member.generation < generation + 20:
                for worker in workers:
                    worker.member.request_rejoin("a storm")
                await asyncio.sleep(0.02)
            assert [(worker.running, worker.seen("revoked")) for worker in workers] == was
            for worker in workers:
                await worker.stop()

    run(test())


def test_one_that_is_cut_off_stops_before_others_start(kafka: TestKafka, group: str) -> None:
    """A cable is pulled: no connection ends, no answer comes. The others start its work when its session is over."""

    async def test() -> None:
        async with Cluster(kafka, group) as cluster, CuttableProxy() as proxy:
            cut = cluster.worker("w0", client={"proxy_url": proxy.url})
            others = [cluster.worker(f"w{number}") for number in (1, 2)]
            await started(cut, *others)
            await settled(cluster.ledger, [cut, *others])
            watching = asyncio.create_task(watch_session(cut))
            proxy.cut()
            await until(lambda: cut.seen("lost"), "it gives up", WAIT_S)
            until_then = max(event.session_until for event in cut.seen("session"))
            assert cut.seen("lost")[0].at < until_then
            await settled(cluster.ledger, others)
            proxy.mend()
            await settled(cluster.ledger, [cut, *others])
            watching.cancel()
            for worker in (cut, *others):
                await worker.stop()

    run(test())


def test_one_that_is_cut_off_during_a_round_stops_too(kafka: TestKafka, group: str) -> None:
    """No heartbeats are sent while it waits for the others to join."""

    async def test() -> None:
        async with Cluster(kafka, group) as cluster, CuttableProxy() as proxy:
            cut = cluster.worker("w0", client={"proxy_url": proxy.url})
            slow = cluster.worker("w1", connect_protocol="eager")
            await started(cut, slow)
            await settled(cluster.ledger, [cut, slow])
            slow.revocations_may_end.clear()
            cut.member.request_rejoin("a round that takes long")
            await until(lambda: not cut.member.is_settled, "the round begins", WAIT_S)
            session = cut.member.session_until
            await until(lambda: cut.member.session_until > session + 3, "it is asked for beside the round", WAIT_S)
            assert not cut.seen("lost")
            proxy.cut()
            await until(lambda: cut.seen("lost"), "it gives up", WAIT_S)
            proxy.mend()
            slow.revocations_may_end.set()
            await settled(cluster.ledger, [cut, slow])
            for worker in (cut, slow):
                await worker.stop()

    run(test())


def test_a_group_of_consumers_is_none_for_workers(kafka: TestKafka, group: str, topic: str) -> None:
    kafka.create_topic(topic)
    consumer = Consumer({**kafka.client, "group.id": group})
    consumer.subscribe([topic])

    async def test() -> None:
        worker = Cluster(kafka, group).worker("w0")
        await until(lambda: (consumer.poll(0.1), consumer.assignment())[1], "the consumer is a member", WAIT_S)
        await started(worker)
        await until(lambda: worker.seen("failed"), "it is told", WAIT_S)
        assert f"group {group} will not have this worker" in worker.seen("failed")[0].text
        assert worker.member.member_id == ""
        await worker.stop()

    try:
        run(test())
    finally:
        consumer.close()


def test_a_session_that_the_broker_does_not_allow(kafka: TestKafka, group: str) -> None:
    async def test() -> None:
        worker = Cluster(kafka, group).worker("w0", session_timeout_ms="1000")
        await started(worker)
        await until(lambda: worker.seen("failed"), "it is told", WAIT_S)
        assert "session.timeout.ms" in worker.seen("failed")[0].text
        await worker.stop()

    run(test())


def test_a_worker_that_finds_no_kafka_can_be_stopped(group: str) -> None:
    async def test() -> None:
        worker = LocalWorker(Ledger(), group_settings({"bootstrap.servers": "127.0.0.1:1"}, group, "w0"))
        await started(worker)
        await asyncio.sleep(0.1)
        await worker.stop()
        assert [event.kind for event in worker.seen()] == ["ended"]

    run(test())


def test_over_tls_with_a_password(group: str) -> None:
    async def test(client: dict[str, str]) -> None:
        ledger = Ledger()
        workers = [LocalWorker(ledger, group_settings(client, group, f"w{number}")) for number in range(2)]
        await started(*workers)
        await settled(ledger, workers)
        for worker in workers:
            await worker.stop()

    with ShortLivedKafka(tls=True, sasl="SCRAM-SHA-512") as secure:
        run(test(secure.java_client))

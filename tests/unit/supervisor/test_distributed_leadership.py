"""What only the leader of a cluster may write, and what it looks after."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from connectd.errors import ConnectException, NotFoundException
from supervisor.group import Grant, decode_grant
from supervisor.herder.distributed.leader_requests import LeaderRequests
from supervisor.herder.distributed.leadership import Leadership
from supervisor.herder.distributed.session_keys import SessionKeys
from supervisor.herder.distributed.status_reporter import StatusReporter
from supervisor.herder.errors import BadRequest, RequestTarget, Unavailable
from supervisor.rest.errors import RestException
from supervisor.storage.errors import PrivilegedWriteException
from supervisor.storage.snapshot import EMPTY
from supervisor.storage.status_records import WorkStatus
from supervisor.units.lifecycle import Statuses, UnitId
from tasks.settings import DistributedConfig
from tasks.states import State, TargetState
from tests.support.cluster_fakes import FakeConfigLog, FakeMember, FakeStatusLog

WORKER = {
    "bootstrap.servers": "localhost:9092",
    "group.id": "cluster",
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "config.storage.topic": "configs",
    "offset.storage.topic": "offsets",
    "status.storage.topic": "statuses",
}
CONFIG = {"name": "c", "connector.class": "Some"}


class FakeClient:
    """Notes what is sent to other workers; `refusal` is their answer."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []
        self.refusal: RestException | None = None

    async def put_task_configs(self, *args: Any) -> None:
        self._send("tasks", *args)

    async def put_connector(self, *args: Any) -> None:
        self._send("connector", *args)

    async def fence_zombies(self, *args: Any) -> None:
        self._send("fence", *args)

    def _send(self, *what: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.sent.append(what)


class FakeFencing:
    """Notes what this worker fences itself."""

    def __init__(self) -> None:
        self.fenced: list[str] = []

    async def fence(self, connector: str) -> None:
        self.fenced.append(connector)


class Bed:
    """A leader, unless `member` says otherwise."""

    def __init__(self) -> None:
        self.member = FakeMember()
        self.configs, self.statuses, self.client = FakeConfigLog(), FakeStatusLog(), FakeClient()
        self.may_grant = True
        keys = SessionKeys(DistributedConfig(WORKER), lambda: self.configs.config.session_key)
        reporter = StatusReporter(
            Statuses(), cast("Any", self.statuses), "me:1", lambda: 3, lambda name: None, self.may_write
        )
        self.leadership = Leadership(
            cast("Any", self.member),
            self.may_write,
            cast("Any", self.configs),
            cast("Any", self.statuses),
            reporter,
            keys,
            self._grant,
        )
        self.fencing = FakeFencing()
        self.requests = LeaderRequests(
            cast("Any", self.member),
            self.leadership,
            cast("Any", self.fencing),
            keys,
            lambda: cast("Any", self.client),
        )

    def may_write(self) -> bool:
        return self.member.may_write

    def _grant(self, units: Collection[UnitId]) -> Grant | None:
        owners = dict.fromkeys(units, "http://other:1")
        return Grant(leader="me", generation=3, owners=owners) if self.may_grant and units else None

    def granted(self) -> list[list[str]]:
        return [[] if note is None else sorted(map(str, decode_grant(note).owners)) for note in self.configs.notes]

    def kinds(self) -> list[str]:
        return [each[0] for each in self.configs.written]


@pytest.fixture
def bed() -> Bed:
    return Bed()


async def test_others_are_told_who_leads(bed: Bed) -> None:
    bed.member.is_leader = False
    for write in (
        bed.leadership.put_connector("c", CONFIG, None),
        bed.leadership.remove_connector("c"),
        bed.leadership.put_task_configs("c", []),
        bed.leadership.stop_connector("c"),
    ):
        with pytest.raises(RequestTarget) as raised:
            await write
        assert raised.value.url == "http://leader/"
    assert bed.configs.written == []


async def test_a_leader_that_cannot_be_sure_writes_nothing_and_names_nobody(bed: Bed) -> None:
    bed.member.may_write = False
    with pytest.raises(RequestTarget) as raised:
        await bed.leadership.put_connector("c", CONFIG, None)
    assert raised.value.url is None
    await bed.leadership.look_after()
    await bed.leadership.assume()
    assert bed.configs.written == []


async def test_a_new_leader_claims_what_it_needs_and_makes_a_key_once(bed: Bed) -> None:
    await bed.leadership.assume()
    await bed.leadership.look_after()
    assert bed.kinds() == ["claim", "key"]
    await bed.leadership.assume()  # it leads the next round too, and would only disturb its own writes
    assert bed.kinds() == ["claim", "key"]
    bed.member.is_leader = False
    await bed.leadership.assume()
    bed.member.is_leader = True
    await bed.leadership.assume()
    assert bed.kinds() == ["claim", "key", "claim"]


async def test_without_signatures_there_is_no_key(bed: Bed) -> None:
    bed.member.protocol_version = 1
    await bed.leadership.assume()
    assert bed.kinds() == ["claim"]


async def test_a_leader_that_was_fenced_says_that_nothing_was_written_and_claims_again(bed: Bed) -> None:
    await bed.leadership.assume()
    bed.configs.failures = [PrivilegedWriteException("fenced")]
    with pytest.raises(Unavailable, match="Failed to write to the config topic"):
        await bed.leadership.put_connector("c", CONFIG, None)
    await bed.leadership.look_after()
    await bed.leadership.put_connector("c", CONFIG, None)
    assert bed.kinds() == ["claim", "key", "claim", "connector"]


async def test_why_a_leader_cannot_write_is_said_once(bed: Bed) -> None:
    bed.configs.failures = [ConnectException("no"), ConnectException("no"), ConnectException("not yet")]
    with capture_logs() as logs:
        for _ in range(4):
            await bed.leadership.look_after()
        bed.configs.config = EMPTY  # the key is lost, and there is to be another one
        bed.configs.failures = [ConnectException("not yet")]
        await bed.leadership.look_after()
    said = [str(event["event"]).rpartition(": ")[2] for event in logs if event["log_level"] == "warning"]
    assert said == ["no", "not yet", "not yet"]


async def test_a_plan_that_the_cluster_has_already_is_not_written_again(bed: Bed) -> None:
    await bed.leadership.put_connector("c", CONFIG, TargetState.STARTED)
    await bed.leadership.put_task_configs("c", [{"n": "0"}])
    await bed.leadership.put_task_configs("c", [{"n": "0"}])
    assert bed.kinds().count("tasks") == 1
    await bed.leadership.put_connector("c", {**CONFIG, "batch": "9"}, None)
    await bed.leadership.put_task_configs("c", [{"n": "0"}])
    assert bed.kinds().count("tasks") == 2


async def test_what_is_new_is_granted_with_the_record_that_makes_it(bed: Bed) -> None:
    await bed.leadership.put_connector("c", CONFIG, TargetState.STARTED)
    await bed.leadership.put_task_configs("c", [{"n": "0"}, {"n": "1"}])
    assert bed.granted() == [["c"], ["c-0", "c-1"]]
    bed.may_grant = False
    await bed.leadership.put_task_configs("c", [{"n": "0"}, {"n": "1"}, {"n": "2"}])
    assert bed.granted()[2:] == [[]]


async def test_where_tasks_go_it_takes_a_round(bed: Bed) -> None:
    await bed.leadership.put_connector("c", CONFIG, TargetState.STARTED)
    await bed.leadership.put_task_configs("c", [{"n": "0"}, {"n": "1"}])
    await bed.leadership.put_task_configs("c", [{"n": "0"}])
    await bed.leadership.stop_connector("c")
    assert bed.granted()[2:] == [[], []]


async def test_a_stopped_connector_has_no_tasks_before_it_is_stopped_and_gets_none(bed: Bed) -> None:
    await bed.leadership.put_connector("c", CONFIG, TargetState.STARTED)
    await bed.leadership.put_task_configs("c", [{"n": "0"}])
    await bed.leadership.stop_connector("c")
    assert bed.configs.written[-2:] == [("tasks", "c", []), ("state", "c", TargetState.STOPPED)]
    with pytest.raises(BadRequest, match="stopped connector"):
        await bed.leadership.put_task_configs("c", [{"n": "0"}])


async def test_what_does_not_exist_is_not_found(bed: Bed) -> None:
    for write in (bed.leadership.remove_connector("c"), bed.leadership.put_task_configs("c", [])):
        with pytest.raises(NotFoundException):
            await write


async def test_statuses_of_what_was_deleted_go_with_the_next_round(bed: Bed) -> None:
    await bed.leadership.put_connector("c", CONFIG, TargetState.STARTED)
    await bed.leadership.put_task_configs("c", [{"n": "0"}])
    for unit in (UnitId("c"), UnitId("c", 0), UnitId("c", 1), UnitId("gone"), UnitId("gone", 0)):
        bed.statuses.put(unit, WorkStatus(state=State.RUNNING, worker_id="other:1", generation=2))
    await bed.leadership.assume()
    assert sorted(map(str, bed.statuses.statuses)) == ["c", "c-0"]


async def test_a_leader_carries_out_its_own_requests(bed: Bed) -> None:
    await bed.requests.put_connector("c", CONFIG, TargetState.PAUSED)
    await bed.requests.put_task_configs("c", [{"n": "0"}])
    await bed.requests.remove_connector("c")
    await bed.requests.fence_zombies("c")
    assert bed.kinds() == ["connector", "state", "tasks", "remove"]
    assert bed.fencing.fenced == ["c"]
    assert bed.client.sent == []


async def test_a_follower_sends_them_signed_to_the_leader(bed: Bed) -> None:
    await bed.leadership.assume()
    key = bed.configs.config.session_key
    assert key is not None
    bed.member.is_leader = False
    await bed.requests.put_task_configs("c", [{"n": "0"}])
    await bed.requests.put_connector("c", CONFIG, TargetState.PAUSED)
    await bed.requests.remove_connector("c")
    await bed.requests.fence_zombies("c")
    signing = (key.key, "HmacSHA256")
    assert bed.client.sent == [
        ("tasks", "http://leader/", "c", [{"n": "0"}], *signing),
        ("connector", "http://leader/", "c", CONFIG, TargetState.PAUSED, *signing),
        ("connector", "http://leader/", "c", None, None, *signing),
        ("fence", "http://leader/", "c", *signing),
    ]
    bed.member.protocol_version = 1
    await bed.requests.put_task_configs("c", [])
    assert bed.client.sent[-1] == ("tasks", "http://leader/", "c", [], None, "")


async def test_what_the_leader_refuses_or_that_there_is_none_can_be_tried_again(bed: Bed) -> None:
    bed.member.is_leader = False
    bed.client.refusal = RestException(403, "Internal request contained invalid signature.")
    with pytest.raises(ConnectException, match="the leader answered 403: Internal request"):
        await bed.requests.put_task_configs("c", [])
    bed.member.leader_url = None
    with pytest.raises(ConnectException, match="no leader now"):
        await bed.requests.put_task_configs("c", [])

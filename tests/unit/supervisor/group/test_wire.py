"""The bytes of the Connect protocol; tests/peer holds them against Kafka's own classes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.group.assignment import Assignment, WorkerState
from supervisor.group.wire import WireError, decode_assignment, decode_state, encode_assignment, encode_state
from supervisor.units.lifecycle import UnitId

ASSIGNMENT = Assignment(
    version=2,
    leader="m-1",
    leader_url="http://h:1/",
    offset=7,
    connectors=("a",),
    tasks=(UnitId("a", 0), UnitId("b", 1)),
    revoked_tasks=(UnitId("c", 2),),
    delay_ms=300,
)
V0 = (
    "0000000000036d2d31000b687474703a2f2f683a312f00000000000000070000000200016100000002ffffffff00000000"
    "0001620000000100000001"
)
V2 = "0002" + V0[4:] + "0000000100016300000001000000020000012c"
IDLE_V0 = "0000000b687474703a2f2f683a312fffffffffffffffff"
IDLE_V2 = "0002" + IDLE_V0[4:] + "ffffffff"


def test_assignments() -> None:
    assert [encode_assignment(ASSIGNMENT, version).hex() for version in (0, 1, 2)] == [V0, "0001" + V2[4:], V2]
    assert decode_assignment(bytes.fromhex(V2)) == ASSIGNMENT
    assert decode_assignment(bytes.fromhex(V0)) == msgspec.structs.replace(
        ASSIGNMENT, version=0, revoked_tasks=(), delay_ms=0
    )


def test_states() -> None:
    idle = WorkerState(url="http://h:1/", offset=-1)
    assert [encode_state(idle, version).hex() for version in (0, 2)] == [IDLE_V0, IDLE_V2]
    assert decode_state(bytes.fromhex(IDLE_V0)) == decode_state(bytes.fromhex(IDLE_V2)) == idle
    busy = WorkerState(url="http://h:1/", offset=7, assignment=ASSIGNMENT)
    assert decode_state(encode_state(busy, 2)) == busy


def test_version_0_does_not_tell_what_a_worker_runs() -> None:
    busy = WorkerState(url="http://h:1/", offset=7, assignment=ASSIGNMENT)
    assert decode_state(encode_state(busy, 0)).assignment == Assignment()


def test_a_later_version_may_have_more_at_the_end() -> None:
    assert decode_assignment(bytes.fromhex("0003" + V2[4:] + "00ff")) == msgspec.structs.replace(ASSIGNMENT, version=3)


def test_the_storage_topics_stand_behind_what_java_knows() -> None:
    topics = ("configs", "offsets", "größe")
    busy = WorkerState(url="http://h:1/", offset=7, assignment=ASSIGNMENT, topics=topics)
    given = msgspec.structs.replace(ASSIGNMENT, topics=topics)
    for version in (1, 2):
        plain = encode_assignment(ASSIGNMENT, version)
        assert encode_assignment(given, version).startswith(plain)
        assert decode_assignment(encode_assignment(given, version)).topics == topics
        assert decode_state(encode_state(busy, version)).topics == topics
    assert encode_assignment(given, 0) == encode_assignment(ASSIGNMENT, 0)
    assert encode_state(busy, 0) == encode_state(msgspec.structs.replace(busy, topics=()), 0)
    assert decode_assignment(bytes.fromhex(V2) + b"\0\3foo\0").topics == ()  # somebody else's addition


def test_null_arrays_are_empty() -> None:
    assert decode_assignment(bytes.fromhex("0001000000000000" + "00" * 8 + "ffffffff" * 2 + "00000000")) == Assignment(
        leader="", leader_url="", offset=0
    )


@pytest.mark.parametrize("data", ["ffff", "0002", V2[:62], V2[:-10], "00020000ffff", "00000000fffe" + V0[12:]])
def test_what_no_worker_sends(data: str) -> None:
    with pytest.raises(WireError, match="Connect protocol"):
        decode_assignment(bytes.fromhex(data))


@given(st.binary(max_size=80))
def test_other_bytes_are_an_error_at_most(data: bytes) -> None:
    for decode in (decode_assignment, decode_state):
        try:
            decode(data)
        except WireError:
            continue


def test_an_assignment_by_nobody_cannot_be_written() -> None:
    with pytest.raises(WireError):
        encode_assignment(Assignment(connectors=("a",)), 2)

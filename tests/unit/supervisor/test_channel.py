"""The channel: frames in any pieces, large ones, broken ones, a child that does not read, a child that is gone."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from supervisor.processes.channel import Channel
from tasks.channel import LENGTH, MAX_MESSAGE_BYTES, ChildChannel, encode
from tasks.messages import CommitOffsets, OffsetsRead, Report, Stop, Warm
from tests.support.processes import open_descriptors

LARGE = CommitOffsets(generation=1, request=2, entries=[(b"key", b"v" * 3_000_000)])


class Ends:
    """Both ends of a channel, and what was heard at the supervisor's."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.reports: list[Report] = []
        self.broken: list[str] = []
        self.channel = Channel(ours, self.reports.append, self.broken.append)

    async def until_reports(self, count: int) -> None:
        while len(self.reports) < count and not self.broken:
            await asyncio.sleep(0.001)


@pytest.fixture
def no_descriptor_is_left() -> Iterator[None]:
    before = open_descriptors()
    yield
    assert open_descriptors() == before


async def test_frames_arrive_whole_in_whatever_pieces_they_come(no_descriptor_is_left: None) -> None:
    ends = Ends()
    for byte in encode(Warm()) + encode(CommitOffsets(generation=1, request=1, entries=[])):
        ends.theirs.send(bytes([byte]))
        await asyncio.sleep(0)
    await ends.until_reports(2)
    assert ends.reports == [Warm(), CommitOffsets(generation=1, request=1, entries=[])]
    ends.channel.close()
    ends.theirs.close()


async def test_many_and_large_frames(no_descriptor_is_left: None) -> None:
    ends = Ends()
    child = ChildChannel(ends.theirs)
    sender = threading.Thread(target=lambda: [child.send(LARGE if number == 50 else Warm()) for number in range(100)])
    sender.start()
    await ends.until_reports(100)
    sender.join()
    assert ends.reports[50] == LARGE
    assert ends.reports.count(Warm()) == 99
    ends.channel.close()
    child.close()


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (LENGTH.pack(MAX_MESSAGE_BYTES + 1), f"a message of {MAX_MESSAGE_BYTES + 1} bytes was announced"),
        (LENGTH.pack(4) + b"\xc1\xc1\xc1\xc1", "MessagePack data is malformed"),
        (encode(Stop()), "Invalid value 'Stop'"),
    ],
)
async def test_a_child_that_sends_nonsense_is_broken(frame: bytes, reason: str, no_descriptor_is_left: None) -> None:
    ends = Ends()
    ends.theirs.sendall(encode(Warm()) + frame + encode(Warm()))
    await ends.until_reports(2)
    assert ends.reports == [Warm()]
    assert len(ends.broken) == 1
    assert reason in ends.broken[0]
    ends.theirs.close()


async def test_orders_wait_for_a_child_that_does_not_read(no_descriptor_is_left: None) -> None:
    ends = Ends()
    orders = [OffsetsRead(request=number, values=[b"x" * 100_000]) for number in range(50)]
    for order in orders:
        ends.channel.send(order)  # far more than the socket holds, and this does not block
    child = ChildChannel(ends.theirs)
    received = await asyncio.to_thread(lambda: [child.receive() for _ in orders])
    assert received == orders
    ends.channel.close()
    child.close()


async def test_what_a_child_said_before_its_end_is_heard(no_descriptor_is_left: None) -> None:
    ends = Ends()
    ends.theirs.sendall(encode(Warm()) * 3)
    ends.theirs.close()
    ends.channel.drain()
    assert ends.reports == [Warm()] * 3
    ends.channel.send(Stop())  # to nobody: the exit is reported elsewhere
    ends.channel.close()
    assert ends.broken == []

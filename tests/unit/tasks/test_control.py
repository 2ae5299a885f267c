"""A child's conversation with the supervisor, over a real socket pair."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from tasks.channel import LENGTH, ChildChannel, decode_report, encode
from tasks.control import Control, OffsetStoreError, PreflightFailed
from tasks.deadline import boottime
from tasks.messages import (
    ChangeTargetState,
    CommitOffsets,
    Message,
    OffsetsCommitted,
    OffsetsRead,
    PreflightCheck,
    PreflightChecked,
    ReadOffsets,
    StateChanged,
    Stop,
)
from tasks.states import ExitCode, State, TargetState


class Peer:
    """The supervisor's end."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._file = sock.makefile("rb")

    def send(self, message: Message) -> None:
        self.socket.sendall(encode(message))

    def receive(self) -> Message:
        (length,) = LENGTH.unpack(self._file.read(LENGTH.size))
        return decode_report(self._file.read(length))


@pytest.fixture
def pair() -> Iterator[tuple[Control, Peer]]:
    ours, theirs = socket.socketpair()
    ended = threading.Event()
    control = Control(ChildChannel(ours), 7, TargetState.STARTED, end=lambda code: ended.set())
    peer = Peer(theirs)
    yield control, peer
    control.start_reading()
    peer.socket.shutdown(socket.SHUT_RDWR)
    assert ended.wait(30)


def test_states_carry_the_generation(pair: tuple[Control, Peer]) -> None:
    control, peer = pair
    control.report_state(State.FAILED, "trace", config_error=True)
    assert peer.receive() == StateChanged(generation=7, state=State.FAILED, trace="trace", config_error=True)


def test_a_wait_ends_early_on_pause_and_on_stop(pair: tuple[Control, Peer]) -> None:
    control, peer = pair
    control.start_reading()
    assert control.wait(0.01) is False
    started = time.monotonic()
    threading.Timer(0.05, lambda: peer.send(ChangeTargetState(target_state=TargetState.PAUSED))).start()
    assert control.wait(30) is True
    assert not control.should_run
    threading.Timer(0.05, lambda: peer.send(ChangeTargetState(target_state=TargetState.STARTED))).start()
    control.wait_while_paused(30)
    assert control.should_run
    threading.Timer(0.05, lambda: peer.send(Stop())).start()
    assert control.wait(30) is True
    assert control.stopping.is_set()
    assert time.monotonic() - started < 25


def test_offsets_are_asked_for_and_committed_over_the_channel(pair: tuple[Control, Peer]) -> None:
    control, peer = pair
    control.start_reading()

    def answer() -> None:
        read = peer.receive()
        assert isinstance(read, ReadOffsets) and read.keys == [b"a", b"b"] and read.generation == 7
        peer.send(OffsetsRead(request=read.request, values=[b"1", None]))
        commit = peer.receive()
        assert isinstance(commit, CommitOffsets) and commit.entries == [(b"a", b"2")]
        peer.send(OffsetsCommitted(request=commit.request))
        refused = peer.receive()
        assert isinstance(refused, CommitOffsets)
        peer.send(OffsetsCommitted(request=refused.request, error="disk full: offsets.dat"))

    thread = threading.Thread(target=answer)
    thread.start()
    assert control.read_offsets([b"a", b"b"], 30) == [b"1", None]
    control.commit_offsets([(b"a", b"2")], 30)
    with pytest.raises(OffsetStoreError, match="disk full"):
        control.commit_offsets([(b"a", None)], 30)
    thread.join()


def test_no_answer_is_an_error_and_a_late_one_is_ignored(pair: tuple[Control, Peer]) -> None:
    control, peer = pair
    control.start_reading()
    with pytest.raises(OffsetStoreError, match=r"took longer than 0\.05 s"):
        control.read_offsets([b"a"], 0.05)
    late = peer.receive()
    assert isinstance(late, ReadOffsets)
    peer.send(OffsetsRead(request=late.request, values=[b"1"]))
    peer.send(Stop())
    assert control.stopping.wait(30)


def test_a_source_waits_for_permission_to_start_or_for_the_order_to_stop(pair: tuple[Control, Peer]) -> None:
    control, peer = pair
    control.start_reading()
    outcomes: list[str] = []

    def ask() -> None:
        try:
            control.check_preflight(claimed=True)
            outcomes.append("may")
        except PreflightFailed as error:
            outcomes.append(str(error))

    for answer in (None, "zombies", Stop()):
        asking = threading.Thread(target=ask)
        asking.start()
        asked = peer.receive()
        assert isinstance(asked, PreflightCheck) and (asked.generation, asked.claimed) == (7, True)
        if isinstance(answer, Stop):
            peer.send(answer)
        else:
            peer.send(PreflightChecked(request=asked.request, error=answer))
        asking.join(30)
    assert outcomes == ["may", "zombies", "the task was ordered to stop before it had started"]


def test_without_a_supervisor_the_process_ends() -> None:
    """In a process of its own, because it ends."""
    import subprocess
    import sys

    program = (
        "import socket, time; from tasks.channel import ChildChannel; from tasks.control import Control;"
        "from tasks.states import TargetState; a, b = socket.socketpair();"
        "Control(ChildChannel(a), 1, TargetState.STARTED).start_reading(); b.close(); time.sleep(60)"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 75


LEASED = """
import socket, threading, time
from tasks.channel import ChildChannel, encode
from tasks.control import Control
from tasks.deadline import boottime
from tasks.messages import Lease
from tasks.states import TargetState

ours, theirs = socket.socketpair()
control, taken = Control(ChildChannel(ours), 7, TargetState.STARTED), threading.Semaphore(0)
control.on_order = lambda order: taken.release()
control.start_reading()
begin = boottime()
for until in (begin + 1.0, begin + 1.5):
    theirs.sendall(encode(Lease(until=until, gone_by=until + 1)))
    taken.acquire()
print(until, flush=True)
time.sleep(60)
"""


@contextlib.contextmanager
def leased() -> Iterator[tuple[subprocess.Popen[str], float]]:
    """A process that would sleep for a minute, and until when it may run."""
    with subprocess.Popen([sys.executable, "-c", LEASED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, float(process.stdout.readline())
        finally:
            process.kill()


def test_a_process_ends_when_its_lease_is_over_and_not_before() -> None:
    with leased() as (process, until):
        assert process.wait(30) == ExitCode.ORPHANED
        assert boottime() >= until


def test_a_process_that_stands_still_is_gone_when_its_lease_is_over() -> None:
    """It never goes on: whatever it had to send, librdkafka's threads would be quicker than Python's."""
    with leased() as (process, until):
        process.send_signal(signal.SIGSTOP)
        assert process.wait(30) == -signal.SIGKILL
        assert boottime() >= until + 1

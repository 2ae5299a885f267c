"""A child process without Kafka: what it does is written in the configuration of its order. For tests of the supervisor."""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from setproctitle import setproctitle

from tasks import preload
from tasks.channel import ChannelClosed, ChildChannel
from tasks.messages import (
    ChangeTargetState,
    CommitOffsets,
    ConfigKeyErrors,
    GroupsLeft,
    Heartbeat,
    JoinedGroup,
    LeaveGroups,
    ListPlugins,
    OffsetsCommitted,
    OffsetsRead,
    Order,
    Planned,
    PluginInfo,
    Plugins,
    ReadOffsets,
    ReconfigurationRequested,
    RunConnector,
    RunTask,
    StateChanged,
    Stop,
    Validate,
    Validated,
    Warm,
)
from tasks.states import Call, ExitCode, State, TargetState

_leaked: list[bytes] = []


def main(sock: socket.socket, supervisor_pid: int) -> None:
    """The entry of a child, in the place of `tasks.entry.main`."""
    os.setsid()
    preload.die_with_forkserver()
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR2)
    setproctitle("connectd: stand-in")
    channel = ChildChannel(sock)
    try:
        channel.send(Warm())
        os._exit(_work(channel.receive(), channel))
    except ChannelClosed:
        os._exit(ExitCode.ORPHANED)


def _work(order: Order, channel: ChildChannel) -> int:
    match order:
        case Validate():
            _misbehave(order.config.get("validate", ""))
            wrong = order.config.get("wrong.key")
            errors = [ConfigKeyErrors(key="wrong.key", value=wrong, errors=["it is wrong"])] if wrong else []
            channel.send(
                Validated(
                    errors=errors, kind="source", unknown_keys={"unknwon": None} if "unknwon" in order.config else {}
                )
            )
        case ListPlugins():
            channel.send(
                Plugins(
                    plugins=[PluginInfo(name="StandIn", kind="source", version="1", location="tests", aliases=["S"])]
                )
            )
        case LeaveGroups():
            _leave_groups(order, channel)
        case RunConnector():
            return _run_connector(order, channel)
        case RunTask():
            return _run_task(order, channel)
        case _:
            raise AssertionError(order)
    return ExitCode.STOPPED


def _leave_groups(order: LeaveGroups, channel: ChildChannel) -> None:
    """Each call is a line in a file."""
    config = order.worker_config
    _misbehave(config.get("leaving", ""))
    names = [f"{each.group}/{each.instance}" + (each.member and f"/{each.member}") for each in order.members]
    with Path(config["left.file"]).open("a") as file:
        file.write(" ".join(names) + "\n")
    channel.send(GroupsLeft(problems=[f"{names[0]}: stays"] if "leaving.problem" in config else []))


def _run_connector(order: RunConnector, channel: ChildChannel) -> int:
    config = order.config
    _misbehave(config.get("connector", ""))
    if trace := config.get("connector.fails"):
        channel.send(StateChanged(generation=order.generation, state=State.FAILED, trace=trace))
        return ExitCode.FAILED
    channel.send(StateChanged(generation=order.generation, state=State.RUNNING))
    count = int(config.get("tasks", "1"))
    watching = config.get("watching") == "true"

    def plan(count: int) -> None:
        channel.send(
            Planned(
                generation=order.generation,
                kind="source",
                version="1",
                task_class="tests.support.standin:Task",
                task_configs=[{"id": str(number), **_task_config(config, number)} for number in range(count)],
                watching=watching,
            )
        )

    plan(count)
    if path := config.get("replan.when"):
        _wait_for_file(path)
        channel.send(ReconfigurationRequested(generation=order.generation))
        plan(int(config["replan.tasks"]))
    while watching and not isinstance(channel.receive(), Stop):
        pass
    return ExitCode.STOPPED


def _task_config(config: dict[str, str], number: int) -> dict[str, str]:
    prefix = f"task.{number}."
    shared = {key[len("each.") :]: value for key, value in config.items() if key.startswith("each.")}
    return shared | {key[len(prefix) :]: value for key, value in config.items() if key.startswith(prefix)}


def _run_task(order: RunTask, channel: ChildChannel) -> int:
    config = order.task_config
    if "joins" in config:
        group, instance, *member = config["joins"].split("/")
        channel.send(JoinedGroup(generation=order.generation, group=group, instance=instance, member="".join(member)))
    _misbehave(config.get("start", ""))
    channel.send(Heartbeat(generation=order.generation, call=Call.NONE, call_s=0.0, counters={}))
    if trace := config.get("fails"):
        channel.send(
            StateChanged(
                generation=order.generation, state=State.FAILED, trace=trace, config_error="config.error" in config
            )
        )
        return ExitCode.CONFIG if "config.error" in config else ExitCode.FAILED
    if "commit" in config:
        _commit(order.generation, config["commit"].encode(), channel)
    if "commits.as.zombie" in config:
        channel.send(CommitOffsets(generation=order.generation - 1, request=3, entries=[(b"zombie", b"1")]))
        answer = channel.receive()
        assert isinstance(answer, OffsetsCommitted)
        channel.send(StateChanged(generation=order.generation, state=State.FAILED, trace=answer.error))
        return ExitCode.FAILED
    _report(order.target_state, order.generation, channel)
    if path := config.get("die.when"):
        _wait_for_file(path)
        os.kill(os.getpid(), signal.SIGSEGV)
    while True:
        match channel.receive():
            case Stop():
                _misbehave(config.get("stop", ""))
                return ExitCode.STOPPED
            case ChangeTargetState(target_state=target_state):
                _report(target_state, order.generation, channel)


def _report(target_state: TargetState, generation: int, channel: ChildChannel) -> None:
    state = State.RUNNING if target_state is TargetState.STARTED else State.PAUSED
    channel.send(StateChanged(generation=generation, state=state))


def _commit(generation: int, value: bytes, channel: ChildChannel) -> None:
    key = b'["standin",{"a":1}]'
    channel.send(CommitOffsets(generation=generation, request=1, entries=[(key, value)]))
    committed = channel.receive()
    assert isinstance(committed, OffsetsCommitted)
    channel.send(ReadOffsets(generation=generation, request=2, keys=[key]))
    read = channel.receive()
    assert isinstance(read, OffsetsRead)
    if committed.error is None and read.values != [value]:
        os._exit(99)


def _misbehave(how: str) -> None:
    match how.split():
        case []:
            pass
        case ["hang"]:
            time.sleep(3600)
        case ["leak", mib]:
            _leaked.append(b"x" * (int(mib) << 20))
            time.sleep(3600)
        case ["say", *words]:
            print(*words, file=sys.stderr, flush=True)
        case ["wait", path]:
            _wait_for_file(path)
        case ["next", path]:
            _misbehave(_take_line(Path(path)))
        case ["limits"]:
            print("open files:", *resource.getrlimit(resource.RLIMIT_NOFILE), file=sys.stderr, flush=True)
        case ["family", path]:
            _start_family(Path(path))
        case _:
            _die(how)


def _die(how: str) -> None:
    match how.split():
        case ["exit", code]:
            os._exit(int(code))
        case ["kill"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["segfault"]:
            faulthandler._sigsegv()  # type: ignore[attr-defined]
        case ["raise"]:
            raise RuntimeError("raised on purpose")
        case _:
            raise AssertionError(how)


def _start_family(path: Path) -> None:
    """A process of the plugin's own, which outlives its parent unless somebody cares; its pid goes to a file."""
    path.write_text(str(subprocess.Popen(["sleep", "3600"]).pid))


def _take_line(path: Path) -> str:
    """The first line of a file, which it loses."""
    first, _, rest = path.read_text().partition("\n")
    path.write_text(rest)
    return first


def _wait_for_file(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.01)

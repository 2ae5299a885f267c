"""Where a child process begins: it waits warm for one order, carries it out, and ends with a code that says why."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from setproctitle import setproctitle

from connectd.errors import ConfigException, ConnectException
from tasks import preload
from tasks.channel import ChannelClosed, ChildChannel, decode_order
from tasks.connector_offsets import alter_offsets, list_offsets
from tasks.connector_runner import run_connector
from tasks.control import Control
from tasks.fencing import fence_producers
from tasks.inspection import describe_plugin, list_plugins, validate
from tasks.java.kept import keeps_host
from tasks.kafka_admin import describe_cluster
from tasks.lag import measure_lag
from tasks.limits import apply_limits, limits_of
from tasks.logs import add_context, configure_logging, to_pipe
from tasks.messages import (
    AlterOffsets,
    DescribeCluster,
    DescribePlugin,
    DigestReferences,
    FenceProducers,
    Inquiry,
    LeaveGroups,
    ListOffsets,
    ListPlugins,
    LogSettings,
    MeasureLag,
    Moved,
    Order,
    Reason,
    Refused,
    ReplayLetters,
    Report,
    ResolveWorkerConfig,
    RunConnector,
    RunTask,
    Stays,
    TryTransforms,
    UseInterpreter,
    Validate,
    Warm,
)
from tasks.moving import Interpreter, interpreter_for
from tasks.refusal import Refusal
from tasks.replaying import replay_letters
from tasks.secrets.inline import hide_by_name
from tasks.secrets.orders import (
    configs_of,
    digest_references,
    resolve_config,
    resolve_members,
    resolve_task,
    resolve_worker,
    resolve_worker_part,
)
from tasks.secrets.stream import MaskedStream
from tasks.sink.leaving import leave_groups
from tasks.states import ExitCode
from tasks.task_runner import run_task
from tasks.trying import try_transforms


def main(sock: socket.socket, supervisor_pid: int) -> None:
    """The target of every process that the supervisor starts; never returns. `sock` is the channel to the supervisor."""
    _live(sock, Interpreter(), Warm(), None)


def go_on(sock: socket.socket, interpreter: Interpreter, order: bytes | None) -> None:
    """The same after a move to another interpreter, which an order may have been the reason for."""
    _live(sock, interpreter, Moved(python=interpreter.python), None if order is None else decode_order(order))


def _live(sock: socket.socket, interpreter: Interpreter, first_word: Report, order: Order | None) -> NoReturn:
    _settle(f"connectd: spare on {interpreter.python}" if interpreter.python else "connectd: spare")
    channel = ChildChannel(sock)
    try:
        channel.send(first_word)
        if order is None:
            order = channel.receive()
            apply_limits(limits_of(order))
        code = _carry_out(order, channel, interpreter)
    except ChannelClosed:
        code = ExitCode.ORPHANED
    except BaseException:
        traceback.print_exc()
        code = ExitCode.FAILED
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or ExitCode.FAILED
    # Not sys.exit: threads that a plugin left behind must not keep the process.
    os._exit(code)


def _settle(title: str) -> None:
    setproctitle(title)
    # A group of its own, so that whatever a plugin starts can be killed with it.
    if os.getsid(0) != os.getpid():
        os.setsid()
    preload.die_with_forkserver()
    # The supervisor decides about the end, also when a terminal or an init system signals everybody. A handler and not
    # SIG_IGN, which programs started by a plugin would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR2, all_threads=True)


def _carry_out(order: Order, channel: ChildChannel, interpreter: Interpreter) -> ExitCode:
    def move() -> None:
        interpreter.move(interpreter_for(order), channel, order)

    hide_by_name(*configs_of(order))
    match order:
        case UseInterpreter(python=python):
            interpreter.move(python, channel, None)
        case RunTask():
            _begin(f"task {order.connector}-{order.task}", order.log, connector=order.connector, task=order.task)
            control = Control(channel, order.generation, order.target_state)
            return _guarded(control, move, lambda: run_task(resolve_task(order, control), control))
        case RunConnector():
            _begin(f"connector {order.connector}", order.log, connector=order.connector)
            control = Control(channel, order.generation, order.target_state)
            return _guarded(control, move, lambda: run_connector(order, control))
        case _:
            assert isinstance(order, Inquiry), f"a new child was ordered to {order!r}"
            title, work = _inquiry(order, move)
            _answer(title, order.log, channel, work)
            if keeps_host():
                return _carry_out(channel.receive(), channel, interpreter)
    return ExitCode.STOPPED


def _inquiry(order: Inquiry, move: Callable[[], None]) -> tuple[str, Callable[[], Report]]:
    """What the process is called meanwhile, and what finds the answer."""
    match order:
        case Validate():
            return "validating", lambda: validate(order, move)
        case ListPlugins():
            return "listing plugins", lambda: list_plugins(resolve_worker_part(order))
        case DescribePlugin():
            return "describing a plugin", lambda: _after(move, lambda: describe_plugin(resolve_worker_part(order)))
        case DescribeCluster():
            return "asking Kafka", lambda: describe_cluster(resolve_worker_part(order))
        case MeasureLag():
            return "measuring lag", lambda: measure_lag(resolve_worker_part(order))
        case ListOffsets():
            return "reading offsets", lambda: list_offsets(resolve_config(order))
        case AlterOffsets():
            return "changing offsets", lambda: _after(move, lambda: alter_offsets(resolve_config(order)))
        case LeaveGroups():
            return "leaving groups", lambda: leave_groups(resolve_members(order))
        case FenceProducers():
            return "fencing producers", lambda: fence_producers(resolve_config(order))
        case ResolveWorkerConfig() | DigestReferences():
            return "resolving secrets", lambda: _resolved(order)
        case TryTransforms() | ReplayLetters():
            return _with_records(order, move)


def _with_records(order: TryTransforms | ReplayLetters, move: Callable[[], None]) -> tuple[str, Callable[[], Report]]:
    if isinstance(order, TryTransforms):
        return "trying transformations", lambda: _after(move, lambda: try_transforms(resolve_config(order)))
    return "replaying dead letters", lambda: _after(move, lambda: replay_letters(resolve_config(order)))


def _resolved(order: ResolveWorkerConfig | DigestReferences) -> Report:
    return resolve_worker(order) if isinstance(order, ResolveWorkerConfig) else digest_references(order)


def _after(move: Callable[[], None], work: Callable[[], Report]) -> Report:
    move()
    return work()


def _answer(title: str, log: LogSettings, channel: ChildChannel, work: Callable[[], Report]) -> None:
    _begin(title, log)
    answer = _answer_to(work)
    if keeps_host():
        channel.send(Stays())
    channel.send(answer)


def _answer_to(work: Callable[[], Report]) -> Report:
    try:
        return work()
    except Refusal as refusal:
        return Refused(reason=refusal.reason, error=str(refusal))
    except ConfigException as error:
        return Refused(reason=Reason.WRONG, error=str(error))
    except ConnectException as error:
        return Refused(reason=Reason.FAILED, error=str(error))


def _begin(title: str, log: LogSettings, **context: object) -> None:
    setproctitle(f"connectd: {title}")
    preload.restore_streams()
    configure_logging(to_pipe(preload.log_descriptor()), log.levels, **context)
    if log.worker:
        add_context(worker=log.worker)
    if not isinstance(sys.stderr, MaskedStream):
        sys.stdout, sys.stderr = MaskedStream(sys.stdout), MaskedStream(sys.stderr)


def _guarded(control: Control, move: Callable[[], None], work: Callable[[], None]) -> ExitCode:
    """Run the work; an error is reported."""
    try:
        move()  # first, so that no order is read that is for the process after it
        control.start_reading()
        work()
    except BaseException:
        # Whatever a plugin raises, SystemExit included.
        return control.report_failure()
    return ExitCode.STOPPED

"""Starts children through `multiprocess`' forkserver, without ever blocking the event loop.

`Process.start` of the library waits for the forkserver, polls all other children, keeps two more descriptors a child and has
every child run the program's main script again. Here only the request is written; the forkserver answers on a pipe with the
child's pid and, at its end, its exit status.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from multiprocess import forkserver, get_context, popen_forkserver, reduction, resource_tracker, util
from multiprocess.context import set_spawning_popen

from tasks.preload import MODULES_VARIABLE, SAFE_PATH_VARIABLE, SUPERVISOR_PID_VARIABLE

Entry = Callable[[socket.socket, int], None]


def ensure_running(preload: Sequence[str]) -> None:
    """Start the forkserver unless it runs. It imports the `preload` modules; do not wait for that.

    To be called from the main thread: the kernel kills the forkserver when the thread that started it ends. The lifeline is
    the supervisor's pid, which `tasks.preload` checks.
    """
    _disable_resource_tracker()
    forkserver.set_forkserver_preload(["tasks.preload"])
    variables = {
        SUPERVISOR_PID_VARIABLE: str(os.getpid()),
        MODULES_VARIABLE: " ".join(preload),
        # A file tasks.py in the working directory must not be taken for ours.
        SAFE_PATH_VARIABLE: "1",
    }
    with _environment(variables):
        forkserver.ensure_running()


def request_child(entry: Entry, channel: socket.socket, preload: Sequence[str]) -> ChildRequest:
    """Ask the forkserver for a child that runs `entry(channel, supervisor's pid)`. `channel` may be closed afterwards.

    Raises OSError when the forkserver died at this very moment; trying again starts a new one.
    """
    ensure_running(preload)
    process = get_context("forkserver").Process(target=entry, args=(channel, os.getpid()), name="child")
    return ChildRequest(process)


def stop() -> None:
    """Kill the forkserver, and with it every child that is left."""
    server = forkserver._forkserver
    if server._forkserver_pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)
        server._stop()


class ChildRequest(popen_forkserver.Popen):  # type: ignore[misc]
    """The answer pipe of one child, `sentinel`: two signed 64-bit numbers come from it, the pid and the exit code.

    End of file instead of a number means that the forkserver is dead. `close` closes the pipe.
    """

    sentinel: int

    def _launch(self, process: Any) -> None:
        body = io.BytesIO()
        set_spawning_popen(self)
        try:
            # Without the path of the main script: children do not run it.
            reduction.dump({"name": process.name, "sys_path": sys.path}, body)
            reduction.dump(process, body)
        finally:
            set_spawning_popen(None)
        self.sentinel, orders = forkserver.connect_to_new_process(self._fds)
        self.finalizer = util.Finalize(self, util.close_fds, (self.sentinel,))
        with open(orders, "wb") as file:  # well below what the pipe holds, so this does not block
            file.write(body.getbuffer())


def _disable_resource_tracker() -> None:
    """Spare the helper process that would clean up named semaphores and shared memory: we use neither."""
    tracker = resource_tracker._resource_tracker
    if tracker._fd is None:
        tracker._fd = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

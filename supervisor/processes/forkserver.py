"""Starts children through `multiprocess`' forkserver, without ever blocking the event loop.

`Process.start` of the library waits for the forkserver, polls all other children, keeps two more descriptors a child and has
every child run the program's main script again. Here only the request is written (`tasks.birth` reads it); the forkserver
answers on a pipe with the child's pid and, at its end, its exit status.
"""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from multiprocess import forkserver, resource_tracker, util
from multiprocess.process import current_process

from tasks.birth import encode_request
from tasks.preload import (
    ENTRY_VARIABLE,
    OPEN_FILES_VARIABLE,
    PATH_VARIABLE,
    SAFE_PATH_VARIABLE,
    SUPERVISOR_PID_VARIABLE,
    kill_descendants,
)

# Where children begin: `module:function`, called with the channel and the supervisor's pid. By name, so that the supervisor
# need not import what only tasks need.
ENTRY: Final = "tasks.entry:main"

# The kernel takes socket paths of 107 bytes; the forkserver's is that of a temporary folder and some 45 bytes more.
_LONGEST_FOLDER: Final = 60
_FOLDER_PREFIX: Final = "connectd-"
_SHORT_FOLDERS: Final = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  # a private folder is made in it


def ensure_running(entry: str = ENTRY) -> None:
    """Start the forkserver unless it runs, as a program of its own. It imports the module of `entry`; this does not wait for it.

    To be called from the main thread: the kernel kills the forkserver when the thread that started it ends.
    """
    forkserver.set_forkserver_preload(["tasks.preload"])
    variables = {
        SUPERVISOR_PID_VARIABLE: str(os.getpid()),
        ENTRY_VARIABLE: entry,
        OPEN_FILES_VARIABLE: str(get_ready()),
        # A file tasks.py in the working directory must not be taken for ours.
        SAFE_PATH_VARIABLE: "1",
        PATH_VARIABLE: os.pathsep.join(sys.path),
    }
    with _environment(variables):
        forkserver.ensure_running()


def get_ready() -> int:
    """What comes before any start of a forkserver; returns how many files a child may open."""
    _disable_resource_tracker()
    _make_socket_folder()
    return _raise_open_files_limit()


def _make_socket_folder() -> None:
    """Give `multiprocess` a folder for the forkserver's socket: with a short name, whatever TMPDIR is, and with our pid in it.

    A supervisor that is killed leaves its folder behind, so the next one removes those of the dead.
    """
    if current_process()._config.get("tempdir") is not None:
        return
    folders = Path(tempfile.gettempdir()), *map(Path, _SHORT_FOLDERS)
    parent = next(each for each in folders if len(os.fsencode(each)) <= _LONGEST_FOLDER and os.access(each, os.W_OK))
    for left in parent.glob(f"{_FOLDER_PREFIX}*"):
        pid = left.name.removeprefix(_FOLDER_PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            shutil.rmtree(left, ignore_errors=True)  # another user's stays
    folder = tempfile.mkdtemp(prefix=f"{_FOLDER_PREFIX}{os.getpid()}-", dir=parent)
    util.Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=-100)
    current_process()._config["tempdir"] = folder


class ChildRequest:
    """Asks the forkserver for a child, which takes `channel` as its end of the channel and `output` as its standard output and
    error; both may be closed here afterwards.

    The answer is read from the pipe `sentinel`: two signed 64-bit numbers, the pid and the exit code. End of file instead of a
    number means that the forkserver is dead.
    """

    def __init__(self, entry: str, channel: socket.socket, output: int) -> None:
        """Raises OSError when the forkserver died at this very moment; trying again starts a new one."""
        ensure_running(entry)
        self.sentinel: int
        self.sentinel, request = forkserver.connect_to_new_process([channel.fileno(), output])
        with open(request, "wb") as file:  # far below what the pipe holds, so this does not block
            file.write(encode_request(entry, os.getpid()))

    def close(self) -> None:
        """Close the pipe. To be called once."""
        os.close(self.sentinel)


def stop() -> None:
    """Kill every child that is left, what plugins have started, and the forkserver."""
    server = forkserver._forkserver
    if server._forkserver_pid is not None:
        kill_descendants(server._forkserver_pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)
        server._stop()


@functools.cache
def _raise_open_files_limit() -> int:
    """Allow this process, and with it the forkserver, as many open files as it may have; returns the limit before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


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

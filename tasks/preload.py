"""What the forkserver does before it forks the first child: it ties itself to the supervisor, and imports for all children.

The first forkserver of a worker is forked off the supervisor, which has called `prepare`; then it calls `become_forkserver`. To
another one, a program of its own, the supervisor names this module, which `multiprocess` imports there, and says in the
environment who it is. Anywhere else the import does nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import os
import resource
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from typing import NamedTuple

SUPERVISOR_PID_VARIABLE = "CONNECTD_SUPERVISOR_PID"
ENTRY_VARIABLE = "CONNECTD_ENTRY"
OPEN_FILES_VARIABLE = "CONNECTD_OPEN_FILES"
SAFE_PATH_VARIABLE = "PYTHONSAFEPATH"
PATH_VARIABLE = "CONNECTD_PATH"

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_prctl = ctypes.CDLL(None).prctl
_forkserver_pid: int | None = None
_log = 2
_stdout: int | None = None
_open_files: int | None = None
_stdin: int | None = None


def die_with_forkserver() -> None:
    """Have the kernel kill this child when the forkserver ends, which in turn ends with the supervisor."""
    if _forkserver_pid is not None:
        _at_parents_end(_forkserver_pid, signal.SIGKILL)


def _adopt_orphans() -> None:
    """What a plugin has started becomes our child when its parent ends, so that it can be found, see prctl(2)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _at_parents_end(parent_pid: int, number: signal.Signals) -> None:
    """Have the kernel send a signal whatever ends the parent; exits at once if that has happened already."""
    _prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def log_descriptor() -> int:
    """Where this process logs: the pipe to the supervisor, also when a plugin closes the standard streams."""
    return _log


def take_output(output: int) -> None:
    """Make this the standard output and error: what is written there is the supervisor's to log."""
    global _log, _stdout
    _stdout = os.dup(1)
    _log = output
    for standard in (1, 2):
        os.dup2(output, standard)


def restore_open_files_limit() -> None:
    """Supervisor and forkserver need a descriptor or two a child; a plugin gets the limit that the operator set."""
    if _open_files is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_open_files, hard))


class Inheritance(NamedTuple):
    """What a child has from the forkserver: its pid, and descriptors: where it logs, the supervisor's output and input."""

    forkserver: int | None
    log: int
    stdout: int | None
    stdin: int | None


def inheritance() -> Inheritance:
    """That of this process, for another program that it becomes."""
    return Inheritance(_forkserver_pid, _log, _stdout, _stdin)


def inherit(given: Inheritance) -> None:
    """Be the child that this process was before."""
    global _forkserver_pid, _log, _stdout, _stdin
    _forkserver_pid, _log, _stdout, _stdin = given


def restore_streams() -> None:
    """Give this child the supervisor's standard input, which `multiprocess` has replaced by nothing, and in `sys.__stdout__`
    its standard output: `sys.stdout` is the log."""
    if _stdin is not None:
        os.dup2(_stdin, 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (open for as long as the process lives)
    if _stdout is not None:
        sys.__stdout__ = open(_stdout, "w", encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115


def become_forkserver(supervisor_pid: int, open_files: int) -> None:
    """Become the forkserver of this supervisor, whose children may open so many files."""
    global _forkserver_pid, _open_files, _stdin
    # A session of its own: Ctrl+C and signals to the supervisor's group are for the supervisor, which then stops us in order.
    os.setsid()
    _forkserver_pid = os.getpid()
    _open_files = open_files
    # Handlers that do nothing, and not SIG_IGN, which programs started by a plugin would inherit.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: _end_if_orphaned(supervisor_pid))
    _at_parents_end(supervisor_pid, signal.SIGTERM)
    # Without the supervisor `multiprocess` ends this process, too, and whichever comes first has to clear up.
    atexit.register(_kill_children)
    _adopt_orphans()
    _stdin = _duplicate_of_stdin()
    _name("connectd: forkserver")


def prepare(entry: str) -> None:
    """Import what all children need, which begin at `entry`, and make what most of them do."""
    importlib.import_module("tasks.birth").deliver()
    # Of the orphans that the forkserver adopts.
    warnings.filterwarnings("ignore", "forkserver: waitpid returned unexpected pid")
    importlib.import_module("tasks.logs")  # first: it imports structlog in the cheap way
    importlib.import_module(entry.partition(":")[0])
    importlib.import_module("tasks.prepared").prepare()
    importlib.import_module("plugins.discovery.candidates").remember_environment()
    # What is imported now lives as long as the process: keep the collector from touching, and so copying, the shared pages.
    gc.collect()
    gc.freeze()


def _end_if_orphaned(supervisor_pid: int) -> None:
    """SIGTERM from the kernel: the supervisor is gone."""
    if os.getpid() == _forkserver_pid and os.getppid() != supervisor_pid:
        _kill_children()
        os._exit(1)


def _kill_children() -> None:
    if os.getpid() == _forkserver_pid:  # else it is a child that was forked with this handler in it
        kill_descendants(_forkserver_pid)


def kill_descendants(forkserver_pid: int) -> None:
    """Kill all children, and with them what their plugins have started, in whatever session of its own it may be."""
    parents = dict(_processes())
    descendants = {forkserver_pid}
    while more := {pid for pid, parent in parents.items() if parent in descendants} - descendants:
        descendants |= more
    for pid in descendants - {forkserver_pid}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _processes() -> Iterator[tuple[int, int]]:
    """Pid and parent of every process, see proc(5)."""
    for folder in os.scandir("/proc"):
        if folder.name.isdecimal():
            with contextlib.suppress(OSError), open(f"/proc/{folder.name}/stat", "rb") as file:
                yield int(folder.name), int(file.read().rpartition(b")")[2].split()[1])


def _duplicate_of_stdin() -> int | None:
    try:
        return os.dup(0)
    except OSError:  # started without one
        return None


def _name(title: str) -> None:
    from setproctitle import setproctitle

    setproctitle(title)


def _begin(supervisor_pid: int, entry: str, open_files: int) -> None:
    become_forkserver(supervisor_pid, open_files)
    try:
        prepare(entry)
    except BaseException:
        # `multiprocess` would swallow an ImportError, and every child would then fail one by one.
        traceback.print_exc()
        os._exit(1)
    importlib.import_module("tasks.dense").fill_gaps()


if _supervisor := os.environ.pop(SUPERVISOR_PID_VARIABLE, None):
    os.environ.pop(SAFE_PATH_VARIABLE, None)
    sys.path[:] = os.environ.pop(PATH_VARIABLE).split(os.pathsep)
    _begin(int(_supervisor), os.environ.pop(ENTRY_VARIABLE), int(os.environ.pop(OPEN_FILES_VARIABLE)))

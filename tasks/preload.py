"""What the forkserver imports before it forks the first child: it ties itself to the supervisor, then imports for all children.

The supervisor names this module to `multiprocess` and says in the environment who it is. Anywhere else the import does nothing.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import resource
import signal
import socket
import sys
import traceback

SUPERVISOR_PID_VARIABLE = "CONNECTD_SUPERVISOR_PID"
ENTRY_VARIABLE = "CONNECTD_ENTRY"
OPEN_FILES_VARIABLE = "CONNECTD_OPEN_FILES"
SAFE_PATH_VARIABLE = "PYTHONSAFEPATH"

_PR_SET_PDEATHSIG = 1
_forkserver_pid: int | None = None
_open_files: int | None = None
_stdin: int | None = None


def die_with_forkserver() -> None:
    """Have the kernel kill this child when the forkserver ends, which in turn dies with the supervisor."""
    if _forkserver_pid is not None:
        _die_with_parent(_forkserver_pid)


def _die_with_parent(parent_pid: int) -> None:
    """Whatever ends the parent; exits at once if that has happened already."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def run_child(entry: str, channel: socket.socket, supervisor_pid: int) -> None:
    """The target of every child: calls `entry`, `module:function`, which the supervisor knows by name only."""
    _restore_open_files_limit()
    module, _, name = entry.partition(":")
    getattr(importlib.import_module(module), name)(channel, supervisor_pid)


def _restore_open_files_limit() -> None:
    """Supervisor and forkserver need a descriptor or two a child; a plugin gets the limit that the operator set."""
    if _open_files is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_open_files, hard))


def restore_stdin() -> None:
    """Give this child the supervisor's standard input, which `multiprocess` has replaced by nothing."""
    if _stdin is not None:
        os.dup2(_stdin, 0)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (open for as long as the process lives)


def _become_forkserver(supervisor_pid: int, entry: str) -> None:
    global _forkserver_pid, _open_files, _stdin
    # A session of its own: Ctrl+C and signals to the supervisor's group are for the supervisor, which then stops us in order.
    os.setsid()
    _die_with_parent(supervisor_pid)
    _forkserver_pid = os.getpid()
    _open_files = int(os.environ.pop(OPEN_FILES_VARIABLE))
    # Handlers that do nothing, and not SIG_IGN, which programs started by a plugin would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    _stdin = _duplicate_of_stdin()
    _name("connectd: forkserver")
    try:
        importlib.import_module("tasks.logs")  # first: it imports structlog in the cheap way
        importlib.import_module(entry.partition(":")[0])
    except BaseException:
        # `multiprocess` would swallow an ImportError, and every child would then fail one by one.
        traceback.print_exc()
        os._exit(1)
    # What is imported now lives as long as the process: keep the collector from touching, and so copying, the shared pages.
    gc.collect()
    gc.freeze()


def _duplicate_of_stdin() -> int | None:
    try:
        return os.dup(0)
    except OSError:  # started without one
        return None


def _name(title: str) -> None:
    from setproctitle import setproctitle

    setproctitle(title)


if _supervisor := os.environ.pop(SUPERVISOR_PID_VARIABLE, None):
    os.environ.pop(SAFE_PATH_VARIABLE, None)
    _become_forkserver(int(_supervisor), os.environ.pop(ENTRY_VARIABLE))

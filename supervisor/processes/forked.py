"""The first forkserver: forked off the supervisor itself, so that what both have imported is in memory once.

Only a process that has just begun can be forked like that. A forkserver that is started later, because the first one died, is a
program of its own (`supervisor.processes.forkserver.ensure_running`).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Final, NoReturn

from multiprocess import connection, forkserver, resource_tracker, util

from supervisor.processes.forkserver import ENTRY, get_ready
from tasks.dense import fill_gaps
from tasks.preload import become_forkserver, prepare

_aside: Final[list[ModuleType]] = []


def fork(entry: str = ENTRY) -> None:
    """To be called before this process has threads, an event loop, clients of Kafka, or anything else that is not for two."""
    open_files = get_ready()
    # All that both do is done here, also what only the forkserver needs: each page that one of them writes to is copied.
    prepare(entry)
    fill_gaps()
    library = [name for name in sys.modules if name.partition(".")[0] == "multiprocess"]
    util._flush_std_streams()  # else what waits in them is written twice
    supervisor_pid = os.getpid()
    with socket.socket(socket.AF_UNIX) as listener:
        address = connection.arbitrary_address("AF_UNIX")
        listener.bind(address)
        os.chmod(address, 0o600)  # noqa: PTH101
        listener.listen()
        alive_r, alive_w = os.pipe()
        pid = os.fork()
        if pid == 0:
            _serve(listener.detach(), alive_r, library, lambda: become_forkserver(supervisor_pid, open_files))
        os.close(alive_r)
    server = forkserver._forkserver
    server._forkserver_address, server._forkserver_alive_fd, server._forkserver_pid = address, alive_w, pid


def _serve(listener: int, alive_r: int, library: Sequence[str], become: Callable[[], None]) -> NoReturn:
    """The life of the forkserver: as that of a program of its own, nothing that the supervisor has begun goes on in it."""
    try:
        _close_all_but(listener, alive_r)
        resource_tracker._resource_tracker._fd = None
        # What plugins start with `multiprocessing` would run the program of the supervisor once more.
        sys.argv, sys.modules["__main__"] = ["-c"], ModuleType("__main__")
        become()
        _set_library_aside(library)
        forkserver.main(listener, alive_r, [])
    except (SystemExit, KeyboardInterrupt):
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        os._exit(0)


def _set_library_aside(library: Sequence[str]) -> None:
    """Plugins that use `multiprocess` import one of their own: the supervisor's goes without dill (`supervisor.processes`)."""
    _aside.extend(map(sys.modules.pop, library))


def _close_all_but(*kept: int) -> None:
    """Close what this process has open, but for the standard streams."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        if descriptor > 2 and descriptor not in kept:
            with contextlib.suppress(OSError):  # that of the folder itself
                os.close(descriptor)

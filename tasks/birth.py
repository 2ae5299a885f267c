"""What the forkserver does with a request for a child, and the child between its fork and its entry.

`multiprocess` would unpickle a process object there and build a good deal around it: two megabytes of every child that it would
otherwise share with the forkserver, and as much time as the fork itself.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module

from multiprocess import forkserver

from tasks.preload import restore_open_files_limit, take_output


def encode_request(entry: str, supervisor_pid: int) -> bytes:
    """What is written for a child: it calls `entry`, `module:function`, with the channel and the supervisor's pid."""
    return f"{entry} {supervisor_pid}".encode()


def deliver() -> None:
    """To be called in the forkserver, before its first child."""
    forkserver._serve_one = _begin


def _begin(request: int, given: Sequence[int], unused: Sequence[int], handlers: Mapping[int, signal.Handlers]) -> int:
    """In the place of `multiprocess.forkserver._serve_one`: the last two of the descriptors `given` are the child's end of the
    channel and what becomes its standard output and error."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, handlers[signal.SIGCHLD])
    entry, supervisor_pid = os.read(request, 4096).decode().split()
    *others, channel, output = given
    for descriptor in (request, *others, *unused):
        os.close(descriptor)
    threading.main_thread()._set_native_id()  # type: ignore[attr-defined]
    take_output(output)
    restore_open_files_limit()
    module, _, name = entry.partition(":")
    getattr(import_module(module), name)(socket.socket(fileno=channel), int(supervisor_pid))
    return 0

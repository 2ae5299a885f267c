"""The entry of a child that tells in one line of JSON what it has from its forkserver, and ends."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path


def main(sock: socket.socket, supervisor_pid: int) -> None:
    """Prints what must be the same whatever forkserver it is, and under `own` what must differ."""
    status = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines())
    facts = {
        "arguments": sys.argv,
        "main": sorted(vars(sys.modules["__main__"]).keys() & {"__file__", "__spec__", "marked"}),
        "path": [each for each in sys.path if each],
        "descriptors": sorted(_kind(each) for each in os.listdir("/proc/self/fd")),  # noqa: PTH208
        "environment": sorted(os.environ),
        "handlers": {int(number): str(signal.getsignal(number)).split(" at ")[0] for number in signal.valid_signals()},
        "blocked and ignored": [status["SigBlk"], status["SigIgn"]],
        "limit": resource.getrlimit(resource.RLIMIT_NOFILE),
        "session of the forkserver": os.getsid(0) == os.getppid(),
        "threads": threading.active_count(),
        "folder": str(Path.cwd()),
        "multiprocess pickles with": import_module("multiprocess.reduction").pickle.__name__,
        "third-party": sorted({each.partition(".")[0] for each in sys.modules} & {"aiohttp", "kafka"}),
    }
    os.write(1, json.dumps({"facts": facts, "own": [os.getppid(), random.random()]}).encode())
    os._exit(0)


def _kind(descriptor: str) -> str:
    """What it is open for: `pipe` or a path."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").partition(":")[0]  # noqa: PTH115
    except FileNotFoundError:  # that of the folder
        return "-"

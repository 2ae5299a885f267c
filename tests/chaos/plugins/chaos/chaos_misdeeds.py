"""What connectors and tasks can do wrong, by the words of a configuration.

`on.put=once after 100 exit 3`: at a call of `put`, but not before the hundredth one, once in all lives of the task, end the
process. Without `once` each process does it; `following put` is not before `put` has done wrong.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from connectd.errors import ConfigException

_BLOCK_BYTES = 8 << 20
_hoard: list[bytes] = []


class Misdeeds:
    """Those of one connector or task; `folder` is where it notes what must outlive it."""

    def __init__(self, props: Mapping[str, str], folder: Path) -> None:
        self._props = props
        self._folder = folder
        self._calls: Counter[str] = Counter()

    def maybe(self, call: str) -> None:
        """To be called at the beginning of each call."""
        words = self._props.get(f"on.{call}", "").split()
        if not words:
            return
        self._calls[call] += 1
        done = self._folder / f"{call}.done"
        if words[0] == "once":
            if done.exists():
                return
            del words[0]
        if words[0] == "after":
            if self._calls[call] <= int(words[1]):
                return
            del words[:2]
        if words[0] == "following":
            if not (self._folder / f"{words[1]}.done").exists():
                return
            del words[:2]
        done.touch()
        self._do(words)

    def _do(self, words: list[str]) -> None:  # noqa: C901 (a list of cases)
        match words:
            case ["raise", *text]:
                raise OSError(" ".join(text))
            case ["raise-config"]:
                raise ConfigException("colour", "red", "Expected green")
            case ["raise-base"]:
                raise KeyboardInterrupt
            case ["sys.exit", code]:
                sys.exit(int(code))
            case ["exit", code]:
                os._exit(int(code))
            case ["signal", name]:
                os.kill(os.getpid(), signal.Signals[name])
            case ["segfault"]:
                ctypes.string_at(0)
            case ["leak"]:
                _leak()
            case ["sleep"]:
                time.sleep(3600)
            case ["sleep", seconds]:
                time.sleep(float(seconds))
            case ["spin"]:
                _spin()
            case ["deaf"]:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(3600)
            case ["fork"]:
                self._fork()
            case ["family", *options]:
                self._note_pid(subprocess.Popen(["sleep", "3600"], start_new_session="away" in options).pid)
            case ["flood"]:
                _flood()
            case _:
                raise AssertionError(words)

    def _note_pid(self, pid: int) -> None:
        with (self._folder / "pids").open("a") as file:
            file.write(f"{pid}\n")

    def _fork(self) -> None:
        """A copy of this process that wants to live for ever."""
        if pid := os.fork():
            self._note_pid(pid)
            return
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        while True:
            time.sleep(3600)


def _leak() -> NoReturn:
    """As fast as a machine shared with others can bear; not for ever, should nobody step in."""
    for _ in range(100):
        _hoard.append(os.urandom(1) * _BLOCK_BYTES)
        time.sleep(0.02)
    time.sleep(3600)
    raise AssertionError("nobody stepped in")


def _spin() -> None:
    """Without ever giving other threads a turn, as native code does that holds the lock of the interpreter."""
    os.nice(19)  # other tests may have the processor
    re.match(r"(x+x+)+y", "x" * 60)


def _flood() -> None:
    line = "all work and no play makes Jack a dull boy " * 20 + "\n"
    for _ in range(25):
        sys.stdout.write(line * 100)
        sys.stderr.write(line * 100)

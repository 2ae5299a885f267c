"""One Java virtual machine, the child of this process: orders to it, events from it, and how it ended."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import structlog

from tasks.java.machine import OUT_OF_MEMORY_CODE
from tasks.logs import LEVELS, ROOT
from tasks.states import ExitCode

log = structlog.get_logger(__name__)

Event = dict[str, Any]

# What Kafka's own classes say, in dozens of lines at each start and end, is for those who ask for it; its connectors are to
# be heard as those of others.
_KAFKA: Final[Mapping[str, str]] = {
    "org.apache.kafka": "WARN",
    "org.apache.kafka.connect.file": "INFO",
    "org.apache.kafka.connect.mirror": "INFO",
}
_LEVEL: Final = "INFO"
_LINES_KEPT: Final = 5
# After its last event it has nothing more to do.
_END_TIMEOUT_S: Final = 10.0


class JavaProcess:
    """Runs `command`, with `title` as its last word. `events` are what it says, but for what it logs, which is logged here.

    It ends with this process, whose end closes its channel.
    """

    def __init__(self, command: Sequence[str], title: str) -> None:
        """Raises OSError if there is no such program."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [*command, title], stdin=theirs.fileno(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        self.pid = self._process.pid
        self._socket = ours
        self._sending = threading.Lock()
        # The last lines of its output, and the last error that it has logged: why it did not do what it was for.
        self.last_lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self.last_error = ""
        self._printer = threading.Thread(target=self._print, name="java output", daemon=True)
        self._printer.start()
        # Where its threads are, when it is asked where ours are; also when it was stopped.
        signal.signal(signal.SIGUSR2, lambda *_: self._signal(signal.SIGQUIT, signal.SIGCONT))

    def send(self, order: str, **content: object) -> None:
        """An order; if the other side is gone it is dropped, for its end is told anyway."""
        line = orjson.dumps({"order": order, **content}) + b"\n"
        with self._sending, contextlib.suppress(OSError):
            self._socket.sendall(line)

    def events(self) -> Iterator[Event]:
        """What it says, until its end."""
        with contextlib.suppress(OSError), self._socket.makefile("rb") as lines:
            for line in lines:
                event = orjson.loads(line)
                if event["event"] == "log":
                    self._log(event)
                else:
                    yield event

    def end(self) -> int:
        """Wait for its end, which is near, or make an end; as `subprocess` counts, so that a signal is a negative number."""
        try:
            code = self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            log.warning("the Java virtual machine did not end by itself")
            code = self.kill()
        self._printer.join(_END_TIMEOUT_S)
        return code

    def kill(self) -> int:
        """Make an end."""
        self._process.kill()
        return self._process.wait()

    def _log(self, event: Event) -> None:
        message, trace = event["message"], event["trace"]
        if event["level"] >= logging.ERROR:
            self.last_error = message if trace is None else trace.partition("\n")[0]
        text = message if trace is None else f"{message}\n{trace.rstrip()}"
        logging.getLogger(event["logger"]).log(event["level"], "%s", text)

    def _signal(self, *numbers: int) -> None:
        with contextlib.suppress(OSError):
            for number in numbers:
                self._process.send_signal(number)

    def _print(self) -> None:
        """Its output becomes ours, line by line: without secrets, and read by the supervisor."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            text = line.decode("utf-8", "replace")
            self.last_lines.append(text.strip())
            sys.stderr.write(text)


def end_as(code: int) -> ExitCode | int:
    """How this process is to end after its virtual machine did, unasked; of a signal it dies itself."""
    if code == OUT_OF_MEMORY_CODE:
        _say("java.lang.OutOfMemoryError: the heap is full. A larger one: -Xmx in java.options")
        return ExitCode.OUT_OF_MEMORY
    if code >= 0:
        _say(f"the Java virtual machine ended with exit code {code}")
        return code or ExitCode.FAILED
    _say(f"the Java virtual machine was killed by {signal.Signals(-code).name}")
    sys.stderr.flush()
    faulthandler.disable()
    with contextlib.suppress(OSError, ValueError):  # SIGKILL has no handler
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    return ExitCode.FAILED


def levels_at_start(set_for: Mapping[str, str]) -> dict[str, str]:
    """Levels as a host takes them, by name, as numbers: those that are `set_for` loggers, and its own."""
    return {ROOT: str(LEVELS[_LEVEL]), **_numbers(_KAFKA), **levels_to_change(set_for)}


def levels_to_change(changes: Mapping[str, str]) -> dict[str, str]:
    """The same for a host that runs: what is set for a logger holds for those below it, too."""
    below = {name: level for name in _KAFKA if (level := _level_from_above(name, changes)) is not None}
    return _numbers({**below, **changes})


def _level_from_above(name: str, levels: Mapping[str, str]) -> str | None:
    above = name
    while above:
        if above in levels:
            return levels[above]
        above = above.rpartition(".")[0]
    # The usual level for all is no wish for all that Kafka says.
    return _KAFKA[name] if levels.get(ROOT) == _LEVEL else levels.get(ROOT)


def _numbers(levels: Mapping[str, str]) -> dict[str, str]:
    return {name: str(LEVELS[level]) for name, level in levels.items()}


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")

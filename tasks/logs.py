"""Logs of the supervisor and of all children: every event becomes one line of JSON, with connector, task, pid and worker.

A child writes its lines into the pipe that its prints take too; the supervisor decides what becomes of all of them.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from functools import cache
from types import TracebackType
from typing import Any, Final

import orjson

# structlog imports rich where it is installed, which doubles the start-up time and the memory of every process.
_hidden = {name: sys.modules.pop(name) for name in ("rich",) if name in sys.modules}
sys.modules["rich"] = None  # type: ignore[assignment]
try:
    import structlog
finally:
    del sys.modules["rich"]
    sys.modules.update(_hidden)

from tasks.secrets.masking import mask_deep  # noqa: E402 (structlog comes first)

ROOT: Final = "root"
# What a line of a child's log begins with, among all that it prints: a control character that JSON never has in it (RFC 7464).
MARK: Final = b"\x1e"

# Log4j's names beside Python's, for both are in use in the REST API of Connect and in people's heads.
LEVELS: Final = {
    "TRACE": 5,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
    "CRITICAL": logging.CRITICAL,
    "OFF": logging.CRITICAL + 10,
    "ALL": 1,
}

_FIRST: Final = ("timestamp", "level", "logger", "message", "connector", "task", "pid", "worker")
_CONTEXT: Final = frozenset(_FIRST) - {"message"}

# Log4j's name of each level.
_NAMES: Final = {LEVELS[name]: name for name in ("ALL", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")}


def level_name(level: int) -> str:
    """Log4j's name of a level, or of the next one above it."""
    return next((name for number, name in _NAMES.items() if level <= number), "OFF")


def parse_levels(assignments: list[str]) -> dict[str, str]:
    """Levels as given on a command line: `DEBUG` for all, or `logger=DEBUG` for one logger and those below it.

    Raises ValueError for a level that does not exist.
    """
    levels = {}
    for assignment in assignments:
        name, _, level = assignment.rpartition("=")
        if level.upper() not in LEVELS:
            raise ValueError(f"{assignment}: expected one of {', '.join(LEVELS)}, or LOGGER=LEVEL")
        levels[name or ROOT] = level.upper()
    return levels


Write = Callable[[bytes], object]


def to_pipe(descriptor: int) -> Write:
    """Writes lines, marked as such, for a supervisor at the other end."""
    lock = threading.Lock()

    def write(line: bytes) -> None:
        rest = memoryview(MARK + line + b"\n")
        with lock:
            while rest:
                rest = rest[os.write(descriptor, rest) :]

    return write


# Fields of every line of this process.
_context: dict[str, object] = {}


def configure_logging(write: Write, levels: Mapping[str, str], **context: object) -> None:
    """Set up this process's logs: each event goes to `write` as a line of JSON. `context` (connector, task) is part of it.

    What the standard library's logging, warnings and uncaught exceptions say comes out in the same form. The message and
    values of an event are written as they are, but a Password shows itself as hidden, and what config providers gave as the
    reference to it.
    """
    _context.clear()
    add_context(**context, pid=os.getpid())
    handler = prepare_logging()
    handler.write = write
    set_levels({ROOT: "INFO", **levels})
    logging.getLogger().handlers[:] = [handler]
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


@cache
def prepare_logging() -> Lines:
    """What is the same in all processes: the forkserver does it for its children. Nothing is logged by this alone."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _with_context,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = Lines()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _mask_secrets,
                structlog.processors.EventRenamer("message"),
                _most_important_first,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    set_levels({ROOT: "INFO"})
    return handler


def add_context(**fields: object) -> None:
    """Make this part of every line of this process from now on."""
    _context.update(fields)


class Lines(logging.Handler):
    """Hands each event on as a line. It has no lock: `write` may be called by several threads at a time."""

    write: Write

    def createLock(self) -> None:  # noqa: N802 (the library's name)
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.write(self.format(record).encode())
        except Exception:
            self.handleError(record)


def _with_context(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in _context.items():
        event.setdefault(key, value)
    return event


def _mask_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What config providers gave is shown as the reference to it; the fields that logs are sorted by stay as they are."""
    return {key: value if key in _CONTEXT else mask_deep(value) for key, value in event.items()}


def _most_important_first(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**{key: event[key] for key in _FIRST if key in event}, **event}


def _to_json(event: Any, **_: Any) -> str:
    try:
        return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # numbers beyond 64 bits, half characters: a log takes whatever comes
        return json.dumps(event, default=str)


def set_levels(levels: Mapping[str, str]) -> None:
    """Set the levels of these loggers, by name; `root` is for all that have none of their own."""
    for name, level in levels.items():
        logger = logging.getLogger(None if name == ROOT else name)
        if logger.level != LEVELS[level]:  # each change has all loggers think anew
            logger.setLevel(LEVELS[level])


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("uncaught").critical("uncaught exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit or args.exc_value is None:
        return
    logging.getLogger("uncaught").critical(
        "uncaught exception in thread %s",
        args.thread.name if args.thread else "?",
        exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
    )

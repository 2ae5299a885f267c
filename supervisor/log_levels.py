"""Log levels that change while the worker runs, in this process and in those of its connectors and tasks.

As `org.apache.kafka.connect.runtime.Loggers` with log4j's names of levels.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol
from urllib.parse import quote, unquote

import msgspec

from tasks.logs import LEVELS, ROOT, level_name, set_levels
from tasks.messages import Order, SetLogLevels

DEFAULT_LEVEL: Final = "INFO"
_OF_CONNECTOR: Final = "connectd.connector/"


class LoggerLevel(msgspec.Struct, frozen=True):
    """The level of a logger, and when (ms since 1970) it was last changed while the worker runs."""

    level: str
    last_modified: int | None


class Processes(Protocol):
    """Where orders reach the processes of connectors and tasks."""

    def send_to_all(self, order: Order, connector: str | None = None) -> None:
        """To each that runs now, or to those of one connector."""


class LogLevels:
    """`levels` are those that new processes begin with, `of_connectors` those of single connectors, which come before them;
    both are kept up to date."""

    def __init__(
        self,
        levels: dict[str, str],
        processes: Processes,
        of_connectors: dict[str, dict[str, str]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._levels = levels
        self._of_connectors = {} if of_connectors is None else of_connectors
        self._processes = processes
        self._clock = clock
        self._modified: dict[str, int] = {}

    def all(self) -> Mapping[str, LoggerLevel]:
        """The levels of all loggers of this process that are not off, by name."""
        levels = {name: self._level(name) for name in sorted(_names())}
        return {name: level for name, level in levels.items() if level.level != "OFF"}

    def get(self, name: str) -> LoggerLevel | None:
        """The level of a logger, None if there is none of that name."""
        name = _canonical(name)
        return self._level(name) if name in _names() else None

    def all_of(self, connector: str) -> Mapping[str, LoggerLevel]:
        """Those that the processes of a connector have been given: loggers that only they have are below one of these."""
        levels = {ROOT: DEFAULT_LEVEL, **self._levels, **self._of_connectors.get(connector, {})}
        return {name: LoggerLevel(level, None) for name, level in sorted(levels.items())}

    def set_for(self, connector: str, name: str, level: str) -> list[str]:
        """Set the level of a logger and of those below it in the processes of one connector; what is set for all of them later
        changes nothing here. Returns the ones that it was set for."""
        name, level = _canonical(name), level.upper()
        own = self._of_connectors.setdefault(connector, {})
        changes = {each: level for each in (name, *self._levels, *own) if each == name or _is_below(each, name)}
        own.update(changes)
        self._processes.send_to_all(SetLogLevels(levels=changes), connector)
        return sorted(changes)

    def set_named(self, name: str, level: str) -> None:
        """Set what a worker of the cluster has told all others to set: see `name_in_cluster`."""
        connector, of_connector, logger = name.removeprefix(_OF_CONNECTOR).partition("/")
        if name.startswith(_OF_CONNECTOR) and of_connector:
            self.set_for(unquote(connector), logger, level)
        else:
            self.set(name, level)

    def set(self, name: str, level: str) -> list[str]:
        """Set the level of a logger and of those below it; returns the ones whose level has changed."""
        name, level = _canonical(name), level.upper()
        before = {each: _effective(each) for each in _names()}
        below = [each for each in self._levels if _is_below(each, name)]
        changes = dict.fromkeys([*below, *_explicit_below(name), name], level)
        self._levels.update(changes)
        set_levels(changes)
        self._processes.send_to_all(SetLogLevels(levels=changes))
        for connector, own in self._of_connectors.items():
            self._processes.send_to_all(SetLogLevels(levels=own), connector)
        changed = sorted(each for each in _names() if before.get(each) != _effective(each))
        now = int(self._clock() * 1000)
        self._modified.update(dict.fromkeys(changed, now))
        return changed

    def follow(self, before: Mapping[str, str], now: Mapping[str, str]) -> None:
        """Set what differs between two configurations; what was set otherwise meanwhile stays, unless it is below that.

        A logger that is not mentioned any more has the level of the one above it.
        """
        changed: list[str] = []
        for name in sorted(before.keys() | now.keys(), key=lambda name: (name != ROOT, name)):
            if before.get(name) != now.get(name) or any(_is_below(name, each) for each in changed):
                self.set(name, _configured(name, now))
                changed.append(name)

    def _level(self, name: str) -> LoggerLevel:
        return LoggerLevel(level_name(_effective(name)), self._modified.get(name))


def name_in_cluster(name: str, connector: str | None) -> str:
    """How workers tell each other of a logger, or of one of a single connector: Java's, too, take it for the name of a logger."""
    return name if connector is None else f"{_OF_CONNECTOR}{quote(connector, safe='')}/{name}"


def _canonical(name: str) -> str:
    return ROOT if name.lower() in ("", ROOT) else name


def _names() -> set[str]:
    loggers = logging.getLogger().manager.loggerDict.items()
    return {ROOT} | {name for name, logger in loggers if isinstance(logger, logging.Logger)}


def _effective(name: str) -> int:
    return logging.getLogger(None if name == ROOT else name).getEffectiveLevel()


def _explicit_below(name: str) -> Iterable[str]:
    return [each for each in _names() if _is_below(each, name) and logging.getLogger(each).level != logging.NOTSET]


def _is_below(name: str, ancestor: str) -> bool:
    return name != ROOT and (ancestor == ROOT or name.startswith(f"{ancestor}."))


def _configured(name: str, levels: Mapping[str, str]) -> str:
    while name not in levels and "." in name:
        name = name.rpartition(".")[0]
    return levels.get(name) or levels.get(ROOT, DEFAULT_LEVEL)


def is_level(text: str) -> bool:
    """Whether it is the name of a level, in upper or lower case."""
    return text.upper() in LEVELS

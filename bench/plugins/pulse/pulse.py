"""A source and a sink that say when they begin to work: each process sends its task and pid to a datagram socket, once."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence

from connectd import (
    ConfigDef,
    ConfigType,
    SinkConnector,
    SinkRecord,
    SinkTask,
    SourceConnector,
    SourceRecord,
    SourceTask,
)

CONFIG = (
    ConfigDef()
    .define("pulse.socket", ConfigType.STRING, doc="Path of the datagram socket that listens")
    .define("pulse.topic", ConfigType.STRING, "", doc="Topic that a source writes its pid to, five times a second")
)
RECORD_INTERVAL_S = 0.2
IDLE_S = 1.0


def say(props: Mapping[str, str]) -> None:
    """Tell the listener that this task has begun to work."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(f"{props['pulse.name']} {os.getpid()}".encode(), props["pulse.socket"])


def task_configs(props: Mapping[str, str], count: int) -> list[dict[str, str]]:
    """Each task knows its name."""
    return [{**props, "pulse.name": f"{props['name']}-{number}"} for number in range(count)]


class PulseSourceConnector(SourceConnector):
    """As many tasks as are allowed."""

    version = "1.0"

    def config(self) -> ConfigDef:
        return CONFIG

    def start(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)

    def task_class(self) -> type[SourceTask]:
        return PulseSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return task_configs(self._props, max_tasks)


class PulseSourceTask(SourceTask):
    """Says that it polls, at its first poll."""

    def start(self, props: Mapping[str, str]) -> None:
        self._props = props
        self._topic = props.get("pulse.topic", "")
        self._said = False

    def poll(self) -> list[SourceRecord] | None:
        if not self._said:
            say(self._props)
            self._said = True
        elif self.context.wait(RECORD_INTERVAL_S if self._topic else IDLE_S):
            return None
        if not self._topic:
            return None
        name = self._props["pulse.name"]
        return [SourceRecord({"task": name}, {"pid": os.getpid()}, self._topic, value=f"{name} {os.getpid()}")]


class PulseSinkConnector(SinkConnector):
    """As many tasks as are allowed."""

    version = "1.0"

    def config(self) -> ConfigDef:
        return CONFIG

    def start(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)

    def task_class(self) -> type[SinkTask]:
        return PulseSinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return task_configs(self._props, max_tasks)


class PulseSinkTask(SinkTask):
    """Says that it works when it is given its first records."""

    def start(self, props: Mapping[str, str]) -> None:
        self._props = props
        self._said = False

    def put(self, records: Sequence[SinkRecord]) -> None:
        if records and not self._said:
            say(self._props)
            self._said = True

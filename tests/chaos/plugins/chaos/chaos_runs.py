"""A source and a sink whose records and lines say which run of a task has written them: one may not write after another began."""

from __future__ import annotations

import os
import time
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
    .define("file", ConfigType.STRING, doc="Where the sink writes")
    .define("topic", ConfigType.STRING, "", doc="Where the source writes")
)
BATCH = 10
PAUSE_S = 0.2


def new_run() -> str:
    """Unlike that of any other task."""
    return f"{os.getpid()}-{time.time_ns()}"


class RunsSource(SourceConnector):
    """One task that counts."""

    def start(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)

    def task_class(self) -> type[SourceTask]:
        return RunsSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [self._props]

    def stop(self) -> None:
        """Nothing is open."""

    def config(self) -> ConfigDef:
        return CONFIG


class RunsSink(SinkConnector):
    """One task that notes what it has seen."""

    def start(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)

    def task_class(self) -> type[SinkTask]:
        return RunsSinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [self._props]

    def stop(self) -> None:
        """Nothing is open."""

    def config(self) -> ConfigDef:
        return CONFIG


class RunsSourceTask(SourceTask):
    """Values are `RUN NUMBER`; the offset is the number that comes next."""

    def start(self, props: Mapping[str, str]) -> None:
        self._run, self._topic = new_run(), props["topic"]
        self._partition = {"topic": self._topic}
        stored = self.context.offset_storage_reader.offset(self._partition)
        self._next = stored["next"] if stored else 0

    def poll(self) -> Sequence[SourceRecord]:
        self.context.wait(PAUSE_S)
        numbers = range(self._next, self._next + BATCH)
        self._next = numbers.stop
        return [
            SourceRecord(self._partition, {"next": number + 1}, self._topic, value=f"{self._run} {number}")
            for number in numbers
        ]

    def stop(self) -> None:
        """Nothing is open."""


class RunsSinkTask(SinkTask):
    """Lines are `RUN OFFSET`, written at once."""

    def start(self, props: Mapping[str, str]) -> None:
        self._run = new_run()
        self._file = open(props["file"], "a")  # noqa: SIM115 (until stop)

    def put(self, records: Sequence[SinkRecord]) -> None:
        self._file.write("".join(f"{self._run} {record.kafka_offset}\n" for record in records))
        self._file.flush()

    def stop(self) -> None:
        self._file.close()

"""A source of numbers and a sink that writes them down, which do wrong what their configuration says (see chaos_misdeeds)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from chaos_misdeeds import Misdeeds

from connectd import (
    ConfigDef,
    ConfigType,
    ConfigValue,
    Importance,
    OffsetAndMetadata,
    RecordMetadata,
    SinkConnector,
    SinkRecord,
    SinkTask,
    SourceConnector,
    SourceRecord,
    SourceTask,
    TopicPartition,
)

PARTITION = {"source": "numbers"}
BATCH = 10
PAUSE_S = 0.04


def definition() -> ConfigDef:
    return ConfigDef().define(
        "folder", ConfigType.STRING, importance=Importance.HIGH, doc="Where notes and results go."
    )


class Planning:
    """What both connectors do: plan tasks that know their folder, and do wrong what `on.connector.*` says."""

    def _begin(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)
        self._misdeeds = _misdeeds(props, "connector")
        self._misdeeds.maybe("connector.start")

    def _plan(self, max_tasks: int) -> list[dict[str, str]]:
        self._misdeeds.maybe("connector.task_configs")
        return [self._props | {"number": str(number)} for number in range(max_tasks)]

    def _end(self) -> None:
        self._misdeeds.maybe("connector.stop")


def _misdeeds(props: Mapping[str, str], who: str) -> Misdeeds:
    folder = Path(props["folder"]) / who
    folder.mkdir(exist_ok=True)
    return Misdeeds(props, folder)


def _validated(props: Mapping[str, str], values: list[ConfigValue]) -> list[ConfigValue]:
    _misdeeds(props, "connector").maybe("connector.validate")
    return values


class NumbersSource(SourceConnector, Planning):
    """Numbers from 0 on."""

    def start(self, props: Mapping[str, str]) -> None:
        self._begin(props)

    def task_class(self) -> type[SourceTask]:
        return NumbersSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return self._plan(max_tasks)

    def stop(self) -> None:
        self._end()

    def config(self) -> ConfigDef:
        return definition().define("topic", ConfigType.STRING, importance=Importance.HIGH, doc="Where the numbers go.")

    def validate(self, props: Mapping[str, str]) -> list[ConfigValue]:
        return _validated(props, super().validate(props))


class NumbersSink(SinkConnector, Planning):
    """Each number a line."""

    def start(self, props: Mapping[str, str]) -> None:
        self._begin(props)

    def task_class(self) -> type[SinkTask]:
        return NumbersSinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return self._plan(max_tasks)

    def stop(self) -> None:
        self._end()

    def config(self) -> ConfigDef:
        return definition()

    def validate(self, props: Mapping[str, str]) -> list[ConfigValue]:
        return _validated(props, super().validate(props))


class NumbersSourceTask(SourceTask):
    """The offset of a number is itself; each task has a source partition of its own."""

    def start(self, props: Mapping[str, str]) -> None:
        self._misdeeds = _misdeeds(props, f"task-{props['number']}")
        self._topic = props["topic"]
        self._partition = PARTITION | {"task": props["number"]}
        stored = self.context.offset_storage_reader.offset(self._partition)
        self._next = stored["n"] + 1 if stored else 0
        self._misdeeds.maybe("start")

    def poll(self) -> Sequence[SourceRecord]:
        self._misdeeds.maybe("poll")
        self.context.wait(PAUSE_S)
        numbers = range(self._next, self._next + BATCH)
        self._next = numbers.stop
        return [SourceRecord(self._partition, {"n": number}, self._topic, value=str(number)) for number in numbers]

    def commit(self) -> None:
        self._misdeeds.maybe("commit")

    def commit_record(self, record: SourceRecord, metadata: RecordMetadata | None) -> None:
        self._misdeeds.maybe("commit_record")

    def stop(self) -> None:
        self._misdeeds.maybe("stop")


class NumbersSinkTask(SinkTask):
    """Writes a line `partition offset value` a record, when it is flushed."""

    def start(self, props: Mapping[str, str]) -> None:
        self._misdeeds = _misdeeds(props, f"task-{props['number']}")
        self._path = Path(props["folder"]) / f"written-{props['number']}"
        self._lines: list[str] = []
        self._misdeeds.maybe("start")

    def open(self, partitions: Collection[TopicPartition]) -> None:
        self._misdeeds.maybe("open")

    def put(self, records: Sequence[SinkRecord]) -> None:
        if records:
            self._misdeeds.maybe("put")
        self._lines += [f"{record.partition} {record.kafka_offset} {record.value.strip()}\n" for record in records]

    def flush(self, current_offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        self._misdeeds.maybe("flush")
        with self._path.open("a") as file:
            file.write("".join(self._lines))
        self._lines.clear()

    def close(self, partitions: Iterable[TopicPartition]) -> None:
        self._misdeeds.maybe("close")

    def stop(self) -> None:
        self._misdeeds.maybe("stop")

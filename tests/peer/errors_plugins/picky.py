"""Connectors and a transformation that do with each record what it says in its field "do". ErrorsPlugins.java has the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectd.config import ConfigDef
from connectd.connectors import SinkConnector, SourceConnector
from connectd.errors import ConnectException, DataException, RetriableException
from connectd.records import SinkRecord, SourceRecord
from connectd.tasks import SinkTask, SourceTask
from connectd.transforms import Transformation


def order(value: Any) -> str:
    return str(value.get("do")) if isinstance(value, dict) else ""


class PickyTransform(Transformation[Any]):
    JAVA_NAME = "connectd.peer.ErrorsPlugins$PickyTransform"

    def __init__(self) -> None:
        self.left = 2

    def apply(self, record: Any) -> Any:
        match order(record.value):
            case "stuck":
                raise RetriableException("stuck as it was told to be")
            case "flaky":
                self.left -= 1
                if self.left >= 0:
                    raise RetriableException("not yet")
            case "break":
                raise DataException("broken as it was told to be")
            case "drop":
                return None
        return record


class PickySinkConnector(SinkConnector):
    JAVA_NAME = "connectd.peer.ErrorsPlugins$PickySinkConnector"
    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self.props = dict(props)

    def task_class(self) -> type[SinkTask]:
        return PickySinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [self.props]

    def config(self) -> ConfigDef:
        return ConfigDef()


class PickySinkTask(SinkTask):
    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self.out = Path(props["out"])

    def put(self, records: Sequence[SinkRecord]) -> None:
        lines = ""
        for record in records:
            if order(record.value) == "report":
                assert self.context.errant_record_reporter is not None
                error = ConnectException("reported as it was told to be")
                self.context.errant_record_reporter.report(record, error)
            elif order(record.value) == "fail":
                raise ConnectException("failed as it was told to")
            else:
                lines += f"{record.topic} {record.kafka_offset}\n"
        with self.out.open("a") as out:
            out.write(lines)


class PickySourceConnector(SourceConnector):
    JAVA_NAME = "connectd.peer.ErrorsPlugins$PickySourceConnector"
    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self.props = dict(props)

    def task_class(self) -> type[SourceTask]:
        return PickySourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [self.props]

    def config(self) -> ConfigDef:
        return ConfigDef()


class PickySourceTask(SourceTask):
    version = "1"
    done = False

    def start(self, props: Mapping[str, str]) -> None:
        self.topic = props["topic"]
        self.orders = props["orders"].split(",")

    def poll(self) -> list[SourceRecord] | None:
        if self.done:
            self.context.wait(0.1)
            return None
        self.done = True
        return [self.record(n, what) for n, what in enumerate(self.orders)]

    def record(self, n: int, what: str) -> SourceRecord:
        value = {"n": n, "do": what} | ({"text": "x" * 2_000_000} if what == "large" else {})
        key = "no number" if what == "key" else n
        return SourceRecord({"p": "only"}, {"n": n}, self.topic, 0, key=key, value=value)

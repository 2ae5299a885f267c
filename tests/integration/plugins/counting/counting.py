"""A source that counts, in as many tasks as it is told; it may define transactions of its own."""

from __future__ import annotations

from collections.abc import Mapping

from connectd import (
    ConnectorTransactionBoundaries,
    ExactlyOnceSupport,
    SourceConnector,
    SourceRecord,
    SourceTask,
)
from connectd.config import ConfigDef, Importance, Type


class CountingSource(SourceConnector):
    """Each task counts from 0 to `limit`, by tens, and says who it is."""

    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)

    def task_class(self) -> type[SourceTask]:
        return CountingTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [{**self._props, "task": str(number)} for number in range(max_tasks)]

    def config(self) -> ConfigDef:
        return (
            ConfigDef()
            .define("topic", Type.STRING, importance=Importance.HIGH, doc="Where to.")
            .define("limit", Type.INT, importance=Importance.HIGH, doc="How far.")
            .define("support", Type.STRING, "SUPPORTED", importance=Importance.LOW, doc="What it says of exactly-once.")
        )

    def exactly_once_support(self, props: Mapping[str, str]) -> ExactlyOnceSupport | None:
        return ExactlyOnceSupport[props.get("support", "SUPPORTED")]

    def can_define_transaction_boundaries(self, props: Mapping[str, str]) -> ConnectorTransactionBoundaries:
        return ConnectorTransactionBoundaries[props.get("support", "SUPPORTED")]


class CountingTask(SourceTask):
    """With transactions of its own, each ten is one, and those that begin with 20, 120 and so on come to nothing."""

    def start(self, props: Mapping[str, str]) -> None:
        self._topic, self._task, self._limit = props["topic"], props["task"], int(props["limit"])
        stored = self.context.offset_storage_reader.offset({"task": self._task})
        self._next = 0 if stored is None else int(stored["n"]) + 1

    def poll(self) -> list[SourceRecord] | None:
        if self._next >= self._limit:
            self.context.wait(0.1)
            return None
        self.context.wait(0.005)
        batch = [self._record(number) for number in range(self._next, min(self._next + 25, self._limit))]
        self._next += len(batch)
        return batch

    def _record(self, number: int) -> SourceRecord:
        value = f"{self._task} {number}"
        record = SourceRecord({"task": self._task}, {"n": number}, self._topic, value=value)
        transactions = self.context.transaction_context
        if transactions is not None and number % 10 == 9:
            if number % 100 == 29:
                transactions.abort_transaction(record)
            else:
                transactions.commit_transaction(record)
        return record

"""Connectors that do what their configuration says, for conversations with the REST API. RestPlugins.java has the same."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from connectd.config import ConfigDef, ConfigValue, Importance, NonEmptyString, Range, Type, ValidString, Width
from connectd.connectors import SinkConnector, SourceConnector
from connectd.errors import ConnectException
from connectd.records import SinkRecord, SourceRecord
from connectd.schema import Schema
from connectd.tasks import SinkTask, SourceTask

VERSION = "1.2.3"
LOW, MEDIUM, HIGH = Importance.LOW, Importance.MEDIUM, Importance.HIGH


class Depths:
    """Offers depths, and shows the key only where it matters."""

    def valid_values(self, name: str, parsed: Mapping[str, Any]) -> Sequence[Any]:
        return [1, 2, 3]

    def visible(self, name: str, parsed: Mapping[str, Any]) -> bool:
        return bool(parsed.get("mode") == "deep")


def definition() -> ConfigDef:
    modes = ValidString.in_("flat", "deep")
    return (
        ConfigDef()
        .define("topic", Type.STRING, "", importance=HIGH, doc="Where to.")
        .define("fail", Type.STRING, "", importance=LOW, doc="Where to fail.")
        .define("tasks", Type.INT, 1, Range.between(0, 100), LOW, "How many tasks.")
        .define("alter", Type.STRING, "handle", importance=LOW, doc="What to do about offsets.")
        .define(
            "mode",
            Type.STRING,
            "flat",
            modes,
            MEDIUM,
            "Flat or deep.",
            group="Shape",
            order=1,
            width=Width.SHORT,
            display_name="The mode",
            dependents=["depth"],
        )
        .define(
            "depth",
            Type.INT,
            2,
            None,
            MEDIUM,
            "How deep.",
            group="Shape",
            order=2,
            width=Width.LONG,
            display_name="The depth",
            recommender=Depths(),
        )
        .define(
            "secret",
            Type.PASSWORD,
            None,
            None,
            HIGH,
            "A secret.",
            group="Access",
            order=1,
            width=Width.MEDIUM,
            display_name="The secret",
        )
        .define("names", Type.LIST, "x,y", importance=LOW, doc="Names.")
        .define("ratio", Type.DOUBLE, 0.5, importance=LOW, doc="A ratio.")
        .define("size", Type.LONG, 10_000_000_000, importance=LOW, doc="A size.")
        .define("small", Type.SHORT, 3, importance=LOW, doc="A small number.")
        .define("on", Type.BOOLEAN, True, importance=LOW, doc="A switch.")
        .define("host", Type.STRING, "here", NonEmptyString(), LOW, "A host.")
        .define("needed", Type.STRING, importance=HIGH, doc="A key without a default.")
    )


def maybe_fail(props: Mapping[str, str], where: str) -> None:
    if props.get("fail") == where:
        raise ConnectException(f"{where} failed as it was told to")
    if props.get("fail") == f"hang in {where}":
        time.sleep(3600)


def task_configs(props: Mapping[str, str], max_tasks: int) -> list[dict[str, str]]:
    maybe_fail(props, "taskConfigs")
    return [{**props, "number": str(number)} for number in range(int(props.get("tasks", max_tasks)))]


def validated(props: Mapping[str, str], values: list[ConfigValue]) -> list[ConfigValue]:
    maybe_fail(props, "validate")
    for value in values:
        if value.name == "host" and value.value == "nowhere":
            value.add_error_message("cannot reach nowhere")
    return values


def altered(props: Mapping[str, str]) -> bool:
    match props.get("alter", "handle"):
        case "refuse":
            raise ConnectException("these offsets are not acceptable")
        case "unsupported":
            raise NotImplementedError("offsets cannot be altered")
        case "ignore":
            return False
        case "hang":
            time.sleep(3600)
    return True


class TroubleSourceConnector(SourceConnector):
    JAVA_NAME: ClassVar[str] = "connectd.peer.RestPlugins$TroubleSourceConnector"
    version = VERSION

    def start(self, props: Mapping[str, str]) -> None:
        self.props = props
        maybe_fail(props, "start")

    def task_class(self) -> type[SourceTask]:
        return TroubleSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return task_configs(self.props, max_tasks)

    def config(self) -> ConfigDef:
        return definition()

    def validate(self, props: Mapping[str, str]) -> list[ConfigValue]:
        return validated(props, super().validate(props))

    def alter_offsets(self, props: Mapping[str, str], offsets: Any) -> bool:
        return altered(props)


class TroubleSinkConnector(SinkConnector):
    JAVA_NAME: ClassVar[str] = "connectd.peer.RestPlugins$TroubleSinkConnector"
    version = VERSION

    def start(self, props: Mapping[str, str]) -> None:
        self.props = props
        maybe_fail(props, "start")

    def task_class(self) -> type[SinkTask]:
        return TroubleSinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return task_configs(self.props, max_tasks)

    def config(self) -> ConfigDef:
        return definition()

    def validate(self, props: Mapping[str, str]) -> list[ConfigValue]:
        return validated(props, super().validate(props))

    def alter_offsets(self, props: Mapping[str, str], offsets: Any) -> bool:
        return altered(props)


class TroubleSourceTask(SourceTask):
    """Gives one record and then none."""

    JAVA_NAME: ClassVar[str] = "connectd.peer.RestPlugins$TroubleSourceTask"
    version = VERSION

    def start(self, props: Mapping[str, str]) -> None:
        self.props = props
        maybe_fail(props, "task")
        if props.get("fail") == "one task" and props["number"] == "1":
            raise ConnectException("task 1 failed as it was told to")
        self.done = self.context.offset_storage_reader.offset({"number": props["number"]}) is not None

    def poll(self) -> list[SourceRecord] | None:
        maybe_fail(self.props, "poll")
        if self.done or not self.props.get("topic"):
            self.context.wait(0.05)
            return None
        self.done = True
        return [
            SourceRecord(
                topic=self.props["topic"],
                value_schema=Schema.STRING_SCHEMA,
                value="a record",
                source_partition={"number": self.props["number"]},
                source_offset={"count": 1},
            )
        ]

    def stop(self) -> None:
        pass


class TroubleSinkTask(SinkTask):
    """Takes everything."""

    JAVA_NAME: ClassVar[str] = "connectd.peer.RestPlugins$TroubleSinkTask"
    version = VERSION

    def start(self, props: Mapping[str, str]) -> None:
        self.props = props
        maybe_fail(props, "task")

    def put(self, records: Collection[SinkRecord]) -> None:
        if records:
            maybe_fail(self.props, "put")

    def stop(self) -> None:
        pass

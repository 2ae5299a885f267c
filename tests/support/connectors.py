"""Connectors made for tests of the worker. What they are to do stands in their configuration, what they did in `calls`."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from connectd.config import ConfigDef
from connectd.connectors import SinkConnector, SourceConnector
from connectd.tasks import SinkTask, SourceTask
from tests.support.sinks import RecordingSink
from tests.support.sources import NumberSource


class PlanningConnector(SourceConnector):
    """Plans as many tasks as `tasks` says."""

    version = "1.2"
    last: ClassVar[Any]

    def __init__(self) -> None:
        self.calls: list[str] = []
        type(self).last = self

    def start(self, props: Mapping[str, str]) -> None:
        self.calls.append("start")
        self.count = int(props.get("tasks", "2"))
        if "fail" in props:
            raise OSError(props["fail"])

    def task_class(self) -> type[SourceTask]:
        return NumberSource

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        self.calls.append(f"task_configs {max_tasks}")
        return [{"id": str(number)} for number in range(self.count)]

    def config(self) -> ConfigDef:
        return ConfigDef()

    def stop(self) -> None:
        self.calls.append("stop")


class WatchingConnector(PlanningConnector):
    """Has a thread of its own, which does with the context what the test puts into `wishes`."""

    def start(self, props: Mapping[str, str]) -> None:
        super().start(props)
        self.wish: Any = None
        self.wished = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        while self.wished.wait(30):
            self.wished.clear()
            if self.wish is None:
                return
            self.wish(self)

    def ask(self, wish: Any) -> None:
        """Let the thread do it; None ends the thread."""
        self.wish = wish
        self.wished.set()

    def stop(self) -> None:
        super().stop()
        self.ask(None)
        self.thread.join(30)


class StayingConnector(PlanningConnector):
    """Wants its process to be kept although it has no thread."""

    keeps_running = True


class LeavingConnector(WatchingConnector):
    """Its thread is no reason to keep its process."""

    keeps_running = False


class EarlyErrorConnector(PlanningConnector):
    """Reports an error while it starts."""

    def start(self, props: Mapping[str, str]) -> None:
        super().start(props)
        self.context.raise_error(ValueError("no such database"))


class UntidyConnector(PlanningConnector):
    """Plans what is no text, and cannot be stopped."""

    def task_configs(self, max_tasks: int) -> list[Any]:
        return [{"id": 1}]

    def stop(self) -> None:
        raise OSError("cannot stop")


class PlainSinkConnector(SinkConnector):
    """A sink with one task."""

    def start(self, props: Mapping[str, str]) -> None:
        """Nothing to start."""

    def task_class(self) -> type[SinkTask]:
        return RecordingSink

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [{"topics": "overwritten", "own": "1"}]

    def config(self) -> ConfigDef:
        return ConfigDef()

"""Levels of single connectors: they reach its processes alone, and outlive what is set for all."""

from __future__ import annotations

from supervisor.log_levels import LogLevels, name_in_cluster
from tasks.messages import Order, SetLogLevels


class Processes:
    """What they were told, and whom it was for."""

    def __init__(self) -> None:
        self.told: list[tuple[str | None, dict[str, str]]] = []

    def send_to_all(self, order: Order, connector: str | None = None) -> None:
        assert isinstance(order, SetLogLevels)
        self.told.append((connector, order.levels))


def test_they_reach_its_processes_and_those_that_come_after_them() -> None:
    processes, of_connectors = Processes(), dict[str, dict[str, str]]()
    levels = LogLevels({"tasks.sink": "WARN"}, processes, of_connectors)
    assert levels.set_for("c", "tasks", "debug") == ["tasks", "tasks.sink"]
    assert processes.told == [("c", {"tasks": "DEBUG", "tasks.sink": "DEBUG"})]
    assert of_connectors == {"c": {"tasks": "DEBUG", "tasks.sink": "DEBUG"}}
    shown = {name: each.level for name, each in levels.all_of("c").items()}
    assert shown == {"root": "INFO", "tasks": "DEBUG", "tasks.sink": "DEBUG"}
    assert {name: each.level for name, each in levels.all_of("d").items()} == {"root": "INFO", "tasks.sink": "WARN"}


def test_what_is_set_for_all_later_leaves_them_alone() -> None:
    processes = Processes()
    levels = LogLevels({}, processes)
    levels.set_for("c", "some.logger", "DEBUG")
    processes.told.clear()
    levels.set("some.logger", "ERROR")
    assert processes.told == [(None, {"some.logger": "ERROR"}), ("c", {"some.logger": "DEBUG"})]


def test_workers_tell_each_other_of_them_whatever_the_connector_is_called() -> None:
    processes = Processes()
    levels = LogLevels({}, processes)
    for connector in ("plain", "a/b c", "connectd.connector/x"):
        levels.set_named(name_in_cluster("tasks.sink", connector), "DEBUG")
        assert processes.told[-1] == (connector, {"tasks.sink": "DEBUG"})
    levels.set_named(name_in_cluster("one.for.all", None), "ERROR")
    assert (None, {"one.for.all": "ERROR"}) in processes.told

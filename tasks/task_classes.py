"""Finds the class of a task by the name in its configuration, beside the connector that named it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectd.tasks import Task
from plugins.discovery import find_class
from plugins.discovery.kinds import full_name


def find_task_class(name: str, connector_class: type, plugin_path: Sequence[str]) -> type[Any]:
    """The class whose Java name, `module.Class` or `module:Class` it is. Tasks are no plugins, so that only what their connector
    has brought is looked through for Java names. Raises PluginNotFound."""
    known = [each for each in _subclasses(Task) if full_name(each) == name]
    if known:
        # Whoever derives a plugin from another one may have left its tasks the name.
        return max(known, key=lambda each: _common_parts(each.__module__, connector_class.__module__))
    return find_class(name, plugin_path=plugin_path)


def _subclasses(base: type[Any]) -> Iterator[type[Any]]:
    each: type[Any]
    for each in base.__subclasses__():
        yield each
        yield from _subclasses(each)


def _common_parts(one: str, other: str) -> int:
    parts = zip(one.split("."), other.split("."), strict=False)
    return next((number for number, (left, right) in enumerate(parts) if left != right), len(one))

"""Puts the record pipeline of a task together from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from connectd.components import Configurable
from connectd.converters import Converter, HeaderConverter
from connectd.errors import ConfigException
from connectd.transforms import Predicate, Transformation
from plugins.discovery import find_class
from tasks.chain import Step
from tasks.pipeline import Pipeline
from tasks.settings import ConnectorConfig, TransformationSettings, WorkerConfig

C = TypeVar("C", bound=Configurable)


def build_pipeline(connector: ConnectorConfig, worker: WorkerConfig) -> Pipeline:
    """Converters of the connector, or else of the worker, and its transformations. Raises ConfigException, PluginNotFound."""
    path = worker.plugin_path
    key = connector.converter("key.converter", worker)
    value = connector.converter("value.converter", worker)
    header = connector.converter("header.converter", worker)
    return Pipeline(
        key_converter=_converter("key.converter", key.type, key.configs, path, is_key=True),
        value_converter=_converter("value.converter", value.type, value.configs, path, is_key=False),
        header_converter=_configured(
            _instance("header.converter", header.type, HeaderConverter, path),  # type: ignore[type-abstract]
            {**header.configs, "converter.type": "header"},
        ),
        steps=tuple(_step(settings, path) for settings in connector.transformations),
    )


def _converter(key: str, name: str, configs: Mapping[str, Any], path: list[str], *, is_key: bool) -> Converter:
    converter = _instance(key, name, Converter, path)  # type: ignore[type-abstract]
    converter.configure({**configs, "converter.type": "key" if is_key else "value"}, is_key)
    return converter


def _step(settings: TransformationSettings, path: list[str]) -> Step:
    key = f"transforms.{settings.alias}.type"
    transformation = _configured(_instance(key, settings.type, Transformation, path), settings.configs)  # type: ignore[type-abstract]
    if settings.predicate is None:
        return Step(transformation)
    key = f"predicates.{settings.predicate.alias}.type"
    predicate = _configured(_instance(key, settings.predicate.type, Predicate, path), settings.predicate.configs)  # type: ignore[type-abstract]
    return Step(transformation, predicate, settings.negate)


def _configured(plugin: C, configs: Mapping[str, Any]) -> C:
    plugin.configure(configs)
    return plugin


def _instance(key: str, name: str, kind: type[C], path: list[str]) -> C:
    found = find_class(name, plugin_path=path)
    if not issubclass(found, kind):
        raise ConfigException(key, name, f"Expected the name of a {kind.__name__}")
    return found()

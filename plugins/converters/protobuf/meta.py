"""Parameters of Connect in the options of a field, where Confluent's converters leave them (`confluent.field_meta`)."""

from __future__ import annotations

from typing import Any

from confluent_kafka.schema_registry.confluent import meta_pb2


def parameters_of(options: Any) -> dict[str, str]:
    """The parameters in the options of a field."""
    return dict(_meta(options).params)


def add_parameter(options: Any, key: str, value: str) -> None:
    """Add one to the options of a field."""
    _meta(options).params[key] = value


def _meta(options: Any) -> Any:
    return options.Extensions[vars(meta_pb2)["field_meta"]]

"""JsonSchemaConverter: JSON with a Schema Registry (Confluent's `io.confluent.connect.json.JsonSchemaConverter`)."""

from plugins.converters.json_schema.converter import JsonSchemaConverter

__all__ = ["JsonSchemaConverter"]

"""JsonConverter: JSON with or without an envelope that carries the schema, byte for byte as Java's writes it."""

from plugins.converters.json.converter import JsonConverter

__all__ = ["JsonConverter"]

"""AvroConverter: Avro with a Schema Registry (Confluent's `io.confluent.connect.avro.AvroConverter`)."""

from plugins.converters.avro.converter import AvroConverter

__all__ = ["AvroConverter"]

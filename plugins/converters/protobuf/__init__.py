"""ProtobufConverter: Protobuf with a Schema Registry (Confluent's `io.confluent.connect.protobuf.ProtobufConverter`)."""

from plugins.converters.protobuf.converter import ProtobufConverter

__all__ = ["ProtobufConverter"]

"""What writes and reads data of one Avro schema: compiled where that is possible, otherwise fastavro."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader, schemaless_writer

from connectd.errors import DataException
from connectd.schema import Schema
from plugins.converters.avro import codec
from plugins.converters.avro.decoding import ReadAll, new_read_all
from plugins.converters.avro.model import AvroSchema
from plugins.converters.avro.reading import new_converter
from plugins.converters.avro.settings import AvroSettings

Read = Callable[[bytes], Any]


def new_write(avro: AvroSchema, convert: Callable[[Any], Any] | None) -> Callable[[Any], bytes]:
    """What writes values, converted first if need be. Raises DataException for a schema that fastavro refuses."""
    parsed = codec.for_writing(avro)

    def write(value: Any) -> bytes:
        data = BytesIO()
        schemaless_writer(data, parsed, value if convert is None else convert(value))
        return data.getvalue()

    return write


def new_read(
    schema: Schema | None, writer: AvroSchema, reader: AvroSchema | None, settings: AvroSettings, fails_on_rest: bool
) -> tuple[Read, ReadAll | None]:
    """What reads data that was written as `writer`, as data of `reader` if there is one, whose Connect schema is `schema`.

    The second reads many messages at once; None if there is no such way.
    """
    read = fastavro_read(schema, writer, reader, settings, fails_on_rest)
    if reader is not None or schema is None:
        return read, None
    read_all = new_read_all(schema, writer, settings, fails_on_rest)
    return (read, None) if read_all is None else (_first_trying(read_all, read), read_all)


def _first_trying(read_all: ReadAll, read: Read) -> Read:
    def read_quickly(data: bytes) -> Any:
        try:
            return read_all((data,), 0)[0]
        except Exception:  # Whatever it was, fastavro decides whether it is an error.
            return read(data)

    return read_quickly


def fastavro_read(
    schema: Schema | None, writer: AvroSchema, reader: AvroSchema | None, settings: AvroSettings, fails_on_rest: bool
) -> Read:
    """The way that reads data of any schema. Raises DataException for a schema that fastavro refuses."""
    convert = new_converter(schema, reader or writer, settings, in_order=reader is None)
    parsed, target = codec.for_reading(writer), None if reader is None else codec.for_writing(reader)

    def read(data: bytes) -> Any:
        stream = BytesIO(data)
        value = schemaless_reader(stream, parsed, target, return_named_type=True)
        if fails_on_rest and stream.tell() != len(data):
            raise DataException(f"There are {len(data) - stream.tell()} bytes behind the data of the message")
        return value if convert is None or value is None else convert(value)

    return read

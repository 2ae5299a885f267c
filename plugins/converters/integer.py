"""IntegerConverter: an INT32 in four bytes (`org.apache.kafka.connect.converters.IntegerConverter`)."""

from __future__ import annotations

import struct

from connectd.schema import Schema
from plugins.converters.number import NumberConverter


class IntegerConverter(NumberConverter):
    """INT32 values."""

    JAVA_NAME = "org.apache.kafka.connect.converters.IntegerConverter"
    TYPE_NAME = "integer"
    SCHEMA = Schema.OPTIONAL_INT32_SCHEMA
    FORM = struct.Struct(">i")

"""FloatConverter: a FLOAT32 in four bytes (`org.apache.kafka.connect.converters.FloatConverter`)."""

from __future__ import annotations

import struct

from connectd.schema import Schema
from plugins.converters.number import NumberConverter


class FloatConverter(NumberConverter):
    """FLOAT32 values; a Python float is rounded to 32 bits."""

    JAVA_NAME = "org.apache.kafka.connect.converters.FloatConverter"
    TYPE_NAME = "float"
    SCHEMA = Schema.OPTIONAL_FLOAT32_SCHEMA
    FORM = struct.Struct(">f")

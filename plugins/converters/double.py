"""DoubleConverter: a FLOAT64 in eight bytes (`org.apache.kafka.connect.converters.DoubleConverter`)."""

from __future__ import annotations

import struct

from connectd.schema import Schema
from plugins.converters.number import NumberConverter


class DoubleConverter(NumberConverter):
    """FLOAT64 values."""

    JAVA_NAME = "org.apache.kafka.connect.converters.DoubleConverter"
    TYPE_NAME = "double"
    SCHEMA = Schema.OPTIONAL_FLOAT64_SCHEMA
    FORM = struct.Struct(">d")

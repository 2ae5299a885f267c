"""LongConverter: an INT64 in eight bytes (`org.apache.kafka.connect.converters.LongConverter`)."""

from __future__ import annotations

import struct

from connectd.schema import Schema
from plugins.converters.number import NumberConverter


class LongConverter(NumberConverter):
    """INT64 values."""

    JAVA_NAME = "org.apache.kafka.connect.converters.LongConverter"
    TYPE_NAME = "long"
    SCHEMA = Schema.OPTIONAL_INT64_SCHEMA
    FORM = struct.Struct(">q")

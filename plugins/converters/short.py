"""ShortConverter: an INT16 in two bytes (`org.apache.kafka.connect.converters.ShortConverter`)."""

from __future__ import annotations

import struct

from connectd.schema import Schema
from plugins.converters.number import NumberConverter


class ShortConverter(NumberConverter):
    """INT16 values."""

    JAVA_NAME = "org.apache.kafka.connect.converters.ShortConverter"
    TYPE_NAME = "short"
    SCHEMA = Schema.OPTIONAL_INT16_SCHEMA
    FORM = struct.Struct(">h")

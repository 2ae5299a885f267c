"""Names that Confluent's `ProtobufData` gives to what Protobuf has no word for, and the types it maps to."""

from __future__ import annotations

from typing import Final

from connectd.logical import Date, Decimal, Time, Timestamp

NAMESPACE: Final = "io.confluent.connect.protobuf"
ENUM: Final = f"{NAMESPACE}.Enum"
UNION: Final = f"{NAMESPACE}.Union"
UNION_PREFIX: Final = f"{UNION}."
TAG: Final = f"{NAMESPACE}.Tag"
TYPE: Final = f"{NAMESPACE}.Type"
WRAPPER: Final = f"{NAMESPACE}.Wrapper"
GENERAL_UNION: Final = "org.apache.kafka.connect.data.Union"
GENERAL_ENUM: Final = "org.apache.kafka.connect.data.Enum"
DEFAULT_NAME: Final = "ConnectDefault"
ENTRY: Final = "Entry"
KEY: Final = "key"
VALUE: Final = "value"

CONNECT_TYPE: Final = "connect.type"
CONNECT_PRECISION: Final = "connect.decimal.precision"
SCALE: Final = "scale"
PRECISION: Final = "precision"

DECIMAL: Final = "confluent.type.Decimal"
DATE: Final = "google.type.Date"
TIME: Final = "google.type.TimeOfDay"
TIMESTAMP: Final = "google.protobuf.Timestamp"

# Where the messages are that Connect's logical types become.
LOGICAL: Final = {
    Decimal.LOGICAL_NAME: (DECIMAL, "confluent/type/decimal.proto"),
    Date.LOGICAL_NAME: (DATE, "google/type/date.proto"),
    Time.LOGICAL_NAME: (TIME, "google/type/timeofday.proto"),
    Timestamp.LOGICAL_NAME: (TIMESTAMP, "google/protobuf/timestamp.proto"),
}
META_FILE: Final = "confluent/meta.proto"
WRAPPERS_FILE: Final = "google/protobuf/wrappers.proto"
# The scalar within each wrapper.
WRAPPERS: Final = {
    "google.protobuf.DoubleValue": "double",
    "google.protobuf.FloatValue": "float",
    "google.protobuf.Int64Value": "int64",
    "google.protobuf.UInt64Value": "uint64",
    "google.protobuf.Int32Value": "int32",
    "google.protobuf.UInt32Value": "uint32",
    "google.protobuf.BoolValue": "bool",
    "google.protobuf.StringValue": "string",
    "google.protobuf.BytesValue": "bytes",
}
WRAPPER_OF: Final = {scalar: wrapper for wrapper, scalar in WRAPPERS.items()}

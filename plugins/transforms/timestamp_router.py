"""TimestampRouter: topics with the time in their name (`org.apache.kafka.connect.transforms.TimestampRouter`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.columns import RecordColumns
from connectd.config import ConfigDef, Importance, Type
from connectd.errors import ConfigException, DataException
from plugins.java_date_format import SimpleDateFormat
from plugins.transforms.base import BuiltinTransformation, R

TOPIC_FORMAT_CONFIG: Final = "topic.format"
TIMESTAMP_FORMAT_CONFIG: Final = "timestamp.format"


class TimestampRouter(BuiltinTransformation[R]):
    """Puts the timestamp of the record into the name of its topic."""

    JAVA_NAME = "org.apache.kafka.connect.transforms.TimestampRouter"
    CONFIG = (
        ConfigDef()
        .define(
            TOPIC_FORMAT_CONFIG,
            Type.STRING,
            "${topic}-${timestamp}",
            importance=Importance.HIGH,
            doc="The new name of the topic. `${topic}` stands for its name before, `${timestamp}` for the timestamp.",
        )
        .define(
            TIMESTAMP_FORMAT_CONFIG,
            Type.STRING,
            "yyyyMMdd",
            importance=Importance.HIGH,
            doc="How the timestamp is written, in UTC: a pattern of Java's SimpleDateFormat.",
        )
    )

    def apply_config(self, values: Mapping[str, Any]) -> None:
        self._topic_format: str = values[TOPIC_FORMAT_CONFIG]
        try:
            self._timestamp_format = SimpleDateFormat(values[TIMESTAMP_FORMAT_CONFIG])
        except ValueError as error:
            raise ConfigException(TIMESTAMP_FORMAT_CONFIG, values[TIMESTAMP_FORMAT_CONFIG], str(error)) from error

    def apply(self, record: R) -> R:
        if record.timestamp is None:
            raise DataException(f"Timestamp missing on record of topic {record.topic}")
        timestamp = self._timestamp_format.format(record.timestamp)
        topic = self._topic_format.replace("${topic}", record.topic).replace("${timestamp}", timestamp)
        return record.new_record(topic=topic)

    def apply_columns(self, columns: RecordColumns) -> None:
        write, form = self._timestamp_format.format, self._topic_format
        columns.set_column(
            "topic",
            [
                form.replace("${topic}", topic).replace("${timestamp}", write(timestamp))
                for topic, timestamp in zip(columns.column("topic"), columns.column("timestamp"), strict=True)
            ],
        )

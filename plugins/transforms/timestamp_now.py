"""TimestampNow: the time of now on records (`com.github.jcustenborder.kafka.connect.transform.common.TimestampNow`)."""

from __future__ import annotations

import time

from plugins.transforms.base import BuiltinTransformation, R


class TimestampNow(BuiltinTransformation[R]):
    """Makes the time at which a record passes its timestamp."""

    JAVA_NAME = "com.github.jcustenborder.kafka.connect.transform.common.TimestampNow"

    def apply(self, record: R) -> R:
        return record.new_record(timestamp=time.time_ns() // 1_000_000)

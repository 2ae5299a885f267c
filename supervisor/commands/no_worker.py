"""The worker of commands that need none: what a worker file would say if there were one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NO_WORKER: Final[Mapping[str, str]] = {
    "bootstrap.servers": "localhost:9092",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
}

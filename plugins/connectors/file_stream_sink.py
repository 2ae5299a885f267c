"""FileStreamSink: the records of topics into a text file, or to the standard output, one line each.

Configuration and semantics are those of `org.apache.kafka.connect.file`. Different on purpose:

- A line that a killed task or a full disk left unfinished is cut off before its record is written again. Java continues it.
- Bytes are written as they are. Java prints the address of the array in memory.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import connectd
from connectd.config import ConfigDef, Importance, Type
from connectd.connectors import SinkConnector
from connectd.errors import ConnectException
from connectd.records import SinkBatch, TopicPartition
from connectd.tasks import SinkTask
from plugins.java_text import to_text

logger = logging.getLogger(__name__)

FILE_CONFIG: Final = "file"

CONFIG: Final = ConfigDef().define(
    FILE_CONFIG,
    Type.STRING,
    None,
    importance=Importance.HIGH,
    doc="Destination filename. If not specified, the standard output will be used",
)


class FileStreamSinkTask(SinkTask):
    """Appends each batch with one write.

    Nothing is buffered, so that there is nothing to flush: what `put_batch` has written is in the hands of the operating
    system and outlives the process, however that ends. As in Java it is not forced to the disk, and what was written in the
    last seconds before a power failure may be lost.
    """

    JAVA_NAME = "org.apache.kafka.connect.file.FileStreamSinkTask"
    version = connectd.__version__

    _filename: str | None = None
    _file: int = -1

    def start(self, props: Mapping[str, str]) -> None:
        self._filename = CONFIG.parse(props)[FILE_CONFIG] or None
        if self._filename is None:
            self._name = "standard output"
            # That of the worker: what a task prints to `sys.stdout` is its log.
            assert sys.__stdout__ is not None
            self._file = sys.__stdout__.fileno()
            return
        self._name = f"file {self._filename!r}"
        try:
            self._file = os.open(self._filename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except (OSError, ValueError) as error:
            raise ConnectException(
                f"Cannot find or create {self._name}, configuration '{FILE_CONFIG}': {error}"
            ) from error
        if self._is_regular_file():
            self._cut_unfinished_line(self._filename)

    def put_batch(self, batch: SinkBatch) -> None:
        if not len(batch):
            return
        values = batch.values
        try:
            # "replace" puts ? for a lone surrogate, as Java does.
            data = "\n".join([*values, ""]).encode("utf-8", "replace")
        except TypeError:
            data = b"".join(map(_line, values, batch.value_schemas))
        self._write(data)

    def stop(self) -> None:
        if self._filename is not None and self._file >= 0:
            os.close(self._file)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            self._take_back(len(data) - len(rest))
            raise ConnectException(f"Cannot write to {self._name}: {error.strerror}") from error

    def _take_back(self, written: int) -> None:
        """Remove the part of a batch that was written, because the whole batch will be written again."""
        if not written or not self._is_regular_file():
            return
        end = os.lseek(self._file, 0, os.SEEK_CUR)
        # Unless another task has appended to the file since.
        if os.fstat(self._file).st_size == end:
            os.ftruncate(self._file, end - written)

    def _cut_unfinished_line(self, filename: str) -> None:
        """Remove what follows the last line end: a task was killed while it wrote, and the record will be delivered again.

        Every task holds a shared lock while it writes a file. One that gets it exclusively is the only one, and what looks
        unfinished is not being written at this moment.
        """
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._cut_after(_end_of_last_line(filename))
        except OSError as error:  # another task writes it, it is not readable, or its file system has no locks
            logger.debug("%s is not searched for an unfinished line: %s", self._name, error)
        with suppress(OSError):
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def _cut_after(self, end: int) -> None:
        size = os.fstat(self._file).st_size
        if end < size:
            logger.warning("%s ends with an unfinished line: cutting off its %d bytes", self._name, size - end)
            os.ftruncate(self._file, end)

    def _is_regular_file(self) -> bool:
        return stat.S_ISREG(os.fstat(self._file).st_mode)


class FileStreamSinkConnector(SinkConnector):
    """Plans as many tasks as are allowed; all append to the same file."""

    JAVA_NAME = "org.apache.kafka.connect.file.FileStreamSinkConnector"
    version = connectd.__version__

    def start(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)
        filename = CONFIG.parse(props)[FILE_CONFIG]
        logger.info("Starting file sink connector writing to %s", filename or "standard output")

    def task_class(self) -> type[FileStreamSinkTask]:
        return FileStreamSinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [dict(self._props) for _ in range(max_tasks)]

    def config(self) -> ConfigDef:
        return CONFIG

    def alter_offsets(self, props: Mapping[str, str], offsets: Mapping[TopicPartition, int | None]) -> bool:
        """Nothing to check: the offsets are Kafka's alone."""
        return True


def _line(value: Any, schema: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value) + b"\n"
    return f"{to_text(value, schema)}\n".encode("utf-8", "replace")


def _end_of_last_line(filename: str) -> int:
    """The position behind the last line end of a file, 0 for one without any."""
    with open(filename, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.rfind(b"\n") + 1

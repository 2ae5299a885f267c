"""FileStreamSource: the lines of a text file, or of the standard input, into a topic, following the file as it grows.

Configuration, offsets and semantics are those of `org.apache.kafka.connect.file`. Different on purpose:

- `position` counts bytes. Java counts characters but skips bytes, so that it repeats lines after text beyond ASCII.
- Java may keep the last lines of a file in its buffer until the file grows again; here they are sent at once.
- A file that is shorter than the position (truncated) or replaced by another one (rotated) is read from its beginning,
  with a warning, as `tail -F` does. Java waits until the file has grown beyond the old position.
- The end of the file is looked at ten times a second instead of once; rarer when nothing has come for a second, and once a
  second as in Java when nothing has come for ten: a line waits at most a tenth of the time in which there was none.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, Final

import connectd
from connectd.config import ConfigDef, Importance, NonEmptyString, Type
from connectd.connectors import ExactlyOnceSupport, SourceConnector
from connectd.errors import ConnectException
from connectd.records import SourceBatch
from connectd.schema import Schema
from connectd.tasks import SourceTask
from plugins.connectors.lines import LineBlock, LineSplitter

logger = logging.getLogger(__name__)

FILE_CONFIG: Final = "file"
TOPIC_CONFIG: Final = "topic"
BATCH_SIZE_CONFIG: Final = "batch.size"
FILENAME_FIELD: Final = "filename"
POSITION_FIELD: Final = "position"

CONFIG: Final = (
    ConfigDef()
    .define(
        FILE_CONFIG,
        Type.STRING,
        None,
        importance=Importance.HIGH,
        doc="Source filename. If not specified, the standard input will be used",
    )
    .define(
        TOPIC_CONFIG,
        Type.STRING,
        validator=NonEmptyString(),
        importance=Importance.HIGH,
        doc="The topic to publish data to",
    )
    .define(
        BATCH_SIZE_CONFIG,
        Type.INT,
        2000,
        importance=Importance.LOW,
        doc="The maximum number of records the source task can read from the file each time it is polled",
    )
)

CHUNK_BYTES: Final = 1 << 19
MISSING_FILE_WAIT_S: Final = 1.0
# At the end of the file: as long as lines come, and at most. In between it is this part of the time since the last lines.
END_OF_FILE_WAIT_S: Final = 0.1
IDLE_WAIT_S: Final = 1.0
IDLE_PART: Final = 0.1


class FileStreamSourceTask(SourceTask):
    """Reads the file in large chunks and hands out their lines in batches of at most `batch.size`."""

    JAVA_NAME = "org.apache.kafka.connect.file.FileStreamSourceTask"
    version = connectd.__version__

    def start(self, props: Mapping[str, str]) -> None:
        config = CONFIG.parse(props)
        self._filename: str | None = config[FILE_CONFIG] or None
        self._topic: str = config[TOPIC_CONFIG]
        # Java, too, reads one line at a time for anything below.
        self._batch_size: int = max(1, config[BATCH_SIZE_CONFIG])
        self._stream: FileIO | None = None
        self._missing_is_known = False
        self._last_lines = time.monotonic()
        self._start_lines_at(0)

    def poll(self) -> SourceBatch | None:
        if self._next_line == len(self._block.lines) and not self._read_block():
            return None
        first = self._next_line
        lines = self._block.lines[first : first + self._batch_size]
        self._next_line += len(lines)
        return SourceBatch(
            topic=self._topic,
            values=lines,
            value_schema=Schema.STRING_SCHEMA,
            source_partition={FILENAME_FIELD: self._filename},
            source_offset=partial(self._source_offset, self._block, first),
        )

    def stop(self) -> None:
        if self._filename is not None and self._stream is not None:
            self._stream.close()

    def lag(self) -> dict[str, float]:
        """The bytes of the file that are yet to be read."""
        stream = self._stream
        if stream is None or self._filename is None or not stream.seekable():
            return {}
        return {"bytes": max(0, os.fstat(stream.fileno()).st_size - stream.tell())}

    def _source_offset(self, block: LineBlock, first: int, index: int) -> dict[str, Any]:
        return {POSITION_FIELD: None if self._filename is None else block.position_after(first + index)}

    def _read_block(self) -> bool:
        """Read on until there are new lines; False if there are none now, after a short wait."""
        stream = self._stream or self._open()
        if stream is None:
            return False
        while chunk := self._read_chunk(stream):
            if block := self._splitter.feed(chunk):
                self._block = block
                self._next_line = 0
                self._last_lines = time.monotonic()
                return True
        return False

    def _read_chunk(self, stream: FileIO) -> bytes | None:
        try:
            if self._filename is None:
                return self._read_stdin(stream)
            chunk = stream.read(CHUNK_BYTES)
            if not chunk and not self._begin_again_if_truncated_or_replaced(stream, self._filename):
                self.context.wait(self._idle_wait_s)
            return chunk
        except OSError as error:
            raise ConnectException(f"Cannot read {self._name}: {error.strerror}") from error

    def _read_stdin(self, stream: FileIO) -> bytes | None:
        # A terminal or pipe would block for ever, and a stop or pause would not be seen.
        if not select.select([stream], [], [], END_OF_FILE_WAIT_S)[0]:
            return None
        chunk = stream.read(CHUNK_BYTES)
        if not chunk:
            self.context.wait(self._idle_wait_s)
        return chunk

    @property
    def _idle_wait_s(self) -> float:
        idle_s = time.monotonic() - self._last_lines
        return min(IDLE_WAIT_S, max(END_OF_FILE_WAIT_S, IDLE_PART * idle_s))

    # --- opening ------------------------------------------------------------------------------------------------------

    def _open(self) -> FileIO | None:
        if self._filename is None:
            self._stream = FileIO(sys.stdin.fileno(), closefd=False)
            return self._stream
        try:
            self._stream = _open_without_blocking(self._filename)
        except FileNotFoundError:
            if not self._missing_is_known:
                logger.warning("%s does not exist, waiting for it to be created", self._name)
                self._missing_is_known = True
            self.context.wait(MISSING_FILE_WAIT_S)
            return None
        except (OSError, ValueError) as error:
            raise ConnectException(f"Cannot open {self._name}, configuration '{FILE_CONFIG}': {error}") from error
        self._seek(self._stream, self._stored_position())
        return self._stream

    def _stored_position(self) -> int:
        offset = self.context.offset_storage_reader.offset({FILENAME_FIELD: self._filename})
        position = (offset or {}).get(POSITION_FIELD)
        if position is None:
            return 0
        if not _is_position(position):
            raise ConnectException(
                f"Invalid stored offset {POSITION_FIELD}={position!r} of {self._name}: expected a number of bytes >= 0"
            )
        return int(position)

    def _seek(self, stream: FileIO, position: int) -> None:
        if not stream.seekable():  # a named pipe: what was read from it is gone
            return
        size = os.fstat(stream.fileno()).st_size
        if size < position:
            self._warn_of_new_beginning(f"has {size} bytes, fewer than the {position} already read")
            position = 0
        stream.seek(position)
        self._start_lines_at(position)

    def _start_lines_at(self, position: int) -> None:
        self._splitter = LineSplitter(position)
        self._block = LineBlock(position, [])
        self._next_line = 0

    def _begin_again_if_truncated_or_replaced(self, stream: FileIO, filename: str) -> bool:
        """At the end of the file: True if there is another beginning to read from."""
        if not stream.seekable():
            return False
        try:
            named = Path(filename).stat()
            # After `named`: whatever was written before the file was replaced is seen.
            opened = os.fstat(stream.fileno())
            if opened.st_size < stream.tell():
                self._warn_of_new_beginning(f"was truncated to {opened.st_size} bytes")
                stream.seek(0)
            elif opened.st_size == stream.tell() and not os.path.samestat(opened, named):
                self._stream = _open_without_blocking(filename)
                self._warn_of_new_beginning("was replaced by another file")
                stream.close()
            else:
                return False
        except FileNotFoundError:
            return False  # moved away, and nothing is in its place yet
        self._start_lines_at(0)
        return True

    def _warn_of_new_beginning(self, reason: str) -> None:
        logger.warning(
            "%s %s: reading it from its beginning, without %d bytes of an unfinished line read before",
            self._name,
            reason,
            self._splitter.unfinished_bytes,
        )

    @property
    def _name(self) -> str:
        return "standard input" if self._filename is None else f"file {self._filename!r}"


class FileStreamSourceConnector(SourceConnector):
    """Plans one task, for there is one file."""

    JAVA_NAME = "org.apache.kafka.connect.file.FileStreamSourceConnector"
    version = connectd.__version__

    def start(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)
        filename = CONFIG.parse(props)[FILE_CONFIG]
        logger.info("Starting file source connector reading from %s", filename or "standard input")

    def task_class(self) -> type[FileStreamSourceTask]:
        return FileStreamSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [self._props]

    def config(self) -> ConfigDef:
        return CONFIG

    def exactly_once_support(self, props: Mapping[str, str]) -> ExactlyOnceSupport:
        """Supported for a file that is only appended to; the standard input has no offsets."""
        return ExactlyOnceSupport.SUPPORTED if CONFIG.parse(props)[FILE_CONFIG] else ExactlyOnceSupport.UNSUPPORTED

    def alter_offsets(
        self,
        props: Mapping[str, str],
        offsets: Sequence[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]],
    ) -> bool:
        """Check the form. Whether a position is within the file is for the task to see when it starts."""
        if not CONFIG.parse(props)[FILE_CONFIG]:
            raise ConnectException(
                f"Offsets cannot be modified if the '{FILE_CONFIG}' configuration is unspecified: "
                "the standard input has no offsets."
            )
        for partition, offset in offsets:
            if offset is not None:  # anything may be reset, so that garbage can be cleaned up
                _check_offset(partition, offset)
        return True


def _check_offset(partition: Mapping[str, Any] | None, offset: Mapping[str, Any]) -> None:
    if POSITION_FIELD not in offset:
        raise ConnectException(f"Offset objects should either be null or contain the key '{POSITION_FIELD}'")
    position = offset[POSITION_FIELD]
    if not _is_position(position):
        raise ConnectException(
            f"The value for the '{POSITION_FIELD}' key in the offset should be a whole number of at least 0, not {position!r}"
        )
    if partition is None:
        raise ConnectException("Partition objects cannot be null")
    if FILENAME_FIELD not in partition:
        raise ConnectException(f"Partition objects should contain the key '{FILENAME_FIELD}'")


def _is_position(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _open_without_blocking(path: str) -> FileIO:
    # A named pipe that nobody writes to would block the opening, or later the reading.
    return FileIO(path, opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK))

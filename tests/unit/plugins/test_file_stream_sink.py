"""FileStreamSink: what it writes, where, and what happens when writing fails."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectd.errors import ConnectException
from connectd.records import SinkBatch, SinkRecord, TopicPartition
from connectd.schema import Schema, SchemaBuilder
from connectd.struct import Struct
from plugins.connectors.file_stream_sink import FileStreamSinkConnector, FileStreamSinkTask


class Batch(SinkBatch):
    """Values as the worker would deliver them."""

    def __init__(self, values: Sequence[Any], schema: Schema | None = None) -> None:
        self._values = list(values)
        self._schema = schema

    def __len__(self) -> int:
        return len(self._values)

    @property
    def values(self) -> Sequence[Any]:
        return self._values

    @property
    def value_schemas(self) -> Sequence[Schema | None]:
        return [self._schema] * len(self._values)

    @property
    def keys(self) -> Sequence[Any]:
        raise AssertionError("not needed")

    topic_partitions = offsets = keys

    def records(self) -> list[SinkRecord]:
        raise AssertionError("not needed")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sink.txt"


@pytest.fixture
def task(path: Path) -> Iterator[FileStreamSinkTask]:
    task = FileStreamSinkTask()
    task.start({"file": str(path)})
    yield task
    task.stop()


def test_what_was_put_is_in_the_file_at_once(task: FileStreamSinkTask, path: Path) -> None:
    task.put_batch(Batch(["line1"], Schema.STRING_SCHEMA))
    assert path.read_bytes() == b"line1\n"
    task.put_batch(Batch(["line2", "", "drei \u00e4 \u6f22"]))
    task.put_batch(Batch([]))
    task.flush({})
    assert path.read_text(encoding="utf-8") == "line1\nline2\n\ndrei \u00e4 \u6f22\n"


def test_appends_to_what_is_there(path: Path) -> None:
    path.write_text("before\n")
    for line in ("first run", "second run"):
        task = FileStreamSinkTask()
        task.start({"file": str(path)})
        task.put_batch(Batch([line]))
        task.stop()
    assert path.read_text() == "before\nfirst run\nsecond run\n"


@pytest.mark.parametrize(
    ("value", "schema", "line"),
    [
        (None, None, "null"),
        (True, None, "true"),
        (7, Schema.INT64_SCHEMA, "7"),
        (1e10, Schema.FLOAT64_SCHEMA, "1.0E10"),
        (0.1, Schema.FLOAT32_SCHEMA, "0.1"),
        (Decimal("1.50"), None, "1.50"),
        ([1, "two", None, [True]], None, "[1, two, null, [true]]"),
        ({"a": 1, "b": {"c": 2.0}}, None, "{a=1, b={c=2.0}}"),
        (b"raw \xff", Schema.BYTES_SCHEMA, b"raw \xff"),
        ("lone \ud800 surrogate", None, "lone ? surrogate"),
    ],
)
def test_values_are_written_as_java_prints_them(
    task: FileStreamSinkTask, path: Path, value: Any, schema: Schema | None, line: str | bytes
) -> None:
    task.put_batch(Batch([value], schema))
    task.put_batch(Batch(["text", value], schema))
    expected = line if isinstance(line, bytes) else line.encode()
    assert path.read_bytes() == expected + b"\ntext\n" + expected + b"\n"


def test_a_struct_shows_the_fields_that_are_set(task: FileStreamSinkTask, path: Path) -> None:
    schema = SchemaBuilder.struct().field("ok", Schema.BOOLEAN_SCHEMA).field("gone", Schema.OPTIONAL_STRING_SCHEMA)
    schema = schema.field("size", Schema.FLOAT32_SCHEMA).build()
    task.put_batch(Batch([Struct(schema, ok=True, size=0.5)], schema))
    assert path.read_text() == "Struct{ok=true,size=0.5}\n"


@pytest.mark.parametrize("props", [{}, {"file": ""}])
def test_standard_output(props: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "stdout").open("w") as stdout:
        monkeypatch.setattr(sys, "__stdout__", stdout)
        task = FileStreamSinkTask()
        task.start(props)
        task.put_batch(Batch(["one", "two"]))
        task.stop()
        assert os.fstat(stdout.fileno())  # still open
    assert (tmp_path / "stdout").read_text() == "one\ntwo\n"


@pytest.mark.parametrize("where", ["missing/sink.txt", ""])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, where: str) -> None:
    task = FileStreamSinkTask()
    with pytest.raises(ConnectException, match=f"file '{tmp_path / where}', configuration 'file'"):
        task.start({"file": str(tmp_path / where)})
    task.stop()


# --- unfinished lines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kept"), [("whole\nhal", "whole\n"), ("hal", ""), ("whole\n", "whole\n"), ("", "")]
)
def test_an_unfinished_line_is_cut_off_before_its_record_comes_again(path: Path, content: str, kept: str) -> None:
    path.write_text(content)
    task = FileStreamSinkTask()
    task.start({"file": str(path)})
    task.put_batch(Batch(["half"]))
    task.stop()
    assert path.read_text() == f"{kept}half\n"


def test_an_unfinished_line_is_left_alone_while_another_task_writes_the_file(
    task: FileStreamSinkTask, path: Path
) -> None:
    path.write_text("being writ")
    second = FileStreamSinkTask()
    second.start({"file": str(path)})
    second.stop()
    assert path.read_text() == "being writ"


def test_a_stopped_task_gives_its_lock_back(task: FileStreamSinkTask, path: Path) -> None:
    task.stop()
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    task.start({"file": str(path)})


def test_a_batch_that_does_not_fit_leaves_nothing_behind(path: Path) -> None:
    """In a process of its own, whose files may not grow beyond 1000 bytes: the write is partial first, then fails."""
    script = f"""
        import resource, signal
        from tests.unit.plugins.test_file_stream_sink import Batch, ConnectException, FileStreamSinkTask
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        task = FileStreamSinkTask()
        task.start({{"file": {str(path)!r}}})
        task.put_batch(Batch(["x" * 99] * 8))
        for attempt in range(2):
            try:
                task.put_batch(Batch(["y" * 99] * 8))
            except ConnectException as error:
                print(error)
        task.put_batch(Batch(["z"]))
    """
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == f"Cannot write to file '{path}': {os.strerror(errno.EFBIG)}\n" * 2
    assert path.read_text() == ("x" * 99 + "\n") * 8 + "z\n"


# --- the connector ----------------------------------------------------------------------------------------------------


def test_plans_as_many_tasks_as_allowed() -> None:
    connector = FileStreamSinkConnector()
    props = {"file": "somewhere.txt"}
    connector.start(props)
    assert connector.task_class() is FileStreamSinkTask
    assert connector.task_configs(3) == [props] * 3
    assert connector.alter_offsets(props, {TopicPartition("lines", 0): None})
    connector.stop()

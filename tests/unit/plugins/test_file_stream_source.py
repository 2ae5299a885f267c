"""FileStreamSource: configuration, offsets, line ends, following files, standard input."""

from __future__ import annotations

import itertools
import logging
import os
import re
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectd.connectors import ExactlyOnceSupport
from connectd.errors import ConfigException, ConnectException
from connectd.records import SourceBatch
from connectd.schema import Schema
from connectd.tasks import OffsetStorageReader, SourceTaskContext, TransactionContext
from plugins.connectors import file_stream_source
from plugins.connectors.file_stream_source import FileStreamSourceConnector, FileStreamSourceTask
from plugins.connectors.lines import LineSplitter


class StoredOffset(OffsetStorageReader):
    def __init__(self, stored: dict[str, Any] | None) -> None:
        self.stored = stored
        self.asked: list[Mapping[str, Any]] = []

    def offset(self, partition: Mapping[str, Any]) -> dict[str, Any] | None:
        self.asked.append(partition)
        return self.stored

    def offsets(self, partitions: Collection[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        return [self.offset(partition) for partition in partitions]


class Context(SourceTaskContext):
    """Records the waits instead of waiting."""

    def __init__(self, stored: dict[str, Any] | None = None) -> None:
        self.reader = StoredOffset(stored)
        self.waits: list[float] = []

    @property
    def configs(self) -> Mapping[str, str]:
        return {}

    @property
    def offset_storage_reader(self) -> StoredOffset:
        return self.reader

    @property
    def transaction_context(self) -> TransactionContext | None:
        return None

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return False


class Harness:
    """A started task on a file, with what it was given to see."""

    def __init__(self, path: Path, stored: dict[str, Any] | None, props: dict[str, str]) -> None:
        self.path = path
        self.context = Context(stored)
        self.task = FileStreamSourceTask()
        self.task.initialize(self.context)
        self.task.start({"file": str(path), "topic": "lines", **props})

    def append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)

    def poll(self) -> list[tuple[str, int]] | None:
        """The lines of one poll, each with its position."""
        batch = self.task.poll()
        if batch is None:
            return None
        return [(line, batch.source_offset(index)["position"]) for index, line in enumerate(batch.values)]  # type: ignore[index]

    def poll_lines(self) -> list[str]:
        """All lines up to the end of the file."""
        lines = []
        while found := self.poll():
            lines += [line for line, _ in found]
        return lines


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    started: list[Harness] = []

    def start(stored: dict[str, Any] | None = None, content: bytes | None = b"", **props: str) -> Harness:
        path = tmp_path / "source.txt"
        if content is not None:
            path.write_bytes(content)
        started.append(Harness(path, stored, {key.replace("_", "."): value for key, value in props.items()}))
        return started[-1]

    yield start
    for each in started:
        each.task.stop()


def test_follows_a_growing_file_and_holds_half_a_line_back(start: Any) -> None:
    source = start()
    assert source.poll() is None
    source.append(b"partial line")
    assert source.poll() is None
    source.append(b" finished\n")
    assert source.poll() == [("partial line finished", 22)]
    assert source.poll() is None
    assert source.context.reader.asked == [{"filename": str(source.path)}]


def test_a_batch_says_where_it_comes_from(start: Any) -> None:
    batch = start(content=b"a\nb\n").task.poll()
    assert isinstance(batch, SourceBatch)
    assert batch.topic == "lines"
    assert batch.value_schema is Schema.STRING_SCHEMA
    assert batch.source_partition["filename"].endswith("source.txt")  # type: ignore[index]
    assert [record.value for record in batch.records()] == ["a", "b"]
    assert [record.source_offset for record in batch.records()] == [{"position": 2}, {"position": 4}]


def test_every_kind_of_line_end_and_a_final_cr_waits_for_what_follows(start: Any) -> None:
    source = start(content=b"line1\rline2\r\nline3\nline4\n\r")
    assert source.poll() == [("line1", 6), ("line2", 13), ("line3", 19), ("line4", 25)]
    source.append(b"subsequent text")
    assert source.poll() == [("", 26)]
    source.append(b"\r")
    assert source.poll() is None
    source.append(b"\n\n")
    assert source.poll() == [("subsequent text", 43), ("", 44)]


def test_only_n_r_and_rn_end_lines(start: Any) -> None:
    text = "vertical\x0btab, form\x0cfeed, file\x1cseparator, next\x85line, line\u2028separator"
    assert start(content=f"{text}\n{text}\r\n".encode()).poll_lines() == [text, text]


def test_batch_size_is_the_most_that_a_poll_returns(start: Any) -> None:
    source = start(content=b"x\n" * 25, batch_size="10")
    sizes = [len(source.poll()) for _ in range(3)]
    assert sizes == [10, 10, 5]
    assert source.poll() is None


def test_batch_size_is_2000_by_default_and_at_least_one(start: Any) -> None:
    assert len(start(content=b"x\n" * 5000).poll()) == 2000
    assert len(start(content=b"x\n" * 5000, batch_size="0").poll()) == 1


def test_positions_are_those_of_bytes_whatever_the_order_they_are_asked_in(start: Any) -> None:
    lines = ["a", "", "ümläut", "漢字", "🎈", "end"]
    content = "".join(f"{line}\n" for line in lines).encode()
    batch = start(content=content).task.poll()
    ends = [len("".join(f"{line}\n" for line in lines[: count + 1]).encode()) for count in range(len(lines))]
    for index in (5, 0, 3, 3, 1, 4, 2):
        assert batch.source_offset(index) == {"position": ends[index]}


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_positions_resume_exactly_behind_each_line(start: Any, end: str) -> None:
    lines = [f"line {number} ä" for number in range(20)]
    content = "".join(line + end for line in lines).encode() + b"."
    positions = [position for _, position in start(content=content).poll()]
    for count, position in enumerate(positions, 1):
        assert start(stored={"position": position}, content=content).poll_lines() == lines[count:]


def test_resumes_from_a_stored_position_and_goes_on_counting_there(start: Any) -> None:
    source = start(stored={"position": 4}, content=b"one\ntwo\nthree\n")
    assert source.poll() == [("two", 8), ("three", 14)]


@pytest.mark.parametrize("stored", [{}, {"position": None}])
def test_an_offset_without_position_means_the_beginning(start: Any, stored: dict[str, Any]) -> None:
    assert start(stored=stored, content=b"one\n").poll() == [("one", 4)]


@pytest.mark.parametrize("position", ["4", 4.0, True, -1])
def test_a_stored_position_that_is_none_is_an_error(start: Any, position: object) -> None:
    source = start(stored={"position": position}, content=b"one\n")
    with pytest.raises(ConnectException, match=r"position=.* of file '.*source\.txt': expected a number of bytes"):
        source.poll()


def test_lines_and_ends_across_chunks(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_stream_source, "CHUNK_BYTES", 3)
    content = "a\r\nbc\r\n\r\rdéf\n\n漢字漢字\nlonger than a few chunks\r\n".encode()
    source = start(content=content)
    found = []
    while batch := source.poll():
        found += batch
    assert [line for line, _ in found] == ["a", "bc", "", "", "déf", "", "漢字漢字", "longer than a few chunks"]
    assert [position for _, position in found] == [3, 7, 8, 9, 14, 15, 28, 54]


def test_a_line_of_many_chunks(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_stream_source, "CHUNK_BYTES", 1000)
    assert start(content=b"x" * 1_000_000 + b"\nshort\n").poll_lines() == ["x" * 1_000_000, "short"]


def test_bytes_that_are_no_utf8_become_replacement_characters(start: Any) -> None:
    source = start(content=b"good\nb\xffad\n\xe2\x82\nsurrogate \xed\xa0\x80.\n")
    found = source.poll()
    assert [line for line, _ in found] == ["good", "b\ufffdad", "\ufffd", "surrogate \ufffd."]
    assert [position for _, position in found] == [5, 10, 13, 28]


@pytest.mark.parametrize(
    ("raw", "count"),
    [
        ("ff", 1),
        ("9080", 2),
        ("c19080", 3),
        ("e08080", 3),
        ("ed", 1),
        ("eda0", 1),
        ("eda080", 1),
        ("eda0eda080", 2),
        ("edc190", 3),
        ("f090", 1),
        ("f09080", 1),
        ("f4908080", 4),
        ("fc8080", 3),
    ],
)
def test_as_many_replacement_characters_as_java_has(start: Any, raw: str, count: int) -> None:
    """The counts are what Java's InputStreamReader answered."""
    assert start(content=bytes.fromhex(raw) + b".\n").poll_lines() == ["\ufffd" * count + "."]


@given(
    pieces=st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", "\u00e4".encode(), b"\xff", b"\x85"]), max_size=40),
    cuts=st.lists(st.integers(0, 60), max_size=10),
)
def test_chunks_make_no_difference(pieces: list[bytes], cuts: list[int]) -> None:
    content = b"".join(pieces)
    splitter, found = LineSplitter(100), []
    for first, last in itertools.pairwise([0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]):
        if first < last and (block := splitter.feed(content[first:last])):
            found += [(line, block.position_after(index)) for index, line in enumerate(block.lines)]
    # By the rules one by one: a line ends at a \n or a \r, which takes a \n along; a \r at the end is undecided.
    expected = [
        (content[match.start() : match.end(1)].decode("utf-8", "replace"), 100 + match.end())
        for match in re.finditer(rb"([^\r\n]*)(?:\n|\r\n|\r(?=[^\n]))", content, re.DOTALL)
    ]
    assert found == expected
    assert splitter.unfinished_bytes == len(content) - (expected[-1][1] - 100 if expected else 0)


def test_waits_for_a_file_that_appears_later_and_warns_once(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    source = start(content=None)
    assert source.poll() is None
    assert source.poll() is None
    assert source.context.waits == [1.0, 1.0]
    assert [(record.levelno, "does not exist" in record.message) for record in caplog.records] == [
        (logging.WARNING, True)
    ]
    source.append(b"here\n")
    assert source.poll() == [("here", 5)]


def test_waits_at_the_end_of_the_file(start: Any) -> None:
    source = start(content=b"one\n")
    source.poll()
    assert source.context.waits == []
    assert source.poll() is None
    assert len(source.context.waits) == 1


def test_a_directory_is_an_error_that_names_it(tmp_path: Path) -> None:
    source = Harness(tmp_path, None, {})
    with pytest.raises(ConnectException, match=f"Cannot open file '{tmp_path}', configuration 'file'"):
        source.poll()


# --- truncated and replaced files -------------------------------------------------------------------------------------


def test_a_truncated_file_is_read_from_its_beginning(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    source = start(content=b"first\nsecond\nhalf")
    source.poll_lines()
    source.path.write_bytes(b"new\n")
    assert source.poll() is None
    assert source.poll() == [("new", 4)]
    assert "was truncated to 4 bytes" in caplog.text
    assert "without 4 bytes of an unfinished line" in caplog.text


def test_a_replaced_file_is_read_to_its_end_and_then_the_new_one(start: Any, caplog: pytest.LogCaptureFixture) -> None:
    source = start(content=b"first\n")
    source.poll_lines()
    source.append(b"last\n")
    source.path.rename(source.path.with_suffix(".1"))
    assert source.poll() == [("last", 11)]
    assert source.poll() is None  # moved away, nothing in its place
    source.append(b"a longer line than all before\n")
    assert source.poll_lines() == []
    assert source.poll_lines() == ["a longer line than all before"]
    assert "was replaced by another file" in caplog.text


def test_a_file_shorter_than_the_stored_position_is_read_from_its_beginning(
    start: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = start(stored={"position": 100}, content=b"new\n")
    assert source.poll() == [("new", 4)]
    assert "has 4 bytes, fewer than the 100 already read" in caplog.text


# --- what is no regular file ------------------------------------------------------------------------------------------


def test_standard_input_has_no_positions(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with open(reading) as stdin, open(writing, "wb", buffering=0) as keyboard:
        monkeypatch.setattr("sys.stdin", stdin)
        source = start(file="")
        assert source.poll() is None  # nothing typed yet: returns all the same
        keyboard.write(b"line\nhalf")
        batch = source.task.poll()
        assert (batch.values, batch.source_partition) == (["line"], {"filename": None})
        assert batch.source_offset(0) == {"position": None}
        keyboard.write(b"\n")
        assert source.task.poll().values == ["half"]
        keyboard.close()
        assert source.poll() is None
        source.task.stop()
        assert os.fstat(reading)  # still open
    assert source.context.reader.asked == []


def test_a_named_pipe_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    source = Harness(path, {"position": 1000}, {})
    assert source.poll() is None  # nobody writes yet
    with path.open("wb", buffering=0) as writer:
        assert source.poll() is None
        writer.write(b"one\n")
        assert source.poll() == [("one", 4)]
    source.task.stop()


# --- the connector ----------------------------------------------------------------------------------------------------


def test_plans_one_task_with_its_own_configuration() -> None:
    connector = FileStreamSourceConnector()
    props = {"file": "somewhere.txt", "topic": "lines", "batch.size": "10"}
    connector.start(props)
    assert connector.task_class() is FileStreamSourceTask
    assert connector.task_configs(10) == [props]
    connector.stop()


def test_configuration_errors_name_the_key() -> None:
    for props in ({"file": "x"}, {"file": "x", "topic": ""}, {"topic": "t", "batch.size": "many"}):
        with pytest.raises(ConfigException) as raised:
            FileStreamSourceConnector().start(props)
        assert raised.value.key in ("topic", "batch.size")
    errors = {each.name: each.error_messages for each in FileStreamSourceConnector().validate({"topic": "t"})}
    assert errors == {"file": [], "topic": [], "batch.size": []}


def test_exactly_once_needs_a_file() -> None:
    connector = FileStreamSourceConnector()
    assert connector.exactly_once_support({"file": "x", "topic": "t"}) is ExactlyOnceSupport.SUPPORTED
    for props in ({"topic": "t"}, {"file": "", "topic": "t"}):
        assert connector.exactly_once_support(props) is ExactlyOnceSupport.UNSUPPORTED


@pytest.mark.parametrize(
    ("partition", "offset"),
    [
        ({"filename": "x"}, {"position": 0}),
        ({"filename": "other"}, {"position": 7, "more": 1}),
        ({"filename": "x"}, None),
        (None, None),
        ({"garbage": 1}, None),
    ],
)
def test_offsets_that_may_be_set(partition: Any, offset: Any) -> None:
    assert FileStreamSourceConnector().alter_offsets({"file": "x", "topic": "t"}, [(partition, offset)])


@pytest.mark.parametrize(
    ("partition", "offset", "message"),
    [
        ({"filename": "x"}, {}, "contain the key 'position'"),
        ({"filename": "x"}, {"position": "7"}, "not '7'"),
        ({"filename": "x"}, {"position": 7.0}, "not 7.0"),
        ({"filename": "x"}, {"position": True}, "not True"),
        ({"filename": "x"}, {"position": None}, "not None"),
        ({"filename": "x"}, {"position": -1}, "not -1"),
        (None, {"position": 1}, "cannot be null"),
        ({"file": "x"}, {"position": 1}, "contain the key 'filename'"),
    ],
)
def test_offsets_that_are_refused(partition: Any, offset: Any, message: str) -> None:
    with pytest.raises(ConnectException, match=message):
        FileStreamSourceConnector().alter_offsets({"file": "x", "topic": "t"}, [(partition, offset)])


def test_offsets_of_the_standard_input_cannot_be_set() -> None:
    with pytest.raises(ConnectException, match="'file' configuration is unspecified"):
        FileStreamSourceConnector().alter_offsets({"topic": "t"}, [])


def test_the_end_of_an_idle_file_is_looked_at_ever_rarer(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    source = start()
    waits = []
    for idle_s in (0.0, 0.5, 2.0, 5.0, 60.0):
        now = 1000.0 + idle_s
        assert source.task.poll() is None
        waits.append(source.context.waits[-1])
    assert waits == [0.1, 0.1, pytest.approx(0.2), pytest.approx(0.5), 1.0]
    source.append(b"line\n")
    assert source.task.poll() is not None
    assert source.task.poll() is None
    assert source.context.waits[-1] == 0.1

"""Sources and sinks of a real worker whose converters use a Schema Registry, while their schemas change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.converters.registry.wire import read_id
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.registry import Registry, running_registry
from tests.support.worker_process import worker_process

WORKER = """
bootstrap.servers={servers}
key.converter=StringConverter
value.converter=io.confluent.connect.{format}
value.converter.schema.registry.url={url}
value.converter.basic.auth.credentials.source=USER_INFO
value.converter.basic.auth.user.info=connectd:s3cret
offset.storage.file.filename={folder}/connect.offsets
listeners=http://127.0.0.1:0
task.restart.max=0
"""
SOURCE = """
name=source-{topic}
connector.class=FileStreamSource
file=in.txt
topic={topic}
transforms=record{more}
transforms.record.type=HoistField$Value
transforms.record.field=line
transforms.site.type=InsertField$Value
transforms.site.static.field={field}
transforms.site.static.value=berne
"""
SINK = """
name=sink-{topic}
connector.class=FileStreamSink
file=out.txt
topics={topic}
value.converter=io.confluent.connect.{format}
value.converter.schema.registry.url={url}
value.converter.basic.auth.credentials.source=USER_INFO
value.converter.basic.auth.user.info=connectd:s3cret
value.converter.use.latest.version={latest}
"""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running_registry() as registry:
        registry.require_basic("connectd", "s3cret")
        yield registry


class Files:
    """A folder with the files of a worker, a source and a sink."""

    def __init__(self, folder: Path, kafka: TestKafka, registry: Registry, topic: str, format: str) -> None:
        self.folder = folder
        self._values = {"servers": kafka.bootstrap_servers, "folder": folder, "topic": topic}
        self._values |= {"url": registry.url, "format": format}
        self._write("worker", WORKER)
        self.sink(latest=False)

    def source(self, field: str | None = None) -> None:
        """Records have the field `line`, and another one if it is given."""
        self._write("source", SOURCE, more="" if field is None else ",site", field=field or "none")

    def sink(self, latest: bool) -> None:
        """What is written is read with its own schema, or with the latest."""
        self._write("sink", SINK, latest=str(latest).lower())

    def add(self, line: str) -> None:
        """One more line to transfer."""
        with (self.folder / "in.txt").open("a") as file:
            file.write(f"{line}\n")

    def arrived(self) -> list[str]:
        """The records that the sink wrote."""
        out = self.folder / "out.txt"
        return out.read_text().splitlines() if out.exists() else []

    def run_until(self, *lines: str) -> None:
        """Run the worker until these records arrived."""
        with worker_process(self.folder, "worker.properties", "source.properties", "sink.properties") as worker:
            wait_until(lambda: self.arrived() == list(lines), f"{lines} arrived")
            assert worker.stop() == 0
            assert "s3cret" not in worker.log.read_text()

    def _write(self, name: str, text: str, **values: str) -> None:
        (self.folder / f"{name}.properties").write_text(text.format(**self._values, **values))


@pytest.mark.parametrize("format", ["avro.AvroConverter", "json.JsonSchemaConverter", "protobuf.ProtobufConverter"])
def test_records_go_through_the_registry(
    kafka: TestKafka, registry: Registry, topic: str, tmp_path: Path, format: str
) -> None:
    files = Files(tmp_path, kafka, registry, topic, format)
    files.source("site")
    files.add("foo")
    files.run_until("Struct{line=foo,site=berne}")
    [message] = kafka.consume(topic, 1)
    [version] = registry.store.versions(f"{topic}-value")
    assert read_id(message.value() or b"").id == version.schema.id
    # One writer, one reader: whoever it is asks once.
    assert sum(request.startswith("POST") for request in registry.requests) == 1


@pytest.mark.parametrize(("level", "field"), [("BACKWARD", "site"), ("FORWARD", "site!")])
def test_schemas_evolve(
    kafka: TestKafka, registry: Registry, topic: str, tmp_path: Path, level: str, field: str
) -> None:
    registry.store.levels[""] = level
    files = Files(tmp_path, kafka, registry, topic, "avro.AvroConverter")
    files.source()
    files.add("old")
    files.run_until("Struct{line=old}")
    files.source(field)
    files.add("new")
    files.run_until("Struct{line=old}", "Struct{line=new,site=berne}")
    assert [each.number for each in registry.store.versions(f"{topic}-value")] == [1, 2]
    if level == "BACKWARD":
        files.sink(latest=True)
        files.source()
        files.add("old again")
        files.run_until("Struct{line=old}", "Struct{line=new,site=berne}", "Struct{line=old again}")


def test_what_the_registry_refuses_fails_the_task(
    kafka: TestKafka, registry: Registry, topic: str, tmp_path: Path
) -> None:
    files = Files(tmp_path, kafka, registry, topic, "avro.AvroConverter")
    files.source()
    files.add("old")
    files.run_until("Struct{line=old}")
    files.source("site!")  # a new required field: older data cannot be read with it
    files.add("new")
    with worker_process(tmp_path, "worker.properties", "source.properties", "sink.properties") as worker:
        refusal = "field site: it has no default value and is not written"
        wait_until(lambda: refusal in worker.log.read_text(), "the task failed with the registry's reason")
        assert worker.stop() == 0
    assert files.arrived() == ["Struct{line=old}"]

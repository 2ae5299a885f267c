"""`connectd transforms try`: what each step makes of records, and that nothing is left of it in Kafka."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.kafka import TestKafka
from tests.support.worker_process import CONNECTD

JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter"
CHAIN = {
    "transforms": "from,drop,cast",
    "transforms.from.type": "InsertField$Value",
    "transforms.from.static.field": "from",
    "transforms.from.static.value": "here",
    "transforms.drop.type": "Filter",
    "transforms.drop.predicate": "gone",
    "transforms.cast.type": "Cast$Value",
    "transforms.cast.spec": "id:int32",
    "predicates": "gone",
    "predicates.gone.type": "TopicNameMatches",
    "predicates.gone.pattern": "gone.*",
}


def connector(folder: Path, **changes: str) -> Path:
    config = {
        "name": "try",
        "connector.class": "FileStreamSink",
        "topics": "orders",
        "file": "none.txt",
        "value.converter": JSON_CONVERTER,
        "value.converter.schemas.enable": "false",
        **CHAIN,
        **{key.replace("_", "."): value for key, value in changes.items()},
    }
    file = folder / "connector.json"
    file.write_text(json.dumps(config))
    return file


def run(folder: Path, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
    command = [*CONNECTD, "transforms", "try", *arguments]
    done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def outcomes(record: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["alias"], step["outcome"]) for step in record["steps"]]


def test_each_step_is_shown_and_errors_where_they_are(tmp_path: Path) -> None:
    lines = [
        '{"id":"5"}',
        '{"topic":"gone-1","key":"k","value":{"id":"6"},"headers":{"h":"x"},"timestamp":12}',
        '{"value":{"id":"no number"}}',
        '{"value":"{ broken"}',
    ]
    code, out, _ = run(tmp_path, str(connector(tmp_path)), "--records", "-", "--output", "json", stdin="\n".join(lines))
    fine, dropped, failed, broken = json.loads(out)
    assert code == 65
    assert outcomes(fine) == [("from", "applied"), ("drop", "not chosen by its predicate"), ("cast", "applied")]
    assert fine["before"]["value"] == {"id": "5"}
    assert [step["after"]["value"] for step in fine["steps"]] == [
        {"id": "5", "from": "here"},
        {"id": "5", "from": "here"},
        {"id": 5, "from": "here"},
    ]
    assert outcomes(dropped) == [("from", "applied"), ("drop", "dropped")]
    assert (dropped["before"]["key"], dropped["before"]["timestamp"]) == ("k", 12)
    assert dropped["before"]["headers"] == [["h", "x"]]
    assert outcomes(failed)[-1] == ("cast", "failed")
    assert "DataException" in failed["steps"][-1]["error"]
    assert broken["before"] is None and "records-0 at offset 3" in broken["error"]
    assert not (tmp_path / "none.txt").exists()


def test_a_source_sees_schemas_and_people_read_what_changes(tmp_path: Path) -> None:
    schema = {"type": "struct", "optional": False, "fields": [{"type": "string", "optional": False, "field": "id"}]}
    records = tmp_path / "records.jsonl"
    records.write_text(json.dumps({"value": {"schema": schema, "payload": {"id": "7"}}}) + "\n")
    file = connector(tmp_path, connector_class="FileStreamSource", topic="orders", topics="")
    code, out, _ = run(tmp_path, str(file), "--records", str(records))
    assert code == 0
    assert 'value_schema: {"id": "string"}' in out
    assert 'value_schema: {"id": "int32", "from": "string?"}' in out
    assert "drop (Filter): not chosen by its predicate" in out


def test_records_of_a_topic_are_read_and_nothing_else_is_touched(kafka: TestKafka, topic: str, tmp_path: Path) -> None:
    kafka.create_topic(topic, partitions=2)
    for partition in (0, 1):
        kafka.produce(topic, [json.dumps({"id": str(number)}) for number in range(3)], partition=partition)
    worker = tmp_path / "worker.properties"
    worker.write_text(
        f"bootstrap.servers={kafka.bootstrap_servers}\nkey.converter={JSON_CONVERTER}\nvalue.converter={JSON_CONVERTER}\n"
        "offset.storage.file.filename=none.offsets\n"
    )
    arguments = [str(connector(tmp_path, name=topic)), "--worker", str(worker), "--topic", topic, "--output", "json"]
    code, out, err = run(tmp_path, *arguments)
    assert code == 0, err
    assert len(json.loads(out)) == 6
    code, out, err = run(tmp_path, *arguments, "--limit", "2")
    assert len(json.loads(out)) == 2
    code, _, err = run(tmp_path, *arguments[:3], "--topic", f"{topic}-none")
    assert code == 78 and f"There is no topic {topic}-none" in err
    # Neither a group of the connector's, nor one of the command's own.
    groups = {each.group_id for each in kafka.admin.list_consumer_groups().result().valid}
    assert not [group for group in groups if topic in group or "transforms" in group]
    assert f"{topic}-none" not in kafka.admin.list_topics(timeout=30).topics
    assert kafka.end_offsets(topic) == {0: 3, 1: 3}


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    good, records = connector(tmp_path), tmp_path / "records.jsonl"
    records.write_text("{}\n{ broken\n")
    assert "Line 2 of the records is no JSON" in run(tmp_path, str(good), "--records", str(records))[2]
    code, _, err = run(tmp_path, str(good))
    assert code == 2 and "either --records or --topic" in err
    wrong = connector(tmp_path, transforms_cast_spec="id:number")
    records.write_text("{}\n")
    code, _, err = run(tmp_path, str(wrong), "--records", str(records))
    assert code == 78 and "spec" in err.lower()
    assert run(tmp_path, "missing.json", "--records", str(records))[0] == 78

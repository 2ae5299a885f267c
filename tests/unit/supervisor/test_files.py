"""Worker and connector files: all the forms that Java reads, and one clear message for all that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from supervisor.configuration.files import (
    ConnectorFile,
    FileProblems,
    read_connector_file,
    read_connector_files,
    read_worker_file,
)
from tasks.states import TargetState


def written(folder: Path, content: str | bytes | dict[str, Any], name: str = "c.properties") -> str:
    path = folder / name
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def problem(path: str) -> tuple[str | None, str]:
    with pytest.raises(FileProblems) as raised:
        read_connector_file(path)
    (only,) = raised.value.problems
    assert only.file == path
    return only.key, only.message


def test_properties_are_javas(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "# comment\n! another\nname = c\nconnector.class: X\ntopics=a,\\\n   b\nspaced   value with blanks \n"
        "escaped=\\u00e4\\t\\:\\=\nkey\\ with\\ blanks=1\nempty=\n",
    )
    assert read_connector_file(path).config == {
        "name": "c",
        "connector.class": "X",
        "topics": "a,b",
        "spaced": "value with blanks ",
        "escaped": "ä\t:=",
        "key with blanks": "1",
        "empty": "",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "name=c\nfile=/data/Größe\n".encode(encoding))
    assert read_connector_file(path).config["file"] == "/data/Größe"


def test_a_flat_json_file_whatever_its_name_is(tmp_path: Path) -> None:
    path = written(
        tmp_path, '{"name": "c", "tasks.max": 2, "ratio": 1.50, "flag": true, "none": null, "text": "ä"}', "c.conf"
    )
    assert read_connector_file(path) == ConnectorFile(
        path=path,
        name="c",
        config={"name": "c", "tasks.max": "2", "ratio": "1.50", "flag": "true", "text": "ä"},
    )


@pytest.mark.parametrize(
    ("state", "target"),
    [
        (None, TargetState.STARTED),
        ("RUNNING", TargetState.STARTED),
        ("PAUSED", TargetState.PAUSED),
        ("STOPPED", TargetState.STOPPED),
    ],
)
def test_a_json_file_as_for_the_rest_api(tmp_path: Path, state: str | None, target: TargetState) -> None:
    request = {"name": "c", "config": {"connector.class": "X"}, "ignored": 1}
    path = written(tmp_path, request | ({} if state is None else {"initial_state": state}))
    assert read_connector_file(path) == ConnectorFile(
        path=path, name="c", config={"name": "c", "connector.class": "X"}, target_state=target
    )


@pytest.mark.parametrize(
    ("content", "key", "message"),
    [
        ("", None, "the file is empty: expected at least name and connector.class"),
        ("# nothing\n", None, "the file is empty: expected at least name and connector.class"),
        (
            "connector.class=X\n",
            "name",
            "name is missing: expected a name for the connector, one that no other one has",
        ),
        ("name=  \n", "name", "name is missing: expected a name for the connector, one that no other one has"),
        ('{"name": "c",\n "a": }', None, "this is not JSON: Expecting value: line 2 column 7 (char 20)"),
        ('{"name": "c", "a": ["secret"]}', "a", "a is a list: expected a text, a number, true or false"),
        ('{"name": "c", "a": {"b": "secret"}}', "a", "a is an object: expected a text, a number, true or false"),
        ('{"config": {"a": "b"}}', "name", "name is null: expected the name of the connector beside its config"),
        ('{"name": "c", "config": {"name": "d"}}', "name", 'name is "c", but in config it is "d"'),
        (
            '{"name": "c", "config": {}, "initial_state": "STARTED"}',
            "initial_state",
            'initial_state is "STARTED": expected one of RUNNING, PAUSED, STOPPED',
        ),
        ("name=c\n\nx=\\u12x4\n", None, "line 3: \\u12x4 is no character: expected \\u and four digits"),
        ("name=c\nx=\\ud800\n", "x", "the value of x holds half of a character (a lone surrogate)"),
        (b"name=c\0\n", None, "this is not a text in UTF-8 or ISO 8859-1"),
    ],
)
def test_what_is_wrong_is_said_with_key_and_expectation(
    tmp_path: Path, content: str | bytes, key: str | None, message: str
) -> None:
    assert problem(written(tmp_path, content)) == (key, message)


def test_a_json_file_must_hold_an_object(tmp_path: Path) -> None:
    assert problem(written(tmp_path, "[1]", "c.json")) == (None, "expected a JSON object")


def test_missing_and_folder(tmp_path: Path) -> None:
    assert problem(str(tmp_path / "none")) == (None, "cannot be read: No such file or directory")
    assert problem(f"{tmp_path}/") == (
        None,
        f"this is a folder: give its files, for example {tmp_path}/*.properties",
    )


def test_all_files_are_read_before_anything_is_said(tmp_path: Path) -> None:
    good = written(tmp_path, "name=c\n", "1.properties")
    same = written(tmp_path, {"name": "c", "config": {}}, "2.json")
    nameless = written(tmp_path, "a=b\n", "3.properties")
    with pytest.raises(FileProblems) as raised:
        read_connector_files([good, same, nameless, str(tmp_path / "4.properties")])
    assert [str(each) for each in raised.value.problems] == [
        f"{same}: a connector called c is in {good} already",
        f"{nameless}: name is missing: expected a name for the connector, one that no other one has",
        f"{tmp_path}/4.properties: cannot be read: No such file or directory",
    ]


def test_files_keep_their_order(tmp_path: Path) -> None:
    paths = [written(tmp_path, f"name=c{number}\n", f"{number}.properties") for number in (2, 1, 3)]
    assert [file.name for file in read_connector_files(paths)] == ["c2", "c1", "c3"]


def test_the_worker_file_is_properties_or_json(tmp_path: Path) -> None:
    assert read_worker_file(written(tmp_path, "bootstrap.servers=a:1,b:2\n")) == {"bootstrap.servers": "a:1,b:2"}
    assert read_worker_file(written(tmp_path, {"bootstrap.servers": "a:1", "x": 1})) == {
        "bootstrap.servers": "a:1",
        "x": "1",
    }

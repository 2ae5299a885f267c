"""The examples of docs/rest.md are run, in their order, against a worker; `...` in an answer stands for anything."""

from __future__ import annotations

import http.client
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from supervisor.rest.routes import ROUTES
from supervisor.rest.routing import Scope
from tests.peer.rest_talk import PATIENCE_S
from tests.peer.rest_workers import Worker, connectd_worker
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until

PAGE = (Path(__file__).parents[2] / "docs" / "rest.md").read_text()


@pytest.fixture
def worker(kafka: TestKafka, tmp_path: Path) -> Iterator[Worker]:
    (tmp_path / "lines.txt").write_text("first\nsecon\n")
    with connectd_worker(tmp_path, kafka.bootstrap_servers) as worker:
        yield worker


def examples() -> Iterator[tuple[str, str]]:
    """Commands with their answers."""
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            words, lines = "", example.splitlines()
            while lines and not is_complete(words):
                words += lines.pop(0) + "\n"
            yield words, "\n".join(lines)


def is_complete(command: str) -> bool:
    try:
        return bool(shlex.split(command))
    except ValueError:
        return False


def curl(worker: Worker, command: str) -> str:
    """What curl prints: a stand-in with the few options of the page, so that the test needs no curl."""
    name, *words = shlex.split(command)
    assert name == "curl"
    method, headers, data, url = None, {}, None, ""
    while words:
        match words.pop(0):
            case "-s":
                pass
            case "-X":
                method = words.pop(0)
            case "-H":
                key, _, value = words.pop(0).partition(": ")
                headers[key] = value
            case "-d":
                data = words.pop(0).encode()
            case word:
                url = word
    target = urlsplit(f"http://{url}")
    assert target.netloc == "localhost:8083"
    connection = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=120)
    path = target.path + (f"?{target.query}" if target.query else "")
    connection.request(method or ("GET" if data is None else "POST"), path, data, headers)
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer.replace(f"127.0.0.1:{worker.port}", "localhost:8083")


def test_the_examples_are_true(worker: Worker) -> None:
    seen = 0
    for command, expected in examples():
        pattern = ".*".join(map(re.escape, expected.split("...")))
        answers: list[str] = []

        def answered(command: str = command, pattern: str = pattern, answers: list[str] = answers) -> bool:
            answers.append(curl(worker, command))
            return re.fullmatch(pattern, answers[-1], re.DOTALL) is not None

        if any(option in command for option in (" -X ", " -d ")):
            assert answered(), f"{command}{answers[-1]}"
        else:  # what is asked again is the same; it may take a moment until it is there
            wait_until(answered, f"{command} is answered by\n{expected}", PATIENCE_S)
        seen += 1
    assert seen >= 10


def test_the_table_has_every_operation() -> None:
    text = " ".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    for route in ROUTES:
        if route.scope is not Scope.INTERNAL:
            path = route.path.replace("{pluginName}", "{plugin}")
            tail = f"/{path.rpartition('/')[2]}"
            assert f" {path}`" in text or f"`{tail}`" in text, f"{route.method} {route.path}"


def test_json_answers_of_the_page_are_json() -> None:
    whole = [answer for _, answer in examples() if answer and "..." not in answer]
    assert all(json.loads(answer) is not None for answer in whole)

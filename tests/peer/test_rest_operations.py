"""The committed list of Kafka's REST operations is what its own resources say."""

import json
from pathlib import Path

from tests.peer.jvm import compile_java, run_java

HERE = Path(__file__).parent


def test_the_operations_are_those_of_java() -> None:
    classes = compile_java(HERE / "RestOperations.java")
    answered = json.loads(run_java("RestOperations", classes=[classes]))
    assert json.loads((HERE / "rest_operations.json").read_text("utf-8")) == answered

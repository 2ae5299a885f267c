"""The committed answers of Kafka's ConfigDef are those that it gives today."""

import json
from pathlib import Path

from tests.peer.jvm import compile_java, run_java

HERE = Path(__file__).parent


def test_the_config_vectors_are_what_java_answers() -> None:
    classes = compile_java(HERE / "ConfigVectors.java")
    answered = json.loads(run_java("ConfigVectors", classes=[classes]))
    assert json.loads((HERE / "config_vectors.json").read_text("utf-8")) == answered

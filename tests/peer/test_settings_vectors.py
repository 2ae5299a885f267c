"""The committed declarations of Kafka's workers, connectors and clients are those that it has today."""

import json
from pathlib import Path

from tests.peer.jvm import compile_java, run_java

HERE = Path(__file__).parent


def test_the_settings_vectors_are_what_java_declares() -> None:
    classes = compile_java(HERE / "SettingsVectors.java")
    answered = json.loads(run_java("SettingsVectors", classes=[classes]))
    assert json.loads((HERE / "settings_vectors.json").read_text("utf-8")) == answered

"""The helpers that peer tests stand on: compile against Kafka Connect's jars, run, and report what went wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peer.jvm import compile_java, run_java

SOURCE = """
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.common.utils.AppInfoParser;

public class Upper {
    record Line(String text) {}

    public static void main(String[] args) throws Exception {
        var line = new Line(new String(System.in.readAllBytes(), "UTF-8"));
        System.out.print(AppInfoParser.getVersion() + " " + Schema.STRING_SCHEMA.type() + " " + args[0] + line.text());
    }
}
"""


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    source = tmp_path / "Upper.java"
    source.write_text(SOURCE)
    return source


def test_compiles_against_connect_and_runs(upper: Path) -> None:
    out = run_java("Upper", "a ", stdin="grün".encode(), classes=[compile_java(upper)])
    assert out.decode() == "4.3.0 STRING a grün"


def test_same_source_is_compiled_once(upper: Path) -> None:
    stamp = (compile_java(upper) / "Upper.class").stat().st_mtime_ns
    assert (compile_java(upper) / "Upper.class").stat().st_mtime_ns == stamp


def test_compiler_messages_are_shown(tmp_path: Path) -> None:
    broken = tmp_path / "Broken.java"
    broken.write_text("class Broken { int x = nothing; }")
    with pytest.raises(AssertionError, match="nothing cannot be resolved"):
        compile_java(broken)


def test_failure_shows_standard_error() -> None:
    with pytest.raises(AssertionError, match="NoSuchMain"):
        run_java("NoSuchMain")

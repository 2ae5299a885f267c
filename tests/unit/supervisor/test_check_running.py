"""`connectd check` beside a running worker: what SIGHUP would change; and signals at the edges of a worker's life."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from supervisor.configuration.running import read_record
from tests.support.processes import wait_until
from tests.support.worker_process import CONNECTD, WorkerProcess, worker_process

WORKER = """
bootstrap.servers=localhost:1
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename=offsets
listeners=http://127.0.0.1:0
producer.client.id=hunter2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the default folder of connector files."""
    (tmp_path / "worker.properties").write_text(WORKER)
    (tmp_path / "conf" / "connectors.d").mkdir(parents=True)
    return tmp_path


def source(folder: Path, name: str, path: str | None = None, **config: str) -> str:
    lines = [f"name={name}", "connector.class=FileStreamSource", "file=hunter2", "topic=t"]
    lines += [f"{key.replace('_', '.')}={value}" for key, value in config.items()]
    path = path or f"conf/connectors.d/{name}.properties"
    (folder / path).write_text("\n".join(lines))
    return path


def check(folder: Path, *files: str, where: Path | None = None) -> tuple[int, dict[str, Any]]:
    """The exit code, and the reports by file name."""
    worker = str(folder / "worker.properties")
    command = [*CONNECTD, "check", "--output", "json", worker, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=where or folder)
    assert done.stderr == ""
    assert "hunter2" not in done.stdout
    return done.returncode, {Path(report["file"]).name: report for report in json.loads(done.stdout)}


def changes(reports: dict[str, Any]) -> dict[str, Any]:
    return {name: report["change"] and report["change"]["what"] for name, report in reports.items()}


def wait_for_record(folder: Path, *connectors: str) -> None:
    def known() -> bool:
        record = read_record(folder / "offsets.running")
        return record is not None and set(record.connectors) == set(connectors)

    wait_until(known, f"the record has {connectors}")


def reload(worker: WorkerProcess) -> None:
    def count() -> int:
        return sum(str(event["message"]).startswith("reloaded:") for event in worker.events)

    before = count()
    worker.process.send_signal(signal.SIGHUP)
    wait_until(lambda: count() > before, "it is reloaded")


def test_the_default_folder_is_used_where_it_is(folder: Path) -> None:
    source(folder, "c")
    code, reports = check(folder)
    assert (code, changes(reports)) == (0, {"worker.properties": None, "c.properties": None})
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    source(folder, "c", wrong_key_of_mine="1")
    (folder / "worker.properties").write_text(WORKER.replace("=offsets", f"={folder}/offsets"))
    assert list(check(folder, where=elsewhere)[1]) == ["worker.properties"]
    (folder / "worker.properties").write_text(f"{WORKER}connectors.directory=missing\n")
    code, reports = check(folder)
    assert code == 78
    assert "cannot be read: No such file or directory" in reports["worker.properties"]["errors"][0]["message"]


def test_what_a_reload_would_change_is_shown_and_then_happens(folder: Path) -> None:
    given = source(folder, "given", "given.properties")
    for name in ("same", "changed", "gone", "wrong"):
        source(folder, name)
    with worker_process(folder, "worker.properties", given) as worker:
        wait_for_record(folder, "given", "same", "changed", "gone", "wrong")
        assert (folder / "offsets.running").stat().st_mode & 0o777 == 0o600
        assert b"hunter2" not in (folder / "offsets.running").read_bytes()
        code, reports = check(folder)
        assert code == 0
        assert set(changes(reports).values()) == {"same"}
        assert set(reports) == {
            "worker.properties",
            *(f"{name}.properties" for name in ("given", "same", "changed", "gone", "wrong")),
        }

        source(folder, "changed", batch_size="7", task_restart_max="3")
        source(folder, "new")
        source(folder, "wrong", tasks_max="none")
        (folder / "conf" / "connectors.d" / "gone.properties").unlink()
        source(folder, "stranger", "stranger.properties")
        (folder / "worker.properties").write_text(
            WORKER.replace("client.id=hunter2", "linger.ms=5") + "log.levels=WARN\nrest.advertised.port=1\n"
        )
        code, reports = check(folder, "stranger.properties")
        assert code == 78
        assert changes(reports) == {
            "worker.properties": "changed",
            "given.properties": "same",
            "changed.properties": "changed",
            "new.properties": "new",
            "same.properties": "same",
            "wrong.properties": "kept",
            "stranger.properties": "unread",
            "gone.properties": "removed",
        }
        assert reports["changed.properties"]["change"]["keys"] == ["batch.size", "task.restart.max"]
        assert reports["gone.properties"]["connector"] == "gone"
        assert reports["worker.properties"]["change"] == {
            "what": "changed",
            "keys": ["log.levels", "producer.client.id", "producer.linger.ms", "rest.advertised.port"],
            "later": ["producer.client.id", "producer.linger.ms"],
            "restart": ["rest.advertised.port"],
            "why": None,
        }
        assert not any("reloaded" in str(event["message"]) for event in worker.events)

        (folder / "worker.properties").write_text(WORKER)
        reload(worker)
        wait_for_record(folder, "given", "same", "changed", "new", "wrong")
        _, reports = check(folder)
        assert {name: what for name, what in changes(reports).items() if what != "same"} == {"wrong.properties": "kept"}
        assert worker.stop() == 0
    assert not (folder / "offsets.running").exists()


def test_for_people(folder: Path) -> None:
    source(folder, "c")
    with worker_process(folder, "worker.properties") as worker:
        wait_for_record(folder, "c")
        source(folder, "c", batch_size="7")
        source(folder, "d")
        done = subprocess.run(
            [*CONNECTD, "check", "worker.properties"], capture_output=True, text=True, timeout=60, cwd=folder
        )
        said = [line.replace(f"{folder}/", "") for line in done.stdout.splitlines()]
        assert said == [
            "worker.properties: ok",
            "conf/connectors.d/c.properties: ok",
            "  reload: connector c changes: batch.size",
            "conf/connectors.d/d.properties: ok",
            "  reload: connector d is started",
        ]
        worker.process.kill()
        worker.process.wait()
        # What was left behind by a worker that was killed says nothing.
        assert (folder / "offsets.running").exists()
        assert set(changes(check(folder)[1]).values()) == {None}


def test_signals_at_the_start_and_at_the_end_do_no_harm(folder: Path) -> None:
    path = source(folder, "c")
    with worker_process(folder, "worker.properties") as worker:
        caught = 1 << (signal.SIGHUP - 1)

        def handles() -> bool:
            lines = Path(f"/proc/{worker.process.pid}/status").read_text().splitlines()
            return bool(int(next(line for line in lines if line.startswith("SigCgt")).split()[1], 16) & caught)

        wait_until(handles, "it has a handler, which is the first thing that it does")
        changed = False
        while not any(str(event["message"]).startswith("reloaded") for event in worker.events):
            worker.process.send_signal(signal.SIGHUP)
            time.sleep(0.002)
            if not changed and any("REST API at" in str(event["message"]) for event in worker.events):
                changed = True
                (folder / path).write_text((folder / path).read_text() + "\nbatch.size=7")
                source(folder, "new")
        wait_for_record(folder, "c", "new")
        worker.process.send_signal(signal.SIGTERM)
        while worker.process.poll() is None:
            worker.process.send_signal(signal.SIGHUP)
        assert worker.process.returncode == 0

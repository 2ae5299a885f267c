"""Logs of connectors and tasks: all that they say is kept and served, and nobody waits for whoever reads it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.embedded.ports import free_port
from tests.support.cluster import cluster
from tests.support.kafka import TestKafka
from tests.support.processes import TIMEOUT_S, wait_until
from tests.support.worker_process import CONNECTD, WorkerProcess, worker_process

PLUGINS = Path(__file__).parent / "plugins"
CONNECTOR = "connector.class=TalkativeSource\ntask.restart.policy=never\n"
# There is no Kafka: a source that sends nothing needs none, and what its client says about that is left out.
WORKER = """
bootstrap.servers=127.0.0.1:1
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
log.levels=tasks=OFF
"""
UNLIMITED = "task.log.lines.per.second.max=0"


class Worker:
    """A standalone worker with connectors that talk, and what it serves."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.id = f"127.0.0.1:{port}"
        self.process: WorkerProcess

    def tell(self, connector: str, *orders: str, task: int = 0) -> None:
        """Have a task do this."""
        with (self.folder / f"{connector}-{task}").open("a") as file:
            file.writelines(f"{order}\n" for order in orders)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://{self.id}{path}", timeout=30) as answer:
            return json.loads(answer.read())

    def lines(self, unit: str, query: str = "") -> list[dict[str, Any]]:
        """Those of a connector, or of `connector/tasks/0`, once no worker is too busy to tell its own in time."""
        found: dict[str, Any] = {}

        def all_tell() -> bool:
            found.update(self.get(f"/connectd/v1/connectors/{unit}/logs?{query}"))
            return bool(found["missing"] == [])

        wait_until(all_tell, "all workers tell their lines")
        return list(found["lines"])

    def messages(self, unit: str, query: str = "") -> list[str]:
        return [line["message"] for line in self.lines(unit, query)]

    def client(self, *arguments: str) -> subprocess.Popen[str]:
        """A command of the client."""
        return subprocess.Popen(
            [*CONNECTD, *arguments, "--url", f"http://{self.id}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def files(folder: Path, *connectors: str) -> tuple[Worker, list[str]]:
    """Of a worker with these connectors, `name` or `name: settings`."""
    port = free_port()
    own = f"listeners=http://127.0.0.1:{port}\noffset.storage.file.filename={folder}/offsets\nplugin.path={PLUGINS}\n"
    (folder / "worker.properties").write_text(WORKER + own)
    names = []
    for each in connectors:
        name, _, more = each.partition(":")
        names.append(f"{name}.properties")
        (folder / names[-1]).write_text(f"name={name}\n{CONNECTOR}orders={folder}/{name}\n{more.strip()}\n")
    return Worker(folder, port), ["worker.properties", *names]


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    found, names = files(
        tmp_path_factory.mktemp("logs"),
        "talks",
        "dies",
        "raises",
        "floods:task.log.lines=50\ntask.log.lines.per.second.max=100",
        "two:tasks.max=2",
        "secret:password=hush-hush-hush",
        "levels",
    )
    with worker_process(found.folder, *names) as process:
        found.process = process
        process.wait_until_runs("talks-0", "dies-0", "raises-0", "floods-0", "two-0", "two-1", "secret-0", "levels-0")
        yield found
        # Nothing of what tasks print gets to the standard output, which is for records.
        assert process.output.read_text() == ""


def test_everything_that_a_task_says_is_a_line_with_its_name(worker: Worker) -> None:
    worker.tell("talks", "print printed", "complain complained", "write written", "warn careful", "log logged")
    wait_until(lambda: "logged" in worker.messages("talks/tasks/0"), "it has said everything")
    lines = worker.lines("talks/tasks/0")
    pid = worker.process.pids()["talks-0"]
    said = [(line["level"], line["logger"], line["message"].splitlines()[0]) for line in lines if line["pid"] == pid]
    assert said[-6:] == [
        ("INFO", "output", "printed"),
        ("INFO", "output", "complained"),
        ("INFO", "output", "written to 1"),
        ("INFO", "output", "written to 2"),
        ("WARN", "py.warnings", said[-2][2]),
        ("ERROR", "talkative", "logged"),
    ]
    assert said[-2][2].endswith("UserWarning: careful")
    assert {(line["connector"], line["task"], line["worker_id"]) for line in lines} == {("talks", 0, worker.id)}
    # What the worker itself says of the task is among them, and that of the connector has no task.
    assert "task talks-0 is RUNNING" in worker.messages("talks/tasks/0")
    assert "the connector prints" in [line["message"] for line in worker.lines("talks") if line["task"] is None]
    # The log of the worker has the same, as soon as it is written.
    wait_until(lambda: "logged" in [event["message"] for event in worker.process.events], "it is in the log")
    events = [event for event in worker.process.events if event["message"] == "logged"]
    assert [(each["connector"], each["task"], each["worker"], each["pid"]) for each in events] == [
        ("talks", 0, worker.id, pid)
    ]


def test_lines_are_chosen_by_level_and_number(worker: Worker) -> None:
    worker.tell("two", "log one", "print two")
    worker.tell("two", "log three", task=1)
    wait_until(lambda: {"two", "three"} <= set(worker.messages("two")), "all is said")
    assert set(worker.messages("two", "level=ERROR")) == {"one", "three"}
    assert len(worker.messages("two", "lines=1&level=error")) == 1
    assert worker.messages("two/tasks/1", "level=ERROR") == ["three"]
    assert worker.messages("two", "lines=0") == []
    for wrong in ("two/logs?lines=-1", "two/logs?level=loud", "two/logs?scope=all", "no-such/logs", "two/tasks/2/logs"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            worker.get(f"/connectd/v1/connectors/{wrong}")
        assert refused.value.code == (400 if "?" in wrong else 404)
        refused.value.close()


def test_the_last_lines_of_one_that_was_killed_are_there(worker: Worker) -> None:
    worker.tell("dies", "print one", "die")
    wait_until(lambda: any("is FAILED" in each for each in worker.messages("dies/tasks/0")), "it has failed")
    said = worker.messages("dies/tasks/0")
    assert said.index("one") < said.index("last words")
    assert "killed by SIGKILL" in said[-1]


def test_the_trace_of_one_that_raised_is_there(worker: Worker) -> None:
    worker.tell("raises", "raise on purpose")
    wait_until(lambda: any("is FAILED" in each for each in worker.messages("raises/tasks/0")), "it has failed")
    assert "RuntimeError: on purpose" in worker.messages("raises/tasks/0", "level=ERROR")[-1]


def test_a_flood_is_limited_and_its_last_lines_are_kept(worker: Worker) -> None:
    worker.tell("floods", "flood 3000")

    def last_is_kept() -> bool:
        return any(each.startswith("line 2999 ") for each in worker.messages("floods/tasks/0"))

    def logged() -> list[str]:
        return [str(each["message"]) for each in worker.process.events if each.get("connector") == "floods"]

    wait_until(last_is_kept, "the last line is kept")
    wait_until(lambda: any("more lines within a second were left out" in each for each in logged()), "it is told")
    assert len(logged()) < 1500
    assert len(worker.messages("floods/tasks/0")) == 50


def test_secrets_are_hidden_in_what_is_printed_too(worker: Worker) -> None:
    worker.tell("secret", "print it is hush-hush-hush", "log it is hush-hush-hush")
    wait_until(lambda: worker.messages("secret/tasks/0", "level=ERROR"), "it is said")
    assert worker.messages("secret/tasks/0")[-2:] == ["it is [hidden]", "it is [hidden]"]


def test_the_command_shows_and_follows(worker: Worker) -> None:
    worker.tell("two", "log from the past", task=1)
    wait_until(lambda: "from the past" in worker.messages("two"), "it is said")
    shown = worker.client("logs", "two", "--task", "1", "--level", "error")
    text, problems = shown.communicate(timeout=TIMEOUT_S)
    assert (shown.returncode, problems) == (0, "")
    assert text.splitlines()[-1].endswith(" ERROR task 1 talkative: from the past")

    following = worker.client("logs", "two", "-f", "--lines", "1", "--level", "error", "-o", "json")
    try:
        assert following.stdout is not None
        first = json.loads(following.stdout.readline())
        worker.tell("two", "print unheard", "log fresh")
        assert json.loads(following.stdout.readline())["message"] == "fresh"
        assert set(first) == set(worker.lines("two")[0])
    finally:
        following.terminate()
        following.communicate()


def test_levels_are_set_for_one_connector(worker: Worker) -> None:
    def whispered(connector: str) -> list[str]:
        worker.tell(connector, f"whisper {connector} {uuid.uuid4().hex}", f"log {uuid.uuid4().hex}")
        last = (worker.folder / f"{connector}-0").read_text().splitlines()[-1].split()[1]
        wait_until(lambda: last in worker.messages(connector), "it has spoken")
        return [each for each in worker.messages(connector) if each.startswith(f"{connector} ")]

    done = worker.client("patch", "logger", "talkative", "--level", "debug", "--connector", "levels")
    _, problems = done.communicate(timeout=TIMEOUT_S)
    assert (done.returncode, problems) == (0, "")
    assert whispered("levels")
    assert not whispered("talks")


def test_a_worker_that_stops_ends_what_is_followed(tmp_path: Path) -> None:
    found, names = files(tmp_path, "talks")
    with worker_process(tmp_path, *names) as process:
        process.wait_until_runs("talks-0")
        following = found.client("logs", "talks", "-f", "--lines", "1", "-o", "json")
        assert following.stdout is not None
        assert following.stdout.readline()
        assert process.stop() == 0
        following.communicate(timeout=TIMEOUT_S)
        assert following.returncode == 0


def test_a_log_that_nobody_reads_stops_nobody(tmp_path: Path) -> None:
    found, names = files(tmp_path, f"talks:{UNLIMITED}")
    with subprocess.Popen(
        [*CONNECTD, "standalone", *names],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        env={**os.environ, "CONNECTD_LOG_FORMAT": "json"},
    ) as process:
        try:
            assert process.stderr is not None
            wait_until(lambda: _serves(found), "the worker serves")
            # More than the pipe and the supervisor hold.
            found.tell("talks", "flood 25000", "log the end")
            wait_until(lambda: "the end" in found.messages("talks"), "the task went on", timeout_s=60)
            rest: list[bytes] = []
            reader = threading.Thread(target=lambda: rest.extend(process.stderr))  # type: ignore[arg-type]
            reader.start()
            wait_until(lambda: any(b"whoever reads it does not keep up" in line for line in rest), "it is told")
            process.terminate()
            assert process.wait(30) == 0
            reader.join()
            assert b'"stopped"' in rest[-1]
        finally:
            process.kill()


def _serves(worker: Worker) -> bool:
    with contextlib.suppress(OSError):
        return bool(worker.get("/connectors"))
    return False


def test_any_worker_of_a_cluster_tells_the_lines_of_all(kafka: TestKafka, tmp_path: Path) -> None:
    name = f"logs-{uuid.uuid4().hex[:8]}"
    with cluster(kafka, tmp_path, name, 2, log_levels="tasks=OFF", plugin_path=str(PLUGINS)) as it:
        config = {
            "connector.class": "TalkativeSource",
            "tasks.max": "2",
            "orders": str(tmp_path / name),
        }
        it.members[0].ok("POST", "/connectors", {"name": name, "config": config})
        it.wait_until_in("RUNNING", name, 2)
        assert len({worker for unit, (_, worker) in it.statuses(name).items() if unit != name}) == 2
        asked = [Worker(tmp_path, member.port) for member in it.members]
        follower = asked[0].client("logs", name, "-f", "--lines", "0", "--level", "error", "-o", "json")
        try:
            for task in (0, 1):
                asked[0].tell(name, f"log from task {task}", task=task)
            for worker in asked:
                wait_until(
                    lambda worker=worker: set(worker.messages(name, "level=ERROR")) == {"from task 0", "from task 1"},
                    "both are heard",
                )
                assert len({line["worker_id"] for line in worker.lines(name, "level=ERROR")}) == 2
                for task in (0, 1):
                    assert worker.messages(f"{name}/tasks/{task}", "level=ERROR") == [f"from task {task}"]
            rows: list[dict[str, Any]] = []
            threading.Thread(target=lambda: rows.extend(map(json.loads, follower.stdout or ())), daemon=True).start()
            wait_until(lambda: _followed(rows, asked[0], name), "lines of both are followed")
        finally:
            follower.kill()
            follower.communicate()
        level = f"/admin/loggers/talkative?scope=cluster&connector={name}"
        assert it.members[0].request("PUT", level, {"level": "DEBUG"})[0] == 204

        def whispered() -> bool:
            for task in (0, 1):
                asked[0].tell(name, f"whisper psst {task}", task=task)
            return {"psst 0", "psst 1"} <= set(asked[1].messages(name))

        wait_until(whispered, "both workers have set the level")
        it.members[1].kill()
        found = asked[0].get(f"/connectd/v1/connectors/{name}/logs")
        assert [each["worker_id"] for each in found["missing"]] == [asked[1].id]


def _followed(rows: list[dict[str, Any]], worker: Worker, name: str) -> bool:
    """Whether lines of both tasks come, which say something each time."""
    for task in (0, 1):
        worker.tell(name, "log again", task=task)
    return {row["task"] for row in rows} == {0, 1}

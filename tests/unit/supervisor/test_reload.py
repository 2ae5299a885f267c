"""SIGHUP on a real worker process: exactly what changed is applied, whatever state the files are in."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from tests.support.processes import alive, wait_until
from tests.support.standin_worker import WORKER, Running, connector, running
from tests.support.worker_process import worker_process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a worker file, and a folder of connector files."""
    (tmp_path / "connectors.d").mkdir()
    worker_file(tmp_path)
    return tmp_path


def worker_file(folder: Path, **settings: str) -> None:
    lines = [f"{key.replace('_', '.')}={value}\n" for key, value in settings.items()]
    text = WORKER.format(folder=folder) + f"connectors.directory={folder}/connectors.d\n" + "".join(lines)
    (folder / "worker.properties").write_text(text)


def files(folder: Path, *names: str, **config: str) -> None:
    for name in names:
        connector(folder / "connectors.d", name, **config)


def run_all(worker: Running, *names: str) -> dict[str, int]:
    """The pids of the first tasks of these connectors, once they run."""
    worker.wait_for(*(f"task {name}-0 is RUNNING" for name in names))
    return worker.pids()


def rest(worker: Running, method: str, path: str, body: object = None) -> str:
    wait_until(lambda: any(each.startswith("REST API at ") for each in worker.messages), "the REST API is there")
    url = next(each for each in worker.messages if each.startswith("REST API at ")).split()[-1]
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.read().decode())


def test_another_file_name_restarts_nothing(folder: Path) -> None:
    files(folder, "c", "d")
    with running(folder) as worker:
        before = run_all(worker, "c", "d")
        here = folder / "connectors.d"
        (here / "c.properties").rename(here / "x.properties")
        (here / "d.properties").unlink()
        (here / "c.json").write_text(json.dumps({"name": "d", "config": {}}))  # the same in another form
        assert worker.reload() == "reloaded: 0 connectors changed, 0 removed, 2 as before"
        (here / "x.properties").unlink()
        worker.reload()
        worker.wait_for("task c-0 is DESTROYED")
        assert worker.pids()["task d-0"] == before["task d-0"]
        assert alive(before["task d-0"])


def test_what_stands_behind_a_reference_in_the_worker_file_is_read_again(folder: Path) -> None:
    values = folder / "values"
    values.write_text("levels=a.logger=WARN\npatience=90000\n")
    with (folder / "worker.properties").open("a") as file:
        file.write("config.providers=f\nconfig.providers.f.class=FileConfigProvider\n")
        file.write(f"log.levels=${{f:{values}:levels}}\nconnector.hang.timeout.ms=${{f:{values}:patience}}\n")
    with worker_process(folder, "worker.properties") as worker:

        def said(text: str) -> bool:
            return any(text in str(event["message"]) for event in worker.events)

        wait_until(lambda: said("REST API at "), "the worker serves")
        values.write_text("levels=a.logger=ERROR\npatience=91000\n")
        worker.process.send_signal(signal.SIGHUP)
        wait_until(lambda: said("changed in the worker file: connector.hang.timeout.ms, log.levels"), "it was noticed")
        wait_until(lambda: said("reloaded: "), "it is reloaded")
        worker.process.send_signal(signal.SIGHUP)
        assert worker.stop() == 0
        assert sum("changed in the worker file" in str(event["message"]) for event in worker.events) == 1


def test_a_wrong_file_is_one_line_and_the_others_are_applied(folder: Path) -> None:
    files(folder, "c", "d")
    with running(folder) as worker:
        before = run_all(worker, "c", "d")
        files(folder, "c", wrong_key="x", task_restart_max="many")
        files(folder, "new")
        (folder / "connectors.d" / "half.json").write_text('{"name": "half", ')
        worker.reload()
        said = [event for event in worker.events if str(event["message"]).startswith("not reloaded")]
        assert [event["level"] for event in said] == ["error", "error"]
        lines = [str(event["message"]) for event in said]
        assert lines[0].startswith(f"not reloaded: {folder}/connectors.d/half.json: this is not JSON")
        assert lines[1].startswith(f"not reloaded: {folder}/connectors.d/c.properties: it is wrong; ")
        assert "many" in lines[1]
        run_all(worker, "new")
        assert {name: pid for name, pid in worker.pids().items() if name in before} == before
        # The last good configuration is what it goes back to.
        files(folder, "c")
        (folder / "connectors.d" / "half.json").unlink()
        assert worker.reload() == "reloaded: 0 connectors changed, 0 removed, 3 as before"


def test_a_name_that_becomes_wrong_keeps_what_the_file_gave_before(folder: Path) -> None:
    files(folder, "c")
    with running(folder) as worker:
        before = run_all(worker, "c")
        path = folder / "connectors.d" / "c.properties"
        path.write_text("name=d\nwrong.key=x\n")
        worker.reload()
        assert alive(before["task c-0"])
        path.write_text("name=d\n")
        worker.reload()
        run_all(worker, "d")
        worker.wait_for("task c-0 is DESTROYED")


def test_a_half_written_file_is_never_applied(folder: Path) -> None:
    files(folder, "c", "other")
    with running(folder) as worker:
        run_all(worker, "c", "other")
        path = folder / "connectors.d" / "c.properties"

        def save_slowly() -> None:
            with path.open("w") as file:
                for piece in ("name=c\n", "tas", "ks=2", "1\n"):
                    file.write(piece)
                    file.flush()
                    time.sleep(0.03)

        editor = threading.Thread(target=save_slowly)
        editor.start()
        while editor.is_alive():
            worker.signal(signal.SIGHUP)
            time.sleep(0.01)
        worker.reload()
        worker.wait_for("task c-20 is RUNNING")
        plans = [each for each in worker.messages if each.startswith("the connector has")]
        assert plans == ["the connector has 1 tasks"] * 2 + ["the connector has 21 tasks"]
        assert not [each for each in worker.messages if "not reloaded" in each]


def test_a_file_that_is_deleted_and_written_again_is_not_gone(folder: Path) -> None:
    files(folder, "c")
    with running(folder) as worker:
        before = run_all(worker, "c")
        path = folder / "connectors.d" / "c.properties"
        content = path.read_text()
        for _ in range(3):
            path.unlink()
            worker.signal(signal.SIGHUP)
            time.sleep(0.03)
            path.write_text(content)
            worker.reload()
        assert worker.pids() == before
        assert alive(before["task c-0"])


def test_of_a_hundred_files_the_one_that_changed_is_applied(folder: Path) -> None:
    names = [f"c{number}" for number in range(100)]
    files(folder, *names)
    with running(folder) as worker:
        worker.wait_for(*(f"task {name}-0 is RUNNING" for name in names))
        before = worker.pids()
        files(folder, "c50", tasks="2")
        began = time.monotonic()
        worker.signal(signal.SIGHUP)
        worker.wait_for("task c50-1 is RUNNING")
        print(f"from SIGHUP to the changed connector running: {time.monotonic() - began:.3f} s")
        wait_until(worker.reloads, "it is reloaded")
        assert worker.reloads() == ["reloaded: 1 connectors changed, 0 removed, 99 as before"]
        wait_until(lambda: worker.pids()["task c50-0"] != before["task c50-0"], "c50-0 has a new process")
        assert {name: pid for name, pid in worker.pids().items() if "c50" not in name} == {
            name: pid for name, pid in before.items() if "c50" not in name
        }


def test_links_of_kubernetes(folder: Path) -> None:
    """A ConfigMap: each file is a link through the link `..data`, which is replaced as a whole."""
    here = folder / "connectors.d"

    def publish(number: int, **contents: str) -> None:
        version = here / f"..version{number}"
        version.mkdir()
        for name, content in contents.items():
            (version / f"{name}.properties").write_text(content)
        (here / "..data_tmp").symlink_to(version.name)
        (here / "..data_tmp").rename(here / "..data")
        for name in contents:
            with contextlib.suppress(FileExistsError):
                (here / f"{name}.properties").symlink_to(f"..data/{name}.properties")

    publish(1, c="name=c\n", d="name=d\n", e="name=e\n")
    with running(folder) as worker:
        before = run_all(worker, "c", "d", "e")
        publish(2, c="name=c\n", d="name=d\ntasks=2\n", f="name=f\n")
        worker.signal(signal.SIGHUP)
        # As Kubernetes does, a little later: the link to nothing is not taken for a file that is wrong.
        (here / "e.properties").unlink()
        worker.reload()
        worker.wait_for("task d-1 is RUNNING", "task f-0 is RUNNING", "task e-0 is DESTROYED")
        assert worker.pids()["task c-0"] == before["task c-0"]
        assert not [each for each in worker.messages if "not reloaded" in each]


def test_what_may_not_be_read_keeps_running(folder: Path) -> None:
    files(folder, "c", "d")
    with running(folder, preexec=without_privileges) as worker:
        before = run_all(worker, "c", "d")
        here = folder / "connectors.d"
        try:
            (here / "c.properties").chmod(0)
            worker.reload()
            worker.wait_for(f"not reloaded: {here}/c.properties: cannot be read: Permission denied")
            here.chmod(0)
            worker.signal(signal.SIGHUP)
            worker.wait_for(f"not reloaded: {here}: connectors.directory cannot be read: Permission denied")
        finally:
            here.chmod(0o700)
        worker.signal(signal.SIGUSR1)
        wait_until(
            lambda: (
                {"state of c-0: RUNNING", "state of d-0: RUNNING"} <= {each.split(",")[0] for each in worker.messages}
            ),
            "both run",
        )
        assert worker.pids() == before


def without_privileges() -> None:
    """Even as root: what the modes of files say counts."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_a_folder_that_is_gone_removes_nothing(folder: Path) -> None:
    files(folder, "c")
    given = connector(folder / "connectors.d", "d")
    with running(folder, given) as worker:
        before = run_all(worker, "c", "d")
        (folder / "connectors.d").rename(folder / "elsewhere")
        worker.signal(signal.SIGHUP)
        worker.wait_for(
            f"not reloaded: {folder}/connectors.d: connectors.directory cannot be read: No such file or directory"
        )
        worker_file(folder, connectors_directory="")
        worker.reload()
        worker.wait_for("task c-0 is DESTROYED")
        assert f"not reloaded: {given}: cannot be read: No such file or directory" in worker.messages
        assert alive(before["task d-0"])


def test_a_storm_loses_nothing(folder: Path) -> None:
    files(folder, "still", "c")
    with running(folder) as worker:
        before = run_all(worker, "still", "c")
        for number in range(300):
            if number % 50 == 0:
                files(folder, "c", tasks=str(2 + number // 50))
            worker.signal(signal.SIGHUP)
            time.sleep(0.002)
        files(folder, "c", tasks="9")
        worker.signal(signal.SIGHUP)
        worker.wait_for("task c-8 is RUNNING")
        assert worker.reload() == "reloaded: 0 connectors changed, 0 removed, 2 as before"
        assert len(worker.reloads()) < 100  # signals that come together are obeyed together
        assert worker.pids()["task still-0"] == before["task still-0"]
        assert not [event for event in worker.events if event["level"] in ("error", "critical")]
        worker.signal(signal.SIGTERM)
        for _ in range(2000):
            if worker.process.poll() is not None:
                break
            worker.signal(signal.SIGHUP)
            time.sleep(0.001)
        worker.ends_with(0)


def test_supervision_changes_without_restarts(folder: Path) -> None:
    worker_file(folder, task_restart_policy="on-failure")
    files(folder, "c", "own", "watching")
    files(folder, "watching", watching="true")
    with running(folder) as worker:
        before = run_all(worker, "c", "own", "watching")
        worker_file(folder, task_restart_policy="never")
        files(folder, "own", task_restart_policy="on-failure", task_restart_max="1")
        files(folder, "watching", watching="true", task_hang_timeout_ms="1000000")
        assert worker.reload() == "reloaded: 2 connectors changed, 0 removed, 1 as before"
        worker.wait_for("changed in the worker file: task.restart.policy")
        assert worker.pids() == before
        os.kill(before["task c-0"], signal.SIGKILL)
        os.kill(before["task own-0"], signal.SIGKILL)
        wait_until(
            lambda: any("task c-0 is FAILED" in each for each in worker.messages), "the worker's own policy counts"
        )
        wait_until(lambda: worker.pids()["task own-0"] != before["task own-0"], "the connector's own policy counts")
        assert worker.pids()["task watching-0"] == before["task watching-0"]


def test_worker_settings_that_need_more_are_named_without_values(folder: Path) -> None:
    files(folder, "c")
    with running(folder) as worker:
        before = run_all(worker, "c")
        worker_file(
            folder,
            log_levels="DEBUG",
            producer_client_id="hunter2",
            rest_advertised_host_name="hunter2",
            offset_flush_interval_ms="9",
        )
        files(folder, "new")
        worker.reload()
        worker.wait_for(
            "changed in the worker file: log.levels",
            "changed in the worker file, and in effect for processes that start from now on: offset.flush.interval.ms, "
            "producer.client.id; restart connectors with their tasks to have it there",
            "changed in the worker file, but in effect only after a restart: rest.advertised.host.name",
            "connector new is UNASSIGNED",  # said for debugging only
        )
        assert "hunter2" not in worker.log.read_text()
        assert worker.pids()["task c-0"] == before["task c-0"]


def test_a_wrong_worker_file_keeps_the_settings_and_the_connectors_are_applied(folder: Path) -> None:
    files(folder, "c")
    with running(folder) as worker:
        run_all(worker, "c")
        worker_file(folder, task_restart_policy="sometimes", task_restart_max="-1")
        files(folder, "new")
        worker.reload()
        run_all(worker, "new")
        (line,) = [each for each in worker.messages if each.startswith("not reloaded")]
        assert "sometimes" in line
        assert "task.restart.max" in line


def test_files_and_rest(folder: Path) -> None:
    """Files say how their connectors are; those that were created over REST alone are none of their business."""
    files(folder, "deleted", "changed", "same")
    with running(folder) as worker:
        before = run_all(worker, "deleted", "changed", "same")
        rest(worker, "DELETE", "/connectors/deleted")
        rest(worker, "PUT", "/connectors/changed/config", {"name": "changed", "tasks": "2"})
        rest(worker, "PUT", "/connectors/own/config", {"name": "own"})
        rest(worker, "PUT", "/connectors/adopted/config", {"name": "adopted"})
        rest(worker, "PUT", "/connectors/same/pause")
        own = run_all(worker, "own", "adopted")
        files(folder, "adopted")
        assert worker.reload() == "reloaded: 2 connectors changed, 0 removed, 2 as before"
        wait_until(lambda: worker.pids()["task deleted-0"] != before["task deleted-0"], "the file counts")
        worker.wait_for("task changed-1 is DESTROYED")
        wait_until(
            lambda: json.loads(rest(worker, "GET", "/connectors/same/status"))["connector"]["state"] == "PAUSED",
            "paused",
        )
        assert {name: worker.pids()[name] for name in ("task own-0", "task adopted-0")} == {
            name: own[name] for name in ("task own-0", "task adopted-0")
        }
        # What was deleted and created again over REST does not go with the file.
        rest(worker, "DELETE", "/connectors/deleted")
        (folder / "connectors.d" / "deleted.properties").unlink()
        rest(worker, "PUT", "/connectors/deleted/config", {"name": "deleted"})
        (folder / "connectors.d" / "adopted.properties").unlink()
        assert worker.reload() == "reloaded: 0 connectors changed, 1 removed, 2 as before"
        assert sorted(json.loads(rest(worker, "GET", "/connectors"))) == ["changed", "deleted", "own", "same"]

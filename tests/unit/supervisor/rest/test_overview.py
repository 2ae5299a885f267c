"""What all workers are doing, as one answer; other workers are asked, and need not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from supervisor.embedded.ports import free_port
from supervisor.herder.entities import ConnectorStateInfo, TaskState
from supervisor.rest.peers import PATIENCE_S
from tasks.states import State
from tests.support.rest import Rest, rest


@asynccontextmanager
async def worker_that_answers(handler: Any) -> AsyncIterator[str]:
    """Host and port of another worker, whatever it is asked."""
    port = free_port()
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def cluster(folder: Path, other: str) -> AsyncIterator[Rest]:
    """A connector one of whose tasks runs on another worker, which leads."""
    async with rest(folder) as here:
        herder: Any = here.world.herder
        herder.worker_id = here.service.worker_id
        await here.create("c", connector_class="Source")
        status = herder.status
        herder.status = lambda name: with_task_of(status(name), other)
        herder.leader_url = f"http://{other}/"
        yield here


def with_task_of(status: ConnectorStateInfo, worker: str) -> ConnectorStateInfo:
    other = TaskState(id=7, state=State.FAILED, worker_id=worker, trace="OSError: disk\nTraceback")
    return msgspec.structs.replace(status, tasks=[*status.tasks, other])


async def test_what_other_workers_tell_is_part_of_it(tmp_path: Path) -> None:
    asked: list[tuple[str, str | None]] = []
    idle = f"127.0.0.1:{free_port()}"

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append((request.path_qs, request.headers.get("Authorization")))
        work = {"records_per_s": 5.0, "records": 70, "lag_records": 3, "restarts": 2}
        return web.json_response({"connectors": {"c": work}, "workers": [idle]})

    async with worker_that_answers(answer) as other, cluster(tmp_path, other) as here:
        overview = (await here.get("/connectd/v1/overview", user="ada:secret")).body
    assert asked == [("/connectd/v1/overview?scope=worker", "Basic YWRhOnNlY3JldA==")]
    (connector,) = overview["connectors"]
    assert (connector["name"], connector["class"], connector["reason"]) == ("c", "Source", "OSError: disk")
    assert connector["tasks"]["FAILED"] == 1
    work = connector["work"]
    assert (work["records_per_s"], work["records"], work["lag_records"], work["restarts"]) == (5.0, 70, 3, 2)
    theirs = next(each for each in overview["workers"] if each["worker_id"] == other)
    assert (theirs["leads"], theirs["problem"], theirs["tasks"], theirs["failed"]) == (True, None, 1, 1)
    assert theirs["work"]["records"] == 70
    # The leader knows of one more, which has nothing to run, and cannot be reached.
    third = next(each for each in overview["workers"] if each["worker_id"] == idle)
    assert (third["connectors"], third["tasks"], third["problem"]) == (0, 0, "cannot be reached")


async def silence(request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(2 * PATIENCE_S)
    return web.Response()


async def java(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response({"error_code": 404, "message": "HTTP 404 Not Found"}, status=404)


async def refusal(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response({"error_code": 403, "message": "This needs the role read"}, status=403)


@pytest.mark.parametrize(
    ("handler", "problem"),
    [
        (silence, "has not answered within"),
        (java, "tells states only"),
        (refusal, "refuses to tell: This needs the role read"),
    ],
)
async def test_a_worker_that_does_not_tell_keeps_nobody_waiting(tmp_path: Path, handler: Any, problem: str) -> None:
    async with worker_that_answers(handler) as other, cluster(tmp_path, other) as here:
        overview = (await here.get("/connectd/v1/overview")).body
        activity = (await here.get("/connectd/v1/connectors/c/activity")).body
    theirs = next(each for each in overview["workers"] if each["worker_id"] == other)
    assert theirs["problem"].startswith(problem)
    assert [each["name"] for each in overview["connectors"]] == ["c"]
    (missing,) = activity["missing"]
    assert (missing["worker_id"], missing["reason"]) == (other, theirs["problem"])
    assert {each["worker_id"] for each in activity["units"]} == {overview["worker_id"]}


async def test_a_worker_that_is_gone(tmp_path: Path) -> None:
    async with cluster(tmp_path, f"127.0.0.1:{free_port()}") as here:
        overview = (await here.get("/connectd/v1/overview")).body
    assert [each["problem"] for each in overview["workers"] if each["leads"]] == ["cannot be reached"]


async def test_what_this_worker_alone_knows(tmp_path: Path) -> None:
    async with rest(tmp_path) as here:
        await here.create("c", connector_class="Source")
        assert (await here.get("/connectd/v1/overview?scope=worker")).body["connectors"].keys() == {"c"}
        assert [each["connector"] for each in (await here.get("/connectd/v1/connectors/c/activity?scope=worker")).body]
        assert (await here.get("/connectd/v1/overview?scope=all")).status == 400
        assert (await here.get("/connectd/v1/connectors/nothing/activity")).status == 404

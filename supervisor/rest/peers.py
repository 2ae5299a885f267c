"""Asks the other workers of the cluster for what only they know, for answers that must come soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import msgspec

from supervisor.group import worker_id_of
from supervisor.herder.entities import ConnectorStateInfo
from supervisor.herder.herder import Herder
from supervisor.rest.client import WorkerClient
from supervisor.rest.errors import RestException
from tasks.states import State

CLUSTER, WORKER = "cluster", "worker"

# Whoever looks at a page asks again soon.
PATIENCE_S: Final = 1.5


class Peers:
    """The workers whose names states tell. They are asked in the name of the client, under the same protocol as this worker
    listens with."""

    def __init__(self, worker_id: str, url: str, herder: Herder, client: WorkerClient) -> None:
        self.worker_id = worker_id
        self._scheme = url.partition("://")[0]
        self._herder = herder
        self._client = client

    @property
    def leader(self) -> str | None:
        """The worker that leads the cluster, None in none."""
        url = self._herder.leader_url
        return None if url is None else worker_id_of(url)

    @property
    def known(self) -> list[str]:
        """All workers of the cluster if this one leads it, otherwise none."""
        return [worker_id_of(url) for url in self._herder.worker_urls]

    def running(self, statuses: Iterable[ConnectorStateInfo]) -> set[str]:
        """The other workers that run any of these connectors and tasks."""
        workers = {unit.worker_id for status in statuses for unit in status.units if unit.state is not State.UNASSIGNED}
        return workers - {self.worker_id}

    async def ask(
        self,
        workers: Iterable[str],
        path: str,
        headers: Mapping[str, str],
        type: Any,
        query: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """What each of them alone answers to `GET path`, percent-encoded, and why there is no answer, by worker. `headers` are
        those of the client, which say who it is."""
        asked = list(workers)
        told = await asyncio.gather(*(self._ask(worker, path, headers, type, query) for worker in asked))
        answers, problems = dict[str, Any](), dict[str, str]()
        for worker, (answer, problem) in zip(asked, told, strict=True):
            if problem is None:
                answers[worker] = answer
            else:
                problems[worker] = problem
        return answers, problems

    def follow(
        self, worker: str, path: str, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> AsyncGenerator[list[bytes]]:
        """The rows of an answer of a worker that goes on, without their ends, as they come. Raises RestException."""
        url = f"{self._scheme}://{worker}"
        return self._client.follow(url, path, {**query, "scope": WORKER}, headers)

    async def _ask(
        self, worker: str, path: str, headers: Mapping[str, str], type: Any, query: Mapping[str, str]
    ) -> tuple[Any, str | None]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                content = await self._client.get(
                    f"{self._scheme}://{worker}", path, {**query, "scope": WORKER}, headers
                )
            return msgspec.json.decode(content, type=type), None
        except TimeoutError:
            return None, f"has not answered within {PATIENCE_S:g} s"
        except RestException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None, "tells states only: it is not connectd, or an older version"
            if error.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY):
                return None, "cannot be reached"
            return None, f"refuses to tell: {error.message}"
        except (ValueError, msgspec.MsgspecError):
            return None, "has answered something else"

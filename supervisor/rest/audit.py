"""The audit log: who changed what over the REST API, and what became of it; no configuration is in it."""

from __future__ import annotations

import structlog
from aiohttp.web_request import BaseRequest

from supervisor.rest.access import Caller
from supervisor.rest.answer import Answer
from supervisor.rest.routing import Match

log = structlog.get_logger(__name__)


def audit(request: BaseRequest, match: Match, caller: Caller, answer: Answer) -> None:
    """One line for a request that changes something, carried out or refused."""
    done = "refused" if answer.status >= 400 else "done"
    log.info(
        f"{match.route.name} {done}",
        user=caller.name,
        remote=request.remote,
        method=request.method,
        path=request.path,
        status=int(answer.status),
        **match.params,
    )

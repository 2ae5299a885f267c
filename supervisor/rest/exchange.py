"""One request from its bytes to its answer: routing, content types, body, handler, errors. Every response is made here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from aiohttp import web

from supervisor.rest.access import Access
from supervisor.rest.api import Answer, Api, Call
from supervisor.rest.bodies import read_body
from supervisor.rest.entities import ErrorMessage
from supervisor.rest.errors import RestException, as_rest_exception
from supervisor.rest.negotiation import require_acceptable, require_json
from supervisor.rest.routing import Route, Router

log = structlog.get_logger(__name__)

# What one request may take from its first byte of body to its answer; as long as Java waits.
REQUEST_TIMEOUT_S: Final = 90.0
BODY_TIMEOUT_S: Final = 30.0
JSON: Final = "application/json"

_encoder = msgspec.json.Encoder()


class Exchange:
    """Answers requests by the routes of one kind of listener."""

    def __init__(self, api: Api, routes: Sequence[Route], access: Access, max_body_bytes: int) -> None:
        self._api = api
        self._router = Router(routes)
        self._access = access
        self._max_body_bytes = max_body_bytes

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Never raises, but for a client that has gone."""
        try:
            answer = await self._answer(request)
        except Exception as error:
            refusal = as_rest_exception(error)
            answer = Answer(ErrorMessage(refusal.status, refusal.message), HTTPStatus(refusal.status), refusal.headers)
        return _response(answer)

    async def _answer(self, request: web.BaseRequest) -> Answer:
        if request.method == "OPTIONS":
            return self._options(request)
        match = self._router.find(request.method, request.rel_url.raw_path)
        route = match.route
        role = await self._access.role(request, route)
        require_acceptable(request)
        require_json(request, route)
        body = None if route.request is None else read_body(await self._read(request), route.request)
        call = Call(
            api=self._api,
            params=match.params,
            query=request.rel_url.query,
            body=body,
            base_url=f"{request.scheme}://{request.host}",
            role=role,
        )
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await route.handler(call)
        except TimeoutError:
            raise RestException(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Request timed out after {REQUEST_TIMEOUT_S:g} s and was not carried out",
            ) from None

    def _options(self, request: web.BaseRequest) -> Answer:
        """Which methods a path has, as JAX-RS answers it."""
        methods = ", ".join(self._router.methods(request.rel_url.raw_path))
        return Answer(methods, headers={"Allow": methods, "Content-Type": "text/plain"})

    async def _read(self, request: web.BaseRequest) -> bytes:
        """The body. Raises RestException if it is too large, or does not come."""
        too_large = RestException(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The request body is larger than {self._max_body_bytes} bytes (rest.request.max.bytes)",
            {"Connection": "close"},
        )
        if (request.content_length or 0) > self._max_body_bytes:
            raise too_large
        data = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                async for chunk in request.content.iter_any():
                    data += chunk
                    if len(data) > self._max_body_bytes:
                        raise too_large
        except TimeoutError:
            raise RestException(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The request body did not come within {BODY_TIMEOUT_S:g} s",
                {"Connection": "close"},
            ) from None
        return bytes(data)


def _response(answer: Answer) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    headers = {"Content-Type": JSON, **answer.headers}
    body = answer.body.encode() if headers["Content-Type"] != JSON else _encoder.encode(answer.body)
    return web.Response(status=answer.status, headers=headers, body=body)

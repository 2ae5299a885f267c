"""One request from its bytes to its answer: access, routing, content types, body, handler, errors."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse
from yarl import URL

from supervisor.herder.errors import RequestTarget, Unavailable
from supervisor.herder.progress import watch_progress
from supervisor.herder.signatures import RequestSignature
from supervisor.inquiries.inquiry import InquiryFailed
from supervisor.rest.access import Access, Caller
from supervisor.rest.answer import JSON, Answer
from supervisor.rest.api import Api, Call
from supervisor.rest.audit import audit
from supervisor.rest.bodies import read_body
from supervisor.rest.client import WorkerClient
from supervisor.rest.cross_origin import CrossOrigin, require_own_site
from supervisor.rest.entities import ErrorMessage
from supervisor.rest.errors import RestException, as_rest_exception, unavailable
from supervisor.rest.negotiation import require_acceptable, require_json
from supervisor.rest.response_headers import HeaderRule
from supervisor.rest.routing import Match, Route, Router, Scope

log = structlog.get_logger(__name__)

# Validation and offset changes have deadlines of their own, which are shorter: this one is for what nobody thought of.
REQUEST_TIMEOUT_S: Final = 120.0
BODY_TIMEOUT_S: Final = 30.0
# Who does not read a stream for so long is not there.
READ_TIMEOUT_S: Final = 60.0
SERVER: Final = "connectd"

_encoder = msgspec.json.Encoder()


class Exchange:
    """Answers requests by the routes of one kind of listener."""

    def __init__(
        self,
        api: Api,
        routes: Sequence[Route],
        access: Access,
        client: WorkerClient,
        max_body_bytes: int,
        cross_origin: CrossOrigin | None = None,
        response_headers: Sequence[HeaderRule] = (),
    ) -> None:
        self._api = api
        self._router = Router(routes)
        self._access = access
        self._client = client
        self._max_body_bytes = max_body_bytes
        self._cross_origin = cross_origin
        self._response_headers = response_headers

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Never raises, but for a client that has gone."""
        started = time.monotonic()
        match: Match | None = None
        try:
            if request.method == "OPTIONS":
                answer = self._options(request)
            else:
                match = self._router.find(request.method, request.rel_url.raw_path)
                answer = await self._answer(request, match)
        except Exception as error:
            answer = _refusal(error)
        response = self._response(request, answer)
        seconds = time.monotonic() - started
        # Of requests without a route nothing is kept that a client made up.
        method, route = (match.route.method, match.route.path) if match is not None else ("", "")
        self._api.observe(method, route, response.status, seconds)
        log.debug(
            "request",
            remote=request.remote,
            method=request.method,
            path=request.path,
            status=response.status,
            ms=round(seconds * 1000, 1),
        )
        return response if answer.stream is None else await _send_stream(request, response, answer.stream)

    async def _answer(self, request: BaseRequest, match: Match) -> Answer:
        if match.route.is_audited:
            require_own_site(request.headers, request.host, self._cross_origin)
        caller = self._access.caller(request, match.route)
        if not match.route.is_audited:
            return await self._carry_out(request, match, caller)
        try:
            answer = await self._carry_out(request, match, caller)
        except Exception as error:
            answer = _refusal(error)
        audit(request, match, caller, answer)
        return answer

    async def _carry_out(self, request: BaseRequest, match: Match, caller: Caller) -> Answer:
        route = match.route
        require_acceptable(request)
        require_json(request, route)
        internal = route.scope is Scope.INTERNAL
        data = await self._read(request) if route.request is not None or internal else None
        call = Call(
            api=self._api,
            params=match.params,
            query=request.rel_url.query,
            body=None if route.request is None else read_body(data or b"", route.request),
            base_url=f"{request.scheme}://{request.host}",
            user=caller.name,
            role=caller.role,
            headers=request.headers,
            signature=RequestSignature.of(request.headers, data or b"") if internal else None,
        )
        progress = watch_progress()
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await route.handler(call)
        except RequestTarget as target:
            return await self._forward(request, data, target)
        except (InquiryFailed, Unavailable, TimeoutError) as error:
            what = str(error) or f"Request timed out after {REQUEST_TIMEOUT_S:g} s"
            raise unavailable(f"{what}. {progress.outcome}" if route.is_audited else what) from error

    async def _forward(self, request: BaseRequest, body: bytes | None, target: RequestTarget) -> Answer:
        url = request.rel_url
        answer = await self._client.forward(request.method, url.raw_path, url.query, request.headers, body, target)
        if answer.status < HTTPStatus.BAD_REQUEST:
            await self._api.herder.catch_up()
        location = answer.headers.get("Location")
        if location is None:
            return answer
        here = f"{request.scheme}://{request.host}{URL(location, encoded=True).raw_path}"
        return replace(answer, headers={**answer.headers, "Location": here})

    def _options(self, request: BaseRequest) -> Answer:
        """Which methods a path has, as JAX-RS answers it. Browsers ask this without logging in."""
        methods = ", ".join(self._router.methods(request.rel_url.raw_path))
        return Answer(methods, headers={"Allow": methods, "Content-Type": "text/plain"})

    async def _read(self, request: BaseRequest) -> bytes:
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

    def _response(self, request: BaseRequest, answer: Answer) -> Response:
        headers = {"Server": SERVER, **answer.headers}
        body = None
        if isinstance(answer.body, str | bytes):
            body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        elif answer.body is not None:
            body = _encoder.encode(answer.body)
            headers["Content-Type"] = JSON
        if self._cross_origin is not None:
            headers |= self._cross_origin.headers(request.method, request.headers)
        response = Response(status=answer.status, headers=headers, body=body)
        for rule in self._response_headers:
            rule.apply(response.headers)
        return response


async def _send_stream(request: BaseRequest, head: Response, stream: AsyncGenerator[bytes]) -> StreamResponse:
    """Until it ends, or nobody reads it any more."""
    response = StreamResponse(status=head.status, headers=head.headers)
    async with contextlib.aclosing(stream):
        with contextlib.suppress(ConnectionError, TimeoutError):
            await response.prepare(request)
            if request.method == "HEAD":
                return response
            async for data in stream:
                if request.transport is None or request.transport.is_closing():
                    break
                if data:
                    async with asyncio.timeout(READ_TIMEOUT_S):
                        await response.write(data)
            await response.write_eof()
    return response


def _refusal(error: Exception) -> Answer:
    refusal = as_rest_exception(error)
    return Answer(ErrorMessage(refusal.status, refusal.message), HTTPStatus(refusal.status), refusal.headers)

"""Content types: JSON in both directions, checked as JAX-RS does; and whether an answer may be packed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final

from aiohttp.web_request import BaseRequest

from supervisor.rest.answer import JSON
from supervisor.rest.errors import RestException, plain
from supervisor.rest.routing import Route

_ACCEPTED: Final = (JSON, "application/*", "*/*")


def require_json(request: BaseRequest, route: Route) -> None:
    """Raises RestException with status 415 for a body that is not said to be JSON, or one that is not there but said not to."""
    if (
        route.json_only
        and request.content_type != JSON
        and ("Content-Type" in request.headers or request.can_read_body)
    ):
        raise plain(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def require_acceptable(request: BaseRequest) -> None:
    """Raises RestException with status 406 for a client that does not take JSON."""
    accept = ",".join(request.headers.getall("Accept", ()))
    if accept.strip() and not any(each in _ACCEPTED for each in _acceptable(accept)):
        raise plain(HTTPStatus.NOT_ACCEPTABLE)


def accepts_gzip(headers: Mapping[str, str]) -> bool:
    """Whether a client asks for gzip (RFC 9110, section 12.5.3)."""
    for entry in headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, quality = entry.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return not quality or bool(quality.strip("0."))
    return False


def _acceptable(accept: str) -> Iterator[str]:
    for entry in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        if not all(media_type.partition("/")):
            raise RestException(HTTPStatus.BAD_REQUEST, "The header Accept is not a list of media types")
        if not any(parameter.startswith("q=") and _quality(parameter[2:]) == 0 for parameter in parameters):
            yield media_type


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RestException(HTTPStatus.BAD_REQUEST, "The header Accept has a quality that is no number") from None

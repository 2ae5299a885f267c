"""Errors of the REST API: one type with status and message, and one function that knows which error becomes which."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import structlog

from connectd.errors import AlreadyExistsException, ConfigException, ConnectException, NotFoundException
from supervisor.herder.errors import (
    BadRequest,
    Forbidden,
    InvalidConnector,
    OperationInProgress,
    RequestTarget,
    Unavailable,
)
from supervisor.inquiries.inquiry import InquiryFailed

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 5


class RestException(Exception):
    """A request that was not carried out (`...rest.errors.ConnectRestException`)."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


def plain(status: HTTPStatus, headers: Mapping[str, str] | None = None) -> RestException:
    """A refusal by HTTP itself, in the words of Java's server."""
    return RestException(status, f"HTTP {status.value} {status.phrase}", headers)


def unavailable(message: str) -> RestException:
    """Something that is needed does not answer."""
    return RestException(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": str(RETRY_AFTER_S)})


def as_rest_exception(error: Exception) -> RestException:
    """The answer to an error of a herder."""
    match error:
        case RestException():
            return error
        case InvalidConnector():
            return RestException(HTTPStatus.BAD_REQUEST, error.for_rest())
        case NotFoundException():
            return RestException(HTTPStatus.NOT_FOUND, str(error))
        case AlreadyExistsException():
            return RestException(HTTPStatus.CONFLICT, str(error))
        case OperationInProgress():
            return RestException(HTTPStatus.CONFLICT, str(error), {"Retry-After": str(error.retry_after_s)})
        case RequestTarget():
            return RestException(
                HTTPStatus.CONFLICT, f"{error}, nothing was changed", {"Retry-After": str(RETRY_AFTER_S)}
            )
        case Forbidden():
            return RestException(HTTPStatus.FORBIDDEN, str(error))
        case Unavailable() | InquiryFailed():
            return unavailable(str(error))
        case BadRequest() | ConfigException():
            return RestException(HTTPStatus.BAD_REQUEST, str(error))
        case ConnectException():
            return RestException(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
    log.error("an error of connectd in a REST request", exc_info=error)
    return RestException(HTTPStatus.INTERNAL_SERVER_ERROR, f"Internal error: {type(error).__name__}, see the log")

"""Reads JSON request bodies into their declared types, as leniently as Java's server and no more."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, NoReturn

import msgspec

from supervisor.rest.entities import AlterOffsetsRequest, CreateConnectorRequest
from supervisor.rest.errors import RestException


def read_body(data: bytes, type: Any) -> Any:
    """The body as a value of `type`. Raises RestException with status 400 and what is wrong where; no values are shown."""
    if not data.strip():
        raise RestException(HTTPStatus.BAD_REQUEST, "A request body is expected: JSON")
    # A number keeps the text that it was written as where a text is expected, which is everywhere but in offsets.
    as_texts = type is not AlterOffsetsRequest
    content = _parse(data, as_texts=as_texts)
    if content is None:
        raise RestException(HTTPStatus.BAD_REQUEST, "A request body is expected, null is none")
    if type is CreateConnectorRequest and isinstance(content, dict) and isinstance(content.get("initial_state"), str):
        content["initial_state"] = content["initial_state"].upper()
    try:
        return msgspec.convert(_with_texts(content) if as_texts else content, type)
    except msgspec.ValidationError as error:
        raise RestException(HTTPStatus.BAD_REQUEST, f"The request body is wrong: {error}") from None


def _parse(data: bytes, *, as_texts: bool) -> Any:
    number = str if as_texts else None
    try:
        return json.loads(data, parse_int=number, parse_float=number, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        # The error of a decoder shows positions only.
        raise RestException(HTTPStatus.BAD_REQUEST, f"The request body is not JSON: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"{error.msg} at line {error.lineno}, column {error.colno}"
        case UnicodeDecodeError():
            return f"not encoded in UTF-8 at byte {error.start}"
        case RecursionError():
            return "nested too deeply"
        case _:
            return str(error)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _with_texts(content: Any, depth: int = 0) -> Any:
    """Booleans as texts too, in a map and one level below, which is as deep as these bodies go."""
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, dict) and depth < 2:
        return {key: _with_texts(value, depth + 1) for key, value in content.items()}
    return content

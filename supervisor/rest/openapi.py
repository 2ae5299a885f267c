"""The OpenAPI document of the REST API, made from the route table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from supervisor.rest.answer import JSON
from supervisor.rest.entities import ErrorMessage
from supervisor.rest.routing import Query, Route, Scope
from supervisor.versions import KAFKA_CONNECT_VERSION

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_REFERENCE: Final = "#/components/schemas/{name}"
_TYPES: Final[Mapping[type, Mapping[str, Any]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},
}
# Any request may be answered so: it is not understood, the caller is not known or may not, or the type is wrong.
_ALWAYS: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
_WITH_BODY: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
_WITHOUT_CONTENT: Final = (HTTPStatus.NO_CONTENT,)


def openapi_document(routes: Sequence[Route]) -> dict[str, Any]:
    """As OpenAPI 3.1, without the operations that workers have among themselves."""
    shown = [route for route in routes if route.scope is not Scope.INTERNAL]
    types = [ErrorMessage, *_bodies(shown)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    by_type = {id(type): schema for type, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kafka Connect REST API",
            "description": "As served by connectd.",
            "version": KAFKA_CONNECT_VERSION,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
    }


def _bodies(routes: Iterable[Route]) -> list[Any]:
    return [type for route in routes for type in (route.request, route.response) if type is not None]


def _operation(route: Route, schemas: Mapping[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": [route.path.split("/")[1] or "worker"],
        "parameters": [*map(_path_parameter, _PARAMETER.findall(route.path)), *map(_query_parameter, route.query)],
        "responses": _responses(route, schemas),
        # Whoever may read without logging in need not; each role includes the ones before it.
        "security": [{}, {"basic": []}],
        "x-role": route.role.name.lower(),
    }
    if route.request is not None:
        operation["requestBody"] = {"required": True, "content": _content(schemas[id(route.request)])}
    return operation


def _path_parameter(name: str) -> dict[str, Any]:
    # A task is a number; what is none is not found.
    schema = {"type": "integer", "format": "int32"} if name == "task" else {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameter(query: Query) -> dict[str, Any]:
    schema: dict[str, Any] = dict(_TYPES[query.type])
    if query.default is not None:
        schema["default"] = query.default
    if query.many:
        schema = {"type": "array", "items": schema}
    return {"name": query.name, "in": "query", "description": query.doc, "schema": schema}


def _responses(route: Route, schemas: Mapping[int, Any]) -> dict[str, Any]:
    error = schemas[id(ErrorMessage)]
    always = (*_ALWAYS, *(_WITH_BODY if route.request is not None else ()))
    responses = {}
    for status in dict.fromkeys((route.status, *route.other_statuses, *always)):
        responses[str(status.value)] = {"description": status.phrase}
        if status < HTTPStatus.BAD_REQUEST:
            if route.response is not None and status not in _WITHOUT_CONTENT:
                responses[str(status.value)]["content"] = _content(schemas[id(route.response)])
        else:
            # Of the health of a worker every status tells in the same words.
            same = route.status_tells_all and status in route.other_statuses
            responses[str(status.value)]["content"] = _content(schemas[id(route.response)] if same else error)
    return responses


def _content(schema: Any) -> dict[str, Any]:
    return {JSON: {"schema": schema}}

"""What a route declares, and how requests find theirs."""

from __future__ import annotations

import enum
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from supervisor.rest.errors import RestException, plain
from supervisor.rest.roles import Role

if TYPE_CHECKING:
    from supervisor.rest.answer import Answer
    from supervisor.rest.api import Call

Handler = Callable[["Call"], Awaitable["Answer"]]

_PERCENT_ERROR: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Scope(enum.Enum):
    """On which listeners a route is served."""

    PUBLIC = "public"
    ADMIN = "admin"  # on `admin.listeners` where they are set
    INTERNAL = "internal"  # of workers among themselves; signed, and so without a role


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query parameter."""

    name: str
    doc: str
    type: type = str
    default: Any = None
    many: bool = False


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation. `{name}` in the path is a parameter; `request` and `response` are the types of the JSON bodies, None
    where there is none. What is `forwarded` goes on to the worker that the herder names."""

    method: str
    path: str
    handler: Handler
    summary: str
    role: Role = Role.READ
    scope: Scope = Scope.PUBLIC
    # An internal one that needs the role all the same if it is not signed, as in groups that do not sign.
    role_unless_signed: bool = False
    forwarded: bool = False
    request: Any = None
    response: Any = None
    status: HTTPStatus = HTTPStatus.OK
    other_statuses: Sequence[HTTPStatus] = ()
    query: Sequence[Query] = ()
    # Java's root resource takes whatever content type there is.
    json_only: bool = True
    changes: bool = True
    # The other statuses have the same body as success, and not that of errors.
    status_tells_all: bool = False

    @property
    def name(self) -> str:
        """The name of the operation, unique in the table: that of Java's method, as Python writes it."""
        return self.handler.__name__

    @property
    def operation_id(self) -> str:
        """The name in OpenAPI documents, as Java writes it."""
        first, *more = self.name.split("_")
        return first + "".join(word.capitalize() for word in more)

    @property
    def is_audited(self) -> bool:
        """Whether it may change anything."""
        return self.changes and self.method != "GET"


@dataclass(frozen=True)
class Match:
    """The route of a request with the parameters of its path, still as texts."""

    route: Route
    params: Mapping[str, str]


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    parameter: tuple[str, _Node] | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """Finds routes by path and method, as JAX-RS does: matrix parameters do not count, nor does a slash at the end."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def find(self, method: str, raw_path: str) -> Match:
        """Raises RestException: 400 for a path that is none, 404 for an unknown one, 405 for a method it has not.

        HEAD finds the route of GET.
        """
        node, params = self._find(raw_path)
        route = node.routes.get("GET" if method == "HEAD" else method)
        if route is None:
            raise plain(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": ", ".join(_methods(node))})
        return Match(route, params)

    def methods(self, raw_path: str) -> list[str]:
        """The methods of a path, with those that come by themselves. Raises RestException as `find`."""
        return _methods(self._find(raw_path)[0])

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in _segments(route.path):
            if segment.startswith("{"):
                if node.parameter is None:
                    node.parameter = (segment[1:-1], _Node())
                node = node.parameter[1]
            else:
                node = node.children.setdefault(segment, _Node())
        node.routes[route.method] = route

    def _find(self, raw_path: str) -> tuple[_Node, dict[str, str]]:
        node, params = self._root, dict[str, str]()
        for segment in _segments(raw_path):
            value = _decoded(segment.partition(";")[0])
            if value in node.children:
                node = node.children[value]
            elif node.parameter is not None:
                name, node = node.parameter
                params[name] = value
            else:
                raise plain(HTTPStatus.NOT_FOUND)
        if not node.routes:
            raise plain(HTTPStatus.NOT_FOUND)
        return node, params


def _methods(node: _Node) -> list[str]:
    automatic = {"OPTIONS"} | ({"HEAD"} if "GET" in node.routes else set())
    return sorted(node.routes.keys() | automatic)


def _segments(path: str) -> list[str]:
    if path in ("", "/"):
        return []
    segments = path.removesuffix("/").split("/")[1:]
    if "" in segments or not path.startswith("/"):
        raise RestException(HTTPStatus.BAD_REQUEST, "The path has an empty segment")
    return segments


def _decoded(segment: str) -> str:
    if _PERCENT_ERROR.search(segment):
        raise RestException(HTTPStatus.BAD_REQUEST, "The path has a % that is not followed by two hexadecimal digits")
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise RestException(HTTPStatus.BAD_REQUEST, "The path is not encoded in UTF-8") from None

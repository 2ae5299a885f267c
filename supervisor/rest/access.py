"""Who may do what: every request is given a role before anything else is looked at."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp.web_request import BaseRequest

from supervisor.herder.signatures import is_signed
from supervisor.rest.credentials import Credentials
from supervisor.rest.errors import RestException
from supervisor.rest.roles import Role
from supervisor.rest.routing import Route, Scope

log = structlog.get_logger(__name__)

EVERYBODY: Final = "*"
ANONYMOUS: Final = "anonymous"
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Kafka Connect", charset="UTF-8"'}


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they may do."""

    name: str
    role: Role


class Access:
    """`credentials` None: nobody needs to log in, as in Java. `roles` by name, `*` being everybody; empty: all may do all."""

    def __init__(self, credentials: Credentials | None = None, roles: Mapping[str, Role] | None = None) -> None:
        self._credentials = credentials
        self._roles = roles or {}

    def caller(self, request: BaseRequest, route: Route) -> Caller:
        """Who asks. Raises RestException: 401 for one who is not known, 403 for one who may not do this."""
        if route.scope is Scope.INTERNAL and (is_signed(request.headers) or not route.role_unless_signed):
            # As in Java: these are signed by the worker that sends them.
            return Caller("worker", Role.ADMIN)
        name = self._name(request)
        role = self._role_of(name)
        if role is None or role < route.role:
            log.warning(
                f"{route.name} refused",
                user=name,
                remote=request.remote,
                method=request.method,
                path=request.path,
                status=int(HTTPStatus.FORBIDDEN),
            )
            raise RestException(
                HTTPStatus.FORBIDDEN, f"This needs the role {route.role.name.lower()}, which {name} does not have"
            )
        return Caller(name, role)

    def _name(self, request: BaseRequest) -> str:
        if self._credentials is None:
            return _certificate_name(request) or ANONYMOUS
        user, password = _basic(request.headers.get("Authorization", ""))
        if not self._credentials.knows(user, password):
            log.warning("failed to log in", user=user, remote=request.remote)
            raise RestException(HTTPStatus.UNAUTHORIZED, "User cannot access the resource.", _CHALLENGE)
        return user

    def _role_of(self, name: str) -> Role | None:
        if not self._roles:
            return Role.ADMIN
        granted = [self._roles[each] for each in (name, EVERYBODY) if each in self._roles]
        return max(granted, default=None)


def _basic(header: str) -> tuple[str, str]:
    """User and password of a header; empty for what is none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _certificate_name(request: BaseRequest) -> str | None:
    """The common name in the certificate that the client has shown."""
    certificate: dict[str, Any] | None = request.get_extra_info("peercert")
    subject = (certificate or {}).get("subject", ())
    return next((value for names in subject for name, value in names if name == "commonName"), None)

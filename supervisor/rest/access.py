"""Who may do what: every request is given a role before anything else is looked at."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from supervisor.rest.routing import Role, Route


class Access(Protocol):
    """Gives requests their roles."""

    async def role(self, request: web.BaseRequest, route: Route) -> Role:
        """Raises RestException: 401 for a caller who is not known, 403 for one who may not do this."""


class OpenAccess:
    """Everybody may do everything, as in Java."""

    async def role(self, request: web.BaseRequest, route: Route) -> Role:
        return Role.ADMIN

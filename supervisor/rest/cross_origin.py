"""Cross-origin requests: the headers of Jetty's CrossOriginHandler, as Java's worker sets it up; and changes are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Self

from connectd.errors import ConfigException
from plugins.java_regex import compile_java
from supervisor.rest.errors import RestException
from tasks.settings.rest import ALLOW_ORIGIN

_DEFAULT_METHODS: Final = "GET,POST,HEAD"
_MAX_AGE_S: Final = "60"


class CrossOrigin:
    """Which origins may call the API from a browser. An origin is a regular expression, or `*` for all."""

    def __init__(self, origins: list[re.Pattern[str]], methods: str) -> None:
        self._origins = origins
        self._methods = methods

    @classmethod
    def of(cls, origins: str, methods: str) -> Self | None:
        """From the worker's settings, None if only the API's own origin may. Raises ConfigException."""
        given = [origin.strip() for origin in origins.split(",") if origin.strip()]
        if not given:
            return None
        try:
            patterns = [re.compile(_pattern(origin).pattern, re.IGNORECASE) for origin in given]
        except re.error as error:
            raise ConfigException(ALLOW_ORIGIN, origins, f"Expected origins as regular expressions: {error}") from error
        return cls(
            patterns, ",".join(method.strip() for method in methods.split(",") if method.strip()) or _DEFAULT_METHODS
        )

    def headers(self, method: str, request: Mapping[str, str]) -> dict[str, str]:
        """The headers to add to the answer to a request."""
        headers = {"Vary": "Origin"}
        origin = request.get("Origin")
        if origin is None or not self.allows(origin):
            return headers
        headers["Access-Control-Allow-Origin"] = origin
        if method == "OPTIONS" and "Access-Control-Request-Method" in request:
            headers |= {
                "Access-Control-Allow-Methods": self._methods,
                "Access-Control-Allow-Headers": "Content-Type",
                "Access-Control-Max-Age": _MAX_AGE_S,
            }
        return headers

    def allows(self, origin: str) -> bool:
        """Whether pages of one of these origins, separated by blanks, may call the API."""
        return any(self._allows(each) for each in origin.split(" "))

    def _allows(self, origin: str) -> bool:
        return bool(origin) and any(pattern.fullmatch(origin) for pattern in self._origins)


def require_own_site(request: Mapping[str, str], host: str, allowed: CrossOrigin | None) -> None:
    """For what changes something: a page of another site could have the browser of an operator send it, who is logged in.

    Browsers say where a request comes from, other clients do not. Raises RestException with status 403.
    """
    site, origin = request.get("Sec-Fetch-Site"), request.get("Origin")
    by_origin = origin is None or origin.partition("://")[2] == host
    own = by_origin if site is None else site in ("same-origin", "none")
    if not own and (allowed is None or origin is None or not allowed.allows(origin)):
        raise RestException(
            HTTPStatus.FORBIDDEN,
            f"This came from a page of another site, {origin or 'which is not named'}: {ALLOW_ORIGIN} does not allow it",
        )


def _pattern(origin: str) -> re.Pattern[str]:
    return re.compile(".*") if origin == "*" else compile_java(origin)

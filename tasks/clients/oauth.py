"""Tokens for OAUTHBEARER where librdkafka does not fetch them itself: from an endpoint (KIP-768), or unsecured ones for tests.

As `ClientCredentialsJwtRetriever` and `OAuthBearerUnsecuredLoginCallbackHandler`.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.error
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectd.errors import ConfigException, ConnectException
from tasks.clients.client_settings import ClientSettings

TIMEOUT_S: Final = 10.0
# A token is used for this part of its life, as Java does by default (sasl.login.refresh.window.factor).
_USED: Final = 0.8
_UNSECURED_LIFE_S: Final = 3600
_ENDPOINT: Final = "sasl.oauthbearer.token.endpoint.url"
_GRANT_TYPE: Final = "sasl.oauthbearer.grant.type"
_ID: Final = ("sasl.oauthbearer.client.credentials.client.id", "sasl.oauthbearer.client.id")
_SECRET: Final = ("sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.secret")


class TokenSource(ABC):
    """Gives a token that is valid now, the same one until it grows old; `extensions` go to the broker with it."""

    def __init__(self, extensions: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self.extensions = extensions
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """Raises ConnectException when none can be had."""
        now = self._clock()
        if now >= self._renew_at:
            self._token, life_s = self._fetch(now)
            self._renew_at = now + life_s * _USED
        return self._token

    @abstractmethod
    def _fetch(self, now: float) -> tuple[str, float]:
        """A new token, and for how many seconds it is valid."""


def token_source(settings: ClientSettings) -> TokenSource:
    """What the settings call for. Raises ConfigException."""
    conf = settings.conf
    extensions = _pairs(str(conf.get("sasl.oauthbearer.extensions", "")))
    if str(conf.get("enable.sasl.oauthbearer.unsecure.jwt", "false")).lower() == "true":
        config = _pairs(str(conf.get("sasl.oauthbearer.config", "")))
        return Unsecured(config.get("principal", ""), extensions)
    if conf.get(_GRANT_TYPE, "client_credentials") != "client_credentials":
        origin = settings.origins.get(_GRANT_TYPE, _GRANT_TYPE)
        raise ConfigException(origin, conf[_GRANT_TYPE], "Only tokens for client credentials can be fetched here")
    url = str(conf.get(_ENDPOINT, ""))
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise ConfigException(settings.origins.get(_ENDPOINT, _ENDPOINT), url, "Expected the URL of a token endpoint")
    return ClientCredentials(
        url,
        client_id=_first(conf, _ID),
        client_secret=_first(conf, _SECRET),
        scope=conf.get("sasl.oauthbearer.scope"),
        trust=ssl.create_default_context(cafile=conf.get("https.ca.location"), cadata=conf.get("https.ca.pem")),
        extensions=extensions,
    )


class ClientCredentials(TokenSource):
    """Asks an endpoint, as a client with a secret (RFC 6749, section 4.4)."""

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        client_secret: str,
        scope: str | None,
        trust: ssl.SSLContext,
        extensions: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(extensions, clock)
        self._url = url
        self._credentials = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._body = urllib.parse.urlencode(
            {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        ).encode()
        self._trust = trust

    def _fetch(self, now: float) -> tuple[str, float]:
        import urllib.request  # here: it takes more than a megabyte of every task's memory, and few have an endpoint

        headers = {"Accept": "application/json", "Authorization": f"Basic {self._credentials}"}
        request = urllib.request.Request(self._url, self._body, headers)  # noqa: S310 (the scheme was checked)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._trust) as response:  # noqa: S310
                answer = json.load(response)
            token = str(answer.get("access_token") or answer["id_token"])
            return token, _life_s(token, now)
        except urllib.error.HTTPError as error:
            raise ConnectException(f"{self._url} gives no token: status {error.code} {error.reason}") from None
        except OSError as error:
            raise ConnectException(f"{self._url} gives no token: {error}") from None
        except (ValueError, KeyError, AttributeError, IndexError):
            raise ConnectException(
                f"{self._url} gives no token: the answer holds no JWT with a time of expiry"
            ) from None


class Unsecured(TokenSource):
    """Makes tokens without a signature, which only brokers for tests accept."""

    def __init__(self, principal: str, extensions: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        super().__init__(extensions, clock)
        self._principal = principal

    def _fetch(self, now: float) -> tuple[str, float]:
        claims = {"sub": self._principal, "iat": now, "exp": now + _UNSECURED_LIFE_S}
        return f"{_encoded({'alg': 'none'})}.{_encoded(claims)}.", _UNSECURED_LIFE_S


def _life_s(token: str, now: float) -> float:
    """From the claims of a JWT."""
    claims = token.split(".")[1]
    return float(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]) - now


def _encoded(part: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def _pairs(text: str) -> dict[str, str]:
    """`name=value` parts, separated by commas or blanks."""
    parts = (part.partition("=") for part in text.replace(",", " ").split())
    return {name: value for name, _, value in parts}


def _first(conf: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((str(conf[name]) for name in names if name in conf), "")

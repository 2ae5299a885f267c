"""A client of the Schema Registry that is set up from a converter's settings: addresses, TLS, proxy, and who logs in how."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from connectd.config import Password
from connectd.errors import ConfigException
from plugins.converters.registry.settings import (
    BASIC_SOURCE,
    BEARER_SOURCE,
    BEARER_TOKEN,
    HEADER_PREFIX,
    LATEST_TTL,
    OLD_USER_INFO,
    SSL_PREFIX,
    URL,
    USER_INFO,
)
from plugins.tls.context import TlsSettings

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

_OAUTH: Final = ("bearer.auth.issuer.endpoint.url", "bearer.auth.client.id", "bearer.auth.client.secret")
_SCOPE: Final = "bearer.auth.scope"
_CLUSTER: Final = "bearer.auth.logical.cluster"
_POOL: Final = "bearer.auth.identity.pool.id"


def require_registry_extra(converter: str) -> None:
    """Raises ConfigException when what the converters with a registry need is not installed."""
    try:
        import confluent_kafka.schema_registry  # noqa: F401
        import fastavro  # noqa: F401
        import google.protobuf  # noqa: F401
        import jsonschema  # noqa: F401
    except ImportError as error:
        raise ConfigException(f"{converter} needs connectd[registry] to be installed: {error}") from error


def client_factory(values: Mapping[str, Any], originals: Mapping[str, Any]) -> Callable[[], SchemaRegistryClient]:
    """What makes clients after the parsed settings; `originals` are searched for `request.header.`. Raises ConfigException."""
    import httpx2
    from confluent_kafka.schema_registry import SchemaRegistryClient

    conf = _conf(values)
    is_secure = any(url.startswith("https://") for url in values[URL])
    tls = TlsSettings(SSL_PREFIX, _below(SSL_PREFIX, values))
    context = tls.client_context() if is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    headers = {key: str(value) for key, value in _below(HEADER_PREFIX, originals).items()}

    def new_client() -> SchemaRegistryClient:
        try:
            client = SchemaRegistryClient(conf)
        except (ValueError, TypeError) as error:
            raise ConfigException(f"The settings of the Schema Registry's client are wrong: {error}") from None
        # The client takes certificates from PEM files only; stores of Java are read into the context above.
        rest = client._rest_client
        rest.session.close()
        rest.session = httpx2.Client(verify=context, auth=rest.auth, proxy=rest.proxy, timeout=rest.timeout)
        rest.session.headers.update(headers)
        return client

    return new_client


def _conf(values: Mapping[str, Any]) -> dict[str, Any]:
    conf: dict[str, Any] = {
        "url": ",".join(_checked_urls(values[URL])),
        "timeout": max(values["http.connect.timeout.ms"], values["http.read.timeout.ms"]) / 1000,
        "cache.capacity": values["max.schemas.per.subject"],
        "max.retries": values["max.retries"],
        "retries.wait.ms": values["retries.wait.ms"],
        "retries.max.wait.ms": values["retries.max.wait.ms"],
        "ssl.ca.location": False,  # it need not load certificates: the session that it makes is replaced
        **_authentication(values),
    }
    if values["proxy.host"]:
        conf["proxy"] = f"http://{values['proxy.host']}:{values['proxy.port']}"
    if values[LATEST_TTL] >= 0:
        conf["cache.latest.ttl.sec"] = values[LATEST_TTL]
    return conf


def _checked_urls(urls: list[str]) -> list[str]:
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise ConfigException(URL, url, "Expected an address that begins with http:// or https://")
    return urls


def _authentication(values: Mapping[str, Any]) -> dict[str, str]:
    basic = _text(values, OLD_USER_INFO) or _text(values, USER_INFO)
    token = _text(values, BEARER_TOKEN)
    if values[BASIC_SOURCE] == "USER_INFO":
        if not basic or ":" not in basic:
            raise ConfigException(
                USER_INFO, Password.HIDDEN, f"Expected user:password, since {BASIC_SOURCE} is USER_INFO"
            )
        if token:
            raise ConfigException(BEARER_TOKEN, Password.HIDDEN, f"Expected nothing, since {BASIC_SOURCE} is USER_INFO")
        return {USER_INFO: basic}
    # The client insists on a cluster, which only Confluent Cloud knows.
    target = {_CLUSTER: _text(values, _CLUSTER)}
    if pool := _text(values, _POOL):
        target[_POOL] = pool
    if values[BEARER_SOURCE] == "OAUTHBEARER":
        oauth = {key: _text(values, key) for key in _OAUTH}
        for key, text in oauth.items():
            if not text:
                raise ConfigException(key, None, f"Expected a value, since {BEARER_SOURCE} is OAUTHBEARER")
        return {BEARER_SOURCE: "OAUTHBEARER", **oauth, _SCOPE: _text(values, _SCOPE), **target}
    return {BEARER_SOURCE: "STATIC_TOKEN", BEARER_TOKEN: token, **target} if token else {}


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values[key]
    return str(value.value if isinstance(value, Password) else value or "")


def _below(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}

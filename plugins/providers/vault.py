"""VaultSecretProvider: values from HashiCorp Vault or OpenBao, `${vault:secret/path:key}`; needs `connectd[vault]`.

Name and keys are those of Lenses.io's `io.lenses.connect.secrets.providers.VaultSecretProvider`. Different on purpose:

- Nothing is written to disk.
- A token is renewed whenever secrets are looked up, not by a thread: `token.renewal.ms` has no effect.
- Certificates are PEM files; `vault.ssl.*` with Java's key stores is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import connectd
from connectd.config import AbstractConfig, ConfigDef, Importance, Range, Type, ValidString
from connectd.errors import ConfigException, ConnectException, RetriableException
from connectd.providers import ConfigData, ConfigProvider
from plugins.providers.encodings import DEFAULT_TTL, decode, define_common, refuse_files
from plugins.providers.vault_login import METHODS, define_methods, login_request

if TYPE_CHECKING:
    import hvac

ADDRESS: Final = "vault.addr"
TOKEN: Final = "vault.token"  # noqa: S105 (the name of a setting)
NAMESPACE: Final = "vault.namespace"
SERVER_PEM: Final = "vault.pem"
CLIENT_PEM: Final = "vault.client.pem"
ENGINE_VERSION: Final = "vault.engine.version"
PREFIX_DEPTH: Final = "vault.prefix.depth"
AUTH_METHOD: Final = "vault.auth.method"

_DATABASE: Final = "database/creds/"
_JAVA_STORES: Final = "vault.ssl."
_TIMEOUT_S: Final = 30


def _definition() -> ConfigDef:
    high, medium = Importance.HIGH, Importance.MEDIUM
    definition = (
        ConfigDef()
        .define(ADDRESS, Type.STRING, "http://localhost:8200", importance=high, doc="Where the Vault server is.")
        .define(
            AUTH_METHOD,
            Type.STRING,
            "token",
            ValidString.in_("token", *METHODS),
            high,
            "How to log in to Vault.",
        )
        .define(TOKEN, Type.PASSWORD, None, importance=high, doc="The token, for the method `token`.")
        .define(NAMESPACE, Type.STRING, "", importance=medium, doc="The namespace of all requests.")
        .define(SERVER_PEM, Type.STRING, "", importance=high, doc="A PEM file with the certificates to trust.")
        .define(
            CLIENT_PEM,
            Type.STRING,
            "",
            importance=high,
            doc="A PEM file with the certificate and the private key to show to the server.",
        )
        .define(
            ENGINE_VERSION,
            Type.INT,
            2,
            Range.between(1, 2),
            high,
            "The version of the key-value secrets engine. With 2, `data` is put into the path of a secret.",
        )
        .define(
            PREFIX_DEPTH,
            Type.INT,
            1,
            Range.at_least(1),
            high,
            "How many parts of a path are the place where the secrets engine is mounted.",
        )
        .define("token.renewal.ms", Type.INT, 600000, importance=medium, doc="Accepted; it has no effect.")
    )
    return define_common(define_methods(definition))


CONFIG: Final = _definition()


class VaultSecretProvider(ConfigProvider):
    """The path is that of a secret in a key-value engine, or `database/creds/ROLE`; the key one of the secret's."""

    JAVA_NAME = "io.lenses.connect.secrets.providers.VaultSecretProvider"
    version = connectd.__version__

    def __init__(self) -> None:
        self._client: hvac.Client | None = None

    def config(self) -> ConfigDef:
        return CONFIG

    def configure(self, configs: Mapping[str, Any]) -> None:
        """Logs in. Raises ConfigException for wrong settings, ConnectException if Vault refuses."""
        config = AbstractConfig(CONFIG, configs)
        refuse_files(config)
        for key in configs:
            if key.startswith(_JAVA_STORES):
                raise ConfigException(
                    key, configs[key], f"Key stores are not supported: use {SERVER_PEM}, {CLIENT_PEM}"
                )
        self._engine_version = config.get(ENGINE_VERSION)
        self._prefix_depth = config.get(PREFIX_DEPTH)
        self._default_ttl_ms: int | None = config.get(DEFAULT_TTL) or None
        self._client = _connect(config)

    def get(self, path: str, keys: Collection[str] | None = None) -> ConfigData:
        """Raises ConnectException when there is no secret at the path, RetriableException when Vault does not answer."""
        assert self._client is not None, "configure was not called"
        with _errors_named(f"The secret at {path!r} cannot be read from Vault"):
            answer = self._client.read(self._full_path(path))
        data = (answer or {}).get("data")
        versioned = self._engine_version == 2 and not path.startswith(_DATABASE)
        if versioned and data:
            data = data.get("data")
        if not data:
            raise ConnectException(f"There is no secret at {path!r} in Vault")
        return ConfigData(decode(path, data, keys), self._ttl_ms(path, answer.get("lease_duration")))

    def close(self) -> None:
        if self._client is not None:
            self._client.adapter.close()

    def _ttl_ms(self, path: str, lease_s: int | None) -> int | None:
        if not lease_s:
            return self._default_ttl_ms
        # Others are wanted before the credentials of a database end.
        return lease_s * (900 if path.startswith(_DATABASE) else 1000)

    def _full_path(self, path: str) -> str:
        if self._engine_version == 1 or path.startswith(_DATABASE):
            return path
        parts = path.strip("/").split("/")
        return "/".join([*parts[: self._prefix_depth], "data", *parts[self._prefix_depth :]])


def _connect(config: AbstractConfig) -> hvac.Client:
    try:
        import hvac
    except ImportError as error:
        raise ConfigException(f"VaultSecretProvider needs connectd[vault] to be installed: {error}") from error
    method = config.get(AUTH_METHOD)
    token = config.get(TOKEN)
    if method == "token" and token is None:
        raise ConfigException(TOKEN, None, f"Expected the token, since {AUTH_METHOD} is token")
    client = hvac.Client(
        url=config.get(ADDRESS),
        token=token.value if method == "token" else "",  # not None, or hvac would look for one in the environment
        namespace=config.get(NAMESPACE) or None,
        verify=config.get(SERVER_PEM) or True,
        cert=config.get(CLIENT_PEM) or None,
        timeout=_TIMEOUT_S,
    )
    if method == "token":
        # Most tokens cannot be renewed, and those that ended are found out by the next request.
        with contextlib.suppress(ConnectException), _errors_named("The token cannot be renewed"):
            client.auth.token.renew_self()
    else:
        request = login_request(method, config)
        with _errors_named(f"Vault refuses the login by {AUTH_METHOD}={method}"):
            client.login(f"/v1/{request.path}", json=request.body)
    return client


@contextlib.contextmanager
def _errors_named(what: str) -> Iterator[None]:
    """Turns the errors of hvac into ours. Its messages name the request, but hold neither secrets nor tokens."""
    import requests
    from hvac import exceptions

    try:
        yield
    except (
        requests.ConnectionError,
        requests.Timeout,
        exceptions.VaultDown,
        exceptions.BadGateway,
        exceptions.InternalServerError,
        exceptions.RateLimitExceeded,
    ) as error:
        raise RetriableException(f"{what}: {error}") from error
    except (requests.RequestException, exceptions.VaultError, OSError) as error:
        raise ConnectException(f"{what}: {error}") from error

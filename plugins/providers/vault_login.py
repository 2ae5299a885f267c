"""The ways to log in to Vault: for each method its settings, and the request that they make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connectd.config import AbstractConfig, ConfigDef, Importance, Password, Type
from connectd.errors import ConfigException

_SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"


@dataclass(frozen=True)
class LoginRequest:
    """A POST to `path` below `/v1/`. The body, which holds the secret, is never shown."""

    path: str
    body: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class _Setting:
    key: str
    doc: str
    default: str | None = None  # None: it must be given
    secret: bool = False


@dataclass(frozen=True)
class _Method:
    settings: tuple[_Setting, ...]
    request: Callable[[Callable[[str], str]], LoginRequest]


def _file(key: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ConfigException(key, path, f"Cannot be read: {error.strerror}") from error


METHODS: Final[Mapping[str, _Method]] = {
    "approle": _Method(
        (
            _Setting("app.role.path", "Where the method is mounted.", "approle"),
            _Setting("app.role.id", "The role id."),
            _Setting("app.role.secret.id", "The secret id.", secret=True),
        ),
        lambda get: LoginRequest(
            f"auth/{get('app.role.path')}/login",
            {"role_id": get("app.role.id"), "secret_id": get("app.role.secret.id")},
        ),
    ),
    "userpass": _Method(
        (
            _Setting("mount", "Where the method is mounted.", "userpass"),
            _Setting("username", "The user."),
            _Setting("password", "The user's password.", secret=True),
        ),
        lambda get: LoginRequest(f"auth/{get('mount')}/login/{get('username')}", {"password": get("password")}),
    ),
    "ldap": _Method(
        (
            _Setting("ldap.mount", "Where the method is mounted.", "ldap"),
            _Setting("ldap.username", "The user."),
            _Setting("ldap.password", "The user's password.", secret=True),
        ),
        lambda get: LoginRequest(
            f"auth/{get('ldap.mount')}/login/{get('ldap.username')}", {"password": get("ldap.password")}
        ),
    ),
    "kubernetes": _Method(
        (
            _Setting("kubernetes.auth.path", "Where the method is mounted.", "auth/kubernetes"),
            _Setting("kubernetes.role", "The role."),
            _Setting("kubernetes.token.path", "The file with the service account's token.", _SERVICE_ACCOUNT),
        ),
        lambda get: LoginRequest(
            f"{get('kubernetes.auth.path')}/login",
            {
                "role": get("kubernetes.role"),
                "jwt": _file("kubernetes.token.path", get("kubernetes.token.path")),
            },
        ),
    ),
    "jwt": _Method(
        (
            _Setting("jwt.provider", "Where the method is mounted."),
            _Setting("jwt.role", "The role."),
            _Setting("jwt", "The token.", secret=True),
        ),
        lambda get: LoginRequest(f"auth/{get('jwt.provider')}/login", {"role": get("jwt.role"), "jwt": get("jwt")}),
    ),
    "gcp": _Method(
        (_Setting("gcp.role", "The role."), _Setting("gcp.jwt", "The token.", secret=True)),
        lambda get: LoginRequest("auth/gcp/login", {"role": get("gcp.role"), "jwt": get("gcp.jwt")}),
    ),
    "awsiam": _Method(
        (
            _Setting("aws.mount", "Where the method is mounted.", "aws"),
            _Setting("aws.role", "The role."),
            _Setting("aws.request.url", "The URL of the signed request, in base64."),
            _Setting("aws.request.body", "The body of the signed request, in base64.", secret=True),
            _Setting("aws.request.headers", "The headers of the signed request, in base64.", secret=True),
        ),
        lambda get: LoginRequest(
            f"auth/{get('aws.mount')}/login",
            {
                "role": get("aws.role"),
                "iam_http_request_method": "POST",
                "iam_request_url": get("aws.request.url"),
                "iam_request_body": get("aws.request.body"),
                "iam_request_headers": get("aws.request.headers"),
            },
        ),
    ),
    "github": _Method(
        (
            _Setting("github.mount", "Where the method is mounted.", "github"),
            _Setting("github.token", "The token.", secret=True),
        ),
        lambda get: LoginRequest(f"auth/{get('github.mount')}/login", {"token": get("github.token")}),
    ),
    "cert": _Method(
        (_Setting("cert.mount", "Where the method is mounted.", "cert"),),
        lambda get: LoginRequest(f"auth/{get('cert.mount')}/login"),
    ),
}


def define_methods(definition: ConfigDef) -> ConfigDef:
    """Adds the keys of all methods."""
    for name, method in METHODS.items():
        for setting in method.settings:
            definition.define(
                setting.key,
                Type.PASSWORD if setting.secret else Type.STRING,
                setting.default,
                importance=Importance.HIGH,
                doc=f"For the method `{name}`: {setting.doc}",
            )
    return definition


def login_request(method: str, config: AbstractConfig) -> LoginRequest:
    """The request that logs in. Raises ConfigException for a setting that is missing."""

    def get(key: str) -> str:
        value = config.get(key)
        if not value:
            raise ConfigException(key, None, f"Expected a value, since the method of the login is {method}")
        return value.value if isinstance(value, Password) else str(value)

    return METHODS[method].request(get)

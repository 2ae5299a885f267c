"""AWSSecretProvider: values from AWS Secrets Manager, `${aws:secret-name:key}`; needs `connectd[aws]`.

Name and keys are those of Lenses.io's `io.lenses.connect.secrets.providers.AWSSecretProvider`; nothing is written to disk.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import connectd
from connectd.config import AbstractConfig, CaseInsensitiveValidString, ConfigDef, Importance, Type
from connectd.errors import ConfigException, ConnectException, RetriableException
from connectd.providers import ConfigData, ConfigProvider
from plugins.providers.encodings import DEFAULT_TTL, decode, define_common, refuse_files

REGION: Final = "aws.region"
ACCESS_KEY: Final = "aws.access.key"
SECRET_KEY: Final = "aws.secret.key"  # noqa: S105 (the name of a setting)
AUTH_METHOD: Final = "aws.auth.method"
ENDPOINT: Final = "aws.endpoint.override"
SECRET_TYPE: Final = "secret.type"  # noqa: S105 (the name of a setting)

# What helps to try again: throttling, and errors of the service itself.
_RETRIABLE: Final = ("ThrottlingException", "InternalServiceError", "ServiceUnavailable")

# When a rotation is late, it is looked for again after this time.
_OVERDUE_MS: Final = 60_000


def _definition() -> ConfigDef:
    high, low = Importance.HIGH, Importance.LOW
    return define_common(
        ConfigDef()
        .define(REGION, Type.STRING, importance=high, doc="The region of the secrets.")
        .define(
            AUTH_METHOD,
            Type.STRING,
            "credentials",
            CaseInsensitiveValidString.in_("credentials", "default"),
            high,
            "`credentials` for the keys below, `default` for what the environment, the profile or the machine gives.",
        )
        .define(ACCESS_KEY, Type.STRING, "", importance=high, doc="The id of the access key, for `credentials`.")
        .define(SECRET_KEY, Type.PASSWORD, "", importance=high, doc="The secret access key, for `credentials`.")
        .define(ENDPOINT, Type.STRING, "", importance=low, doc="The URL of another service that is asked instead.")
        .define(
            SECRET_TYPE,
            Type.STRING,
            "json",
            CaseInsensitiveValidString.in_("json", "string"),
            low,
            "`json` for secrets that are objects with keys; `string` for others, whose only key is `value`.",
        )
    )


CONFIG: Final = _definition()


class AWSSecretProvider(ConfigProvider):
    """The path is the name or ARN of a secret; with a colon in it, use its name. A secret that rotates is due when it does."""

    JAVA_NAME = "io.lenses.connect.secrets.providers.AWSSecretProvider"
    version = connectd.__version__

    def __init__(self) -> None:
        self._client: Any = None

    def config(self) -> ConfigDef:
        return CONFIG

    def configure(self, configs: Mapping[str, Any]) -> None:
        """Raises ConfigException for wrong settings."""
        config = AbstractConfig(CONFIG, configs)
        refuse_files(config)
        self._is_json = config.get(SECRET_TYPE).lower() == "json"
        self._default_ttl_ms: int | None = config.get(DEFAULT_TTL) or None
        self._client = _connect(config)

    def get(self, path: str, keys: Collection[str] | None = None) -> ConfigData:
        """Raises ConnectException when there is no such secret, RetriableException when the service does not answer."""
        with _errors_named(f"The secret {path!r} cannot be read from AWS Secrets Manager"):
            described = self._client.describe_secret(SecretId=path)
            text = self._client.get_secret_value(SecretId=path).get("SecretString")
        if text is None:
            raise ConnectException(f"The secret {path!r} in AWS Secrets Manager is binary: expected a text")
        values = _object(path, text) if self._is_json else {"value": text}
        return ConfigData(decode(path, values, keys), self._ttl_ms(described))

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _ttl_ms(self, described: Mapping[str, Any]) -> int | None:
        rotates: datetime | None = described.get("NextRotationDate") if described.get("RotationEnabled") else None
        if rotates is None:
            return self._default_ttl_ms
        return max(_OVERDUE_MS, round((rotates - datetime.now(UTC)).total_seconds() * 1000))


def _object(path: str, text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        # Not with its cause, which would show the secret.
        raise ConnectException(
            f"The secret {path!r} in AWS Secrets Manager is not a JSON object: for others set {SECRET_TYPE} to string"
        )
    return values


def _connect(config: AbstractConfig) -> Any:
    try:
        import boto3
    except ImportError as error:
        raise ConfigException(f"AWSSecretProvider needs connectd[aws] to be installed: {error}") from error
    credentials = {}
    if config.get(AUTH_METHOD).lower() == "credentials":
        credentials = {
            "aws_access_key_id": _given(ACCESS_KEY, config.get(ACCESS_KEY)),
            "aws_secret_access_key": _given(SECRET_KEY, config.get(SECRET_KEY).value),
        }
    return boto3.session.Session(region_name=config.get(REGION), **credentials).client(
        "secretsmanager", endpoint_url=config.get(ENDPOINT) or None
    )


def _given(key: str, value: str) -> str:
    if not value:
        raise ConfigException(key, value, f"Expected a value, since {AUTH_METHOD} is credentials")
    return value


@contextlib.contextmanager
def _errors_named(what: str) -> Iterator[None]:
    """Turns the errors of botocore into ours; its messages name the request and hold no secret."""
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        kind = RetriableException if code in _RETRIABLE else ConnectException
        raise kind(f"{what}: {error}") from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError) as error:
        raise RetriableException(f"{what}: {error}") from error
    except exceptions.BotoCoreError as error:
        raise ConnectException(f"{what}: {error}") from error

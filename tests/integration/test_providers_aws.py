"""AWSSecretProvider against moto's server of AWS Secrets Manager."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from connectd.errors import ConfigException, ConnectException, RetriableException
from connectd.providers import ConfigProvider
from plugins.discovery import find_class

NAME = "io.lenses.connect.secrets.providers.AWSSecretProvider"
REGION = "eu-central-1"
DAY_MS = 24 * 3600 * 1000


@pytest.fixture(scope="module")
def service() -> Iterator[Any]:
    """A client of the service; `meta.endpoint_url` is where it is."""
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: connectd[aws]")
    moto = pytest.importorskip("moto.server", reason="moto is not installed: connectd[dev]")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "secretsmanager",
        region_name=REGION,
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    client.create_secret(Name="team/db", SecretString=json.dumps({"user": "ann", "password": "s3cret", "port": 5}))
    yield client
    client.close()
    server.stop()


def provider(service: Any, **configs: str) -> ConfigProvider:
    found: ConfigProvider = find_class(NAME, ConfigProvider)()
    found.configure(
        {
            "aws.region": REGION,
            "aws.access.key": "a",
            "aws.secret.key": "b",
            "aws.endpoint.override": service.meta.endpoint_url,
            **{key.replace("_", "."): value for key, value in configs.items()},
        }
    )
    return found


def test_a_secret_with_keys(service: Any) -> None:
    with provider(service) as found:
        assert found.get("team/db", ["user", "port", "missing"]).data == {"user": "ann", "port": "5"}
        everything = found.get("team/db")
    assert everything.data == {"user": "ann", "password": "s3cret", "port": "5"}
    assert everything.ttl_ms is None


def test_a_secret_that_is_a_text(service: Any) -> None:
    service.create_secret(Name="token", SecretString="geheim")
    with provider(service, secret_type="string", secret_default_ttl="7000") as found:
        answer = found.get("token", ["value", "other"])
    assert (answer.data, answer.ttl_ms) == ({"value": "geheim"}, 7000)
    with provider(service) as found, pytest.raises(ConnectException, match="is not a JSON object") as caught:
        found.get("token", ["value"])
    assert "geheim" not in str(caught.value)


def test_a_secret_that_rotates_is_due_then(service: Any) -> None:
    service.create_secret(Name="rotating", SecretString='{"password": "x"}')
    service.rotate_secret(SecretId="rotating", RotationRules={"AutomaticallyAfterDays": 3}, RotateImmediately=False)
    assert service.describe_secret(SecretId="rotating")["RotationEnabled"]
    with provider(service, secret_default_ttl="7000") as found:
        ttl_ms = found.get("rotating", ["password"]).ttl_ms
    assert ttl_ms is not None
    assert 2 * DAY_MS < ttl_ms <= 3 * DAY_MS


def test_the_keys_of_the_environment(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with provider(service, aws_auth_method="DEFAULT", aws_access_key="", aws_secret_key="") as found:
        assert found.get("team/db", ["user"]).data == {"user": "ann"}


def test_what_is_not_there(service: Any) -> None:
    with provider(service) as found, pytest.raises(ConnectException, match="'none' cannot be read"):
        found.get("none", ["user"])
    service.create_secret(Name="binary", SecretBinary=b"x")
    with provider(service) as found, pytest.raises(ConnectException, match="is binary"):
        found.get("binary", ["user"])


def test_no_service(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with provider(service, aws_endpoint_override="http://127.0.0.1:1") as found, pytest.raises(RetriableException):
        found.get("team/db", ["user"])


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("aws_auth_method", "magic", "String must be one of"),
        ("aws_access_key", "", "configuration aws.access.key"),
        ("aws_secret_key", "", "configuration aws.secret.key"),
        ("file_write", "true", "never writes secrets to disk"),
    ],
)
def test_wrong_settings_are_named(service: Any, key: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigException, match=expected):
        provider(service, **{key: value})

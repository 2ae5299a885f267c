"""VaultSecretProvider against a real server."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectd.errors import ConfigException, ConnectException, RetriableException
from connectd.providers import ConfigProvider
from plugins.discovery import find_class
from tests.support.vault import ROOT_TOKEN, vault_server

NAME = "io.lenses.connect.secrets.providers.VaultSecretProvider"
POLICY = 'path "secret/*" { capabilities = ["read"] }'


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with vault_server(tmp_path_factory.mktemp("vault")) as client:
        client.sys.create_or_update_policy("reader", POLICY)
        client.secrets.kv.v2.create_or_update_secret("team/db", secret={"user": "ann", "password": "s3cret", "port": 5})
        yield client


def provider(client: Any, configs: Mapping[str, str]) -> ConfigProvider:
    found: ConfigProvider = find_class(NAME, ConfigProvider)()
    found.configure({"vault.addr": client.url, **configs})
    return found


def by_root(client: Any, **configs: str) -> ConfigProvider:
    return provider(client, {"vault.token": ROOT_TOKEN, **{k.replace("_", "."): v for k, v in configs.items()}})


def test_versioned_secrets(vault: Any) -> None:
    with by_root(vault) as found:
        assert found.get("secret/team/db", ["user", "port", "missing"]).data == {"user": "ann", "port": "5"}
        everything = found.get("secret/team/db")
    assert everything.data == {"user": "ann", "password": "s3cret", "port": "5"}
    assert everything.ttl_ms is None


def test_the_default_ttl_and_the_lease(vault: Any) -> None:
    vault.sys.enable_secrets_engine("kv", path="old/engine", options={"version": "1"})
    vault.write("old/engine/db", user="bob", ttl="30s")
    with by_root(vault, secret_default_ttl="5000") as found:
        assert found.get("secret/team/db").ttl_ms == 5000
    with by_root(vault, vault_engine_version="1") as found:
        answer = found.get("old/engine/db", ["user"])
    assert (answer.data, answer.ttl_ms) == ({"user": "bob"}, 30_000)


def test_a_longer_prefix(vault: Any) -> None:
    vault.sys.enable_secrets_engine("kv", path="new/engine", options={"version": "2"})
    vault.secrets.kv.v2.create_or_update_secret("db", secret={"user": "eve"}, mount_point="new/engine")
    with by_root(vault, vault_prefix_depth="2") as found:
        assert found.get("new/engine/db").data == {"user": "eve"}


def test_encoded_values(vault: Any) -> None:
    encoded = base64.b64encode("pässword".encode()).decode()
    secret = {"base64_password": encoded, "base64_wrong": "ge!heim", "utf8_file_store": "x", "utf8_a": "ä"}
    vault.secrets.kv.v2.create_or_update_secret("encoded", secret=secret)
    with by_root(vault) as found:
        assert found.get("secret/encoded", ["base64_password", "utf8_a"]).data == {
            "base64_password": "pässword",
            "utf8_a": "ä",
        }
        with pytest.raises(ConnectException, match="base64_wrong at secret/encoded is not a text in base64") as caught:
            found.get("secret/encoded", ["base64_wrong"])
        assert "heim" not in str(caught.value)
        with pytest.raises(ConnectException, match="never writes secrets to disk"):
            found.get("secret/encoded", ["utf8_file_store"])


def test_what_is_not_there_or_not_allowed(vault: Any) -> None:
    with by_root(vault) as found, pytest.raises(ConnectException, match="secret/none"):
        found.get("secret/none", ["user"])
    token = vault.auth.token.create(policies=["default"])["auth"]["client_token"]
    with provider(vault, {"vault.token": token}) as found, pytest.raises(ConnectException, match="permission denied"):
        found.get("secret/team/db", ["user"])
    with pytest.raises(RetriableException):
        provider(vault, {"vault.addr": "http://127.0.0.1:1", "vault.token": "t"}).get("secret/team/db")


def test_login_by_user_and_password(vault: Any) -> None:
    vault.sys.enable_auth_method("userpass")
    vault.auth.userpass.create_or_update_user("worker", "its-password", policies=["reader"])
    login = {"vault.auth.method": "userpass", "username": "worker"}
    with provider(vault, {**login, "password": "its-password"}) as found:
        assert found.get("secret/team/db", ["user"]).data == {"user": "ann"}
    with pytest.raises(ConnectException, match="refuses the login") as caught:
        provider(vault, {**login, "password": "wr0ng-password"})
    assert "wr0ng" not in str(caught.value)
    with pytest.raises(ConfigException, match="configuration password"):
        provider(vault, login)


def test_login_by_role(vault: Any) -> None:
    vault.sys.enable_auth_method("approle", path="roles")
    vault.auth.approle.create_or_update_approle("worker", token_policies=["reader"], mount_point="roles")
    configs = {
        "vault.auth.method": "approle",
        "app.role.path": "roles",
        "app.role.id": vault.auth.approle.read_role_id("worker", mount_point="roles")["data"]["role_id"],
        "app.role.secret.id": vault.auth.approle.generate_secret_id("worker", mount_point="roles")["data"]["secret_id"],
    }
    with provider(vault, configs) as found:
        assert found.get("secret/team/db", ["user"]).data == {"user": "ann"}


def test_login_by_service_account(vault: Any, tmp_path: Path) -> None:
    """The method `jwt` of the server checks tokens as its method `kubernetes` does, with a key instead of a cluster."""
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    vault.sys.enable_auth_method("jwt", path="kubernetes")
    vault.write_data("auth/kubernetes/config", data={"jwt_validation_pubkeys": [public]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["reader"]}
    vault.write_data("auth/kubernetes/role/worker", data=role)
    token = tmp_path / "token"
    token.write_text(signed_token(key, sub="worker", aud="vault") + "\n")
    by_file = {"vault.auth.method": "kubernetes", "kubernetes.role": "worker", "kubernetes.token.path": str(token)}
    by_value = {"vault.auth.method": "jwt", "jwt.provider": "kubernetes", "jwt.role": "worker"}
    for configs in (by_file, {**by_value, "jwt": token.read_text().strip()}):
        with provider(vault, configs) as found:
            assert found.get("secret/team/db", ["user"]).data == {"user": "ann"}
    with pytest.raises(ConfigException, match=r"kubernetes\.token\.path: Cannot be read"):
        provider(vault, {**by_file, "kubernetes.token.path": str(tmp_path / "none")})


def signed_token(key: rsa.RSAPrivateKey, **claims: object) -> str:
    """A JSON Web Token (RFC 7519) that is valid for ten minutes."""
    now = int(time.time())
    parts = ({"alg": "RS256", "typ": "JWT"}, {"iat": now, "nbf": now, "exp": now + 600, **claims})
    signed = ".".join(base64_url(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{base64_url(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def base64_url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_is_renewed_when_it_is_used(vault: Any) -> None:
    token = vault.auth.token.create(policies=["reader"], ttl="1h", renewable=True)["auth"]["client_token"]
    assert "last_renewal" not in vault.lookup_token(token)["data"]
    with provider(vault, {"vault.token": token}) as found:
        assert found.get("secret/team/db", ["user"]).data == {"user": "ann"}
    assert "last_renewal" in vault.lookup_token(token)["data"]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("vault.auth.method", "magic", "String must be one of"),
        ("file.write", "true", "never writes secrets to disk"),
        ("vault.ssl.truststore.location", "/x.jks", "use vault.pem"),
        ("vault.engine.version", "3", "no more than 2"),
        ("vault.auth.method", "token", "configuration vault.token"),
    ],
)
def test_wrong_settings_are_named(vault: Any, key: str, value: str, expected: str) -> None:
    with pytest.raises(ConfigException, match=expected):
        provider(vault, {key: value})

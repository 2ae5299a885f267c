"""HTTPS with every kind of key store, and clients with certificates."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import aiohttp
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from connectd.errors import ConfigException
from supervisor.rest.settings import RestSettings
from tasks.settings import StandaloneConfig
from tests.support.certificates import CLIENT_NAME, Certificates, to_jks
from tests.support.rest import rest

PASSWORD = "hunter2"
HTTPS = {"listeners": "https://localhost:0"}


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


def pkcs12_file(path: Path, certificates: Certificates) -> Path:
    server = certificates.server
    encryption = BestAvailableEncryption(PASSWORD.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"server", server.key, server.certificate, [], encryption))
    return path


def pem_file(folder: Path, certificates: Certificates, password: str | None = None) -> str:
    path = folder / "server.pem"
    path.write_text(certificates.server.key_pem(password) + certificates.server.pem)
    return str(path)


def store(kind: str, folder: Path, certificates: Certificates) -> dict[str, str]:
    """Settings for the server's key in one of the ways that there are."""
    server = certificates.server
    match kind:
        case "PEM file":
            return {"ssl_keystore_type": "PEM", "ssl_keystore_location": pem_file(folder, certificates)}
        case "PEM file, encrypted":
            location = pem_file(folder, certificates, PASSWORD)
            return {"ssl_keystore_type": "PEM", "ssl_keystore_location": location, "ssl_key_password": PASSWORD}
        case "PEM in the settings":
            return {
                "ssl_keystore_type": "PEM",
                "ssl_keystore_key": server.key_pem(),
                "ssl_keystore_certificate_chain": server.pem,
            }
        case "PKCS12":
            location = str(pkcs12_file(folder / "server.p12", certificates))
            return {"ssl_keystore_type": kind, "ssl_keystore_location": location, "ssl_keystore_password": PASSWORD}
    jks = to_jks(pkcs12_file(folder / "server.p12", certificates), PASSWORD, "of the store", PASSWORD)
    return {
        "ssl_keystore_type": "JKS",
        "ssl_keystore_location": str(jks),
        "ssl_keystore_password": "of the store",
        "ssl_key_password": PASSWORD,
    }


def client(certificates: Certificates, folder: Path, *, known: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificates.root.pem)
    if known:
        chain = folder / "client.pem"
        chain.write_text(certificates.client.key_pem() + certificates.client_chain)
        context.load_cert_chain(chain)
    return context


@pytest.mark.parametrize("kind", ["PEM file", "PEM file, encrypted", "PEM in the settings", "PKCS12", "JKS"])
@pytest.mark.parametrize("prefix", ["", "listeners_https_"])
async def test_every_kind_of_key_store(tmp_path: Path, certificates: Certificates, kind: str, prefix: str) -> None:
    settings = {f"{prefix}{key}": value for key, value in store(kind, tmp_path, certificates).items()}
    async with rest(tmp_path, **HTTPS, **settings) as here:
        assert here.url.startswith("https://localhost:")
        answer = await here.create("c", tls=client(certificates, tmp_path))
        assert answer.status == 201
        assert answer.headers["Location"] == f"{here.url}/connectors/c"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await here.get("/", tls=ssl.create_default_context())


async def test_a_client_without_a_certificate_is_kept_out(tmp_path: Path, certificates: Certificates) -> None:
    trusted = certificates.trust_store(tmp_path / "trusted.p12", PASSWORD)
    settings = {
        **store("PEM file", tmp_path, certificates),
        "ssl_client_auth": "required",
        "ssl_truststore_type": "PKCS12",
        "ssl_truststore_location": str(trusted),
        "ssl_truststore_password": PASSWORD,
    }
    async with rest(tmp_path, **HTTPS, **settings) as here:
        assert (await here.get("/connectors", tls=client(certificates, tmp_path, known=True))).status == 200
        with pytest.raises(aiohttp.ClientError):
            await here.get("/connectors", tls=client(certificates, tmp_path))


async def test_the_name_in_a_certificate_has_a_role(tmp_path: Path, certificates: Certificates) -> None:
    settings = {
        **store("PEM file", tmp_path, certificates),
        "ssl_client_auth": "requested",
        "ssl_truststore_type": "PEM",
        "ssl_truststore_certificates": certificates.root.pem,
        "rest_roles_admin": CLIENT_NAME,
        "rest_roles_read": "*",
    }
    async with rest(tmp_path, **HTTPS, **settings) as here:
        stranger, known = client(certificates, tmp_path), client(certificates, tmp_path, known=True)
        assert (await here.get("/connectors", tls=stranger)).status == 200
        body = {"name": "c", "config": {}}
        assert (await here.post("/connectors", body, tls=stranger)).status == 403
        # A connection has one certificate.
        await here.session.close()
        here.session = aiohttp.ClientSession(skip_auto_headers=("Content-Type",))
        assert (await here.post("/connectors", body, tls=known)).status == 201
        await here.session.close()


async def test_only_the_versions_that_are_enabled(tmp_path: Path, certificates: Certificates) -> None:
    settings = {**store("PEM file", tmp_path, certificates), "ssl_enabled_protocols": "TLSv1.3"}
    async with rest(tmp_path, **HTTPS, **settings) as here:
        old = client(certificates, tmp_path)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(aiohttp.ClientConnectorError):
            await here.get("/", tls=old)
        assert (await here.get("/connectors", tls=client(certificates, tmp_path))).status == 200


async def test_a_client_that_begins_and_goes_on_with_nothing_disturbs_nobody(
    tmp_path: Path, certificates: Certificates
) -> None:
    async with rest(tmp_path, **HTTPS, **store("PEM file", tmp_path, certificates)) as here:
        port = int(here.url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")  # no TLS
        assert (await here.get("/connectors", tls=client(certificates, tmp_path))).status == 200
        writer.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "Expected a key store: an https listener needs a certificate"),
        ({"ssl.keystore.location": "/nowhere"}, "It cannot be used: No such file or directory"),
        ({"ssl.keystore.location": "{folder}/server.pem", "ssl.client.auth": "required"}, "Expected a trust store"),
        ({"ssl.keystore.location": "{folder}/encrypted.pem"}, "Expected ssl.key.password beside it"),
        ({"ssl.keystore.location": "{folder}/encrypted.pem", "ssl.key.password": "wrong one"}, "cannot be used"),
    ],
)
def test_wrong_settings_say_which(
    tmp_path: Path, certificates: Certificates, settings: dict[str, str], message: str
) -> None:
    (tmp_path / "encrypted.pem").write_text(certificates.server.key_pem(PASSWORD) + certificates.server.pem)
    pem_file(tmp_path, certificates)
    worker = {
        "bootstrap.servers": "x:1",
        "key.converter": "StringConverter",
        "value.converter": "StringConverter",
        "offset.storage.file.filename": "offsets",
        "listeners": "https://localhost:0",
        "ssl.keystore.type": "PEM",
        **{key: value.format(folder=tmp_path) for key, value in settings.items()},
    }
    with pytest.raises(ConfigException, match=message) as refused:
        RestSettings.of(StandaloneConfig(worker))
    assert "ssl." in str(refused.value)
    assert "wrong one" not in str(refused.value)

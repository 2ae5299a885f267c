"""TLS of kafka-python, from the settings of Java's clients, against a server that demands a certificate."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectd.errors import ConfigException
from tasks.clients import worker_admin_settings
from tasks.clients.kafka_python import kafka_python_conf
from tasks.settings import WorkerConfig
from tests.support.certificates import CLIENT_NAME, Certificates
from tests.support.tls_server import WAIT_S, Server

Settings = dict[str, str]


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


@pytest.fixture
def server(certificates: Certificates, tmp_path: Path) -> Iterator[Server]:
    server = Server(certificates, tmp_path)
    yield server
    server.close()


@pytest.fixture
def trust(certificates: Certificates) -> Settings:
    return {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": certificates.root.pem}


@pytest.fixture
def identity(certificates: Certificates) -> Settings:
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": certificates.client.key_pem(),
        "ssl.keystore.certificate.chain": certificates.client_chain,
    }


def context(settings: Settings) -> ssl.SSLContext:
    base = {"bootstrap.servers": "k:1", "key.converter": "K", "value.converter": "V", "security.protocol": "SSL"}
    found = kafka_python_conf(worker_admin_settings(WorkerConfig(base | settings), "me"))["ssl_context"]
    assert isinstance(found, ssl.SSLContext)
    return found


def connected_as(server: Server, settings: Settings, host: str = "localhost") -> str:
    """The name in the certificate that the server saw, or an error of either side."""
    try:
        with (
            socket.create_connection(("127.0.0.1", server.port), WAIT_S) as plain,
            context(settings).wrap_socket(plain, server_hostname=host),
        ):
            return server.seen.get(timeout=WAIT_S)
    except ssl.SSLError as error:
        return f"error: {error}"


def test_identity_and_trust_as_texts(server: Server, trust: Settings, identity: Settings) -> None:
    assert connected_as(server, trust | identity) == CLIENT_NAME


def test_a_key_leaves_no_file_behind(trust: Settings, identity: Settings) -> None:
    open_files = Path("/proc/self/fd")
    before = len(list(open_files.iterdir()))
    context(trust | identity)
    assert len(list(open_files.iterdir())) == before


def test_stores_in_pkcs12_files(server: Server, certificates: Certificates, tmp_path: Path) -> None:
    settings = {
        "ssl.keystore.location": str(certificates.key_store(tmp_path / "client.p12", "one")),
        "ssl.keystore.password": "one",
        "ssl.truststore.location": str(certificates.trust_store(tmp_path / "trust.p12", "two")),
        "ssl.truststore.password": "two",
    }
    assert connected_as(server, settings) == CLIENT_NAME


def test_a_key_with_a_password(server: Server, certificates: Certificates, trust: Settings, identity: Settings) -> None:
    locked = {"ssl.keystore.key": certificates.client.key_pem("s3cret"), "ssl.key.password": "s3cret"}
    assert connected_as(server, trust | identity | locked) == CLIENT_NAME


def test_a_key_whose_password_is_missing(certificates: Certificates, trust: Settings, identity: Settings) -> None:
    locked = {"ssl.keystore.key": certificates.client.key_pem("s3cret")}
    with pytest.raises(ConfigException, match=r"ssl\.key\.password is not set") as refused:
        context(trust | identity | locked)
    assert (refused.value.key, "PRIVATE" in str(refused.value)) == ("ssl.keystore.key", False)


def test_files_under_the_names_of_librdkafka(server: Server, certificates: Certificates, tmp_path: Path) -> None:
    contents = {
        "ssl.ca.location": certificates.root.pem,
        "ssl.certificate.location": certificates.client_chain,
        "ssl.key.location": certificates.client.key_pem(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    assert connected_as(server, {name: str(tmp_path / name) for name in contents}) == CLIENT_NAME


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigException, match="No such file") as refused:
        context({"ssl.ca.location": str(tmp_path / "none")})
    assert refused.value.key == "ssl.ca.location"


def test_an_identity_that_is_missing_is_noticed_by_the_server(server: Server, trust: Settings) -> None:
    assert connected_as(server, trust).startswith("error: ")


def test_a_trusted_certificate_need_not_be_a_root(
    server: Server, certificates: Certificates, identity: Settings
) -> None:
    trust = {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": certificates.server.pem}
    assert connected_as(server, trust | identity) == CLIENT_NAME


def test_a_server_that_is_not_trusted(server: Server, identity: Settings) -> None:
    trust = {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": Certificates().root.pem}
    assert "certificate verify failed" in connected_as(server, trust | identity)


def test_another_hosts_certificate_is_refused_unless_names_are_not_checked(
    server: Server, trust: Settings, identity: Settings
) -> None:
    assert "certificate verify failed" in connected_as(server, trust | identity, host="127.0.0.1")
    assert server.seen.get(timeout=WAIT_S).startswith("error: ")
    unchecked = {"ssl.endpoint.identification.algorithm": ""}
    assert connected_as(server, trust | identity | unchecked, host="127.0.0.1") == CLIENT_NAME


def test_ciphers_are_chosen(trust: Settings) -> None:
    chosen = context(trust | {"ssl.cipher.suites": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"})
    before_tls_1_3 = [each["name"] for each in chosen.get_ciphers() if each["protocol"] != "TLSv1.3"]
    assert before_tls_1_3 == ["ECDHE-RSA-AES128-GCM-SHA256"]

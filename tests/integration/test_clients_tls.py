"""TLS settings of Java's clients against a server that demands a certificate: every kind of store, both directions checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from connectd.errors import ConfigException
from tasks.clients import create, producer_settings
from tasks.settings import SourceConnectorConfig, WorkerConfig
from tests.support.certificates import CLIENT_NAME, Certificates, to_jks
from tests.support.tls_server import WAIT_S, Server

STORE_PASSWORD, KEY_PASSWORD = "store s3cret", "key s3cret"

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


def producer(port: int, settings: Settings, host: str = "localhost") -> Producer:
    worker = WorkerConfig({"bootstrap.servers": f"{host}:{port}", "key.converter": "K", "value.converter": "V"})
    connector = SourceConnectorConfig(
        {
            "name": "tls",
            "connector.class": "C",
            "producer.override.security.protocol": "SSL",
            "producer.override.broker.address.family": "v4",
            **{f"producer.override.{name}": value for name, value in settings.items()},
        }
    )
    return create(Producer, producer_settings(worker, connector, 0))


def connected_as(server: Server, settings: Settings, host: str = "localhost") -> str:
    """The name in the certificate that the server saw, or its error."""
    client = producer(server.port, settings, host=host)
    client.produce("any", b"")  # so that it connects
    seen = server.seen.get(timeout=WAIT_S)
    client.purge()
    client.flush(WAIT_S)
    return seen


class TestIdentity:
    def test_in_a_pkcs12_file(
        self, certificates: Certificates, server: Server, trust: Settings, tmp_path: Path
    ) -> None:
        store = certificates.key_store(tmp_path / "client.p12", STORE_PASSWORD)
        keys = {
            "ssl.keystore.type": "PKCS12",
            "ssl.keystore.location": str(store),
            "ssl.keystore.password": STORE_PASSWORD,
        }
        assert connected_as(server, trust | keys) == CLIENT_NAME

    def test_in_a_jks_file_whose_key_has_a_password_of_its_own(
        self, certificates: Certificates, server: Server, trust: Settings, tmp_path: Path
    ) -> None:
        store = to_jks(certificates.key_store(tmp_path / "client.p12", "p12"), "p12", STORE_PASSWORD, KEY_PASSWORD)
        keys = {
            "ssl.keystore.location": str(store),
            "ssl.keystore.password": STORE_PASSWORD,
            "ssl.key.password": KEY_PASSWORD,
        }
        assert connected_as(server, trust | keys) == CLIENT_NAME

    @pytest.mark.parametrize("password", [None, KEY_PASSWORD])
    def test_in_a_pem_file(
        self, certificates: Certificates, server: Server, trust: Settings, tmp_path: Path, password: str | None
    ) -> None:
        store = tmp_path / "client.pem"
        store.write_text(f"about\nthis file\n{certificates.client.key_pem(password)}{certificates.client_chain}")
        keys = {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(store)}
        if password is not None:
            keys["ssl.key.password"] = password
        assert connected_as(server, trust | keys) == CLIENT_NAME

    def test_as_pem_texts_without_line_breaks(self, server: Server, trust: Settings, identity: Settings) -> None:
        one_line = {name: " ".join(value.split("\n")) for name, value in (trust | identity).items()}
        assert connected_as(server, one_line) == CLIENT_NAME

    def test_missing_is_noticed_by_the_server(self, server: Server, trust: Settings) -> None:
        assert connected_as(server, trust).startswith("error: ")


class TestTrust:
    def test_in_a_pkcs12_file(
        self, certificates: Certificates, server: Server, identity: Settings, tmp_path: Path
    ) -> None:
        store = certificates.trust_store(tmp_path / "trust.p12", STORE_PASSWORD, certificates.below, certificates.root)
        keys = {"ssl.truststore.location": str(store), "ssl.truststore.password": STORE_PASSWORD}
        assert connected_as(server, identity | keys) == CLIENT_NAME

    @pytest.mark.parametrize("password", [None, STORE_PASSWORD])
    def test_in_a_jks_file_even_without_its_password(
        self, certificates: Certificates, server: Server, identity: Settings, tmp_path: Path, password: str | None
    ) -> None:
        p12 = certificates.trust_store(tmp_path / "trust.p12", "p12", certificates.below, certificates.root)
        keys = {"ssl.truststore.location": str(to_jks(p12, "p12", STORE_PASSWORD))}
        if password is not None:
            keys["ssl.truststore.password"] = password
        assert connected_as(server, identity | keys) == CLIENT_NAME

    def test_in_a_pem_file(
        self, certificates: Certificates, server: Server, identity: Settings, tmp_path: Path
    ) -> None:
        store = tmp_path / "trust.pem"
        store.write_text(certificates.below.pem + certificates.root.pem)
        keys = {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(store)}
        assert connected_as(server, identity | keys) == CLIENT_NAME

    def test_in_others_refuses_the_server(self, certificates: Certificates, server: Server, identity: Settings) -> None:
        keys = {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": Certificates().root.pem}
        assert connected_as(server, identity | keys).startswith("error: ")

    def test_of_another_hosts_certificate_is_refused(self, server: Server, identity: Settings, trust: Settings) -> None:
        assert connected_as(server, identity | trust, host="127.0.0.1").startswith("error: ")

    def test_of_another_hosts_certificate_passes_if_host_names_are_not_checked(
        self, server: Server, identity: Settings, trust: Settings
    ) -> None:
        unchecked = {"ssl.endpoint.identification.algorithm": ""}
        assert connected_as(server, identity | trust | unchecked, host="127.0.0.1") == CLIENT_NAME


class TestMistakes:
    def refusal(self, settings: Settings) -> ConfigException:
        with pytest.raises(ConfigException) as refused:
            producer(1, settings)
        assert "s3cret" not in str(refused.value)
        return refused.value

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        error = self.refusal({"ssl.keystore.location": str(tmp_path / "none.p12")})
        assert (error.key, error.value) == ("producer.override.ssl.keystore.location", str(tmp_path / "none.p12"))
        assert "No such file" in str(error)

    @pytest.mark.parametrize("kind", ["p12", "jks"])
    def test_a_wrong_store_password(self, certificates: Certificates, tmp_path: Path, kind: str) -> None:
        store = certificates.trust_store(tmp_path / "trust.p12", STORE_PASSWORD)
        if kind == "jks":
            store = to_jks(store, STORE_PASSWORD, STORE_PASSWORD)
        keys = {"ssl.truststore.location": str(store), "ssl.truststore.password": "other s3cret"}
        assert self.refusal(keys).key == "producer.override.ssl.truststore.location"

    def test_a_wrong_key_password(self, certificates: Certificates, tmp_path: Path) -> None:
        store = to_jks(certificates.key_store(tmp_path / "client.p12", "p12"), "p12", STORE_PASSWORD, KEY_PASSWORD)
        keys = {"ssl.keystore.location": str(store), "ssl.keystore.password": STORE_PASSWORD}
        error = self.refusal(keys)
        assert (error.key, "right password" in str(error)) == ("producer.override.ssl.keystore.location", True)

    def test_a_store_without_what_is_wanted(self, certificates: Certificates, tmp_path: Path) -> None:
        trust = to_jks(certificates.trust_store(tmp_path / "trust.p12", "p12"), "p12", STORE_PASSWORD)
        error = self.refusal({"ssl.keystore.location": str(trust), "ssl.keystore.password": STORE_PASSWORD})
        assert "a store with a private key" in str(error)

    def test_a_damaged_file(self, certificates: Certificates, tmp_path: Path) -> None:
        store = to_jks(certificates.trust_store(tmp_path / "trust.p12", "p12"), "p12", STORE_PASSWORD)
        store.write_bytes(store.read_bytes()[:-100])
        assert "a JKS file that is whole" in str(self.refusal({"ssl.truststore.location": str(store)}))

    @pytest.mark.parametrize("content", [b"text", b"\x00\xff"])
    def test_a_file_that_is_no_store(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "store").write_bytes(content)
        assert self.refusal({"ssl.truststore.location": str(tmp_path / "store")}).key is not None

    def test_a_key_without_its_certificates(self, certificates: Certificates) -> None:
        error = self.refusal({"ssl.keystore.type": "PEM", "ssl.keystore.key": certificates.client.key_pem()})
        assert error.key == "producer.override.ssl.keystore.key"
        assert "PRIVATE KEY" not in str(error)

    def test_a_type_that_does_not_exist(self) -> None:
        error = self.refusal({"ssl.truststore.type": "JCEKS"})
        assert (error.key, "JKS, PKCS12, PEM" in str(error)) == ("producer.override.ssl.truststore.type", True)

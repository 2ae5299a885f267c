"""A context with everything that a secured cluster asks for: own authority, client certificate, user and password."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from supervisor.cli import cli
from supervisor.embedded.ports import free_port
from supervisor.exit_codes import CommandExit
from tests.support.certificates import Certificates
from tests.support.processes import wait_until
from tests.support.worker_process import worker_process

PLUGINS = Path(__file__).parent / "plugins"
STRING = "org.apache.kafka.connect.storage.StringConverter"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contexts")


@pytest.fixture(scope="module")
def certificates(folder: Path) -> Certificates:
    """With the files that a client needs: `ca.pem`, `client.pem`, `client.key`, and an authority of somebody else's."""
    found = Certificates()
    (folder / "server.pem").write_text(found.server.key_pem() + found.server.pem)
    (folder / "ca.pem").write_text(found.root.pem)
    (folder / "client.pem").write_text(found.client_chain)
    (folder / "client.key").write_text(found.client.key_pem())
    (folder / "other.pem").write_text(Certificates().root.pem)
    return found


@pytest.fixture(scope="module")
def url(folder: Path, certificates: Certificates) -> Iterator[str]:
    """Of a worker that lets in only clients with a certificate, and of these who logs in; there is no Kafka, nor need of one."""
    port = free_port()
    (folder / "users.properties").write_text("ada=lovelace\nrita=reads\n")
    (folder / "worker.properties").write_text(
        f"bootstrap.servers=127.0.0.1:1\nkey.converter={STRING}\nvalue.converter={STRING}\n"
        f"offset.storage.file.filename={folder}/offsets\nplugin.path={PLUGINS}\nlog.levels=tasks=OFF\n"
        f"listeners=https://localhost:{port}\n"
        f"ssl.keystore.type=PEM\nssl.keystore.location={folder}/server.pem\n"
        f"ssl.truststore.type=PEM\nssl.truststore.location={folder}/ca.pem\nssl.client.auth=required\n"
        "rest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension\n"
        f"rest.basic.auth.file={folder}/users.properties\nrest.roles.read=rita\nrest.roles.admin=ada\n"
    )
    (folder / "talks.properties").write_text(f"name=talks\nconnector.class=TalkativeSource\norders={folder}/talks\n")
    with worker_process(folder, "worker.properties", "talks.properties") as worker:
        worker.wait_until_runs("talks-0")
        wait_until(lambda: "REST API at https://" in worker.log.read_text(), "it serves")
        yield f"https://localhost:{port}"
        assert worker.stop() == 0


class User:
    """Somebody at a shell, with contexts of their own."""

    def __init__(self, folder: Path, contexts: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self._environment = {"CONNECTD_CONTEXTS": str(contexts / "contexts.json"), "CONNECTD_URL": None}

    def __call__(self, *arguments: str, code: int = 0, input: str | None = None) -> Result:
        result = CliRunner().invoke(cli, arguments, input=input, env=self._environment)
        assert result.exit_code == code, (arguments, result.output, result.exception)
        return result

    def set(self, name: str, *more: str, ca: str = "ca.pem", with_certificate: bool = True) -> None:
        """Make a context, and use it."""
        own = ("--certificate", f"{self._folder}/client.pem", "--key", f"{self._folder}/client.key")
        trust = ("--cluster", self._url, "--ca-file", f"{self._folder}/{ca}")
        self("config", "set-context", name, *trust, *(own if with_certificate else ()), *more, input="lovelace\n")


@pytest.fixture
def user(folder: Path, tmp_path: Path, url: str) -> User:
    return User(folder, tmp_path, url)


def test_who_has_certificate_and_password_does_everything(user: User, tmp_path: Path) -> None:
    user.set("secured", "--username", "ada", "--password", "-")
    assert json.loads(user("get", "connectors", "-o", "json").stdout)[0]["name"] == "talks"
    assert user("wait", "talks").stdout == "talks running\n"
    assert "task talks-0 is RUNNING" in user("logs", "talks").stdout
    # Which is asked of the worker by the name that it has in states.
    assert [each["pid"] is not None for each in json.loads(user("top", "-o", "json").stdout) if each["task"] == 0] == [
        True
    ]
    user("patch", "connector", "talks", "--set", "mood=good")
    assert "mood" in user("describe", "connector", "talks").stdout
    user("restart", "talks", "--tasks")
    assert "lovelace" not in user("config", "get-contexts", "-o", "json").stdout
    # Completion talks to the cluster in the same way.
    completed = CliRunner().invoke(
        cli,
        [],
        prog_name="connectd",
        env={
            "CONNECTD_CONTEXTS": str(tmp_path / "contexts.json"),
            "_CONNECTD_COMPLETE": "bash_complete",
            "COMP_WORDS": "connectd logs ta",
            "COMP_CWORD": "2",
        },
    )
    assert completed.output == "plain,talks\n"


def test_a_password_may_be_in_a_file_of_its_own_and_a_reader_changes_nothing(user: User, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("reads\n")
    user.set("reader", "--username", "rita", "--password-file", str(tmp_path / "password"))
    assert "talks" in user("get", "tasks").stdout
    assert "RUNNING" in user("logs", "talks").stdout
    assert "role operate" in user("pause", "talks", code=CommandExit.REFUSED).stderr
    (tmp_path / "password").unlink()
    assert "the password cannot be read" in user("get", "tasks", code=CommandExit.CONFIG).stderr


def test_what_is_missing_is_said(user: User) -> None:
    user.set("nobody")
    assert "User cannot access the resource" in user("get", "connectors", code=CommandExit.REFUSED).stderr
    user.set("without", "--username", "ada", "--password", "lovelace", with_certificate=False)
    assert "no worker answers" in user("get", "connectors", code=CommandExit.UNAVAILABLE).stderr
    user.set("stranger", "--username", "ada", "--password", "lovelace", ca="other.pem")
    assert "certificate verify failed" in user("get", "connectors", code=CommandExit.UNAVAILABLE).stderr
    user.set("typo", "--username", "ada", "--password", "lovelace", ca="no-such.pem")
    assert "no-such.pem" in user("get", "connectors", code=CommandExit.CONFIG).stderr

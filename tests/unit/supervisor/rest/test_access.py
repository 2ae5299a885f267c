"""Who may do what: users of Java's basic authentication extension, certificates, roles, masked passwords, the audit log."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from connectd.errors import ConfigException
from supervisor.herder.signatures import RequestSignature, signed
from supervisor.rest.credentials import credentials_file
from supervisor.rest.roles import Role
from supervisor.rest.routes import ROUTES
from supervisor.rest.routing import Scope
from tests.support.rest import Rest, rest

EXTENSION = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
USERS = "rita=read\noscar=oper:ate\nada=admin\nnora=none\n"
ROLES = {"rest_roles_read": "rita", "rest_roles_operate": "oscar", "rest_roles_admin": "ada"}
PASSWORDS = dict(line.split("=") for line in USERS.split())
OF_ROLE = {Role.READ: "rita", Role.OPERATE: "oscar", Role.ADMIN: "ada"}


def login(folder: Path, **more: str) -> dict[str, str]:
    (folder / "users.properties").write_text(USERS)
    return {"rest_extension_classes": EXTENSION, "rest_basic_auth_file": str(folder / "users.properties"), **more}


def as_user(name: str) -> str:
    return f"{name}:{PASSWORDS[name]}"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Basic",
        "Basic !",
        "Basic /w==",  # not UTF-8
        "Basic cml0YQ==",  # no password
        "Basic cml0YTp3cm9uZw==",  # rita:wrong
        "Basic bm9ib2R5OnJlYWQ=",  # nobody:read
        "Basic Og==",  # neither
        "Bearer cml0YTpyZWFk",
    ],
)
async def test_nobody_gets_in_without_the_right_password(tmp_path: Path, header: str | None) -> None:
    async with rest(tmp_path, **login(tmp_path)) as here:
        answer = await here.get("/connectors", headers={} if header is None else {"Authorization": header})
        assert (answer.status, answer.message) == (401, "User cannot access the resource.")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        refused = await here.create("c")
        assert refused.status == 401
        assert not here.world.herder.connectors()


async def test_who_logs_in_may_do_everything_where_there_are_no_roles(tmp_path: Path) -> None:
    async with rest(tmp_path, **login(tmp_path)) as here:
        assert (await here.get("/connectors", user="oscar:oper:ate")).status == 200
        body = {"name": "c", "config": {}}
        assert (await here.post("/connectors", body, user="rita:read")).status == 201


async def test_users_are_read_again_when_the_file_has_changed(tmp_path: Path) -> None:
    async with rest(tmp_path, **login(tmp_path)) as here:
        assert (await here.get("/", user="rita:read")).status == 200
        (tmp_path / "users.properties").write_text("rita=another password\n")
        assert (await here.get("/", user="rita:read")).status == 401
        assert (await here.get("/", user="rita:another password")).status == 200
        (tmp_path / "users.properties").unlink()
        assert (await here.get("/", user="rita:another password")).status == 200


def test_the_file_of_users_is_found_as_java_finds_it(tmp_path: Path) -> None:
    jaas = tmp_path / "jaas.conf"
    jaas.write_text(
        """
        // Other sections do not count.
        KafkaClient { org.example.PlainLoginModule required password="x"; };
        KafkaConnect {
            org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required
            file="/etc/users";
        };
        """
    )
    environment = {"KAFKA_OPTS": f"-Xmx1g -Djava.security.auth.login.config={jaas}"}
    assert credentials_file(None, environment) == "/etc/users"
    assert credentials_file("/mine", environment) == "/mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "Expected the file with the users, or a JAAS file in the environment"),
        ("Other { M required; };", "Expected a section KafkaConnect"),
        ("KafkaConnect { org.example.Other required file=x; };", "Expected in the section KafkaConnect a Property"),
        ("KafkaConnect { PropertyFileLoginModule required; };", "Expected in the section KafkaConnect a Property"),
        ("KafkaConnect { PropertyFileLoginModule perhaps; };", "Expected in the section KafkaConnect a login module"),
    ],
)
def test_jaas_files_that_do_not_name_users(tmp_path: Path, text: str | None, message: str) -> None:
    jaas = tmp_path / "jaas.conf"
    options = ""
    if text is not None:
        jaas.write_text(text)
        options = f"-Djava.security.auth.login.config={jaas}"
    with pytest.raises(ConfigException, match=re.escape(message)):
        credentials_file(None, {"KAFKA_OPTS": options})


@pytest.mark.parametrize("role", Role)
async def test_every_operation_has_the_role_that_the_table_says(tmp_path: Path, role: Role) -> None:
    async with rest(tmp_path, **login(tmp_path, **ROLES)) as here:
        for route in ROUTES:
            if route.scope is Scope.INTERNAL:
                continue
            path = re.sub(r"\{\w+\}", "0", route.path)
            body = b"not JSON" if route.request is not None else None
            answer = await here.request(route.method, path, body, user=as_user(OF_ROLE[role]))
            assert (answer.status == 403) is (role < route.role), f"{role} {route.method} {path}: {answer.status}"
            if answer.status == 403:
                assert answer.message == (
                    f"This needs the role {route.role.name.lower()}, which {OF_ROLE[role]} does not have"
                )


async def test_who_does_not_sign_needs_the_role_to_write_a_connector_for_a_worker(tmp_path: Path) -> None:
    """Whatever the group's connect.protocol is; the herder here is one of those that ask for no signature."""
    key, path, body = b"the key", "/connectd/v1/connectors/c", b'{"config":null}'
    async with rest(tmp_path, **login(tmp_path, **ROLES)) as here:
        herder: Any = here.world.herder
        checked: list[RequestSignature] = []
        herder.require_valid = checked.append

        async def write(*_: Any) -> None:
            """Done."""

        herder.write_connector = write
        signature = signed(key, "HmacSHA256", body)
        for half in ({}, *({name: value} for name, value in signature.items())):
            assert (await here.put(path, body, headers=half)).status == 401
            assert (await here.put(path, body, headers=half, user=as_user("oscar"))).status == 403
        assert checked == []
        assert (await here.put(path, body, user=as_user("ada"))).status == 204
        assert (await here.put(path, body, headers=signature)).status == 204
        assert [each.is_valid(key) for each in checked] == [True]


async def test_a_user_without_a_role_may_nothing_and_everybody_may_what_is_given_to_all(tmp_path: Path) -> None:
    async with rest(tmp_path, **login(tmp_path, **ROLES)) as here:
        assert (await here.get("/connectors", user=as_user("nora"))).status == 403
    (tmp_path / "second").mkdir()
    async with rest(tmp_path / "second", **login(tmp_path, rest_roles_read="*", rest_roles_admin="ada")) as here:
        assert (await here.get("/connectors", user=as_user("nora"))).status == 200
        assert (await here.put("/connectors/c/pause", user=as_user("nora"))).status == 403
        assert (await here.put("/connectors/c/pause", user=as_user("ada"))).status == 404


async def test_roles_without_users_need_no_login(tmp_path: Path) -> None:
    async with rest(tmp_path, rest_roles_read="*") as here:
        assert (await here.get("/connectors")).status == 200
        answer = await here.create("c")
        assert (answer.status, "which anonymous does not have" in answer.message) == (403, True)


SECRETS = {
    "connection.password": "hunter2",
    "sasl.jaas.config": "Module required password=hunter2;",
    "reference.password": "${file:/run/secrets:password}",
    "tasks": "1",
    "each.db.token": "hunter2",
}


async def with_secrets(here: Rest) -> None:
    answer = await here.post("/connectors", {"name": "c", "config": SECRETS}, user=as_user("ada"))
    assert answer.status == 201
    await here.world.running("c-0")


async def test_passwords_are_hidden_from_who_may_not_write_them(tmp_path: Path) -> None:
    paths = ("/connectors/c", "/connectors/c/config", "/connectors/c/tasks", "/connectors?expand=info&expand=status")
    async with rest(tmp_path, **login(tmp_path, **ROLES)) as here:
        await with_secrets(here)
        for path in paths:
            for user in ("rita", "oscar"):
                assert "hunter2" not in (await here.get(path, user=as_user(user))).text
            assert "hunter2" in (await here.get(path, user=as_user("ada"))).text
        config = (await here.get("/connectors/c/config", user=as_user("rita"))).body
        assert config == {
            "name": "c",
            "connection.password": "[hidden]",
            "sasl.jaas.config": "[hidden]",
            "reference.password": "${file:/run/secrets:password}",
            "tasks": "1",
            "each.db.token": "[hidden]",
        }
        # Get, edit, put: for who may write.
        edited = {**(await here.get("/connectors/c/config", user=as_user("ada"))).body, "tasks": "2"}
        assert (await here.put("/connectors/c/config", edited, user=as_user("ada"))).status == 200
        assert here.world.herder.info("c").config["connection.password"] == "hunter2"


async def test_the_audit_log_says_who_did_what_and_what_became_of_it(tmp_path: Path) -> None:
    async with rest(tmp_path, **login(tmp_path, **ROLES)) as here:
        with capture_logs() as logs:
            await with_secrets(here)
            await here.put("/connectors/c/pause", user=as_user("oscar"))
            await here.request("DELETE", "/connectors/c", user=as_user("oscar"))
            await here.request(
                "PATCH", "/connectors/c/config", b'{"connection.password": "hunter2', user=as_user("ada")
            )
            await here.get("/connectors", user=as_user("rita"))
            await here.get("/connectors", user="rita:hunter2")
            await here.put("/connector-plugins/X/config/validate", {"p": "hunter2"}, user=as_user("ada"))
        audited = [
            (event["event"], event["user"], event["method"], event["path"], event["status"])
            for event in logs
            if event["log_level"] in ("info", "warning") and "user" in event and "method" in event
        ]
        assert audited == [
            ("create_connector done", "ada", "POST", "/connectors", 201),
            ("pause_connector done", "oscar", "PUT", "/connectors/c/pause", 202),
            ("destroy_connector refused", "oscar", "DELETE", "/connectors/c", 403),
            ("patch_connector_config refused", "ada", "PATCH", "/connectors/c/config", 400),
        ]
        assert all(event["remote"] == "127.0.0.1" for event in logs if "user" in event)
        assert [event["user"] for event in logs if event["event"] == "failed to log in"] == ["rita"]
        assert "hunter2" not in str(logs)

"""Requests that another worker must carry out are forwarded to it, and what workers send each other is signed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from supervisor.herder.errors import BadRequest, Forbidden, RequestTarget
from supervisor.herder.signatures import ALGORITHM, SIGNATURE, RequestSignature, signed
from supervisor.rest import client
from supervisor.rest.errors import RestException
from tests.support.certificates import Certificates
from tests.support.rest import Rest, rest

KEY = b"the key of the group"
CONNECTOR = {"name": "c", "config": {"tasks": "1"}}


class Follower:
    """A herder that sends every write to the worker at `url`."""

    def __init__(self, url: str | None) -> None:
        self.url = url

    def require_signed(self, signature: RequestSignature | None) -> None:
        """The leader looks at it."""

    async def catch_up(self) -> None:
        """It knows nothing of connectors."""

    def __getattr__(self, name: str) -> Any:
        async def elsewhere(*_: Any, **__: Any) -> Any:
            raise RequestTarget("The leader is not known", self.url)

        return elsewhere


class Leader:
    """A herder that notes what other workers of its group tell it."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def require_signed(self, signature: RequestSignature | None) -> None:
        if signature is None:
            raise BadRequest("Internal request missing required signature")
        if not signature.is_valid(KEY):
            raise Forbidden("Internal request contained invalid signature.")

    async def put_task_configs(self, name: str, configs: Sequence[Mapping[str, str]]) -> None:
        self.told.append((name, configs))

    async def fence_zombies(self, name: str) -> None:
        self.told.append((name, "fence"))


@contextlib.asynccontextmanager
async def chain(folder: Path, followers: int, **settings: str) -> AsyncIterator[tuple[Rest, Rest]]:
    """A leader, and the last of some workers each of which takes the one before it for the leader."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(name: str, herder: Any = None) -> Rest:
            (folder / name).mkdir()
            return await stack.enter_async_context(rest(folder / name, herder, **settings))

        leader = last = await start("leader")
        for number in range(followers):
            last = await start(f"follower-{number}", Follower(last.url))
        yield leader, last


async def test_the_leader_answers_for_another_worker(tmp_path: Path) -> None:
    async with chain(tmp_path, 1) as (leader, follower):
        created = await follower.post("/connectors", CONNECTOR)
        assert (created.status, created.body["name"]) == (201, "c")
        assert created.headers["Location"] == f"{follower.url}/connectors/c"
        assert leader.world.herder.connectors() == ["c"]
        again = await follower.post("/connectors", CONNECTOR)
        assert (again.status, again.message) == (409, "Connector c already exists")
        state = await follower.post("/connectors/c/restart?includeTasks=true")
        assert (state.status, state.body["connector"]["state"]) == (202, "RESTARTING")
        assert (await follower.request("DELETE", "/connectors/c")).status == 204
        assert not leader.world.herder.connectors()


@pytest.mark.parametrize("path", ["", "/config", "/tasks"])
async def test_a_configuration_that_another_worker_has_changed_is_shown(tmp_path: Path, path: str) -> None:
    async with rest(tmp_path) as here:
        herder: Any = here.world.herder
        herder.catch_up = lambda: here.world.put("c", connector_class="Source")
        assert (await here.get(f"/connectors/c{path}")).status == 200


async def test_what_another_worker_has_signed_is_forwarded_as_it_is(tmp_path: Path) -> None:
    herder = Leader()
    async with rest(tmp_path, herder) as leader:
        (tmp_path / "follower").mkdir()
        async with rest(tmp_path / "follower", Follower(leader.url)) as follower:
            await follower.service.client.put_task_configs(follower.url, "c", [{"x": "1"}], KEY, "HmacSHA256")
            assert herder.told == [("c", [{"x": "1"}])]


async def test_two_hops_are_the_most(tmp_path: Path) -> None:
    async with chain(tmp_path, 3) as (leader, last):
        answer = await last.post("/connectors", CONNECTOR)
        assert (answer.status, answer.headers["Retry-After"]) == (409, "5")
        assert "nothing was changed" in answer.message
        assert not leader.world.herder.connectors()


async def test_the_second_hop_may_find_the_leader(tmp_path: Path) -> None:
    async with chain(tmp_path, 2) as (leader, last):
        assert (await last.post("/connectors", CONNECTOR)).status == 201
        assert leader.world.herder.connectors() == ["c"]


async def test_without_a_leader_nothing_is_changed(tmp_path: Path) -> None:
    async with rest(tmp_path, Follower(None)) as follower:
        answer = await follower.post("/connectors", CONNECTOR)
        assert (answer.status, answer.headers["Retry-After"]) == (409, "5")
        assert answer.message == "The leader is not known, nothing was changed"


async def test_a_leader_that_cannot_be_reached(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        async with rest(tmp_path, Follower(f"http://127.0.0.1:{taken.getsockname()[1]}/")) as follower:
            answer = await follower.post("/connectors", CONNECTOR)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert "Nothing was changed" in answer.message


@pytest.mark.parametrize(("answers", "status"), [(True, 502), (False, 504)])
async def test_a_leader_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: bool, status: int
) -> None:
    monkeypatch.setattr(client, "TIMEOUT_S", 0.3)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if answers:
            writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with rest(tmp_path, Follower(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")) as follower:
        answer = await follower.post("/connectors", CONNECTOR)
        assert answer.status == status
        assert "Whether it was applied is not known" in answer.message
    server.close()


async def test_the_leader_asks_who_the_client_is(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("ann=secret\n")
    login = {"rest_extension_classes": "BasicAuthSecurityRestExtension", "rest_basic_auth_file": str(users)}
    async with chain(tmp_path, 1, **login) as (leader, follower):
        assert (await follower.post("/connectors", CONNECTOR)).status == 401
        assert (await follower.post("/connectors", CONNECTOR, user="ann:secret")).status == 201
        assert leader.world.herder.connectors() == ["c"]


async def test_workers_know_each_other_by_certificates(tmp_path: Path) -> None:
    certificates = Certificates()
    both = tmp_path / "server.pem"
    both.write_text(certificates.server.key_pem() + certificates.server.pem)
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(certificates.root.pem)
    tls = {
        "listeners": "https://localhost:0",
        "ssl_keystore_type": "PEM",
        "ssl_keystore_location": str(both),
        "ssl_truststore_type": "PEM",
        "ssl_truststore_location": str(trusted),
    }
    async with rest(tmp_path, Leader(), ssl_client_auth="required", **tls) as leader:
        (tmp_path / "follower").mkdir()
        async with rest(tmp_path / "follower", **tls) as follower:
            await follower.service.client.fence_zombies(leader.url, "c", KEY, "HmacSHA256")


async def test_internal_requests_are_signed(tmp_path: Path) -> None:
    herder = Leader()
    async with rest(tmp_path, herder) as leader:
        worker = leader.service.client
        await worker.put_task_configs(leader.url, "a/b c", [{"x": "1"}], KEY, "HmacSHA256")
        await worker.fence_zombies(f"{leader.url}/", "c", KEY, "hmacsha512")
        assert herder.told == [("a/b c", [{"x": "1"}]), ("c", "fence")]
        with pytest.raises(RestException, match="invalid signature") as wrong:
            await worker.fence_zombies(leader.url, "c", b"another key", "HmacSHA256")
        assert wrong.value.status == 403
        with pytest.raises(RestException, match="missing required signature") as missing:
            await worker.put_task_configs(leader.url, "c", [], None, "HmacSHA256")
        assert missing.value.status == 400
        assert len(herder.told) == 2


async def test_a_signature_is_of_the_body(tmp_path: Path) -> None:
    herder = Leader()
    async with rest(tmp_path, herder) as leader:
        headers = signed(KEY, "HmacSHA256", b'[{"x":"1"}]')
        assert (await leader.post("/connectors/c/tasks", b'[{"x":"1"}]', headers=headers)).status == 204
        assert (await leader.post("/connectors/c/tasks", b'[{"x":"2"}]', headers=headers)).status == 403
        for wrong in ({ALGORITHM: "HmacMagic"}, {SIGNATURE: "no base64!"}):
            answer = await leader.post("/connectors/c/tasks", b"[]", headers=headers | wrong)
            assert answer.status == 400
            assert next(iter(wrong)) in answer.message
        assert herder.told == [("c", [{"x": "1"}])]


def test_a_signature_is_that_of_java() -> None:
    # openssl dgst -sha256 -hmac key
    headers = signed(b"key", "HmacSHA256", b"The quick brown fox jumps over the lazy dog")
    assert headers == {
        SIGNATURE: "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=",
        ALGORITHM: "HmacSHA256",
    }


def test_a_signature_is_not_shown() -> None:
    assert "secret" not in repr(RequestSignature("HmacSHA256", b"secret", b"secret"))

"""What this worker wants of the leader: done at once if it leads itself, and asked for over the leader's REST API otherwise."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from connectd.errors import ConnectException
from supervisor.group import GroupMember
from supervisor.group.assignment import SESSIONED
from supervisor.herder.distributed.fencing import ZombieFencing
from supervisor.herder.distributed.leadership import Leadership
from supervisor.herder.distributed.session_keys import SessionKeys
from supervisor.rest.errors import RestException
from tasks.states import TargetState

if TYPE_CHECKING:
    from supervisor.rest.client import WorkerClient


class LeaderRequests:
    """Each raises ConnectException if it was not done, or that is not known."""

    def __init__(
        self,
        member: GroupMember,
        leadership: Leadership,
        fencing: ZombieFencing,
        keys: SessionKeys,
        client: Callable[[], WorkerClient],
    ) -> None:
        self._member = member
        self._leadership = leadership
        self._fencing = fencing
        self._keys = keys
        self._client = client

    async def put_task_configs(self, connector: str, configs: Sequence[Mapping[str, str]]) -> None:
        """What a connector of this worker has planned."""
        if self._leadership.is_mine:
            await self._leadership.put_task_configs(connector, configs)
        else:
            with _explained():
                await self._client().put_task_configs(self._url, connector, configs, *self._signing)

    async def put_connector(self, connector: str, config: Mapping[str, str], state: TargetState | None) -> None:
        """What a file of this worker says, validated."""
        if self._leadership.is_mine:
            await self._leadership.put_connector(connector, config, state)
        else:
            with _explained():
                await self._client().put_connector(self._url, connector, config, state, *self._signing)

    async def remove_connector(self, connector: str) -> None:
        """Whose file is gone."""
        if self._leadership.is_mine:
            await self._leadership.remove_connector(connector)
        else:
            with _explained():
                await self._client().put_connector(self._url, connector, None, None, *self._signing)

    async def fence_zombies(self, connector: str) -> None:
        """The producers of earlier tasks of a source that is about to start here."""
        if self._leadership.is_mine:
            await self._fencing.fence(connector)
        else:
            with _explained():
                await self._client().fence_zombies(self._url, connector, *self._signing)

    @property
    def _url(self) -> str:
        url = self._member.leader_url
        if url is None or self._member.is_leader:
            raise ConnectException("the group has no leader now")
        return url

    @property
    def _signing(self) -> tuple[bytes | None, str]:
        return self._keys.signing if self._member.protocol_version >= SESSIONED else (None, "")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except RestException as error:
        raise ConnectException(f"the leader answered {error.status}: {error.message}") from error

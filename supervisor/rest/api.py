"""What handlers get: one request, decoded, with the parts of the worker that answer it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from multidict import MultiMapping

from supervisor.herder.herder import Herder
from supervisor.herder.signatures import RequestSignature
from supervisor.inquiries.cluster import KafkaCluster
from supervisor.inquiries.plugin_catalogue import PluginCatalogue
from supervisor.logs.tails import Tails
from supervisor.metrics.activity import Activity
from supervisor.rest.encoded import EncodedStates
from supervisor.rest.peers import Peers
from supervisor.rest.roles import Role
from supervisor.units.lifecycle import Status, UnitId


class Activities(Protocol):
    """What all connectors and tasks of this worker are doing; without waiting, the lag may come with a later answer."""

    async def __call__(self, *, wait_for_lag: bool = True) -> list[Activity]: ...


@dataclass(frozen=True, kw_only=True)
class Api:
    """The parts of a worker that the REST API speaks to."""

    herder: Herder
    plugins: PluginCatalogue
    cluster: KafkaCluster
    openapi: Callable[[], Mapping[str, Any]]
    metrics: Callable[[], Awaitable[bytes]]
    statuses: Callable[[], Mapping[UnitId, Status]]
    activities: Activities
    peers: Peers
    tails: Tails
    observe: Callable[[str, str, int, float], None]
    encoded: EncodedStates = field(default_factory=EncodedStates)
    topic_tracking: bool = True
    topic_tracking_reset: bool = True


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request. `base_url` is where the client found this worker, without a path; workers sign what they send. `user` is
    `anonymous` where nobody needs to log in."""

    api: Api
    params: Mapping[str, str]
    query: MultiMapping[str]
    body: Any
    base_url: str
    user: str
    role: Role
    headers: Mapping[str, str] = field(default_factory=dict)
    signature: RequestSignature | None = None

    @property
    def connector(self) -> str:
        """The connector that the path names."""
        return self.params["connector"]

    @property
    def takes_gzip(self) -> bool:
        """Whether the client can read a compressed answer."""
        return "gzip" in self.headers.get("Accept-Encoding", "")

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A query parameter as Java reads booleans: `true` in any case, all else is false."""
        value = self.query.get(name)
        return default if value is None else value.lower() == "true"

"""A worker that does not lead reads on in the config topic before it shows a configuration, if that can be done soon."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from connectd.errors import ConnectException
from supervisor.herder.distributed.herder import DistributedHerder


def herder(refresh: Any, *, leads: bool = False, is_member: bool = True) -> DistributedHerder:
    cluster: Any = SimpleNamespace(
        worker=SimpleNamespace(surroundings=None),
        storage=SimpleNamespace(offsets=None, configs=SimpleNamespace(refresh=refresh)),
        leadership=SimpleNamespace(is_mine=leads),
        may_write=lambda: is_member,
    )
    return DistributedHerder(cluster)


@pytest.mark.parametrize(("leads", "is_member", "reads"), [(False, True, 1), (True, True, 0), (False, False, 0)])
async def test_who_leads_knows_and_who_has_lost_its_group_need_not_ask(
    leads: bool, is_member: bool, reads: int
) -> None:
    limits: list[float] = []

    async def refresh(timeout_s: float) -> None:
        limits.append(timeout_s)

    await herder(refresh, leads=leads, is_member=is_member).catch_up()
    assert len(limits) == reads and all(limit <= 1 for limit in limits)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectException("no")])
async def test_what_cannot_be_read_soon_is_not_waited_for(error: Exception) -> None:
    async def refresh(timeout_s: float) -> None:
        raise error

    await herder(refresh).catch_up()

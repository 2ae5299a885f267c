"""How long the producers of the storage topics try, and what may be under way at a time."""

from __future__ import annotations

import pytest

from supervisor.storage.settings import config_log_settings, offset_log_settings, status_log_settings
from tasks.settings.distributed import DistributedConfig
from tests.support.storage import worker_props


@pytest.mark.parametrize(("session_ms", "heartbeat_ms", "offsets_ms"), [(10_000, 3_000, 7_000), (6_000, 5_999, 2_000)])
def test_a_worker_that_was_a_member_just_now_still_is_one_when_its_writes_are_given_up(
    session_ms: int, heartbeat_ms: int, offsets_ms: int
) -> None:
    more = {"session_timeout_ms": str(session_ms), "heartbeat_interval_ms": str(heartbeat_ms)}
    config = DistributedConfig(worker_props("unit", **more))
    assert offset_log_settings(config).producer.conf["delivery.timeout.ms"] == offsets_ms
    assert status_log_settings(config).producer.conf["delivery.timeout.ms"] == min(offsets_ms, 5_000)


def test_only_configurations_need_one_order_of_all_records() -> None:
    config = DistributedConfig(worker_props("unit"))
    key = "max.in.flight.requests.per.connection"
    assert config_log_settings(config).producer.conf[key] == 1
    assert all(each(config).producer.conf[key] > 25 for each in (offset_log_settings, status_log_settings))

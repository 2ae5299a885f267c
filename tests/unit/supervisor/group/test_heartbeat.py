"""Heartbeats that come faster for a while."""

from __future__ import annotations

import time

import pytest

from supervisor.group.heartbeat import HURRY_INTERVAL_S, HURRY_S, HurriedHeartbeat


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, to be set."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


def test_a_hurry_is_over_after_a_while(now: list[float]) -> None:
    heartbeat = HurriedHeartbeat(heartbeat_interval_ms=3000, session_timeout_ms=10000)
    heartbeat.sent_heartbeat()
    assert heartbeat.time_to_next_heartbeat() == 3.0
    heartbeat.hurry()
    assert heartbeat.time_to_next_heartbeat() == pytest.approx(HURRY_INTERVAL_S)
    now[0] += 2 * HURRY_INTERVAL_S
    assert heartbeat.should_heartbeat()
    heartbeat.sent_heartbeat()
    now[0] += HURRY_S
    assert heartbeat.time_to_next_heartbeat() == pytest.approx(3.0 - HURRY_S)


def test_whoever_is_faster_anyway_stays_so(now: list[float]) -> None:
    heartbeat = HurriedHeartbeat(heartbeat_interval_ms=20, session_timeout_ms=10000)
    heartbeat.sent_heartbeat()
    heartbeat.hurry()
    assert heartbeat.time_to_next_heartbeat() == pytest.approx(0.02)

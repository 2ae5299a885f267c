"""Heartbeats: what is new is told within a second, and else there is silence."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tasks.heartbeat import LONG_CALL_S, SILENCE_S, Measures, News, start_heartbeat
from tasks.messages import Heartbeat
from tasks.sink.counters import SinkCounters
from tasks.states import Call
from tests.support.loops import Supervisor, until

QUIET = Measures(counters={"polled": 0.0})


@pytest.fixture
def news() -> News:
    """After a first heartbeat, at 100 s, from a call that had just begun."""
    news = News()
    assert news.is_due(100.0, 99.5, QUIET)
    return news


def test_who_polls_every_second_in_vain_is_silent_for_long(news: News) -> None:
    told = [second for second in range(101, 131) if news.is_due(second, second - 0.5, QUIET)]
    assert told == [100 + SILENCE_S, 100 + 2 * SILENCE_S, 100 + 3 * SILENCE_S]


def test_what_is_counted_is_told_at_once(news: News) -> None:
    assert news.is_due(101.0, 100.5, Measures(counters={"polled": 1.0}))
    assert not news.is_due(102.0, 101.5, Measures(counters={"polled": 1.0}))
    assert news.is_due(103.0, 102.5, Measures(counters={"polled": 1.0}, source_lag={"a": 2.0}))


def test_that_an_idle_sink_is_called_is_no_news_and_nothing_of_it_is_lost(news: News) -> None:
    counters = SinkCounters()
    assert news.is_due(101.0, 100.5, Measures(counters=counters.snapshot()))
    counters.record_put(0, 0.5)
    counters.record_put(0, 0.25)
    assert not news.is_due(102.0, 101.5, Measures(counters=counters.snapshot()))
    assert counters.puts_snapshot() == {
        "put-batch-count": 2,
        "put-batch-time-s": 0.75,
        "put-batch-max-time-ms": 500.0,
    }
    assert counters.puts_snapshot()["put-batch-max-time-ms"] == 0.0
    counters.record_put(1, 0.0)
    assert news.is_due(103.0, 102.5, Measures(counters=counters.snapshot()))


def test_that_a_call_takes_long_is_told_once_and_that_it_is_over(news: News) -> None:
    began = 100.2
    assert not news.is_due(101.0, began, QUIET)
    assert not news.is_due(began + LONG_CALL_S - 0.1, began, QUIET)
    assert news.is_due(began + LONG_CALL_S, began, QUIET)
    assert not news.is_due(began + LONG_CALL_S + 1, began, QUIET)
    assert news.is_due(began + LONG_CALL_S + 2, began + LONG_CALL_S + 1.5, QUIET)


def test_to_wait_for_work_for_long_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor, now = Supervisor(), 100.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        if now == 100.0 + SILENCE_S:
            supervisor.control.enter(Call.PUT)
        if now >= 100.0 + 2 * SILENCE_S:
            raise EOFError

    monkeypatch.setattr("tasks.heartbeat.time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))
    monkeypatch.setattr("tasks.control.time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr("tasks.heartbeat.threading.Thread", lambda target, **_: SimpleNamespace(start=target))
    with pytest.raises(EOFError):
        start_heartbeat(supervisor.control, Measures, dict)
    supervisor.close()
    assert [(beat.call, beat.call_s) for beat in supervisor.reports if isinstance(beat, Heartbeat)] == [
        (Call.NONE, 0.0),
        (Call.PUT, 0.0),
        (Call.PUT, LONG_CALL_S),
    ]


def test_the_first_one_is_of_the_call_that_its_sender_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread need not have had its turn: the call may not let it."""
    supervisor = Supervisor()
    supervisor.control.enter(Call.START)
    monkeypatch.setattr("tasks.heartbeat.threading.Thread", lambda **_: SimpleNamespace(start=lambda: None))
    start_heartbeat(supervisor.control, Measures)
    until(lambda: supervisor.reports, "it has come")
    supervisor.close()
    [beat] = supervisor.reports
    assert isinstance(beat, Heartbeat) and beat.call is Call.START

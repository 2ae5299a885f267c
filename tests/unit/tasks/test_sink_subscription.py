"""Which topics a sink subscribes to, and when it looks for them."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from tasks.sink.subscription import LIST_TIMEOUT_S, Subscription


class Cluster:
    """Stands in for a consumer, and notes when topics were listed and what was subscribed to."""

    def __init__(self, topics: str | None = "") -> None:
        self.topics = topics
        self.now = 0.0
        self.listed: list[float] = []
        self.subscribed: list[list[str]] = []

    def list_topics(self, timeout: float) -> Any:
        assert timeout == LIST_TIMEOUT_S
        self.listed.append(self.now)
        if self.topics is None:
            self.now += timeout
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return SimpleNamespace(topics=dict.fromkeys(self.topics.split()))

    def unsubscribe(self) -> None:
        self.subscribed.append([])

    def run(self, subscription: Subscription, until: float) -> None:
        while self.now <= until:
            subscription.update(self, self.subscribed.append)  # type: ignore[arg-type]
            self.now += 0.5


def to(cluster: Cluster, topics: list[str] | str, interval_s: float = 300.0) -> Subscription:
    wanted = re.compile(topics) if isinstance(topics, str) else topics
    return Subscription(wanted, interval_s, clock=lambda: cluster.now)


def test_listed_topics_are_subscribed_to_once_and_never_looked_up() -> None:
    cluster = Cluster()
    cluster.run(to(cluster, ["b", "a"]), 1000)
    assert (cluster.subscribed, cluster.listed) == ([["b", "a"]], [])


def test_whole_names_match() -> None:
    cluster = Cluster("ab b bc a-b")
    cluster.run(to(cluster, "a?b|c"), 1)
    assert cluster.subscribed == [["ab", "b"]]


def test_a_topic_that_comes_and_one_that_goes_are_seen_at_the_next_refresh() -> None:
    cluster = Cluster("t1")
    subscription = to(cluster, r"t\d")
    cluster.run(subscription, 1)
    cluster.topics = "t1 t2 x"
    cluster.run(subscription, 299.5)
    assert cluster.subscribed == [["t1"]]
    cluster.run(subscription, 300)
    assert cluster.subscribed == [["t1"], ["t1", "t2"]]
    cluster.topics = "t2"
    cluster.run(subscription, 600)
    cluster.topics = ""
    cluster.run(subscription, 900)
    assert cluster.subscribed[2:] == [["t2"], []]
    assert cluster.listed == [0, 300, 600, 900]


def test_an_unchanged_set_is_left_alone() -> None:
    cluster = Cluster("t2 t1")
    cluster.run(to(cluster, r"t\d"), 1000)
    assert cluster.subscribed == [["t1", "t2"]]


@pytest.mark.parametrize(("interval_s", "times"), [(60, [0, 5, 15, 35, 75, 135]), (2, [0, 2, 4, 6, 8, 10])])
def test_while_nothing_matches_it_looks_sooner_than_the_refresh(interval_s: float, times: list[float]) -> None:
    cluster = Cluster("x")
    subscription = to(cluster, "t", interval_s)
    cluster.run(subscription, times[-1])
    assert cluster.listed == times
    assert cluster.subscribed == []
    cluster.topics = "t"
    cluster.run(subscription, times[-1] + interval_s)
    assert cluster.subscribed == [["t"]]


def test_when_all_are_gone_it_looks_as_soon_as_in_the_beginning() -> None:
    cluster = Cluster("x")
    subscription = to(cluster, "t", 60)
    cluster.run(subscription, 35)
    cluster.topics = "t"
    cluster.run(subscription, 75)
    cluster.topics = ""
    cluster.run(subscription, 135)
    assert cluster.subscribed == [["t"], []]
    cluster.listed.clear()
    cluster.run(subscription, 150)
    assert cluster.listed == [140, 150]


def test_brokers_that_are_away_are_asked_again_ever_more_rarely_and_nothing_is_unsubscribed() -> None:
    cluster = Cluster("t")
    subscription = to(cluster, "t", 60)
    cluster.run(subscription, 1)
    cluster.topics = None
    cluster.run(subscription, 170)
    assert cluster.listed == [0, 60, 68, 81, 104, 147]  # each takes its 3 s
    assert cluster.subscribed == [["t"]]

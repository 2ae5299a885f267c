"""The three storage topics that all workers of a group must share: with others, a worker would run what it does not know, and
read again what others have read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from connectd.errors import ConnectException
from supervisor.group.assignment import WorkerState

# As they are told, in this order.
KEYS: Final = ("config.storage.topic", "offset.storage.topic", "status.storage.topic")


class OtherStorageTopics(ConnectException):
    """This worker has other storage topics than its group."""


def agreed_topics(states: Mapping[str, WorkerState], leader: str) -> tuple[str, ...]:
    """The topics that most members have, those of the leader before others; empty if nobody says."""
    votes = Counter(state.topics for state in states.values() if state.topics)
    if not votes:
        return ()
    return max(votes, key=lambda topics: (votes[topics], topics == states[leader].topics, topics))


def has_topics(state: WorkerState, agreed: tuple[str, ...]) -> bool:
    """Whether a worker can be a member of a group with these; who does not say is believed to have them."""
    return not state.topics or state.topics == agreed


def difference(own: tuple[str, ...], agreed: tuple[str, ...]) -> str:
    """What a worker has to change."""
    both = zip(KEYS, own, agreed, strict=False)
    return ", ".join(f"{key} is {mine} instead of {theirs}" for key, mine, theirs in both if mine != theirs)

"""Conversions of single values from Java's client settings to librdkafka's."""

from __future__ import annotations

from typing import Any, Final

from tasks.clients.setting import clamped, expect
from tasks.clients.translated import Translated

_ASSIGNORS: Final = {
    "RangeAssignor": "range",
    "RoundRobinAssignor": "roundrobin",
    "CooperativeStickyAssignor": "cooperative-sticky",
    "StickyAssignor": "cooperative-sticky",
}
_INTERNAL_TOPICS: Final = ("__consumer_offsets", "__share_group_state", "__transaction_state")
_PARTITIONERS: Final = {
    "DefaultPartitioner": "murmur2_random",
    "UniformStickyPartitioner": "random",
    "RoundRobinPartitioner": "random",
}


def joined(values: list[str]) -> str:
    """A list as librdkafka writes it."""
    return ",".join(values)


def lower(value: str | None) -> str | None:
    """In lower case, as librdkafka's enumerations are."""
    return None if value is None else value.lower()


def kibibytes(value: int) -> int:
    """Bytes to KiB, at least one."""
    return max(1, value // 1024)


def at_least_zero(value: int) -> int:
    """Java's negative numbers for "the system's default" or "never" are librdkafka's 0."""
    return max(0, value)


def flag(value: bool) -> str:
    """As librdkafka writes it."""
    return "true" if value else "false"


def request_timeout(translated: Translated, origin: str, value: int) -> None:
    """Java waits for any answer this long, and asks the broker to wait as long for its replicas."""
    translated.put("socket.timeout.ms", clamped(translated, origin, value, (10, 300_000)), origin)


def produce_timeout(translated: Translated, origin: str, value: int) -> None:
    """As `request_timeout`, for a producer: librdkafka has a setting of its own for the replicas."""
    request_timeout(translated, origin, value)
    translated.put("request.timeout.ms", min(max(value, 1), 900_000), origin)


def auto_offset_reset(translated: Translated, origin: str, value: str) -> None:
    """`none` is called `error`; `by_duration:` has no counterpart."""
    known = {"latest": "latest", "earliest": "earliest", "none": "error"}
    if value not in known:
        raise expect(origin, value, f"one of {', '.join(known)}")
    translated.put("auto.offset.reset", known[value], origin)


def partition_assignment_strategy(translated: Translated, origin: str, classes: list[str]) -> None:
    """Class names become protocol names. librdkafka does not mix eager and cooperative ones: the first decides.

    Java's default, range before cooperative sticky, so stays range: members on Java and here understand each other.
    """
    names = list(dict.fromkeys(_assignor(origin, name) for name in classes))
    cooperative = names[0] == "cooperative-sticky"
    usable = [name for name in names if (name == "cooperative-sticky") == cooperative]
    if any(name.rpartition(".")[2] == "StickyAssignor" for name in classes):
        translated.warn(origin, "StickyAssignor is replaced by its successor CooperativeStickyAssignor")
    translated.put("partition.assignment.strategy", joined(usable), origin)


def _assignor(origin: str, name: str) -> str:
    short = name.rpartition(".")[2]
    if short in _ASSIGNORS.values():
        return short
    if short not in _ASSIGNORS:
        raise expect(origin, name, f"classes out of {', '.join(_ASSIGNORS)}")
    return _ASSIGNORS[short]


def partitioner_class(translated: Translated, origin: str, value: Any) -> None:
    """A partitioner that is not Java's own would send keys elsewhere without anybody noticing: an error."""
    short = str(value).rpartition(".")[2]
    if short not in _PARTITIONERS:
        raise expect(origin, value, f"one of {', '.join(_PARTITIONERS)}, or `partitioner` with a name of librdkafka")
    translated.put("partitioner", _PARTITIONERS[short], origin)
    if short == "RoundRobinPartitioner":
        translated.put("sticky.partitioning.linger.ms", 0, origin)
        translated.warn(origin, "records are spread at random instead of in turn")


def partitioner_ignore_keys(translated: Translated, origin: str, value: bool) -> None:
    """Without regard to keys, partitions are chosen at random."""
    if value:
        translated.put("partitioner", "random", origin)


def exclude_internal_topics(translated: Translated, origin: str, value: bool) -> None:
    """Topics that Kafka itself keeps do not match a pattern; for librdkafka they do not exist then."""
    if value:
        names = ",".join(f"^{name}$" for name in _INTERNAL_TOPICS)
        translated.put("topic.blacklist", names, origin)

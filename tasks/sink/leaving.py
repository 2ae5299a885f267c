"""Removes static members from their consumer groups, which librdkafka cannot do for itself."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from connectd.errors import ConfigException
from tasks.clients import ClientSettings, consumer_settings
from tasks.kafka_admin import kafka_admin
from tasks.messages import GroupsLeft, LeaveGroups, Membership
from tasks.refusal import Refusal
from tasks.settings import SinkConnectorConfig, WorkerConfig

# What the consumers of one connection may differ in.
_OWN = ("client.id", "group.id", "group.instance.id")


def leave_groups(order: LeaveGroups) -> GroupsLeft:
    """Each member leaves as the consumer would that it belongs to, so with that one's rights."""
    deadline = time.monotonic() + order.timeout_s
    worker = WorkerConfig(order.worker_config)
    problems: list[str] = []
    for settings, members in _by_connection(worker, order.members):
        try:
            with kafka_admin(settings, max(0.1, round(deadline - time.monotonic(), 1))) as admin:
                problems += _leave(admin, members)
        except (Refusal, ConfigException) as error:
            problems.append(str(error))
    return GroupsLeft(problems=problems)


def _by_connection(
    worker: WorkerConfig, members: Iterable[Membership]
) -> Iterable[tuple[ClientSettings, list[Membership]]]:
    """Members whose consumers connect alike can be removed over one connection."""
    found: dict[object, tuple[ClientSettings, list[Membership]]] = {}
    for member in members:
        settings = consumer_settings(worker, SinkConnectorConfig(member.connector_config), member.task)
        connection = frozenset((name, str(value)) for name, value in settings.conf.items() if name not in _OWN)
        found.setdefault(connection, (settings, []))[1].append(member)
    return found.values()


def _leave(admin: Any, members: Iterable[Membership]) -> list[str]:
    """What went wrong. A member that is gone already, or was taken over by another process, is fine."""
    from kafka.admin import MemberToRemove
    from kafka.errors import KafkaError

    groups: dict[str, list[MemberToRemove]] = defaultdict(list)
    for member in members:
        groups[member.group].append(MemberToRemove(member_id=member.member or None, group_instance_id=member.instance))
    problems = []
    for group, instances in groups.items():
        try:
            results = admin.remove_group_members(group, instances)
        except KafkaError as error:
            problems.append(f"{group}: {error}")
            continue
        problems += [
            f"{instance}: {error.__name__}"
            for instance, error in results.items()
            if error.__name__ not in ("NoError", "UnknownMemberIdError", "FencedInstanceIdError")
        ]
    return problems

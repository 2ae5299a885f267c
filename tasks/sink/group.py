"""The consumer group of a sink connector, seen from outside: its offsets, and members that a stopped connector left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from connectd.records import TopicPartition
from tasks.clients import admin_settings, consumer_settings
from tasks.kafka_admin import kafka_admin
from tasks.messages import Reason
from tasks.refusal import Refusal
from tasks.settings import SinkConnectorConfig, WorkerConfig

GroupOffsets = Mapping[TopicPartition, int | None]

_BUSY = (
    "Failed to {what} consumer group offsets for connector {name} because its consumer group has members: either its tasks "
    "have not stopped completely yet, or it was resumed, or somebody else uses the group. Nothing was changed; if the "
    "connector is stopped, try again later"
)


class ConsumerGroup:
    """Errors of Kafka's are raised as Refusal."""

    def __init__(self, admin: Any, connector: str, group: str, instance_prefix: str) -> None:
        self._admin = admin
        self._connector = connector
        self._group = group
        self._instance_prefix = instance_prefix

    @classmethod
    @contextlib.contextmanager
    def of(cls, worker: WorkerConfig, connector: SinkConnectorConfig, timeout_s: float) -> Iterator[ConsumerGroup]:
        """The group that the connector's tasks form. Raises Refusal if Kafka does not answer."""
        conf = consumer_settings(worker, connector, 0).conf
        group, instance = conf["group.id"], conf.get("group.instance.id", "")
        with kafka_admin(admin_settings(worker, connector, 0), timeout_s) as admin:
            yield cls(admin, connector.name, group, instance.removesuffix("0"))

    def offsets(self) -> dict[TopicPartition, int]:
        """The committed offsets."""
        from kafka.errors import GroupIdNotFoundError, KafkaError

        try:
            found = self._admin.list_group_offsets({self._group: None})[self._group]
        except GroupIdNotFoundError:
            return {}
        except KafkaError as error:
            raise self._failed("read", error) from error
        return {TopicPartition(each.topic, each.partition): committed.offset for each, committed in found.items()}

    def alter(self, offsets: GroupOffsets) -> None:
        """Write these offsets; None removes one."""
        from kafka import TopicPartition as KafkaPartition
        from kafka.errors import GroupIdNotFoundError, KafkaError, NonEmptyGroupError
        from kafka.structs import OffsetAndMetadata

        self._remove_left_members("alter")
        written = {
            KafkaPartition(each.topic, each.partition): OffsetAndMetadata(offset, "", -1)
            for each, offset in offsets.items()
            if offset is not None
        }
        removed = [KafkaPartition(each.topic, each.partition) for each, offset in offsets.items() if offset is None]
        try:
            if written:
                self._check("alter", self._admin.alter_group_offsets(self._group, written))
            if removed:
                with contextlib.suppress(GroupIdNotFoundError):
                    self._check("alter", self._admin.delete_group_offsets(self._group, removed))
        except NonEmptyGroupError as error:
            raise self._busy("alter") from error
        except KafkaError as error:
            raise self._failed("alter", error) from error

    def delete(self) -> None:
        """Delete the group and so all of its offsets; one that does not exist is fine."""
        from kafka.errors import KafkaError

        self._remove_left_members("reset")
        try:
            results = self._admin.delete_groups([self._group])
        except KafkaError as error:
            raise self._failed("reset", error) from error
        self._check("reset", results, but="GroupIdNotFoundError")

    def _remove_left_members(self, what: str) -> None:
        """Static members stay in their group when their tasks end, until their session does."""
        from kafka.admin import MemberToRemove
        from kafka.errors import GroupIdNotFoundError, KafkaError

        try:
            members = self._admin.describe_groups([self._group])[self._group]["members"]
            left = [
                MemberToRemove(group_instance_id=member["group_instance_id"])
                for member in members
                if (member["group_instance_id"] or "").startswith(self._instance_prefix)
            ]
            if left and self._instance_prefix:
                self._admin.remove_group_members(self._group, left)
        except GroupIdNotFoundError:
            return
        except KafkaError as error:
            raise self._failed(what, error) from error

    def _check(self, what: str, results: Mapping[Any, Any], but: str = "NoError") -> None:
        """Raises Refusal for the first error in the results."""
        for subject, error in results.items():
            # Of groups it gives names of errors, `OK` for none; of partitions the errors themselves.
            name = error if isinstance(error, str) else error.__name__
            if name in ("UnknownMemberIdError", "NonEmptyGroupError", "GroupSubscribedToTopicError"):
                raise self._busy(what)
            if name not in ("OK", "NoError", but):
                where = subject if isinstance(subject, str) else f"{subject.topic}-{subject.partition}"
                raise Refusal(
                    Reason.WRONG,
                    f"Failed to {what} consumer group offsets for connector {self._connector}: {name} for {where}",
                )

    def _busy(self, what: str) -> Refusal:
        return Refusal(Reason.BUSY, _BUSY.format(what=what, name=self._connector))

    def _failed(self, what: str, error: Exception) -> Refusal:
        return Refusal(
            Reason.FAILED,
            f"Failed to {what} consumer group offsets for connector {self._connector}: {type(error).__name__}: {error}",
        )

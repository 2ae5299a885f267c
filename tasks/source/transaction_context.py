"""What a source task with transactions of its own says about them (Kafka's `WorkerTransactionContext`)."""

from __future__ import annotations

import threading

from connectd.errors import ConnectException
from connectd.records import SourceRecord
from connectd.tasks import TransactionContext


class WorkerTransactionContext(TransactionContext):
    """Takes requests from any thread; the loop asks for them. Each request counts once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commits_batch = False
        self._aborts_batch = False
        # By identity, for records need not be hashable; the record is kept, so that no other one can have its id.
        self._committed: dict[int, SourceRecord] = {}
        self._aborted: dict[int, SourceRecord] = {}

    def commit_transaction(self, record: SourceRecord | None = None) -> None:
        with self._lock:
            if record is None:
                self._commits_batch = True
            else:
                self._committed[id(record)] = record

    def abort_transaction(self, record: SourceRecord | None = None) -> None:
        with self._lock:
            if record is None:
                self._aborts_batch = True
            else:
                self._aborted[id(record)] = record

    @property
    def has_marked_records(self) -> bool:
        """Whether a transaction is to end with a record that did not come yet."""
        return bool(self._committed or self._aborted)

    def take_batch(self) -> tuple[bool, bool]:
        """Whether to commit and whether to abort after this batch. Raises ConnectException for both at once."""
        with self._lock:
            commits, aborts = self._commits_batch, self._aborts_batch
            if commits and aborts:
                raise ConnectException("Connector requested both commit and abort of same transaction")
            self._commits_batch = self._aborts_batch = False
        return commits, aborts

    def take_record(self, record: SourceRecord) -> tuple[bool, bool]:
        """The same for the transaction that ends with this record."""
        with self._lock:
            commits = self._committed.pop(id(record), None) is not None
            aborts = self._aborted.pop(id(record), None) is not None
        if commits and aborts:
            raise ConnectException(
                "Connector requested both commit and abort of same record against topic/partition "
                f"{record.topic}/{record.partition}"
            )
        return commits, aborts

"""What a source task sees of the worker."""

from __future__ import annotations

from collections.abc import Mapping

from connectd.tasks import OffsetStorageReader, SourceTaskContext, TransactionContext
from tasks.control import Control


class WorkerSourceTaskContext(SourceTaskContext):
    """Handed to `SourceTask.initialize`."""

    def __init__(
        self,
        configs: Mapping[str, str],
        offsets: OffsetStorageReader,
        control: Control,
        transactions: TransactionContext | None = None,
    ) -> None:
        self._configs = configs
        self._offsets = offsets
        self._control = control
        self._transactions = transactions

    @property
    def configs(self) -> Mapping[str, str]:
        return self._configs

    @property
    def offset_storage_reader(self) -> OffsetStorageReader:
        return self._offsets

    @property
    def transaction_context(self) -> TransactionContext | None:
        return self._transactions

    def wait(self, seconds: float) -> bool:
        return self._control.wait(seconds)

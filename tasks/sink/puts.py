"""Hands batches to a sink task. Of one that fails only the records that cannot be written are given up, if the task allows it."""

from __future__ import annotations

from connectd.errors import RetriableException
from connectd.tasks import SinkTask
from tasks.errors import ProcessingContext, RetryWithToleranceOperator, Stage
from tasks.sink.batch import InternalSinkRecord, MessageBatch, TransformedBatch
from tasks.sink.errant import WorkerErrantRecordReporter

Batch = MessageBatch | TransformedBatch


class Refused(Exception):
    """The task asks for these records again, for it raised RetriableException: `batch` is what it has not written yet."""

    def __init__(self, batch: Batch, error: RetriableException) -> None:
        super().__init__(str(error))
        self.batch = batch
        self.error = error


class Puts:
    """Calls `put_batch`. Raises Refused, and all other errors of the task as they are."""

    def __init__(
        self, task: SinkTask, errors: RetryWithToleranceOperator, reporter: WorkerErrantRecordReporter | None
    ) -> None:
        self._task = task
        self._errors = errors
        self._reporter = reporter
        settings = errors.settings
        self._may_bisect = settings.bisect and settings.tolerates

    def put(self, batch: Batch) -> None:
        """Put all records of the batch."""
        try:
            self._put(batch)
        except RetriableException as error:
            raise Refused(batch, error) from error
        except Exception as error:
            if not (self._may_bisect and self._task.put_is_idempotent and len(batch)):
                raise
            self._narrow(batch, 0, len(batch), error)

    def _put(self, batch: Batch) -> None:
        self._task.put_batch(batch)
        if self._reporter is not None:
            self._reporter.raise_exceeded()

    def _narrow(self, batch: Batch, start: int, end: int, error: Exception) -> None:
        """Put the halves of a range that failed, and of those the halves again, until single records fail: these are given up.

        The first half comes first, whole, so records stay in order.
        """
        if end - start == 1:
            self._give_up(batch, start, error)
            return
        middle = (start + end) // 2
        for first, last in ((start, middle), (middle, end)):
            try:
                self._put(batch.part(first, last))
            except RetriableException as refusal:
                raise Refused(batch.part(first, len(batch)), refusal) from refusal
            except Exception as failure:
                self._narrow(batch, first, last, failure)

    def _give_up(self, batch: Batch, index: int, error: Exception) -> None:
        record = batch.part(index, index + 1).records()[0]
        original = record.message if isinstance(record, InternalSinkRecord) else record
        self._errors.execute_failed(ProcessingContext(original), Stage.TASK_PUT, SinkTask, error)
        self._errors.counters.skipped += 1

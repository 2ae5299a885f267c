"""What a cluster refuses of a source that is to deliver exactly once (KIP-618, Kafka's `DistributedHerder`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import structlog

from tasks.settings.connector import PRODUCER_OVERRIDE
from tasks.settings.source import (
    EXACTLY_ONCE_SUPPORT,
    TRANSACTION_BOUNDARY,
    ExactlyOnceSupportLevel,
    TransactionBoundary,
)
from tasks.settings.worker import WorkerConfig

log = structlog.get_logger(__name__)

Says = Callable[[], str | None]
"""What the connector says, by the names of Java's enums; None if it says nothing."""

SUPPORTED: Final = "SUPPORTED"
_UNSUPPORTED: Final = "UNSUPPORTED"
_SERVERS: Final = f"{PRODUCER_OVERRIDE}bootstrap.servers"


def exactly_once_errors(
    config: Mapping[str, str | None], worker: WorkerConfig, support: Says, boundaries: Says
) -> Iterator[tuple[str, str]]:
    """Key and message. The connector is asked only where its answer counts."""
    if (config.get(EXACTLY_ONCE_SUPPORT) or "").lower() == ExactlyOnceSupportLevel.REQUIRED:
        if not worker.exactly_once_source_enabled:
            yield EXACTLY_ONCE_SUPPORT, "This worker does not have exactly-once source support enabled."
        if (error := _support_error(support)) is not None:
            yield EXACTLY_ONCE_SUPPORT, error
    is_defined = (config.get(TRANSACTION_BOUNDARY) or "").lower() == TransactionBoundary.CONNECTOR
    if is_defined and (error := _boundaries_error(boundaries)) is not None:
        yield TRANSACTION_BOUNDARY, error
    servers = config.get(_SERVERS)
    if worker.exactly_once_source_enabled and servers is not None and servers != worker.bootstrap_servers:
        yield (
            _SERVERS,
            f"Expected the worker's own bootstrap.servers, {worker.bootstrap_servers}: with exactly-once support, offsets are "
            "written beside the records, and this worker reads them in its own Kafka",
        )


def _support_error(support: Says) -> str | None:
    try:
        answer = support()
    except Exception as error:
        return _failed("support for exactly-once semantics", error)
    if answer == SUPPORTED:
        return None
    if answer == _UNSUPPORTED:
        return "The connector does not support exactly-once semantics with the provided configuration."
    if answer is None:
        return (
            "The connector does not implement the API required for preflight validation of exactly-once source support. "
            "Please consult the documentation for the connector to determine whether it supports exactly-once semantics, and "
            f'then consider reconfiguring the connector to use the value "{ExactlyOnceSupportLevel.REQUESTED}" for this '
            "property (which will disable this preflight check and allow the connector to be created)."
        )
    return (
        f"An unexpected error occurred during validation: Unexpected value returned from exactly_once_support: {answer}"
    )


def _boundaries_error(boundaries: Says) -> str | None:
    try:
        answer = boundaries()
    except Exception as error:
        return _failed("support for defining its own transaction boundaries", error)
    if answer == SUPPORTED:
        return None
    if answer is None:
        return (
            "This connector has returned a null value from its canDefineTransactionBoundaries method, which is not permitted. "
            "The connector will be treated as if it cannot define its own transaction boundaries, and cannot be configured "
            f"with '{TRANSACTION_BOUNDARY}' set to '{TransactionBoundary.CONNECTOR}'."
        )
    return (
        "The connector does not support connector-defined transaction boundaries with the given configuration. Please "
        "reconfigure it to use a different transaction boundary definition."
    )


def _failed(what: str, error: Exception) -> str:
    log.error(f"failed while validating the connector's {what}", error=f"{type(error).__name__}: {error}")
    text = str(error).strip()
    details = f": {text}" if text else "; please see the worker logs for more details."
    return f"An unexpected error occurred during validation{details}"

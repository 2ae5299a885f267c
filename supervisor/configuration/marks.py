"""What connectors of a cluster say of the file that they come from, and when a file is left alone that differs from its
connector."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from supervisor.configuration.live_settings import CONNECTOR_FILE


class Mark(NamedTuple):
    """Which worker has applied which file, as of when it was written (ISO 8601, UTC, microseconds)."""

    written: str
    worker: str
    path: str

    @classmethod
    def of_config(cls, config: Mapping[str, str]) -> Self | None:
        """None for a connector that comes from no file."""
        parts = config.get(CONNECTOR_FILE, "").split(" ", 2)
        return cls(*parts) if len(parts) == 3 else None

    @classmethod
    def of_file(cls, path: str, worker: str) -> Self:
        """Raises OSError."""
        return cls(_written(path), worker, os.path.abspath(path))  # noqa: PTH100 (links stay what they are called)

    def __str__(self) -> str:
        return " ".join(self)


def why_left_alone(connector: str, path: str, mark: Mark | None) -> str | None:
    """Why a file, unless somebody has changed it since it was read last, is not applied to a connector that has another
    configuration; None if it is. Raises OSError."""
    if mark is None:
        return f"the connector {connector} was changed over REST since; change the file to have it applied"
    if _written(path) > mark.written:
        return None
    return f"{mark.worker} has applied a newer file, {mark.path}"


def over_rest(config: Mapping[str, str], present: Mapping[str, str] | None) -> dict[str, str]:
    """A configuration that comes over REST, with the mark that was read with it, perhaps of another connector: that of its file
    only if nothing else changes. `present` is what the connector has, None for a new one."""
    content = without_mark(config)
    return content if present is None or content != without_mark(present) else dict(present)


def without_mark(config: Mapping[str, str]) -> dict[str, str]:
    """A configuration as it is in its file."""
    return {key: value for key, value in config.items() if key != CONNECTOR_FILE}


def _written(path: str) -> str:
    return datetime.fromtimestamp(Path(path).stat().st_mtime, UTC).isoformat(timespec="microseconds")

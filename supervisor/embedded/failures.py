"""What the log of a broker that failed says, in one line."""

from __future__ import annotations

import re
from pathlib import Path

from .data_folder import DataFolder
from .errors import DataFolderError, EmbeddedKafkaError, PortTakenError

_BIND_FAILURE = re.compile(r"failed to bind to .*?:(\d+): Address already in use", re.IGNORECASE)


def failure(folder: DataFolder) -> EmbeddedKafkaError:
    """What the log of a broker that died says."""
    text = folder.log.read_text(errors="replace")
    if taken := _BIND_FAILURE.search(text):
        return PortTakenError(f"port {taken[1]} is taken by another process; choose another with --port")
    if "Failed to acquire lock on file" in text:
        return DataFolderError(f"data folder {folder.path} is in use by a broker that was started in another way")
    if "No space left on device" in text:
        return DataFolderError(f"data folder {folder.path}: its disk is full")
    return EmbeddedKafkaError(f"the broker ended while it started: {last_errors(folder.log)}")


def last_errors(log: Path, count: int = 3) -> str:
    """The last lines of a log that report an error, or else its last lines."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    if len(lines) <= count:
        return " | ".join(lines)
    telling = [line for line in lines if re.search(r"\b(ERROR|FATAL)\b|Exception\b|^Error", line)]
    return " | ".join((telling or lines)[-count:]) + f" (all of it: {log})"

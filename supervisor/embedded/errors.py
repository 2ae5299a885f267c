"""What can go wrong with the embedded Kafka, each kind with the exit code of the command that meets it."""

from __future__ import annotations

from plugins.jars.errors import JavaError

# Also what the jars and Java itself can meet: whoever starts a broker need not tell them apart.
EmbeddedKafkaError = JavaError


class PortTakenError(EmbeddedKafkaError):
    """Another process listens on the port that the broker was told to use."""

    exit_code = 4


class DataFolderError(EmbeddedKafkaError):
    """The data folder is in use, not writable, full, or written by another Kafka version."""

    exit_code = 5

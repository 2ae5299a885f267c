"""The tree of errors: one root, and the type says who is to blame and whether trying again can help.

Names are those of `org.apache.kafka.connect.errors` and `org.apache.kafka.common.config`.
"""

from __future__ import annotations

from typing import Any


class ConnectException(Exception):
    """Root of all errors that connectors, converters and the worker raise on purpose."""


class RetriableException(ConnectException):
    """The operation may succeed when it is tried again with the same arguments."""


class DataException(ConnectException):
    """A value does not fit its schema, or bytes cannot be converted."""


class SchemaBuilderException(DataException):
    """A schema was put together wrongly."""


class SchemaProjectorException(DataException):
    """A value cannot be projected from its schema to another one."""


class NotFoundException(ConnectException):
    """The connector, task or plugin that was asked for does not exist."""


class AlreadyExistsException(ConnectException):
    """A connector of this name exists already."""


class IllegalWorkerStateException(ConnectException):
    """The call is not allowed in the state that the task or worker is in."""


class PluginNotFound(NotFoundException):
    """No plugin answers to the name; the message lists what is near it."""


class ConfigException(ConnectException):
    """A configuration value is missing or wrong.

    The message names key, value and what was expected, as Kafka's does:
    ``Invalid value abc for configuration batch.size: Not a number of type INT``.

    `key` is the configuration key or None, `value` the offending value (never given for passwords),
    `message` what was expected.
    """

    def __init__(self, key: str | None, value: Any = None, message: str | None = None) -> None:
        self.key = key
        self.value = value
        self.message = message
        if message is None and value is None:
            text = key or ""
        else:
            text = f"Invalid value {'null' if value is None else value} for configuration {key}"
            if message:
                text += f": {message}"
        super().__init__(text)

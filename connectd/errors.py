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

    With a single argument that is the whole message, and `key` is None. Otherwise `key` is the configuration key,
    `value` the offending value (never given for passwords) and `message` what was expected.
    """

    def __init__(self, key: str | None, value: Any = None, message: str | None = None) -> None:
        self.value = value
        self.message = message
        self.key = key
        if message is None and value is None:
            self.key = None
            text = key or ""
        else:
            text = f"Invalid value {_shown(value)} for configuration {key}"
            if message:
                text += f": {message}"
        super().__init__(text)


def _shown(value: Any) -> str:
    """The value as it was written in a file, which is also how Java shows it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)

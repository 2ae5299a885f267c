"""What can go wrong when plugins are installed or removed."""

from __future__ import annotations

from connectd.errors import ConnectException


class PluginRefused(ConnectException):
    """What was asked for is wrong: no plugin, a dangerous archive, a name that is taken. Trying again does not help."""


class PluginUnavailable(ConnectException):
    """It could not be fetched or written. Trying again may help."""

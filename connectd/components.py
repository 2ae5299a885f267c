"""What every plugin has in common: a version, a configuration, and an end."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from connectd.config import ConfigDef


class Plugin:
    """Base of all plugin kinds. `version` is shown by the REST API; `config` declares what `configure` accepts."""

    version: str = "undefined"

    def config(self) -> ConfigDef:
        """The declared configuration; empty unless a plugin has one."""
        return ConfigDef()

    def close(self) -> None:
        """Called once, when the plugin is no longer needed."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Configurable(Plugin):
    """A plugin that is configured by the keys under its prefix, for example `transforms.mask.`, with the prefix taken off."""

    def configure(self, configs: Mapping[str, Any]) -> None:
        """Called once, before any other call. Raises ConfigException for a value that is wrong."""

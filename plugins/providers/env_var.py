"""EnvVarConfigProvider: values from the environment of the worker, `${env:NAME}` (KIP-887)."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any, Final

import connectd
from connectd.config import ConfigDef, Importance, Type
from connectd.errors import ConfigException
from connectd.providers import ConfigData, ConfigProvider
from plugins.java_regex import compile_pattern

ALLOWLIST_PATTERN: Final = "allowlist.pattern"

CONFIG: Final = ConfigDef().define(
    ALLOWLIST_PATTERN,
    Type.STRING,
    ".*",
    importance=Importance.MEDIUM,
    doc="A regular expression: only the environment variables whose whole name it matches may be used.",
)


class EnvVarConfigProvider(ConfigProvider):
    """`org.apache.kafka.common.config.provider.EnvVarConfigProvider`: there is no path, the key is the variable's name."""

    JAVA_NAME = "org.apache.kafka.common.config.provider.EnvVarConfigProvider"
    version = connectd.__version__

    def config(self) -> ConfigDef:
        return CONFIG

    def configure(self, configs: Mapping[str, Any]) -> None:
        self._allowed = compile_pattern(ALLOWLIST_PATTERN, str(configs.get(ALLOWLIST_PATTERN, ".*")))

    def get(self, path: str, keys: Collection[str] | None = None) -> ConfigData:
        """Raises ConfigException when a path is given."""
        if path:
            raise ConfigException(
                f"Path is not supported for EnvVarConfigProvider, invalid value '{path}': expected ${{provider:NAME}}"
            )
        names = os.environ if keys is None else [key for key in keys if key in os.environ]
        return ConfigData({name: os.environ[name] for name in names if self._allowed.fullmatch(name)})

"""FileConfigProvider: values from a properties file, `${file:/path/to/file.properties:key}`."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import connectd
from connectd.config import ConfigDef
from connectd.errors import ConfigException
from connectd.providers import ConfigData, ConfigProvider
from plugins.providers.allowed_paths import ALLOWED_PATHS, CONFIG, AllowedPaths

logger = logging.getLogger(__name__)


class FileConfigProvider(ConfigProvider):
    """`org.apache.kafka.common.config.provider.FileConfigProvider`: the path is a file in UTF-8, the key one of its keys."""

    JAVA_NAME = "org.apache.kafka.common.config.provider.FileConfigProvider"
    version = connectd.__version__

    def config(self) -> ConfigDef:
        return CONFIG

    def configure(self, configs: Mapping[str, Any]) -> None:
        self._allowed_paths = AllowedPaths(configs.get(ALLOWED_PATHS))

    def get(self, path: str, keys: Collection[str] | None = None) -> ConfigData:
        """Raises ConfigException when the file cannot be read. One that may not be read has no values."""
        if not path:
            return ConfigData({})
        file = self._allowed_paths.resolve(path)
        if file is None:
            logger.warning("the path %s is not below allowed.paths", path)
            return ConfigData({})
        properties = _read(file)
        return ConfigData({key: value for key, value in properties.items() if keys is None or key in keys})


def _read(file: Path) -> dict[str, str]:
    from javaproperties import InvalidUEscapeError, loads

    try:
        return loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigException(f"Could not read properties from file {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        # Not with its cause, which would show what is in the file.
        raise ConfigException(f"Could not read properties from file {file}: it is not UTF-8 at {error.start}") from None
    except InvalidUEscapeError:
        raise ConfigException(
            f"Could not read properties from file {file}: expected four hexadecimal digits after \\u"
        ) from None

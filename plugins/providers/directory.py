"""DirectoryConfigProvider: values that are files of their own, `${directory:/path/to/folder:file}`."""

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


class DirectoryConfigProvider(ConfigProvider):
    """`org.apache.kafka.common.config.provider.DirectoryConfigProvider`: the path is a folder, the key a file in it.

    The value is all that the file holds, a line end at its end included, in UTF-8.
    """

    JAVA_NAME = "org.apache.kafka.common.config.provider.DirectoryConfigProvider"
    version = connectd.__version__

    def config(self) -> ConfigDef:
        return CONFIG

    def configure(self, configs: Mapping[str, Any]) -> None:
        self._allowed_paths = AllowedPaths(configs.get(ALLOWED_PATHS))

    def get(self, path: str, keys: Collection[str] | None = None) -> ConfigData:
        """Raises ConfigException for what cannot be read. What is no folder, or may not be read, has no values."""
        if not path:
            return ConfigData({})
        folder = self._allowed_paths.resolve(path)
        if folder is None:
            logger.warning("the path %s is not below allowed.paths", path)
            return ConfigData({})
        if not folder.is_dir():
            logger.warning("the path %s is not a folder", path)
            return ConfigData({})
        return ConfigData(
            {file.name: _read(file) for file in _files(folder) if keys is None or file.name in keys},
        )


def _files(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.is_file()]
    except OSError as error:
        raise ConfigException(f"Could not list directory {folder}: {error.strerror}") from error


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigException(f"Could not read file {file} for property {file.name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        # Not with its cause, which would show what is in the file.
        raise ConfigException(
            f"Could not read file {file} for property {file.name}: it is not UTF-8 at {error.start}"
        ) from None

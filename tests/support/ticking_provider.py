"""A config provider for tests: what it gives is set by the test, and it counts what it is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from connectd.errors import ConnectException
from connectd.providers import ConfigData, ConfigProvider

CLASS = f"{__name__}:TickingProvider"


class TickingProvider(ConfigProvider):
    """Gives `values` of the path; an exception among them is raised. Class attributes, for it is the loader that makes one."""

    values: ClassVar[dict[str, dict[str, str] | Exception]] = {}
    ttl_ms: ClassVar[int | None] = None
    asked: ClassVar[list[tuple[str, list[str]]]] = []
    settings: ClassVar[dict[str, Any]] = {}
    closed: ClassVar[int] = 0

    @classmethod
    def reset(cls) -> None:
        """Forget what earlier tests have set."""
        cls.values, cls.asked, cls.settings, cls.ttl_ms, cls.closed = {}, [], {}, None, 0

    def configure(self, configs: Mapping[str, Any]) -> None:
        type(self).settings = dict(configs)
        if configs.get("fail"):
            raise RuntimeError("not today")

    def get(self, path: str, keys: Collection[str] | None = None) -> ConfigData:
        type(self).asked.append((path, sorted(keys or ())))
        found = self.values.get(path, {})
        if isinstance(found, Exception):
            raise found
        return ConfigData({key: value for key, value in found.items() if keys is None or key in keys}, self.ttl_ms)

    def close(self) -> None:
        type(self).closed += 1


def unavailable() -> ConnectException:
    """What a provider raises that cannot reach its service."""
    return ConnectException("nobody answers")

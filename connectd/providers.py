"""Config providers: where `${provider:path:key}` in a configuration gets its values (KIP-297, KIP-421)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from connectd.components import Configurable


@dataclass(frozen=True, slots=True)
class ConfigData:
    """The values found, never shown in a repr; `ttl_ms` says after how long they should be read again, None for never."""

    data: Mapping[str, str] = field(repr=False)
    ttl_ms: int | None = None


class ConfigProvider(Configurable):
    """Looks secrets and other values up (`org.apache.kafka.common.config.provider.ConfigProvider`)."""

    @abstractmethod
    def get(self, path: str, keys: Collection[str] | None = None) -> ConfigData:
        """The values at `path`: those of `keys`, or all when keys is None. A key that is not there is left out."""

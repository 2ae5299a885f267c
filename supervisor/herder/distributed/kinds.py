"""What this worker's plugins say of a connector, by its class: source or sink, and which version."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from plugins.discovery.kinds import PluginKind
from supervisor.herder.entities import ConnectorType
from supervisor.inquiries.inquiry import InquiryFailed
from supervisor.inquiries.plugin_catalogue import PluginCatalogue
from tasks.messages import PluginInfo, Validated
from tasks.settings.connector import CONNECTOR_CLASS

log = structlog.get_logger(__name__)

_TYPES = {PluginKind.SOURCE.value: ConnectorType.SOURCE, PluginKind.SINK.value: ConnectorType.SINK}


class ConnectorKinds:
    """Knows what there is to know once the plugins are listed; until then, and of other classes, nothing."""

    def __init__(self, plugins: PluginCatalogue) -> None:
        self._plugins = plugins
        self._known: dict[str, tuple[ConnectorType, str]] = {}
        self._listing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """List the plugins, in the background."""
        self._listing = asyncio.get_running_loop().create_task(self._list())

    def stop(self) -> None:
        """Give up what has not ended."""
        if self._listing is not None:
            self._listing.cancel()

    def learn(self, config: Mapping[str, str | None], validated: Validated) -> None:
        """What a validation has found out."""
        if validated.kind is not None:
            known = (ConnectorType(validated.kind), validated.version)
            self._known[config.get(CONNECTOR_CLASS) or ""] = known

    def kind(self, config: Mapping[str, str]) -> ConnectorType:
        """UNKNOWN for a class that this worker does not have."""
        return self._known.get(config.get(CONNECTOR_CLASS, ""), (ConnectorType.UNKNOWN, ""))[0]

    def version(self, config: Mapping[str, str]) -> str | None:
        """None if it is not known."""
        return self._known.get(config.get(CONNECTOR_CLASS, ""), (None, None))[1]

    async def _list(self) -> None:
        try:
            found = await self._plugins.usable()
        except InquiryFailed as error:
            log.warning(f"it is not known which connectors are sources and which are sinks: {error}")
            return
        for plugin in found:
            if plugin.kind in _TYPES:
                for name in _names(plugin):
                    self._known.setdefault(name, (_TYPES[plugin.kind], plugin.version))


def _names(plugin: PluginInfo) -> list[str]:
    module, _, name = plugin.name.rpartition(".")
    return [plugin.name, f"{module}:{name}", *plugin.aliases]

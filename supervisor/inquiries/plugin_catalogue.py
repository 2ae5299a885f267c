"""What the worker's plugins are and which keys they have, as far as the REST API asks. Plugins are imported in children only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from connectd.config import ConfigValue
from connectd.errors import NotFoundException
from supervisor.herder.errors import BadRequest
from supervisor.inquiries.inquiry import InquiryRefused, ask
from supervisor.inquiries.validation import validate
from supervisor.units.restarts import PREFIX, restart_config_def
from supervisor.units.unit import Surroundings
from tasks.infos import ConfigInfos, ConfigKeyInfo, merged, result
from tasks.messages import DescribePlugin, ListPlugins, PluginConfig, PluginInfo, Plugins, Reason
from tasks.settings.connector import CONNECTOR_CLASS


class PluginCatalogue:
    """Plugins are listed once, as in Java; new ones are seen after a restart of the worker."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._listing: asyncio.Task[list[PluginInfo]] | None = None

    async def usable(self) -> list[PluginInfo]:
        """All plugins that can be loaded, by name. Raises InquiryFailed."""
        if self._listing is None or (self._listing.done() and self._listing.exception() is not None):
            self._listing = asyncio.get_running_loop().create_task(self._list())
            # Whoever has asked may be gone when it fails.
            self._listing.add_done_callback(lambda listing: listing.cancelled() or listing.exception())
        return await asyncio.shield(self._listing)

    async def config_keys(self, name: str, version: str) -> list[ConfigKeyInfo]:
        """The keys of a plugin. Raises NotFoundException, BadRequest, InquiryFailed."""
        around = self._surroundings
        order = DescribePlugin(name=name, version=version, worker_config=around.worker_config, log=around.log)
        try:
            return (await ask(around.pool, order, PluginConfig)).keys
        except InquiryRefused as refused:
            if refused.reason is Reason.NOT_FOUND:
                raise NotFoundException(str(refused)) from refused
            raise BadRequest(str(refused)) from refused

    async def validate(self, config: Mapping[str, str | None]) -> ConfigInfos:
        """Everything about each key of a connector's configuration. Raises BadRequest, InquiryFailed."""
        around = self._surroundings
        outcome = await validate(around.pool, around.worker_config, around.log, config, await self.usable())
        if outcome.kind is None or outcome.infos is None:
            errors = [message for each in outcome.errors if each.key == CONNECTOR_CLASS for message in each.errors]
            raise BadRequest("\n".join(errors))
        return merged(outcome.infos.name, [outcome.infos, _restart_infos(config)])

    async def _list(self) -> list[PluginInfo]:
        around = self._surroundings
        order = ListPlugins(worker_config=around.worker_config, log=around.log)
        found = await ask(around.pool, order, Plugins)
        return sorted(
            (plugin for plugin in found.plugins if plugin.error is None), key=lambda each: (each.name, each.version)
        )


def _restart_infos(config: Mapping[str, str | None]) -> ConfigInfos:
    """The keys that the supervisor reads itself."""
    declared = restart_config_def()
    given = {key: value for key, value in config.items() if key.startswith(PREFIX)}
    values: list[ConfigValue] = declared.validate(given)
    return result("", declared.config_keys, values, declared.groups)

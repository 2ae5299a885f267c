"""Plugins: `/connector-plugins` (`ConnectorPluginsResource`)."""

from __future__ import annotations

from http import HTTPStatus

from plugins.discovery.kinds import PluginKind
from supervisor.rest.answer import Answer
from supervisor.rest.api import Call
from supervisor.rest.entities import PluginInfo
from supervisor.rest.errors import RestException

CONNECTOR_CLASS = "connector.class"

# Java's order; other kinds, such as config providers, are not listed.
_KINDS = (
    PluginKind.SINK,
    PluginKind.SOURCE,
    PluginKind.TRANSFORMATION,
    PluginKind.PREDICATE,
    PluginKind.CONVERTER,
    PluginKind.HEADER_CONVERTER,
)
_CONNECTORS = (PluginKind.SINK, PluginKind.SOURCE)


async def list_connector_plugins(call: Call) -> Answer:
    wanted = _CONNECTORS if call.flag("connectorsOnly", default=True) else _KINDS
    found = await call.api.plugins.usable()
    return Answer(
        [
            PluginInfo(class_=each.name, type=kind, version=each.version)
            for kind in wanted
            for each in found
            if each.kind == kind
        ]
    )


async def get_connector_config_def(call: Call) -> Answer:
    return Answer(await call.api.plugins.config_keys(call.params["pluginName"], call.query.get("version", "latest")))


async def validate_configs(call: Call) -> Answer:
    plugin, config = call.params["pluginName"], call.body
    included = config.get(CONNECTOR_CLASS)
    if included is not None and not _alias(included).endswith(_alias(plugin)):
        raise RestException(
            HTTPStatus.BAD_REQUEST, f"Included connector type {included} does not match request type {plugin}"
        )
    return Answer(await call.api.plugins.validate(config))


def _alias(name: str) -> str:
    return name.removesuffix("Connector") or name

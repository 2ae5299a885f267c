"""Questions about plugins that only their own code can answer: is this configuration valid, which plugins are there, what
keys have they."""

from __future__ import annotations

from collections.abc import Callable

from connectd.components import Plugin
from connectd.config import ConfigDef, ConfigKey
from connectd.connectors import SinkConnector, SourceConnector
from connectd.converters import Converter, HeaderConverter
from connectd.errors import ConfigException, PluginNotFound
from connectd.transforms import Predicate, Transformation
from plugins.discovery import find_class
from plugins.discovery import list_plugins as find_plugins
from plugins.discovery.kinds import full_name
from plugins.java.finding import java_plugins
from plugins.java.plugin import JavaPlugin
from plugins.java.settings import JAVA
from plugins.python_setting import PLUGIN_PYTHON
from tasks.infos import key_info
from tasks.java.choosing import java_connector
from tasks.messages import (
    ConfigKeyErrors,
    DescribePlugin,
    ListPlugins,
    PluginConfig,
    PluginInfo,
    Plugins,
    Reason,
    Validate,
    Validated,
)
from tasks.moving import default_interpreter
from tasks.refusal import Refusal
from tasks.secrets.inline import hide_declared, hide_keys
from tasks.secrets.orders import resolve_for_validation
from tasks.secrets.validated import with_errors, with_references
from tasks.settings import SinkConnectorConfig, SourceConnectorConfig, WorkerConfig, worker_config
from tasks.settings.connector import CONNECTOR_CLASS
from tasks.settings.plugin_definitions import PluginDefinitions
from tasks.settings.recommended import with_connector_version
from tasks.settings.validation import validate_connector

LATEST = "latest"
_DESCRIBED = (SinkConnector, SourceConnector, Converter, HeaderConverter, Transformation, Predicate)


def validate(order: Validate, move: Callable[[], None] = lambda: None) -> Validated:
    """Check a connector's configuration with the connector's own code, under its own interpreter if `move` can go there."""
    no_interpreter = []
    try:
        move()
    except ConfigException as error:
        no_interpreter.append(ConfigKeyErrors(key=PLUGIN_PYTHON, value=str(error.value), errors=[str(error)]))
    resolved, errors = resolve_for_validation(order)
    errors += no_interpreter
    worker = worker_config(resolved.worker_config)
    java, not_found = _java_connector(resolved, worker)
    if java is not None:
        # Only where it is needed: every other process starts sooner without it.
        from tasks.java.asking import validate_java

        answer = validate_java(resolved, java)
        hide_keys(answer.secret_keys, order.config)
        return with_errors(with_references(answer, order.config), errors)
    errors += not_found
    hide_declared(
        lambda: find_class(resolved.config[CONNECTOR_CLASS] or "", plugin_path=worker.plugin_path)(), resolved.config
    )
    outcome = validate_connector(resolved.config, worker, order.plugins)
    answer = outcome.message(resolved.config, with_infos=order.plugins is not None)
    hide_keys(answer.secret_keys, order.config)
    return with_errors(with_references(answer, order.config), errors)


def _java_connector(order: Validate, worker: WorkerConfig) -> tuple[JavaPlugin | None, list[ConfigKeyErrors]]:
    try:
        return java_connector(order.config, order.worker_config, worker.plugin_path), []
    except PluginNotFound as error:
        name = order.config[CONNECTOR_CLASS]
        return None, [ConfigKeyErrors(key=CONNECTOR_CLASS, value=name, errors=[str(error)])]


def list_plugins(order: ListPlugins) -> Plugins:
    """All plugins that this worker would find, the broken ones with their errors."""
    python = default_interpreter(order.worker_config)
    found = find_plugins(WorkerConfig(order.worker_config).plugin_path, python=python)
    return Plugins(
        plugins=[
            PluginInfo(
                name=each.name,
                kind=each.kind,
                version=each.version,
                location=each.location,
                aliases=each.aliases,
                error=each.error,
            )
            for each in found
        ]
        + [
            PluginInfo(
                name=each.name,
                kind=each.kind,
                version=each.version,
                location=each.folder,
                runtime=JAVA,
                aliases=each.short_names,
            )
            for each in java_plugins(WorkerConfig(order.worker_config).plugin_path)
        ]
    )


def describe_plugin(order: DescribePlugin) -> PluginConfig:
    """The keys of a plugin, and for a connector those of the framework too. Raises Refusal."""
    path = WorkerConfig(order.worker_config).plugin_path
    java = java_connector({CONNECTOR_CLASS: order.name}, order.worker_config, path)
    if java is not None:
        from tasks.java.asking import describe_java

        return describe_java(order, java)
    try:
        found = find_class(order.name, plugin_path=path)
    except PluginNotFound as error:
        raise Refusal(Reason.NOT_FOUND, f"Unknown plugin {order.name}.") from error
    if not issubclass(found, _DESCRIBED):
        raise Refusal(
            Reason.WRONG,
            f"Invalid plugin class {order.name}. Valid types are sink, source, converter, header_converter, "
            "transformation, predicate.",
        )
    definitions = PluginDefinitions(path)
    try:
        with definitions.instance(CONNECTOR_CLASS, order.name, (found,)) as plugin:
            _require_version(order, found, plugin)
            declared = definitions.config_def(CONNECTOR_CLASS, order.name, plugin)
            framework = _framework_keys(plugin)
    except ConfigException as error:
        raise Refusal(Reason.WRONG, str(error)) from error
    keys: dict[str, ConfigKey] = {**declared.config_keys}
    for name, key in framework.config_keys.items():
        keys.setdefault(name, key)
    return PluginConfig(keys=[key_info(key) for key in keys.values()])


def _framework_keys(plugin: Plugin) -> ConfigDef:
    if isinstance(plugin, SourceConnector):
        return with_connector_version(SourceConnectorConfig.base_config_def(), plugin)
    if isinstance(plugin, SinkConnector):
        return with_connector_version(SinkConnectorConfig.base_config_def(), plugin)
    return ConfigDef()


def _require_version(order: DescribePlugin, found: type, plugin: Plugin) -> None:
    if order.version not in (LATEST, str(plugin.version)):
        raise Refusal(
            Reason.WRONG,
            f"Plugin {full_name(found)} not found that matches the version {order.version}, "
            f"available versions: [{plugin.version}]",
        )

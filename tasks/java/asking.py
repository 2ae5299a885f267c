"""Questions about connectors in Java, answered by a host: is a configuration right, which keys are there, may offsets change."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Self

import msgspec
import orjson

from connectd.config import ConfigDef, ConfigValue
from connectd.errors import ConnectException
from plugins.java.plugin import JavaPlugin
from plugins.java.settings import JAVA_HOME, JAVA_OPTIONS
from tasks.infos import ConfigInfos, ConfigKeyInfo, merged, result
from tasks.java import kept
from tasks.java.host import WORKER_ID, start_host, worker_properties
from tasks.java.process import Event, levels_at_start
from tasks.messages import (
    AlterOffsets,
    ConfigKeyErrors,
    DescribePlugin,
    LogSettings,
    OffsetsAltered,
    PluginConfig,
    Reason,
    Validate,
    Validated,
)
from tasks.refusal import Refusal
from tasks.secrets.validated import with_errors
from tasks.settings import worker_config
from tasks.settings.connector import CONNECTOR_CLASS
from tasks.settings.exactly_once import exactly_once_errors
from tasks.settings.java import define_java
from tasks.settings.limits import TASK_MEMORY_MAX, define_connector_limits
from tasks.settings.python import define_connector_python

_PASSWORD: Final = "PASSWORD"  # noqa: S105 (a type)
# What is wrong with the question, in the words of Java's exceptions; all else went wrong with the answer.
_WRONG: Final = ("ConfigException", "BadRequestException", "DataException", "ConnectException")
# How Java's message begins about a plugin that is in a jar, but could not be loaded; why that is it has logged.
_NOT_FOUND: Final = "Failed to find any class that implements Connector"
# What Java says when the connector has taken care of its offsets itself.
_HANDLED: Final = "The offsets for this connector have been"


class Host:
    """A host that answers one question after the other. `settings` are what it has been started with."""

    def __init__(self, connector: JavaPlugin, settings: _Settings, log: LogSettings) -> None:
        """Raises ConfigException, ConnectException."""
        self.settings = settings
        self._name = connector.name
        # The offsets that it wants to be stored.
        self.entries: list[tuple[bytes, bytes | None]] = []
        self._process = start_host(f"connectd: asked about {connector.name}", settings.worker, settings.java)
        self._events = self._process.events()
        self._levels = levels_at_start(log.levels)

    def ask(self, question: str, **content: object) -> Event:
        """The answer. Raises Refusal, ConnectException."""
        properties = self.settings.properties
        self._process.send(question, worker=properties, worker_id=WORKER_ID, levels=self._levels, **content)
        for event in self._events:
            match event["event"]:
                case "answer":
                    return event
                case "refused" if event["error"].startswith(_NOT_FOUND):
                    raise Refusal(Reason.WRONG, f"{self._name} cannot be loaded: {self._process.last_error}")
                case "refused":
                    kind = Reason.WRONG if event["class"].endswith(_WRONG) else Reason.FAILED
                    raise Refusal(kind, event["error"])
                case "broken":
                    raise ConnectException(event["trace"])
                case "commit":
                    self.entries += [(base64.b64decode(key), _bytes(value)) for key, value in event["what"]]
                    self._process.send("offsets", number=event["number"], values=[])
        code = self._process.end()
        said = "\n".join(self._process.last_lines)
        raise ConnectException(f"the Java virtual machine ended with exit code {code}:\n{said}")

    def close(self) -> None:
        """It is not needed any more."""
        self._process.kill()


class _Settings(msgspec.Struct, frozen=True):
    """What a host is started with: the settings of the worker, of the connector about its machine, and of Kafka's worker."""

    worker: Mapping[str, str]
    java: Mapping[str, str]
    properties: Mapping[str, str]

    @classmethod
    def of(cls, connector: JavaPlugin, worker: Mapping[str, str], config: Mapping[str, str]) -> Self:
        """Raises ConfigException."""
        java = {key: config[key] for key in (JAVA_HOME, JAVA_OPTIONS, TASK_MEMORY_MAX) if key in config}
        return cls(dict(worker), java, worker_properties(connector, worker, config))


@contextmanager
def _host(
    connector: JavaPlugin, worker: Mapping[str, str], config: Mapping[str, str], log: LogSettings
) -> Iterator[Host]:
    """That of the last question if it was started with the same; it is kept for the next, unless something breaks."""
    settings = _Settings.of(connector, worker, config)
    host: Host | None = kept.host
    kept.host = None
    if host is not None and host.settings != settings:
        host.close()
        host = None
    host = host or Host(connector, settings, log)
    try:
        yield host
    except Refusal:
        kept.host = host
        raise
    except BaseException:
        host.close()
        raise
    kept.host = host


def validate_java(order: Validate, connector: JavaPlugin) -> Validated:
    """What the connector and Kafka's own Worker say about a configuration, which has no references any more."""
    config = {key: value for key, value in order.config.items() if value is not None}
    own = _own_infos(config)
    # What is wrong with its Java is told; it is asked about all else with that of the worker.
    wrong = {each.value.name for each in own.configs if each.value is not None and each.value.errors}
    usable = {key: value for key, value in config.items() if key not in wrong}
    try:
        with _host(connector, order.worker_config, usable, order.log) as host:
            answer = host.ask("validate", config={**config, CONNECTOR_CLASS: connector.name})
            errors = _exactly_once_errors(host, order, connector) if answer["kind"] == "source" else []
    except (Refusal, ConnectException, OSError) as error:
        return _all_wrong(config, error)
    infos = merged(config[CONNECTOR_CLASS], [_infos(answer["infos"]), own])
    validated = Validated(
        errors=[
            ConfigKeyErrors(key=each.value.name, value=each.value.value, errors=each.value.errors)
            for each in infos.configs
            if each.value is not None and each.value.errors
        ],
        kind=answer["kind"],
        version=answer["version"],
        secret_keys=[
            each.definition.name
            for each in infos.configs
            if each.definition is not None and each.definition.type == _PASSWORD and each.definition.name in config
        ],
        infos=infos if order.plugins is not None else None,
    )
    return with_errors(validated, errors)


def _exactly_once_errors(host: Host, order: Validate, connector: JavaPlugin) -> list[ConfigKeyErrors]:
    """What Java's distributed herder would have said, which is none of the Worker's business."""
    worker = worker_config(order.worker_config)
    if worker.group_id is None:
        return []
    config = {**order.config, CONNECTOR_CLASS: connector.name}

    def answer(*, boundaries: bool) -> str | None:
        support: str | None = host.ask("support", config=config, boundaries=boundaries)["support"]
        return support

    found: dict[str, list[str]] = {}
    for key, message in exactly_once_errors(
        config, worker, lambda: answer(boundaries=False), lambda: answer(boundaries=True)
    ):
        found.setdefault(key, []).append(message)
    return [ConfigKeyErrors(key=key, value=config[key], errors=messages) for key, messages in found.items()]


def describe_java(order: DescribePlugin, connector: JavaPlugin) -> PluginConfig:
    """The keys of a connector. Raises Refusal, ConnectException."""
    with _host(connector, order.worker_config, {}, order.log) as host:
        answer = host.ask("describe", **{"class": connector.name})
    return PluginConfig(keys=msgspec.convert(answer["keys"], list[ConfigKeyInfo]))


def alter_java_offsets(order: AlterOffsets, connector: JavaPlugin) -> OffsetsAltered:
    """Have a connector accept other offsets; those of a source are in the answer. Raises Refusal, ConnectException."""
    host = Host(connector, _Settings.of(connector, order.worker_config, order.config), order.log)
    try:
        answer = host.ask(
            "alter",
            connector=order.config["name"],
            config={**order.config, CONNECTOR_CLASS: connector.name},
            offsets=None if order.offsets is None else orjson.loads(order.offsets),
            stored=[base64.b64encode(key).decode() for key in order.stored],
        )
        return OffsetsAltered(handled=answer["message"].startswith(_HANDLED), entries=host.entries)
    finally:
        host.close()


def _all_wrong(config: Mapping[str, str], error: Exception) -> Validated:
    """A connector that cannot even be asked."""
    name = config.get(CONNECTOR_CLASS)
    return Validated(errors=[ConfigKeyErrors(key=CONNECTOR_CLASS, value=name, errors=[str(error)])])


def _infos(answer: Event) -> ConfigInfos:
    return msgspec.convert(answer, ConfigInfos)


def _own_infos(config: Mapping[str, str]) -> ConfigInfos:
    """The keys that only connectd has."""
    definition = ConfigDef()
    for declare in (define_connector_limits, define_connector_python, define_java):
        declare(definition)
    values: list[ConfigValue] = definition.validate(config)
    return result("", definition.config_keys, values, definition.groups)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)

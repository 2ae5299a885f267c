"""Starts the host of a connector: which Java, which options, which plugins, which settings of Kafka Connect's worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectd.errors import ConfigException
from plugins.discovery.builtin import BUILTINS
from plugins.discovery.kinds import alias, simple_name
from plugins.java.plugin import JavaPlugin
from plugins.java.settings import JAVA_HOME, JAVA_OPTIONS
from tasks.java.installation import host_command
from tasks.java.machine import machine
from tasks.java.plugin_path import plugin_path_of
from tasks.java.process import JavaProcess
from tasks.moving import plugin_path
from tasks.settings.distributed import EXACTLY_ONCE_SOURCE_SUPPORT, OFFSET_STORAGE, DistributedConfig
from tasks.settings.group import GROUP_ID
from tasks.settings.java import options as split
from tasks.settings.limits import Limits
from tasks.settings.worker import CONFIG_PROVIDERS, HEADER_CONVERTER, KEY_CONVERTER, PLUGIN_PATH, VALUE_CONVERTER

WORKER_ID: Final = "connectd"

# For those that plan or answer and then end: optimizing takes a third of the time of their start, and they never gain it back.
_NO_OPTIMIZING: Final = "-XX:TieredStopAtLevel=1"

# What is larger than Java's 16 KiB saves most of the requests, of which one is on its way at a time.
_BATCH: Final[Mapping[str, str]] = {"producer.batch.size": str(64 << 10)}
# Java's own is 32 MiB. Ten times as much of the heap is taken by what belongs to small records that wait in it for their turn.
_BUFFER: Final[Mapping[str, str]] = {"producer.buffer.memory": str(4 << 20)}
# Whoever sends larger requests needs more than they take.
_LARGER_REQUESTS: Final = ("producer.max.request.size", "producer.override.max.request.size")
# What connectd does itself: secrets are resolved before, there is no server, and hardly a task keeps its offsets itself.
_LEFT_OUT: Final = (
    CONFIG_PROVIDERS,
    "rest.extension.classes",
    "listeners",
    "metric.reporters",
    EXACTLY_ONCE_SOURCE_SUPPORT,
    GROUP_ID,
    OFFSET_STORAGE,
)


def start_host(
    title: str, worker_config: Mapping[str, str], config: Mapping[str, str], *, moves_records: bool = False
) -> JavaProcess:
    """A host for a connector with this configuration. Raises ConfigException, ConnectException, OSError."""
    home = config.get(JAVA_HOME) or worker_config.get(JAVA_HOME)
    options = [*([] if moves_records else [_NO_OPTIMIZING]), *_options(worker_config), *_options(config)]
    limits = Limits.as_far_as_known(worker_config, config)
    command = host_command(machine(home or None), options, memory_max_bytes=limits.memory_max_bytes)
    return JavaProcess(command, title)


def worker_properties(
    connector: JavaPlugin, worker_config: Mapping[str, str], config: Mapping[str, str]
) -> dict[str, Any]:
    """The settings of Kafka Connect's worker in the host, from those of connectd's, without references."""
    path = plugin_path(worker_config)
    kept = {key: value for key, value in worker_config.items() if not key.startswith(_LEFT_OUT)}
    for key in (KEY_CONVERTER, VALUE_CONVERTER, HEADER_CONVERTER):
        if key in kept:
            kept[key] = java_name(kept[key])
    larger = any(key in settings for key in _LARGER_REQUESTS for settings in (worker_config, config))
    return {
        **_BATCH,
        **({} if larger else _BUFFER),
        **kept,
        PLUGIN_PATH: plugin_path_of(connector, path, worker_config, config),
        "plugin.discovery": "service_load",
    }


def exactly_once_properties(worker: DistributedConfig) -> dict[str, str]:
    """What a source task adds to these settings that writes in transactions, and so keeps its offsets itself."""
    topic = worker.offset_topic
    return {
        EXACTLY_ONCE_SOURCE_SUPPORT: "true",
        GROUP_ID: worker.group_id,
        f"{OFFSET_STORAGE}topic": topic.name,
        f"{OFFSET_STORAGE}partitions": str(topic.partitions),
        f"{OFFSET_STORAGE}replication.factor": str(topic.replication_factor),
    }


def java_name(name: str) -> str:
    """The Java class of a built-in converter, by whatever name; other names are left to Java."""
    for kind, locations in BUILTINS.items():
        for known, location in locations.items():
            simple = simple_name(known)
            if name in (simple, alias(simple, kind), location, location.replace(":", ".")):
                return known
    return name


def _options(config: Mapping[str, str]) -> list[str]:
    text = config.get(JAVA_OPTIONS) or ""
    try:
        return split(text)
    except ValueError as error:
        raise ConfigException(JAVA_OPTIONS, text, f"Expected options as on a command line: {error}") from None

"""The plugin folders of both systems' workers: the same source and sink of orders in each, and what Java's needs for Avro."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.systems import Connectd, Worker
from tests.peer.jvm import compile_java

PLUGINS = "connectd.bench.RecordPlugins$"
_HERE = Path(__file__).parent
_ORDERS = {
    "org.apache.kafka.connect.source.SourceConnector": f"{PLUGINS}OrderSource",
    "org.apache.kafka.connect.sink.SinkConnector": f"{PLUGINS}OrderSink",
}
_AVRO = {"org.apache.kafka.connect.storage.Converter": "io.confluent.connect.avro.AvroConverter"}


class PluginFolders:
    """`confluent` is the class path of Confluent's AvroConverter, empty if there is none."""

    def __init__(self, folder: Path, confluent: Sequence[Path]) -> None:
        self._ours, self._java = folder / "connectd-plugins", folder / "java-plugins"
        self._ours.mkdir()
        (self._ours / "orders").symlink_to(_HERE / "record_plugins")
        _fill(self._java / "orders", [compile_java(_HERE / "RecordPlugins.java")], _ORDERS)
        if confluent:
            _fill(self._java / "confluent", confluent, _AVRO)

    def of(self, system: Worker) -> Path:
        """What a system's `plugin.path` names."""
        return self._ours if isinstance(system, Connectd) else self._java


def _fill(plugin: Path, class_path: Sequence[Path], services: Mapping[str, str]) -> None:
    """A plugin of jars: those of the class path, and one of each folder of classes in it; `services` name its plugins."""
    plugin.mkdir(parents=True)
    declared = plugin / "declared"
    (declared / "META-INF" / "services").mkdir(parents=True)
    for interface, name in services.items():
        (declared / "META-INF" / "services" / interface).write_text(f"{name}\n")
    for number, each in enumerate([*class_path, declared]):
        if each.is_dir():
            archive = Path(shutil.make_archive(str(plugin / f"classes-{number}"), "zip", each))
            archive.rename(archive.with_suffix(".jar"))
        else:
            (plugin / f"{number}-{each.name}").symlink_to(each.resolve())
    shutil.rmtree(declared)

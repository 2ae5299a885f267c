"""A plugin folder whose task writes down what it runs on, and does what its configuration says."""

from __future__ import annotations

import json
import venv
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

_CONNECTOR = """
    import json, os, resource, sys, time
    from importlib import metadata

    import witnesslib
    from connectd import ConfigDef, ConfigType, SourceConnector, SourceRecord, SourceTask

    CONFIG = (
        ConfigDef()
        .define("witness", ConfigType.STRING, doc="The file to write to")
        .define("do", ConfigType.STRING, "", doc="What to do in poll")
        .define("topic", ConfigType.STRING, "", doc="The topic to write to")
        .define("lib", ConfigType.STRING, witnesslib.__version__, doc="The version of the library")
    )

    def testify(props, what):
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        line = {
            "what": what, "pid": os.getpid(), "prefix": sys.prefix, "python": list(sys.version_info[:2]), "nice": os.nice(0),
            "files": soft, "lib": witnesslib.__version__, "installed": metadata.version("witnesslib"),
            "shared": getattr(sys.modules.get("orjson"), "__version__", None),
        }
        with open(props["witness"], "a") as file:
            file.write(json.dumps(line) + "\\n")

    class WitnessConnector(SourceConnector):
        version = witnesslib.__version__

        def config(self):
            return CONFIG

        def validate(self, props):
            if props.get("witness"):
                testify(props, "validate")
            return super().validate(props)

        def start(self, props):
            testify(props, "connector")
            self.props = dict(props)

        def task_class(self):
            return WitnessTask

        def task_configs(self, max_tasks):
            return [self.props]

    class WitnessTask(SourceTask):
        def start(self, props):
            self.props, self.sent = props, False
            testify(props, "task")

        def poll(self):
            match self.props.get("do", "").split():
                case ["hang"]:
                    time.sleep(3600)
                case ["leak"]:
                    self.leak = [b"x" * 1000000 for _ in range(300)]
            if not self.sent and self.props.get("topic"):
                self.sent = True
                return [SourceRecord({}, {}, self.props["topic"], value=witnesslib.__version__)]
            self.context.wait(3600)
            return None
"""


def write_module(folder: Path, name: str, content: str) -> None:
    """A module in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(dedent(content))


def install(folder: Path, name: str, version: str, content: str, entry_points: Mapping[str, str] | None = None) -> None:
    """A distribution of one module, as `pip install --target` leaves it."""
    write_module(folder, name, content)
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{name}.py,,\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
    if entry_points:
        lines = "".join(f"{key} = {value}\n" for key, value in entry_points.items())
        (info / "entry_points.txt").write_text(f"[connectd.plugins]\n{lines}")


def install_lib(folder: Path, version: str) -> None:
    """The library that the witness depends on."""
    install(folder, "witnesslib", version, f"__version__ = '{version}'\n")


def write_witness(folder: Path, module: str = "witness", prefix: str = "") -> None:
    """The connector, as `<prefix>WitnessConnector` in a module of this name."""
    write_module(folder, module, witness_source(prefix))


def witness_source(prefix: str = "") -> str:
    """The connector's module."""
    return _CONNECTOR.replace("WitnessConnector", f"{prefix}WitnessConnector")


def make_environment(path: Path) -> Path:
    """A virtual environment without anything in it, whose library the caller installs; returns its folder of packages."""
    venv.create(path, with_pip=False, symlinks=True)
    (packages,) = path.glob("lib/python*/site-packages")
    return packages


def write_worker(folder: Path, bootstrap_servers: str = "127.0.0.1:1", **settings: str) -> None:
    """`worker.properties` with the folder of plugins `plugins`; underscores in names stand for dots."""
    given = {
        "bootstrap_servers": bootstrap_servers,
        "key_converter": "StringConverter",
        "value_converter": "StringConverter",
        "offset_storage_file_filename": f"{folder}/offsets",
        "plugin_path": f"{folder}/plugins",
        "listeners": "http://127.0.0.1:0",
        **settings,
    }
    (folder / "worker.properties").write_text(
        "".join(f"{key.replace('_', '.')}={each}\n" for key, each in given.items())
    )


def write_connector(folder: Path, name: str, connector_class: str, **settings: str) -> str:
    """A connector file that has its witness in `<name>.witness`; returns the file's name."""
    given = {"name": name, "connector_class": connector_class, "witness": f"{folder}/{name}.witness", **settings}
    lines = [f"{key.replace('_', '.')}={each}\n" for key, each in given.items()]
    (folder / f"{name}.properties").write_text("".join(lines))
    return f"{name}.properties"


def witnessed(folder: Path, name: str, what: str) -> list[dict[str, Any]]:
    """What the connector or its task wrote down, each time it was started."""
    path = folder / f"{name}.witness"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    found = [json.loads(line) for line in lines if line.endswith("\n")]
    return [each for each in found if each["what"] == what]

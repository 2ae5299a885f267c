"""`connectd` itself: an author imports everything from there and nothing else comes with it."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import connectd


def test_every_public_class_is_exported() -> None:
    exported = {id(getattr(connectd, name)) for name in connectd.__all__}
    missing = []
    for found in pkgutil.walk_packages(connectd.__path__, "connectd."):
        module = importlib.import_module(found.name)
        classes = {name: value for name, value in vars(module).items() if isinstance(value, type)}
        missing += [
            f"{module.__name__}.{name}"
            for name, value in classes.items()
            if value.__module__ == module.__name__ and not name.startswith("_") and id(value) not in exported
        ]
    # The type of NO_DEFAULT, which is exported.
    assert missing == ["connectd.config.key.NoDefault"]


def test_a_star_import_gives_all_names() -> None:
    namespace: dict[str, object] = {}
    exec("from connectd import *", namespace)
    assert set(connectd.__all__) <= set(namespace)
    assert len(set(connectd.__all__)) == len(connectd.__all__)


def test_the_version_is_that_of_the_distribution() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    assert connectd.__version__ == project["project"]["version"]


def test_authors_get_neither_the_runtime_nor_the_kafka_client() -> None:
    code = "import sys, connectd; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {"plugins", "tasks", "supervisor", "confluent_kafka", "structlog", "multiprocess"} & set(
        done.stdout.split()
    )

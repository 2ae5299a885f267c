"""Worker and connector files for one run, made from those in `conf/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import javaproperties

CONF = Path(__file__).resolve().parent.parent / "conf"
WORKER = CONF / "connect-standalone.properties"
FILE_SOURCE = CONF / "connect-file-source.properties"
FILE_SINK = CONF / "connect-file-sink.properties"


def read(path: Path) -> dict[str, str]:
    """The properties in a file."""
    return javaproperties.loads(path.read_text(encoding="utf-8"))


def derive(original: Path, target: Path, changes: Mapping[str, str]) -> Path:
    """Write the properties of `original` with some keys changed or added to `target`, and return that."""
    target.write_text(javaproperties.dumps({**read(original), **changes}, timestamp=False), encoding="utf-8")
    return target

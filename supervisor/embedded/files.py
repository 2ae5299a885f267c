"""Files of the data folder: written whole or not at all, and secret ones for their owner alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def write_private(path: Path, content: bytes | str) -> None:
    """Write a file that only its owner may read; whoever reads it meanwhile sees the old content or the new one."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_bytes(content.encode() if isinstance(content, str) else content)
    draft.replace(path)


def write_properties(path: Path, properties: Mapping[str, str]) -> None:
    """Write a Java .properties file, which may hold passwords. Values are single lines."""
    lines = [f"{key}={value}\n".replace("\\", "\\\\") for key, value in properties.items()]
    write_private(path, "".join(lines))


def read_properties(path: Path) -> dict[str, str]:
    """Read what `write_properties` wrote."""
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {key: value.replace("\\\\", "\\") for key, _, value in pairs}


def read_json(path: Path) -> dict[str, str]:
    """Read a small JSON object of strings; empty when the file is missing or not whole."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: Mapping[str, str]) -> None:
    """Write what `read_json` reads."""
    write_private(path, json.dumps(content, indent=2) + "\n")

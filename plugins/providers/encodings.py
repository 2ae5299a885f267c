"""What the secret providers of Lenses.io share: settings, and values whose keys say that they are encoded."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from connectd.config import AbstractConfig, ConfigDef, Importance, Range, Type
from connectd.errors import ConfigException, ConnectException

DEFAULT_TTL: Final = "secret.default.ttl"
WRITE_FILES: Final = "file.write"

_FILES: Final = ("utf8_file", "base64_file")


def define_common(definition: ConfigDef) -> ConfigDef:
    """Adds the keys that all of them have."""
    return (
        definition.define(
            DEFAULT_TTL,
            Type.LONG,
            0,
            Range.at_least(0),
            Importance.MEDIUM,
            "After how many milliseconds a secret is looked up again that does not say so itself. 0 means never.",
        )
        .define(
            WRITE_FILES,
            Type.BOOLEAN,
            False,
            importance=Importance.MEDIUM,
            doc="Must be false: secrets are never written to disk.",
        )
        .define("file.dir", Type.STRING, "", importance=Importance.MEDIUM, doc="Accepted; it has no effect.")
    )


def refuse_files(config: AbstractConfig) -> None:
    """Raises ConfigException where secrets are to be written to disk."""
    if config.get(WRITE_FILES):
        raise ConfigException(WRITE_FILES, True, "Expected false: connectd never writes secrets to disk")


def decode(path: str, values: Mapping[str, Any], keys: Collection[str] | None) -> dict[str, str]:
    """The values as texts, those of `keys` or all. A key that begins with `base64` holds its value so encoded."""
    return {key: _decode(path, key, value) for key, value in values.items() if keys is None or key in keys}


def _decode(path: str, key: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    kind = key.strip().lower()
    if kind.startswith(_FILES):
        raise ConnectException(f"The secret {key} at {path} is meant for a file: connectd never writes secrets to disk")
    if not kind.startswith("base64"):
        return text
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        # Not with its cause, which would show the value.
        raise ConnectException(f"The secret {key} at {path} is not a text in base64, as its name says") from None

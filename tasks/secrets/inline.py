"""Secrets that stand in a configuration itself: this process neither logs nor reports them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from connectd.connectors import Connector
from tasks.clients.jaas import parse_jaas
from tasks.secrets.masking import hide
from tasks.secrets.names import is_secret_name
from tasks.secrets.references import find_references

# Words that stand in texts of all kinds.
_NO_SECRETS: Final = frozenset(("true", "false", "none", "null"))

Config = Mapping[str, str | None]


def hide_by_name(*configs: Config) -> None:
    """Hide the values of keys whose names say that they are secrets."""
    hide(each for config in configs for key, value in config.items() if is_secret_name(key) for each in _secrets(value))


def hide_declared(make: Callable[[], Connector], *configs: Config) -> None:
    """Hide the values of keys that a connector declares as passwords, as far as it can say which these are."""
    with contextlib.suppress(Exception):  # plugin code; whoever needs the connector reports what is wrong with it
        keys = make().config().config_keys
        hide_keys({name for name, key in keys.items() if key.type.is_sensitive}, *configs)


def hide_keys(keys: Iterable[str], *configs: Config) -> None:
    """Hide the values of these keys."""
    hide(each for config in configs for key in keys for each in _secrets(config.get(key)))


def _secrets(value: str | None) -> Iterator[str]:
    if value is None or value.lower() in _NO_SECRETS or any(find_references(value)):
        return
    yield value
    with contextlib.suppress(ValueError):
        yield from (text for key, text in parse_jaas(value).options.items() if is_secret_name(key))

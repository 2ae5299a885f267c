"""Looks references up with the config providers of a worker (`ConfigTransformer`, `WorkerConfigTransformer` in Kafka).

It loads and runs third-party code: in children only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from connectd.config import Type, parse_type
from connectd.errors import ConfigException, ConnectException
from connectd.providers import ConfigData, ConfigProvider
from plugins.discovery import find_class
from tasks.secrets.masking import remember
from tasks.secrets.references import Reference, references_in, replace_references
from tasks.settings.worker import CONFIG_PROVIDERS, PLUGIN_PATH

log = structlog.get_logger(__name__)

_PREFIX: Final = f"{CONFIG_PROVIDERS}."


@dataclass
class Lookup:
    """What was found for references; those to providers that the worker does not have are left out.

    `values` holds None for a key that its provider does not have, `ttls_ms` after how long a value is to be looked up
    again, and `errors` what a provider raised.
    """

    values: dict[Reference, str | None] = field(default_factory=dict, repr=False)
    ttls_ms: dict[Reference, int] = field(default_factory=dict)
    errors: dict[Reference, ConnectException] = field(default_factory=dict)

    def apply(self, config: Mapping[str, str]) -> dict[str, str]:
        """The configuration with values for references; what has none stays as it is, as in Java."""
        if not self.values:
            return dict(config)
        return {key: replace_references(value, self.values.get) for key, value in config.items()}


class Resolver:
    """The config providers of a worker, each loaded when it is first needed; to be closed.

    A provider's own settings may hold references to others, in Java only outside of the worker's configuration.
    """

    def __init__(self, worker_config: Mapping[str, str]) -> None:
        """`worker_config` is as it was written. Raises ConfigException for a wrong list of providers."""
        self._config = worker_config
        self._names = _list(CONFIG_PROVIDERS, worker_config)
        self._plugin_path = _list(PLUGIN_PATH, worker_config)
        self._providers: dict[str, ConfigProvider | ConnectException] = {}
        self._loading: list[str] = []

    def lookup(self, references: Iterable[Reference]) -> Lookup:
        """Every value once; what goes wrong is among the errors."""
        found = Lookup()
        for (name, path), wanted in _grouped(references).items():
            if f"{_PREFIX}{name}.class" in self._config and name in self._names:
                try:
                    data = self._get(name, path, [reference.key for reference in wanted])
                except ConnectException as error:
                    found.errors |= dict.fromkeys(wanted, error)
                else:
                    _add(found, wanted, data)
        remember(
            {value: reference.text for reference, value in found.values.items() if value},
            untouched=[reference.text for reference in (*found.values, *found.errors)],
        )
        return found

    def close(self) -> None:
        """Close the providers; the next lookup loads them again."""
        for name, provider in self._providers.items():
            if isinstance(provider, ConfigProvider):
                try:
                    provider.close()
                except Exception as error:
                    log.warning(f"closing the config provider {name} failed", error=f"{type(error).__name__}: {error}")
        self._providers.clear()

    def _get(self, name: str, path: str, keys: list[str]) -> ConfigData:
        provider = self._provider(name)
        try:
            return provider.get(path, keys)
        except ConnectException:
            raise
        except Exception as error:
            raise ConnectException(
                f"The config provider {name} failed at {path!r}: {type(error).__name__}: {error}"
            ) from error

    def _provider(self, name: str) -> ConfigProvider:
        if name not in self._providers:
            try:
                self._providers[name] = self._load(name)
            except ConnectException as error:
                self._providers[name] = error  # not to be tried for every path
        provider = self._providers[name]
        if isinstance(provider, ConnectException):
            raise provider
        return provider

    def _load(self, name: str) -> ConfigProvider:
        if name in self._loading:
            circle = " -> ".join([*self._loading, name])
            raise ConfigException(f"The settings of config providers need each other: {circle}")
        self._loading.append(name)
        try:
            params = self._resolved_params(name)
            provider: ConfigProvider = find_class(
                self._config[f"{_PREFIX}{name}.class"], ConfigProvider, self._plugin_path
            )()
            provider.configure(params)
        except ConnectException:
            raise
        except Exception as error:
            raise ConnectException(
                f"The config provider {name} cannot be configured: {type(error).__name__}: {error}"
            ) from error
        finally:
            self._loading.pop()
        return provider

    def _resolved_params(self, name: str) -> dict[str, str]:
        prefix = f"{_PREFIX}{name}.param."
        params = {
            key.removeprefix(prefix): value
            for key, value in self._config.items()
            if key.startswith(prefix) and key != prefix
        }
        found = self.lookup(references_in(params))
        for error in found.errors.values():
            raise error
        return found.apply(params)


def _grouped(references: Iterable[Reference]) -> dict[tuple[str, str], list[Reference]]:
    groups: dict[tuple[str, str], list[Reference]] = {}
    for reference in sorted(set(references)):
        groups.setdefault((reference.provider, reference.path), []).append(reference)
    return groups


def _add(found: Lookup, wanted: Iterable[Reference], data: ConfigData) -> None:
    for reference in wanted:
        value = data.data.get(reference.key)
        if value is None:
            log.warning(f"{reference.text} stays as it is: its config provider has no such key")
        found.values[reference] = value
        if data.ttl_ms is not None and data.ttl_ms >= 0:
            found.ttls_ms[reference] = data.ttl_ms


def _list(key: str, config: Mapping[str, str]) -> list[str]:
    return list(parse_type(key, config.get(key), Type.LIST) or [])

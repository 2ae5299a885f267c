"""What the REST API says about configurations (`ConfigInfos`, `ConfigInfo`, `ConfigKeyInfo`, `ConfigValueInfo` in Kafka)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from connectd.config import ConfigKey, ConfigValue, Password, Type, convert_to_string


class ConfigKeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The declaration of a key."""

    name: str
    type: str
    required: bool
    default_value: str | None
    importance: str
    documentation: str
    group: str | None
    order_in_group: int
    width: str
    display_name: str
    dependents: list[str]


class ConfigValueInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The value that a configuration gives to a key, and what is wrong with it; a password's value is hidden."""

    name: str
    value: str | None
    recommended_values: list[str | None]
    errors: list[str]
    visible: bool


class ConfigInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a validated configuration; the definition is null for a key that nobody declares."""

    definition: ConfigKeyInfo | None
    value: ConfigValueInfo | None


class ConfigInfos(msgspec.Struct, frozen=True, kw_only=True):
    """A validated configuration; `name` is the connector's class as it was written."""

    name: str
    error_count: int
    groups: list[str]
    configs: list[ConfigInfo]


def key_info(key: ConfigKey, prefix: str = "") -> ConfigKeyInfo:
    """The declaration of `prefix` + `key`."""
    return ConfigKeyInfo(
        name=prefix + key.name,
        type=key.type.value,
        required=not key.has_default,
        default_value=convert_to_string(key.default_value, key.type) if key.has_default else None,
        importance=key.importance.value,
        documentation=key.documentation,
        group=key.group,
        order_in_group=key.order_in_group,
        width=key.width.value,
        display_name=key.display_name,
        dependents=list(key.dependents),
    )


def value_info(value: ConfigValue, type: Type | None, prefix: str = "") -> ConfigValueInfo:
    """The value of `prefix` + its name; `type` is None for a key that nobody declares."""
    return ConfigValueInfo(
        name=prefix + value.name,
        value=_text(value.value, type),
        recommended_values=[_text(each, None if type is Type.LIST else type) for each in value.recommended_values],
        errors=list(value.error_messages),
        visible=value.visible,
    )


def result(
    name: str, keys: Mapping[str, ConfigKey], values: Sequence[ConfigValue], groups: Iterable[str]
) -> ConfigInfos:
    """As `AbstractHerder.generateResult`: undeclared keys first, then the declared ones in their order; of several values
    for one key the last counts."""
    by_name = {value.name: value for value in values}
    configs = [ConfigInfo(definition=None, value=value_info(each, None)) for each in values if each.name not in keys]
    configs += [
        ConfigInfo(
            definition=key_info(key),
            value=value_info(by_name[key.name], key.type) if key.name in by_name else None,
        )
        for key in keys.values()
    ]
    return ConfigInfos(name=name, error_count=_count(configs), groups=list(groups), configs=configs)


def prefixed_result(keys: Mapping[str, ConfigKey], values: Sequence[ConfigValue], prefix: str) -> ConfigInfos:
    """As `AbstractHerder.prefixedConfigInfos`: what a converter or client says about its own keys. Only values are listed,
    and a key counts once, however much is wrong with it."""
    declared = [keys.get(value.name) for value in values]
    configs = [
        ConfigInfo(
            definition=None if key is None else key_info(key, prefix),
            value=value_info(value, None if key is None else key.type, prefix),
        )
        for key, value in zip(declared, values, strict=True)
    ]
    groups = dict.fromkeys(key.group for key in declared if key is not None and key.group is not None)
    wrong = sum(bool(value.error_messages) for value in values)
    return ConfigInfos(name="", error_count=wrong, groups=list(groups), configs=configs)


def merged(name: str, parts: Iterable[ConfigInfos]) -> ConfigInfos:
    """All of them as one."""
    parts = list(parts)
    return ConfigInfos(
        name=name,
        error_count=sum(part.error_count for part in parts),
        groups=list(dict.fromkeys(group for part in parts for group in part.groups)),
        configs=[config for part in parts for config in part.configs],
    )


def _count(configs: Iterable[ConfigInfo]) -> int:
    return sum(len(config.value.errors) for config in configs if config.value is not None)


def _text(value: Any, type: Type | None) -> str | None:
    if isinstance(value, Password):
        return Password.HIDDEN
    if isinstance(value, list | tuple):
        type = Type.LIST
    return convert_to_string(value, type)

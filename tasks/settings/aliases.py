"""Transformations and predicates of a connector: the keys below `transforms.ALIAS.` and `predicates.ALIAS.`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectd.config import (
    CompositeValidator,
    ConfigDef,
    Importance,
    LambdaValidator,
    NonNullValidator,
    Type,
    Validator,
    Width,
    parse_type,
)
from connectd.errors import ConfigException
from tasks.settings.worker import PLUGIN_VERSION_DOC

logger = logging.getLogger(__name__)

TRANSFORMS: Final = "transforms"
PREDICATES: Final = "predicates"

PluginKeys = Callable[[str, str], ConfigDef]
"""Gives the keys of a plugin's own: (key that names the class, class name) -> ConfigDef. Raises ConfigException."""


@dataclass(frozen=True, kw_only=True)
class PredicateSettings:
    """One predicate: its class as it was written, and its own keys with the prefix taken off."""

    alias: str
    type: str
    configs: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class TransformationSettings:
    """One transformation: its class as it was written, its own keys with the prefix taken off, and when it applies."""

    alias: str
    type: str
    configs: Mapping[str, Any]
    predicate: PredicateSettings | None
    negate: bool


def unique_aliases(kind: str) -> Validator:
    """A validator: no alias twice."""

    def check(name: str, value: Any) -> None:
        if len(set(value)) < len(value):
            raise ConfigException(name, value, "Duplicate alias provided.")

    return CompositeValidator.of(NonNullValidator(), LambdaValidator.with_(check, lambda: f"unique {kind} aliases"))


def aliases(props: Mapping[str, Any], name: str) -> list[str]:
    """The distinct aliases that `name` lists, in order."""
    return [alias for alias in dict.fromkeys(parse_type(name, props.get(name), Type.LIST) or []) if alias]


def define_aliases(definition: ConfigDef, props: Mapping[str, Any], plugin_keys: PluginKeys | None = None) -> None:
    """Declare the keys of every transformation and predicate that `props` names, as Java's `ConnectorConfig.enrich`.

    With `plugin_keys`, those of the plugins themselves are declared too, and a class that cannot be used is an error of
    its `type` key. Without, no plugin is loaded.
    """
    for alias in aliases(props, TRANSFORMS):
        prefix = f"{TRANSFORMS}.{alias}."
        group = f"Transforms: {alias}"
        _define_type(definition, prefix, group, "Transformation", alias, _type_check(plugin_keys))
        own = (
            ConfigDef()
            .define(
                "predicate",
                Type.STRING,
                None,
                _known_predicate(props, prefix),
                doc="The alias of the predicate that decides whether the transformation applies to a record.",
            )
            .define(
                "negate",
                Type.BOOLEAN,
                False,
                doc="Whether the transformation applies where the predicate does not.",
            )
        )
        _embed(definition, props, prefix, group, own, plugin_keys)
    for alias in aliases(props, PREDICATES):
        prefix = f"{PREDICATES}.{alias}."
        group = f"Predicates: {alias}"
        _define_type(definition, prefix, group, "Predicate", alias, _type_check(plugin_keys))
        _embed(definition, props, prefix, group, ConfigDef(), plugin_keys)


def alias_errors(props: Mapping[str, Any]) -> list[ConfigException]:
    """An error for each transformation that negates a predicate but has none."""
    prefixes = [f"{TRANSFORMS}.{alias}." for alias in aliases(props, TRANSFORMS)]
    return [
        ConfigException(f"{prefix}negate", props[f"{prefix}negate"], f"Expected '{prefix}predicate' beside it")
        for prefix in prefixes
        if f"{prefix}negate" in props and f"{prefix}predicate" not in props
    ]


def transformation_settings(props: Mapping[str, Any], parsed: Mapping[str, Any]) -> list[TransformationSettings]:
    """The transformations in the order in which they apply, from a connector's properties and their parsed values."""
    found = []
    for alias in parsed[TRANSFORMS]:
        prefix = f"{TRANSFORMS}.{alias}."
        predicate = parsed[f"{prefix}predicate"]
        found.append(
            TransformationSettings(
                alias=alias,
                type=parsed[f"{prefix}type"],
                configs=_own_keys(props, prefix, ("predicate", "negate")),
                predicate=None if predicate is None else _predicate_settings(predicate, props, parsed),
                negate=parsed[f"{prefix}negate"],
            )
        )
    return found


def _predicate_settings(alias: str, props: Mapping[str, Any], parsed: Mapping[str, Any]) -> PredicateSettings:
    prefix = f"{PREDICATES}.{alias}."
    return PredicateSettings(alias=alias, type=parsed[f"{prefix}type"], configs=_own_keys(props, prefix, ()))


def _own_keys(props: Mapping[str, Any], prefix: str, without: Sequence[str]) -> dict[str, Any]:
    below = {key.removeprefix(prefix): value for key, value in props.items() if key.startswith(prefix)}
    return {key: value for key, value in below.items() if key not in without}


def _define_type(definition: ConfigDef, prefix: str, group: str, kind: str, alias: str, validator: Validator) -> None:
    definition.define(
        f"{prefix}type",
        Type.CLASS,
        validator=validator,
        importance=Importance.HIGH,
        doc=f"The class of the {kind.lower()} '{alias}'.",
        group=group,
        order=0,
        width=Width.LONG,
        display_name=f"{kind} type for {alias}",
    ).define(
        f"{prefix}plugin.version",
        Type.STRING,
        None,
        importance=Importance.HIGH,
        doc=PLUGIN_VERSION_DOC,
        group=group,
        order=1,
        width=Width.LONG,
        display_name=f"{kind} version for {alias}",
    )


def _type_check(plugin_keys: PluginKeys | None) -> Validator:
    def check(name: str, value: Any) -> None:
        if value is not None and plugin_keys is not None:
            plugin_keys(name, value)

    return LambdaValidator.with_(check, lambda: "")


def _known_predicate(props: Mapping[str, Any], prefix: str) -> Validator:
    def check(name: str, value: Any) -> None:
        known = aliases(props, PREDICATES)
        if value is not None and value not in known:
            raise ConfigException(
                prefix + name, value, f"Expected an alias that '{PREDICATES}' lists: {', '.join(known) or 'none'}"
            )

    return LambdaValidator.with_(check, lambda: f"an alias in {PREDICATES}")


def _embed(
    definition: ConfigDef,
    props: Mapping[str, Any],
    prefix: str,
    group: str,
    own: ConfigDef,
    plugin_keys: PluginKeys | None,
) -> None:
    """Declare the worker's `own` keys below the prefix and those of the plugin; neither if that cannot be loaded."""
    if plugin_keys is not None:
        class_name = props.get(f"{prefix}type")
        if not class_name:
            return
        try:
            declared = plugin_keys(f"{prefix}type", class_name).config_keys.values()
        except ConfigException:
            return  # the validator of the type reports it
        for key in declared:
            if key.name in own.config_names or f"{prefix}{key.name}" in definition.config_names:
                logger.warning("Key %s of %s is hidden by the worker's own key of that name", key.name, class_name)
            else:
                own.define_key(key)
    definition.embed(prefix, group, 2, own)

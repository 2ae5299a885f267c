"""What a definition consists of and what a validation answers: ConfigKey, Recommender, ConfigValue, Config."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from connectd.config.types import Importance, Type, Width
from connectd.config.validators import Validator


class NoDefault(enum.Enum):
    """The type of `NO_DEFAULT`: an enum, so that the one value survives pickling."""

    NO_DEFAULT = "NO_DEFAULT"

    def __repr__(self) -> str:
        return self.name


NO_DEFAULT: Final = NoDefault.NO_DEFAULT
"""Says that a key is required; None is a default like any other."""


class Recommender(Protocol):
    """Gives the values that make sense for a key, given the values of all others."""

    def valid_values(self, name: str, parsed: Mapping[str, Any]) -> Sequence[Any]:
        """The values to offer for `name`, of the type of the key; may raise ConfigException."""

    def visible(self, name: str, parsed: Mapping[str, Any]) -> bool:
        """Whether the key matters with these values; may raise ConfigException."""


@dataclass(frozen=True, kw_only=True)
class ConfigKey:
    """One declared key. `default_value` is parsed already, or `NO_DEFAULT` for a required key."""

    name: str
    type: Type
    default_value: Any
    validator: Validator | None
    importance: Importance
    documentation: str
    group: str | None
    order_in_group: int
    width: Width
    display_name: str
    dependents: Sequence[str]
    recommender: Recommender | None
    internal_config: bool
    alternative_string: str | None

    @property
    def has_default(self) -> bool:
        """Whether the key may be left out."""
        return self.default_value is not NO_DEFAULT


@dataclass
class ConfigValue:
    """The outcome for one key: parsed value, values to offer, complaints, and whether the key matters at all."""

    name: str
    value: Any = None
    recommended_values: list[Any] = field(default_factory=list)
    error_messages: list[str] = field(default_factory=list)
    visible: bool = True

    def add_error_message(self, message: str) -> None:
        """Add one complaint."""
        self.error_messages.append(message)


@dataclass
class Config:
    """The outcome of a connector's `validate`: one ConfigValue a key."""

    config_values: list[ConfigValue]

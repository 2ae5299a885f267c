"""A row of the translation table: one of Java's client keys and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectd.config import Type, Validator, parse_type
from connectd.errors import ConfigException
from tasks.clients.translated import Client, Given, Translated

Apply = Callable[[Translated, str, Any], None]
"""(translation so far, key as the user wrote it, parsed value): adds to the translation or raises ConfigException."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One of Java's keys: its type, the clients that have it, and what it does to the translation."""

    name: str
    type: Type
    clients: Client
    validator: Validator | None
    meaning: str
    apply: Apply
    effective: bool = True

    def parse(self, given: Given) -> Any:
        """The value in Java's type. Raises ConfigException that names the key as the user wrote it."""
        value = parse_type(given.origin, given.value, self.type)
        if self.validator is not None:
            self.validator.ensure_valid(given.origin, value)
        return value


def same(
    name: str,
    type: Type,
    clients: Client,
    validator: Validator | None = None,
    *,
    limits: tuple[int, int] | None = None,
    change: Callable[[Any], Any] | None = None,
) -> Setting:
    """The key has the same name in librdkafka. See `renamed`."""
    return renamed(name, name, type, clients, validator, limits=limits, change=change)


def renamed(
    name: str,
    target: str,
    type: Type,
    clients: Client,
    validator: Validator | None = None,
    *,
    limits: tuple[int, int] | None = None,
    change: Callable[[Any], Any] | None = None,
) -> Setting:
    """The key is called `target` in librdkafka. `change` converts the value, `limits` are those of librdkafka.

    A value beyond the limits is replaced by the nearest one with a warning; an empty text leaves librdkafka's default.
    """

    def apply(translated: Translated, origin: str, value: Any) -> None:
        value = change(value) if change else value
        if limits is not None:
            value = clamped(translated, origin, value, limits)
        if value not in ("", None):
            translated.put(target, value, origin)

    meaning = "same name" if target == name else f"`{target}`"
    return Setting(name=name, type=type, clients=clients, validator=validator, meaning=meaning, apply=apply)


def special(
    name: str, type: Type, clients: Client, meaning: str, apply: Apply, validator: Validator | None = None
) -> Setting:
    """The key needs a function of its own; `meaning` tells the reader of the reference what it does."""
    return Setting(name=name, type=type, clients=clients, validator=validator, meaning=meaning, apply=apply)


def together(name: str, type: Type, clients: Client, meaning: str, validator: Validator | None = None) -> Setting:
    """The key has a meaning only together with others: `rules` or `security` read it once all are known."""
    return special(name, type, clients, meaning, lambda translated, origin, value: None, validator)


def no_effect(name: str, type: Type, clients: Client, reason: str) -> Setting:
    """The key has no meaning here; setting it gives a warning."""

    def apply(translated: Translated, origin: str, value: Any) -> None:
        translated.warn(origin, f"has no effect, {reason}")

    return Setting(
        name=name,
        type=type,
        clients=clients,
        validator=None,
        meaning=f"no effect, {reason}",
        apply=apply,
        effective=False,
    )


def clamped(translated: Translated, origin: str, value: Any, limits: tuple[int, int]) -> Any:
    """The value within librdkafka's limits, with a warning if it was not."""
    low, high = limits
    nearest = min(max(value, low), high)
    if nearest != value:
        translated.warn(origin, f"{value} is beyond what the client allows, {nearest} is used instead")
    return nearest


def expect(origin: str, value: Any, expectation: str) -> ConfigException:
    """The error for a value that cannot be translated."""
    return ConfigException(origin, value, f"Expected {expectation}")

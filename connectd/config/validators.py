"""Validators of single configuration values, with the messages and descriptions of Kafka's ConfigDef.

`str(validator)` is the "valid values" text of the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

from connectd.config.types import Password
from connectd.errors import ConfigException


@runtime_checkable
class Validator(Protocol):
    """Checks one parsed value."""

    def ensure_valid(self, name: str, value: Any) -> None:
        """Raise ConfigException when `value` is not allowed for `name`; the value may be None."""


@dataclass(frozen=True)
class Range:
    """A number within inclusive bounds; a bound of None is open."""

    min: float | None
    max: float | None

    @classmethod
    def at_least(cls, min: float) -> Self:
        """From `min` upwards."""
        return cls(min, None)

    @classmethod
    def between(cls, min: float, max: float) -> Self:
        """From `min` to `max`, both allowed."""
        return cls(min, max)

    def ensure_valid(self, name: str, value: Any) -> None:
        if value is None:
            raise ConfigException(name, None, "Value must be non-null")
        if self.min is not None and value < self.min:
            raise ConfigException(name, value, f"Value must be at least {self.min}")
        if self.max is not None and value > self.max:
            raise ConfigException(name, value, f"Value must be no more than {self.max}")

    def __str__(self) -> str:
        bounds = [] if self.min is None else [str(self.min)]
        bounds.append("...")
        if self.max is not None:
            bounds.append(str(self.max))
        return f"[{','.join(bounds)}]"


@dataclass(frozen=True)
class ValidString:
    """One of the given strings, in this case."""

    valid_strings: tuple[str, ...]

    @classmethod
    def in_(cls, *valid_strings: str) -> Self:
        """One of `valid_strings`."""
        return cls(valid_strings)

    def ensure_valid(self, name: str, value: Any) -> None:
        if _plain(value) not in self.valid_strings:
            raise ConfigException(name, value, f"String must be one of: {', '.join(self.valid_strings)}")

    def __str__(self) -> str:
        return f"[{', '.join(self.valid_strings)}]"


@dataclass(frozen=True)
class CaseInsensitiveValidString:
    """One of the given strings in any case. Unlike Java, they are listed in the order in which they were given."""

    valid_strings: tuple[str, ...]

    @classmethod
    def in_(cls, *valid_strings: str) -> Self:
        """One of `valid_strings`, which are kept in upper case."""
        return cls(tuple(dict.fromkeys(string.upper() for string in valid_strings)))

    def ensure_valid(self, name: str, value: Any) -> None:
        if value is None or _plain(value).upper() not in self.valid_strings:
            listed = ", ".join(self.valid_strings)
            raise ConfigException(name, value, f"String must be one of (case insensitive): {listed}")

    def __str__(self) -> str:
        return f"(case insensitive) [{', '.join(self.valid_strings)}]"


@dataclass(frozen=True)
class ValidList:
    """A list without duplicates and empty entries; with `valid_strings`, only of these (KIP-1161).

    `ConfigDef.parse` removes duplicates with a warning first, with a warning; `ConfigDef.validate` reports them.
    """

    valid_strings: tuple[str, ...]
    is_empty_allowed: bool = True
    is_null_allowed: bool = False

    @classmethod
    def any_non_duplicate_values(cls, is_empty_allowed: bool, is_null_allowed: bool) -> Self:
        """Any entries."""
        return cls((), is_empty_allowed, is_null_allowed)

    @classmethod
    def in_(cls, *valid_strings: str, is_empty_allowed: bool = True) -> Self:
        """Only entries of `valid_strings`. Raises ValueError if that leaves no list at all."""
        if not is_empty_allowed and not valid_strings:
            raise ValueError("At least one valid string must be provided when empty values are not allowed")
        return cls(valid_strings, is_empty_allowed)

    def ensure_valid(self, name: str, value: Any) -> None:
        if value is None:
            if self.is_null_allowed:
                return
            raise ConfigException(f"Configuration '{name}' values must not be null.")
        if not value and not self.is_empty_allowed:
            valid = str(self) or "any non-empty value"
            raise ConfigException(f"Configuration '{name}' must not be empty. Valid values include: {valid}")
        if len(set(value)) != len(value):
            raise ConfigException(f"Configuration '{name}' values must not be duplicated.")
        for entry in value:
            if entry == "":
                raise ConfigException(f"Configuration '{name}' values must not be empty.")
            if isinstance(entry, str) and self.valid_strings:
                ValidString(self.valid_strings).ensure_valid(name, entry)

    def __str__(self) -> str:
        return f"[{', '.join(self.valid_strings)}]" if self.valid_strings else ""


@dataclass(frozen=True)
class NonNullValidator:
    """Any value, but not None."""

    def ensure_valid(self, name: str, value: Any) -> None:
        if value is None:
            raise ConfigException(name, None, "entry must be non null")

    def __str__(self) -> str:
        return "non-null string"


@dataclass(frozen=True)
class NonEmptyString:
    """A string of at least one character; None passes."""

    def ensure_valid(self, name: str, value: Any) -> None:
        if _plain(value) == "":
            raise ConfigException(name, value, "String must be non-empty")

    def __str__(self) -> str:
        return "non-empty string"


@dataclass(frozen=True)
class NonEmptyStringWithoutControlChars:
    """A string of at least one character and without ISO control characters; None passes."""

    def ensure_valid(self, name: str, value: Any) -> None:
        if value is None:
            return
        if _plain(value) == "":
            raise ConfigException(name, value, "String may not be empty")
        codes = [ord(character) for character in _plain(value)]
        if controls := [str(code) for code in codes if code <= 0x1F or 0x7F <= code <= 0x9F]:
            found = ", ".join(controls)
            raise ConfigException(
                name, value, f"String may not contain control sequences but had the following ASCII chars: {found}"
            )

    def __str__(self) -> str:
        return "non-empty string without ISO control characters"


@dataclass(frozen=True)
class ListSize:
    """A list of at most `max_size` entries; None passes."""

    max_size: int

    @classmethod
    def at_most_of_size(cls, max_size: int) -> Self:
        """At most `max_size` entries."""
        return cls(max_size)

    def ensure_valid(self, name: str, value: Any) -> None:
        if value is not None and len(value) > self.max_size:
            raise ConfigException(name, value, f"exceeds maximum list size of [{self.max_size}].")

    def __str__(self) -> str:
        return f"List containing maximum of {self.max_size} elements"


@dataclass(frozen=True)
class LambdaValidator:
    """A function `check(name, value)` with a description; a ValueError that it raises becomes a ConfigException."""

    check: Callable[[str, Any], Any]
    description: Callable[[], str]

    @classmethod
    def with_(cls, check: Callable[[str, Any], Any], description: Callable[[], str]) -> Self:
        """A validator of `check`; `description` is called whenever the text is needed."""
        return cls(check, description)

    def ensure_valid(self, name: str, value: Any) -> None:
        try:
            self.check(name, value)
        except ValueError as error:
            raise ConfigException(name, value, str(error)) from error

    def __str__(self) -> str:
        return self.description()


@dataclass(frozen=True)
class CompositeValidator:
    """All of several validators, the first that complains wins."""

    validators: tuple[Validator, ...]

    @classmethod
    def of(cls, *validators: Validator) -> Self:
        """All of `validators`, asked in this order."""
        return cls(validators)

    def ensure_valid(self, name: str, value: Any) -> None:
        for validator in self.validators:
            validator.ensure_valid(name, value)

    def __str__(self) -> str:
        return ", ".join(map(str, self.validators))


def as_validator(validator: Validator | Callable[[str, Any], Any] | None) -> Validator | None:
    """The validator itself, or one around a plain function, described by the first line of its docstring."""
    if validator is None or isinstance(validator, Validator):
        return validator
    first_line = (validator.__doc__ or "").strip().partition("\n")[0]
    return LambdaValidator(validator, lambda: first_line)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Password) else value

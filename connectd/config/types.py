"""Configuration types: the enums of a definition, the Password value, and parsing and printing of values.

The rules are those of Kafka 4.3's `ConfigDef.parseType` and `ConfigDef.convertToString`.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from connectd.errors import ConfigException

# What Java's String.trim() removes: every character up to and including the space. str.strip() alone would go further.
_TRIMMED: Final = "".join(map(chr, range(0x21)))
_COMMA: Final = re.compile(r"\s*,\s*", re.ASCII)
# Java takes the digits of all scripts, but reads them as 16-bit characters.
_INTEGER: Final = re.compile(r"[+-]?(?:(?![\U00010000-\U0010FFFF])\d)+")
_DECIMAL: Final = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?|([+-]?(?:NaN|Infinity))")
_HEXADECIMAL: Final = re.compile(
    r"([+-]?0[xX](?:[0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)[fFdD]?",
)


class Type(enum.StrEnum):
    """The type of a configuration value, named as in Java and in the REST API."""

    BOOLEAN = "BOOLEAN"
    STRING = "STRING"
    INT = "INT"
    SHORT = "SHORT"
    LONG = "LONG"
    DOUBLE = "DOUBLE"
    LIST = "LIST"
    CLASS = "CLASS"
    PASSWORD = "PASSWORD"  # noqa: S105 (a type's name, not a password)

    @property
    def is_sensitive(self) -> bool:
        """Whether values of this type must never be shown."""
        return self is Type.PASSWORD


class Importance(enum.StrEnum):
    """How likely it is that a user needs to set the key, the most important first."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Width(enum.StrEnum):
    """How wide a form should draw the value."""

    NONE = "NONE"
    SHORT = "SHORT"
    MEDIUM = "MEDIUM"
    LONG = "LONG"


class Password:
    """A secret: it prints as ``[hidden]`` everywhere, and `value` gives it away on purpose only.

    Deliberately no dataclass and without ``__dict__``: JSON and msgspec encoders refuse it, so none writes the secret.
    """

    __slots__ = ("_value",)

    HIDDEN: Final = "[hidden]"

    def __init__(self, value: str) -> None:
        self._value = value

    @property
    def value(self) -> str:
        """The secret itself."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, Password) else NotImplemented

    def __hash__(self) -> int:
        return hash((Password, self._value))

    def __str__(self) -> str:
        return self.HIDDEN

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(self.HIDDEN, spec)


def parse_type(name: str, value: Any, type: Type) -> Any:
    """Turn `value`, a string or already a value of the type, into the value of `type`; None stays None.

    Strings are trimmed. INT, SHORT and LONG keep Java's ranges; a LIST is split at commas; a CLASS stays the name
    that was given (whoever loads plugins resolves it) unless it is a class already.

    Raises ConfigException naming key, value and expectation, in Java's words. The value of a PASSWORD is not in it.
    """
    if value is None:
        return None
    return _PARSERS[type](name, value.strip(_TRIMMED) if isinstance(value, str) else value, value)


def convert_to_string(value: Any, type: Type | None) -> str | None:
    """The text that `parse_type` reads back, as Java writes it; ``[hidden]`` for a PASSWORD, None for None."""
    if value is None:
        return None
    if type is Type.LIST:
        return ",".join(_text(entry) for entry in value)
    return _text(value)


def convert_to_string_map_with_password_values(configs: Mapping[str, Any]) -> dict[str, str]:
    """All values as text, None left out. The secrets are readable in it: for handing on, never for a log."""
    texts = {}
    for name, value in configs.items():
        if isinstance(value, Password):
            texts[name] = value.value
        elif value is not None:
            texts[name] = ",".join(map(_text, value)) if isinstance(value, list | tuple) else _text(value)
    return texts


def _boolean(name: str, value: Any, given: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ConfigException(name, given, "Expected value to be either true or false")


def _string(name: str, value: Any, given: Any) -> str:
    if isinstance(value, str):
        return value
    raise ConfigException(name, given, f"Expected value to be a string, but it was a {type(value).__qualname__}")


def _password(name: str, value: Any, given: Any) -> Password:
    if isinstance(value, Password):
        return value
    if isinstance(value, str):
        return Password(value)
    # Java shows the value here; whatever it is, it was meant as a secret.
    raise ConfigException(
        name, Password.HIDDEN, f"Expected value to be a string, but it was a {type(value).__qualname__}"
    )


def _integer(kind: Type, bits: int, description: str) -> Callable[[str, Any, Any], int]:
    def parse(name: str, value: Any, given: Any) -> int:
        if isinstance(value, str):
            number = _parse_integer(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            number = value
        else:
            raise ConfigException(
                name, given, f"Expected value to be a {description}, but it was a {type(value).__qualname__}"
            )
        if number is None or not -(1 << bits - 1) <= number < 1 << bits - 1:
            raise ConfigException(name, given, f"Not a number of type {kind.name}")
        return number

    return parse


def _parse_integer(text: str) -> int | None:
    # A LONG has 19 digits; the limit keeps absurdly long input from int(), leading zeros included.
    return int(text) if _INTEGER.fullmatch(text) and len(text) <= 4000 else None


def _double(name: str, value: Any, given: Any) -> float:
    if isinstance(value, str):
        if match := _DECIMAL.fullmatch(value):
            return float(match[1] or match[2])
        if match := _HEXADECIMAL.fullmatch(value):
            return _or_infinity(float.fromhex, match[1], negative=value.startswith("-"))
        raise ConfigException(name, given, "Not a number of type DOUBLE")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _or_infinity(float, value, negative=value < 0)
    raise ConfigException(name, given, f"Expected value to be a double, but it was a {type(value).__qualname__}")


def _or_infinity(convert: Callable[[Any], float], number: Any, *, negative: bool) -> float:
    try:
        return convert(number)
    except OverflowError:  # where Java, and float("1e999"), answer infinity
        return -math.inf if negative else math.inf


def _list(name: str, value: Any, given: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, str):
        return _COMMA.split(value) if value else []
    raise ConfigException(name, given, "Expected a comma separated list.")


def _class(name: str, value: Any, given: Any) -> str | type:
    if isinstance(value, type):
        return value
    if not isinstance(value, str):
        raise ConfigException(name, given, "Expected a Class instance or class name.")
    if not value:
        raise ConfigException(name, given, f"Class {given} could not be found.")
    return value


_PARSERS: Final[Mapping[Type, Callable[[str, Any, Any], Any]]] = {
    Type.BOOLEAN: _boolean,
    Type.STRING: _string,
    Type.INT: _integer(Type.INT, 32, "32-bit integer"),
    Type.SHORT: _integer(Type.SHORT, 16, "16-bit integer (short)"),
    Type.LONG: _integer(Type.LONG, 64, "64-bit integer (long)"),
    Type.DOUBLE: _double,
    Type.LIST: _list,
    Type.CLASS: _class,
    Type.PASSWORD: _password,
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double_text(value)
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)


def _double_text(value: float) -> str:
    """The text of Java's Double.toString: plain from 0.001 up to ten million, otherwise with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    number = Decimal(repr(value)).normalize()
    mantissa = str(number.scaleb(-number.adjusted()))
    return f"{mantissa}{'' if '.' in mantissa else '.0'}E{number.adjusted()}"

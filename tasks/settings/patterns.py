"""Regular expressions in settings: read as Java would, as far as Python's syntax goes."""

from __future__ import annotations

import re
from typing import Any

from connectd.config import LambdaValidator, Validator
from connectd.errors import ConfigException


def compile_pattern(name: str, text: str) -> re.Pattern[str]:
    """The compiled expression; named groups may be written as in Java. Raises ConfigException for a wrong one."""
    try:
        return re.compile(re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", text))
    except re.error as error:
        raise ConfigException(name, text, f"Invalid regex: {error}") from error


def valid_pattern() -> Validator:
    """A validator of one expression."""
    return LambdaValidator.with_(lambda name, value: compile_pattern(name, value), lambda: "valid regex")


def valid_patterns() -> Validator:
    """A validator of a list of expressions."""

    def check(name: str, value: Any) -> None:
        for text in value:
            compile_pattern(name, text)

    return LambdaValidator.with_(check, lambda: "valid regexes")

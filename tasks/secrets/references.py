"""References to config providers in texts, `${provider:path:key}` or `${provider:key}` (KIP-297)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

# What `ConfigTransformer.DEFAULT_PATTERN` matches: the path ends at the second colon, a key may hold more of them.
_PATTERN: Final = re.compile(r"\$\{(?P<provider>[^}]*?):(?:(?P<path>[^}]*?):)?(?P<key>[^}]*?)\}")


class Reference(NamedTuple):
    """One reference; its text is how it is written."""

    provider: str
    path: str
    key: str
    text: str


def find_references(text: str) -> Iterator[Reference]:
    """All references in a text, whether there are such providers or not."""
    for match in _PATTERN.finditer(text):
        yield _reference(match)


def references_in(*configs: Mapping[str, str | None]) -> set[Reference]:
    """All references in the values of configurations."""
    return {found for config in configs for value in config.values() if value for found in find_references(value)}


def replace_references(text: str, value_of: Callable[[Reference], str | None]) -> str:
    """The text with values for references; one that has no value stays as it is. Values are not looked into again."""

    def replacement(match: re.Match[str]) -> str:
        value = value_of(_reference(match))
        return match[0] if value is None else value

    return _PATTERN.sub(replacement, text)


def _reference(match: re.Match[str]) -> Reference:
    return Reference(match["provider"], match["path"] or "", match["key"], match[0])

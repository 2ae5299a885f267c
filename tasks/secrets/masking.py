"""Keeps secrets out of logs, traces and reports of this process: resolved values are replaced by their references.

What a process resolves it knows until its end, so this is one table a process, as its log is one.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

HIDDEN: Final = "[hidden]"
# Shorter ones are found in any text by chance; they cannot be secrets either.
MIN_LENGTH: Final = 4

_lock = threading.Lock()
_placeholders: dict[str, str] = {}
_hidden: dict[str, str] = {}
_pattern: re.Pattern[str] | None = None
_resolved: re.Pattern[str] | None = None


def remember(values: Mapping[str, str], untouched: Iterable[str] = ()) -> None:
    """From now on show these values, of `MIN_LENGTH` characters or more, as the placeholders given for them.

    Placeholders, and the texts that are to stay `untouched`, may hold values by chance, such as the path of a file.
    """
    with _lock:
        for text in (*values.values(), *untouched):
            _placeholders[text] = text
        for value, placeholder in values.items():
            for form in _forms(value):
                _placeholders.setdefault(form, placeholder)
        _compile()


def hide(values: Iterable[str]) -> None:
    """From now on show these values, which stand in configurations as they are, as `[hidden]` in logs, traces and errors."""
    with _lock:
        for value in values:
            _hidden.update(dict.fromkeys(_forms(value), HIDDEN))
        _compile()


def _compile() -> None:
    global _pattern, _resolved
    _resolved = _any_of(_placeholders)
    _pattern = _any_of({**_hidden, **_placeholders})


def _any_of(texts: Iterable[str]) -> re.Pattern[str] | None:
    # The longest first, lest the beginning of a value that another one is leaves the rest of it.
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def forget_all() -> None:
    """Begin anew; for tests, which are many in one process."""
    with _lock:
        _placeholders.clear()
        _hidden.clear()
        _compile()


def mask(text: str) -> str:
    """The text with placeholders for the values, and `[hidden]` for those that have none."""
    pattern = _pattern
    if pattern is None:
        return text
    return pattern.sub(lambda match: _placeholders.get(match[0]) or _hidden[match[0]], text)


def mask_value(value: str) -> str:
    """The value of a configuration with placeholders; what stands there as it is stays, for who may see it sees it."""
    pattern = _resolved
    return value if pattern is None else pattern.sub(lambda match: _placeholders[match[0]], value)


def mask_deep(value: Any) -> Any:
    """The same for all that a log event may hold; objects become masked texts. Numbers and the keys of dicts stay."""
    if _pattern is None or value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: mask_deep(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_deep(each) for each in value]
    return mask(str(value))


def _forms(value: str) -> set[str]:
    """The value as it may be met: as it is, line by line, and as programs write it in literals, JSON and URLs."""
    parts = {value, value.strip(), *(line.strip() for line in value.splitlines())}
    written = {
        form for part in parts for form in (repr(part)[1:-1], json.dumps(part)[1:-1], quote(part, ""), quote_plus(part))
    }
    return {form for form in parts | written if len(form) >= MIN_LENGTH}

"""The configurations of one child with the values that their references stand for, and the way back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from connectd.errors import ConnectException
from tasks.secrets.masking import MIN_LENGTH
from tasks.secrets.references import find_references, references_in
from tasks.secrets.resolver import Lookup, Resolver
from tasks.secrets.scope import resolvable_in_children


class ResolvedConfigs:
    """What a child has resolved, all at once: each path is looked up once, however many configurations refer to it."""

    def __init__(self, worker_config: Mapping[str, str], *configs: Mapping[str, str]) -> None:
        """Raises ConfigException for a wrong list of providers; all other errors are those of the lookup."""
        self.resolver = Resolver(worker_config)
        self._written = (resolvable_in_children(worker_config), *configs)
        self.lookup = self.resolver.lookup(references_in(*self._written))
        worker, *self.configs = (self.lookup.apply(config) for config in self._written)
        self.worker_config = {**worker_config, **worker}

    def raise_errors(self) -> None:
        """Raises the first error of the lookup, with a note that names the keys that the value is needed for."""
        for reference, error in self.lookup.errors.items():
            keys = {key for config in self._written for key, value in config.items() if reference.text in value}
            error.add_note(f"{reference.text} is needed for {', '.join(sorted(keys))}")
            raise error


class Reverse:
    """Puts references back into the configurations that a connector has made from its resolved one.

    Java restores the keys of the connector only, whatever they hold by then (`AbstractHerder.reverseTransform`). Here a
    value is found wherever it was put, and what a connector has changed stays changed.
    """

    def __init__(self, config: Mapping[str, str], lookup: Lookup) -> None:
        """`config` is the connector's as it was written."""
        self._written = {key: value for key, value in config.items() if any(find_references(value))}
        self._lookup = lookup
        self._resolved = lookup.apply(self._written)
        self._texts = {
            value: reference.text for reference, value in lookup.values.items() if value and len(value) >= MIN_LENGTH
        }
        self._pattern = _any_of(self._texts)

    def apply(self, config: Mapping[str, str]) -> dict[str, str]:
        """The configuration with references for values. Raises ConnectException where resolving it gave another one."""
        return {key: self._reversed(key, value) for key, value in config.items()}

    def _reversed(self, key: str, value: str) -> str:
        if key in self._written and self._resolved[key] == value:
            return self._written[key]
        if self._pattern is None or not self._pattern.search(value):
            return value
        text = self._pattern.sub(lambda match: self._texts[match[0]], value)
        if self._lookup.apply({key: text})[key] != value:
            raise ConnectException(
                f"The connector has put a secret into the task configuration {key} in a way that cannot be undone: "
                "between ${ and } it may not be"
            )
        return text


def _any_of(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Finds the longest of the texts."""
    alternatives = sorted(texts, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, alternatives))) if alternatives else None

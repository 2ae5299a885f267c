"""AbstractConfig: properties together with their parsed values, and a record of which of them anybody read."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connectd.config.definition import ConfigDef
from connectd.config.key import ConfigKey
from connectd.config.types import Type
from connectd.errors import ConfigException


class AbstractConfig:
    """The base class of configurations, as Kafka's `org.apache.kafka.common.config.AbstractConfig`.

    Parses `originals` with `definition` at once and raises ConfigException for the first key that is missing or wrong.
    References to config providers must have been resolved before.
    """

    def __init__(self, definition: ConfigDef, originals: Mapping[str, Any]) -> None:
        for key, value in originals.items():
            if not isinstance(key, str):
                raise ConfigException(str(key), value, "Key must be a string.")
        self.definition = definition
        self._used: set[str] = set()
        self._originals = dict(self.pre_process_parsed_config(dict(originals)))
        # The keys that were given, and those of others that were asked for.
        self._values = definition.parse_given(self._originals)
        if type(self).post_process_parsed_config is not AbstractConfig.post_process_parsed_config:
            self._values = self._all_values()
            self._values.update(self.post_process_parsed_config(dict(self._values)))
            definition.parse(self._values)

    def pre_process_parsed_config(self, props: dict[str, Any]) -> Mapping[str, Any]:
        """Hook: the properties to parse, given those of the user."""
        return props

    def post_process_parsed_config(self, parsed: dict[str, Any]) -> Mapping[str, Any]:
        """Hook: parsed values to change, for example defaults that follow from other keys; they are validated."""
        return {}

    def get(self, key: str) -> Any:
        """The parsed value. Raises ConfigException if the key is not declared."""
        if key not in self._values:
            try:
                self._values[key] = self.definition.default_of(key)
            except KeyError:
                raise ConfigException(f"Unknown configuration '{key}'") from None
        self._used.add(key)
        return self._values[key]

    __getitem__ = get

    def type_of(self, key: str) -> Type | None:
        """The declared type, None if the key is not declared."""
        declared = self.definition.config_keys.get(key)
        return declared.type if declared else None

    def documentation_of(self, key: str) -> str | None:
        """The declared documentation, None if the key is not declared."""
        declared = self.definition.config_keys.get(key)
        return declared.documentation if declared else None

    def values(self) -> dict[str, Any]:
        """A copy of all parsed values; reading a key from it counts as using the key."""
        return _RecordingDict(self._all_values(), self.ignore)

    def originals(self, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A copy of the properties as they were given, with `overrides`; reading a key from it counts as using it."""
        return _RecordingDict({**self._originals, **(overrides or {})}, self.ignore)

    def originals_strings(self) -> dict[str, str]:
        """Like `originals`. Raises TypeError if a value is not a string."""
        for key, value in self._originals.items():
            if not isinstance(value, str):
                raise TypeError(
                    f"Non-string value found in original settings for key {key}: {type(value).__qualname__}"
                )
        return self.originals()

    def originals_with_prefix(self, prefix: str, strip: bool = True) -> dict[str, Any]:
        """The properties below `prefix`, by default without it; reading a key from it counts as using it."""
        selected = _below(prefix, self._originals)
        if not strip:
            return _RecordingDict({prefix + key: value for key, value in selected.items()}, self.ignore)
        return _RecordingDict(selected, lambda key: self.ignore(prefix + key))

    def values_with_prefix_override(self, prefix: str) -> dict[str, Any]:
        """All parsed values, those of keys that are also given below `prefix` replaced by these.

        A key below the prefix may have one more segment before the declared name: ``<prefix>plain.sasl.jaas.config``
        is parsed as ``sasl.jaas.config`` and returned as ``plain.sasl.jaas.config``.
        """
        values = self._all_values()
        for key in _below(prefix, self._originals):
            declared = self._declared(key) or self._declared(key.partition(".")[2])
            if declared:
                values[key] = self.definition.parse_value(declared, self._originals, prefix + key)
        return self._recording_both(values, prefix)

    def values_with_prefix_all_or_nothing(self, prefix: str) -> dict[str, Any]:
        """The parsed values of the keys given below `prefix` only; if there is none, all parsed values."""
        below = _below(prefix, self._originals)
        if not below:
            return self.values()
        values = {
            key: self.definition.parse_value(declared, self._originals, prefix + key)
            for key in below
            if (declared := self._declared(key))
        }
        return self._recording_both(values, prefix)

    def ignore(self, key: str) -> None:
        """Count `key` as used."""
        self._used.add(key)

    def unused(self) -> set[str]:
        """The given keys that nobody has read so far."""
        return self._originals.keys() - self._used

    def unknown(self, prefixes: Iterable[str] = ()) -> dict[str, str | None]:
        """The given keys that are neither declared nor read, sorted, each with the declared name most like it or None.

        Keys below one of `prefixes` are left out: those that are handed on, such as ``producer.``.
        """
        names = list(self.definition.config_names)
        known = tuple(prefixes)
        return {
            key: next(iter(difflib.get_close_matches(key, names, n=1, cutoff=0.7)), None)
            for key in sorted(self.unused())
            if key not in self.definition.config_names and not key.startswith(known)
        }

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._originals == other._originals

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        # Parsed values only: a Password hides itself, whereas the originals hold the secret as plain text.
        values = ", ".join(f"{key}={value!r}" for key, value in sorted(self._all_values().items()))
        return f"{type(self).__name__}({values})"

    def _all_values(self) -> dict[str, Any]:
        """Of every declared key, in the order of declaration."""
        defaults = self.definition.default_values
        return {
            name: self._values[name] if name in self._values else defaults[name]
            for name in self.definition.config_names
        }

    def _declared(self, key: str) -> ConfigKey | None:
        return self.definition.config_keys.get(key)

    def _recording_both(self, values: dict[str, Any], prefix: str) -> dict[str, Any]:
        def record(key: str) -> None:
            self._used.update((key, prefix + key))

        return _RecordingDict(values, record)


class _RecordingDict(dict[str, Any]):
    """A dict that reports the keys that are looked up, but not those that are merely listed."""

    def __init__(self, values: Mapping[str, Any], record: Callable[[str], None]) -> None:
        super().__init__(values)
        self._record = record

    def __getitem__(self, key: str) -> Any:
        self._record(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._record(key)
        return super().get(key, default)


def _below(prefix: str, props: Mapping[str, Any]) -> dict[str, Any]:
    """The entries whose key is longer than the prefix that it begins with, without the prefix."""
    length = len(prefix)
    return {key[length:]: value for key, value in props.items() if key.startswith(prefix) and len(key) > length}

"""ConfigDef: declares configuration keys, parses and validates properties, and prints the reference."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any, Self

from connectd.config import reference
from connectd.config.key import NO_DEFAULT, ConfigKey, ConfigValue, Recommender
from connectd.config.types import Importance, Type, Width, parse_type
from connectd.config.validators import LambdaValidator, Validator, ValidList, as_validator
from connectd.errors import ConfigException

logger = logging.getLogger(__name__)


class ConfigDef:
    """The declared keys of one configuration, as Kafka's `org.apache.kafka.common.config.ConfigDef`.

    >>> definition = ConfigDef().define("topic", Type.STRING, doc="Where to.").define("batch.size", Type.INT, 2000)
    >>> definition.parse({"topic": "lines", "batch.size": "10"})
    {'topic': 'lines', 'batch.size': 10}
    """

    def __init__(self, base: ConfigDef | None = None) -> None:
        self._keys: dict[str, ConfigKey] = dict(base._keys) if base else {}
        self._groups: list[str] = list(base._groups) if base else []
        self._required: list[str] = list(base._required) if base else []
        self._dependents: list[str] = list(base._dependents) if base else []

    def define(
        self,
        name: str,
        type: Type,
        default: Any = NO_DEFAULT,
        validator: Validator | Callable[[str, Any], Any] | None = None,
        importance: Importance = Importance.MEDIUM,
        doc: str = "",
        *,
        group: str | None = None,
        order: int = -1,
        width: Width = Width.NONE,
        display_name: str | None = None,
        dependents: Sequence[str] = (),
        recommender: Recommender | None = None,
        internal: bool = False,
        alternative_string: str | None = None,
    ) -> Self:
        """Declare one key and return this definition, so that calls can be chained.

        Without `default` the key is required. `validator` is a Validator or a function of name and value that raises
        ConfigException or ValueError. `order` -1 within a `group` means after the keys declared so far.
        `dependents` are keys whose meaning changes with this one. `internal` keys stay out of the reference, and
        `alternative_string` replaces the default there.

        Raises ConfigException if the key is declared already or its default is not valid.
        """
        if group is None and internal:
            group = ""  # as in Java, which sorts internal keys apart
        if group and order == -1:
            order = 1 + max((key.order_in_group for key in self._keys.values() if key.group == group), default=0)
        return self.define_key(
            ConfigKey(
                name=name,
                type=type,
                default_value=default,
                validator=as_validator(validator),
                importance=importance,
                documentation=doc,
                group=group,
                order_in_group=order,
                width=width,
                display_name=name if display_name is None else display_name,
                dependents=tuple(dependents),
                recommender=recommender,
                internal_config=internal,
                alternative_string=alternative_string,
            )
        )

    def define_key(self, key: ConfigKey) -> Self:
        """Declare a key that exists already, for example one of another definition."""
        if key.name in self._keys:
            raise ConfigException(f"Configuration {key.name} is defined twice.")
        if key.has_default:
            key = dataclasses.replace(key, default_value=parse_type(key.name, key.default_value, key.type))
            if key.validator is not None:
                key.validator.ensure_valid(key.name, key.default_value)
        else:
            self._required.append(key.name)
        if key.group is not None and key.group not in self._groups:
            self._groups.append(key.group)
        self._dependents += (each for each in key.dependents if each not in self._dependents)
        self._keys[key.name] = key
        return self

    @property
    def config_keys(self) -> Mapping[str, ConfigKey]:
        """All keys by name, in the order of their declaration; read-only."""
        return MappingProxyType(self._keys)

    @property
    def config_names(self) -> Set[str]:
        """The names of all keys."""
        return self._keys.keys()

    @property
    def groups(self) -> Sequence[str]:
        """The groups in the order in which they first appeared."""
        return tuple(self._groups)

    @property
    def default_values(self) -> dict[str, Any]:
        """The parsed defaults of all keys that have one."""
        return {name: _copied(key.default_value) for name, key in self._keys.items() if key.has_default}

    def parse(self, props: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every declared key: parsed, or its default; keys that are not declared are left out.

        Raises ConfigException for the first key that is missing or wrong; `errors` gives them all.
        """
        if undefined := self._undefined_dependents():
            raise ConfigException(
                f"Some configurations in are referred in the dependents, but not defined: {','.join(undefined)}"
            )
        return {key.name: self.parse_value(key, props) for key in self._keys.values()}

    def parse_given(self, props: Mapping[str, Any]) -> dict[str, Any]:
        """As `parse`, without the keys that are left out: `default_of` has their values.

        Of a long definition most keys are left out of most properties, and nothing of those is even looked at.
        """
        try:
            complete = not self._undefined_dependents() and all(name in props for name in self._required)
            if complete:
                return {name: self.parse_value(self._keys[name], props) for name in props if name in self._keys}
        except ConfigException:
            pass
        return self.parse(props)  # which raises for the first one in the order of declaration

    def default_of(self, name: str) -> Any:
        """The parsed default of a key that has one; raises KeyError for any other name."""
        key = self._keys[name]
        if not key.has_default:
            raise KeyError(name)
        return _copied(key.default_value)

    def errors(self, props: Mapping[str, Any]) -> list[ConfigException]:
        """Everything that is wrong with `props`, in the order of declaration; empty exactly when `parse` succeeds.

        The `key` of each error is the declared name.
        """
        found = []
        for name in self._undefined_dependents():
            found.append(_with_key(name, ConfigException(_undefined_message(name))))
        for key in self._keys.values():
            try:
                self.parse_value(key, props)
            except ConfigException as error:
                found.append(_with_key(key.name, error))
        return found

    def parse_value(self, key: ConfigKey, props: Mapping[str, Any], name: str | None = None) -> Any:
        """The valid value of one key, taken from `props` under `name` (by default the key's own) or its default.

        Raises ConfigException if it is missing or wrong.
        """
        name = key.name if name is None else name
        if name in props:
            value = parse_type(key.name, props[name], key.type)
        elif key.has_default:
            value = _copied(key.default_value)
        else:
            raise _with_key(key.name, ConfigException(_missing_message(key)))
        if isinstance(key.validator, ValidList) and isinstance(value, list):
            value = _without_duplicates(key.name, value)
        if key.validator is not None:
            key.validator.ensure_valid(key.name, value)
        return value

    def validate(self, props: Mapping[str, Any]) -> list[ConfigValue]:
        """One ConfigValue a key: value, what its recommender offers, and everything that is wrong with it."""
        return list(self.validate_all(props).values())

    def validate_all(self, props: Mapping[str, Any]) -> dict[str, ConfigValue]:
        """Like `validate`, by name, in the order of declaration; dependents that nobody declared come last."""
        outcomes = {key.name: _check(key, props) for key in self._keys.values()}
        parsed = {name: outcome.value for name, outcome in outcomes.items()}
        for key in self._keys.values():
            if key.recommender is not None:
                _recommend(key.recommender, outcomes[key.name], parsed)
        for name in self._undefined_dependents():
            outcomes[name] = ConfigValue(name, error_messages=[_undefined_message(name)], visible=False)
        return outcomes

    def embed(self, key_prefix: str, group_prefix: str, starting_order: int, child: ConfigDef) -> Self:
        """Declare all keys of `child` under a prefix, in the order of its reference, counted from `starting_order`.

        Validators and recommenders of the child see its own names, without the prefix.
        """
        for order, key in enumerate(child.sorted_configs(), starting_order):
            self.define_key(
                dataclasses.replace(
                    key,
                    name=key_prefix + key.name,
                    validator=_unprefixed_validator(key_prefix, key.validator),
                    group=group_prefix + (f": {key.group}" if key.group is not None else ""),
                    order_in_group=order,
                    dependents=tuple(key_prefix + dependent for dependent in key.dependents),
                    recommender=key.recommender and _UnprefixedRecommender(key_prefix, key.recommender),
                )
            )
        return self

    def sorted_configs(self) -> list[ConfigKey]:
        """The keys for a reader: by group and order within it, required ones first, then by importance and name."""
        groups: dict[str | None, int] = {group: position for position, group in enumerate(self._groups)}
        groups[None] = -1
        importances = list(Importance)
        return sorted(
            self._keys.values(),
            key=lambda key: (
                groups[key.group],
                key.order_in_group,
                key.has_default,
                importances.index(key.importance),
                key.name,
            ),
        )

    def to_markdown(self, heading_level: int = 3) -> str:
        """The reference of all keys but the internal ones; headings of groups are one level above `heading_level`."""
        return reference.markdown(self.sorted_configs(), heading_level)

    def _undefined_dependents(self) -> list[str]:
        return [dependent for dependent in self._dependents if dependent not in self._keys]


class _UnprefixedRecommender:
    """A child's recommender within a parent's definition: it sees the child's names and values only."""

    def __init__(self, prefix: str, base: Recommender) -> None:
        self._prefix = prefix
        self._base = base

    def valid_values(self, name: str, parsed: Mapping[str, Any]) -> Sequence[Any]:
        return self._base.valid_values(name.removeprefix(self._prefix), self._unprefixed(parsed))

    def visible(self, name: str, parsed: Mapping[str, Any]) -> bool:
        return self._base.visible(name.removeprefix(self._prefix), self._unprefixed(parsed))

    def _unprefixed(self, parsed: Mapping[str, Any]) -> dict[str, Any]:
        prefix = self._prefix
        return {name.removeprefix(prefix): value for name, value in parsed.items() if name.startswith(prefix)}


def _unprefixed_validator(prefix: str, base: Validator | None) -> Validator | None:
    if base is None:
        return None
    return LambdaValidator(lambda name, value: base.ensure_valid(name.removeprefix(prefix), value), base.__str__)


def _check(key: ConfigKey, props: Mapping[str, Any]) -> ConfigValue:
    outcome = ConfigValue(key.name)
    if key.name in props:
        try:
            outcome.value = parse_type(key.name, props[key.name], key.type)
        except ConfigException as error:
            outcome.add_error_message(str(error))
    elif key.has_default:
        outcome.value = _copied(key.default_value)
    else:
        outcome.add_error_message(_missing_message(key))
    # As in Java, the validator also sees the None of a value that is missing or could not be parsed.
    if key.validator is not None:
        try:
            key.validator.ensure_valid(key.name, outcome.value)
        except ConfigException as error:
            outcome.add_error_message(str(error))
        except Exception as error:  # of a validator that does not expect such a value, or none
            outcome.add_error_message(f"The validator of {key.name} failed: {type(error).__name__}: {error}")
    return outcome


def _recommend(recommender: Recommender, outcome: ConfigValue, parsed: Mapping[str, Any]) -> None:
    try:
        outcome.recommended_values = list(recommender.valid_values(outcome.name, parsed))
        outcome.visible = recommender.visible(outcome.name, parsed)
    except ConfigException as error:
        outcome.add_error_message(str(error))


def _without_duplicates(name: str, values: list[Any]) -> list[Any]:
    distinct = list(dict.fromkeys(values))
    if len(distinct) != len(values):
        logger.warning(
            'Configuration key "%s" contains duplicate values, which are removed: %s becomes %s', name, values, distinct
        )
    return distinct


def _with_key(name: str, error: ConfigException) -> ConfigException:
    error.key = name
    return error


def _copied(default: Any) -> Any:
    return list(default) if isinstance(default, list) else default


def _missing_message(key: ConfigKey) -> str:
    return f'Missing required configuration "{key.name}" which has no default value.'


def _undefined_message(name: str) -> str:
    return f"{name} is referred in the dependents, but not defined."

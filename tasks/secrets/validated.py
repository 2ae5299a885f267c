"""The answer of a validation, told in terms of what was written: references, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from connectd.config import Password
from tasks.infos import ConfigInfo, ConfigInfos, ConfigValueInfo
from tasks.messages import ConfigKeyErrors, Validated
from tasks.secrets.references import find_references

_changed = msgspec.structs.replace


def with_references(validated: Validated, config: Mapping[str, str | None]) -> Validated:
    """The answer with values as they were written wherever those hold references, however short what they stand for is."""
    written = {key: value for key, value in config.items() if value and any(find_references(value))}
    infos = validated.infos
    return _changed(
        validated,
        errors=[_changed(each, value=written.get(each.key, each.value)) for each in validated.errors],
        infos=infos and _changed(infos, configs=[_as_written(each, written) for each in infos.configs]),
    )


def _as_written(info: ConfigInfo, written: Mapping[str, str]) -> ConfigInfo:
    value = info.value
    if value is None or value.name not in written or value.value in (None, Password.HIDDEN):
        return info
    return _changed(info, value=_changed(value, value=written[value.name]))


def with_errors(validated: Validated, errors: Sequence[ConfigKeyErrors]) -> Validated:
    """The answer with these errors in place of all others of their keys, which would be about texts that are no values."""
    keys = {each.key for each in errors}
    infos = validated.infos
    return _changed(
        validated,
        errors=[*(each for each in validated.errors if each.key not in keys), *errors],
        infos=infos and _infos_with_errors(infos, errors),
    )


def _infos_with_errors(infos: ConfigInfos, errors: Sequence[ConfigKeyErrors]) -> ConfigInfos:
    left = {each.key: each for each in errors}
    configs = []
    count = infos.error_count
    for info in infos.configs:
        wrong = None if info.value is None else left.pop(info.value.name, None)
        if wrong is not None and info.value is not None:
            count += len(wrong.errors) - len(info.value.errors)
            info = _changed(info, value=_changed(info.value, errors=wrong.errors))
        configs.append(info)
    for wrong in left.values():
        count += len(wrong.errors)
        value = ConfigValueInfo(
            name=wrong.key, value=wrong.value, recommended_values=[], errors=wrong.errors, visible=True
        )
        configs.append(ConfigInfo(definition=None, value=value))
    return _changed(infos, error_count=count, configs=configs)

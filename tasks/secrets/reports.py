"""What a child reports never holds a resolved value: texts that plugins have written are masked before they are sent."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tasks.infos import ConfigInfo, ConfigInfos
from tasks.messages import (
    ConfigKeyErrors,
    PluginInfo,
    Plugins,
    ReferencesDigested,
    Refused,
    Report,
    StateChanged,
    Validated,
    WorkerConfigResolved,
)
from tasks.secrets.masking import mask, mask_value

_changed = msgspec.structs.replace

R = TypeVar("R", bound=Report)


def without_secrets(report: R) -> R:
    """The report with references in place of the values that this process has resolved, wherever a text is a plugin's."""
    masked: Report = report
    match report:
        case StateChanged(trace=str() as trace):
            masked = _changed(report, trace=mask(trace))
        case Refused():
            masked = _changed(report, error=mask(report.error))
        case Validated():
            masked = _changed(
                report,
                errors=[_key_errors(each) for each in report.errors],
                infos=None if report.infos is None else _infos(report.infos),
            )
        case ReferencesDigested() | WorkerConfigResolved():
            masked = _changed(report, errors={key: mask(error) for key, error in report.errors.items()})
        case Plugins():
            masked = _changed(report, plugins=[_plugin(each) for each in report.plugins])
    return masked  # type: ignore[return-value]


def _key_errors(wrong: ConfigKeyErrors) -> ConfigKeyErrors:
    return _changed(wrong, value=_value(wrong.value), errors=[mask(error) for error in wrong.errors])


def _infos(infos: ConfigInfos) -> ConfigInfos:
    return _changed(infos, name=mask_value(infos.name), configs=[_info(each) for each in infos.configs])


def _info(info: ConfigInfo) -> ConfigInfo:
    value = info.value
    if value is None:
        return info
    return _changed(
        info,
        value=_changed(
            value,
            value=_value(value.value),
            recommended_values=[_value(each) for each in value.recommended_values],
            errors=[mask(error) for error in value.errors],
        ),
    )


def _plugin(plugin: PluginInfo) -> PluginInfo:
    return _changed(plugin, error=None if plugin.error is None else mask(plugin.error))


def _value(text: str | None) -> str | None:
    return None if text is None else mask_value(text)

"""Which settings of a worker may refer to config providers, and who has to know the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from plugins.python_setting import PLUGIN_PYTHON
from tasks.settings.worker import CONFIG_PROVIDERS, PLUGIN_PATH

# Worker settings that are never resolved: plugins are looked for before there are providers, and what belongs to a provider
# is resolved when that is loaded.
_UNRESOLVED: Final = (PLUGIN_PATH, PLUGIN_PYTHON, CONFIG_PROVIDERS)
# What only the supervisor needs; what a task does not have, it cannot lose.
_NOT_FOR_CHILDREN: Final = ("listeners.", "admin.listeners.")


def resolvable(worker_config: Mapping[str, str]) -> dict[str, str]:
    """The settings of a worker in which references are resolved."""
    return {key: value for key, value in worker_config.items() if not key.startswith(_UNRESOLVED)}


def resolvable_in_children(worker_config: Mapping[str, str]) -> dict[str, str]:
    """Those of them that connectors and tasks need."""
    return {key: value for key, value in resolvable(worker_config).items() if not key.startswith(_NOT_FOR_CHILDREN)}

"""Passwords in configurations: shown to those who may write them, so that get, edit, put works; hidden from all others."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from connectd.config import Password
from supervisor.herder.entities import ConnectorInfo, TaskInfo
from supervisor.rest.api import Call
from supervisor.rest.roles import Role
from tasks.secrets.names import is_secret_name

# A reference to a config provider is no secret, and says where the secret is.
_REFERENCE: Final = re.compile(r"\$\{[^}:]+:[^}]*\}")


def masked_info(call: Call, info: ConnectorInfo) -> ConnectorInfo:
    """As the caller may see it."""
    return msgspec.structs.replace(info, config=masked_config(call, info.config))


def masked_config(call: Call, config: dict[str, str]) -> dict[str, str]:
    """As the caller may see it."""
    if call.role >= Role.ADMIN:
        return config
    return mask(config, call.api.herder.secret_keys(config.get("name", "")))


def masked_tasks(call: Call, tasks: list[TaskInfo]) -> list[TaskInfo]:
    """As the caller may see them."""
    if call.role >= Role.ADMIN:
        return tasks
    secret = call.api.herder.secret_keys(call.connector)
    return [msgspec.structs.replace(task, config=mask(task.config, secret)) for task in tasks]


def mask(config: Mapping[str, str], secret: Collection[str]) -> dict[str, str]:
    """The configuration with `[hidden]` for every secret."""
    return {key: Password.HIDDEN if _is_secret(key, value, secret) else value for key, value in config.items()}


def _is_secret(key: str, value: str, secret: Collection[str]) -> bool:
    return bool(key in secret or is_secret_name(key)) and not _REFERENCE.fullmatch(value)

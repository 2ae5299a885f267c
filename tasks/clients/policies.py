"""Which client settings connectors may change (`org.apache.kafka.connect.connector.policy`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connectd.errors import ConfigException
from tasks.settings.worker import OVERRIDE_POLICY, WorkerConfig

PRINCIPAL_SETTINGS: Final = ("sasl.jaas.config", "sasl.mechanism", "security.protocol")
_POLICIES: Final = ("All", "None", "Allowlist", "Principal")
_SUFFIX: Final = "ConnectorClientConfigOverridePolicy"


def override_policy(worker: WorkerConfig) -> tuple[str, Callable[[str], bool]]:
    """The policy's name and whether it allows a client setting (without prefix).

    The policy is given by its short name or Java's class name. Raises ConfigException for one that does not exist.
    """
    written = worker.client_config_override_policy
    name = written.rpartition(".")[2].removesuffix(_SUFFIX)
    allowed = {
        "All": lambda setting: True,
        "None": lambda setting: False,
        "Allowlist": lambda setting: setting in worker.client_config_override_allowlist,
        "Principal": lambda setting: setting in PRINCIPAL_SETTINGS,
    }
    if name not in allowed:
        raise ConfigException(OVERRIDE_POLICY, written, f"Expected one of {', '.join(_POLICIES)}")
    return name, allowed[name]


def refusal(worker: WorkerConfig, setting: str, origin: str) -> ConfigException | None:
    """The error for a connector's client setting that the policy does not allow, None if it does."""
    name, allows = override_policy(worker)
    if allows(setting):
        return None
    return ConfigException(
        origin, None, f"The '{name}' policy does not allow '{setting}' to be overridden by a connector."
    )

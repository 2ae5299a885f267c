"""Carries out what orders ask of secrets: the configurations in them are resolved, and what was resolved is reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from tasks.control import Control
from tasks.messages import (
    AlterOffsets,
    ConfigKeyErrors,
    DescribeCluster,
    DescribePlugin,
    DigestReferences,
    FenceProducers,
    LeaveGroups,
    ListOffsets,
    ListPlugins,
    MeasureLag,
    Order,
    ReferencesDigested,
    ReferencesResolved,
    ReplayLetters,
    ResolveWorkerConfig,
    RunConnector,
    RunTask,
    SecretsChanged,
    TryTransforms,
    Validate,
    WorkerConfigResolved,
)
from tasks.secrets.configs import ResolvedConfigs, Reverse
from tasks.secrets.digests import digests
from tasks.secrets.references import find_references, references_in
from tasks.secrets.resolver import Lookup, Resolver
from tasks.secrets.scope import resolvable
from tasks.secrets.watch import watch
from tasks.settings.connector import CONFIG_ACTION_RELOAD

WithConfig = TypeVar("WithConfig", ListOffsets, AlterOffsets, FenceProducers, TryTransforms, ReplayLetters)
WithWorker = TypeVar("WithWorker", ListPlugins, DescribePlugin, DescribeCluster, MeasureLag)

_RESTART: Final = "restart"


def configs_of(order: Order) -> Iterator[Mapping[str, str | None]]:
    """Every configuration in an order, as it was written."""
    for field in ("worker_config", "connector_config", "task_config", "config"):
        config = getattr(order, field, None)
        if isinstance(config, dict):
            yield config
    if isinstance(order, LeaveGroups):
        yield from (member.connector_config for member in order.members)


def resolve_task(order: RunTask, control: Control) -> RunTask:
    """The order with values for references. Raises ConfigException or what a config provider raises."""
    found = ResolvedConfigs(order.worker_config, order.task_config, order.connector_config)
    task_config, connector_config = found.configs
    _report(found, connector_config, order, control)
    return msgspec.structs.replace(
        order, task_config=task_config, connector_config=connector_config, worker_config=found.worker_config
    )


def resolve_connector(order: RunConnector, control: Control) -> tuple[RunConnector, Reverse]:
    """The order with values for references, and the way back for task configurations. Raises as `resolve_task`."""
    found = ResolvedConfigs(order.worker_config, order.config)
    (config,) = found.configs
    _report(found, config, order, control)
    resolved = msgspec.structs.replace(order, config=config, worker_config=found.worker_config)
    return resolved, Reverse(order.config, found.lookup)


def resolve_worker_part(order: WithWorker) -> WithWorker:
    """The order with values for the worker's references. Raises as `resolve_task`."""
    found = ResolvedConfigs(order.worker_config)
    found.resolver.close()
    found.raise_errors()
    return msgspec.structs.replace(order, worker_config=found.worker_config)


def resolve_config(order: WithConfig) -> WithConfig:
    """The order with values for the references of the worker and the connector. Raises as `resolve_task`."""
    found = ResolvedConfigs(order.worker_config, order.config)
    found.resolver.close()
    found.raise_errors()
    return msgspec.structs.replace(order, config=found.configs[0], worker_config=found.worker_config)


def resolve_members(order: LeaveGroups) -> LeaveGroups:
    """The order with values for references, as far as there are any: one that has none must not keep the others."""
    found = ResolvedConfigs(order.worker_config, *(member.connector_config for member in order.members))
    found.resolver.close()
    members = [
        msgspec.structs.replace(member, connector_config=config)
        for member, config in zip(order.members, found.configs, strict=True)
    ]
    return msgspec.structs.replace(order, members=members, worker_config=found.worker_config)


def resolve_for_validation(order: Validate) -> tuple[Validate, list[ConfigKeyErrors]]:
    """The order with values for references, and for each key, of the worker too, whose value was not found, why."""
    written = {key: value for key, value in order.config.items() if value is not None}
    found = ResolvedConfigs(order.worker_config, written)
    found.resolver.close()
    errors = _errors_by_key({**order.worker_config, **written}, found.lookup)
    config = {**order.config, **found.configs[0]}
    return msgspec.structs.replace(order, config=config, worker_config=found.worker_config), errors


def resolve_worker(order: ResolveWorkerConfig) -> WorkerConfigResolved:
    """What the supervisor itself needs."""
    resolver = Resolver(order.worker_config)
    found = resolver.lookup(references_in(resolvable(order.worker_config)))
    resolver.close()
    values = {reference.text: value for reference, value in found.values.items() if value is not None}
    return WorkerConfigResolved(values=values, errors=_error_texts(found))


def digest_references(order: DigestReferences) -> ReferencesDigested:
    """Whether something has changed; the values stay here."""
    resolver = Resolver(order.worker_config)
    found = resolver.lookup(reference for text in order.references for reference in find_references(text))
    resolver.close()
    return ReferencesDigested(digests=digests(found.values, order.salt), errors=_error_texts(found))


def _report(
    found: ResolvedConfigs, connector_config: dict[str, str], order: RunTask | RunConnector, control: Control
) -> None:
    """Also what could not be resolved is reported, so that it is looked up again at the next reload."""
    restart = connector_config.get(CONFIG_ACTION_RELOAD, _RESTART).strip().lower() == _RESTART
    known = {**dict.fromkeys(found.lookup.errors), **found.lookup.values}
    if known and order.salt:
        control.send(
            ReferencesResolved(generation=order.generation, digests=digests(known, order.salt), restart=restart)
        )
    found.raise_errors()
    if restart:
        watch(
            found.resolver,
            found.lookup,
            lambda references: control.send(SecretsChanged(generation=order.generation, references=references)),
        )
    else:
        found.resolver.close()


def _errors_by_key(config: dict[str, str], found: Lookup) -> list[ConfigKeyErrors]:
    errors = []
    for key, value in config.items():
        texts = [str(found.errors[each]) for each in find_references(value) if each in found.errors]
        if texts:
            errors.append(ConfigKeyErrors(key=key, value=value, errors=list(dict.fromkeys(texts))))
    return errors


def _error_texts(found: Lookup) -> dict[str, str]:
    return {reference.text: str(error) for reference, error in found.errors.items()}

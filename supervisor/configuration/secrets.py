"""Secrets in the supervisor: what it needs itself a child resolves for it; whether those of connectors changed, a child tells."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from supervisor.configuration.files import FileProblems, Problem
from supervisor.inquiries.inquiry import INQUIRY_TIMEOUT_S, InquiryFailed, InquiryRefused, ask
from supervisor.processes.pool import ProcessPool, ProcessStartError
from supervisor.units.unit import Unit
from supervisor.units.worker import Worker
from tasks.messages import (
    DigestReferences,
    LogSettings,
    ReferencesDigested,
    ResolveWorkerConfig,
    WorkerConfigResolved,
)
from tasks.secrets.masking import remember
from tasks.secrets.references import references_in, replace_references
from tasks.secrets.scope import resolvable
from tasks.settings.worker import CONFIG_PROVIDERS

log = structlog.get_logger(__name__)


class WorkerSecrets:
    """Resolves the references in worker files."""

    def __init__(self, pool: ProcessPool, log: LogSettings) -> None:
        self._pool = pool
        self._log = log

    async def resolve(self, path: str, properties: dict[str, str]) -> dict[str, str]:
        """The properties with values for references. Raises FileProblems, or ProcessStartError if there can be no child."""
        own = resolvable(properties)
        if CONFIG_PROVIDERS not in properties or not references_in(own):
            return properties
        answer = await self._ask(path, properties)
        problems = [
            Problem(path, key, f"the value of {key} is not to be had: {error}")
            for key, value in own.items()
            for text, error in answer.errors.items()
            if text in value
        ]
        if problems:
            raise FileProblems(problems)
        remember({value: text for text, value in answer.values.items()})
        resolved = {
            key: replace_references(value, lambda reference: answer.values.get(reference.text))
            for key, value in own.items()
        }
        return {**properties, **resolved}

    async def _ask(self, path: str, properties: dict[str, str]) -> WorkerConfigResolved:
        order = ResolveWorkerConfig(worker_config=properties, log=self._log)
        try:
            return await ask(self._pool, order, WorkerConfigResolved, INQUIRY_TIMEOUT_S)
        except InquiryFailed as error:
            if isinstance(error.__cause__, ProcessStartError):
                raise error.__cause__ from error  # which is not this file's fault
            raise FileProblems([Problem(path, CONFIG_PROVIDERS, str(error))]) from error
        except InquiryRefused as error:
            raise FileProblems([Problem(path, CONFIG_PROVIDERS, str(error))]) from error


async def changed_references(worker: Worker) -> dict[str, list[str]]:
    """For each connector that is to be restarted for it, the references whose values are others now than its processes know.

    What cannot be looked up counts as unchanged. Raises InquiryFailed and InquiryRefused.
    """
    wanted = {text for unit in worker.units() if unit.resolved for text in unit.resolved.digests}
    if not wanted:
        return {}
    around = worker.surroundings
    order = DigestReferences(
        references=sorted(wanted), worker_config=around.worker_config, salt=around.salt, log=around.log
    )
    answer = await ask(around.pool, order, ReferencesDigested, INQUIRY_TIMEOUT_S)
    for text, error in answer.errors.items():
        log.warning(f"{text} cannot be looked up, what is known is used on: {error}")
    changed: dict[str, list[str]] = {}
    # Those that have been restarted meanwhile know the values of now.
    for unit in worker.units():
        texts = _changed(unit, answer.digests)
        if texts:
            known = changed.setdefault(unit.id.connector, [])
            known += [text for text in texts if text not in known]
    return changed


def _changed(unit: Unit, digests: Mapping[str, bytes | None]) -> list[str]:
    resolved = unit.resolved
    if resolved is None:
        return []
    texts = [text for text, digest in resolved.digests.items() if text in digests and digests[text] != digest]
    if texts and not resolved.restart:
        log.info(
            f"{', '.join(texts)} changed, which restarts nothing: config.action.reload is none",
            connector=unit.id.connector,
        )
        return []
    return texts

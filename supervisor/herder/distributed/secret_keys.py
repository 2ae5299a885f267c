"""Which keys of a connector hold passwords: its plugins know, and are asked when somebody wants to look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog

from connectd.errors import ConnectException
from tasks.messages import Validated

log = structlog.get_logger(__name__)


class SecretKeys:
    """By connector. A configuration may have been written by any worker, so that no validation here has told."""

    def __init__(self, validate: Callable[[Mapping[str, str | None]], Awaitable[Validated]]) -> None:
        self._validate = validate
        self._known: dict[str, tuple[Mapping[str, str], Collection[str]]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    def of(self, connector: str, config: Mapping[str, str]) -> Collection[str]:
        """The keys; until they are known, all of the configuration's."""
        known = self._known.get(connector)
        if known is not None and known[0] == config:
            return known[1]
        if connector not in self._asking:
            self._asking[connector] = asyncio.get_running_loop().create_task(self._ask(connector, config))
        return config.keys()

    def stop(self) -> None:
        """Give up what has not been answered."""
        for asking in self._asking.values():
            asking.cancel()

    async def _ask(self, connector: str, config: Mapping[str, str]) -> None:
        try:
            validated = await self._validate(dict(config))
            if validated.kind is not None:
                self._known[connector] = (config, frozenset(validated.secret_keys))
        except ConnectException as error:
            log.warning(f"it is not known which keys are passwords, all are masked: {error}", connector=connector)
        finally:
            del self._asking[connector]

"""Watches values that their config provider gave for a time only: when it is over they are looked up again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from tasks.secrets.references import Reference
from tasks.secrets.resolver import Lookup, Resolver

log = structlog.get_logger(__name__)

# A provider that says that its value is due is not asked more often than so.
MIN_INTERVAL_S: Final = 1.0
# After a failed lookup.
RETRY_S: Final = 60.0


def watch(resolver: Resolver, lookup: Lookup, changed: Callable[[list[str]], object]) -> None:
    """Calls `changed`, once, with the texts of the references whose values are others now. Values without a time to live
    are not watched. The resolver is the watch's from now on."""
    watched = sorted(lookup.ttls_ms)
    if not watched:
        resolver.close()
        return

    def run() -> None:
        changed(_wait_for_change(resolver, lookup, watched))
        resolver.close()

    threading.Thread(target=run, name="secrets", daemon=True).start()


def _wait_for_change(resolver: Resolver, lookup: Lookup, watched: list[Reference]) -> list[str]:
    wait_s = _seconds_to_live(lookup)
    while True:
        time.sleep(wait_s)
        again = resolver.lookup(watched)
        for error in set(again.errors.values()):
            log.warning(
                f"secrets that are due cannot be looked up, those known are used on: {type(error).__name__}: {error}"
            )
        differing = [
            each.text for each in watched if each in again.values and again.values[each] != lookup.values[each]
        ]
        if differing:
            return differing
        wait_s = RETRY_S if again.errors else _seconds_to_live(again)


def _seconds_to_live(lookup: Lookup) -> float:
    return max(MIN_INTERVAL_S, min(lookup.ttls_ms.values(), default=RETRY_S * 1000) / 1000)

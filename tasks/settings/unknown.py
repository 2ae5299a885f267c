"""Keys that nobody declares: most often a slip of the pen, so each comes with the name most like it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tasks.clients.translated import Client
from tasks.clients.translation import settings_of
from tasks.settings.distributed import STORAGE_PREFIXES, DistributedConfig
from tasks.settings.worker import KNOWN_PREFIXES, WorkerConfig


def unknown_keys(props: Mapping[str, Any], names: Collection[str], prefixes: Iterable[str]) -> dict[str, str | None]:
    """The keys that are neither among `names` nor below one of `prefixes`, sorted, with a close match or None."""
    known = tuple(prefixes)
    return {
        key: next(iter(difflib.get_close_matches(key, names, n=1, cutoff=0.7)), None)
        for key in sorted(props)
        if key not in names and not key.startswith(known)
    }


def unknown_worker_keys(props: Mapping[str, Any], kind: type[WorkerConfig]) -> dict[str, str | None]:
    """The unknown keys of a worker file. Those of Kafka's admin client are known: the worker's admin clients take them."""
    names = {*kind.config_def().config_names, *settings_of(Client.ADMIN)}
    storage = STORAGE_PREFIXES if issubclass(kind, DistributedConfig) else ()
    return unknown_keys(props, names, (*KNOWN_PREFIXES, *storage))

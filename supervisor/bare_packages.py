"""Packages of which a worker needs little, but whose `__init__` imports all that they have: it is not run.

Such a package has nothing in it at first but its modules, each imported when it is asked for. Whoever asks for anything else
gets the whole package. That makes a worker smaller by 9 MB, and lets it start a tenth of a second sooner.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from threading import RLock
from types import ModuleType
from typing import Any, Final

# Package -> those of its modules whose names it has all the same.
_BARE: Final[Mapping[str, Sequence[str]]] = {
    "aiohttp": (),  # the client comes with the first request to another worker
    "javaproperties": (),  # XML is not needed
    "kafka": (),  # consumer, producer and admin client are not needed
    "kafka.protocol.admin": ("groups",),
    "kafka.protocol.consumer": ("group", "metadata", "offsets"),
    "prometheus_client": (),  # a web server is not needed, what writes the text comes with the first scrape
}


def import_bare() -> None:
    """Import these packages in that way from now on, those that are not imported yet."""
    sys.meta_path.insert(0, _Finder())


class _Finder:
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in _BARE else None
        if spec is not None and spec.loader is not None:
            loader: Any = _Loader(spec.loader)  # without its abstract base, which is a dozen modules more
            spec.loader = loader
        return spec


class _Loader:
    def __init__(self, whole: Any) -> None:
        self._whole = whole
        self._is_whole = False
        self._lock = RLock()

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        found: ModuleType | None = self._whole.create_module(spec)
        return found

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._whole
        vars(module)["__getattr__"] = lambda name: self._find(module, name)
        for name in _BARE[module.__name__]:
            part = import_module(f"{module.__name__}.{name}")
            vars(module).update({public: getattr(part, public) for public in part.__all__})

    def _find(self, module: ModuleType, name: str) -> Any:
        """What somebody asks the package for, and it does not have yet."""
        package = module.__name__
        if not name.startswith("__") and find_spec(f"{package}.{name}") is not None:
            return import_module(f"{package}.{name}")
        if name == "__version__":  # for which its own modules ask
            try:
                return version(package)
            except PackageNotFoundError:
                pass
        elif name.startswith("__"):
            raise _missing(package, name)
        with self._lock:
            if not self._is_whole:
                self._is_whole = True  # before it is, for it may look for names of its own meanwhile
                self._whole.exec_module(module)
        try:
            return vars(module)[name]
        except KeyError:
            raise _missing(package, name) from None


def _missing(package: str, name: str) -> AttributeError:
    return AttributeError(f"module {package!r} has no attribute {name!r}")

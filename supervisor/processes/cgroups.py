"""Limits that the kernel enforces: a cgroup (v2) for each process that has any, below one that was delegated to this worker.

systemd delegates with `Delegate=yes`, and marks the cgroup for that (systemd.resource-control(5), cgroups(7)). Without it
nothing is touched.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Set
from functools import cached_property
from pathlib import Path
from typing import Final

import structlog

from tasks.settings import Limits

log = structlog.get_logger(__name__)

_CONTROLLERS: Final = ("memory", "cpu")
_NO_LIMIT: Final = "max"
_DEFAULT_WEIGHT: Final = 100
# Where the worker itself lives: a cgroup whose controllers are for others has no processes of its own.
_OWN: Final = "supervisor"
# More than once, for a process may be born while its parent is moved.
_MOVES: Final = 3
_DELEGATED: Final = ("user.delegate", "trusted.delegate")


class Cgroup:
    """The cgroup of one process. `limits_memory` says whether the kernel does."""

    def __init__(self, path: Path, controllers: Set[str]) -> None:
        self.limits_memory = False
        self._path = path
        self._controllers = controllers

    def make(self) -> None:
        """Make it, empty. Raises OSError."""
        self._path.mkdir(exist_ok=True)

    def limit(self, limits: Limits) -> None:
        """Set these limits, and lift those that are not among them. Raises OSError."""
        if "memory" in self._controllers:
            self._write("memory.max", limits.memory_max_bytes or _NO_LIMIT)
            self._write("memory.oom.group", 1)
            self.limits_memory = bool(limits.memory_max_bytes)
        if "cpu" in self._controllers:
            self._write("cpu.weight", limits.cpu_weight or _DEFAULT_WEIGHT)

    def add(self, pid: int) -> None:
        """Move a process into it. Raises OSError."""
        self._write("cgroup.procs", pid)

    @property
    def was_out_of_memory(self) -> bool:
        """Whether the kernel has killed something in it because of its limit."""
        try:
            lines = (self._path / "memory.events").read_text().splitlines()
        except OSError:
            return False
        return any(line.startswith("oom_kill ") and int(line.split()[1]) for line in lines)

    def remove(self) -> bool:
        """Remove it; False while there are processes in it."""
        try:
            self._path.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def __str__(self) -> str:
        return str(self._path)

    def _write(self, name: str, value: object) -> None:
        (self._path / name).write_text(str(value))


class Cgroups:
    """Confines processes below `base`, or the cgroup that is delegated to this process. Where there is none, nothing is done."""

    def __init__(self, base: Path | None = None) -> None:
        self._base = base or delegated_cgroup()

    def confine(self, pid: int, limits: Limits, cgroup: Cgroup | None = None) -> Cgroup | None:
        """Move a process with what it starts into a cgroup of its own, or change the limits of the one that it has.

        Returns its cgroup, None if it needs none, or it cannot be.
        """
        wanted = {name for name, limit in (("memory", limits.memory_max_bytes), ("cpu", limits.cpu_weight)) if limit}
        if cgroup is None and not wanted:
            return None
        available = self._available
        if "cpu" in wanted - available:
            self._say_weight_has_no_effect  # noqa: B018 (once)
        if cgroup is not None:
            with _said("the limits of a process cannot be changed", cgroup):
                cgroup.limit(limits)
            return cgroup
        if self._base is None or not available:
            return None
        cgroup = Cgroup(self._base / f"process-{pid}", available)
        with _said("a process cannot be confined in a cgroup", cgroup):
            cgroup.make()
            cgroup.limit(limits)
            cgroup.add(pid)
            return cgroup
        cgroup.remove()
        return None

    @cached_property
    def _available(self) -> frozenset[str]:
        """The controllers that the cgroups of processes have; this process moves out of their way."""
        if self._base is None:
            return frozenset()
        try:
            return frozenset(_make_room(self._base))
        except OSError as error:
            log.warning("the delegated cgroup cannot be used", path=str(self._base), error=error.strerror)
            return frozenset()

    @cached_property
    def _say_weight_has_no_effect(self) -> None:
        log.warning("task.cpu.weight has no effect: this worker has no delegated cgroup (v2) with the cpu controller")


@contextlib.contextmanager
def _said(message: str, cgroup: Cgroup) -> Iterator[None]:
    """What the kernel refuses is logged, and life goes on."""
    try:
        yield
    except OSError as error:
        log.warning(message, path=str(cgroup), error=error.strerror)


def _make_room(base: Path) -> set[str]:
    own = base / _OWN
    own.mkdir(exist_ok=True)
    for _ in range(_MOVES):
        for pid in (base / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (own / "cgroup.procs").write_text(pid)
    wanted = set(_CONTROLLERS) & set((base / "cgroup.controllers").read_text().split())
    for controller in wanted:
        (base / "cgroup.subtree_control").write_text(f"+{controller}")
    return wanted


def delegated_cgroup() -> Path | None:
    """The cgroup of this process, or the one above it (`DelegateSubgroup=`), if it is delegated."""
    own = _own_cgroup()
    if own is None:
        return None
    return next((path for path in (own, own.parent) if _is_delegated(path)), None)


def _own_cgroup() -> Path | None:
    for root in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        if (root / "cgroup.controllers").is_file():
            lines = Path("/proc/self/cgroup").read_text().splitlines()
            return next((root / line[3:].lstrip("/") for line in lines if line.startswith("0::")), None)
    return None


def _is_delegated(path: Path) -> bool:
    for name in _DELEGATED:
        with contextlib.suppress(OSError):
            if os.getxattr(path, name) == b"1":
                return os.access(path / "cgroup.subtree_control", os.W_OK)
    return False

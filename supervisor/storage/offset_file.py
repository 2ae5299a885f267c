"""Source offsets of a standalone worker in one file, in Java's own format, durable before they are acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import structlog

from connectd.errors import ConnectException
from supervisor.storage.java_map import JavaFormatError, JavaMap, read_map, write_map

log = structlog.get_logger(__name__)

Entries = Sequence[tuple[bytes, bytes | None]]

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder()


class OffsetBackingStore(Protocol):
    """Where the offsets of sources are, as stored: key `["connector",{partition}]`, value `{offset}`.

    Keys that are the same as JSON are the same, however they are written.
    """

    async def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The durable values in the order of the keys. Raises ConnectException."""

    async def entries_of(self, connector: str) -> Sequence[tuple[bytes, bytes]]:
        """All durable entries of a source: key and value. Raises ConnectException."""

    def commit(self, entries: Entries) -> asyncio.Future[None]:
        """Done when the entries are durable; None as a value removes its key. Fails with ConnectException."""


class OffsetStores(Protocol):
    """Where the connectors of a worker have their offsets."""

    def of(self, connector_config: Mapping[str, str]) -> OffsetBackingStore:
        """Those of a connector with this configuration."""


class OffsetFileError(ConnectException):
    """The offset file cannot be read or written; the message names it."""


class OffsetFileLocked(OffsetFileError):
    """Another worker uses the file."""


class OffsetFile:
    """The file on disk: read as a whole, replaced as a whole. Readable by Java's worker and written by it alike.

    A reader sees the old content or the new, whatever happens in between: the new one is written beside it, synced, and
    renamed over it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # The file itself and not a link to it is what gets replaced.
        self._target = Path(os.path.realpath(path))

    def read(self) -> JavaMap:
        """The stored entries; none if there is no file. Raises OffsetFileError."""
        try:
            data = self._target.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise OffsetFileError(f"cannot read the offset file {self.path}: {error.strerror}") from error
        if not data:
            log.warning("the offset file is empty, so sources begin anew", file=str(self.path))
            return {}
        try:
            return read_map(data)
        except JavaFormatError as error:
            raise OffsetFileError(
                f"{self.path} is not an offset file of Kafka Connect: {error}. Move it away to begin without offsets."
            ) from error

    def write(self, entries: Mapping[bytes | None, bytes | None]) -> None:
        """Replace the content; it is durable when this returns. Raises OffsetFileError, and then the old content stays."""
        temporary = self._target.with_name(f".{self._target.name}.new")
        try:
            self._write_synced(temporary, write_map(entries))
            temporary.replace(self._target)
            _sync_folder(self._target.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise OffsetFileError(f"cannot write the offset file {self.path}: {error.strerror}") from error

    def _write_synced(self, path: Path, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        with open(descriptor, "wb") as file:
            self._copy_permissions(descriptor)
            file.write(data)
            file.flush()
            os.fsync(descriptor)

    def _copy_permissions(self, descriptor: int) -> None:
        try:
            status = self._target.stat()
        except FileNotFoundError:
            return
        os.fchmod(descriptor, status.st_mode & 0o7777)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class OffsetStore:
    """The offsets in memory, with commits that go through the file first.

    Commits that arrive while the file is being written wait and share the next write. Keys are compared as JSON values, for
    Java may write the same partition with its keys in another order; an entry keeps the key bytes it has in the file.
    """

    def __init__(self, file: OffsetFile) -> None:
        self._file = file
        self._entries: JavaMap = {}
        self._keys: dict[bytes, bytes | None] = {}  # canonical form -> the key in the file
        self._waiting: list[tuple[Entries, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="offsets")
        self._lock: int | None = None

    def open(self) -> None:
        """Lock and read the file. Raises OffsetFileLocked or OffsetFileError."""
        self._lock = _lock_beside(self._file.path)
        self._entries = {key: value for key, value in self._file.read().items() if value is not None}
        self._keys = {canonical(key): key for key in self._entries}

    async def close(self) -> None:
        """Wait for the writes that are under way, and release the lock."""
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self._thread.shutdown()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def of(self, connector_config: Mapping[str, str]) -> OffsetStore:
        """All connectors have theirs here."""
        return self

    async def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The durable values in the order of the keys."""
        missing = object()
        found = [self._keys.get(canonical(key), missing) for key in keys]
        return [None if key is missing else self._entries[key] for key in found]  # type: ignore[index]

    async def entries_of(self, connector: str) -> Sequence[tuple[bytes, bytes]]:
        """All durable entries of a source: key and value."""
        return [
            (key, value)
            for key, value in self._entries.items()
            if key is not None and value is not None and (found := source_partition(key)) and found[0] == connector
        ]

    def commit(self, entries: Entries) -> asyncio.Future[None]:
        """Done when the entries are durable; fails with OffsetFileError, and then nothing of them is stored."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, future))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_all())
        return future

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                entries, keys = self._with([entries for entries, _ in batch])
                try:
                    await loop.run_in_executor(self._thread, self._file.write, entries)
                except Exception as error:
                    _settle(batch, lambda future, error=error: future.set_exception(error))  # type: ignore[misc]
                else:
                    self._entries, self._keys = entries, keys
                    _settle(batch, lambda future: future.set_result(None))
        finally:
            self._writing = None

    def _with(self, commits: Sequence[Entries]) -> tuple[JavaMap, dict[bytes, bytes | None]]:
        """What is to be stored after these commits: copies, for a write may fail."""
        entries, keys = dict(self._entries), dict(self._keys)
        for key, value in (entry for commit in commits for entry in commit):
            same = canonical(key)
            if value is not None:
                entries[keys.setdefault(same, key)] = value
            elif same in keys:
                del entries[keys.pop(same)]
        return entries, keys


def canonical(key: bytes | None) -> bytes:
    """One form for all ways to write a key: JSON with sorted keys, or the bytes themselves where they are no JSON."""
    if key is None:
        return b""
    try:
        return _ENCODER.encode(_DECODER.decode(key))
    except (ValueError, RecursionError):
        return key


def source_partition(key: bytes) -> tuple[str, dict[str, Any]] | None:
    """Connector and source partition in a key, None for any other key (`OffsetUtils.processPartitionKey`)."""
    try:
        content = _DECODER.decode(key)
    except (ValueError, RecursionError):
        return None
    match content:
        case [str(connector), dict(partition)]:
            return connector, partition
    return None


def _settle(
    batch: Sequence[tuple[Entries, asyncio.Future[None]]], settle: Callable[[asyncio.Future[None]], None]
) -> None:
    for _, future in batch:
        if not future.done():  # else whoever waited for it was cancelled
            settle(future)


def _lock_beside(path: Path) -> int | None:
    """Lock a file beside the offset file; closing the descriptor unlocks it. Raises OffsetFileLocked.

    Where no lock file can be made, offsets cannot be stored either: that is warned of, for sinks need none.
    """
    lock = Path(f"{os.path.realpath(path)}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        log.warning(
            "offsets of sources cannot be stored: the folder of the offset file is not writable",
            file=str(path),
            error=error.strerror,
        )
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OffsetFileLocked(
            f"another worker uses the offset file {path}: each worker needs an offset.storage.file.filename of its own"
        ) from None
    return descriptor

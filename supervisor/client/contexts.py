"""Contexts: which cluster the command line talks to, and as whom. They are kept in one file of the user's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from supervisor.client.errors import ContextError

DEFAULT_NAME: Final = "local"


class Context(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One cluster: the base URLs of some of its workers, tried in turn, and what they need to know and to trust.

    `password` may be given as `password_file` instead, and `token`, for the header of a proxy that asks for one, as
    `token_file`. Files are PEM; `certificate` and `key` are this client's own.
    """

    urls: list[str]
    username: str | None = None
    password: str | None = None
    password_file: str | None = None
    token: str | None = None
    token_file: str | None = None
    ca_file: str | None = None
    certificate: str | None = None
    key: str | None = None
    insecure: bool = False

    def __repr__(self) -> str:
        return f"Context({', '.join(self.urls)})"


LOCAL: Final = Context(urls=["http://localhost:8083"])


class Contexts(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All contexts by name, and which of them counts when none is named."""

    current: str | None = None
    contexts: dict[str, Context] = {}

    def choose(self, name: str | None) -> Context:
        """The context of this name, or else the current one; a worker on this machine where there is none.

        Raises ContextError.
        """
        name = name or self.current
        if name is None or (name == DEFAULT_NAME and name not in self.contexts):
            return LOCAL
        if name not in self.contexts:
            known = ", ".join(sorted(self.contexts)) or "there are none yet"
            raise ContextError(f"there is no context {name}: expected one of those of `config get-contexts` ({known})")
        return self.contexts[name]


def contexts_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where contexts are kept: `CONNECTD_CONTEXTS`, or in the user's configuration folder (XDG base directories)."""
    if chosen := environment.get("CONNECTD_CONTEXTS"):
        return Path(chosen)
    folder = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".config")
    return Path(folder) / "connectd" / "contexts.json"


def read_contexts(path: Path) -> Contexts:
    """The contexts in a file; none if it does not exist. Raises ContextError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Contexts)
    except FileNotFoundError:
        return Contexts()
    except OSError as error:
        raise ContextError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:  # its message has no values in it: there may be a password
        raise ContextError(f"{path}: {error}") from None


def write_contexts(path: Path, contexts: Contexts) -> None:
    """Replace the file as a whole; only its owner may read it, for it may hold passwords. Raises ContextError."""
    text = msgspec.json.format(msgspec.json.encode(contexts), indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, new = tempfile.mkstemp(dir=path.parent, prefix=".contexts-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text + b"\n")
            Path(new).replace(path)
        except OSError:
            Path(new).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ContextError(f"{path}: cannot be written: {error.strerror}") from None

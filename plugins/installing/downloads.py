"""Fetches an archive by its URL."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from plugins.installing.errors import PluginRefused, PluginUnavailable

# Told how many bytes there are, of how many; None if the server does not say.
Received = Callable[[int, int | None], None]

_TIMEOUT_S: Final = 30
_CHUNK: Final = 1 << 20


def is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def shown(url: str) -> str:
    """What may be said of a URL: neither a password nor a token in its query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def download(url: str, folder: Path, received: Received) -> Path:
    """Put the file into `folder` under its own name. Raises PluginRefused, PluginUnavailable, OSError."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise PluginRefused(
            f"{shown(url)}: name and password in a URL are not taken; fetch the file, and name its path"
        )
    target = folder / (PurePosixPath(unquote(parts.path)).name or "archive")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer, target.open("wb") as file:  # noqa: S310 (see is_url)
            length = answer.headers.get("Content-Length")
            total = None if length is None else int(length)
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                received(file.tell(), total)
            size = file.tell()
    except urllib.error.HTTPError as error:
        # Another answer than the file will come for the same question; trouble of the server passes.
        kind = PluginRefused if 400 <= error.code < 500 else PluginUnavailable
        raise kind(f"cannot fetch {shown(url)}: {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise PluginUnavailable(f"cannot fetch {shown(url)}: {error.reason}") from error
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise PluginUnavailable(f"cannot fetch {shown(url)}: {error or type(error).__name__}") from error
    if total is not None and size != total:
        raise PluginUnavailable(f"cannot fetch {shown(url)}: the connection ended after {size} of {total} bytes")
    return target

"""Tells whether resolved values have changed without telling what they are."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from tasks.secrets.references import Reference


def digests(values: Mapping[Reference, str | None], salt: bytes) -> dict[str, bytes | None]:
    """By the text of each reference, the HMAC-SHA-256 of its value, None for one that has none.

    The key is a worker's random salt, which is never stored: nobody can try guesses against what leaks. The reference is
    part of what is hashed: equal values do not show.
    """
    return {
        reference.text: None if value is None else _digest(reference.text, value, salt)
        for reference, value in values.items()
    }


def _digest(reference: str, value: str, salt: bytes) -> bytes:
    # The environment may hold bytes that are no text.
    message = f"{reference}\0{value}".encode("utf-8", "surrogateescape")
    return hmac.digest(salt, message, hashlib.sha256)

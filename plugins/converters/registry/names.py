"""Names of schemas and fields that a format does not allow, made into ones that it does (`scrub.invalid.names`)."""

from __future__ import annotations

import re

_ALLOWED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def scrub(name: str, may_begin_with_underscore: bool = True) -> str:
    """A name with letters, digits and underscores only. What is replaced becomes what Java's `URLEncoder` would write."""
    if not name or (_ALLOWED.fullmatch(name) and (may_begin_with_underscore or name[0] != "_")):
        return name
    scrubbed = "".join(map(_scrubbed, name))
    begins_wrongly = scrubbed[0].isdigit() or (scrubbed[0] == "_" and name[0] == "_" and not may_begin_with_underscore)
    return f"x{scrubbed}" if begins_wrongly else scrubbed


def split_name(full_name: str, scrub_part: bool, may_begin_with_underscore: bool = True) -> tuple[str | None, str]:
    """Namespace and name; each part of them scrubbed if so wanted."""
    parts = full_name.split(".")
    if scrub_part:
        parts = [scrub(part, may_begin_with_underscore) for part in parts]
    return ".".join(parts[:-1]) or None, parts[-1]


def _scrubbed(character: str) -> str:
    if character == "_" or (character.isascii() and character.isalnum()):
        return character
    if character in ".-* ":
        return "_"
    return "".join(f"_{byte:02X}" for byte in character.encode("utf-8", "replace"))

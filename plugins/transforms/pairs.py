"""Pairs in settings, `a:b`, taken apart as Java does."""

from __future__ import annotations


def split_pair(text: str) -> list[str]:
    """The parts between colons without empty ones at the end, as `text.split(":")` in Java."""
    parts = text.split(":")
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    # A text of colons only has no parts at all, an empty one has one.
    return [] if text and parts == [""] else parts

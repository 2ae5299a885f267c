"""The host that has answered the last question about a connector, kept for the next one."""

from __future__ import annotations

from typing import Any

# A `tasks.java.asking.Host`: whoever only wants to know whether there is one need not import all that it takes.
host: Any = None


def keeps_host() -> bool:
    """Whether there is a host that could answer another question."""
    return host is not None

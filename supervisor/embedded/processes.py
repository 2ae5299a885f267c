"""Which process a pid means: a pid alone may be somebody else's by now."""

from __future__ import annotations

from pathlib import Path


def started_at(pid: int) -> str | None:
    """When process `pid` started, in clock ticks since boot (proc_pid_stat(5), field 22); None when it does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the command in parentheses and may itself hold blanks and parentheses.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else fields[18]

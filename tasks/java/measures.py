"""What a host counts, in the words of `tasks.heartbeat`."""

from __future__ import annotations

from typing import Any, Final

from tasks.heartbeat import Measures
from tasks.source.counters import SourceCounters

# The supervisor works these out itself, over all processes of a task.
_LEFT_OUT: Final = ("-rate", "-avg", "-avg-time-ms", "-ratio", "-percentage")
_KEPT: Final = "transaction-size-avg"
_SOURCE: Final = "source-record-poll-total"


def measures(beat: dict[str, Any], commits: SourceCounters | None) -> Measures:
    """Of one sign of life; `commits` are those of a source, counted on this side, unless it makes them itself."""
    counters: dict[str, float] = {
        name: value for name, value in beat["counters"].items() if name == _KEPT or not name.endswith(_LEFT_OUT)
    }
    if _SOURCE in counters and commits is not None:
        counters |= {name: value for name, value in commits.snapshot().items() if name.startswith("offset-commit-")}
    return Measures(counters=counters, positions=[tuple(each) for each in beat["positions"]])

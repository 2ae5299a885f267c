"""The topics that connectors use, as their tasks report them (KIP-558)."""

from __future__ import annotations

from collections.abc import Sequence


class ActiveTopics:
    """By connector, since it was created or they were reset."""

    def __init__(self) -> None:
        self._topics: dict[str, set[str]] = {}

    def add(self, connector: str, task: int, topics: Sequence[str]) -> None:
        """A task uses these."""
        self._topics.setdefault(connector, set()).update(topics)

    def of(self, connector: str) -> list[str]:
        """Sorted; none for an unknown connector."""
        return sorted(self._topics.get(connector, ()))

    def reset(self, connector: str) -> None:
        """Forget those of a connector."""
        self._topics.pop(connector, None)

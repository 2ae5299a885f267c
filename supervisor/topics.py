"""The topics that connectors use, as their tasks report them (KIP-558)."""

from __future__ import annotations


class ActiveTopics:
    """By connector, since it was created or they were reset."""

    def __init__(self) -> None:
        self._topics: dict[str, set[str]] = {}

    def add(self, connector: str, topics: list[str]) -> None:
        """These are used."""
        self._topics.setdefault(connector, set()).update(topics)

    def of(self, connector: str) -> list[str]:
        """Sorted; none for an unknown connector."""
        return sorted(self._topics.get(connector, ()))

    def reset(self, connector: str) -> None:
        """Forget those of a connector."""
        self._topics.pop(connector, None)

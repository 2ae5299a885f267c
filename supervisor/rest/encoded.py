"""States of connectors as JSON, kept for as long as they are the same: those who watch many connectors ask all the time."""

from __future__ import annotations

from typing import Final

import msgspec

from supervisor.herder.entities import ConnectorStateInfo

# What is forgotten is encoded again; this bounds what deleted connectors leave behind.
_MOST: Final = 10_000

_encoder = msgspec.json.Encoder()


class EncodedStates:
    """The JSON of each connector's state. A herder gives the same object while nothing has changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[ConnectorStateInfo, msgspec.Raw]] = {}

    def of(self, state: ConnectorStateInfo) -> msgspec.Raw:
        """Its JSON."""
        known = self._known.get(state.name)
        if known is None or known[0] is not state:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[state.name] = (state, msgspec.Raw(_encoder.encode(state)))
        return known[1]

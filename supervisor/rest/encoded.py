"""States of connectors as JSON, kept for as long as they are the same: those who watch many connectors ask all the time."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_

import msgspec

from supervisor.herder.entities import ConnectorStateInfo

_encoder = msgspec.json.Encoder()


class EncodedStates:
    """The JSON of `GET /connectors?expand=status`. A herder gives the same object while nothing has changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[ConnectorStateInfo, msgspec.Raw]] = {}
        self._states: Sequence[ConnectorStateInfo] = ()
        self._all = msgspec.Raw(b"{}")

    def all(self, states: Sequence[ConnectorStateInfo]) -> msgspec.Raw:
        """By name, as `Expanded` says."""
        if len(states) != len(self._states) or not all(map(is_, states, self._states)):
            self._known = {state.name: (state, self._encoded(state)) for state in states}
            expanded = {name: {"status": encoded} for name, (_, encoded) in self._known.items()}
            self._states, self._all = states, msgspec.Raw(_encoder.encode(expanded))
        return self._all

    def _encoded(self, state: ConnectorStateInfo) -> msgspec.Raw:
        known = self._known.get(state.name)
        return known[1] if known is not None and known[0] is state else msgspec.Raw(_encoder.encode(state))

"""What a herder refuses, and why."""

from __future__ import annotations

from collections.abc import Sequence

from connectd.errors import ConnectException
from tasks.messages import ConfigKeyErrors


class InvalidConnector(ConnectException):
    """A connector's configuration is wrong; `errors` names every key with all that is wrong with it."""

    def __init__(self, connector: str, errors: Sequence[ConfigKeyErrors]) -> None:
        lines = [f"{each.key}: {message}" for each in errors for message in each.errors]
        super().__init__(f"The configuration of connector {connector} is invalid: " + "; ".join(lines))
        self.errors = tuple(errors)

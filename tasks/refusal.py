"""Why an inquiry of the supervisor cannot be answered: raised where it is known, sent as `Refused`."""

from __future__ import annotations

from tasks.messages import Reason


class Refusal(Exception):
    """The message is for whoever asked; it holds no secrets."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason

"""What can go wrong between the command line and a worker."""

from __future__ import annotations

from connectd.errors import ConnectException


class ContextError(ConnectException):
    """A context that is wrong or does not exist."""


class Unreachable(ConnectException):
    """No worker of the context answered."""


class RequestFailed(ConnectException):
    """A worker answered with an error; `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

"""What a herder refuses, and why."""

from __future__ import annotations

from connectd.errors import ConnectException
from tasks.messages import Validated
from tasks.settings.connector import CONNECTOR_CLASS


class InvalidConnector(ConnectException):
    """A connector's configuration is wrong; `errors` names every key with all that is wrong with it."""

    def __init__(self, connector: str, validated: Validated) -> None:
        self.errors = tuple(validated.errors)
        lines = [f"{each.key}: {message}" for each in self.errors for message in each.errors]
        super().__init__(f"The configuration of connector {connector} is invalid: " + "; ".join(lines))
        self._class_is_usable = validated.kind is not None

    def for_rest(self) -> str:
        """The message of Java's REST API; if the connector cannot be loaded, there is no more to say than that."""
        if not self._class_is_usable:
            return "\n".join(message for each in self.errors if each.key == CONNECTOR_CLASS for message in each.errors)
        messages = [message for each in self.errors for message in each.errors]
        head = f"Connector configuration is invalid and contains the following {len(messages)} error(s):"
        tail = (
            "You can also find the above list of errors at the endpoint "
            "`/connector-plugins/{connectorType}/config/validate`"
        )
        return "\n".join([head, *messages, tail])


class BadRequest(ConnectException):
    """What was asked for makes no sense, or not in the state that the connector is in."""


class Forbidden(ConnectException):
    """Whoever asks may not."""


class OperationInProgress(ConnectException):
    """Something else must end first; the message names it. After `retry_after_s` it is worth another try."""

    def __init__(self, message: str, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(ConnectException):
    """Something that is needed does not answer, such as Kafka. Whether anything was changed, `progress` knows."""


class RequestTarget(ConnectException):
    """Another worker must carry the request out; `url` is its REST API, None while nobody knows it (RequestTargetException)."""

    def __init__(self, message: str, url: str | None) -> None:
        super().__init__(message)
        self.url = url

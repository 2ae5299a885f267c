"""What handlers give, and other workers answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

JSON: Final = "application/json"


@dataclass(frozen=True)
class Answer:
    """A response; a body of None is none at all, one of bytes or text is sent as it is, all else as JSON.

    A `stream` is sent piece by piece instead, for as long as it goes on and somebody reads.
    """

    body: Any = None
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: AsyncGenerator[bytes] | None = None


ACCEPTED = Answer(status=HTTPStatus.ACCEPTED)
NO_CONTENT = Answer(status=HTTPStatus.NO_CONTENT)

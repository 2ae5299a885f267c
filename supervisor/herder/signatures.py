"""Signatures of the requests that workers send each other (KIP-507, Kafka's `InternalRequestSignature`)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from supervisor.herder.errors import BadRequest
from tasks.settings.hmac_algorithms import algorithm

SIGNATURE: Final = "X-Connect-Authorization"
ALGORITHM: Final = "X-Connect-Request-Signature-Algorithm"


@dataclass(frozen=True)
class RequestSignature:
    """What a request was signed with: Java's name of an algorithm, the signature, and the bytes that it is for."""

    algorithm: str
    signature: bytes = field(repr=False)
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes) -> Self | None:
        """None for a request without a signature. Raises BadRequest for one that makes no sense."""
        if not is_signed(headers):
            return None
        name, encoded = headers[ALGORITHM], headers[SIGNATURE]
        if algorithm(name) is None:
            raise BadRequest(f"{ALGORITHM}: {name} is not known")
        try:
            return cls(name, base64.b64decode(encoded, validate=True), body)
        except binascii.Error:
            raise BadRequest(f"{SIGNATURE} is not encoded in base64") from None

    def is_valid(self, key: bytes) -> bool:
        """Whether it was made with this key. Takes as long for a wrong one."""
        return hmac.compare_digest(_sign(key, self.algorithm, self.body), self.signature)


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a request has a signature, right or wrong."""
    return ALGORITHM in headers and SIGNATURE in headers


def signed(key: bytes, algorithm_name: str, body: bytes) -> dict[str, str]:
    """The headers of a request with this body; a request without one has an empty one."""
    signature = _sign(key, algorithm_name, body)
    return {SIGNATURE: base64.b64encode(signature).decode(), ALGORITHM: algorithm_name}


def _sign(key: bytes, algorithm_name: str, body: bytes) -> bytes:
    found = algorithm(algorithm_name)
    assert found is not None, f"{algorithm_name} is no algorithm"
    return hmac.digest(key, body, found.digest)

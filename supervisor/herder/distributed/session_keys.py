"""The key by which workers sign requests to each other (KIP-507): when the leader replaces it, and whose requests count."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

from supervisor.herder.errors import BadRequest, Forbidden, Unavailable
from supervisor.herder.signatures import RequestSignature
from supervisor.storage.config_records import SessionKey
from tasks.settings import DistributedConfig

_NO_KEY: Final = (
    "This worker is still starting up and has not been able to read a session key from the config topic yet"
)


class SessionKeys:
    """`key` is the one that the config topic holds now."""

    def __init__(
        self,
        worker: DistributedConfig,
        key: Callable[[], SessionKey | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._worker = worker
        self._key = key
        self._clock = clock

    def must_be_replaced(self) -> bool:
        """Whether the leader is to write a new one: there is none, it is too old, or not of the kind that is configured."""
        key = self._key()
        if key is None:
            return True
        worker = self._worker
        if key.algorithm != worker.key_algorithm or len(key.key) != _bytes(worker.key_bits):
            return True
        return worker.key_ttl_ms > 0 and key.creation_timestamp_ms + worker.key_ttl_ms <= self._now_ms()

    def new(self) -> SessionKey:
        """Another one."""
        worker = self._worker
        return SessionKey(secrets.token_bytes(_bytes(worker.key_bits)), worker.key_algorithm, self._now_ms())

    @property
    def signing(self) -> tuple[bytes | None, str]:
        """Key and algorithm for requests to others; the key is None while there is none."""
        key = self._key()
        return None if key is None else key.key, self._worker.signature_algorithm

    def require_signed(self, signature: RequestSignature | None) -> None:
        """As Java's `DistributedHerder.requestNotSignedProperly`. Raises BadRequest, Unavailable, Forbidden."""
        if signature is None:
            raise BadRequest("Internal request missing required signature")
        accepted = self._worker.verification_algorithms
        if signature.algorithm not in accepted:
            raise BadRequest(
                f"This worker does not support the '{signature.algorithm}' key signing algorithm used by other workers. "
                f"This worker is currently configured to use: [{', '.join(accepted)}]. Check that all workers' configuration "
                "files permit the same set of signature algorithms, and correct any misconfigured worker and restart it."
            )
        key = self._key()
        if key is None:
            raise Unavailable(_NO_KEY)
        if not signature.is_valid(key.key):
            raise Forbidden("Internal request contained invalid signature.")

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _bytes(bits: int) -> int:
    return (bits + 7) // 8

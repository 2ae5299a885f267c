"""Which version this is, and which version of Kafka Connect it is compatible with."""

from __future__ import annotations

from typing import Final

import connectd

KAFKA_VERSION: Final = "4.3.0"
# Clients compare it with versions of Kafka; what stands behind the number they ignore, as in Confluent's `7.9.0-ccs`.
KAFKA_CONNECT_VERSION: Final = f"{KAFKA_VERSION}-connectd-{connectd.__version__}"
COMMIT: Final = "unknown"  # Java's word for a build that is no commit

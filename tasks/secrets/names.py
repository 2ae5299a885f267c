"""Which keys of a configuration hold secrets, by their names: beside those that a plugin declares as passwords."""

from __future__ import annotations

import re
from typing import Final

# Names that can hardly mean anything else.
_SECRET: Final = re.compile(
    r"password|passwd|passphrase|secret|credential|private.?key|api.?key|access.?key|token|jaas|ssl\.keystore\.key|\.pem$",
    re.IGNORECASE,
)
# What is told about a secret is none: where it is, which kind it has.
_ABOUT: Final = re.compile(
    r"[._](url|uri|path|location|file|class|type|algorithm|provider|mechanism|source|ms|enabled?)$", re.IGNORECASE
)


def is_secret_name(key: str) -> bool:
    """Whether its value is taken for a secret."""
    return bool(_SECRET.search(key)) and not _ABOUT.search(key)

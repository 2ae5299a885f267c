"""What goes into a translation of client settings and what comes out: Given, Translated, Client."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Any, Final

from connectd.config import Password

_SECRET: Final = re.compile(r"password|passphrase|secret|jaas|\.pem$|oauthbearer\.config|ssl\.keystore\.key")


def is_secret(name: str) -> bool:
    """Whether the values of a setting, by Java's or by librdkafka's name, must not be shown."""
    return _SECRET.search(name) is not None


class Client(enum.Flag):
    """The kinds of Kafka clients."""

    PRODUCER = enum.auto()
    CONSUMER = enum.auto()
    ADMIN = enum.auto()


@dataclass(frozen=True)
class Given:
    """One setting: its value, and the key as the user wrote it, prefix and all, to name it in errors."""

    origin: str
    value: Any
    by_default: bool = False  # nobody wrote it: it is Connect's own choice


class ClientConf(dict[str, Any]):
    """librdkafka's settings. Secrets are readable as values, but hidden when the whole is printed."""

    def __repr__(self) -> str:
        shown = {name: Password.HIDDEN if is_secret(name) else value for name, value in self.items()}
        return repr(shown)


@dataclass
class Translated:
    """librdkafka's settings, for each of them the key it came from, and warnings about keys without a meaning here."""

    conf: ClientConf = field(default_factory=ClientConf)
    origins: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def put(self, name: str, value: Any, origin: str) -> None:
        """Set one of librdkafka's settings."""
        self.conf[name] = value
        self.origins[name] = origin

    def warn(self, origin: str, message: str) -> None:
        """Add a warning that names the key."""
        self.warnings.append(f"{origin}: {message}")

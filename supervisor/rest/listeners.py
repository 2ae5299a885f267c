"""Where the REST API listens: the URLs of `listeners` and `admin.listeners`."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Final

from connectd.errors import ConfigException

# As Java's RestServer reads them.
_URL: Final = re.compile(r"(https?)://\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)/?", re.IGNORECASE)


@dataclass(frozen=True)
class Listener:
    """One address. An empty host means every interface; port 0 takes a free one."""

    tls: bool
    host: str
    port: int

    @property
    def url(self) -> str:
        """As it was written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"


def parse_listener(key: str, url: str) -> Listener:
    """Raises ConfigException."""
    match = _URL.fullmatch(url.strip())
    if match is None or int(match[3]) > 65535:
        raise ConfigException(key, url, "Expected a URL such as http://localhost:8083 or https://0.0.0.0:8443")
    return Listener(match[1].lower() == "https", match[2], int(match[3]))


def address_of(listener: Listener) -> str:
    """A host name or address under which others may reach a listener."""
    if listener.host not in ("", "0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
        return listener.host
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"

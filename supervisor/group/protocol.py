"""The protocols that a group of workers may use (`org.apache.kafka.connect.runtime.distributed.ConnectProtocolCompatibility`)."""

from __future__ import annotations

import enum
from typing import Self

from supervisor.group.assignment import COMPATIBLE, EAGER, SESSIONED


class ConnectProtocol(enum.StrEnum):
    """The values of `connect.protocol`, from the oldest on."""

    EAGER = "eager"
    COMPATIBLE = "compatible"
    SESSIONED = "sessioned"

    @property
    def version(self) -> int:
        """The version on the wire."""
        return _VERSIONS[self]

    @property
    def wire_name(self) -> str:
        """The name by which the group's members agree on a protocol."""
        return "default" if self is ConnectProtocol.EAGER else self.value

    @classmethod
    def of_wire_name(cls, name: str) -> Self:
        """The protocol that the members have agreed on. Raises ValueError if there is none of that name."""
        return cls("eager" if name == "default" else name)

    @property
    def offered(self) -> list[ConnectProtocol]:
        """What a worker that prefers this one can do as well, the best first."""
        return [protocol for protocol in reversed(ConnectProtocol) if protocol.version <= self.version]


_VERSIONS = {
    ConnectProtocol.EAGER: EAGER,
    ConnectProtocol.COMPATIBLE: COMPATIBLE,
    ConnectProtocol.SESSIONED: SESSIONED,
}

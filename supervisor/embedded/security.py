"""TLS and SASL of the embedded broker: its settings, and those of its clients in Java's and in librdkafka's words.

Users and certificates are made once per data folder. SCRAM users are part of what formatting the folder stores, so a
folder can be started with any security afterwards.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .files import read_json, write_json
from .settings import BrokerOptions
from .tls import TestAuthority

ADMIN, CLIENT = "admin", "alice"
SCRAM_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")
MECHANISMS = ("PLAIN", *SCRAM_MECHANISMS)

_PACKAGE = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Users:
    """The passwords of the users `admin` (the broker itself uses it, too) and `alice`; random, kept in a file."""

    passwords: Mapping[str, str]

    @classmethod
    def of(cls, file: Path) -> Users:
        """Read the users of a data folder, or make them."""
        passwords = read_json(file)
        if not passwords:
            passwords = {name: secrets.token_urlsafe(18) for name in (ADMIN, CLIENT)}
            write_json(file, passwords)
        return cls(passwords)

    def scram_arguments(self) -> list[str]:
        """Arguments of StorageTool that store the users for both SCRAM mechanisms. They hold the passwords."""
        users = [f"[name={name},password={password}]" for name, password in self.passwords.items()]
        return [
            word for mechanism in SCRAM_MECHANISMS for user in users for word in ("--add-scram", f"{mechanism}={user}")
        ]

    def __repr__(self) -> str:
        return f"Users({', '.join(self.passwords)})"


class Security:
    """What a data folder and the options make of security."""

    def __init__(self, options: BrokerOptions, folder: Path) -> None:
        self._options = options
        self._authority = TestAuthority(folder / "tls") if options.tls else None
        self.users = Users.of(folder / "users.json")

    def server(self) -> dict[str, str]:
        """Settings for server.properties."""
        return {**self._server_tls(), **self._server_sasl()}

    def java_client(self, user: str = CLIENT) -> dict[str, str]:
        """Settings of a Java client, and of everything that takes Java's names."""
        settings = {
            "bootstrap.servers": self._options.bootstrap_servers,
            "security.protocol": self._options.security_protocol,
        }
        if self._authority:
            settings |= {
                "ssl.truststore.type": "PKCS12",
                "ssl.truststore.location": self._authority.file("truststore.p12"),
                "ssl.truststore.password": self._authority.password,
                "ssl.keystore.type": "PKCS12",
                "ssl.keystore.location": self._authority.file("client.p12"),
                "ssl.keystore.password": self._authority.password,
            }
        if self._options.sasl:
            jaas = f'{_login_module(self._options.sasl)} required username="{user}" password="{self.users.passwords[user]}";'
            settings |= {"sasl.mechanism": self._options.sasl, "sasl.jaas.config": jaas}
        return settings

    def librdkafka_client(self, user: str = CLIENT) -> dict[str, str]:
        """Settings of a client built on librdkafka, such as confluent-kafka."""
        settings = {
            "bootstrap.servers": self._options.bootstrap_servers,
            "security.protocol": self._options.security_protocol,
        }
        if self._authority:
            settings |= {
                "ssl.ca.location": self._authority.file("ca.pem"),
                "ssl.certificate.location": self._authority.file("client.pem"),
                "ssl.key.location": self._authority.file("client.key"),
            }
        if self._options.sasl:
            password = self.users.passwords[user]
            settings |= {"sasl.mechanism": self._options.sasl, "sasl.username": user, "sasl.password": password}
        return settings

    def _server_tls(self) -> dict[str, str]:
        if not self._authority:
            return {}
        settings = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._authority.file("server.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self._authority.file("ca.pem"),
        }
        if not self._options.sasl:
            # A client may show a certificate, so that mutual TLS can be tried; it need not.
            settings["ssl.client.auth"] = "requested"
        return settings

    def _server_sasl(self) -> dict[str, str]:
        mechanism = self._options.sasl
        if not mechanism:
            return {}
        words = [_login_module(mechanism), "required", *self._jaas(mechanism)]
        return {
            "sasl.enabled.mechanisms": mechanism,
            "sasl.mechanism.inter.broker.protocol": mechanism,
            f"listener.name.client.{mechanism.lower()}.sasl.jaas.config": " ".join(words) + ";",
        }

    def _jaas(self, mechanism: str) -> list[str]:
        passwords = self.users.passwords
        own = [f'username="{ADMIN}"', f'password="{passwords[ADMIN]}"']
        # SCRAM's users are stored in the cluster's metadata, PLAIN's are named here.
        return (
            own
            if mechanism in SCRAM_MECHANISMS
            else [*own, *(f'user_{name}="{passwords[name]}"' for name in passwords)]
        )


def _login_module(mechanism: str) -> str:
    return (
        f"{_PACKAGE}.scram.ScramLoginModule" if mechanism in SCRAM_MECHANISMS else f"{_PACKAGE}.plain.PlainLoginModule"
    )

"""TLS contexts of Python from the `ssl.` keys of Kafka (`org.apache.kafka.common.security.ssl.DefaultSslEngineFactory`)."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from connectd.config import Password
from connectd.errors import ConfigException
from plugins.tls.ciphers import openssl_cipher
from plugins.tls.keystores import KeyStore, key_store, key_store_of_pem, trust_store, trust_store_of_pem

T = TypeVar("T")

_VERSIONS: Final = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_CLIENTS: Final = {"required": ssl.CERT_REQUIRED, "requested": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}


class TlsSettings:
    """Parsed values of the `ssl.` keys; `prefix` is what users write before them, for errors. Raises ConfigException."""

    def __init__(self, prefix: str, values: Mapping[str, Any]) -> None:
        self._prefix = prefix
        self._values = values

    def server_context(self) -> ssl.SSLContext:
        context = self._context(ssl.PROTOCOL_TLS_SERVER)
        if not self._load_identity(context):
            raise self._wrong(
                "ssl.keystore.location", None, "Expected a key store: an https listener needs a certificate"
            )
        context.verify_mode = _CLIENTS[self._values["ssl.client.auth"]]
        if context.verify_mode is not ssl.CERT_NONE and not self._load_trust(context):
            raise self._wrong(
                "ssl.truststore.location",
                None,
                "Expected a trust store beside ssl.client.auth: who else should be trusted?",
            )
        return context

    def client_context(self) -> ssl.SSLContext:
        context = self._context(ssl.PROTOCOL_TLS_CLIENT)
        self._load_identity(context)
        if not self._load_trust(context):
            context.load_default_certs()
        context.check_hostname = bool(self._text("ssl.endpoint.identification.algorithm"))
        return context

    def _context(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version, context.maximum_version = self._versions()
        self._choose_ciphers(context)
        return context

    def _versions(self) -> tuple[ssl.TLSVersion, ssl.TLSVersion]:
        names = self._values["ssl.enabled.protocols"]
        versions = sorted(_VERSIONS[name] for name in names if name in _VERSIONS)
        if not versions:
            raise self._wrong("ssl.enabled.protocols", names, f"Expected one of {', '.join(_VERSIONS)}")
        return versions[0], versions[-1]

    def _load_identity(self, context: ssl.SSLContext) -> bool:
        """False if there is none."""
        key, location = self._text("ssl.keystore.key"), self._text("ssl.keystore.location")
        key_password = self._text("ssl.key.password")
        if key is not None:
            chain = self._text("ssl.keystore.certificate.chain") or ""
            store = self._loaded("ssl.keystore.key", None, lambda: key_store_of_pem(key, chain))
        elif location is not None:
            password = self._text("ssl.keystore.password")
            store = self._loaded("ssl.keystore.location", location, lambda: key_store(location, password, key_password))
        else:
            return False
        name = "ssl.keystore.key" if key is not None else "ssl.keystore.location"
        self._loaded(name, location, lambda: _load_chain(context, store, key_password))
        return True

    def _choose_ciphers(self, context: ssl.SSLContext) -> None:
        names = self._values["ssl.cipher.suites"]
        # Those of TLS 1.3 are always on: Python cannot choose among them.
        chosen = [openssl_cipher(name) for name in names if not name.startswith(("TLS_AES_", "TLS_CHACHA20_"))]
        if chosen:
            self._loaded("ssl.cipher.suites", names, lambda: context.set_ciphers(":".join(chosen)))

    def _load_trust(self, context: ssl.SSLContext) -> bool:
        """False if there is no trust store."""
        certificates, location = self._text("ssl.truststore.certificates"), self._text("ssl.truststore.location")
        if certificates is not None:
            trusted = self._loaded("ssl.truststore.certificates", None, lambda: trust_store_of_pem(certificates))
        elif location is not None:
            password = self._text("ssl.truststore.password")
            trusted = self._loaded("ssl.truststore.location", location, lambda: trust_store(location, password))
        else:
            return False
        # As in Java, whatever is in a trust store is trusted, also what is not a root.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=trusted)
        return True

    def _text(self, name: str) -> str | None:
        value = self._values.get(name)
        return value.value if isinstance(value, Password) else value

    def _loaded(self, name: str, value: object, load: Callable[[], T]) -> T:
        """What `load` gives; its errors name the key, and never hold a secret."""
        try:
            return load()
        except OSError as error:  # SSLError is one
            raise self._wrong(name, value, f"It cannot be used: {error.strerror or error}") from error
        except ValueError as error:
            raise self._wrong(name, value, f"Expected {error}") from error

    def _wrong(self, name: str, value: object, message: str) -> ConfigException:
        return ConfigException(self._prefix + name, value, message)


def _load_chain(context: ssl.SSLContext, store: KeyStore, password: str | None) -> None:
    # OpenSSL takes a file only: this one is in memory, has no name that others could open, and goes when it is closed.
    with open(os.memfd_create("identity"), "wb") as file:
        file.write(f"{store.key}{store.chain}".encode())
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=lambda: _password(password))


def _password(password: str | None) -> str:
    """Without this OpenSSL would ask on the terminal."""
    if password is None:
        raise ValueError("ssl.key.password beside it, for the private key is encrypted")
    return password

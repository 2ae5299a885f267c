"""The settings of kafka-python, which does what librdkafka has no call for, from those that were translated for librdkafka.

So Java's names, key stores and login modules are understood in one place only. kafka-python itself is imported by those
who use it: that costs 0.1 s and 8 MB.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from connectd.errors import ConfigException
from tasks.clients.client_settings import ClientSettings
from tasks.clients.oauth import TokenSource, token_source
from tasks.clients.translated import ClientConf

_NUMBERS: Final = {
    "socket.timeout.ms": "request_timeout_ms",
    "connections.max.idle.ms": "connections_max_idle_ms",
    "reconnect.backoff.ms": "reconnect_backoff_ms",
    "reconnect.backoff.max.ms": "reconnect_backoff_max_ms",
    "retry.backoff.ms": "retry_backoff_ms",
    "topic.metadata.refresh.interval.ms": "metadata_max_age_ms",
}
_TEXTS: Final = {
    "bootstrap.servers": "bootstrap_servers",
    "client.id": "client_id",
    "client.dns.lookup": "client_dns_lookup",
}
_MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI")
_NEVER_MS: Final = 2**31 - 1
_LOGGER: Final = "kafka"
# At level DEBUG these print settings and requests as they are, passwords included.
_TELLTALES: Final = ("kafka.admin.client", "kafka.net.connection", "kafka.protocol.parser")


def kafka_python_conf(settings: ClientSettings) -> ClientConf:
    """Keyword arguments for `KafkaAdminClient`, and for `KafkaNetClient` that group membership is built on.

    Raises ConfigException for what kafka-python cannot do. Secrets are hidden when the whole is printed.
    """
    if logging.getLogger(_LOGGER).level == logging.NOTSET:
        logging.getLogger(_LOGGER).setLevel(logging.WARNING)  # it has much to say about every connection
    for name in _TELLTALES:
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger(name).getEffectiveLevel()))
    conf = settings.conf
    protocol = str(conf.get("security.protocol", "plaintext")).upper()
    found = ClientConf({target: conf[name] for name, target in _TEXTS.items() if name in conf})
    found |= {target: int(conf[name]) for name, target in _NUMBERS.items() if name in conf}
    if found.get("connections_max_idle_ms") == 0:
        found["connections_max_idle_ms"] = _NEVER_MS
    found["security_protocol"] = protocol
    if protocol.endswith("SSL"):
        found["ssl_context"] = _ssl_context(settings)
    if protocol.startswith("SASL"):
        found |= _sasl(settings)
    return found


# --- TLS --------------------------------------------------------------------------------------------------------------


def _ssl_context(settings: ClientSettings) -> ssl.SSLContext:
    conf = settings.conf
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # As in Java, whatever is in a trust store is trusted, also what is not a root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = conf.get("ssl.endpoint.identification.algorithm") != "none"
    if str(conf.get("enable.ssl.certificate.verification", "true")).lower() == "false":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    steps = (
        (("ssl.ca.pem", "ssl.ca.location"), _load_trust),
        (("ssl.certificate.pem", "ssl.certificate.location"), _load_identity),
        (("ssl.cipher.suites",), _choose_ciphers),
    )
    for names, step in steps:
        try:
            step(context, conf)
        except (OSError, ValueError) as error:  # SSLError is an OSError
            name = next(name for name in names if name in conf)
            raise ConfigException(settings.origins.get(name, name), None, f"TLS cannot be set up: {error}") from error
    return context


def _load_trust(context: ssl.SSLContext, conf: Mapping[str, Any]) -> None:
    location = conf.get("ssl.ca.location")
    if "ssl.ca.pem" in conf:
        context.load_verify_locations(cadata=conf["ssl.ca.pem"])
    elif location is None or location == "probe":
        context.load_default_certs()
    elif Path(location).is_dir():
        context.load_verify_locations(capath=location)
    else:
        context.load_verify_locations(cafile=location)


def _load_identity(context: ssl.SSLContext, conf: Mapping[str, Any]) -> None:
    password = conf.get("ssl.key.password", _no_password)
    if "ssl.certificate.pem" in conf:
        # OpenSSL takes a file only: this one is in memory, has no name that others could open, and goes when it is closed.
        with open(os.memfd_create("identity"), "wb") as file:
            file.write(f"{conf['ssl.key.pem']}{conf['ssl.certificate.pem']}".encode())
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=password)
    elif "ssl.certificate.location" in conf:
        context.load_cert_chain(conf["ssl.certificate.location"], conf.get("ssl.key.location"), password)


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal."""
    raise ValueError("the private key is encrypted, and ssl.key.password is not set")


def _choose_ciphers(context: ssl.SSLContext, conf: Mapping[str, Any]) -> None:
    if "ssl.cipher.suites" in conf:
        context.set_ciphers(conf["ssl.cipher.suites"])


# --- SASL -------------------------------------------------------------------------------------------------------------


def _sasl(settings: ClientSettings) -> dict[str, Any]:
    conf = settings.conf
    name = "sasl.mechanism" if "sasl.mechanism" in conf else "sasl.mechanisms"
    mechanism = str(conf.get(name, "GSSAPI"))
    if mechanism not in _MECHANISMS:
        raise ConfigException(settings.origins.get(name, name), mechanism, f"Expected one of {', '.join(_MECHANISMS)}")
    found: dict[str, Any] = {"sasl_mechanism": mechanism}
    if mechanism == "OAUTHBEARER":
        found["sasl_oauth_token_provider"] = _token_provider(token_source(settings))
    elif mechanism == "GSSAPI":
        found["sasl_kerberos_service_name"] = conf.get("sasl.kerberos.service.name", "kafka")
        if "sasl.kerberos.keytab" in conf:
            os.environ["KRB5_CLIENT_KTNAME"] = str(conf["sasl.kerberos.keytab"])
    else:
        found["sasl_plain_username"] = conf.get("sasl.username", "")
        found["sasl_plain_password"] = conf.get("sasl.password", "")
    return found


def _token_provider(source: TokenSource) -> object:
    from kafka.net.sasl.oauth import AbstractTokenProvider

    class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]  # it has no types
        def token(self) -> str:
            return source.token()

        def extensions(self) -> Mapping[str, str]:
            return source.extensions

    return TokenProvider()

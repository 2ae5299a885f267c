"""TLS and SASL: Java's `ssl.` and `sasl.` settings as librdkafka's. They have a meaning only together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from connectd.config import Password
from connectd.errors import ConfigException
from plugins.tls.ciphers import openssl_cipher
from plugins.tls.keystores import KeyStore, key_store, key_store_of_pem, trust_store, trust_store_of_pem
from tasks.clients.jaas import LoginModule, parse_jaas
from tasks.clients.setting import expect
from tasks.clients.translated import Given, Translated

Parsed = Mapping[str, Given]
"""The settings by Java's name, their values already of Java's types."""

_STORE_TYPES: Final = ("JKS", "PKCS12", "PEM")
_GRANT_TYPES: Final = {
    "ClientCredentialsJwtRetriever": "client_credentials",
    "JwtBearerJwtRetriever": "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "DefaultJwtRetriever": "client_credentials",
}
_OIDC: Final = {
    "sasl.oauthbearer.token.endpoint.url": "sasl.oauthbearer.token.endpoint.url",
    "sasl.oauthbearer.client.credentials.client.id": "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.credentials.client.secret": "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.scope": "sasl.oauthbearer.scope",
    "sasl.oauthbearer.sub.claim.name": "sasl.oauthbearer.sub.claim.name",
    "sasl.oauthbearer.assertion.algorithm": "sasl.oauthbearer.assertion.algorithm",
    "sasl.oauthbearer.assertion.private.key.file": "sasl.oauthbearer.assertion.private.key.file",
    "sasl.oauthbearer.assertion.private.key.passphrase": "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.file": "sasl.oauthbearer.assertion.file",
    "sasl.oauthbearer.assertion.claim.aud": "sasl.oauthbearer.assertion.claim.aud",
    "sasl.oauthbearer.assertion.claim.exp.seconds": "sasl.oauthbearer.assertion.claim.exp.seconds",
    "sasl.oauthbearer.assertion.claim.iss": "sasl.oauthbearer.assertion.claim.iss",
    "sasl.oauthbearer.assertion.claim.jti.include": "sasl.oauthbearer.assertion.claim.jti.include",
    "sasl.oauthbearer.assertion.claim.nbf.seconds": "sasl.oauthbearer.assertion.claim.nbf.seconds",
    "sasl.oauthbearer.assertion.claim.sub": "sasl.oauthbearer.assertion.claim.sub",
    "sasl.oauthbearer.assertion.template.file": "sasl.oauthbearer.assertion.jwt.template.file",
}


def translate_security(translated: Translated, parsed: Parsed) -> None:
    """Add what `security.protocol` calls for. Settings for TLS or SASL that it does not call for are not even read.

    Raises ConfigException, never with a password in it.
    """
    protocol = str(translated.conf.get("security.protocol", "plaintext"))
    if protocol.endswith("ssl"):
        _trust(translated, parsed)
        _identity(translated, parsed)
        _host_names(translated, parsed)
        _ciphers(translated, parsed)
    if protocol.startswith("sasl"):
        _sasl(translated, parsed)


def _trust(translated: Translated, parsed: Parsed) -> None:
    certificates, location = _text(parsed, "ssl.truststore.certificates"), _text(parsed, "ssl.truststore.location")
    _check_store_type(parsed, "ssl.truststore.type")
    if certificates is not None:
        origin = parsed["ssl.truststore.certificates"].origin
        translated.put("ssl.ca.pem", _loaded(origin, None, lambda: trust_store_of_pem(certificates)), origin)
    elif location is not None:
        origin = parsed["ssl.truststore.location"].origin
        password = _text(parsed, "ssl.truststore.password")
        translated.put("ssl.ca.pem", _loaded(origin, location, lambda: trust_store(location, password)), origin)


def _identity(translated: Translated, parsed: Parsed) -> None:
    _check_store_type(parsed, "ssl.keystore.type")
    location, key = _text(parsed, "ssl.keystore.location"), _text(parsed, "ssl.keystore.key")
    key_password = _text(parsed, "ssl.key.password")
    store: KeyStore
    if key is not None:
        origin = parsed["ssl.keystore.key"].origin
        chain = _text(parsed, "ssl.keystore.certificate.chain")
        if chain is None:
            raise ConfigException(origin, Password.HIDDEN, "Expected ssl.keystore.certificate.chain beside it")
        store = _loaded(origin, None, lambda: key_store_of_pem(key, chain))
    elif location is not None:
        origin = parsed["ssl.keystore.location"].origin
        store_password = _text(parsed, "ssl.keystore.password")
        store = _loaded(origin, location, lambda: key_store(location, store_password, key_password))
    else:
        return
    translated.put("ssl.key.pem", store.key, origin)
    translated.put("ssl.certificate.pem", store.chain, origin)
    if key_password is not None and "ENCRYPTED" in store.key:
        translated.put("ssl.key.password", key_password, parsed["ssl.key.password"].origin)


def _host_names(translated: Translated, parsed: Parsed) -> None:
    given = parsed.get("ssl.endpoint.identification.algorithm")
    if given is not None:
        algorithm = (given.value or "none").lower()
        if algorithm not in ("https", "none"):
            raise expect(given.origin, given.value, "https, or empty for no check")
        translated.put("ssl.endpoint.identification.algorithm", algorithm, given.origin)


def _ciphers(translated: Translated, parsed: Parsed) -> None:
    given = parsed.get("ssl.cipher.suites")
    # OpenSSL chooses among the suites of TLS 1.3 by itself and does not want them in this list.
    names = [openssl_cipher(name) for name in given.value if not _is_tls_1_3(name)] if given else []
    if given and names:
        translated.put("ssl.cipher.suites", ":".join(names), given.origin)


def _is_tls_1_3(name: str) -> bool:
    return name.startswith("TLS_") and "_WITH_" not in name


def _sasl(translated: Translated, parsed: Parsed) -> None:
    given = parsed.get("sasl.mechanism")
    mechanism = given.value if given else "GSSAPI"
    if given:
        translated.put("sasl.mechanism", mechanism, given.origin)
    origin, module = _login_module(parsed)
    if mechanism == "PLAIN" or mechanism.startswith("SCRAM-"):
        _user_and_password(translated, origin, module)
    elif mechanism == "GSSAPI":
        _kerberos(translated, parsed, origin, module)
    elif mechanism == "OAUTHBEARER":
        _oauth(translated, parsed, origin, module)


def _login_module(parsed: Parsed) -> tuple[str, LoginModule]:
    given = parsed.get("sasl.jaas.config")
    if given is None or given.value is None:
        return "sasl.jaas.config", LoginModule("", {})
    try:
        return given.origin, parse_jaas(given.value.value)
    except ValueError as error:
        raise ConfigException(given.origin, Password.HIDDEN, f"Expected {error}") from None


def _user_and_password(translated: Translated, origin: str, module: LoginModule) -> None:
    for option, name in (("username", "sasl.username"), ("password", "sasl.password")):
        if option in module.options:
            translated.put(name, module.options[option], origin)
        elif module.name:
            raise ConfigException(origin, Password.HIDDEN, f'Expected the option {option}="..." of {module.name}')


def _kerberos(translated: Translated, parsed: Parsed, origin: str, module: LoginModule) -> None:
    for option, name in (
        ("keyTab", "sasl.kerberos.keytab"),
        ("principal", "sasl.kerberos.principal"),
        ("serviceName", "sasl.kerberos.service.name"),
    ):
        if option in module.options:
            translated.put(name, module.options[option], origin)
    if module.options.get("useTicketCache", "false").lower() == "true":
        translated.put("sasl.kerberos.min.time.before.relogin", 0, origin)  # the tickets are somebody else's to renew
    for name in ("sasl.kerberos.service.name", "sasl.kerberos.min.time.before.relogin"):
        if (given := parsed.get(name)) and given.value is not None:
            translated.put(name, given.value, given.origin)


def _oauth(translated: Translated, parsed: Parsed, origin: str, module: LoginModule) -> None:
    claims = {name: value for name, value in module.options.items() if name.startswith("unsecuredLoginStringClaim_")}
    if claims:
        principal = claims.get("unsecuredLoginStringClaim_sub", "")
        translated.put("enable.sasl.oauthbearer.unsecure.jwt", "true", origin)
        translated.put("sasl.oauthbearer.config", f"principal={principal}", origin)
        return
    translated.put("sasl.oauthbearer.method", "oidc", origin)
    for option, name in (("clientId", "id"), ("clientSecret", "secret")):
        if option in module.options:
            translated.put(f"sasl.oauthbearer.client.{name}", module.options[option], origin)
    if "scope" in module.options:
        translated.put("sasl.oauthbearer.scope", module.options["scope"], origin)
    extensions = [
        f"{name.removeprefix('extension_')}={value}"
        for name, value in module.options.items()
        if name.startswith("extension_")
    ]
    if extensions:
        translated.put("sasl.oauthbearer.extensions", ",".join(extensions), origin)
    for name, target in _OIDC.items():
        if (given := parsed.get(name)) and given.value is not None:
            translated.put(target, _plain(given.value), given.origin)
    _grant_type(translated, parsed)


def _grant_type(translated: Translated, parsed: Parsed) -> None:
    given = parsed.get("sasl.oauthbearer.jwt.retriever.class")
    if given is not None:
        short = str(given.value).rpartition(".")[2]
        if short not in _GRANT_TYPES:
            raise expect(given.origin, given.value, f"one of {', '.join(_GRANT_TYPES)}")
        translated.put("sasl.oauthbearer.grant.type", _GRANT_TYPES[short], given.origin)


def _check_store_type(parsed: Parsed, name: str) -> None:
    given = parsed.get(name)
    if given is not None and given.value.upper() not in _STORE_TYPES:
        raise expect(given.origin, given.value, f"one of {', '.join(_STORE_TYPES)}")


def _loaded(origin: str, location: str | None, load: Callable[[], Any]) -> Any:
    """What `load` returns. Its errors are reported with the key; without a location the value is a secret."""
    try:
        return load()
    except OSError as error:
        raise ConfigException(origin, location, f"Expected a file that can be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigException(origin, location or Password.HIDDEN, f"Expected {error}") from None


def _text(parsed: Parsed, name: str) -> str | None:
    given = parsed.get(name)
    return None if given is None or given.value in (None, "") else str(_plain(given.value))


def _plain(value: Any) -> Any:
    if isinstance(value, Password):
        return value.value
    return ("true" if value else "false") if isinstance(value, bool) else value

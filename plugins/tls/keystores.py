"""Key and trust stores of Java's clients as PEM, in memory: JKS, PKCS12 and PEM.

The kind of a file is seen from its content, as Java does for its types `JKS` and `PKCS12`. Errors are ValueErrors that
never hold a password or a key.
"""

from __future__ import annotations

import base64
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plugins.tls.jks import is_jks, read_jks

_PEM: Final = re.compile(
    r"""
    -+ \s* BEGIN \s+ (?P<label>[A-Z0-9 ]+?) \s* -+
    (?: \s* [^\r\n:]* : [^\r\n]* [\r\n]+ )*   # attributes such as Proc-Type
    \s* (?P<body>[A-Za-z0-9/+=\s]+)
    -+ \s* END \s+ (?P=label) \s* -+
    """,
    re.VERBOSE,
)
_DER: Final = 0x30  # the first byte of a PKCS12 file


@dataclass(frozen=True)
class KeyStore:
    """A private key (still encrypted if its password is known to the caller only) and its certificate chain, as PEM."""

    key: str
    chain: str

    def __repr__(self) -> str:
        return "KeyStore([hidden])"


def key_store(path: str, store_password: str | None, key_password: str | None) -> KeyStore:
    """The first private key in a file with its chain. Raises OSError and ValueError."""
    data = Path(path).read_bytes()
    if is_jks(data):
        entry = read_jks(data, store_password, key_password).key
        if entry is None:
            raise ValueError("a store with a private key")
        return KeyStore(_to_pem("PRIVATE KEY", entry.key), "".join(_to_pem("CERTIFICATE", der) for der in entry.chain))
    if data[:1] == bytes([_DER]):
        return _pkcs12_key_store(data, store_password)
    return key_store_of_pem(_text(data), _text(data))


def trust_store(path: str, password: str | None) -> str:
    """All certificates in a file as PEM. Raises OSError and ValueError."""
    data = Path(path).read_bytes()
    if is_jks(data):
        certificates = [_to_pem("CERTIFICATE", der) for der in read_jks(data, password, None).certificates]
    elif data[:1] == bytes([_DER]):
        certificates = _pkcs12_certificates(data, password)
    else:
        return trust_store_of_pem(_text(data))
    if not certificates:
        raise ValueError("a store with certificates")
    return "".join(certificates)


def key_store_of_pem(key: str, chain: str) -> KeyStore:
    """The private key and the certificates in two texts, which may be the same. Line breaks may be missing."""
    keys = [block for block in _blocks(key) if "PRIVATE KEY-----" in block]
    certificates = [block for block in _blocks(chain) if "BEGIN CERTIFICATE" in block]
    if len(keys) != 1:
        raise ValueError(f"one private key in PEM format, found {len(keys)}")
    if not certificates:
        raise ValueError("at least one certificate in PEM format")
    return KeyStore(keys[0], "".join(certificates))


def trust_store_of_pem(text: str) -> str:
    """The certificates in a text. Line breaks may be missing."""
    certificates = [block for block in _blocks(text) if "BEGIN CERTIFICATE" in block]
    if not certificates:
        raise ValueError("at least one certificate in PEM format")
    return "".join(certificates)


def _blocks(text: str) -> list[str]:
    return [_to_pem(match["label"], base64.b64decode(match["body"])) for match in _PEM.finditer(text)]


def _to_pem(label: str, der: bytes) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def _text(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise ValueError("a JKS, PKCS12 or PEM file") from None


def _pkcs12_key_store(data: bytes, password: str | None) -> KeyStore:
    # Imported where it is needed: it would cost every task process several megabytes.
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    store = load_pkcs12(data, _pkcs12_password(password))
    if store.key is None or store.cert is None:
        raise ValueError("a store with a private key and its certificate")
    key = store.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    chain = [entry.certificate.public_bytes(Encoding.PEM).decode() for entry in [store.cert, *store.additional_certs]]
    return KeyStore(key, "".join(chain))


def _pkcs12_certificates(data: bytes, password: str | None) -> list[str]:
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    store = load_pkcs12(data, _pkcs12_password(password))
    entries = [*([store.cert] if store.cert else []), *store.additional_certs]
    return [entry.certificate.public_bytes(Encoding.PEM).decode() for entry in entries]


def _pkcs12_password(password: str | None) -> bytes | None:
    return None if password is None else password.encode()

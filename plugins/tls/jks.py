"""Java's own key store format, JKS (`sun.security.provider.JavaKeyStore` and `KeyProtector`)."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from typing import Final

_MAGIC: Final = b"\xfe\xed\xfe\xed"
_DIGEST_SIZE: Final = 20  # SHA-1
_WHITENER: Final = b"Mighty Aphrodite"  # part of the format
_WRONG_PASSWORD: Final = "the right password: the store is damaged or was locked with another one"  # noqa: S105


@dataclass(frozen=True)
class KeyEntry:
    """A private key (PKCS#8, DER) and its certificate chain (X.509, DER)."""

    key: bytes
    chain: list[bytes]

    def __repr__(self) -> str:
        return "KeyEntry([hidden])"


@dataclass
class JavaKeyStore:
    """The first private key, None if there is none or no password was given, and all trusted certificates (DER)."""

    key: KeyEntry | None = None
    certificates: list[bytes] = field(default_factory=list)


def is_jks(data: bytes) -> bool:
    """Whether the content of a file is a JKS."""
    return data.startswith(_MAGIC)


def read_jks(data: bytes, store_password: str | None, key_password: str | None) -> JavaKeyStore:
    """Read a store. Without `store_password` its integrity is not checked; a key's password is by default the store's.

    Raises ValueError for a wrong password and a file that is damaged.
    """
    body, digest = data[:-_DIGEST_SIZE], data[-_DIGEST_SIZE:]
    if store_password is not None:
        expected = hashlib.sha1(_utf16(store_password) + _WHITENER + body).digest()  # noqa: S324 (the format's own)
        if not hmac.compare_digest(expected, digest):
            raise ValueError(_WRONG_PASSWORD)
    password = key_password if key_password is not None else store_password
    try:
        return _entries(_Reader(body), password)
    except (struct.error, IndexError):
        raise ValueError("a JKS file that is whole") from None


def _entries(reader: _Reader, password: str | None) -> JavaKeyStore:
    store = JavaKeyStore()
    reader.skip(4)
    version, count = reader.number(), reader.number()
    for _ in range(count):
        tag = reader.number()
        reader.text()  # alias
        reader.skip(8)  # date
        if tag == 1:
            locked = reader.block()
            chain = [reader.certificate(version) for _ in range(reader.number())]
            if store.key is None and password is not None:
                store.key = KeyEntry(_unlocked(locked, password), chain)
        else:
            store.certificates.append(reader.certificate(version))
    return store


class _Reader:
    """Reads the big-endian fields of the format one after another."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def skip(self, size: int) -> bytes:
        start, self._position = self._position, self._position + size
        if self._position > len(self._data):
            raise IndexError
        return self._data[start : self._position]

    def number(self) -> int:
        return int(struct.unpack(">I", self.skip(4))[0])

    def text(self) -> bytes:
        return self.skip(int(struct.unpack(">H", self.skip(2))[0]))

    def block(self) -> bytes:
        return self.skip(self.number())

    def certificate(self, version: int) -> bytes:
        if version == 2:
            self.text()  # its type, always X.509
        return self.block()


def _unlocked(encrypted_key_info: bytes, password: str) -> bytes:
    """Sun's own cipher: the key XOR a chain of SHA-1 digests that begins with a salt."""
    content = _octet_string(encrypted_key_info)
    salt, locked, check = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:-_DIGEST_SIZE], content[-_DIGEST_SIZE:]
    secret = _utf16(password)
    stream = b""
    digest = salt
    while len(stream) < len(locked):
        digest = hashlib.sha1(secret + digest).digest()  # noqa: S324 (the format's own)
        stream += digest
    key = bytes(left ^ right for left, right in zip(locked, stream, strict=False))
    if not hmac.compare_digest(hashlib.sha1(secret + key).digest(), check):  # noqa: S324 (the format's own)
        raise ValueError(_WRONG_PASSWORD)
    return key


def _octet_string(encrypted_key_info: bytes) -> bytes:
    """The second part of ``SEQUENCE { algorithm SEQUENCE, content OCTET STRING }`` (DER)."""
    sequence, _ = _value(encrypted_key_info)
    _, rest = _value(sequence)
    return _value(rest)[0]


def _value(der: bytes) -> tuple[bytes, bytes]:
    """The content of the first element, and what follows the element."""
    length, start = der[1], 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(der[2 : 2 + size]), 2 + size
    return der[start : start + length], der[start + length :]


def _utf16(password: str) -> bytes:
    return password.encode("utf-16-be")

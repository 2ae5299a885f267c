"""Algorithms by which workers sign requests to each other (KIP-507): Java's names for keys and signatures alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Algorithm(NamedTuple):
    """`digest` is `hashlib`'s name; keys have `key_bits` where nothing else is asked for, as Java's generators make them."""

    digest: str
    key_bits: int


ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "HmacMD5": Algorithm("md5", 512),
    "HmacSHA1": Algorithm("sha1", 512),
    "HmacSHA224": Algorithm("sha224", 224),
    "HmacSHA256": Algorithm("sha256", 256),
    "HmacSHA384": Algorithm("sha384", 384),
    "HmacSHA512": Algorithm("sha512", 512),
    "HmacSHA512/224": Algorithm("sha512_224", 224),
    "HmacSHA512/256": Algorithm("sha512_256", 256),
    "HmacSHA3-224": Algorithm("sha3_224", 224),
    "HmacSHA3-256": Algorithm("sha3_256", 256),
    "HmacSHA3-384": Algorithm("sha3_384", 384),
    "HmacSHA3-512": Algorithm("sha3_512", 512),
}
DEFAULT_ALGORITHM: Final = "HmacSHA256"
# Java's generators refuse shorter keys.
MIN_KEY_BITS: Final = 40

_BY_LOWER: Final = {name.lower(): algorithm for name, algorithm in ALGORITHMS.items()}


def algorithm(name: str) -> Algorithm | None:
    """By its name in any case, as in Java; None if there is none."""
    return _BY_LOWER.get(name.lower())

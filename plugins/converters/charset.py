"""Java's character sets: what `String.getBytes(charset)` and `new String(bytes, charset)` do, which never fail."""

from __future__ import annotations

import codecs
import re
from typing import Final

_LEGAL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.:_-]*")
# Text codecs of Python that are no character sets.
_PYTHON_ONLY = {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
_REPLACEMENT = "\ufffd"


class Charset:
    """Encodes and decodes as Java does with a character set; what it cannot map becomes `?` or U+FFFD.

    `name` may be any name or alias that Python knows. Raises LookupError for others.
    """

    def __init__(self, name: str) -> None:
        codec = codecs.lookup(name) if _LEGAL_NAME.fullmatch(name) else None
        if codec is None or codec.name in _PYTHON_ONLY or not codec._is_text_encoding:
            raise LookupError(f"{name!r} is not a character set")
        self._codec = codec.name
        self._encode_errors = _ENCODE_ERRORS if self._codec.startswith(("utf-16", "utf-32")) else "replace"
        self._decode_errors = _DECODE_ERRORS if self._codec == "utf-8" else "replace"

    @property
    def is_utf8(self) -> bool:
        """Whether this is UTF-8."""
        return self._codec == "utf-8"

    def encode(self, text: str) -> bytes:
        """The bytes of `text`."""
        if self._codec in _DEFAULT_ORDER:
            codec, mark = _DEFAULT_ORDER[self._codec]
            return mark + text.encode(codec, self._encode_errors) if text else b""
        return text.encode(self._codec, self._encode_errors)

    def decode(self, data: bytes) -> str:
        """The text of `data`."""
        codec = self._codec
        if codec in _DEFAULT_ORDER:
            for mark, ordered in _BYTE_ORDER_MARKS[codec].items():
                if data.startswith(mark):
                    return data[len(mark) :].decode(ordered, self._decode_errors)
            codec = _DEFAULT_ORDER[codec][0]
        return data.decode(codec, self._decode_errors)


def _replace_unencodable(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return _REPLACEMENT.encode(error.encoding) * (error.end - error.start), error.end


def _replace_undecodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    # A surrogate in three bytes, whole or cut off, is one error for Java and several for Python.
    surrogate = _SURROGATE.match(error.object, error.start)
    return _REPLACEMENT, surrogate.end() if surrogate else error.end


_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")

# Java writes UTF-16 big-endian after a mark and UTF-32 big-endian without one; Python takes the machine's order.
_DEFAULT_ORDER: Final = {"utf-16": ("utf-16-be", codecs.BOM_UTF16_BE), "utf-32": ("utf-32-be", b"")}
_BYTE_ORDER_MARKS: Final = {
    "utf-16": {codecs.BOM_UTF16_BE: "utf-16-be", codecs.BOM_UTF16_LE: "utf-16-le"},
    "utf-32": {codecs.BOM_UTF32_BE: "utf-32-be", codecs.BOM_UTF32_LE: "utf-32-le"},
}

_ENCODE_ERRORS: Final = "connectd.java.encode"
_DECODE_ERRORS: Final = "connectd.java.decode"
codecs.register_error(_ENCODE_ERRORS, _replace_unencodable)
codecs.register_error(_DECODE_ERRORS, _replace_undecodable)

UTF_8: Final = Charset("utf-8")

"""`sasl.jaas.config`: the login module and its options (`org.apache.kafka.common.security.JaasConfig`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""
    \s+ | //[^\n]* | /\*.*?\*/
    | (?P<word>[\w.$-]+)
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | '(?P<single>(?:[^'\\]|\\.)*)'
    | (?P<sign>[=;])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_FLAGS: Final = ("required", "requisite", "sufficient", "optional")


@dataclass(frozen=True)
class LoginModule:
    """One entry. `name` is the module's class without its package; the options are hidden when it is printed."""

    name: str
    options: Mapping[str, str]

    def __repr__(self) -> str:
        return f"LoginModule({self.name})"


def parse_jaas(text: str) -> LoginModule:
    """The only entry of a JAAS configuration: ``Module required name="value" ...;``.

    Raises ValueError, whose message never holds any of the text: it has passwords in it.
    """
    tokens = _tokens(text)
    if len(tokens) < 3 or tokens[-1] != ";" or tokens.index(";") != len(tokens) - 1:
        raise ValueError("one login module, its control flag and its options, ended by a semicolon")
    module, control, *options = tokens[:-1]
    if control.lower() not in _FLAGS:
        raise ValueError(f"a login module followed by one of {', '.join(_FLAGS)}")
    if len(options) % 3 or any(sign != "=" for sign in options[1::3]):
        raise ValueError('options of the form name="value"')
    return LoginModule(module.rpartition(".")[2], dict(zip(options[0::3], options[2::3], strict=True)))


def _tokens(text: str) -> list[str]:
    tokens = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError('only words, values in quotes, "=" and ";"')
        position = match.end()
        if match.lastgroup is not None:
            token = match[match.lastgroup]
            tokens.append(_unescaped(token) if match.lastgroup in ("double", "single") else token)
    return tokens


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)

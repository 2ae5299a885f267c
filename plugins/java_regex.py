"""Java's regular expressions, turned into Python's: what `java.util.regex.Pattern` reads, as far as Python can do it.

Translated are: named groups, quotations, escapes (`\\h`, `\\R`, `\\z`, `\\x{1F600}`, ...), `\\p{...}` of POSIX classes and of
Unicode's general categories, unions and intersections of character classes, and flags that are set within an expression.
Classes such as `\\w` are ASCII only, as they are in Java. Refused are `\\G`, `\\X`, `\\N{...}`, scripts and blocks, and the
flags d, u, U and x.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from typing import Any, Final

from connectd.config import LambdaValidator, Validator
from connectd.errors import ConfigException

_LINE_ENDS: Final = "\\n\\r\\x85\\u2028\\u2029"
_BEFORE_LAST_LINE_END: Final = rf"(?=(?:\r\n|[{_LINE_ENDS}])?\Z)"

# What stands for one character, inside and outside of character classes; without the brackets.
_CLASSES: Final = {
    "h": r" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000",
    "v": rf"\x0b\x0c{_LINE_ENDS}",
    "d": r"\d",
    "w": r"\w",
    "s": r"\s",
}
_POSIX: Final = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r"\s",
}
_CHARACTERS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_ASSERTIONS: Final = {"A": r"\A", "b": r"\b", "B": r"\B", "z": r"\Z", "Z": _BEFORE_LAST_LINE_END}

_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})[+?]?")
_GROUP: Final = re.compile(
    r"\?(?:<(?P<name>[a-zA-Z][a-zA-Z0-9]*)>|(?P<kind>:|=|!|>|<=|<!)|(?P<flags>[a-zA-Z-]+)(?P<end>[:)]))"
)
_FLAGS: Final = re.compile(r"[ims]+(?:-[ims]+)?|-[ims]+")
_HEX: Final = re.compile(r"x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|0([0-3]?[0-7]{1,2})")
_PROPERTY: Final = re.compile(r"[pP](?:\{(\w+)\}|([A-Z]))")
_BACK_REFERENCE: Final = re.compile(r"k<([a-zA-Z][a-zA-Z0-9]*)>")
_REPLACEMENT: Final = re.compile(r"\\(.)|\$\{([a-zA-Z][a-zA-Z0-9]*)\}|\$(\d+)|([\\$])|([^\\$]+)", re.DOTALL)


def compile_pattern(name: str, text: str) -> re.Pattern[str]:
    """The compiled expression of the setting `name`. Raises ConfigException for a wrong one."""
    try:
        return compile_java(text)
    except re.error as error:
        raise ConfigException(name, text, f"Invalid regex: {error}") from error


def valid_pattern() -> Validator:
    """A validator of one expression."""

    def check(name: str, value: Any) -> None:
        if value is None:  # a required key that is missing
            raise ConfigException(name, value, "Invalid regex: there is none")
        compile_pattern(name, value)

    return LambdaValidator.with_(check, lambda: "valid regex")


def valid_patterns() -> Validator:
    """A validator of a list of expressions."""

    def check(name: str, value: Any) -> None:
        for text in value:
            compile_pattern(name, text)

    return LambdaValidator.with_(check, lambda: "valid regexes")


def compile_java(text: str) -> re.Pattern[str]:
    """The compiled expression. Raises re.error for what is wrong, or is not supported."""
    return re.compile(_Translator(text).translate(), re.ASCII)


class Replacement:
    """What is put in place of a match: text with `$1`, `${name}` and backslashes, as in Java's `Matcher.replaceFirst`.

    Raises re.error when it is wrong, or names a group that the expression does not have.
    """

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self._parts: list[str | int] = []
        for match in _REPLACEMENT.finditer(text):
            escaped, group_name, digits, alone, plain = match.groups()
            if alone is not None:
                raise re.error(f"illegal {alone} in the replacement {text!r}: to mean itself it needs a backslash")
            if group_name is not None:
                if group_name not in pattern.groupindex:
                    raise re.error(f"no group with the name {group_name}")
                self._parts.append(pattern.groupindex[group_name])
            elif digits is not None:
                self._parts += _group_and_rest(pattern, digits)
            else:
                self._parts.append(escaped if plain is None else plain)

    def expand(self, match: re.Match[str]) -> str:
        """The text for a match; a group that took no part in it gives nothing."""
        return "".join(part if isinstance(part, str) else match[part] or "" for part in self._parts)

    def replace_first(self, match: re.Match[str]) -> str:
        """The text in which the match was found, with the match replaced."""
        return match.string[: match.start()] + self.expand(match) + match.string[match.end() :]

    def replace_all(self, pattern: re.Pattern[str], text: str) -> str:
        """The text with every match replaced."""
        return pattern.sub(self.expand, text)


def _group_and_rest(pattern: re.Pattern[str], digits: str) -> list[str | int]:
    """As many digits as still name a group, and the others as text."""
    used = 1
    if int(digits[0]) > pattern.groups:
        raise re.error(f"no group {digits[0]}")
    while used < len(digits) and int(digits[: used + 1]) <= pattern.groups:
        used += 1
    return [int(digits[:used]), digits[used:]]


class _Translator:
    """Reads one expression from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._groups = 0
        # Where a dot means any character, and where $ means the end of any line.
        self._is_dot_all = self._is_multiline = False

    def translate(self) -> str:
        translated = self._alternatives()
        if self._position < len(self._text):
            raise self._error("unmatched )")
        return translated

    def _error(self, message: str) -> re.error:
        return re.error(message, self._text, self._position)

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._position)

    def _take(self, text: str) -> bool:
        found = self._peek(text)
        self._position += len(text) if found else 0
        return found

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._position)
        if match:
            self._position = match.end()
        return match

    def _next(self) -> str:
        if self._position >= len(self._text):
            raise self._error("unexpected end of the expression")
        self._position += 1
        return self._text[self._position - 1]

    def _alternatives(self) -> str:
        """Everything up to the end of the group. Flags set in it hold up to its end, in all alternatives that follow."""
        flags_before = self._is_dot_all, self._is_multiline
        alternatives, opened = [], ""
        while True:
            sequence, opened = self._sequence(opened)
            alternatives.append(sequence)
            if not self._take("|"):
                self._is_dot_all, self._is_multiline = flags_before
                return "|".join(alternatives)

    def _sequence(self, opened: str) -> tuple[str, str]:
        """One alternative; `opened` are the groups for flags that it is within, and then also those that it adds."""
        pieces = [opened]
        while self._position < len(self._text) and not self._peek("|") and not self._peek(")"):
            if self._take("("):
                piece = self._group()
                if piece.endswith(":"):
                    opened += piece
                    pieces.append(piece)
                    continue
            else:
                piece = self._atom()
            quantifier = self._match(_QUANTIFIER)
            pieces.append(piece + (quantifier[0] if quantifier else ""))
        return "".join(pieces) + ")" * opened.count("("), opened

    def _group(self) -> str:
        """A whole group; or, for flags that are only set, the beginning of one."""
        if not self._peek("?"):
            self._groups += 1
            return self._closed("(")
        match = self._match(_GROUP)
        if match is None:
            raise self._error("unknown kind of group")
        if match["name"]:
            self._groups += 1
            return self._closed(f"(?P<{match['name']}>")
        if match["kind"]:
            return self._closed(f"(?{match['kind']}")
        return self._flags(match["flags"], sets_only=match["end"] == ")")

    def _flags(self, flags: str, sets_only: bool) -> str:
        if not _FLAGS.fullmatch(flags):
            raise self._error(f"flags {flags} are not supported, only i, m and s are")
        before = self._is_dot_all, self._is_multiline
        on, _, off = flags.partition("-")
        self._is_dot_all = (self._is_dot_all or "s" in on) and "s" not in off
        self._is_multiline = (self._is_multiline or "m" in on) and "m" not in off
        opening = f"(?{flags}:"
        if sets_only:
            return opening
        group = self._closed(opening)
        self._is_dot_all, self._is_multiline = before
        return group

    def _closed(self, opening: str) -> str:
        content = self._alternatives()
        if not self._take(")"):
            raise self._error("missing )")
        return f"{opening}{content})"

    def _atom(self) -> str:
        character = self._next()
        match character:
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case ".":
                return r"[\s\S]" if self._is_dot_all else f"[^{_LINE_ENDS}]"
            case "$":
                return rf"(?=[{_LINE_ENDS}]|\Z)" if self._is_multiline else _BEFORE_LAST_LINE_END
            case "^":
                return "^"
            case "*" | "+" | "?" | "{":
                raise self._error(f"nothing to repeat with {character}")
        return re.escape(character)

    def _escape(self) -> str:
        if self._take("Q"):
            end = self._text.find("\\E", self._position)
            quoted = self._text[self._position : end if end >= 0 else None]
            self._position += len(quoted) + (2 if end >= 0 else 0)
            # A quantifier behind it is for its last character only.
            return re.escape(quoted)
        if reference := self._match(_BACK_REFERENCE):
            return f"(?P={reference[1]})"
        if self._text[self._position : self._position + 1] in tuple("123456789"):
            return self._numbered_reference()
        if self._take("R"):
            return rf"(?:\r\n|[\x0b\x0c{_LINE_ENDS}])"
        assertion = _ASSERTIONS.get(self._text[self._position : self._position + 1])
        if assertion:
            self._position += 1
            return assertion
        content, is_negated = self._character_or_class()
        return f"[{'^' if is_negated else ''}{content}]"

    def _numbered_reference(self) -> str:
        number = int(self._next())
        while self._text[self._position : self._position + 1].isdigit():
            longer = number * 10 + int(self._text[self._position])
            if longer > self._groups:
                break
            number = longer
            self._position += 1
        return rf"(?:\{number})"

    def _character_or_class(self) -> tuple[str, bool]:
        """What an escape within brackets stands for, and whether all others are meant."""
        if code := self._match(_HEX):
            digits, base = (code[4], 8) if code[4] else (code[1] or code[2] or code[3], 16)
            return self._character(int(digits, base)), False
        if found := self._match(_PROPERTY):
            return self._property(found[1] or found[2]), found[0].startswith("P")
        letter = self._next()
        if letter in _CHARACTERS:
            return re.escape(_CHARACTERS[letter]), False
        if letter.lower() in _CLASSES:
            return _CLASSES[letter.lower()], letter.isupper()
        if letter == "c":
            return re.escape(chr(ord(self._next()) ^ 64)), False
        if letter.isascii() and letter.isalnum():
            raise self._error(f"escape \\{letter} is not supported")
        return re.escape(letter), False

    def _character(self, code: int) -> str:
        if code > sys.maxunicode:
            raise self._error(f"there is no character {code:x}")
        return re.escape(chr(code))

    def _property(self, name: str) -> str:
        if name in _POSIX:
            return _POSIX[name]
        category = name.removeprefix("Is")
        content = _category(category) if len(category) <= 2 else ""
        if not content:
            raise self._error(f"class \\p{{{name}}} is not supported")
        return content

    def _class(self) -> str:
        """A character class up to its closing bracket, as an expression for one character."""
        is_negated = self._take("^")
        operands = [self._class_operand(is_first=True)]
        while self._take("&&"):
            operands.append(self._class_operand(is_first=False))
        if not self._take("]"):
            raise self._error("missing ]")
        operands = [operand for operand in operands if operand]
        if len(operands) == 1 and is_negated and operands[0].startswith("[") and not operands[0].startswith("[^"):
            return f"[^{operands[0][1:]}"
        chosen = operands[-1]
        for operand in operands[:-1]:
            chosen = f"(?={operand}){chosen}"
        if is_negated:
            return rf"(?:(?!{chosen})[\s\S])"
        return chosen if len(operands) == 1 else f"(?:{chosen})"

    def _class_operand(self, is_first: bool) -> str:
        """The union of what stands between && or brackets; empty if there is nothing."""
        members = ""
        others: list[str] = []
        while self._position < len(self._text) and not self._peek("&&"):
            if self._peek("]") and not (is_first and not members and not others):
                break
            if self._take("["):
                others.append(self._class())
                continue
            content, is_negated = self._class_member()
            if is_negated:
                others.append(f"[^{content}]")
            else:
                members += content
        alternatives = [f"[{members}]"] if members else []
        alternatives += others
        if len(alternatives) == 1:
            return alternatives[0]
        return f"(?:{'|'.join(alternatives)})" if alternatives else ""

    def _class_member(self) -> tuple[str, bool]:
        """One character, escape or range."""
        if self._take("\\Q"):
            end = self._text.find("\\E", self._position)
            if end < 0:
                raise self._error("missing \\E")
            quoted = self._text[self._position : end]
            self._position = end + 2
            return re.escape(quoted), False
        first, is_negated = self._class_character()
        behind = self._text[self._position + 1 : self._position + 2]
        if not self._peek("-") or behind in ("", "]", "[") or len(first) > 2:
            return first, is_negated
        self._position += 1
        last, _ = self._class_character()
        return f"{first}-{last}", False

    def _class_character(self) -> tuple[str, bool]:
        character = self._next()
        return self._character_or_class() if character == "\\" else (re.escape(character), False)


@functools.cache
def _category(name: str) -> str:
    """The characters of a general category of Unicode, such as `L` or `Lu`, as ranges; empty if there is no such category."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)).startswith(name):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in ranges)

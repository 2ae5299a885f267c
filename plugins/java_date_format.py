"""Java's SimpleDateFormat in UTC and in English: patterns such as `yyyy-MM-dd'T'HH:mm:ss.SSSX`, to write and to read.

Instants are milliseconds since 1970-01-01T00:00:00Z. Reading is as lenient as in Java: `2024-02-31` is a day in March, and what
follows the part that was read is ignored. Of the names of time zones only UTC, GMT, and those of North America and Central
Europe are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from connectd.javanumbers import wrap
from plugins.java_calendar import date_of_day, day_of_date, first_week, week_of_day, weekday

_MS_PER_DAY: Final = 86_400_000
_MS_PER_MINUTE: Final = 60_000

_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_WEEKDAYS: Final = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
_ERAS: Final = ("BC", "AD")
_ZONE_HOURS: Final = {
    "UTC": 0,
    "Coordinated Universal Time": 0,
    "CET": 1,
    "CEST": 2,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
}

_TOKEN: Final = re.compile(r"'((?:[^']|'')*)'|([a-zA-Z])\2*|([^a-zA-Z']+)|(')")
_LETTERS: Final = frozenset("GyMdkHmsSEDFwWahKzZYuXL")
_NUMBERS: Final = frozenset("ydkHmsSDFwWhKYu")
_COMMON_LETTERS: Final = frozenset([("y", 4), ("M", 2), ("d", 2), ("H", 2), ("m", 2), ("s", 2), ("S", 3)])
_DIGITS: Final = re.compile(r"-?\d+")
_OFFSET: Final[Mapping[str, re.Pattern[str]]] = {
    "hh": re.compile(r"(\d\d)()", re.ASCII),
    "hhmm": re.compile(r"(\d\d)(\d\d)", re.ASCII),
    "hh:mm": re.compile(r"(\d\d):(\d\d)", re.ASCII),
    "h:mm": re.compile(r"(\d\d?):(\d\d)", re.ASCII),
}


class _Instant(NamedTuple):
    """What the letters of a pattern show of an instant."""

    day: int
    year: int
    month: int
    day_of_month: int
    ms_of_day: int

    @property
    def hour(self) -> int:
        return self.ms_of_day // 3_600_000


class _Part(NamedTuple):
    """A run of one pattern letter, or text that stands for itself, where the letter is empty.

    `width` is how many digits to read, where digits of another number follow immediately.
    """

    letter: str
    length: int
    text: str = ""
    width: int | None = None


class SimpleDateFormat:
    """One pattern. Raises ValueError when it is wrong."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        parts = _split(pattern)
        followers = [*parts[1:], _Part("", 0)]
        self._parts = [
            part._replace(width=part.length) if _is_number(follower) else part
            for part, follower in zip(parts, followers, strict=True)
        ]
        self._common_form = _common_form(self._parts)
        # Two digits are the year within the 80 years before now and the 20 after.
        self._first_year = datetime.now(UTC).year - 80

    def format(self, ms: int) -> str:
        """The text for an instant."""
        day, ms_of_day = divmod(ms, _MS_PER_DAY)
        instant = _Instant(day, *date_of_day(day), ms_of_day)
        return "".join(
            _WRITERS[part.letter](instant, part.length) if part.letter else part.text for part in self._parts
        )

    def parse(self, text: str) -> int:
        """The instant. Raises ValueError for a text that does not match the pattern."""
        common = self._common_form and self._common_form.match(text)
        if common:
            return _instant_of(**{name: int(digits) for name, digits in common.groupdict().items()})
        found = _Found(self._first_year)
        position = 0
        for part in self._parts:
            if part.letter:
                position = found.read(part, text, position)
            elif text.startswith(part.text, position):
                position += len(part.text)
            else:
                raise ValueError(f"expected {part.text!r} at position {position}")
        return found.instant()


def _split(pattern: str) -> list[_Part]:
    parts: list[_Part] = []
    for match in _TOKEN.finditer(pattern):
        quoted, letter, plain, quote = match.groups()
        if quote:
            raise ValueError("Unterminated quote")
        if letter is None:
            # Two quotes are one, also outside of quotations.
            text = plain if quoted is None else quoted.replace("''", "'") or "'"
            parts.append(_Part("", 0, text))
        elif letter not in _LETTERS:
            raise ValueError(f"Illegal pattern character '{letter}'")
        elif letter == "X" and len(match[0]) > 3:
            raise ValueError(f"invalid ISO 8601 format: length={len(match[0])}")
        else:
            parts.append(_Part(letter, len(match[0])))
    return parts


def _common_form(parts: list[_Part]) -> re.Pattern[str] | None:
    """An expression for texts that have as many digits as the pattern has letters, in UTC: reading these is much faster.

    None for a pattern with other letters than those of a date and a time of 24 hours.
    """
    expression = ""
    for part in parts:
        if part.letter == "X":
            expression += "Z"
        elif part.letter:
            if (part.letter, part.length) not in _COMMON_LETTERS or f"<{part.letter}>" in expression:
                return None
            end = r"(?!\d)" if part.width is None else ""
            expression += rf"(?P<{part.letter}>\d{{{part.length}}}){end}"
        else:
            expression += re.escape(part.text)
    return re.compile(expression, re.ASCII)


def _instant_of(y: int = 1970, M: int = 1, d: int = 1, H: int = 0, m: int = 0, s: int = 0, S: int = 0) -> int:  # noqa: N803
    return (day_of_date(y, M, 1) + d - 1) * _MS_PER_DAY + ((H * 60 + m) * 60 + s) * 1000 + S


def _is_number(part: _Part) -> bool:
    return part.letter in _NUMBERS or (part.letter in ("M", "L") and part.length <= 2)


def _year_text(year: int, count: int) -> str:
    year_of_era = year if year > 0 else 1 - year
    return f"{year_of_era % 100:02}" if count == 2 else f"{year_of_era:0{count}}"


def _name_text(name: str, count: int) -> str:
    return name if count >= 4 else name[:3]


def _month_text(instant: _Instant, count: int) -> str:
    return _name_text(_MONTHS[instant.month - 1], count) if count >= 3 else f"{instant.month:0{count}}"


def _number(value: Callable[[_Instant], int]) -> Callable[[_Instant, int], str]:
    return lambda instant, count: f"{value(instant):0{count}}"


_WRITERS: Final[Mapping[str, Callable[[_Instant, int], str]]] = {
    "G": lambda instant, _: _ERAS[instant.year > 0],
    "y": lambda instant, count: _year_text(instant.year, count),
    "Y": lambda instant, count: _year_text(week_of_day(instant.day)[0], count),
    "M": _month_text,
    "L": _month_text,
    "w": _number(lambda instant: week_of_day(instant.day)[1]),
    "W": _number(lambda instant: (instant.day_of_month + 12 - weekday(instant.day)) // 7),
    "D": _number(lambda instant: instant.day - day_of_date(instant.year, 1, 1) + 1),
    "d": _number(lambda instant: instant.day_of_month),
    "F": _number(lambda instant: (instant.day_of_month - 1) // 7 + 1),
    "E": lambda instant, count: _name_text(_WEEKDAYS[weekday(instant.day)], count),
    "u": _number(lambda instant: weekday(instant.day) or 7),
    "a": lambda instant, _: "AM" if instant.hour < 12 else "PM",
    "H": _number(lambda instant: instant.hour),
    "k": _number(lambda instant: instant.hour or 24),
    "K": _number(lambda instant: instant.hour % 12),
    "h": _number(lambda instant: instant.hour % 12 or 12),
    "m": _number(lambda instant: instant.ms_of_day // _MS_PER_MINUTE % 60),
    "s": _number(lambda instant: instant.ms_of_day // 1000 % 60),
    "S": _number(lambda instant: instant.ms_of_day % 1000),
    "z": lambda _, count: "Coordinated Universal Time" if count >= 4 else "UTC",
    "Z": lambda *_: "+0000",
    "X": lambda *_: "Z",
}


class _Found:
    """What has been read of a text: the numbers by the letter that they belong to, the last one read at the end."""

    def __init__(self, first_year: int) -> None:
        self._first_year = first_year
        self._values: dict[str, int] = {}
        self._offset_ms = 0

    def read(self, part: _Part, text: str, start: int) -> int:
        """Read what a part of the pattern stands for, and give the position behind it. Raises ValueError."""
        position = start
        while text[position : position + 1] in (" ", "\t"):
            position += 1
        if position >= len(text):
            raise ValueError(f"the text ends where {part.letter * part.length} is expected")
        if part.letter in "zZX":
            return self._read_zone(part, text, position)
        if part.letter in _NAMES and not _is_number(part):
            # Unlike numbers, names have no blanks before them.
            value, position = _read_name(_NAMES[part.letter], text, start)
            self._set(part.letter, value)
            return position
        end = len(text) if part.width is None else start + part.width
        digits = _DIGITS.match(text, position, end) if end <= len(text) else None
        if digits is None:
            raise ValueError(f"expected a number at position {position}")
        value = _int32(int(digits[0]))
        if part.letter in "yY" and part.length <= 2 and len(digits[0]) == 2 and value >= 0:
            value += self._first_year // 100 * 100 + (100 if value < self._first_year % 100 else 0)
        self._set(part.letter, value)
        return digits.end()

    def instant(self) -> int:
        """The milliseconds since 1970 that all together stand for."""
        return self._day() * _MS_PER_DAY + self._ms_of_day() - self._offset_ms

    def _set(self, letter: str, value: int) -> None:
        letter, value = _MEANINGS.get((letter, value), (letter, value))
        letter = _SAME_LETTER.get(letter, letter)
        self._values.pop(letter, None)
        self._values[letter] = value

    def _read_at(self, *letters: str) -> int:
        """When the last of the letters was read, counted from 0; -1 unless all were."""
        order = list(self._values)
        return max(map(order.index, letters)) if self._values.keys() >= set(letters) else -1

    def _day(self) -> int:
        """As Java, of several ways to name a day take the one that was read last."""
        values = self._values
        year = values.get("y", 1970)
        if values.get("G") == 0:
            year = 1 - year
        if values.keys().isdisjoint("DYwWFE"):
            return day_of_date(year, values.get("M", 1), 1) + values.get("d", 1) - 1
        if self._read_at("Y") > self._read_at("y"):
            return self._day_of_week(values["Y"])
        ways = {
            letters: (self._read_at(*letters), self._read_at(letters[0])) for letters in ("d", "D", "wE", "WE", "FE")
        }
        way = max(ways, key=lambda letters: ways[letters])
        if ways[way] < (0, 0):
            way = max((letter for letter in "wWFE" if letter in values), key=self._read_at, default="d")
        first = day_of_date(year, 1 if way == "D" else values.get("M", 1), 1)
        match way[0]:
            case "w":
                return self._day_of_week(year)
            case "W":
                return first - weekday(first) + (values["W"] - 1) * 7 + values.get("E", 0)
            case "F" | "E":
                return first + (values.get("E", 0) - weekday(first)) % 7 + (values.get("F", 1) - 1) * 7
        return first + values.get(way, 1) - 1

    def _day_of_week(self, year: int) -> int:
        return first_week(year) + (self._values.get("w", 1) - 1) * 7 + self._values.get("E", 0)

    def _ms_of_day(self) -> int:
        values = self._values
        is_24_hours = "H" in values and self._read_at("H") > self._read_at("h", "a")
        hour = values["H"] if is_24_hours else values.get("h", 0) + 12 * values.get("a", 0)
        return ((hour * 60 + values.get("m", 0)) * 60 + values.get("s", 0)) * 1000 + values.get("S", 0)

    def _read_zone(self, part: _Part, text: str, position: int) -> int:
        if part.letter == "X":
            if text[position] == "Z":
                return self._set_zone(0, position + 1)
            return self._read_offset(text, position, ("hh", "hhmm", "hh:mm")[part.length - 1])
        if text[position : position + 3].upper() == "GMT":
            position += 3
            if text[position : position + 1] not in ("+", "-"):
                return self._set_zone(0, position)
            return self._read_offset(text, position, "h:mm")
        if text[position] in "+-":
            return self._read_offset(text, position, "hhmm")
        hours, position = _read_name(_ZONE_HOURS, text, position)
        return self._set_zone(hours * 60, position)

    def _read_offset(self, text: str, position: int, form: str) -> int:
        sign = {"+": 1, "-": -1}.get(text[position])
        match = _OFFSET[form].match(text, position + 1)
        if sign is None or match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
            raise ValueError(f"expected an offset from UTC at position {position}")
        return self._set_zone(sign * (int(match[1]) * 60 + int(match[2] or 0)), match.end())

    def _set_zone(self, minutes: int, position: int) -> int:
        self._offset_ms = minutes * _MS_PER_MINUTE
        return position


def _read_name(names: Mapping[str, int], text: str, position: int) -> tuple[int, int]:
    """The value of the longest name that is there, in any case, and the position behind it."""
    there = [name for name in names if text[position : position + len(name)].lower() == name.lower()]
    if not there:
        raise ValueError(f"expected one of {', '.join(names)} at position {position}")
    longest = max(there, key=len)
    return names[longest], position + len(longest)


def _int32(number: int) -> int:
    """As Java makes an int of what it has read as a long or, beyond that, as a double."""
    return wrap(number, 32) if -(2**63) <= number < 2**63 else (2**31 - 1 if number > 0 else -(2**31))


def _with_short_names(names: list[str], first: int) -> dict[str, int]:
    return {form: value for value, name in enumerate(names, first) for form in (name, name[:3])}


_NAMES: Final[Mapping[str, Mapping[str, int]]] = {
    "G": {name: value for value, name in enumerate(_ERAS)},
    "M": _with_short_names(_MONTHS, 1),
    "L": _with_short_names(_MONTHS, 1),
    "E": _with_short_names(_WEEKDAYS, 0),
    "a": {"AM": 0, "PM": 1},
}

# Letters that stand for one thing in two ways: which of them it is kept under, and numbers that mean another one.
_SAME_LETTER: Final = {"L": "M", "u": "E", "k": "H", "K": "h"}
_MEANINGS: Final = {("k", 24): ("H", 0), ("h", 12): ("h", 0), ("u", 7): ("E", 0)}

"""Days and dates as Java's GregorianCalendar counts them: Julian before 15 October 1582, Gregorian from then on.

Days are counted from 1970-01-01, months from 1, weekdays from Sunday, which is 0. Years have no end, 0 is 1 BC. Weeks are
those of the United States: they begin on Sunday, and the first week of a year has its first of January.
"""

from __future__ import annotations

import functools
from typing import Final

_FIRST_GREGORIAN_DAY: Final = -141_427


# Records that come together are mostly of the same days.
@functools.lru_cache(maxsize=1000)
def day_of_date(year: int, month: int, day: int) -> int:
    """The day of a date. A month or day beyond the end of its year or month counts on in the next, as do 0 and less."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    # Counted from March, leap days are at the end of a year.
    year -= month <= 2
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    julian = 365 * year + year // 4 + day_of_year - 719_470
    gregorian = julian - year // 100 + year // 400 + 2
    return gregorian if gregorian >= _FIRST_GREGORIAN_DAY else julian


@functools.lru_cache(maxsize=1000)
def date_of_day(day: int) -> tuple[int, int, int]:
    """Year, month and day of the month."""
    if day >= _FIRST_GREGORIAN_DAY:
        day += 719_468
        century, day_of_century = divmod(4 * day + 3, 146_097)
        day_of_century //= 4
        year = (4 * day_of_century + 3) // 1_461
        day_of_year = day_of_century - 1_461 * year // 4
        year += 100 * century
    else:
        day += 719_470
        year = (4 * day + 3) // 1_461
        day_of_year = day - 1_461 * year // 4
    month = (5 * day_of_year + 2) // 153
    day_of_month = day_of_year - (153 * month + 2) // 5 + 1
    month = (month + 2) % 12 + 1
    return year + (month <= 2), month, day_of_month


def weekday(day: int) -> int:
    """The day of the week, from Sunday, which is 0."""
    return (day + 4) % 7


def week_of_day(day: int) -> tuple[int, int]:
    """The year that the week belongs to, and the number of the week in it."""
    saturday = day + 6 - weekday(day)
    year, _, _ = date_of_day(saturday)
    return year, (saturday - first_week(year)) // 7 + 1


def first_week(year: int) -> int:
    """The Sunday with which the first week of a year begins."""
    new_year = day_of_date(year, 1, 1)
    return new_year - weekday(new_year)

"""JavaScript's dates as ISO 8601 and back: any year it knows, to the millisecond. (datetime knows 1 to 9999 only.)"""

import re

_ISO = re.compile(
    r"([+-]\d{6}|\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d)))?"
)
FURTHEST = 8_640_000_000_000_000
"""Milliseconds either side of 1970 that a Date can hold."""
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 (proleptic Gregorian), counting years from March."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month, day of so many days since 1970-01-01."""
    era, day_of_era = divmod(days + 719468, 146097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def to_iso(milliseconds: float) -> str | None:
    """What toISOString() gives; None for an invalid date."""
    if not -FURTHEST <= milliseconds <= FURTHEST:
        return None
    days, rest = divmod(int(milliseconds), 86_400_000)
    year, month, day = _civil(days)
    seconds, fraction = divmod(rest, 1000)
    shown = f"{year:04d}" if 0 <= year <= 9999 else f"{'-' if year < 0 else '+'}{abs(year):06d}"
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:03d}"
    return f"{shown}-{month:02d}-{day:02d}T{clock}Z"


def from_iso(text: str) -> int | None:
    """Milliseconds since 1970 of a date (midnight UTC) or a time with its zone; None where it is neither."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1] + leap:
        return None
    hour, minute, second = int(found[4] or 0), int(found[5] or 0), int(found[6] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    at = _days(year, month, day) * 86_400_000 + ((hour * 60 + minute) * 60 + second) * 1000
    at += int((found[7] or "0").ljust(3, "0")[:3])
    if found[8]:
        offset = int(found[9]) * 60 + int(found[10])
        at += -offset * 60_000 if found[8] == "+" else offset * 60_000
    return at if -FURTHEST <= at <= FURTHEST else None

"""How numbers and dates written as text are to be read: what the values tell, and what they do not.

`number_marks` tells the decimal mark from the thousands separator, `date_formats` which formats
read every date; both say so when the values leave it open.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%Y年%m月%d日", "%d %b %Y", "%d %B %Y",
    "%b %d, %Y",
)  # fmt: skip
_TIMES = ("", " %H:%M:%S", "T%H:%M:%S", " %H:%M", "T%H:%M", " %H:%M:%S.%f", "T%H:%M:%S.%f")


def number_marks(texts: Iterable[str]) -> tuple[str, str] | None:
    """Tell decimal mark and thousands separator of numbers written as text.

    Parameters
    ----------
    texts : iterable of str
        The numbers.

    Returns
    -------
    tuple of str or None
        Decimal mark and thousands separator (maybe empty); None when the values leave it open, as
        ``1,234`` alone does.
    """
    readings: set[tuple[str, str]] = {
        (d, t) for d in ".," for t in ("", ",", ".", " ", "'") if d != t
    }
    for text in texts:
        bare = (
            re.sub(r"^[^\d.,+-]+|[^\d.,]+$", "", text).replace("\xa0", " ").replace("\u2019", "'")
        )
        fitting = {(d, t) for d, t in readings if _number(d, t).fullmatch(bare)}
        readings = fitting or readings
    decimals = {decimal for decimal, _ in readings}
    plain = {(d, t) for d, t in readings if not t}
    if len(decimals) == 2:
        return (".", "") if plain == {(".", ""), (",", "")} else None
    if plain:
        return plain.pop()
    return readings.pop() if len(readings) == 1 else None


def _number(decimal: str, thousands: str) -> re.Pattern[str]:
    whole = rf"(?:[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{3}})+|\d+)" if thousands else r"\d+"
    return re.compile(rf"[+-]?{whole}(?:{re.escape(decimal)}\d+)?")


def date_formats(texts: Iterable[str], among: Iterable[str] | None = None) -> list[str]:
    """Tell which date formats read every text.

    Parameters
    ----------
    texts : iterable of str
        Dates as written.
    among : iterable of str or None
        Formats to try; None tries `DATE_FORMATS` with and without times.
    """
    left = list(among or (date + time for date in DATE_FORMATS for time in _TIMES))
    for text in dict.fromkeys(texts):
        left = [form for form in left if _reads(text, form)]
        if not left:
            break
    return left


def _reads(text: str, form: str) -> bool:
    try:
        dt.datetime.strptime(text, form)
    except ValueError:
        return False
    return "%y" not in form or "%Y" in form or re.search(r"\d{4}", text) is None

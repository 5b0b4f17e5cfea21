"""How the reports of a customer base read in a notebook: sentences, then small tables.

Every text passes through escaping, since names and values come from data: a customer called
``<script>`` stays a name. Names: :func:`report_html`, :func:`sentence_html`, :func:`percent`,
:func:`amount`, :func:`counted`, :func:`made_up_note`.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping

import pandas as pd

LONGEST = 25
"""Rows of a table that are shown; the rest is counted."""


def report_html(
    title: str, sentences: Iterable[str], tables: Mapping[str, pd.DataFrame], note: str = ""
) -> str:
    """HTML of a report.

    Parameters
    ----------
    title : str
        Heading.
    sentences : iterable of str
        What the report says, plain text.
    tables : mapping of str to DataFrame
        Tables by caption; empty ones are left out.
    note : str
        A remark under the tables.
    """
    said = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    shown = "".join(_table(caption, frame) for caption, frame in tables.items() if len(frame))
    remark = f"<p><small>{html.escape(note)}</small></p>" if note else ""
    return f"<section><h4>{html.escape(title)}</h4><ul>{said}</ul>{shown}{remark}</section>"


def sentence_html(said: str, *tables: pd.DataFrame, numbers: str = ",.2f") -> str:
    """HTML of a sentence and the tables below it, without a heading.

    Parameters
    ----------
    said : str
        What the tables say, plain text.
    *tables : DataFrame
        Shown whole; what is not known stays empty.
    numbers : str
        Format of the numbers that are not whole.
    """
    written = "{:" + numbers + "}"
    shown = "".join(
        one.to_html(index=False, escape=True, na_rep="", float_format=written.format)
        for one in tables
    )
    return f"<p>{html.escape(said)}</p>{shown}"


def _table(caption: str, frame: pd.DataFrame) -> str:
    head = "".join(f"<th scope='col'>{html.escape(str(c))}</th>" for c in frame.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(c, v))}</td>" for c, v in row.items()) + "</tr>"
        for row in frame.head(LONGEST).to_dict("records")
    )
    more = len(frame) - LONGEST
    tail = f" (the first {LONGEST} of {len(frame):,} rows)" if more > 0 else ""
    return (
        f"<table><caption>{html.escape(caption + tail)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _cell(column: object, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if pd.isna(value):  # type: ignore[call-overload]
        return ""
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, float):
        shares = ("share", "completeness", "lower", "upper", "stale")
        return percent(value) if str(column).startswith(shares) else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def percent(share: float, digits: int = 1) -> str:
    """Write a share as percent: ``percent(.345)`` is ``34.5 %``."""
    return "not known" if math.isnan(share) else f"{100 * share:.{digits}f} %"


def amount(value: float, currency: str) -> str:
    """Write an amount of money: ``amount(1234.5, "USD")`` is ``1,234 USD``."""
    return "not known" if math.isnan(value) else f"{value:,.0f} {currency}"


def counted(n: int, one: str, many: str | None = None) -> str:
    """Write a number with its noun: ``counted(1, "customer")`` is ``1 customer``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def made_up_note(simulated: bool) -> list[str]:
    """Give the sentence that tells of simulated data in a report, or none."""
    return ["Simulated data: made up by a program, no real customer."] * simulated


def share_of(part: float, whole: float) -> float:
    """Part of a whole, NaN where the whole is not positive."""
    return part / whole if whole > 0 else math.nan

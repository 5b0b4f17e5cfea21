"""Small figures of a dossier, drawn as SVG that stands in the page itself.

A dossier opens without a network and prints small, so its figures are a few lines of SVG with an
alternative text: :func:`columns` (amounts by period), :func:`strips` (own value among all
customers), :func:`timeline` (events by kind).  Every text passes through escaping.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from keycustomer.dimensions.dossier.plain import cut

WIDTH = 340
"""Units across; the page scales them to the column."""

INK, SOFT, LINE, BAND, OWN, OLD = "#1c2227", "#53606b", "#aab4bc", "#dfe5ea", "#005a8e", "#d55e00"

LONGEST_LABEL = 26
"""Characters of a label at the left; longer ones end in an ellipsis."""


@dataclass(frozen=True)
class Strip:
    """One row of :func:`strips`.

    Attributes
    ----------
    label : str
        What is measured.
    own : float
        The customer's value.
    middle : float
        Mean of all.
    low, high : float
        Ends of the middle 80 % of all.
    before : float or None
        The customer's former value.
    text : str
        The customer's value in words, at the right.
    """

    label: str
    own: float
    middle: float
    low: float
    high: float
    text: str
    before: float | None = None


def columns(amounts: Sequence[float], first: str, last: str, alternative: str) -> Markup:
    """Draw amounts as columns, negative ones downward.

    Parameters
    ----------
    amounts : sequence of float
        One a period, in order of time.
    first, last : str
        Names of the first and the last period.
    alternative : str
        What a reader who cannot see the figure is told.
    """
    height, top = 62.0, 46.0
    most, least = max([*amounts, 0.0]), min([*amounts, 0.0])
    reach = (most - least) or 1.0
    zero = 2 + (top - 2) * most / reach
    step = WIDTH / max(len(amounts), 1)
    bars = [
        f'<rect x="{i * step + step * 0.1:.1f}" y="{min(zero, zero - a / reach * (top - 2)):.1f}" '
        f'width="{step * 0.8:.1f}" height="{abs(a) / reach * (top - 2):.1f}" '
        f'fill="{OWN if a >= 0 else OLD}"/>'
        for i, a in enumerate(amounts)
    ]
    axis = f'<line x1="0" x2="{WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="{LINE}"/>'
    words = _word(0, height - 3, first) + _word(WIDTH, height - 3, last, anchor="end")
    return _figure(height, "".join(bars) + axis + words, alternative)


def strips(rows: Sequence[Strip], ends: tuple[float, float], alternative: str) -> Markup:
    """Draw a customer's values among those of all: band, mean, own value, former value.

    Parameters
    ----------
    rows : sequence of Strip
        One a measure.
    ends : (float, float)
        Ends of the common scale.
    alternative : str
        What a reader who cannot see the figure is told.
    """
    left, right, each = 132.0, WIDTH - 42.0, 17.0
    span = (ends[1] - ends[0]) or 1.0

    def place(value: float) -> float:
        return left + (min(max(value, ends[0]), ends[1]) - ends[0]) / span * (right - left)

    parts = []
    for i, row in enumerate(rows):
        y = 10 + i * each
        band = place(row.low), place(row.high)
        parts += [
            _word(0, y + 4, cut(row.label, LONGEST_LABEL)),
            f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="{LINE}" stroke-width=".7"/>',
            f'<rect x="{band[0]:.1f}" y="{y - 4}" width="{max(band[1] - band[0], 1):.1f}" '
            f'height="8" fill="{BAND}"/>',
            f'<line x1="{place(row.middle):.1f}" x2="{place(row.middle):.1f}" y1="{y - 5}" '
            f'y2="{y + 5}" stroke="{SOFT}" stroke-width="1.6"/>',
        ]
        if row.before is not None:
            parts.append(
                f'<circle cx="{place(row.before):.1f}" cy="{y}" r="3.4" fill="none" '
                f'stroke="{OWN}" stroke-width="1.3"/>'
            )
        parts.append(f'<circle cx="{place(row.own):.1f}" cy="{y}" r="4.2" fill="{OWN}"/>')
        parts.append(_word(WIDTH, y + 4, row.text, anchor="end", weight=600))
    return _figure(len(rows) * each + 4, "".join(parts), alternative)


def timeline(
    events: Sequence[tuple[str, Sequence[dt.date]]],
    start: dt.date,
    end: dt.date,
    alternative: str,
) -> Markup:
    """Draw days of events, a row a kind.

    Parameters
    ----------
    events : sequence of (str, sequence of date)
        Kinds with their days.
    start, end : date
        First and last day of the scale.
    alternative : str
        What a reader who cannot see the figure is told.
    """
    left, right, each = 132.0, WIDTH - 42.0, 15.0
    days = max((end - start).days, 1)
    parts = []
    for i, (kind, when) in enumerate(events):
        y = 9 + i * each
        parts.append(_word(0, y + 4, cut(kind, LONGEST_LABEL)))
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="{LINE}" stroke-width=".7"/>'
        )
        for day in when:
            x = left + (day - start).days / days * (right - left)
            parts.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 5}" y2="{y + 5}" stroke="{OWN}" '
                'stroke-width="1.5" stroke-opacity=".8"/>'
            )
        parts.append(_word(WIDTH, y + 4, f"{len(when):,}", anchor="end", weight=600))
    y = len(events) * each + 11
    parts += [
        _word(left, y, start.isoformat()),
        _word(right, y, end.isoformat(), anchor="end"),
    ]
    return _figure(y + 4, "".join(parts), alternative)


def _word(x: float, y: float, text: str, *, anchor: str = "start", weight: int = 400) -> str:
    colour = INK if weight > 400 else SOFT
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="10.5" text-anchor="{anchor}" '
        f'font-weight="{weight}" fill="{colour}">{escape(text)}</text>'
    )


def _figure(height: float, inside: str, alternative: str) -> Markup:
    said = escape(" ".join(alternative.split()))
    # Numbers are our own, and every text in `inside` has been escaped.
    return Markup(  # noqa: S704
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{said}">{inside}</svg>'
    )

"""Figures of plans judged by what they truly bring in simulated companies.

:func:`judged_bars` draws what every plan attained in one company beside what it promised,
:func:`company_dots` the spread over companies, :func:`overrating_dots` how much more was promised
than came, :func:`plan_level_bars` which levels a plan gives.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from keycustomer.plots.audit import BLUES, title_width
from keycustomer.plots.labels import UNDERLAY, name_rows, short_names, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    percent,
    percent_axis,
)

if TYPE_CHECKING:
    from keycustomer.relationships.judged.company_judgement import JudgedCompanies
    from keycustomer.relationships.judged.plan_judgement import JudgedPlans

BEST = "true optimum"
"""The plan that knows the truth; it needs no row of its own."""

LONGEST = 24
"""Characters of the name of a plan."""

ROOM = 0.16
"""Part of the axis that a bar must take so that its number fits into its foot."""

LOW = -0.6
"""Shares below this are drawn at the edge, with their number: a plan can lose any amount."""


def judged_bars(result: JudgedPlans, ax: Axes | None = None) -> Axes:
    """Draw what plans attained of what there was to gain, and what they had promised.

    Parameters
    ----------
    result : JudgedPlans
        From `keycustomer.relationships.judge_plans`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = _rivals(result.frame).sort_values("attainable_gain_share", ignore_index=True)
    ax = new_axes(ax, size=(10, 2.6 + 0.55 * max(len(frame), 2)))
    labels = _labels(frame["plan"])
    places = np.arange(len(frame))
    share = frame["attainable_gain_share"].to_numpy(dtype=float)
    promised = (frame["promised_gain"] / result.optimum.gain).to_numpy(dtype=float)
    shown = np.nan_to_num(np.maximum(share, LOW))
    ax.barh(places, shown, color=PALETTE["blue"], height=0.6)
    ax.plot(promised, places, "D", color="white", mec=PALETTE["vermilion"], mew=3, ms=11, ls="")
    name_rows(ax, labels)
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    ax.axvline(1, color=PALETTE["black"], lw=2)
    ends = np.append(promised[np.isfinite(promised)], [1.0, shown.max(initial=0)])
    ax.set_xlim(min(1.3 * shown.min(initial=0), 0), 1.1 * ends.max())
    for place, (delivered, said) in enumerate(zip(share, promised, strict=True)):
        _write(ax, place, float(delivered), float(said))
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of the attainable gain (simulated; 100 %: the true optimum)")
    legend_below(ax, columns=2, handles=_bar_keys(bool(np.isfinite(promised).any())))
    best = frame.iloc[-1]
    finding(
        ax,
        f"{_quoted(best['plan'])} attains {percent(best['attainable_gain_share'], 0)} of the gain "
        "there was",
        width=title_width(ax, labels),
    )
    told = "; ".join(
        f"{row['plan']} {percent(row['attainable_gain_share'], 0)}"
        + ("" if math.isnan(p) else f", promised {percent(p, 0)}")
        for row, p in zip(frame[::-1].to_dict("records"), promised[::-1], strict=True)
    )
    return describe(
        ax,
        f"Simulated company with {len(result.codes):,} customers: share of the attainable gain by "
        f"plan under a budget of {compact_number(result.budget)}: {told}.",
    )


def _bar_keys(promised: bool) -> list[Patch | Line2D]:
    keys: list[Patch | Line2D] = [Patch(color=PALETTE["blue"], label="delivered")]
    if promised:
        look = Line2D([], [], color="white", marker="D", ms=11, ls="", label="promised")
        look.set(markeredgecolor=PALETTE["vermilion"], markeredgewidth=3)
        keys.append(look)
    return keys


def _write(ax: Axes, place: int, share: float, promised: float) -> None:
    """Write a share at the foot of its bar where there is room, else beyond bar and promise."""
    inside = share > ROOM * (ax.get_xlim()[1] - ax.get_xlim()[0])
    ends = [end for end in (share, promised, 0.0) if math.isfinite(end)]
    ax.annotate(
        percent(share, 0) if math.isfinite(share) else "not known",
        (0 if inside else max(ends), place),
        (7 if inside else 14, 0),
        textcoords="offset points",
        va="center",
        fontsize=14,
        color="white" if inside else PALETTE["black"],
        bbox=None if inside else UNDERLAY,
    )


def company_dots(
    result: JudgedCompanies, ax: Axes | None = None, *, column: str = "attainable_gain_share"
) -> Axes:
    """Draw plans in every company, with the mean and its interval.

    Parameters
    ----------
    result : JudgedCompanies
        From `keycustomer.relationships.judge_over_companies`.
    ax : Axes, optional
        Axes to draw into.
    column : str
        A share out of the columns of `result.frame`.
    """
    summary = result.summary(column)
    rows = summary[summary["plan"] != BEST].iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.6 * max(len(rows), 2)))
    table = result.table(column)
    labels = _labels(rows["plan"])
    for place, row in enumerate(rows.to_dict("records")):
        values = table[row["plan"]].to_numpy(dtype=float)
        # a fixed zigzag keeps dots apart without chance
        spread = 0.16 * np.sin(2.4 * np.arange(len(values)))
        ax.plot(np.maximum(values, LOW), place + spread, "o", color=PALETTE["sky"], ms=7, ls="")
        ax.hlines(place, *_ends(row["mean"], row["lower"], row["upper"]), color="black", lw=4)
        ax.plot(max(row["mean"], LOW), place, "D", color=PALETTE["black"], ms=10)
        if row["least"] < LOW:
            _write_edge(ax, place, row["mean"], row["least"])
    name_rows(ax, labels)
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    ax.axvline(1, color=PALETTE["black"], lw=2)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of the attainable gain (simulated; 100 %: the true optimum)")
    legend_below(ax, columns=2, handles=_dot_keys(result.companies))
    finding(ax, _company_sentence(summary, result.companies), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['plan']} {percent(row['mean'], 0)} on average, {percent(row['least'], 0)} to "
        f"{percent(row['most'], 0)}"
        for row in rows[::-1].to_dict("records")
    )
    return describe(
        ax,
        f"{result.companies} simulated companies of {result.accounts:,} accounts: share of the "
        f"attainable gain by plan: {told}.",
    )


def _ends(mean: float, lower: float, upper: float) -> tuple[float, float]:
    """Give the ends of the interval of the mean; the mean itself where there is none."""
    if math.isnan(lower):
        return max(mean, LOW), max(mean, LOW)
    return max(lower, LOW), max(upper, LOW)


def _write_edge(ax: Axes, place: int, mean: float, least: float) -> None:
    """Write what lies beyond the edge of the figure."""
    ax.annotate(
        f"mean {percent(mean, 0)}, least {percent(least, 0)}",
        (LOW, place),
        (0, 17),
        textcoords="offset points",
        fontsize=12,
        bbox=UNDERLAY,
    )


def _dot_keys(companies: int) -> list[Line2D]:
    one = "one company" if companies > 1 else "the company"
    return [
        Line2D([], [], color=PALETTE["sky"], marker="o", ms=8, ls="", label=one),
        Line2D([], [], color=PALETTE["black"], marker="D", ms=10, lw=4, label="mean, 95 %"),
    ]


def _company_sentence(summary: pd.DataFrame, companies: int) -> str:
    rivals = summary[summary["plan"] != BEST]
    best = rivals.iloc[0]
    said = f"{_quoted(best['plan'])} attains {percent(best['mean'], 0)} of the gain"
    if len(rivals) == 1 or companies == 1:
        return said
    wins = round(best["wins"] * companies)
    return f"{said} and is the best rule in {wins} of {companies} companies"


def overrating_dots(
    result: JudgedCompanies, ax: Axes | None = None, *, against: str | None = "today"
) -> Axes:
    """Draw by how much each plan was overrated by its own estimates, over companies.

    Parameters
    ----------
    result : JudgedCompanies
        From `keycustomer.relationships.judge_over_companies`.
    ax : Axes, optional
        Axes to draw into.
    against : str, optional
        Plan whose overrating is taken off, since estimates too high or low for every plan are no
        optimiser's curse; None for none.

    Raises
    ------
    ValueError
        When no plan promised anything.
    """
    rows = result.promises(against).sort_values("beyond", ignore_index=True)
    rows = rows[rows["plan"] != against].reset_index(drop=True)
    if rows.empty:
        raise ValueError(
            "result: no plan promised anything; make plans that carry their estimates, such as "
            "select_levels(...) or usual_plans(...)"
        )
    ax = new_axes(ax, size=(10, 2.6 + 0.55 * max(len(rows), 2)))
    labels = _labels(rows["plan"])
    clear = (rows["lower"] > 0).to_numpy()
    for held, colour in ((True, PALETTE["vermilion"]), (False, PALETTE["grey"])):
        own, places = rows[clear == held], np.flatnonzero(clear == held)
        ax.hlines(places, own["lower"], own["upper"], color=colour, lw=4)
        ax.plot(own["beyond"], places, "o", color=colour, ms=12, ls="")
    ax.axvline(0, color=PALETTE["black"], lw=2)
    name_rows(ax, labels)
    percent_axis(ax.xaxis)
    than = "" if against is None else f", beyond {shorten(against, LONGEST)}"
    ax.set_xlabel(f"Promised too much{than}: share of the attainable gain (simulated)")
    finding(ax, _overrating_sentence(rows[clear], against), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['plan']} {percent(row['beyond'], 0)}" for row in rows[::-1].to_dict("records")
    )
    return describe(
        ax,
        f"Gain promised beyond the gain delivered{than}, as a share of the optimum's, mean over "
        f"{result.companies} simulated companies: {told}.",
    )


def _overrating_sentence(clear: pd.DataFrame, against: str | None) -> str:
    """Name the plan that was overrated most, if any clearly was."""
    more = "" if against is None else f" more than {shorten(against, LONGEST)}"
    if clear.empty:
        return f"No plan was clearly overrated{more}"
    most = clear.iloc[-1]
    return (
        f"{_quoted(most['plan'])} was overrated by {percent(most['beyond'], 0)} of the attainable "
        f"gain{more}"
    )


def plan_level_bars(result: JudgedPlans | JudgedCompanies, ax: Axes | None = None) -> Axes:
    """Draw which share of the customers each plan puts on which level.

    Parameters
    ----------
    result : JudgedPlans or JudgedCompanies
        From `keycustomer.relationships.judge_plans` or `judge_over_companies` (means).
    ax : Axes, optional
        Axes to draw into.
    """
    shares = result.level_shares()
    table = shares.pivot(index="plan", columns="level", values="share")
    table = table.loc[shares["plan"].drop_duplicates()[::-1], shares["level"].drop_duplicates()]
    ax = new_axes(ax, size=(10, 2.6 + 0.55 * max(len(table), 2)))
    labels = _labels(table.index)
    places, count = np.arange(len(table)), table.shape[1]
    left = np.zeros(len(table))
    handles = []
    for number, level in enumerate(table):
        colour = BLUES(0.12 + 0.88 * number / max(count - 1, 1))
        width = table[level].to_numpy(dtype=float)
        ax.barh(places, width, left=left, color=colour, height=0.72, edgecolor="white", lw=0.8)
        handles.append(Patch(color=colour, label=escape_label(shorten(level, 16))))
        left += width
    name_rows(ax, labels)
    ax.set_xlim(0, 1)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of the customers (simulated)")
    legend_below(ax, columns=min(count, 5), handles=handles)
    best = dict(zip(table.columns, table.loc[[BEST]].to_numpy(dtype=float)[0], strict=True))
    (first, least), *_, (top, most) = best.items()
    finding(
        ax,
        f"The true optimum leaves {percent(least, 0)} of the customers at {first} and gives "
        f"{percent(most, 0)} {top}",
        width=title_width(ax, labels),
    )
    told = "; ".join(
        f"{plan}: " + ", ".join(f"{level} {percent(one, 0)}" for level, one in row.items())
        for plan, row in table[::-1].to_dict("index").items()
    )
    return describe(ax, f"Share of the customers by level. {told}.")


def _rivals(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["plan"] != BEST]


def _labels(names: pd.Series | pd.Index) -> list[str]:
    return [escape_label(name) for name in short_names(list(names), LONGEST).values()]


def _quoted(name: str) -> str:
    short = shorten(name, LONGEST)
    return short[:1].upper() + short[1:]

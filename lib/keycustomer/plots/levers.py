"""Figures of one budget over several levers: curves, returns, mixes by budget, what mixes brought.

:func:`lever_curves` draws what each lever gains by the money it gets, with today's spending;
:func:`lever_returns` what the first money and the next unit today bring; :func:`budget_mixes` the
best mix from little money to much; :func:`cut_bars` the same cut for all levers beside the best mix
of the same money; :func:`judged_mixes` what mixes brought when all levers were turned together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from keycustomer.plots.audit import axis_label, title_width
from keycustomer.plots.labels import (
    UNDERLAY,
    name_points,
    name_rows,
    names_in_words,
    short_names,
)
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
    palette,
)
from keycustomer.plots.words import made_up

if TYPE_CHECKING:
    from keycustomer.strategy.levers.curves import LeverCurve, LeverCurves
    from keycustomer.strategy.levers.judging import JudgedMixes
    from keycustomer.strategy.levers.mixes import MixesByBudget, ProportionalCut

LONGEST = 22
"""Characters of a lever's name."""

NOTHING = 5e-3
"""Differences of amounts below this are rounding."""

POINTS = 200
"""Points of a curve."""

MOST = 7
"""Levers that colours can tell apart; of more, those with the most money are drawn in colour."""

SHOWN = 1.15
"""Width of the figure of curves, in the largest spending that matters."""

ROOM = 1.16
"""Width of the figure of a cut, in the largest spending, so that amounts find room."""

CLOSE = 0.02
"""Smallest share of a budget that a lever must get to be told in words."""


def lever_curves(result: LeverCurves, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw what levers gain by the money they get, with today's spending on each.

    Parameters
    ----------
    result : LeverCurves
        From `keycustomer.strategy.fit_lever_curves`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency and period, for the axes.
    """
    ax = new_axes(ax, size=(10, 6.8))
    width = _width(result)
    colours = _colours(list(result.levers))
    for lever, curve in result.curves.items():
        _draw_curve(ax, curve, width, colours[lever])
        today = result.today.get(lever, math.nan)
        if today <= curve.tried:
            ax.plot(today, float(curve.gain(today)), "o", ms=12, color="white", mec=colours[lever],
                    mew=3, zorder=5)  # fmt: skip
    top = max(ax.get_ylim()[1], 1e-9)
    ax.plot([0, width], [0, width], color=PALETTE["grey"], ls="--", lw=2)
    ax.set_xlim(0, width)
    ax.set_ylim(min(ax.get_ylim()[0], 0), 1.05 * top)
    number_axis(ax.xaxis)
    number_axis(ax.yaxis)
    ax.set_xlabel(axis_label("spending on the lever", unit))
    ax.set_ylabel(axis_label("gain before that spending", unit))
    legend_below(ax, columns=3, handles=_curve_keys(colours, result))
    frame = result.to_frame()
    finding(ax, made_up(result) + _curves_sentence(frame))
    told = "; ".join(
        f"{row['lever']} tried up to {compact_number(row['tried'])}, pays up to "
        f"{compact_number(row['pays_up_to'])}"
        + ("" if math.isnan(row["today"]) else f", today {compact_number(row['today'])}")
        for row in frame.to_dict("records")
    )
    return describe(ax, f"{made_up(result)}gain of each lever by what is spent on it. {told}.")


def _width(result: LeverCurves) -> float:
    """Show the curves as far as today's and paying spending reach, or to their ends."""
    matters = [curve.spending_at(1.0) for curve in result.curves.values()] + [
        *result.today.values()
    ]
    ends = max(curve.tried for curve in result.curves.values())
    return min(SHOWN * max(matters), ends) if max(matters) > 0 else ends


def _draw_curve(ax: Axes, curve: LeverCurve, width: float, colour: str) -> None:
    x = np.linspace(0, min(curve.tried, width), POINTS)
    ax.plot(x, curve.gain(x), color=colour)
    if len(curve.drawn):
        low, high = np.quantile(curve.drawn_gain(x), [0.025, 0.975], axis=0)
        ax.fill_between(x, low, high, color=colour, alpha=0.15, lw=0)
    means = curve.data.groupby("setting")[["spending", "gain"]].mean()
    inside = means[means["spending"] <= width]
    ax.plot(inside["spending"], inside["gain"], "D", color=colour, ms=6, ls="")
    pays = curve.spending_at(1.0)
    if 0 < pays <= width:
        ax.plot(pays, float(curve.gain(pays)), "o", ms=12, color=colour, zorder=4)


def _curve_keys(colours: dict[str, str], result: LeverCurves) -> list[Line2D]:
    short = short_names(list(colours), LONGEST)
    keys = [
        Line2D([], [], color=colour, label=escape_label(short[lever]))
        for lever, colour in colours.items()
    ]
    black = PALETTE["black"]
    keys.append(Line2D([], [], color=PALETTE["grey"], ls="--", lw=2, label="what is spent"))
    keys.append(Line2D([], [], color=black, marker="o", ms=11, ls="", label="up to here it pays"))
    if result.today:
        keys.append(
            Line2D([], [], color="white", marker="o", mec=black, mew=3, ms=11, ls="", label="today")
        )
    return keys


def _curves_sentence(frame: pd.DataFrame) -> str:
    """Say on which levers the first money comes back, and on which it does not."""
    short = short_names(list(frame["lever"]), LONGEST)
    sure = {
        verdict: [short[lever] for lever in frame.loc[frame["pays"] == verdict, "lever"]]
        for verdict in ("supported", "not supported")
    }
    yes, no = sure["supported"], sure["not supported"]
    if len(yes) == len(frame):
        return "On every lever the first money comes back"
    if not yes:
        return "On no lever is it certain that the first money comes back"
    said = f"The first money comes back on {names_in_words(yes, 4)}"
    return f"{said}, not on {names_in_words(no, 4)}" if no else said


def lever_returns(result: LeverCurves, ax: Axes | None = None) -> Axes:
    """Draw what the first money on each lever brings, and the next unit at today's spending.

    Parameters
    ----------
    result : LeverCurves
        From `keycustomer.strategy.fit_lever_curves`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.to_frame().iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.62 * max(len(frame), 2)))
    labels = [escape_label(name) for name in short_names(list(frame["lever"]), LONGEST).values()]
    looks = (
        ("first_return", "lower", "upper", PALETTE["blue"], "o", "first money", 0.12),
        (
            "return_today", "today_lower", "today_upper", PALETTE["vermilion"], "D",
            "next unit today", -0.12,
        ),
    )  # fmt: skip
    for name, low, high, colour, marker, said, up in looks:
        if frame[name].notna().any():
            places = np.arange(len(frame)) + up
            ax.hlines(places, frame[low], frame[high], color=colour, lw=3)
            ax.plot(frame[name], places, marker, color=colour, ms=10, ls="", label=said)
    ax.axvline(1, color=PALETTE["black"], lw=2)
    name_rows(ax, labels)
    _return_scale(ax, frame)
    ax.set_xlabel("Gained per unit spent (1: it just comes back)")
    legend_below(ax, columns=2)
    said = made_up(result) + _returns_sentence(result.to_frame())
    finding(ax, said, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['lever']} {row['first_return']:.2f}"
        + ("" if math.isnan(row["return_today"]) else f", today {row['return_today']:.2f}")
        for row in frame.iloc[::-1].to_dict("records")
    )
    return describe(
        ax, f"{made_up(result)}gain per unit of the first money, and of the next unit: {told}."
    )


def _return_scale(ax: Axes, frame: pd.DataFrame) -> None:
    """Use a logarithmic axis where all intervals are above 0 and returns differ much."""
    ends = frame[["lower", "upper", "today_lower", "today_upper", "first_return", "return_today"]]
    known = ends.to_numpy(dtype=float)
    known = known[np.isfinite(known)]
    if known.min() > 0.02 and known.max() > 5 * known.min():
        ax.set_xscale("log")
        ticks = [t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if t <= 2 * known.max()]
        ax.set_xticks([t for t in ticks if t >= known.min() / 2])
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())


def _returns_sentence(frame: pd.DataFrame) -> str:
    """Say on which levers a unit more than today does not come back."""
    known = frame[frame["today_upper"].notna()]
    if known.empty:
        return _curves_sentence(frame)
    over = known.loc[known["today_upper"] < 1, "lever"].tolist()
    if not over:
        return "On no lever is it certain that a unit more than today does not come back"
    if len(over) == len(frame):
        return "On no lever does a unit more than today come back"
    short = short_names(list(frame["lever"]), LONGEST)
    told = names_in_words([short[lever] for lever in over], 5)
    return f"A unit more than today does not come back on {told}"


def budget_mixes(result: MixesByBudget, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the best mix by budget, one lever on top of the other.

    Parameters
    ----------
    result : MixesByBudget
        From `keycustomer.strategy.mixes_by_budget`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency and period, for the axes.
    """
    ax = new_axes(ax, size=(10, 6.8))
    wide = result.frame.pivot(index="budget", columns="lever", values="spending")
    wide = wide[list(dict.fromkeys(result.frame["lever"]))]
    colours = _colours(list(wide.columns))
    x = np.concatenate([[0.0], wide.index.to_numpy(dtype=float)])
    heights = np.vstack([np.zeros(wide.shape[1]), wide.to_numpy(dtype=float)]).T
    ax.stackplot(x, heights, colors=[colours[lever] for lever in wide.columns], lw=0)
    ax.plot([0, x[-1]], [0, x[-1]], color=PALETTE["black"], ls="--", lw=2)
    ax.set_xlim(0, x[-1])
    ax.set_ylim(0, x[-1])
    _mark_budgets(ax, result)
    number_axis(ax.xaxis)
    number_axis(ax.yaxis)
    ax.set_xlabel(axis_label("money there is", unit))
    ax.set_ylabel(axis_label("spent, by lever", unit))
    short = short_names(list(wide.columns), LONGEST)
    keys: list[Line2D | Patch] = [
        Patch(color=colours[lever], label=escape_label(short[lever])) for lever in wide.columns
    ]
    keys.append(Line2D([], [], color=PALETTE["black"], ls="--", lw=2, label="all of it"))
    legend_below(ax, columns=3, handles=keys)
    finding(ax, made_up(result) + _mixes_sentence(result, wide))
    last = wide.iloc[-1]
    told = ", ".join(f"{lever} {compact_number(spent)}" for lever, spent in last.items())
    return describe(
        ax,
        f"{made_up(result)}best mix by budget. At {compact_number(float(x[-1]))}: {told}. Beyond "
        f"{compact_number(result.enough)} no unit comes back.",
    )


def _mark_budgets(ax: Axes, result: MixesByBudget) -> None:
    """Mark today's money and the money beyond which nothing pays."""
    right = ax.get_xlim()[1]
    for place, said, height in (
        (result.today, "today's money", 0.97),
        (result.enough, "enough", 0.87),
    ):
        if not 0 < place < right:
            continue
        ax.axvline(place, color=PALETTE["grey"], lw=2, ls=":")
        left = place > right / 2
        ax.annotate(
            f"{said} {compact_number(place)}",
            (place, height),
            xycoords=("data", "axes fraction"),
            xytext=(-8 if left else 8, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            fontsize=14,
            bbox=UNDERLAY,
        )


def _mixes_sentence(result: MixesByBudget, wide: pd.DataFrame) -> str:
    first = wide.iloc[0]
    short = short_names(list(wide.columns), LONGEST)
    some = first[first > CLOSE * first.sum()].sort_values(ascending=False).index
    told = names_in_words([short[lever] for lever in some], 4)
    if result.spend_all:
        most = short[wide.iloc[-1].idxmax()]
        return f"The first money goes to {told}, most of much money to {most}"
    return f"Money goes to {told}; beyond {compact_number(result.enough)} no unit comes back"


def cut_bars(result: ProportionalCut, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw today's spending, the same cut for all levers and the best mix of the same money.

    Parameters
    ----------
    result : ProportionalCut
        From `keycustomer.strategy.proportional_cut`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency and period, for the axis.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.85 * max(len(frame), 2)))
    labels = [escape_label(name) for name in short_names(list(frame["lever"]), LONGEST).values()]
    looks = (
        ("proportional", PALETTE["sky"], 0.19, "same share for all"),
        ("best", PALETTE["blue"], -0.19, "best mix of the same money"),
    )
    ends = frame[["today", "proportional", "best"]].to_numpy(dtype=float)
    right = ROOM * max(float(ends.max()), 1e-9)
    for name, colour, up, said in looks:
        rows = np.arange(len(frame)) + up
        ax.barh(rows, frame[name], height=0.36, color=colour, label=said)
        _write_amounts(ax, rows, frame[name], frame["today"], right)
    rows = np.arange(len(frame)).astype(float)
    ax.vlines(frame["today"], rows - 0.4, rows + 0.4, color=PALETTE["black"], lw=3, label="today")
    name_rows(ax, labels)
    ax.set_xlim(0, right)
    number_axis(ax.xaxis)
    ax.set_xlabel(axis_label("spending", unit))
    legend_below(ax, columns=3)
    more = f"{100 * (1 - result.cut):.0f} % of today's money"
    apart = result.difference.estimate
    gains = f"gains {_amount(apart)} more than" if apart > NOTHING else "is no better than"
    said = f"With {more} the best mix {gains} the same share for all, on paper"
    finding(ax, made_up(result) + said, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['lever']} {compact_number(row['proportional'])} or {compact_number(row['best'])}"
        for row in frame.iloc[::-1].to_dict("records")
    )
    return describe(ax, f"{made_up(result)}same share for all, or best mix: {told}.")


def _write_amounts(
    ax: Axes, rows: np.ndarray, spent: pd.Series, today: pd.Series, right: float
) -> None:
    """Write amounts after their bars, behind the mark of today where it would cross them."""
    for row, amount, mark in zip(rows, spent, today, strict=True):
        place = mark if amount < mark + 0.01 * right and mark < amount + 0.1 * right else amount
        ax.annotate(
            compact_number(round(amount, 1)),
            (place, row),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=13,
        )


def judged_mixes(result: JudgedMixes, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the profit of best and proportional mixes by the money they may spend.

    Parameters
    ----------
    result : JudgedMixes
        From `keycustomer.strategy.judge_mixes`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency and period, for the axis.
    """
    frame = result.to_frame()
    ax = new_axes(ax, size=(10, 7))
    looks = (
        ("best mix", PALETTE["blue"], "o"),
        ("proportional", PALETTE["vermilion"], "D"),
    )
    for plan, colour, marker in looks:
        rows = frame[frame["plan"] == plan]
        ax.plot(rows["share"], rows["profit"], marker=marker, color=colour, ms=11, label=plan)
        ax.plot(rows["share"], rows["promised"], marker=marker, color=colour, ms=7, ls=":", lw=2,
                mfc="white", mew=2)  # fmt: skip
    _write_gains(ax, frame[frame["plan"] == "best mix"])
    free = frame[frame["share"].isna()]
    shares = frame["share"].dropna()
    ax.set_xlim(shares.min() - 0.12, shares.max() + 0.42)
    for profit in free["profit"]:
        ax.axhline(profit, color=PALETTE["grey"], lw=1.5, ls="--", zorder=0)
    right = ax.get_xlim()[1]
    name_points(ax, [right - 0.32] * len(free), free["profit"], list(free["plan"]), fontsize=14)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    ax.set_xticks(sorted(shares.unique()))
    number_axis(ax.yaxis)
    ax.set_xlabel("Money to spend, share of today's (simulated)")
    ax.set_ylabel(axis_label("profit an account and year", unit))
    handles, _ = ax.get_legend_handles_labels()
    handles.append(Line2D([], [], color=PALETTE["black"], ls=":", lw=2, label="promised on paper"))
    legend_below(ax, columns=3, handles=handles)
    finding(ax, made_up(result) + _judged_sentence(result))
    return describe(ax, result.sentence)


def _write_gains(ax: Axes, rows: pd.DataFrame) -> None:
    """Write beside the best mix what it brings more than the proportional one."""
    for share, profit, gain in zip(rows["share"], rows["profit"], rows["gain"], strict=True):
        ax.annotate(
            f"{gain:+,.0f}".replace("-", "\N{MINUS SIGN}"),
            (share, profit),
            xytext=(-9, -9),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=14,
            color=PALETTE["blue"],
        )


def _judged_sentence(result: JudgedMixes) -> str:
    gain = result.gain
    if result.verdict == "supported":
        more = _amount(gain.estimate)
        return f"The best mix of 80 % of the money brings {more} more than equal cuts"
    if result.verdict == "not supported":
        return "The best mix of 80 % of the money brings no more than equal cuts"
    return "Whether the best mix of 80 % of the money beats equal cuts is undecided"


def _colours(levers: list[str]) -> dict[str, str]:
    """One colour a lever; those beyond what can be told apart are grey."""
    some = palette(min(len(levers), MOST - 1))
    grey = [PALETTE["grey"]] * (len(levers) - len(some))
    return dict(zip(levers, [*some, *grey], strict=True))


def _amount(value: float) -> str:
    """Write an amount as a reader of a report would."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.3g}"

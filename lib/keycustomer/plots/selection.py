"""Figures of the selection of relationship levels under a budget.

What does money for relationships bring, and what do rules of thumb make of it?
:func:`budget_curve` draws the gain of the best plan by budget with rival plans below it,
:func:`shadow_price_curve` what one more unit of money buys, :func:`plan_bars` the share of the
attainable gain each plan has, :func:`levels_by_value` who gets which level, and
:func:`promise_bars` what plans promised beside what they deliver.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from keycustomer.plots.audit import BLUES, axis_label, counted, title_width
from keycustomer.plots.labels import UNDERLAY, name_rows, short_names, shorten
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
    percent,
    percent_axis,
)
from keycustomer.plots.words import capital

if TYPE_CHECKING:
    from keycustomer.relationships.selection.attained import ComparedPlans
    from keycustomer.relationships.selection.budgets import BudgetCurve
    from keycustomer.relationships.selection.plans import LevelPlan
    from keycustomer.relationships.selection.promises import PromisedDelivered

SHOWN_GAIN = 0.99
"""The budget axis ends where this part of all there is to gain is reached, or a little later."""

FEW_SIZES = 10
"""Groups of customers by value."""

LONGEST = 30
"""Characters of the name of a plan."""

MOST_LINES = 6
"""Rivals up to which each has a colour of its own."""

BEST_PLAN = "best plan"
"""Name of the best plan in a table of plans."""


def budget_curve(
    result: BudgetCurve,
    ax: Axes | None = None,
    *,
    budget: float | None = None,
    rivals: pd.DataFrame | None = None,
    unit: str = "",
) -> Axes:
    """Draw the gain of the best plan by budget, with rival plans below it.

    Parameters
    ----------
    result : BudgetCurve
        From `keycustomer.relationships.budget_curve`.
    ax : Axes, optional
        Axes to draw into.
    budget : float, optional
        Budget that is marked; left out, the one of most value less cost.
    rivals : DataFrame, optional
        Rival plans by budget, from `keycustomer.relationships.compare_over_budgets`.
    unit : str
        Currency, for the axes.
    """
    ax = new_axes(ax, size=(10, 6.6))
    zero = result.alternatives.zero_value
    marked = result.best_budget if budget is None else float(budget)
    budgets = _shown_budgets(result, marked, rivals)
    ax.plot(budgets, result.bound(budgets) - zero, color=PALETTE["blue"], label=BEST_PLAN, zorder=3)
    told = _draw_rivals(ax, rivals)
    gain, price = float(result.bound(marked)) - zero, float(result.shadow_price(marked))
    if math.isfinite(gain):
        _mark_budget(ax, marked, gain, price)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.12 * (high - low))
    if budgets[0] <= result.best_budget <= budgets[-1]:
        _mark_best_budget(ax, result.best_budget, budgets)
    for axis in (ax.xaxis, ax.yaxis):
        number_axis(axis)
    ax.set_xlabel(axis_label("budget", unit))
    ax.set_ylabel(axis_label("gain over the zero level", unit))
    legend_below(ax, columns=2)
    finding(ax, _curve_sentence(marked, price, rivals))
    return describe(
        ax,
        f"Gain of the best plan by budget, from {_amount(result.spent[0])} to "
        f"{_amount(result.spent[-1])}; at {_amount(marked)} it gains {_amount(gain)} and one more "
        f"unit of money buys {price:.3g}. Above {_amount(result.best_budget)} money brings less "
        f"than it costs. {told}",
    )


def _shown_budgets(result: BudgetCurve, marked: float, rivals: pd.DataFrame | None) -> np.ndarray:
    """Budgets along the axis: up to where little more is gained, and all that is marked."""
    first, last = float(result.spent[0]), float(result.spent[-1])
    gain = result.value - result.value[0]
    enough = int(np.searchsorted(gain, SHOWN_GAIN * gain[-1]))
    ends = [float(result.spent[min(enough, len(gain) - 1)]), marked + 0.1 * (marked - first)]
    if rivals is not None:
        ends.append(float(rivals["budget"].max()))
    end = min(max(ends), max(last, marked)) if last > first else first + 1
    inside = result.frame["budget"].to_numpy()
    grid = np.linspace(first, max(end, first), 200)
    return np.unique(np.concatenate([grid, inside[inside <= end]]))


def _draw_rivals(ax: Axes, rivals: pd.DataFrame | None) -> str:
    """Draw a line a rival; tell their shares at the largest budget."""
    if rivals is None:
        return ""
    names = [name for name in rivals["plan"].unique() if name != BEST_PLAN]
    labels = short_names(names, LONGEST) if names else {}
    colours = palette()[1:] if len(names) <= MOST_LINES else [PALETTE["grey"]] * len(names)
    said = []
    for name, colour, style in zip(names, colours, _styles(len(names)), strict=False):
        own = rivals[rivals["plan"] == name].sort_values("budget")
        ax.plot(
            own["budget"],
            own["gain"],
            color=colour,
            ls=style,
            lw=2.2,
            marker="o",
            markersize=4,
            label=escape_label(labels[name]),
        )
        share = float(own["attainable_gain_share"].iloc[-1])
        if math.isfinite(share):
            said.append(f"{name} {percent(share, 0)}")
    if not said:
        return ""
    last = _amount(rivals["budget"].max())
    return f"Share of the attainable gain at a budget of {last}: {'; '.join(said)}."


def _styles(count: int) -> list[Any]:
    """Line styles, so that lines differ without colours too."""
    return [("--", "-.", ":", (0, (5, 1)), (0, (1, 1)))[n % 5] for n in range(count)]


def _mark_budget(ax: Axes, budget: float, gain: float, price: float) -> None:
    ax.plot([budget], [gain], "o", color=PALETTE["black"], markersize=11, zorder=4)
    ax.annotate(
        f"one more buys {price:.2g}",
        (budget, gain),
        (12, -20),
        textcoords="offset points",
        fontsize=14,
        bbox=UNDERLAY,
        zorder=4,
    )


def _mark_best_budget(ax: Axes, budget: float, budgets: np.ndarray) -> None:
    ax.axvline(budget, color=PALETTE["grey"], lw=1.5, ls="--", zorder=1)
    right = budget > (budgets[0] + budgets[-1]) / 2
    ax.annotate(
        "more money brings\nless than it costs",
        (budget, 0.99),
        (-6 if right else 6, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="right" if right else "left",
        va="top",
        fontsize=13,
        color=PALETTE["grey"],
        bbox=UNDERLAY,
    )


def _curve_sentence(budget: float, price: float, rivals: pd.DataFrame | None) -> str:
    if not math.isfinite(price):
        return f"A budget of {_amount(budget)} does not reach for the cheapest level of everybody"
    if price == 0:
        return f"At a budget of {_amount(budget)} more money gains nothing"
    rule = _best_rival(budget, rivals)
    return rule or f"At a budget of {_amount(budget)} one more unit of money buys {price:.2g}"


def _best_rival(budget: float, rivals: pd.DataFrame | None) -> str:
    """Name the best rival at the budget nearest to the one marked, where there is one."""
    if rivals is None:
        return ""
    own = rivals[(rivals["plan"] != BEST_PLAN) & rivals["attainable_gain_share"].notna()]
    own = own[own["within_budget"].astype(bool)]
    if own.empty:
        return ""
    distance = (own["budget"] - budget).abs()
    best = own[distance == distance.min()].nlargest(1, "attainable_gain_share").iloc[0]
    return (
        f"At a budget of {_amount(best['budget'])} the best rule of thumb attains "
        f"{percent(best['attainable_gain_share'], 0)} of the gain there is"
    )


def shadow_price_curve(
    result: BudgetCurve, ax: Axes | None = None, *, budget: float | None = None, unit: str = ""
) -> Axes:
    """Draw what one more unit of money buys, by budget.

    Parameters
    ----------
    result : BudgetCurve
        From `keycustomer.relationships.budget_curve`.
    ax : Axes, optional
        Axes to draw into.
    budget : float, optional
        Budget that is marked.
    unit : str
        Currency, for the axis.
    """
    ax = new_axes(ax)
    marked = result.best_budget if budget is None else float(budget)
    budgets = _shown_budgets(result, marked, None)
    prices = np.asarray(result.shadow_price(budgets))
    above = prices > 0
    ax.step(budgets[above], prices[above], where="post", color=PALETTE["blue"])
    if above.any():
        ax.set_yscale("log")
    number_axis(ax.yaxis)
    number_axis(ax.xaxis)
    ax.axhline(1, color=PALETTE["grey"], lw=1.5, ls="--")
    ax.annotate(
        "1: money brings what it costs",
        (0.99, 1),
        (0, 5),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        fontsize=13,
        color=PALETTE["grey"],
        bbox=UNDERLAY,
    )
    price = float(result.shadow_price(marked))
    if budget is not None and price > 0:
        ax.plot([marked], [price], "o", color=PALETTE["black"], markersize=11)
    ax.set_xlabel(axis_label("budget", unit))
    ax.set_ylabel("Value of one more unit\nof money")
    best, first = result.best_budget, float(result.spent[0])
    sentence = (
        f"Up to a budget of {_amount(best)} money for relationships brings more than it costs"
    )
    if best <= first:
        sentence = "No level above the cheapest brings more than it costs"
    finding(ax, sentence)
    return describe(
        ax,
        f"Shadow price, the value of one more unit of money, by budget: "
        f"{float(result.shadow_price(first)):.3g} at {_amount(first)}, below 1 from "
        f"{_amount(best)} on, {price:.3g} at {_amount(marked)}.",
    )


def plan_bars(result: ComparedPlans, ax: Axes | None = None) -> Axes:
    """Draw the share of the attainable gain that each plan has.

    Parameters
    ----------
    result : ComparedPlans
        From `keycustomer.relationships.compare_plans`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame[result.frame["plan"] != BEST_PLAN]
    frame = frame.sort_values("attainable_gain_share", kind="stable", na_position="first")
    names = list(frame["plan"])
    ax = new_axes(ax, size=(10, 2.6 + 0.55 * max(len(names), 2)))
    shares = frame["attainable_gain_share"].fillna(0.0).to_numpy()
    within = frame["within_budget"].to_numpy(bool)
    places = np.arange(len(names))
    colours = np.where(within, PALETTE["blue"], PALETTE["orange"])
    ax.barh(places, shares, color=list(colours), height=0.62)
    labels = [escape_label(name) for name in short_names(names, LONGEST).values()]
    name_rows(ax, labels)
    for place, share, fits in zip(places.tolist(), shares.tolist(), within, strict=True):
        _write_share(ax, place, share, "" if fits else ", over budget")
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    ax.axvline(1, color=PALETTE["black"], lw=2)
    ax.set_xlim(min(0, 1.25 * shares.min(initial=0)), max(1.02, 1.5 * shares.max(initial=0)))
    ax.xaxis.set_major_locator(MaxNLocator(6))
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of what the best plan gains over the zero level")
    finding(ax, _bars_sentence(frame), width=title_width(ax, labels))
    told = "; ".join(
        f"{name} {percent(share)}" for name, share in zip(names[::-1], shares[::-1], strict=True)
    )
    return describe(
        ax,
        f"Share of the attainable gain under a budget of {_amount(result.best.budget)} for "
        f"{counted(len(result.best.levels), 'customer')}: {told or 'no plan'}.",
    )


def _write_share(ax: Axes, place: float, share: float, more: str = "") -> None:
    ax.annotate(
        percent(share, 0) + more,
        (max(share, 0), place),
        (7, 0),
        textcoords="offset points",
        va="center",
        fontsize=14,
        bbox=UNDERLAY,
    )


def _bars_sentence(frame: pd.DataFrame) -> str:
    """Name the best rival that keeps to the budget, and the worst."""
    known = frame[frame["within_budget"] & frame["attainable_gain_share"].notna()]
    if known.empty:
        return "No rival keeps to the budget and gains anything"
    best, worst = known.iloc[-1], known.iloc[0]
    said = f"{_quoted(best['plan'])} attains {percent(best['attainable_gain_share'], 0)}"
    if len(known) == 1:
        return f"{said} of the gain there is"
    return (
        f"{said} of the gain there is, the worst rule {percent(worst['attainable_gain_share'], 0)}"
    )


def _quoted(name: object) -> str:
    return f"“{shorten(name, LONGEST)}”"


def levels_by_value(
    result: LevelPlan,
    ax: Axes | None = None,
    *,
    by: Any = None,
    groups: int = FEW_SIZES,
    what: str = "value at the zero level",
) -> Axes:
    """Draw which levels customers have, from those of least value to those of most.

    Parameters
    ----------
    result : LevelPlan
        From `keycustomer.relationships.select_levels` or a rival plan.
    ax : Axes, optional
        Axes to draw into.
    by : Series by customer, or array of shape (n,), optional
        What customers are sorted by; left out, their value at the zero level.
    groups : int
        Groups of as many customers each.
    what : str
        What they are sorted by, in words.
    """
    ax = new_axes(ax, size=(10, 6.6))
    shares = _shares_by_group(result, by, groups)
    places = np.arange(len(shares)) + 1
    levels = result.alternatives.levels
    colours = [BLUES(0.12 + 0.88 * n / max(len(levels) - 1, 1)) for n in range(len(levels))]
    below = np.zeros(len(shares))
    for column, colour in zip(shares.T, colours, strict=True):
        ax.bar(places, column, bottom=below, color=colour, width=0.86, edgecolor="white", lw=0.8)
        below += column
    ax.set_xticks(places)
    ax.grid(visible=False, axis="x")
    ax.set_ylim(0, 1)
    percent_axis(ax.yaxis)
    ax.set_ylabel("Share of customers")
    size = "equal numbers of customers" if len(shares) > 1 else "all customers"
    ax.set_xlabel(f"{capital(escape_label(what))}: {size}, least to most")
    names = [escape_label(shorten(level, 16)) for level in levels]
    handles = [Patch(color=c, label=name) for c, name in zip(colours, names, strict=True)]
    legend_below(ax, columns=min(len(levels), 5), handles=handles)
    top = _above_zero(shares[-1])
    finding(
        ax,
        f"Of the customers of most value {percent(top, 0)} are above the zero level, of those of "
        f"least {percent(_above_zero(shares[0]), 0)}",
    )
    counts = np.bincount(result.levels, minlength=len(levels))
    told = ", ".join(f"{level} {count:,}" for level, count in zip(levels, counts, strict=True))
    return describe(
        ax, f"Levels of {counted(len(result.levels), 'customer')} by {what}: {told} customers."
    )


def _shares_by_group(result: LevelPlan, by: Any, groups: int) -> np.ndarray:
    """Share of customers at each level, a row a group from least to most."""
    if by is None:
        values = result.alternatives.value[:, 0]
    elif isinstance(by, pd.Series):
        values = by.reindex(result.alternatives.customers).to_numpy(float)
    else:
        values = np.asarray(by, dtype=float)
    order = np.argsort(values, kind="stable")
    count = len(result.alternatives.levels)
    parts = np.array_split(result.levels[order], min(groups, len(order)))
    return np.array([np.bincount(part, minlength=count) / len(part) for part in parts])


def _above_zero(shares: np.ndarray) -> float:
    return float(1 - shares[0])


def promise_bars(
    result: PromisedDelivered, ax: Axes | None = None, *, unit: str = "", judged_by: str = "truth"
) -> Axes:
    """Draw what plans promised beside what they deliver.

    Parameters
    ----------
    result : PromisedDelivered
        From `keycustomer.relationships.promised_delivered`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis.
    judged_by : str
        What delivered gains are measured by, in words.
    """
    frame = result.frame.iloc[::-1]
    names = list(frame["plan"])
    ax = new_axes(ax, size=(10, 3 + 0.75 * max(len(names), 2)))
    places = np.arange(len(names))
    for column, offset, colour in (
        ("promised", 0.19, PALETTE["light grey"]),
        ("delivered", -0.19, PALETTE["blue"]),
    ):
        amounts = frame[column].to_numpy()
        ax.barh(places + offset, amounts, height=0.36, color=colour)
        for place, amount in zip(places + offset, amounts, strict=True):
            ax.annotate(
                _amount(amount),
                (max(amount, 0), place),
                (6, 0),
                textcoords="offset points",
                va="center",
                fontsize=13,
                bbox=UNDERLAY,
            )
    labels = [escape_label(name) for name in short_names(names, LONGEST).values()]
    name_rows(ax, labels)
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    if result.best.gain > 0:
        # behind bars and amounts, which it may pass
        ax.axvline(result.best.gain, color=PALETTE["black"], lw=2, zorder=0.8)
    ax.margins(x=0.16)
    number_axis(ax.xaxis)
    ax.set_xlabel(axis_label("gain over the zero level", unit))
    handles = [
        Patch(color=PALETTE["light grey"], label="promised by the estimates"),
        Patch(color=PALETTE["blue"], label=f"delivered, by the {escape_label(judged_by, 24)}"),
        Line2D([], [], color=PALETTE["black"], lw=2, label="best plan there is"),
    ]
    legend_below(ax, columns=2, handles=handles)
    finding(ax, _promise_sentence(result.frame), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['plan']} promised {_amount(row['promised'])}, delivers {_amount(row['delivered'])}"
        for row in result.frame.to_dict("records")
    )
    return describe(
        ax,
        f"Promised and delivered gains: {told}. The best plan gains {_amount(result.best.gain)}.",
    )


def _promise_sentence(frame: pd.DataFrame) -> str:
    known = frame[frame["kept"].notna()]
    if known.empty:
        return "No plan promises a gain"
    first = known.iloc[0]
    plan = _quoted(first["plan"])
    if first["kept"] >= 1:
        return f"{plan} delivers all it promised"
    if first["kept"] <= 0:
        return f"{plan} delivers nothing of what it promised"
    return f"{plan} delivers {percent(first['kept'], 0)} of the gain it promised"


def _amount(value: float) -> str:
    return compact_number(float(value))

"""Figures of discounts for accounts at risk: what plans truly gain, and who gets a discount.

:func:`discount_gain_bars` draws the true gain of every plan over simulated companies beside what it
promised, :func:`discounts_by_risk` which share of the customers gets a discount, from those least
at risk to those most at risk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from keycustomer.plots.audit import title_width
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

if TYPE_CHECKING:
    from keycustomer.pricing.discounts.allocation import DiscountPlan
    from keycustomer.pricing.discounts.judged import JudgedDiscounts

LONGEST = 28
"""Characters of the name of a plan."""

FIFTHS = 5
"""Groups of customers by risk."""

MOST_PLANS = 5
"""Plans that can be told apart beside each other."""


def discount_gain_bars(result: JudgedDiscounts, ax: Axes | None = None) -> Axes:
    """Draw what every plan truly gains over simulated companies, and what it promised.

    Parameters
    ----------
    result : JudgedDiscounts
        From `keycustomer.pricing.judge_discounts`.
    ax : Axes, optional
        Axes to draw into.
    """
    rows = result.to_frame().iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.9 + 0.6 * max(len(rows), 2)))
    names = short_names(rows["plan"].tolist(), LONGEST)
    labels = [escape_label(names[plan]) for plan in rows["plan"]]
    places = np.arange(len(rows))
    gain = rows["gain"].to_numpy(dtype=float)
    ax.barh(places, gain, color=PALETTE["blue"], height=0.6)
    lower, upper = (rows[name].fillna(rows["gain"]).to_numpy() for name in ("lower", "upper"))
    ax.hlines(places, lower, upper, color=PALETTE["black"], lw=4)
    promised = rows["promised"].to_numpy(dtype=float)
    ax.plot(promised, places, "D", color="white", mec=PALETTE["vermilion"], mew=3, ms=11, ls="")
    name_rows(ax, labels)
    ends = np.nan_to_num(np.array([upper, promised, gain, np.zeros(len(rows))]))
    high, low = max(float(ends.max()), 1e-9), float(min(lower.min(), 0.0))
    ax.set_xlim(1.1 * low, 1.42 * high)
    for place, row in enumerate(rows.to_dict("records")):
        text = f"{compact_number(row['gain'])} for {compact_number(row['spent'])}"
        _note(ax, float(ends[:, place].max()), place, text)
    ax.axvline(0, color=PALETTE["grey"], lw=1)
    number_axis(ax.xaxis)
    ax.set_xlabel("Gain for discount handed out, EUR a customer and year (simulated)")
    legend_below(ax, columns=3, handles=_keys())
    finding(ax, _gain_finding(result), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['plan']} gains {row['gain']:,.0f} for {row['spent']:,.0f} handed out"
        for row in rows[::-1].to_dict("records")
    )
    return describe(
        ax,
        f"Simulated: {result.companies} companies, true gain against no discount by plan, EUR a "
        f"customer and year: {told}.",
    )


def _gain_finding(result: JudgedDiscounts) -> str:
    gap, verdict = result.gap(), result.verdict()
    if verdict == "supported":
        return "Discounts by uplift x value gain more than discounts for those most at risk"
    if verdict == "not supported":
        return "Discounts by uplift x value gain no more than discounts for those most at risk"
    more = "more" if gap.estimate > 0 else "less"
    return (
        f"Discounts by uplift x value gain {more} on average than discounts for those most at "
        f"risk, not surely in {result.companies} companies"
    )


def _keys() -> list[Patch | Line2D]:
    promise = Line2D([], [], color="white", marker="D", ms=11, ls="", label="promised")
    promise.set(markeredgecolor=PALETTE["vermilion"], markeredgewidth=3)
    mean = Patch(color=PALETTE["blue"], label="true gain")
    interval = Line2D([], [], color=PALETTE["black"], lw=4, label="95 % interval")
    return [mean, interval, promise]


def _note(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(
        text,
        (x, y),
        (14, 0),
        textcoords="offset points",
        va="center",
        fontsize=14,
        bbox=UNDERLAY,
    )


def discounts_by_risk(plans: Mapping[str, DiscountPlan], ax: Axes | None = None) -> Axes:
    """Draw which share of the customers gets a discount, by their risk of leaving.

    Parameters
    ----------
    plans : mapping of str to DiscountPlan
        From `keycustomer.pricing.discount_plans`, of the same customers; at most five, and those
        that discount nobody are left out.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When no plan discounts anybody, there are too many, or no risks are known.
    """
    shown = {name: plan for name, plan in plans.items() if plan.discounted}
    if not 0 < len(shown) <= MOST_PLANS:
        raise ValueError(
            f"plans: {len(shown)} of them discount anybody; 1 to {MOST_PLANS} can be drawn"
        )
    risk = next(iter(shown.values())).options.risk
    if np.isnan(risk).any():
        raise ValueError("plans: the options tell no risk for some customers; give them risks")
    ax = new_axes(ax)
    groups = np.array_split(np.argsort(risk, kind="stable"), min(FIFTHS, len(risk)))
    shares = {name: [float((p.codes[g] > 0).mean()) for g in groups] for name, p in shown.items()}
    width = 0.8 / len(shown)
    names = short_names(list(shown), LONGEST)
    for k, (name, colour) in enumerate(zip(shown, palette(len(shown)), strict=True)):
        places = np.arange(len(groups)) + (k - (len(shown) - 1) / 2) * width
        ax.bar(places, shares[name], 0.92 * width, color=colour, label=escape_label(names[name]))
    ax.set_xticks(np.arange(len(groups)), [f"{risk[g].mean():.0%}" for g in groups])
    ax.set_xlabel("Mean chance to leave within the horizon, from the safest to the most at risk")
    ax.set_ylabel("Customers with a discount")
    ax.set_ylim(0, max(1.1 * max(map(max, shares.values())), 0.01))
    percent_axis(ax.yaxis)
    legend_below(ax, columns=2 if len(shown) > 1 else 1)
    first = next(iter(shown))
    finding(
        ax,
        f"“{shorten(first, LONGEST)}” gives a discount to {percent(shares[first][-1], 0)} of those "
        f"most at risk and to {percent(shares[first][0], 0)} of the safest",
    )
    told = "; ".join(
        f"{name}: {', '.join(percent(one, 0) for one in values)}" for name, values in shares.items()
    )
    return describe(
        ax,
        f"Share of {len(risk):,} customers with a discount by group of risk, the safest first: "
        f"{told}.",
    )

"""Figures of the equivalent discount: which discount keeps as many customers as more service.

:func:`equivalent_curve` draws what discounts keep in the simulated company with what one level more
keeps; :func:`equivalent_costs` what a step of the level and its equivalent discount cost, level by
level; :func:`equivalent_dots` estimates with intervals beside the truth, company by company.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from keycustomer.plots.labels import UNDERLAY
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
    percent,
    percent_axis,
)

if TYPE_CHECKING:
    import pandas as pd

    from keycustomer.pricing.discounts.equivalent import EquivalentDiscount
    from keycustomer.pricing.discounts.true_equivalent import (
        EquivalentOverCompanies,
        TrueEquivalent,
    )

DEEPEST = 0.30
"""Discounts beyond this are drawn at the edge: an interval may have no upper end."""

FINE = 0.05
"""Axes that end below this discount tell decimals."""


def equivalent_curve(result: TrueEquivalent, ax: Axes | None = None) -> Axes:
    """Draw what discounts keep, and where they keep as many as one level more.

    Parameters
    ----------
    result : TrueEquivalent
        From `keycustomer.pricing.true_equivalent_discount`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    curve, gain = result.curve, float(result.frame["retention_gain"].iloc[0])
    ax.plot(curve["discount"], curve["retention_gain"], "o-", color=PALETTE["vermilion"], ms=9)
    ax.axhline(gain, color=PALETTE["blue"])
    end = float(curve["discount"].max())
    _label(ax, end, gain, "one level more", PALETTE["blue"])
    last = float(curve["retention_gain"].iloc[-1])
    _label(ax, end, last, "more discount", PALETTE["vermilion"])
    ax.set_xlim(0, 1.02 * end)
    ax.set_ylim(min(0.0, 1.1 * gain), 1.15 * max(last, gain, 1e-6))
    ax.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    percent_axis(ax.xaxis, digits=0 if end >= FINE else 2)
    percent_axis(ax.yaxis, digits=1)
    ax.set_xlabel("Discount on top of today's, share of the list price (simulated)")
    ax.set_ylabel(f"More still there\nafter {result.horizon} months")
    found = result.discount
    if np.isfinite(found):
        ax.plot([found, found], [0, gain], color=PALETTE["black"], lw=2, ls="--")
        ax.plot(found, gain, "D", color=PALETTE["black"], ms=11)
        said = f"One level more keeps as many customers as {percent(found)} of discount"
    else:
        said = "No discount tried keeps as many customers as one level more"
    finding(ax, said)
    return describe(
        ax,
        f"Simulated truth: one level more keeps {percent(gain, 2)} more customers over "
        f"{result.horizon} months; discounts of up to {percent(end, 0)} keep up to "
        f"{percent(last, 2)} more. {said}.",
    )


def _label(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    ax.annotate(
        text,
        (x, y),
        (-8, 9),
        textcoords="offset points",
        ha="right",
        color=colour,
        fontsize=15,
        fontweight="bold",
        bbox=UNDERLAY,
    )


def equivalent_costs(result: EquivalentDiscount, ax: Axes | None = None) -> Axes:
    """Draw what each step of the level costs beside the discount that keeps as many.

    Parameters
    ----------
    result : EquivalentDiscount
        From `keycustomer.pricing.equivalent_discount`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    rows = result.by_level
    places, width = np.arange(len(rows)), 0.38
    level, given = (rows[name].to_numpy(dtype=float) for name in ("level_cost", "discount_cost"))
    ax.bar(places - width / 2, level, width, color=PALETTE["blue"], label="one level more")
    known = np.nan_to_num(given)
    ax.bar(places + width / 2, known, width, color=PALETTE["vermilion"], label="equal discount")
    for place, one, other in zip(places, level, given, strict=True):
        _amount(ax, place - width / 2, one)
        _amount(ax, place + width / 2, other)
    steps = zip(rows["level"], rows["to"], strict=True)
    ax.set_xticks(places, [f"{escape_label(one)}\nto {escape_label(to)}" for one, to in steps])
    number_axis(ax.yaxis)
    ax.set_ylim(0, 1.3 * max(float(level.max()), float(known.max()), 1e-9))
    mark = ", simulated" if result.simulated else ""
    ax.set_xlabel("Step of the relationship level, its contacts included")
    ax.set_ylabel(f"{escape_label(result.currency)} a customer\nand year{mark}")
    ax.legend(loc="upper left")
    said = _cost_finding(rows)
    finding(ax, said)
    told = "; ".join(
        f"{name} {one:,.0f} against {f'{other:,.0f}' if np.isfinite(other) else 'no discount'}"
        for name, one, other in zip(rows["level"], level, given, strict=True)
    )
    return describe(
        ax,
        f"Cost of one level more, from each level, against the equivalent discount, a customer "
        f"and year: {told}.",
    )


def _amount(ax: Axes, x: float, value: float) -> None:
    known = bool(np.isfinite(value))
    ax.annotate(
        compact_number(value) if known else "none does",
        (x, value if known else 0.0),
        (0, 4),
        textcoords="offset points",
        ha="center",
        fontsize=14,
        rotation=0 if known else 90,
    )


def _cost_finding(rows: pd.DataFrame) -> str:
    known = rows[rows["saving"].notna()]
    if known.empty:
        return "No discount keeps as many customers as one level more, in this estimate"
    cheaper = known[known["saving"] > 0]
    if len(cheaper) == len(known):
        return "Every step of service costs less than the discount that keeps as many"
    if cheaper.empty:
        return "The discount costs less than any step of service that keeps as many"
    steps = " and ".join(f"from {row.level}" for row in cheaper.itertuples())
    return f"Service costs less than the equal discount on the steps {steps} only"


def equivalent_dots(result: EquivalentOverCompanies, ax: Axes | None = None) -> Axes:
    """Draw estimated equivalent discounts with their intervals, company by company, and the truth.

    Parameters
    ----------
    result : EquivalentOverCompanies
        From `keycustomer.pricing.equivalent_over_companies`.
    ax : Axes, optional
        Axes to draw into.
    """
    methods = list(result.frame["method"].drop_duplicates())
    ax = new_axes(ax, size=(10, 3.4 + 0.18 * len(result.frame)))
    colours = dict(zip(methods, (PALETTE["blue"], PALETTE["vermilion"]), strict=False))
    companies = list(result.frame["company"].drop_duplicates())
    for row in result.frame.to_dict("records"):
        place = companies.index(row["company"]) + 0.2 * (2 * methods.index(row["method"]) - 1)
        _interval(ax, row, place, colours[row["method"]])
    truth = result.frame.drop_duplicates("company")
    ax.plot(truth["truth"], np.arange(len(truth)), "D", color=PALETTE["black"], ms=8, ls="")
    ax.set_xlim(0, 1.06 * DEEPEST)
    ax.set_ylim(len(companies) - 0.4, -0.6)
    ax.set_yticks([])
    ax.set_ylabel(f"{len(companies)} simulated companies")
    percent_axis(ax.xaxis)
    ax.set_xlabel("Equivalent discount, share of the list price; at the edge: more, or none does")
    keys = [Line2D([], [], color=colours[one], marker="o", ms=9, label=one) for one in methods]
    keys.append(Line2D([], [], color=PALETTE["black"], marker="D", ms=8, ls="", label="truth"))
    legend_below(ax, columns=3, handles=keys)
    held = result.frame.groupby("method", sort=False)["held"].mean()
    told = ", ".join(f"{name} {percent(share, 0)}" for name, share in held.items())
    finding(ax, f"Intervals that hold the truth: {told}")
    return describe(
        ax,
        f"Simulated: equivalent discounts of one level more in {len(companies)} companies. The "
        f"truth is {percent(float(truth['truth'].median()))} in the median; share of the 95 % "
        f"intervals that hold it: {told}.",
    )


def _interval(ax: Axes, row: Mapping[Any, Any], place: float, colour: str) -> None:
    low, high = (float(np.clip(row[name], 0, DEEPEST)) for name in ("lower", "upper"))
    if np.isnan(row["lower"]) or np.isnan(row["upper"]):
        low, high = 0.0, DEEPEST
    ax.plot([low, high], [place, place], color=colour, lw=3)
    if high >= DEEPEST:
        ax.plot(DEEPEST, place, ">", color=colour, ms=9)
    if np.isfinite(row["discount"]):
        ax.plot(min(row["discount"], DEEPEST), place, "o", color=colour, ms=9)

"""Figures of the product view: what is bought first, and what the best customers buy.

:func:`first_category_values` shows the later value of customers by the category of their first
purchase, :func:`category_gaps` the categories of the best customers beside those of the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from keycustomer.plots.audit import axis_label, title_width
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
    from keycustomer.pareto.products import BestCustomerCategories, FirstPurchases

OTHER = "other ("
"""How the name of a row of small categories taken together begins."""


def first_category_values(
    result: FirstPurchases, ax: Axes | None = None, *, most: int = 12, unit: str = ""
) -> Axes:
    """Draw the mean later value by category of the first purchase, with intervals.

    Parameters
    ----------
    result : FirstPurchases
        From `keycustomer.pareto.first_purchases`.
    ax : Axes, optional
        Axes to draw into.
    most : int
        Categories shown, those that most customers began with.
    unit : str
        Currency, for the axis.
    """
    frame = result.frame.head(most).sort_values(["mean_value", "category"], ignore_index=True)
    ax = new_axes(ax, size=(10, max(4.0, 1.6 + 0.48 * len(frame))))
    clear = frame["stands_out"]
    for place, row in enumerate(frame.to_dict("records")):
        colour = PALETTE["blue"] if clear.iloc[place] else PALETTE["grey"]
        ax.plot([row["lower"], row["upper"]], [place, place], color=colour, lw=3)
        ax.plot(row["mean_value"], place, "o", color=colour, ms=11)
    ax.axvline(result.overall, color=PALETTE["vermilion"], lw=2, ls="--")
    ax.annotate(
        f"all customers {compact_number(result.overall)}",
        (result.overall, 1),
        xycoords=("data", "axes fraction"),
        xytext=(6, -14),
        textcoords="offset points",
        fontsize=13,
        color=PALETTE["vermilion"],
    )
    labels = [
        f"{escape_label(row['category'], 26)} ({row['customers']:,.0f})"
        for row in frame.to_dict("records")
    ]
    ax.set_yticks(range(len(frame)), labels)
    ax.set_ylim(-0.6, len(frame) + 0.2)
    number_axis(ax.xaxis)
    ax.set_xlabel(axis_label(f"mean {result.value} per customer", unit))
    ax.set_ylabel("First purchase (customers)")
    sentence = _first_sentence(frame[clear & ~frame["category"].str.startswith(OTHER)])
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['category']} {compact_number(row['mean_value'])}"
        for row in frame[::-1].to_dict("records")
    )
    return describe(
        ax,
        f"Mean {result.value} by category of the first purchase, average "
        f"{compact_number(result.overall)}: {told}. {sentence}.",
    )


def _first_sentence(clear: pd.DataFrame) -> str:
    if clear.empty:
        return "No first purchase stands out from the average customer by more than chance"
    far = clear.iloc[int((clear["ratio"] - 1).abs().argmax())]
    return (
        f"Customers who began with {far['category']} later brought {far['ratio']:.2f} times the "
        "average"
    )


def category_gaps(
    result: BestCustomerCategories, ax: Axes | None = None, *, most: int = 12
) -> Axes:
    """Draw the share of buyers among the best customers and among the rest, by category.

    Parameters
    ----------
    result : BestCustomerCategories
        From `keycustomer.pareto.best_customer_categories`.
    ax : Axes, optional
        Axes to draw into.
    most : int
        Categories shown, those with the largest differences.
    """
    frame = result.frame.head(most).iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, max(4.0, 1.6 + 0.48 * len(frame))))
    places = np.arange(len(frame))
    ax.hlines(places, frame["rest_buyers"], frame["best_buyers"], color=PALETTE["light grey"], lw=5)
    best = f"best {percent(result.top, 0)} ({result.best:,})"
    ax.plot(frame["best_buyers"], places, "o", color=PALETTE["blue"], ms=13, label=best)
    ax.plot(
        frame["rest_buyers"],
        places,
        "s",
        color=PALETTE["orange"],
        ms=11,
        label=f"the rest ({result.rest:,})",
    )
    labels = [escape_label(name, 28) for name in frame["category"]]
    ax.set_yticks(places, labels)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.6, len(frame) - 0.4)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of the customers who bought it")
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, -0.15), ncols=2)
    widest = frame.iloc[-1]
    sentence = (
        f"Widest gap: {percent(widest['best_buyers'], 0)} of the best customers buy "
        f"{widest['category']}, {percent(widest['rest_buyers'], 0)} of the rest"
    )
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['category']} {percent(row['best_buyers'], 0)} against "
        f"{percent(row['rest_buyers'], 0)}"
        for row in frame[::-1].to_dict("records")
    )
    return describe(
        ax,
        f"Share of buyers by category among the best {percent(result.top, 0)} by {result.value} "
        f"and among the rest: {told}.",
    )

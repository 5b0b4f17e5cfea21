"""Figures of price realisation: list price to pocket, the price band, and points of discount.

:func:`waterfall_bars` draws what remains of the list value step by step; :func:`pocket_price_map`
every customer's pocket price by its size; :func:`discount_point_bars` what a point of discount
costs by group and how much of it comes back; :func:`deep_discount_dots` the accounts whose discount
is deeper than that of accounts like them.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from keycustomer.plots.audit import axis_label, title_width
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
    percent,
    percent_axis,
)
from keycustomer.plots.words import made_up

if TYPE_CHECKING:
    from keycustomer.pricing.realised.deep_discounts import DeepDiscounts
    from keycustomer.pricing.realised.negotiation import PointOfDiscount
    from keycustomer.pricing.realised.pocket_prices import PocketPriceBand
    from keycustomer.pricing.realised.waterfall import PriceWaterfall

LONGEST = 24
"""Characters of a group or account."""

STEP_WIDTH = 11
"""Characters of a line of a step's name."""

MOST_ROWS = 12
"""Accounts drawn; of more, those whose excess is largest in value."""


def waterfall_bars(result: PriceWaterfall, ax: Axes | None = None, *, group: str = "all") -> Axes:
    """Draw what remains of the list value, step by step.

    Parameters
    ----------
    result : PriceWaterfall
        From `keycustomer.pricing.price_waterfall`.
    ax : Axes, optional
        Axes to draw into.
    group : str
        Group of customers.
    """
    frame = result.of(group)
    ax = new_axes(ax, size=(max(10.0, 1.25 * len(frame) + 2), 6.4))
    total = (frame["kind"] == "total").to_numpy()
    share = frame["share"].to_numpy(float)
    ends = share[0] + np.cumsum(np.where(total, 0, share))
    starts = np.where(total, 0.0, ends - share)
    places = np.arange(len(frame))
    colours = np.where(total, PALETTE["blue"], PALETTE["vermilion"])
    ax.bar(places, ends - starts, bottom=starts, color=list(colours), width=0.72)
    ax.hlines(ends[:-1], places[:-1] + 0.36, places[1:] - 0.36, color=PALETTE["grey"], lw=1)
    tops = np.maximum(starts, ends).tolist()
    for place, (top, value) in enumerate(zip(tops, share, strict=True)):
        _above(ax, place, max(top, 0.0), percent(value))
    names = short_names([str(step) for step in frame["step"]], LONGEST)
    ticks = ["\n".join(textwrap.wrap(names[s], STEP_WIDTH)) for s in frame["step"]]
    ax.set_xticks(places, [_escaped_lines(tick) for tick in ticks])
    ax.tick_params(axis="x", labelsize=13)
    ax.grid(visible=False, axis="x")
    ax.axhline(0, color=PALETTE["grey"], lw=1)
    ax.set_ylim(min(0.0, float(ends.min())) * 1.12, 1.12)
    percent_axis(ax.yaxis)
    ax.set_ylabel("Share of the list value")
    whole = compact_number(float(frame["amount"].iloc[0]))
    ax.set_xlabel(
        f"{_group_words(group)}, list value {whole} {escape_label(result.currency)}, "
        f"{result.start} to {result.end}"
    )
    finding(ax, _waterfall_sentence(result, frame))
    told = "; ".join(f"{row['step']} {percent(row['share'])}" for row in frame.to_dict("records"))
    return describe(
        ax, f"{made_up(result)}Waterfall from the list value, {_group_words(group)}: {told}."
    )


def _escaped_lines(text: str) -> str:
    """Escape every line of a label, and keep the line breaks."""
    return "\n".join(escape_label(line) for line in text.split("\n"))


def _above(ax: Axes, place: float, top: float, text: str) -> None:
    ax.annotate(
        text, (place, top), (0, 5), textcoords="offset points", ha="center", weight="bold",
        fontsize=14,
    )  # fmt: skip


def _group_words(group: str) -> str:
    return "all customers" if group == "all" else f"tier {escape_label(shorten(group, LONGEST))}"


def _waterfall_sentence(result: PriceWaterfall, frame: pd.DataFrame) -> str:
    totals = frame[frame["kind"] == "total"]
    last = totals.iloc[-1]
    opening = f"{made_up(result)}Of 100 at list prices"
    if len(totals) < 2:
        return f"{opening} all remain"
    changes = frame[frame["kind"] == "change"]
    given = changes[changes["step"] != "cost of goods"]
    biggest = given.iloc[int(given["share"].argmin())]
    left = 100 * last["share"]
    told = (
        f"{left:.0f} remain as {last['step']}"
        if left >= 0
        else f"nothing remains: {-left:.0f} are lost"
    )
    return (
        f"{opening} {told}; {shorten(biggest['step'], LONGEST)} take {-100 * biggest['share']:.0f}"
    )


def pocket_price_map(result: PocketPriceBand, ax: Axes | None = None) -> Axes:
    """Draw every customer's pocket price by its size, and what its size makes expect.

    Parameters
    ----------
    result : PocketPriceBand
        From `keycustomer.pricing.pocket_price_band`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 6.6))
    frame = result.frame.sort_values("list_value")
    low, high = result.quantiles["pocket_share"].iloc[[0, -1]]
    ax.axhspan(low, high, color=PALETTE["sky"], alpha=0.25, lw=0, zorder=0)
    dense = len(frame) > 500
    ax.plot(
        frame["list_value"],
        frame["pocket_share"],
        "o",
        color=PALETTE["grey"],
        ms=4 if dense else 7,
        alpha=0.35 if dense else 0.7,
        mew=0,
        rasterized=dense,
    )
    ax.plot(frame["list_value"], frame["expected_share"], color=PALETTE["vermilion"])
    ax.set_xscale("log")
    number_axis(ax.xaxis)
    percent_axis(ax.yaxis)
    ax.set_xlabel(axis_label("list value of the window", result.currency))
    ax.set_ylabel("Pocket price, share of list")
    handles = [
        Line2D([], [], color=PALETTE["grey"], marker="o", ms=8, ls="", label="a customer"),
        Line2D([], [], color=PALETTE["vermilion"], label="expected for the size"),
        Patch(color=PALETTE["sky"], alpha=0.25, label="nine of ten"),
    ]
    legend_below(ax, columns=3, handles=handles)
    share = result.explained_by_size.estimate
    finding(
        ax,
        f"{made_up(result)}Nine of ten customers pay {percent(low, 0)} to {percent(high, 0)} of "
        f"list; size explains {percent(share, 0)} of the differences",
    )
    return describe(
        ax,
        f"{made_up(result)}Pocket price of {len(frame):,} customers by list value: nine of ten "
        f"between {percent(low)} and {percent(high)} of the list price; size explains "
        f"{result.explained_by_size.as_percent(0)} of the variance.",
    )


def discount_point_bars(result: PointOfDiscount, ax: Axes | None = None) -> Axes:
    """Draw what the points of discount cost by group, and how much of it comes back.

    Parameters
    ----------
    result : PointOfDiscount
        From `keycustomer.pricing.point_of_discount`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 3.4 + 0.75 * len(frame)))
    places = np.arange(len(frame))
    loss = frame["loss"].to_numpy(float)
    usage, stay = (frame[f"won_by_{n}"].fillna(0).to_numpy(float) for n in ("volume", "retention"))
    ax.barh(places, loss, color=PALETTE["light grey"], height=0.72)
    ax.barh(places, usage, color=PALETTE["blue"], height=0.4)
    ax.barh(places, stay, left=usage, color=PALETTE["orange"], height=0.4)
    for place, row in zip(places, frame.to_dict("records"), strict=True):
        ax.annotate(
            _row_words(row), (max(row["loss"], 0), place), (8, 0), textcoords="offset points",
            va="center", fontsize=14, bbox=UNDERLAY,
        )  # fmt: skip
    short = short_names(list(frame["group"]), LONGEST)
    labels = [escape_label(short[name]) for name in frame["group"]]
    name_rows(ax, labels)
    reach = max(float(loss.max()), float((usage + stay).max()), 0.0)
    ax.set_xlim(
        min(0.0, float(loss.min()), float((usage + stay).min())),
        (2.25 if frame["won_back"].notna().any() else 1.6) * (reach or 1.0),
    )
    number_axis(ax.xaxis)
    ax.set_xlabel(axis_label(f"profit over {result.horizon} months", result.currency))
    legend_below(ax, columns=3, handles=_point_keys(frame))
    finding(ax, _point_sentence(result), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['group']} loses {compact_number(row['loss'])}, {_row_words(row)}"
        for row in result.frame.to_dict("records")
    )
    return describe(
        ax,
        f"{made_up(result)}Loss from a further discount of {percent(result.points, 2)} of the "
        f"list price, by group, over {result.horizon} months: {told}.",
    )


def _row_words(row: dict[Any, Any]) -> str:
    needed, back = row["break_even_volume"], row["won_back"]
    words = (
        f"breaks even at {percent(needed)} more" if np.isfinite(needed) else "no volume is enough"
    )
    return f"{words}; {percent(back, 0)} comes back" if np.isfinite(back) else words


def _point_keys(frame: pd.DataFrame) -> list[Patch]:
    keys = [Patch(color=PALETTE["light grey"], label="lost at equal volume")]
    if frame["won_by_volume"].notna().any():
        keys.append(Patch(color=PALETTE["blue"], label="back by usage"))
    if frame["won_by_retention"].notna().any():
        keys.append(Patch(color=PALETTE["orange"], label="back by staying"))
    return keys


def _point_sentence(result: PointOfDiscount) -> str:
    row, given = result.frame.iloc[0], round(100 * result.points, 4)
    opening = "One point of discount" if given == 1 else f"{given:g} points of discount"
    said = f"{made_up(result)}{opening} {'costs' if given == 1 else 'cost'} "
    said += (
        f"{percent(row['loss_share'])} of the profit"
        if np.isfinite(row["loss_share"])
        else (f"{compact_number(row['loss'])}")
    )
    if np.isfinite(row["won_back"]):
        return f"{said}, of which {percent(row['won_back'], 0)} comes back"
    if np.isfinite(row["break_even_volume"]):
        return f"{said}; {percent(row['break_even_volume'])} more volume would make up for it"
    return f"{said}, and no volume makes up for it"


def deep_discount_dots(result: DeepDiscounts, ax: Axes | None = None) -> Axes:
    """Draw the discount of the accounts called deep beside that of accounts like them.

    Parameters
    ----------
    result : DeepDiscounts
        From `keycustomer.pricing.discount_outliers`; drawn are those whose excess costs most.
    ax : Axes, optional
        Axes to draw into.
    """
    deep = result.deep.sort_values("excess_value", ascending=False)
    rows = (deep if len(deep) else result.frame.head(MOST_ROWS)).head(MOST_ROWS)
    rows = rows.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.9 + 0.46 * len(rows)))
    places = np.arange(len(rows))
    expected, reach = rows["expected"], rows["upper"] - rows["excess"]
    ax.hlines(places, expected, rows["discount"], color=PALETTE["light grey"], lw=7)
    ax.errorbar(
        rows["discount"], places, xerr=reach, fmt="o", color=PALETTE["vermilion"], ms=10, lw=2.5
    )
    ax.plot(expected, places, "|", color=PALETTE["black"], ms=20, mew=4)
    short = short_names(list(rows["customer_id"]), LONGEST)
    values = [compact_number(value) for value in rows["excess_value"]]
    labels = [
        escape_label(f"{short[name]}: {value}")
        for name, value in zip(rows["customer_id"], values, strict=True)
    ]
    name_rows(ax, labels)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Discount, share of the list price")
    unit = f" {escape_label(result.currency)}" if result.currency else ""
    ax.set_ylabel(f"Account: excess,{unit} a year")
    handles = [
        Line2D([], [], color=PALETTE["black"], marker="|", ms=16, mew=4, ls="", label="its like"),
        Line2D([], [], color=PALETTE["vermilion"], marker="o", ms=10, label="the account"),
    ]
    legend_below(ax, columns=2, handles=handles)
    finding(ax, _deep_sentence(result), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['customer_id']} {percent(row['discount'])} against {percent(row['expected'])}"
        for row in rows.iloc[::-1].to_dict("records")
    )
    return describe(
        ax,
        f"{made_up(result)}Discounts of accounts beside others by {', '.join(result.like)}: "
        f"{told}.",
    )


def _deep_sentence(result: DeepDiscounts) -> str:
    deep = result.deep
    opening = made_up(result)
    if deep.empty:
        return f"{opening}No account has a deeper discount than its like by more than chance"
    worth = compact_number(float(deep["excess_value"].sum()))
    verb = "has" if len(deep) == 1 else "have"
    return (
        f"{opening}{len(deep):,} of {len(result.frame):,} accounts {verb} a deeper discount than "
        f"their like, {worth} {result.currency} a year"
    )

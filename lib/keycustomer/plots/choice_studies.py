"""Figures of choice studies: shares and prices of offers, green premium, layers, economic value.

:func:`offer_share_dots` draws the shares of offers side by side; :func:`offer_price_lines` what one
offer brings at every price; :func:`green_premium_dots` what green is worth, and to whom;
:func:`layer_worth_bars` what the layers of a product are worth; :func:`value_stair` how the
economic value to a customer adds up; :func:`study_power_lines` how many respondents a study needs.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from keycustomer.plots.audit import title_width
from keycustomer.plots.choice import MARKS, row_shift, shown_groups
from keycustomer.plots.labels import (
    interval_text,
    name_rows,
    names_in_words,
    short_names,
    shorten,
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
    percent,
    percent_axis,
)
from keycustomer.plots.words import made_up

if TYPE_CHECKING:
    from keycustomer.pricing.choice.customer_economics import EconomicValue
    from keycustomer.pricing.choice.design_power import DesignPower
    from keycustomer.pricing.choice.green import GreenPremium
    from keycustomer.pricing.choice.layers import LayerWorth
    from keycustomer.pricing.choice.offers import OfferShares
    from keycustomer.pricing.choice.response_curves import OfferPriceResponse

LONGEST = 30
"""Letters of a name at an axis."""

MOST_LINES = 5
"""Lines that can be told apart in one figure; the others are grey."""


def offer_share_dots(
    result: OfferShares, ax: Axes | None = None, *, groups: Sequence[str] | None = None
) -> Axes:
    """Draw the share of every offer, with intervals.

    Parameters
    ----------
    result : OfferShares
        From `keycustomer.pricing.offer_shares`.
    ax : Axes, optional
        Axes to draw into.
    groups : sequence of str, optional
        Groups to draw side by side, up to four; default: all respondents.

    Raises
    ------
    ValueError
        When there are too many groups, or one is not there.
    """
    shown = shown_groups(result.groups, groups)
    tables = [result.of_group(name) for name in shown]
    names = tables[0]["offer"].tolist()
    labels = _labels(names)
    height = 2.4 + (0.55 + 0.18 * (len(shown) - 1)) * len(names)
    ax = new_axes(ax, size=(10, max(4.0, height)))
    called = short_names(shown, LONGEST)
    for number, (name, rows) in enumerate(zip(shown, tables, strict=True)):
        place = np.arange(len(rows))[::-1] + row_shift(number, len(shown))
        told = escape_label(called[name])
        _dots(ax, place, rows, "share", palette()[number], MARKS[number], told)
    name_rows(ax, labels[::-1])
    ax.set_xlim(left=0)
    percent_axis(ax.xaxis)
    ax.set_xlabel(f"share of the respondents ({percent(result.level, 0)} interval)")
    if len(shown) > 1:
        legend_below(ax, columns=2)
    top = tables[0].iloc[int(tables[0]["share"].to_numpy().argmax())]
    said = f"{percent(top['share'], 0)} would take {shorten(top['offer'], 40)}"
    finding(ax, f"{made_up(result)}{said}", width=title_width(ax, labels))
    told = "; ".join(map(_shares_told, shown, tables))
    return describe(ax, f"Shares of offers by a {result.method}. {told}.")


def _shares_told(group: str, rows: pd.DataFrame) -> str:
    each = ", ".join(
        f"{row['offer']} {percent(row['share'])} [{percent(row['lower'])}, {percent(row['upper'])}]"
        for row in rows.to_dict("records")
    )
    return f"{group}: {each}"


def offer_price_lines(result: OfferPriceResponse, ax: Axes | None = None) -> Axes:
    """Draw what an offer brings of a hundred respondents at every price.

    Parameters
    ----------
    result : OfferPriceResponse
        From `keycustomer.pricing.price_response`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame
    ax = new_axes(ax)
    what = "profit" if result.unit_cost else "revenue"
    price = frame["price"].to_numpy()
    margin = 100 * (price - result.unit_cost)
    ax.fill_between(
        price,
        margin * frame["lower"],
        margin * frame["upper"],
        color=PALETTE["sky"],
        alpha=0.4,
        lw=0,
    )
    ax.plot(price, margin * frame["share"], color=PALETTE["blue"], label=what)
    _price_marks(ax, result, price)
    unit = f", {result.currency}" if result.currency else ""
    ax.set_xlabel(escape_label(f"price of {shorten(result.offer, 40)}{unit}"))
    ax.set_ylabel(escape_label(f"{what} of 100 respondents{unit}"))
    number_axis(ax.yaxis)
    legend_below(ax, columns=2)
    opening = made_up(result)
    finding(ax, f"{opening}{shorten(result.offer, 30)} brings most at {_best_told(result)}")
    said = "; ".join(
        f"at {_price(row['price'])} a share of {percent(row['share'])} "
        f"[{percent(row['lower'])}, {percent(row['upper'])}]"
        for row in frame.iloc[[0, -1]].to_dict("records")
    )
    return describe(
        ax,
        f"{opening}{what} of {result.offer} by price: best at {result.best}, profit "
        f"{result.best_profit:.3g} a respondent, now {_price(result.price)} with "
        f"{result.profit_now:.3g}; {said}.",
    )


def _price_marks(ax: Axes, result: OfferPriceResponse, price: np.ndarray) -> None:
    """Mark the price as it is, and the best one with its interval where the curve shows it."""
    best, low, high = result.best, price.min(), price.max()
    points = [(result.price, result.profit_now, "now", PALETTE["black"], "o")]
    if low <= best.estimate <= high:
        told = f"interval of the best price ({percent(best.level, 0)})"
        ends = max(best.lower, low), min(best.upper, high)
        ax.axvspan(*ends, color=PALETTE["light grey"], alpha=0.6, lw=0, label=told)
        points.append((best.estimate, result.best_profit, "best", PALETTE["vermilion"], "D"))
    for x, y, label, colour, mark in points:
        ax.plot(x, 100 * y, mark, color=colour, ms=12, label=f"{label}: {_price(x)}")


def _price(price: float) -> str:
    """Write a price to the cent; very small and very large ones in three digits."""
    return f"{price:,.2f}" if 0.1 <= abs(price) < 1e6 or price == 0 else compact_number(price)


def _best_told(result: OfferPriceResponse) -> str:
    unit = f" {result.currency}" if result.currency else ""
    if math.isnan(result.gain):
        return f"{_price(result.best.estimate)}{unit}"
    gained = (
        f"{percent(result.gain, 0)} more than now" if result.gain >= 0.005 else "as much as now"
    )
    return f"{_price(result.best.estimate)}{unit}, {gained}"


def green_premium_dots(result: GreenPremium, ax: Axes | None = None) -> Axes:
    """Draw what the green attribute is worth to all and to each group, beside the truth if known.

    Parameters
    ----------
    result : GreenPremium
        From `keycustomer.pricing.green_premium`.
    ax : Axes, optional
        Axes to draw into.
    """
    rows = result.frame
    labels = _labels(["all respondents", *rows["group"].iloc[1:]])
    ax = new_axes(ax, size=(10, max(4.0, 2.4 + 0.55 * len(rows))))
    place = np.arange(len(rows))[::-1]
    _dots(ax, place, rows, "premium", PALETTE["green"], "o", "estimate")
    known = rows["truth"].notna().to_numpy()
    if known.any():
        ax.vlines(
            rows["truth"][known],
            place[known] - 0.28,
            place[known] + 0.28,
            color="black",
            lw=3,
            label="truth (simulated)",
            zorder=3,
        )
        legend_below(ax, columns=2)
    ax.axvline(0, color=PALETTE["grey"], lw=1.5, ls="--")
    name_rows(ax, labels[::-1])
    unit = f", {result.currency}" if result.currency else ""
    level = percent(result.premium.level, 0)
    ax.set_xlabel(escape_label(f"willingness to pay{unit} ({level} interval)"))
    finding(ax, _green_sentence(result), width=title_width(ax, labels))
    said = "; ".join(map(_premium_told, rows.to_dict("records")))
    return describe(ax, f"{made_up(result)}Worth of {result.what}{unit}: {said}.")


def _premium_told(row: dict[Hashable, Any]) -> str:
    if math.isnan(row["premium"]):
        return f"{row['group']} not told"
    truth = "" if math.isnan(row["truth"]) else f", truth {row['truth']:.2f}"
    return f"{row['group']} {interval_text(row['premium'], row['lower'], row['upper'])}{truth}"


def _green_sentence(result: GreenPremium) -> str:
    unit = f" {result.currency}" if result.currency else ""
    opening = f"{made_up(result)}{shorten(result.what, 36)} is worth"
    said = f"{opening} {result.premium.estimate:.3g}{unit}".replace("-", "\N{MINUS SIGN}")
    if result.attitude_verdict == "supported":
        return f"{said}, and more to greener respondents"
    told = {"supported": "more than nothing", "not supported": "no more than nothing"}
    return f"{said}: {told.get(result.verdict, 'not told from nothing')}"


def layer_worth_bars(result: LayerWorth, ax: Axes | None = None, *, group: str = "all") -> Axes:
    """Draw what each layer of the product is worth, with intervals and shares.

    Parameters
    ----------
    result : LayerWorth
        From `keycustomer.pricing.layer_worth`.
    ax : Axes, optional
        Axes to draw into.
    group : str
        Group of respondents.
    """
    rows = result.of_group(group)
    if (rows["worth"] < 0).any():
        # what takes away has no part of a whole, and makes the parts of others more than all
        rows = rows.assign(share=math.nan)
    own = result.attributes[result.attributes["group"] == group]
    labels = [
        f"{layer}\n{_listed(own.loc[own['layer'] == name, 'attribute'])}"
        for name, layer in zip(rows["layer"], _labels(rows["layer"].tolist()), strict=True)
    ]
    ax = new_axes(ax, size=(10, max(4.0, 2.2 + 0.95 * len(rows))))
    place = np.arange(len(rows))[::-1]
    colours = [
        PALETTE["blue"] if name == result.judged else PALETTE["sky"] for name in rows["layer"]
    ]
    ax.barh(place, rows["worth"], color=colours, height=0.62)
    ax.hlines(place, rows["lower"], rows["upper"], color=PALETTE["black"], lw=2.5)
    low, high = min(0.0, float(rows["lower"].min())), max(0.0, float(rows["upper"].max()))
    ax.set_xlim(low * 1.05, high + 0.14 * (high - low))
    for y, end, share in zip(place, rows["upper"], rows["share"], strict=True):
        if math.isfinite(share):
            ax.annotate(
                percent(share, 0),
                (max(end, 0.0), y),
                (6, 0),
                textcoords="offset points",
                va="center",
                fontsize=14,
                weight="bold",
            )
    ax.axvline(0, color=PALETTE["grey"], lw=1.5)
    name_rows(ax, labels[::-1])
    unit = f", {result.currency}" if result.currency else ""
    level = percent(result.level, 0)
    parts = "; share of all" if rows["share"].notna().all() else ""
    ax.set_xlabel(escape_label(f"worth from plain to full{unit} ({level} interval{parts})"))
    number_axis(ax.xaxis)
    finding(ax, _layer_sentence(result, rows, group), width=title_width(ax, labels))
    said = "; ".join(
        f"{row['layer']} {interval_text(row['worth'], row['lower'], row['upper'])}"
        + ("" if math.isnan(row["share"]) else f", {percent(row['share'])} of all")
        for row in rows.to_dict("records")
    )
    return describe(ax, f"{made_up(result)}Worth of product layers{unit}, {group}: {said}.")


def _layer_sentence(result: LayerWorth, rows: pd.DataFrame, group: str) -> str:
    top = rows.iloc[int(rows["worth"].to_numpy().argmax())]
    whose = "" if group == "all" else f"{shorten(group, LONGEST)}: "
    unit = f" {result.currency}" if result.currency else ""
    share = "" if math.isnan(top["share"]) else f", {percent(top['share'], 0)} of all"
    if top["worth"] <= 0:
        return f"{made_up(result)}{whose}no layer adds worth to the plain package"
    return (
        f"{made_up(result)}{whose}the {shorten(top['layer'], LONGEST)} layer is worth "
        f"most, {compact_number(top['worth'])}{unit}{share}"
    )


def _listed(names: Sequence[str]) -> str:
    return escape_label(
        names_in_words([str(name).replace("_", " ") for name in names], most=2, width=18)
    )


def value_stair(result: EconomicValue, ax: Axes | None = None) -> Axes:
    """Draw how the economic value to a customer adds up, item by item.

    Parameters
    ----------
    result : EconomicValue
        From `keycustomer.pricing.economic_value`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame
    total = result.value
    labels = [*_labels(frame["item"].tolist()), "value to the customer"]
    ax = new_axes(ax, size=(10, max(4.4, 2.6 + 0.6 * len(labels))))
    place = np.arange(len(labels))[::-1]
    value = frame["value"].to_numpy()
    ends = np.cumsum(value)
    starts = np.r_[0.0, ends[:-1]]
    colours = [
        PALETTE["grey"],
        *(PALETTE["green"] if v >= 0 else PALETTE["vermilion"] for v in value[1:]),
    ]
    ax.barh(place[:-1], value, left=starts, color=colours, height=0.62)
    ax.barh(place[-1], total.estimate, color=PALETTE["blue"], height=0.62)
    ax.vlines(ends, place[1:] - 0.31, place[:-1] + 0.31, color=PALETTE["grey"], lw=1)
    spread = frame["upper"] > frame["lower"]
    middle = starts + frame["lower"], starts + frame["upper"]
    ax.hlines(
        place[:-1][spread], middle[0][spread], middle[1][spread], color=PALETTE["black"], lw=2.5
    )
    ax.hlines(place[-1], total.lower, total.upper, color=PALETTE["black"], lw=2.5)
    for x, name, style in ((result.unit_cost, "cost", ":"), (result.price, "price", "--")):
        if math.isfinite(x):
            ax.axvline(x, color=PALETTE["black"], lw=2, ls=style, label=f"{name}: {_price(x)}")
    name_rows(ax, labels[::-1])
    unit = f", {result.currency}" if result.currency else ""
    ax.set_xlabel(
        escape_label(f"worth to the customer{unit} ({percent(result.level, 0)} interval)")
    )
    number_axis(ax.xaxis)
    if ax.get_legend_handles_labels()[1]:
        legend_below(ax, columns=2)
    finding(ax, _value_sentence(result), width=title_width(ax, labels))
    said = "; ".join(
        f"{row['item']} {interval_text(row['value'], row['lower'], row['upper'])}"
        for row in frame.to_dict("records")
    )
    return describe(ax, f"Economic value to the customer{unit}: {total}. {said}.")


def _value_sentence(result: EconomicValue) -> str:
    unit = f" {result.currency}" if result.currency else ""
    said = f"Worth {compact_number(result.value.estimate)}{unit} to the customer"
    share = result.left_to_customer
    if math.isnan(share):
        gap = result.differentiation_value
        more = "more" if gap >= 0 else "less"
        return f"{said}, {compact_number(abs(gap))} {more} than the next best costs"
    if share < 0:
        return f"{said}: the price is above its value"
    return f"{said}: the price leaves the customer {percent(min(share, 9.99), 0)} of the value"


def study_power_lines(result: DesignPower, ax: Axes | None = None) -> Axes:
    """Draw how probably a study tells each worth from zero, by number of respondents.

    Parameters
    ----------
    result : DesignPower
        From `keycustomer.pricing.study_power`.
    ax : Axes, optional
        Axes to draw into.
    """
    lines = _power_table(result)
    called = short_names(list(lines), LONGEST)
    ax = new_axes(ax)
    rest = len(lines.columns) - MOST_LINES
    for number, name in enumerate(lines):
        named = number < MOST_LINES
        label = escape_label(called[name]) if named else f"{rest} more"
        ax.plot(
            lines.index,
            lines[name],
            color=palette()[number] if named else PALETTE["light grey"],
            marker="osD^v"[number] if named else "",
            ms=9,
            label=label if number <= MOST_LINES else "",
        )
    ax.axhline(0.8, color=PALETTE["grey"], ls="--", lw=1.5, label="80 %")
    ax.set_ylim(0, 1.03)
    ax.set_xlim(left=0)
    percent_axis(ax.yaxis)
    ax.set_xlabel("respondents")
    ax.set_ylabel("probability to tell the worth from 0")
    legend_below(ax, columns=2)
    finding(ax, _power_sentence(result, lines))
    said = "; ".join(
        f"{name} {', '.join(f'{percent(p, 0)} at {n}' for n, p in lines[name].items())}"
        for name in lines
    )
    return describe(ax, f"Power of a choice study by number of respondents: {said}.")


def _power_table(result: DesignPower) -> pd.DataFrame:
    """Power by respondents (rows) and level (columns), the least sure level first."""
    frame = result.frame[result.frame["worth"] != 0]
    told = [
        str(a) if b == "one more" else f"{a}: {b}"
        for a, b in zip(frame["attribute"], frame["level"], strict=True)
    ]
    named = frame.assign(name=[name.replace("_", " ") for name in told])
    lines = named.pivot(index="respondents", columns="name", values="power")
    return lines[lines.mean().sort_values().index]


def _power_sentence(result: DesignPower, lines: pd.DataFrame) -> str:
    if result.enough is not None:
        return f"{result.enough:,} respondents tell every worth from zero"
    worst = shorten(str(lines.columns[0]), LONGEST)
    return f"{int(lines.index.max()):,} respondents are too few for {worst}"


def _labels(names: Sequence[str]) -> list[str]:
    short = short_names(names, LONGEST)
    return [escape_label(short[name]) for name in names]


def _dots(
    ax: Axes,
    place: np.ndarray,
    rows: pd.DataFrame,
    value: str,
    colour: str,
    mark: str,
    label: str,
) -> None:
    ax.hlines(place, rows["lower"], rows["upper"], color=colour, lw=3)
    ax.plot(rows[value], place, mark, color=colour, ms=10, label=label)

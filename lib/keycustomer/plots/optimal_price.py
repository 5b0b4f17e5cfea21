"""Figures of best prices: profit by price, how sure the best one is, corridors, differentiation.

:func:`profit_by_price` draws profit at every price and what one chosen price brings (the figure
behind the price slider); :func:`uncertain_price_band` expected profit with its band under an
estimated elasticity; :func:`corridor_bars` floor, worth and recommended price by tier;
:func:`differentiation_dots` what prices by tier and by customer truly bring beyond one price for
all, company by company.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from keycustomer.plots.audit import axis_label, title_width
from keycustomer.plots.labels import UNDERLAY, name_rows, names_in_words, short_names
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
    from keycustomer.pricing.optimal.corridor import PriceCorridor
    from keycustomer.pricing.optimal.curve import PriceCurve
    from keycustomer.pricing.optimal.differentiation import PriceDifferentiation
    from keycustomer.pricing.optimal.uncertain import UncertainPrice

BEST, TODAY, CHOSEN = PALETTE["green"], PALETTE["black"], PALETTE["vermilion"]

LONGEST = 24
"""Characters of the name of a tier or plan."""

ABOVE = 0.44
"""Height of a note above the middle of its row, clear of the marks."""

LARGE = 10_000
"""Prices from which an axis is labelled with k and M."""

SPREAD = 0.16
"""Half the height over which the companies of one plan are spread."""


def profit_by_price(
    curve: PriceCurve, price: float | None = None, ax: Axes | None = None, *, unit: str = ""
) -> Axes:
    """Draw profit at every price, today's, the best and a chosen price.

    Parameters
    ----------
    curve : PriceCurve
        From `keycustomer.pricing.price_curve` or `LifetimePrice.curve`.
    price : float, optional
        The chosen price; left out, the best one is told of.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axes; left out, that of the curve.
    """
    ax = new_axes(ax, size=(10, 6.4))
    unit, frame, measure = unit or curve.currency, curve.frame, curve.measure
    ax.plot(frame["price"], frame[measure], color=PALETTE["blue"])
    told = curve.at(curve.best if price is None else price)
    marks = [("today", curve.today, TODAY), ("best", curve.best, BEST)]
    marks += [("chosen", float(price), CHOSEN)] if price is not None else []
    for _, place, colour in marks:
        if frame["price"].iloc[0] <= place <= frame["price"].iloc[-1]:
            height = float(curve.at(place)[measure])
            ax.plot(place, height, "o", ms=13, color=colour, mec="white", mew=1.5, zorder=5)
    shaded = _shade_floor(ax, curve.floor_price)
    if frame[measure].min() < 0 < frame[measure].max():
        ax.axhline(0, color=PALETTE["grey"], lw=1)
    kind = "simulated; " if curve.simulated else ""
    over = f"over {curve.horizon} months" if curve.horizon else "a month"
    _label_prices(ax, unit)
    ax.set_ylabel(axis_label(f"profit {over}", f"{kind}{unit}".strip("; ")))
    number_axis(ax.yaxis)
    ax.margins(y=0.12)
    legend_below(ax, columns=4, handles=_price_keys([name for name, *_ in marks], shaded))
    finding(ax, _price_sentence(curve, told, price))
    rows = [("At today's price", curve.today), ("At the best price on the curve", curve.best)]
    rows += [("At the chosen price", price)] if price is not None else []
    ends = (_number(end) for end in frame["price"].iloc[[0, -1]])
    said = " ".join(_row_told(where, curve.at(one), curve) for where, one in rows)
    return describe(ax, f"Profit {over} by price from {' to '.join(ends)}. {said}")


def _label_prices(ax: Axes, unit: str) -> None:
    ax.set_xlabel(axis_label("price per unit", unit))
    if ax.get_xlim()[1] >= LARGE:
        number_axis(ax.xaxis)


def _shade_floor(ax: Axes, floor_price: float) -> bool:
    """Grey out the prices below the floor, where the axes show them; say whether they do."""
    low = ax.get_xlim()[0]
    if floor_price <= low:
        return False
    ax.axvspan(low, floor_price, color=PALETTE["light grey"], alpha=0.6, lw=0)
    ax.set_xlim(left=low)
    return True


def _price_keys(names: list[str], shaded: bool) -> list[Any]:
    colours = {"today": TODAY, "best": BEST, "chosen": CHOSEN}
    keys: list[Any] = [
        Line2D([], [], color=colours[name], marker="o", ms=11, ls="", label=name) for name in names
    ]
    if shaded:
        keys.append(Patch(color=PALETTE["light grey"], label="below the floor"))
    return keys


def _price_sentence(curve: PriceCurve, told: pd.Series, price: float | None) -> str:
    now, best = (float(curve.at(one)[curve.measure]) for one in (curve.today, curve.best))
    here = float(told[curve.measure])
    if price is None:
        if curve.at_edge:
            return f"Profit still rises at {_number(curve.best)}, the highest price looked at"
        if now <= 0:
            return f"The best price is {_number(curve.best)}; today's brings no profit"
        if best <= now:
            return f"Today's price of {_number(curve.today)} is the best one"
        gain = percent(best / now - 1)
        return f"The best price is {_number(curve.best)}: {gain} more profit than today"
    where = f"At {_number(price)} ({_change(float(told['change']))})"
    stay = f", {percent(float(told['retention']), 0)} stay a year" if "retention" in told else ""
    if now <= 0:
        return f"{where} profit is {compact_number(here)}{stay}"
    return f"{where} profit changes by {_change(here / now - 1)}{stay}"


def _row_told(where: str, row: pd.Series, curve: PriceCurve) -> str:
    stay = f", {percent(float(row['retention']))} stay a year" if "retention" in row else ""
    return (
        f"{where} ({_number(float(row['price']))}) quantity is "
        f"{compact_number(float(row['quantity']))} a month, profit "
        f"{compact_number(float(row[curve.measure]))}{stay}."
    )


def uncertain_price_band(result: UncertainPrice, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw expected profit by price with its band, and the interval of the best price.

    Parameters
    ----------
    result : UncertainPrice
        From `keycustomer.pricing.uncertain_price`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axes.
    """
    ax = new_axes(ax, size=(10, 6.4))
    prices = result.prices
    level = percent(result.elasticity.level, 0)
    ax.fill_between(
        prices, result.lower_profit, result.upper_profit, color=PALETTE["sky"], alpha=0.35
    )
    ax.plot(prices, result.expected_profit, color=PALETTE["blue"])
    height = float(result.expected_profit.max())
    ax.plot(result.expected_price, height, "o", ms=13, color=BEST, mec="white", mew=1.5, zorder=5)
    ax.set_xlim(prices[0], prices[-1])
    _price_interval(ax, result)
    if prices[0] <= result.today <= prices[-1]:
        ax.axvline(result.today, color=TODAY, lw=2, ls=":")
    number_axis(ax.yaxis)
    _label_prices(ax, unit)
    ax.set_ylabel(axis_label("profit a period", unit))
    legend_below(
        ax,
        columns=3,
        handles=[
            Line2D([], [], color=PALETTE["blue"], label="expected profit"),
            Patch(color=PALETTE["sky"], alpha=0.35, label=f"{level} of the draws"),
            Line2D([], [], color=BEST, marker="o", ms=11, ls="", label="largest expected"),
            Line2D([], [], color=CHOSEN, lw=6, label="interval of the best price"),
            Line2D([], [], color=TODAY, lw=2, ls=":", label="today"),
        ],
    )
    finding(ax, _uncertain_sentence(result))
    return describe(
        ax,
        f"Expected profit by price from {_number(prices[0])} to {_number(prices[-1])} under an "
        f"elasticity of {result.elasticity}. {_uncertain_sentence(result)}. Expected profit is "
        f"largest at {_number(result.expected_price)} with {compact_number(height)}; knowing the "
        f"elasticity exactly would add {compact_number(result.information_value)}.",
    )


def _price_interval(ax: Axes, result: UncertainPrice) -> None:
    """Draw the interval of the best price at the foot, an arrow where it has no end."""
    low, high = result.prices[0], result.prices[-1]
    start, end = np.clip([result.lower, result.upper], low, high)
    across = ax.get_xaxis_transform()
    ax.plot([start, end], [0.03, 0.03], color=CHOSEN, lw=6, transform=across, solid_capstyle="butt")
    if result.upper > high:
        ax.plot(high, 0.03, ">", color=CHOSEN, ms=16, transform=across, clip_on=False, zorder=6)


def _uncertain_sentence(result: UncertainPrice) -> str:
    if math.isinf(result.price):
        return f"At an elasticity of {result.elasticity.estimate:.2f} no price is the best one"
    if result.unbounded:
        return (
            f"The best price is at least {_number(result.lower)}: the data set no upper end to it"
        )
    return (
        f"The best price is {_number(result.price)}, between {_number(result.lower)} and "
        f"{_number(result.upper)}"
    )


def corridor_bars(result: PriceCorridor, ax: Axes | None = None, *, unit: str = "") -> Axes:
    """Draw the corridor of each tier: floor, worth, today's and the recommended price.

    Parameters
    ----------
    result : PriceCorridor
        From `keycustomer.pricing.price_corridor`.
    ax : Axes, optional
        Axes to draw into.
    unit : str
        Currency, for the axis; left out, that of the result.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 3.2 + 0.75 * max(len(frame), 2)))
    names = short_names(frame["tier"].map(str).tolist(), LONGEST)
    labels = [escape_label(names[str(tier)]) for tier in frame["tier"]]
    points = frame[["list_price", "price_today", "recommended_price", "full_cost_price"]]
    ends = frame[["floor_price", "highest_price"]].replace(np.inf, np.nan)
    top = float(np.nanmax(pd.concat([points, ends], axis=1).to_numpy(float)))
    bottom = float(np.nanmin(pd.concat([points, ends], axis=1).to_numpy(float)))
    room = max(top - bottom, 0.02 * top)
    ax.set_xlim(bottom - 0.06 * room, top + 0.1 * room)
    for place, row in enumerate(frame.to_dict("records")):
        _corridor(ax, place, row)
    name_rows(ax, labels)
    _label_prices(ax, unit or result.currency)
    legend_below(ax, columns=3, handles=_corridor_keys())
    finding(ax, _corridor_sentence(result), width=title_width(ax, labels))
    told = "; ".join(_tier_told(row) for row in result.frame.to_dict("records"))
    kind = "Simulated: p" if result.simulated else "P"
    return describe(ax, f"{kind}rice corridor by tier: {told}.")


def _corridor(ax: Axes, place: int, row: dict[Any, Any]) -> None:
    right = ax.get_xlim()[1]
    if row["open"]:
        end = min(row["highest_price"], right)
        ax.barh(place, end - row["floor_price"], 0.5, row["floor_price"], color=PALETTE["sky"])
    ax.vlines(row["floor_price"], place - 0.32, place + 0.32, color=PALETTE["black"], lw=4)
    ax.plot(row["full_cost_price"], place, "|", color=PALETTE["grey"], ms=26, mew=3)
    ax.plot(row["list_price"], place, "D", color="white", mec=PALETTE["black"], mew=2, ms=10)
    ax.plot(row["price_today"], place, "o", color=PALETTE["black"], ms=11)
    if math.isfinite(row["recommended_price"]):
        ax.plot(row["recommended_price"], place, "o", color=CHOSEN, ms=13, mec="white", zorder=5)
    else:
        ax.text(
            0.99,
            place + ABOVE,
            "no corridor" if not row["open"] else "no best price",
            transform=ax.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=13,
            bbox=UNDERLAY,
        )


def _corridor_keys() -> list[Any]:
    black = PALETTE["black"]
    return [
        Patch(color=PALETTE["sky"], label="corridor"),
        Line2D([], [], color=black, marker="|", ms=18, mew=4, ls="", label="floor"),
        Line2D([], [], color=PALETTE["grey"], marker="|", ms=18, mew=3, ls="", label="full cost"),
        Line2D([], [], color="white", marker="D", mec=black, mew=2, ms=10, ls="", label="list"),
        Line2D([], [], color=black, marker="o", ms=11, ls="", label="today"),
        Line2D([], [], color=CHOSEN, marker="o", ms=12, ls="", label="recommended"),
    ]


def _corridor_sentence(result: PriceCorridor) -> str:
    frame = result.frame
    closed = frame.loc[~frame["open"], "tier"]
    if len(closed):
        return f"No corridor for {names_in_words(closed)}: the floor lies above what they would pay"
    lowest, highest = frame["permitted_discount"].min(), frame["permitted_discount"].max()
    if highest <= 0:
        return "No discount is permitted: list prices do not reach the floor"
    if len(frame) == 1 or round(lowest, 2) == round(highest, 2):
        return f"Discounts up to {percent(highest, 0)} of the list price keep the floor"
    return (
        f"Discounts up to {percent(max(lowest, 0.0), 0)} to {percent(highest, 0)} of the list "
        "price keep the floor"
    )


def _tier_told(row: dict[Any, Any]) -> str:
    best = row["recommended_price"]
    said = _number(best) if math.isfinite(best) else "none"
    top = row["highest_price"]
    end = _number(top) if math.isfinite(top) else "no known end"
    return (
        f"{row['tier']}: floor {_number(row['floor_price'])}, up to {end}, today "
        f"{_number(row['price_today'])}, recommended {said}"
    )


def differentiation_dots(result: PriceDifferentiation, ax: Axes | None = None) -> Axes:
    """Draw each plan's true gain over one price for all, company by company.

    Parameters
    ----------
    result : PriceDifferentiation
        From `keycustomer.pricing.price_differentiation`.
    ax : Axes, optional
        Axes to draw into.
    """
    summary = result.summary()
    rows = summary[summary["gain"].ne(0) | summary["wins"].ne(0)].iloc[::-1]
    ax = new_axes(ax, size=(10, 2.9 + 0.75 * max(len(rows), 2)))
    labels = [escape_label(str(plan)) for plan in rows["plan"]]
    for place, row in enumerate(rows.to_dict("records")):
        own = result.frame.loc[result.frame["plan"] == row["plan"], "gain"].to_numpy(float)
        beside = np.linspace(-SPREAD, SPREAD, len(own)) if len(own) > 1 else np.zeros(1)
        ax.plot(own, place + beside, "o", color=PALETTE["sky"], ms=7, mec="white", mew=0.5)
        if math.isfinite(row["lower"]):
            ax.plot([row["lower"], row["upper"]], [place, place], color=PALETTE["blue"], lw=6)
        ax.plot(row["gain"], place, "D", color=PALETTE["blue"], mec="white", ms=13, zorder=5)
    ax.axvline(0, color=PALETTE["black"], lw=2)
    name_rows(ax, labels)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Gain over one price for all, share of its profit (simulated)")
    legend_below(
        ax,
        columns=3,
        handles=[
            Line2D([], [], color=PALETTE["sky"], marker="o", ms=9, ls="", label="a company"),
            Line2D([], [], color=PALETTE["blue"], marker="D", ms=11, ls="", label="mean"),
            Line2D([], [], color=PALETTE["blue"], lw=6, label="95 % interval"),
        ],
    )
    finding(ax, _differentiation_sentence(result), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['plan']} {percent(row['gain'])}, better in {percent(row['wins'], 0)} of companies"
        for row in rows[::-1].to_dict("records")
    )
    return describe(
        ax,
        f"{result.companies} simulated companies of {result.accounts:,} accounts, true profit over "
        f"{result.horizon} months against one price for all: {told}. Verdict on prices by tier: "
        f"{result.verdict}.",
    )


def _differentiation_sentence(result: PriceDifferentiation) -> str:
    gain = result.gain()
    said = f"Prices by tier bring {percent(gain.estimate)} more than one price for all"
    if gain.estimate < 0:
        said = f"Prices by tier bring {percent(-gain.estimate)} less than one price for all"
    return f"{said}: {result.verdict}"


def _change(share: float) -> str:
    return f"{'+' if round(share, 3) >= 0 else ''}{percent(share)}"


def _number(value: float) -> str:
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"

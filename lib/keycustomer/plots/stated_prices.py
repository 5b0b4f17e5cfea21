"""Figures of stated willingness to pay: price meter, demand, reach, and the truth beside them.

:func:`price_meter_curves` draws van Westendorp's curves with the acceptable range and the price
points; :func:`stated_demand_curve` who accepts each price tested, with the best price;
:func:`reach_curves` reach and revenue after Newton, Miller & Smith; :func:`judged_price_curve` the
profit that each price would truly bring in a simulated company, with the prices recommended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from keycustomer.plots.audit import axis_label
from keycustomer.plots.labels import name_points, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    finding,
    new_axes,
    number_axis,
    percent,
    percent_axis,
)
from keycustomer.plots.words import made_up

if TYPE_CHECKING:
    from keycustomer.pricing.stated.acceptance import StatedDemand
    from keycustomer.pricing.stated.reach import ReachCurves
    from keycustomer.pricing.stated.sensitivity import PriceSensitivity
    from keycustomer.pricing.stated.true_prices import JudgedPrices

POINTS = 400
"""Points of a curve."""

FULL = 10_000
"""Prices from here on are written in thousands or millions."""

LONGEST = 24
"""Characters of a name in a figure."""

CHEAP, DEAR = PALETTE["blue"], PALETTE["vermilion"]


def price_meter_curves(result: PriceSensitivity, ax: Axes | None = None) -> Axes:
    """Draw the four curves of the price meter, the acceptable range and the price points.

    In the original convention the inner curves are *not cheap* and *not expensive*, which meet
    where cheap meets expensive.

    Parameters
    ----------
    result : PriceSensitivity
        From `keycustomer.pricing.price_sensitivity`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 6.8))
    price = result.frame["price"].to_numpy(float)
    curves = _curves(result)
    for name, (values, colour, style) in curves.items():
        ax.plot(price, values, color=colour, ls=style, label=name)
    low, high = result.pmc.estimate, result.pme.estimate
    if np.isfinite([low, high]).all():
        ax.axvspan(low, high, color=PALETTE["light grey"], alpha=0.5, lw=0, zorder=0)
    ax.set_ylim(-0.02, 1.02)
    _money_axis(ax, float(price.max()))
    ax.set_xlim(*_reach(price, result))
    percent_axis(ax.yaxis)
    ax.set_ylabel("Share of respondents")
    ax.set_xlabel(axis_label("price per unit", result.currency) + "; grey: acceptable range")
    legend_below(ax, columns=4)
    finding(ax, _meter_sentence(result))
    _write_points(ax, result, curves)
    told = ", ".join(f"{name.upper()} {one}" for name, one in result.points.items())
    return describe(
        ax,
        f"{made_up(result)}Van Westendorp's price meter of {result.respondents:,} "
        f"questionnaires ({result.convention} convention): {told}; {len(result.invalid):,} "
        f"contradict themselves.",
    )


def _curves(result: PriceSensitivity) -> dict[str, tuple[np.ndarray, str, str]]:
    frame = result.frame
    cheap, dear = frame["cheap"].to_numpy(), frame["expensive"].to_numpy()
    inner = (
        {"not cheap": (1 - cheap, CHEAP, "-"), "not expensive": (1 - dear, DEAR, "-")}
        if result.convention == "original"
        else {"cheap": (cheap, CHEAP, "-"), "expensive": (dear, DEAR, "-")}
    )
    outer = {
        "too cheap": (frame["too_cheap"].to_numpy(), CHEAP, ":"),
        "too expensive": (frame["too_expensive"].to_numpy(), DEAR, ":"),
    }
    return outer | inner


def _reach(price: np.ndarray, result: PriceSensitivity) -> tuple[float, float]:
    """Prices that are drawn: a few very dear answers must not press all others together."""
    points = [one.estimate for one in result.points.values() if np.isfinite(one.estimate)]
    middle = result.frame[(result.frame["too_cheap"] < 0.99)]["price"]
    far = result.frame[(result.frame["too_expensive"] < 0.99)]["price"]
    low = min([*points, float(middle.min())]) if len(middle) else float(price.min())
    high = max([*points, float(far.max())]) if len(far) else float(price.max())
    margin = 0.04 * ((high - low) or 1.0)
    return low - margin, high + margin


def _write_points(
    ax: Axes, result: PriceSensitivity, curves: dict[str, tuple[np.ndarray, str, str]]
) -> None:
    price = result.frame["price"].to_numpy(float)
    inner = list(curves)[2:]
    dear = inner[1]
    pairs = {
        "pmc": ("too cheap", inner[0] if result.convention == "original" else dear),
        "opp": ("too cheap", "too expensive"),
        "idp": (inner[0], inner[1]),
        "pme": ("too expensive", dear if result.convention == "original" else inner[0]),
    }
    known = {n: one.estimate for n, one in result.points.items() if np.isfinite(one.estimate)}
    x = np.array(list(known.values()))
    y = np.array(
        [
            np.mean([np.interp(at, price, curves[curve][0]) for curve in pairs[name]])
            for name, at in known.items()
        ]
    )
    ax.plot(x, y, "o", color=PALETTE["black"], ms=9, zorder=5)
    names = [f"{name.upper()} {_price(at)}" for name, at in known.items()]
    name_points(ax, x, y, names, fontsize=14)


def _meter_sentence(result: PriceSensitivity) -> str:
    unit = f" {result.currency}" if result.currency else ""
    low, high, even = (result.points[n].estimate for n in ("pmc", "pme", "idp"))
    if not np.isfinite([low, high, even]).all():
        return f"{made_up(result)}The curves do not all cross: no acceptable range"
    return (
        f"{made_up(result)}Prices from {_price(low)} to {_price(high)}{unit} are acceptable; as "
        f"many find {_price(even)}{unit} cheap as expensive"
    )


def stated_demand_curve(
    result: StatedDemand, ax: Axes | None = None, *, profit: bool = True
) -> Axes:
    """Draw the share that accepts each price, and the profit it brings, as a share of the best.

    Parameters
    ----------
    result : StatedDemand
        From `keycustomer.pricing.gabor_granger` or `bdm_demand`.
    ax : Axes, optional
        Axes to draw into.
    profit : bool
        Whether the profit is drawn; otherwise the revenue.
    """
    ax = new_axes(ax, size=(10, 6.6))
    frame, what = result.frame, "profit" if profit else "revenue"
    price, best = frame["price"], result.best_profit if profit else result.best_revenue
    ax.fill_between(price, frame["lower"], frame["upper"], color=CHEAP, alpha=0.18, lw=0)
    marker = "o" if len(frame) <= 30 else ""
    ax.plot(price, frame["demand"], color=CHEAP, marker=marker, ms=8, label="accept the price")
    gain = frame[what] / frame[what].max()
    ax.plot(
        price, gain, color=DEAR, ls="--", marker=marker, ms=8, label=f"{what}, share of the largest"
    )
    if np.isfinite([best.lower, best.upper]).all():
        ax.axvspan(best.lower, best.upper, color=PALETTE["light grey"], alpha=0.5, lw=0, zorder=0)
    ax.axvline(best.estimate, color=PALETTE["black"], lw=1.5, zorder=1)
    _money_axis(ax, float(price.max()))
    ax.set_ylim(min(-0.02, max(float(gain.min()), -0.3) - 0.02), 1.05)
    percent_axis(ax.yaxis)
    ax.set_ylabel("Share of respondents, of the largest")
    ax.set_xlabel(axis_label("price per unit", result.currency) + "; grey: interval of the best")
    legend_below(ax, columns=2)
    share = float(np.interp(best.estimate, price, frame["demand"]))
    unit = f" {result.currency}" if result.currency else ""
    finding(
        ax,
        f"{made_up(result)}At {_price(best.estimate)}{unit} the {what} is largest, and "
        f"{percent(share, 0)} accept",
    )
    at = "; ".join(
        f"{_price(row['price'])}: {percent(row['demand'], 0)}"
        for row in frame.iloc[:: max(1, len(frame) // 8)].to_dict("records")
    )
    return describe(
        ax,
        f"{made_up(result)}{result.method}: share of {result.respondents:,} respondents who "
        f"accept a price: {at}. Best price by {what}: {best}{unit}.",
    )


def reach_curves(result: ReachCurves, ax: Axes | None = None) -> Axes:
    """Draw reach, revenue and profit by price, each as a share of its largest.

    Parameters
    ----------
    result : ReachCurves
        From `keycustomer.pricing.newton_miller_smith`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 6.6))
    frame = result.frame
    drawn = [("reach", result.best_reach, CHEAP, "-"), ("revenue", result.best_revenue, DEAR, "--")]
    if result.unit_cost > 0:
        drawn.append(("profit", result.best_profit, PALETTE["green"], ":"))
    for name, best, colour, style in drawn:
        values = (frame[name] / frame[name].max()).clip(lower=-0.05)
        ax.plot(frame["price"], values, color=colour, ls=style, label=name)
        ax.plot(best.estimate, 1, "o", color=colour, ms=11, zorder=5)
    ax.set_ylim(-0.05, 1.08)
    _money_axis(ax, float(frame["price"].max()))
    percent_axis(ax.yaxis)
    ax.set_ylabel("Share of the largest")
    ax.set_xlabel(axis_label("price per unit", result.currency))
    legend_below(ax, columns=3)
    unit = f" {result.currency}" if result.currency else ""
    told = ", ".join(f"{name} at {_price(best.estimate)}{unit}" for name, best, _, _ in drawn)
    finding(ax, f"{made_up(result)}Largest {told}")
    most = percent(float(frame["reach"].max()))
    return describe(
        ax,
        f"{made_up(result)}Reach, revenue and profit by price after Newton, Miller and Smith, "
        f"from {result.respondents:,} questionnaires; the largest reach is {most}. "
        + "; ".join(f"{name} is largest at {best}{unit}" for name, best, _, _ in drawn),
    )


def judged_price_curve(result: JudgedPrices, ax: Axes | None = None) -> Axes:
    """Draw the profit each price would truly bring, and the prices recommended.

    Parameters
    ----------
    result : JudgedPrices
        From `keycustomer.pricing.judge_price_points`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 6.8))
    worth = result.willingness_to_pay
    end = max(float(np.quantile(worth, 0.99)), 1.05 * float(result.frame["price"].max()))
    start = min(float(result.frame["price"].min()), max(result.unit_cost, float(worth.min())))
    prices = np.linspace(0.9 * start, end, POINTS)
    demand = 1 - np.searchsorted(worth, prices, side="left") / len(worth)
    profit = 100 * (prices - result.unit_cost) * demand
    ax.plot(prices, profit, color=CHEAP)
    ax.plot(result.best_price, result.best_profit, "D", color=DEAR, ms=12, zorder=5)
    frame = result.frame
    ax.plot(frame["price"], frame["profit"], "o", color=PALETTE["black"], ms=10, zorder=5)
    low = min(0.0, float(profit.min()), float(frame["profit"].min()))
    _money_axis(ax, end)
    ax.set_ylim(low * 1.05, 1.16 * result.best_profit)
    number_axis(ax.yaxis)
    ax.set_ylabel(axis_label("profit per 100 customers", result.currency))
    ax.set_xlabel(axis_label("price per unit, simulated", result.currency))
    handles: list[Any] = [
        Line2D([], [], color=CHEAP, label="true profit by price"),
        Line2D([], [], color=DEAR, marker="D", ms=11, ls="", label="largest"),
        Line2D([], [], color=PALETTE["black"], marker="o", ms=10, ls="", label="recommended"),
    ]
    legend_below(ax, columns=3, handles=handles)
    finding(ax, _judged_sentence(result))
    names = [
        f"{shorten(row['name'], LONGEST)}: {percent(row['share_of_best'], 0)}"
        for row in frame.to_dict("records")
    ]
    name_points(
        ax,
        [result.best_price, *frame["price"]],
        [result.best_profit, *frame["profit"]],
        [f"best {_price(result.best_price)}", *names],
        colours=[DEAR, *[PALETTE["black"]] * len(frame)],
        width=LONGEST + 8,
        fontsize=14,
    )
    told = "; ".join(
        f"{row['name']} at {_price(row['price'])} brings {compact_number(row['profit'])}"
        for row in frame.to_dict("records")
    )
    return describe(
        ax,
        f"Simulated: profit per 100 customers by price at a unit cost of {result.unit_cost:.4g}, "
        f"largest {compact_number(result.best_profit)} at {_price(result.best_price)}. {told}.",
    )


def _judged_sentence(result: JudgedPrices) -> str:
    frame = result.frame
    worst = frame.iloc[int(frame["share_of_best"].argmin())]
    if worst["share_of_best"] > 0.99:
        return "Simulated: every recommended price brings nearly the largest profit"
    return (
        f"Simulated: {shorten(worst['name'], LONGEST)} brings {percent(worst['share_of_best'], 0)} "
        f"of the profit that {_price(result.best_price)} would bring"
    )


def _money_axis(ax: Axes, most: float) -> None:
    if most >= FULL:
        number_axis(ax.xaxis)


def _price(value: float) -> str:
    """Write a price: in full where it is short, else in thousands or millions."""
    return f"{value:,.4g}" if abs(value) < FULL else compact_number(value)

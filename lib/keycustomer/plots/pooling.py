"""Figures of elasticities by customer and tier, and of what pooling and dropped zeros do to them.

:func:`shrinkage_map` sets the estimate of every customer beside what its own months alone say,
:func:`tier_elasticity_dots` draws the tiers with the customers behind them,
:func:`pooling_error_dots` and :func:`pooling_coverage_dots` hold ways of pooling against the truth,
and :func:`zero_trap_dots` shows elasticities by what is done with weeks without a sale.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import UNDERLAY, interval_text, name_rows, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    describe,
    escape_label,
    finding,
    new_axes,
    palette,
    percent,
    percent_axis,
)
from keycustomer.plots.words import capital, hundredths, made_up

if TYPE_CHECKING:
    from keycustomer.pricing.pooling.comparison import PoolingComparison
    from keycustomer.pricing.pooling.customers import CustomerElasticities
    from keycustomer.pricing.pooling.zeros import ZeroTrap

MOST_TIERS = 6
"""Tiers that have a colour of their own."""

INNER = 0.98
"""Share of the own estimates that the map shows; the rest lies at its edges."""

NARROW = 52
"""Columns of a title above axes that have numbers and their label at the left."""

SHORT = 10
"""Characters of names of which four stand side by side in a legend."""

LONGEST = 26
"""Characters of a name of a tier or method."""

WAY_MARKS = ("o", "s", "D")
"""Marks of what is done with zeros, so that colours are not all that tells them apart."""


def shrinkage_map(result: CustomerElasticities, ax: Axes | None = None) -> Axes:
    """Draw every customer's own estimate against the one that its tier helped to make.

    Parameters
    ----------
    result : CustomerElasticities
        From `keycustomer.pricing.customer_elasticities`, by any pooling.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 6.6))
    frame = result.frame.dropna(subset=["own_estimate", "elasticity"])
    low, high = _window(frame["own_estimate"], frame["elasticity"])
    ax.axline((0, 0), slope=1, color=PALETTE["grey"], ls="--", lw=2)
    colours = _tier_colours(result.tiers["tier"])
    for tier, colour in colours.items():
        part = frame[frame["tier"] == tier]
        inside = part["own_estimate"].clip(low, high)
        size = 30 + 170 * (1 - part["shrinkage"].clip(0, 1))
        ax.scatter(inside, part["elasticity"], s=size, color=colour, alpha=0.45, lw=0)
        mean = result.tiers.loc[result.tiers["tier"] == tier, "mean"].to_numpy(float)
        ax.axhline(mean[0], color=colour, lw=1.5)
    ax.set_xlim(low, high)
    ax.set_xlabel("own purchases alone: elasticity (estimates beyond the edges lie on them)")
    ax.set_ylabel(f"{result.method}: elasticity")
    named = colours if len(colours) <= MOST_TIERS else {"customers": PALETTE["blue"]}
    handles = [
        Line2D([], [], marker="o", ls="", ms=12, color=colour, label=_name(tier))
        for tier, colour in named.items()
    ]
    handles.append(Line2D([], [], color=PALETTE["grey"], ls="--", label="as estimated alone"))
    short = max(len(str(tier)) for tier in named) <= SHORT
    legend_below(ax, columns=4 if short else 2, handles=handles)
    sentence = _shrunk_sentence(frame, result)
    finding(ax, made_up(result) + sentence, width=NARROW)
    means = ", ".join(f"{row.tier} {row.mean:.2f}" for row in result.tiers.itertuples())
    return describe(
        ax,
        f"{sentence}. Means of the tiers: {means}. Points are customers; the larger, the more of "
        "the estimate is their own.",
    )


def _shrunk_sentence(frame: pd.DataFrame, result: CustomerElasticities) -> str:
    if frame.empty:
        return "No customer has an estimate of its own"
    own = float(frame["own_estimate"].quantile(0.9) - frame["own_estimate"].quantile(0.1))
    drawn = float(frame["elasticity"].quantile(0.9) - frame["elasticity"].quantile(0.1))
    return (
        f"Alone, the middle 80 % of customers span {own:.1f} units of elasticity; with "
        f"{result.method}, {drawn:.1f}"
    )


def tier_elasticity_dots(result: CustomerElasticities, ax: Axes | None = None) -> Axes:
    """Draw the mean elasticity of each tier, and how far its customers spread about it.

    Parameters
    ----------
    result : CustomerElasticities
        From `keycustomer.pricing.customer_elasticities`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.tiers.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.8 * len(frame)))
    at = np.arange(len(frame))
    spread = 0.0 if math.isnan(result.tau.estimate) else result.tau.estimate
    ax.hlines(at, frame["mean"] - spread, frame["mean"] + spread, color=PALETTE["sky"], lw=16)
    ax.hlines(at, frame["lower"], frame["upper"], color=PALETTE["blue"], lw=4)
    ax.plot(frame["mean"], at, "o", color=PALETTE["blue"], ms=13)
    ax.axvline(-1, color=PALETTE["grey"], ls="--", lw=2)
    labels = [f"{_name(row.tier)}\n{row.customers:,} customers" for row in frame.itertuples()]
    name_rows(ax, labels)
    ax.set_xlabel("own-price elasticity")
    handles = [
        Line2D([], [], color=PALETTE["blue"], marker="o", ms=11, label="mean of the tier"),
        Line2D([], [], color=PALETTE["sky"], lw=12, label="customers, 1 sd each way"),
        Line2D([], [], color=PALETTE["grey"], ls="--", label="-1".replace("-", "\N{MINUS SIGN}")),
    ]
    legend_below(ax, columns=3, handles=handles)
    sentence = _tier_sentence(result)
    finding(ax, made_up(result) + sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['tier']} {interval_text(row['mean'], row['lower'], row['upper'])}, standard "
        f"deviation of customers {row['spread']:.2f}".replace(" nan", " not known")
        for row in result.tiers.to_dict("records")
    )
    return describe(ax, f"{sentence}. Elasticity by tier ({result.method}): {told}.")


def _tier_sentence(result: CustomerElasticities) -> str:
    if len(result.tiers) < 2:
        row = result.tiers.iloc[0]
        return f"Elasticity {interval_text(row['mean'], row['lower'], row['upper'])}"
    first, last = (shorten(result.tiers["tier"].iloc[k], LONGEST) for k in (0, -1))
    difference = result.difference()
    if math.isnan(difference.lower):
        return f"Too few customers tell whether {first} and {last} differ in elasticity"
    if difference.lower <= 0 <= difference.upper:
        return f"Whether {first} and {last} differ in elasticity cannot be told: {difference}"
    side = "less" if difference.estimate > 0 else "more"
    return f"{first} is {side} elastic than {last}: difference {difference}"


def pooling_error_dots(
    result: PoolingComparison, ax: Axes | None = None, *, tier: str = "all"
) -> Axes:
    """Draw the typical error of a customer's elasticity by way of pooling.

    Parameters
    ----------
    result : PoolingComparison
        From `keycustomer.pricing.pooling_comparison`, or over seeds or companies.
    ax : Axes, optional
        Axes to draw into.
    tier : str
        Tier; "all" for all.
    """
    frame = _methods(result, tier)
    ax = new_axes(ax, size=(10, 2.2 + 0.7 * len(frame)))
    at = np.arange(len(frame))
    colours = [PALETTE["blue"] if name == result.best else PALETTE["grey"] for name in frame.index]
    ax.hlines(at, frame["rmse"].min() / 1.3, frame["rmse"], color=PALETTE["light grey"], lw=3)
    ax.scatter(frame["rmse"], at, s=170, color=colours, zorder=3)
    for y, value in zip(at, frame["rmse"], strict=True):
        ax.annotate(f"{value:.2f}", (value, y), (9, 9), textcoords="offset points", fontsize=14)
    ax.set_xscale("log")
    ax.set_xlim(frame["rmse"].min() / 1.3, frame["rmse"].max() * 1.6)
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_formatter(lambda value, _: "")
    name_rows(ax, list(frame.index))
    ax.set_xlabel("root mean squared error of customers' elasticities (log scale)")
    worst, best = str(frame["rmse"].idxmax()), str(frame["rmse"].idxmin())
    ratio = frame["rmse"].max() / frame["rmse"].min()
    sentence = (
        f"{capital(best)} comes nearest to the true elasticities; {worst} errs "
        f"{ratio:,.1f} times as much"
    )
    finding(ax, f"Simulated: {sentence}", width=title_width(ax, list(frame.index)))
    told = "; ".join(f"{name} {value:.2f}" for name, value in frame["rmse"].items())
    return describe(ax, f"{sentence}, {_over(result)}. Errors: {told}.")


def pooling_coverage_dots(
    result: PoolingComparison, ax: Axes | None = None, *, tier: str = "all"
) -> Axes:
    """Draw how many intervals hold the true elasticity, by way of pooling.

    Parameters
    ----------
    result : PoolingComparison
        From `keycustomer.pricing.pooling_comparison`, or over seeds or companies.
    ax : Axes, optional
        Axes to draw into.
    tier : str
        Tier; "all" for all.
    """
    frame = _methods(result, tier)
    ax = new_axes(ax, size=(10, 2.4 + 0.7 * len(frame)))
    at = np.arange(len(frame))
    ax.axvline(result.level, color=PALETTE["vermilion"], ls="--", lw=2.5)
    if "coverage_error" in frame:
        reach = 2 * frame["coverage_error"].fillna(0)
        ends = (frame["coverage"] - reach).clip(0, 1), (frame["coverage"] + reach).clip(0, 1)
        ax.hlines(at, *ends, color=PALETTE["blue"], lw=4)
    ax.plot(frame["coverage"], at, "o", color=PALETTE["blue"], ms=13)
    for y, value in zip(at, frame["coverage"], strict=True):
        place: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "bbox": UNDERLAY}
        ax.annotate(percent(value, 0), (value, y), (-11, 9), **place)
    ax.set_xlim(min(-0.02, frame["coverage"].min() - 0.15), 1.02)
    percent_axis(ax.xaxis)
    name_rows(ax, list(frame.index))
    ax.set_xlabel("intervals that hold the customer's true elasticity")
    promised = Line2D([], [], color=PALETTE["vermilion"], ls="--", label="promised")
    legend_below(ax, handles=[promised])
    short = frame[frame["coverage"] < result.level - 0.02]
    sentence = (
        f"Promised {percent(result.level, 0)}: {_listed(short)}"
        if len(short)
        else f"All intervals hold the truth about as often as promised ({percent(result.level, 0)})"
    )
    finding(ax, f"Simulated: {sentence}", width=title_width(ax, list(frame.index)))
    told = "; ".join(f"{name} {percent(value)}" for name, value in frame["coverage"].items())
    return describe(ax, f"{sentence}, {_over(result)}. Intervals that hold the truth: {told}.")


def _listed(short: pd.DataFrame) -> str:
    ordered = short["coverage"].sort_values()
    name, value = str(ordered.index[0]), float(ordered.iloc[0])
    said = f"{name} holds {percent(value, 0)}"
    if len(ordered) > 1:
        name, value = str(ordered.index[-1]), float(ordered.iloc[-1])
        said += f", {name} {percent(value, 0)}"
    return said


def zero_trap_dots(result: ZeroTrap, ax: Axes | None = None) -> Axes:
    """Draw elasticities by tier and by what is done with rows without a sale.

    Parameters
    ----------
    result : ZeroTrap
        From `keycustomer.pricing.zero_trap`, or over seeds.
    ax : Axes, optional
        Axes to draw into.
    """
    table = result.by_tier.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 1.0 * len(table)))
    ways = list(dict.fromkeys(result.frame["way"]))
    place = {tier: k for k, tier in enumerate(table["tier"])}
    for number, (way, colour) in enumerate(zip(ways, palette(len(ways)), strict=True)):
        part = result.frame[result.frame["way"] == way]
        at = part["tier"].map(place) + 0.24 * (len(ways) - 1 - 2 * number) / 2
        ax.hlines(at, part["lower"], part["upper"], color=colour, lw=4)
        mark = WAY_MARKS[number % len(WAY_MARKS)]
        ax.plot(part["elasticity"], at, mark, color=colour, ms=11, label=way)
    if "truth" in result.frame:
        truth = result.frame.groupby("tier")["truth"].first()
        at = truth.index.map(place).to_numpy(float)
        ax.vlines(truth, at - 0.42, at + 0.42, color=PALETTE["black"], lw=2.5, label="truth")
    labels = [
        f"{_name(row['tier'])}\n{percent(row['zeros'], 0)} without a sale"
        for row in table.to_dict("records")
    ]
    name_rows(ax, labels)
    ax.set_xlabel("own-price elasticity")
    legend_below(ax, columns=2)
    sentence = _trap_sentence(result.by_tier, ways)
    finding(ax, made_up(result) + sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['way']}, {row['tier']}: "
        f"{interval_text(row['elasticity'], row['lower'], row['upper'])}"
        for row in result.frame.to_dict("records")
    )
    return describe(ax, f"{sentence}. {told}.")


def _trap_sentence(table: pd.DataFrame, ways: list[str]) -> str:
    worst = table.sort_values("zeros").iloc[-1]
    dropped, kept = float(worst[ways[0]]), float(worst[ways[-1]])
    return (
        f"Where {percent(float(worst['zeros']), 0)} of the weeks have no sale, dropping them "
        f"turns an elasticity of {hundredths(kept)} into {hundredths(dropped)}"
    )


def _methods(result: PoolingComparison, tier: str) -> pd.DataFrame:
    """Rows of a tier by method, the first method at the end."""
    frame = result.frame[result.frame["tier"] == tier]
    if frame.empty:
        tiers = result.frame["tier"].unique().tolist()
        raise ValueError(f"no tier {tier!r} in the comparison; there are {tiers}")
    return frame.set_index("method").iloc[::-1]


def _over(result: PoolingComparison) -> str:
    return f"over {result.repetitions:,} {result.what}" if result.repetitions > 1 else result.what


def _window(own: pd.Series, drawn: pd.Series) -> tuple[float, float]:
    """Give the ends of the axis of own estimates: nearly all of them, and all that are drawn."""
    if own.empty:
        return -3.0, 1.0
    low, high = own.quantile([(1 - INNER) / 2, (1 + INNER) / 2])
    low, high = min(float(low), float(drawn.min())), max(float(high), float(drawn.max()))
    room = 0.05 * max(high - low, 0.2)
    return low - room, high + room


def _tier_colours(tiers: pd.Series) -> dict[str, str]:
    """Colours of tiers; one for all where there are too many."""
    names = list(tiers)
    colours = palette(len(names)) if len(names) <= MOST_TIERS else [PALETTE["blue"]] * len(names)
    return dict(zip(names, colours, strict=True))


def _name(tier: object) -> str:
    return escape_label(shorten(tier, LONGEST))

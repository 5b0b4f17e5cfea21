"""Figures of price elasticities: estimators beside the truth, and what identifies them.

:func:`elasticity_dots` draws estimators of the same elasticity with the truth where it is known;
:func:`recovery_points` the same over many companies; :func:`first_stage_points` whether an
instrument moves the price; :func:`price_quantity_points` what is left of quantities and prices once
effects are set aside; :func:`price_variation_bars` which comparison of prices is used;
:func:`cross_elasticity_map` what each product's price does to every product's sales.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import interval_text, name_rows, short_names, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    describe,
    escape_label,
    finding,
    new_axes,
    percent,
    percent_axis,
)
from keycustomer.plots.words import MINUS, hundredths, made_up

if TYPE_CHECKING:
    from keycustomer.pricing.elasticity.comparison import ElasticityComparison
    from keycustomer.pricing.elasticity.cross import CrossElasticities
    from keycustomer.pricing.elasticity.elasticities import Elasticities
    from keycustomer.pricing.elasticity.over_many import ElasticityRecovery

LOOKS = {
    "naive OLS": (PALETTE["vermilion"], "s"),
    "fixed effects": (PALETTE["orange"], "D"),
    "Poisson": (PALETTE["purple"], "v"),
    "IV": (PALETTE["blue"], "o"),
    "IV of changes": (PALETTE["green"], "^"),
}
"""Colour and mark of each estimator."""

LONGEST_NAME = 28
"""Letters of a name at an axis."""

BINS = 25
"""Points that a cloud of rows is averaged into."""


def elasticity_dots(
    result: ElasticityComparison, ax: Axes | None = None, *, group: str | None = None
) -> Axes:
    """Draw estimators of an elasticity with their intervals, and the truth where it is known.

    Parameters
    ----------
    result : ElasticityComparison
        From `keycustomer.pricing.elasticity_comparison`.
    ax : Axes, optional
        Axes to draw into.
    group : str, optional
        Tier to draw; left out, the first (or only) one.

    Raises
    ------
    ValueError
        When there is no such group.
    """
    rows = _of_group(result.frame, group)
    ax = new_axes(ax, size=(10, 2.6 + 0.62 * len(rows)))
    for place, row in enumerate(rows.iloc[::-1].to_dict("records")):
        colour, mark = LOOKS[row["method"]]
        ax.hlines(place, row["lower"], row["upper"], color=colour, lw=3.5)
        ax.plot(row["elasticity"], place, mark, color=colour, ms=11)
        if pd.notna(row["truth"]):
            label = "truth (simulated)" if place == 0 else "_"
            ax.vlines(row["truth"], place - 0.42, place + 0.42, color="black", lw=3, label=label)
    ax.axvline(0, color=PALETTE["grey"], lw=1.5, ls="--")
    names = [escape_label(name) for name in rows["method"]][::-1]
    name_rows(ax, names)
    ax.set_xlabel(f"own-price elasticity, {percent(result.level, 0)} interval")
    if rows["truth"].notna().any():
        legend_below(ax)
    finding(ax, _dots_finding(result, rows), width=title_width(ax, names))
    return describe(ax, _dots_description(result, rows))


def _of_group(frame: pd.DataFrame, group: str | None) -> pd.DataFrame:
    known = list(dict.fromkeys(frame["group"]))
    wanted = known[0] if group is None else group
    if wanted not in known:
        raise ValueError(f"group={group!r}: one of {known} is needed")
    return frame[frame["group"] == wanted]


def _dots_finding(result: ElasticityComparison, rows: pd.DataFrame) -> str:
    naive, best = rows.iloc[0], rows.iloc[-1]
    told = f"{naive['method']} finds {hundredths(naive['elasticity'])}"
    if len(rows) > 1:
        told += f", {best['method']} {hundredths(best['elasticity'])}"
    if pd.isna(best["truth"]):
        return f"{told}: the truth is not known"
    return f"{made_up(result)}{told}; true is {hundredths(best['truth'])}"


def _dots_description(result: ElasticityComparison, rows: pd.DataFrame) -> str:
    said = "; ".join(
        f"{row['method']} {interval_text(row['elasticity'], row['lower'], row['upper'])}"
        + (f", true {row['truth']:.2f}" if pd.notna(row["truth"]) else "")
        for row in rows.to_dict("records")
    )
    group = rows["group"].iloc[0]
    whose = "" if group == "all" else f" of {group}"
    return f"{made_up(result)}Own-price elasticity{whose} by estimator: {said}."


def recovery_points(result: ElasticityRecovery, ax: Axes | None = None) -> Axes:
    """Draw the errors of estimators in many simulated data sets.

    Parameters
    ----------
    result : ElasticityRecovery
        From `keycustomer.pricing.elasticity_over_companies` or `elasticity_over_panels`.
    ax : Axes, optional
        Axes to draw into.
    """
    table = result.summary.iloc[::-1]
    ax = new_axes(ax, size=(10, 2.6 + 0.75 * len(table)))
    for place, row in enumerate(table.to_dict("records")):
        colour, _ = LOOKS[row["method"]]
        error = result.frame.loc[result.frame["method"] == row["method"], "error"].to_numpy(float)
        shift = np.linspace(-0.28, 0.28, len(error))[np.argsort(np.argsort(error))]
        ax.plot(error, place + shift, "o", color=colour, ms=6, alpha=0.55, mew=0)
        ax.vlines(row["bias"], place - 0.4, place + 0.4, color=colour, lw=4)
    ax.axvline(0, color="black", lw=2)
    names = [
        f"{row['method']}\n{percent(row['coverage'], 0)} hold the truth"
        for row in table.to_dict("records")
    ]
    name_rows(ax, names)
    ax.set_xlabel("elasticity less truth; a point a data set, bar: mean error")
    rows = table.iloc[::-1].to_dict("records")
    said = "Simulated: on average " + ", ".join(
        f"{row['method']} is off by {row['bias']:+.2f}".replace("-", MINUS)
        for row in (rows[0], rows[-1])
    )
    finding(ax, said, width=title_width(ax, names))
    told = "; ".join(
        f"{row['method']} mean error {row['bias']:.2f} [{row['bias_lower']:.2f}, "
        f"{row['bias_upper']:.2f}], {percent(row['coverage'], 0)} of the intervals hold the truth"
        for row in rows
    )
    return describe(ax, f"Simulated, {result.what}. {told}.")


def first_stage_points(
    result: Elasticities, ax: Axes | None = None, *, group: str | None = None
) -> Axes:
    """Draw what the first instrument does to the price, effects and controls set aside.

    Parameters
    ----------
    result : Elasticities
        From `keycustomer.pricing.price_elasticity` with method "iv".
    ax : Axes, optional
        Axes to draw into.
    group : str, optional
        Group to draw; left out, the first one.

    Raises
    ------
    ValueError
        When nothing was instrumented, or there is no such group.
    """
    if result.first_stage.empty:
        raise ValueError("result: no instruments; estimate with method='iv'")
    stage = _of_group(result.first_stage, group).iloc[0]
    left, name = result.left[stage["group"]], result.columns.instruments[0]
    moved, price = left[name].to_numpy(), left["log_price"].to_numpy()
    ax = new_axes(ax)
    slope = float(moved @ price / (moved @ moved))
    _binned(ax, moved, price, PALETTE["blue"])
    _line(ax, moved, slope, PALETTE["blue"], "")
    shown = escape_label(shorten(name.replace("_", " "), LONGEST_NAME))
    ax.set_xlabel(f"{shown}, effects set aside")
    ax.set_ylabel("log price, effects set aside")
    verdict = "too weak" if stage["weak"] else "strong enough"
    said = (
        f"The instrument is {verdict}: effective F {stage['effective_f']:,.0f}, needed "
        f"{stage['critical_value']:,.0f}"
    )
    finding(ax, made_up(result) + said)
    return describe(
        ax,
        f"{made_up(result)}First stage, means of {len(moved):,} rows in {BINS} bins: log price "
        f"changes by {slope:.3g} per unit of {name}; {said}; it explains "
        f"{percent(stage['partial_r2'])} of what effects leave of the price.",
    )


def _binned(ax: Axes, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], colour: str) -> None:
    """Draw means of y and x in bins of x that hold as many rows each."""
    order = np.argsort(x, kind="stable")
    parts = [part for part in np.array_split(order, min(BINS, len(order))) if len(part)]
    ax.plot(
        [x[part].mean() for part in parts],
        [y[part].mean() for part in parts],
        "o",
        color=colour,
        ms=9,
        alpha=0.85,
    )


def _line(
    ax: Axes, x: npt.NDArray[np.float64], slope: float, colour: str, label: str, style: str = "-"
) -> None:
    """Draw a line through 0 over the middle of the values."""
    ends = np.quantile(x, [0.005, 0.995])
    ax.plot(ends, slope * ends, style, color=colour, lw=3, label=label)


def price_quantity_points(
    result: Elasticities, ax: Axes | None = None, *, group: str | None = None
) -> Axes:
    """Draw quantities against prices, effects, other prices and controls set aside.

    The line of an estimate by instruments need not go through the points: these are what least
    squares sees.

    Parameters
    ----------
    result : Elasticities
        From `keycustomer.pricing.price_elasticity`, of any method but "poisson".
    ax : Axes, optional
        Axes to draw into.
    group : str, optional
        Group to draw; left out, the first one.

    Raises
    ------
    ValueError
        When quantities were not logged, or there is no such group.
    """
    if result.method == "poisson":
        raise ValueError("result: a Poisson regression has no logs of quantities to draw")
    row = _of_group(result.own, group).iloc[0]
    left = result.left[row["group"]]
    price, sold = left["log_price"].to_numpy(), left["log_quantity"].to_numpy()
    plain = float(price @ sold / (price @ price))
    ax = new_axes(ax)
    _binned(ax, price, sold, PALETTE["grey"])
    told = f"{result.method} {hundredths(row['elasticity'])}"
    if result.method == "iv":
        least = f"least squares {hundredths(plain)}"
        _line(ax, price, plain, PALETTE["vermilion"], least, "--")
        told = f"instruments {hundredths(row['elasticity'])}"
    _line(ax, price, float(row["elasticity"]), PALETTE["blue"], told)
    ax.set_xlabel("log price, effects set aside")
    ax.set_ylabel("log quantity, effects set aside")
    legend_below(ax, columns=2)
    whose = "" if row["group"] == "all" else f" of {shorten(row['group'], LONGEST_NAME)}"
    said = f"1{chr(160)}% dearer changes sales{whose} by {hundredths(row['elasticity'])}{chr(160)}%"
    finding(ax, made_up(result) + said)
    return describe(
        ax,
        f"{made_up(result)}Mean log quantity by log price in {BINS} bins of "
        f"{len(price):,} rows. {result.method}: "
        f"{interval_text(row['elasticity'], row['lower'], row['upper'])}; plain slope {plain:.2f}.",
    )


def price_variation_bars(
    result: Elasticities, ax: Axes | None = None, *, group: str | None = None
) -> Axes:
    """Draw how much of the price variance effects set aside, and how much is used.

    Parameters
    ----------
    result : Elasticities
        From `keycustomer.pricing.price_elasticity`.
    ax : Axes, optional
        Axes to draw into.
    group : str, optional
        Group to draw; left out, the first one.

    Raises
    ------
    ValueError
        When there is no such group.
    """
    table = _of_group(result.price_variation, group).iloc[::-1]
    ax = new_axes(ax, size=(10, 2.2 + 0.62 * len(table)))
    shares = table["share"].to_numpy(float)
    used = table["source"].eq("left").to_numpy()
    colours = [PALETTE["blue"] if one else PALETTE["light grey"] for one in used]
    ax.barh(range(len(table)), shares, color=colours, height=0.66)
    for place, share in enumerate(shares):
        ax.text(share + 0.01, place, percent(share), va="center", fontsize=14)
    short = short_names(list(table["source"]), LONGEST_NAME)
    names = [
        "left: what is compared" if one else escape_label(short[source].replace("^", " x "))
        for source, one in zip(table["source"], used, strict=True)
    ]
    name_rows(ax, names)
    ax.set_xlim(0, max(1.0, float(shares.max())) * 1.12)
    percent_axis(ax.xaxis)
    ax.set_xlabel("share of the variance of log price")
    said = f"{percent(float(shares[used][0]))} of the price variance identifies the elasticity"
    finding(ax, made_up(result) + said, width=title_width(ax, names))
    told = "; ".join(f"{n} {percent(s)}" for n, s in zip(table["source"], shares, strict=True))
    return describe(
        ax, f"{made_up(result)}Variance of log price by what is set aside, and left: {told}."
    )


def cross_elasticity_map(result: CrossElasticities, ax: Axes | None = None) -> Axes:
    """Draw the matrix of own and cross elasticities.

    Parameters
    ----------
    result : CrossElasticities
        From `keycustomer.pricing.cross_elasticities`.
    ax : Axes, optional
        Axes to draw into.
    """
    table = result.matrix
    ax = new_axes(ax, size=(10, 2.6 + 0.75 * len(table)))
    values = table.to_numpy(float)
    reach = float(np.abs(values).max())
    ax.imshow(values, cmap="PuOr", vmin=-reach, vmax=reach, aspect="auto")
    sure = result.frame.assign(sure=result.frame["lower"] * result.frame["upper"] > 0)
    known = sure.pivot(index="product", columns="price_of", values="sure").loc[
        table.index, table.columns
    ]
    for row, column in np.ndindex(*values.shape):
        value = float(values[row, column])
        ax.text(
            column,
            row,
            hundredths(value),
            ha="center",
            va="center",
            fontsize=15,
            color="white" if abs(value) > 0.65 * reach else PALETTE["black"],
            fontweight="bold" if known.iloc[row, column] else "normal",
        )
    short = short_names(list(table.index), 18)
    labels = [escape_label(short[name]) for name in table.index]
    ax.set_xticks(
        range(len(labels)),
        labels,
        rotation=25 if len(labels) > 3 else 0,
        ha="right" if len(labels) > 3 else "center",
    )
    ax.set_yticks(range(len(labels)), labels)
    ax.grid(visible=False)
    ax.set_xlabel("whose price (bold: interval without 0)")
    ax.set_ylabel("whose sales")
    counts = result.frame["relation"].value_counts()
    said = (
        f"{int(counts.get('substitutes', 0))} of {len(result.frame) - len(table)} pairs take "
        "sales from each other"
    )
    finding(ax, made_up(result) + said, width=title_width(ax, labels))
    told = "; ".join(
        f"price of {row['price_of']} on sales of {row['product']} {row['elasticity']:.2f}"
        for row in result.frame.to_dict("records")
    )
    return describe(ax, f"{made_up(result)}Own and cross elasticities: {told}.")

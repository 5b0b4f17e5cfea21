"""Figures of concentration, classes, profit and RFM segments.

How much do a few customers bring, who are they, and who costs more than they bring?  Each
function draws one result of :mod:`keycustomer.pareto`, states the finding in the title, and
attaches a text alternative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

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
from keycustomer.stats import Estimate

if TYPE_CHECKING:
    from keycustomer.pareto.classes import AbcChange, AbcClasses, AbcXyz
    from keycustomer.pareto.concentration import Concentration
    from keycustomer.pareto.rfm import RfmSegments
    from keycustomer.pareto.whale import WhaleCurve

CLASS_COLOURS = {"A": PALETTE["blue"], "B": PALETTE["sky"], "C": PALETTE["light grey"]}
"""The same class has the same colour in every figure."""

XYZ_LABELS = {"X": "X\nregular", "Y": "Y\nvarying", "Z": "Z\nirregular"}

HIGHLIGHT = 18
"""Letter size of a number that a whole classroom has to read."""


def pareto_curve(result: Concentration, ax: Axes | None = None, *, top: float = 0.2) -> Axes:
    """Draw the share of value of the top customers, with its band and the top 20 % marked.

    Parameters
    ----------
    result : Concentration
        From `keycustomer.pareto.concentration`.
    ax : Axes, optional
        Axes to draw into.
    top : float
        Share of customers to mark; must be one of the result's tops.
    """
    ax = new_axes(ax)
    marked = _marked(result, top)
    curve = result.curve
    ax.fill_between(
        curve["customers"], curve["lower"], curve["upper"], color=PALETTE["sky"], alpha=0.4, lw=0
    )
    ax.plot(curve["customers"], curve["value"], color=PALETTE["blue"])
    ax.plot([0, 1], [0, 1], color=PALETTE["grey"], ls="--", lw=1.5)
    ax.annotate("all customers equal", (0.62, 0.58), color=PALETTE["grey"], fontsize=13)
    ax.plot(
        [top, top, 0],
        [0, marked.estimate, marked.estimate],
        color=PALETTE["vermilion"],
        lw=1.5,
        ls=":",
    )
    ax.plot(top, marked.estimate, "o", color=PALETTE["vermilion"], ms=11)
    ax.annotate(
        f"top {_share(top)}: {percent(marked.estimate)}",
        (top + 0.03, min(marked.estimate, 0.97)),
        va="top",
        color=PALETTE["vermilion"],
        fontsize=HIGHLIGHT,
        weight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
    )
    who = "buyers" if result.population == "buyers" else "customers"
    _unit_square(ax, f"Share of {who}, the largest first", f"Share of {result.quantity}")
    ax.set_ylim(min(0, curve["value"].min()), max(1.02, curve["value"].max() * 1.03))
    sentence = f"The top {_share(top)} of {who} bring {_with_interval(marked)} of {result.quantity}"
    finding(ax, sentence)
    needed = "; ".join(
        f"{percent(e.estimate)} of {who} bring {_share(s)} of it" for s, e in result.needed.items()
    )
    others = ", ".join(f"top {_share(p)}: {percent(e.estimate)}" for p, e in result.top.items())
    return describe(
        ax,
        f"Curve of the cumulative share of {result.quantity} over {result.customers:,} {who} "
        f"sorted from the largest. {others}; {needed}.",
    )


def lorenz_curve(result: Concentration, ax: Axes | None = None) -> Axes:
    """Draw the Lorenz curve, from the smallest customer up, with the Gini area.

    Parameters
    ----------
    result : Concentration
        From `keycustomer.pareto.concentration`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    x, y = 1 - result.curve["customers"][::-1], 1 - result.curve["value"][::-1]
    ax.fill_between(x, y, x, color=PALETTE["sky"], alpha=0.35, lw=0)
    ax.plot([0, 1], [0, 1], color=PALETTE["grey"], ls="--", lw=1.5)
    ax.plot(x, y, color=PALETTE["blue"])
    ax.annotate("all customers equal", (0.44, 0.48), ha="right", color=PALETTE["grey"], fontsize=13)
    who = "buyers" if result.population == "buyers" else "customers"
    _unit_square(ax, f"Share of {who}, the smallest first", f"Share of {result.quantity}")
    ax.set_ylim(min(0, y.min() * 1.05), 1.02)
    half = float(np.interp(0.5, x, y))
    small = f"The smaller half of {who} brings {percent(half)} of {result.quantity}"
    if math.isnan(result.gini.estimate):
        finding(ax, f"{small}; with negative values there is no Gini")
    else:
        finding(ax, f"{small}; Gini {_index(result.gini)}")
        ax.annotate(
            f"Gini {result.gini.estimate:.2f}", (0.55, 0.33), fontsize=HIGHLIGHT, weight="bold"
        )
    return describe(
        ax,
        f"Lorenz curve of {result.quantity} of {result.customers:,} {who}. {small}. "
        f"Gini: {_index(result.gini)}.",
    )


def decile_bars(result: Concentration, ax: Axes | None = None) -> Axes:
    """Draw the share of value of each tenth of the customers, with intervals.

    Parameters
    ----------
    result : Concentration
        From `keycustomer.pareto.concentration`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    table = result.deciles
    colours = [PALETTE["blue"] if d == 1 else PALETTE["sky"] for d in table["decile"]]
    bars = ax.bar(table["decile"], table["share"], color=colours, width=0.8)
    errors = np.abs(table[["lower", "upper"]].to_numpy().T - table["share"].to_numpy())
    ax.errorbar(
        table["decile"],
        table["share"],
        errors,
        fmt="none",
        ecolor=PALETTE["black"],
        lw=1.5,
        capsize=4,
    )
    for bar, share, upper in zip(bars, table["share"], table["upper"], strict=True):
        height = max(bar.get_height(), 0 if math.isnan(upper) else upper)
        ax.annotate(
            percent(share),
            (bar.get_x() + 0.4, height),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=13,
        )
    ax.axhline(0.1, color=PALETTE["grey"], ls="--", lw=1.5)
    ax.annotate(
        "equal customers",
        (10.4, 0.1),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        color=PALETTE["grey"],
        fontsize=13,
    )
    ax.set(
        xlabel="Tenth of the customers, 1 = largest",
        ylabel=f"Share of {result.quantity}",
        xticks=range(1, 11),
    )
    ax.grid(visible=False, axis="x")
    percent_axis(ax.yaxis)
    first, last = (percent(share) for share in table["share"].iloc[[0, -1]])
    finding(ax, f"The largest tenth brings {first} of {result.quantity}, the smallest {last}")
    listed = ", ".join(percent(share) for share in table["share"])
    return describe(
        ax,
        f"Bars of the share of {result.quantity} by tenth of {_count(result.customers)}, largest "
        f"first: {listed}.",
    )


def whale_curve(result: WhaleCurve, ax: Axes | None = None) -> Axes:
    """Draw cumulative profit from the most profitable customer down.

    Parameters
    ----------
    result : WhaleCurve
        From `keycustomer.pareto.whale_curve`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    relative = result.total > 0
    x, y = result.curve["customers"], result.curve["share" if relative else "value"]
    peak_x, end = result.peak_position.estimate, 1.0 if relative else result.total
    peak_y = result.peak_height.estimate if relative else result.gains
    ax.plot(x, y, color=PALETTE["blue"])
    ax.fill_between(x, y, peak_y, where=x >= peak_x, color=PALETTE["vermilion"], alpha=0.25, lw=0)
    ax.axhline(end, color=PALETTE["grey"], ls="--", lw=1.5)
    ax.axhline(0, color=PALETTE["grey"], lw=1)
    ax.plot(peak_x, peak_y, "o", color=PALETTE["vermilion"], ms=11)
    label = percent(peak_y, 0) if relative else compact_number(peak_y)
    ax.annotate(
        f"peak {label}",
        (peak_x, peak_y),
        xytext=(0, 10),
        textcoords="offset points",
        ha="center",
        color=PALETTE["vermilion"],
        fontsize=HIGHLIGHT,
        weight="bold",
    )
    ax.annotate(
        f"final {result.quantity}: {compact_number(result.total)}",
        (0.62, end),
        xytext=(0, -6 if relative else 6),
        textcoords="offset points",
        va="top" if relative else "bottom",
        color=PALETTE["grey"],
        fontsize=14,
    )
    ax.set(xlabel=f"Share of customers, highest {result.quantity} first", xlim=(0, 1))
    ax.set_ylabel(f"Cumulative {result.quantity}" + (", share of total" if relative else ""))
    low, high = min(y.min(), 0.0), max(y.max(), end)
    ax.set_ylim(low - 0.03 * (high - low), high + 0.15 * (high - low))
    percent_axis(ax.xaxis)
    (percent_axis if relative else number_axis)(ax.yaxis)
    sentence = _whale_sentence(result)
    finding(ax, sentence)
    return describe(
        ax,
        f"Whale curve of {_count(result.customers)}, highest {result.quantity} first. {sentence}; "
        f"the peak is {label}{' of the total' if relative else ''} after {percent(peak_x)} of the "
        "customers.",
    )


def _whale_sentence(result: WhaleCurve) -> str:
    if not result.losers:
        return f"No customer costs more than it brings: {result.quantity} only rises"
    losers = percent(result.loss_makers.estimate)
    if not result.gainers:
        return f"No customer brings {result.quantity}; {losers} of customers lose it"
    eaten = percent(result.erosion.estimate)
    return (
        f"{losers} of customers cost more than they bring; they eat {eaten} of what the others earn"
    )


def abc_bars(result: AbcClasses, ax: Axes | None = None) -> Axes:
    """Draw the share of customers beside the share of value of the classes A, B and C.

    Parameters
    ----------
    result : AbcClasses
        From `abc_by_rank` or `abc_by_value`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    shares = result.summary.set_index("abc")[["customer_share", "value_share"]]
    rows = ("customers", escape_label(result.by, 18))
    for place, column in enumerate(shares):
        left = 0.0
        for abc, share in zip(CLASS_COLOURS, shares[column].tolist(), strict=True):
            _class_bar(ax, place, left, share, abc)
            left += share
    ax.set_yticks(range(len(rows)), rows)
    ends = shares["value_share"].cumsum()
    ax.set(xlim=(min(0.0, ends.min()), max(1.0, ends.max())), xlabel="Share")
    ax.set_ylim(1.45, -0.6)
    ax.grid(visible=False)
    percent_axis(ax.xaxis)
    a = _rows(result.summary)[0]
    finding(
        ax,
        f"Class A: {percent(a.customer_share)} of customers with "
        f"{percent(a.value_share)} of {result.by}",
    )
    listed = "; ".join(
        f"{s.abc}: {_count(s.customers)} ({percent(s.customer_share)}) with "
        f"{percent(s.value_share)} of {result.by}"
        for s in _rows(result.summary)
    )
    return describe(ax, f"Bars of classes by {result.rule}. {listed}.")


def _class_bar(ax: Axes, place: int, left: float, share: float, abc: str) -> None:
    """Draw one class in one row; a class too narrow for its label gets it above the bar."""
    ax.barh(place, share, left=left, height=0.6, color=CLASS_COLOURS[abc], edgecolor="white", lw=2)
    if not share > 0:
        return
    wide = share > 0.09
    ax.text(
        left + share / 2 if wide else left,
        place if wide else place - 0.33,
        f"{abc}\n{percent(share, 0)}" if wide else f"{abc} {percent(share, 0)}",
        ha="center" if wide else "left",
        va="center" if wide else "bottom",
        color="white" if wide and abc == "A" else PALETTE["black"],
        fontsize=HIGHLIGHT,
        weight="bold",
    )


def abc_change_map(result: AbcChange, ax: Axes | None = None) -> Axes:
    """Draw how many customers have which class on two measures.

    Parameters
    ----------
    result : AbcChange
        From `abc_change`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(9, 6))
    counts = result.counts
    shares = counts.div(counts.sum(axis=1).where(lambda total: total > 0), axis=0)
    texts = [
        [f"{counts.loc[a, b]:,}\n{_percent_or_blank(shares.loc[a, b])}" for b in counts.columns]
        for a in counts.index
    ]
    _heat(ax, shares.fillna(0), texts)
    ax.set_xlabel(f"Class by {escape_label(result.second)}")
    ax.set_ylabel(f"Class by {escape_label(result.first)}")
    stays, *lower = counts.to_numpy()[0].tolist()
    lost, large = sum(lower), stays + sum(lower)
    sentence = (
        f"{lost:,} of {large:,} class A customers by {result.first} "
        f"are not class A by {result.second}"
    )
    finding(ax, sentence)
    return describe(
        ax,
        f"Table of customers by class on {result.first} and on {result.second}, with shares of "
        f"the row. {sentence}; {result.moved:,} of {len(result.customers):,} change class.",
    )


def abc_xyz_map(result: AbcXyz, ax: Axes | None = None) -> Axes:
    """Draw customers and value by size (A to C) and regularity (X to Z).

    Parameters
    ----------
    result : AbcXyz
        From `abc_xyz`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    shares, counts = result.table("value_share"), result.table("customers")
    texts = [
        [_cell(counts.loc[abc, xyz], shares.loc[abc, xyz]) for xyz in shares.columns]
        for abc in shares.index
    ]
    _heat(ax, shares.fillna(0), texts)
    ax.set_xticklabels([XYZ_LABELS.get(str(c), str(c).replace(" ", "\n")) for c in shares.columns])
    ax.set_xlabel("Regularity of purchases")
    ax.set_ylabel(f"Size by {escape_label(result.by)}")
    best = _rows(result.cells)[int(np.argmax(result.cells["value_share"].fillna(0)))]
    name = f"{best.abc}{'' if best.xyz in XYZ_LABELS else ' '}{best.xyz}"
    finding(
        ax,
        f"Most {result.by} sits in {name}: {_count(best.customers)} "
        f"with {_percent_or_blank(best.value_share)}",
    )
    listed = "; ".join(
        f"{s.abc} {s.xyz}: {_count(s.customers)}, {_percent_or_blank(s.value_share)}"
        for s in _rows(result.cells)
        if s.customers
    )
    return describe(
        ax, f"Table of customers and share of {result.by} by size and regularity. {listed}."
    )


def _rows(frame: pd.DataFrame) -> list[Any]:
    """Give the rows of a frame, columns as attributes."""
    return list(frame.itertuples(index=False))


def _cell(customers: int, share: float) -> str:
    return f"{customers:,}\n{_percent_or_blank(share)}" if customers else "0"


def rfm_map(result: RfmSegments, ax: Axes | None = None) -> Axes:
    """Draw the map of recency and frequency: customers by cell, segments framed and named.

    Parameters
    ----------
    result : RfmSegments
        From `rfm_segments`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(12, 7.5))
    table = result.cells.pivot(index="f", columns="r", values="customers")[::-1]
    texts = [[f"{v:,}" for v in row] for row in table.to_numpy()]
    _heat(ax, table**0.5, texts)
    frames: dict[tuple[tuple[int, int], tuple[int, int]], list[str]] = {}
    for rule in result.rules:
        frames.setdefault((rule.r, rule.f), []).append(escape_label(rule.segment, 24))
    for (r, f), names in frames.items():
        _frame(ax, r, f, len(table), names)
    ax.set_xlabel("Recency score (5 = bought last)")
    ax.set_ylabel("Frequency score (5 = most often)")
    return _finish_rfm(ax, result)


def _frame(
    ax: Axes, r: tuple[int, int], f: tuple[int, int], rows: int, names: Sequence[str]
) -> None:
    """Frame the cells of segments in a map whose top row has the highest frequency."""
    left, top = r[0] - 1, rows - f[1]
    width, height = r[1] - r[0] + 1, f[1] - f[0] + 1
    box = Rectangle((left, top), width, height, fill=False, ec=PALETTE["black"], lw=2.5)
    box.set_clip_on(False)
    ax.add_patch(box)
    ax.annotate(
        ("\n" if width == 1 else " / ").join(names),
        (left, top),
        xytext=(5, -5),
        textcoords="offset points",
        va="top",
        fontsize=12.5,
        weight="bold",
        bbox={"fc": "white", "ec": "none", "alpha": 0.85, "pad": 1.5},
    )


def _finish_rfm(ax: Axes, result: RfmSegments, width: int | None = None) -> Axes:
    full = result.summary[result.summary["customers"] > 0]
    best = _rows(full)[int(np.argmax(full["value_share"].fillna(full["customer_share"])))]
    finding(
        ax,
        f"{best.segment.capitalize()}: {percent(best.customer_share)} of customers "
        f"with {_percent_or_blank(best.value_share)} of value",
        width=width,
    )
    listed = "; ".join(
        f"{s.segment}: {_count(s.customers)}, {_percent_or_blank(s.value_share)} of value"
        for s in _rows(full)
    )
    empty = f" Empty segments: {', '.join(result.empty)}." if result.empty else ""
    return describe(ax, f"Customers by RFM segment. {listed}.{empty}")


def segment_bars(result: RfmSegments, ax: Axes | None = None) -> Axes:
    """Draw customers and value by RFM segment, empty segments named.

    Parameters
    ----------
    result : RfmSegments
        From `rfm_segments`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 7))
    table = result.summary[::-1].reset_index(drop=True)
    place = np.arange(len(table))
    ax.barh(place + 0.2, table["value_share"], 0.4, color=PALETTE["blue"], label="value")
    ax.barh(place - 0.2, table["customer_share"], 0.4, color=PALETTE["orange"], label="customers")
    empty = [" (empty)" if not customers else "" for customers in table["customers"]]
    names = [escape_label(name, 26) for name in table["segment"]]
    ax.set_yticks(place, [name + mark for name, mark in zip(names, empty, strict=True)])
    ax.set_xlabel("Share of customers and of value")
    ax.grid(visible=False, axis="y")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    percent_axis(ax.xaxis)
    return _finish_rfm(ax, result, width=46)


def _heat(ax: Axes, table: pd.DataFrame, texts: Sequence[Sequence[str]], size: int = 16) -> None:
    """Draw a coloured table with a text in every cell."""
    sns.heatmap(
        table.astype(float),
        annot=np.array(texts, dtype=object),
        fmt="",
        cmap="Blues",
        cbar=False,
        ax=ax,
        linewidths=2,
        linecolor="white",
        vmin=0,
        annot_kws={"fontsize": size},
    )
    ax.tick_params(axis="y", rotation=0, length=0)
    ax.tick_params(axis="x", length=0)


def _unit_square(ax: Axes, xlabel: str, ylabel: str) -> None:
    ax.set(xlabel=escape_label(xlabel), ylabel=escape_label(ylabel), xlim=(0, 1))
    percent_axis(ax.xaxis)
    percent_axis(ax.yaxis)


def _marked(result: Concentration, top: float) -> Estimate:
    if top not in result.top:
        known = ", ".join(f"{p:g}" for p in result.top)
        raise ValueError(
            f"top={top!r} was not measured; choose one of {known}, or call "
            f"concentration(..., tops=({known}, {top!r}))"
        )
    return result.top[top]


def _share(share: float) -> str:
    return f"{100 * share:.4g} %"


def _with_interval(estimate: Estimate) -> str:
    if math.isnan(estimate.lower):
        return percent(estimate.estimate)
    return f"{percent(estimate.estimate)} [{100 * estimate.lower:.1f}, {100 * estimate.upper:.1f}]"


def _index(estimate: Estimate) -> str:
    if math.isnan(estimate.estimate):
        return "not given, some values are negative"
    if math.isnan(estimate.lower):
        return f"{estimate.estimate:.3f}"
    return f"{estimate.estimate:.3f} [{estimate.lower:.3f}, {estimate.upper:.3f}]"


def _count(customers: int) -> str:
    return f"{customers:,} customer{'' if customers == 1 else 's'}"


def _percent_or_blank(share: Any) -> str:
    return "" if math.isnan(share) else percent(share)

"""Figures of behaviour: who buys on deal beyond the basket, what is taken up next, and the checks.

:func:`proneness_map` shows customers by how much they bought and by their deals beyond expectation,
:func:`later_deals` the groups by proneness in later purchases, :func:`deal_answers` who answered
offers, :func:`deal_errors` what predicts the later share of deals, :func:`next_need_bars` the
suggestions against what is popular.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from keycustomer.plots.audit import title_width
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
    from keycustomer.dimensions.behaviour.needs_check import NextNeedCheck
    from keycustomer.dimensions.behaviour.proneness import DealProneness
    from keycustomer.dimensions.behaviour.proneness_check import DealCheck

MOST_POINTS = 20_000
"""Customers drawn as points; of more, every so many-th by proneness."""


def proneness_map(result: DealProneness, ax: Axes | None = None) -> Axes:
    """Draw customers by lines bought and by deals beyond what the basket makes expect.

    Parameters
    ----------
    result : DealProneness
        From `keycustomer.dimensions.deal_proneness`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame.iloc[:: max(1, len(result.frame) // MOST_POINTS)]
    ax = new_axes(ax)
    below = (frame["upper"] < result.average) & (result.spread > 0)
    kinds = (
        (~frame["price_driven"] & ~below, PALETTE["light grey"], "not told apart"),
        (frame["price_driven"], PALETTE["vermilion"], "price-driven"),
        (below, PALETTE["blue"], "less than average"),
    )
    for chosen, colour, label in kinds:
        part = frame[chosen]
        ax.scatter(
            part["lines"], part["excess"], s=16, color=colour, label=f"{label} ({len(part):,})"
        )
    ax.axhline(0, color=PALETTE["black"], lw=1.5)
    ax.set_xscale("log")
    number_axis(ax.xaxis)
    percent_axis(ax.yaxis)
    ax.set_xlabel("Lines bought (log scale)")
    ax.set_ylabel("Share on deal less expected")
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.13), ncols=3, markerscale=2.5)
    driven = int(result.frame["price_driven"].sum())
    total = len(result.frame)
    sentence = (
        f"{percent(driven / total, 0)} of {total:,} customers buy on deal more than the basket "
        "makes expect, by more than chance"
    )
    finding(ax, sentence)
    return describe(
        ax,
        f"Each of {total:,} customers by lines bought and by the share on deal less what others' "
        f"purchases make expect; {driven:,} lie above the average customer by more than chance. "
        f"With few lines the share scatters widely; split-half reliability {result.reliability}.",
    )


def later_deals(result: DealCheck, ax: Axes | None = None) -> Axes:
    """Draw the later share of deals by group of earlier proneness, beside what was expected.

    Parameters
    ----------
    result : DealCheck
        From `keycustomer.dimensions.check_deal_proneness`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.groups
    ax = new_axes(ax)
    places = np.arange(len(frame))
    ax.vlines(
        places, frame["expected_share"], frame["later_share"], color=PALETTE["light grey"], lw=6
    )
    ax.plot(
        places,
        frame["expected_share"],
        "s",
        color=PALETTE["grey"],
        ms=12,
        label="expected from what they bought",
    )
    ax.plot(places, frame["later_share"], "o", color=PALETTE["vermilion"], ms=14, label="on deal")
    _group_axis(ax, len(frame))
    percent_axis(ax.yaxis)
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    ax.set_ylabel(f"Share of lines after {result.split}")
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.22), ncols=2)
    last, first = frame.iloc[-1], frame.iloc[0]
    gap = last["later_share"] - last["expected_share"]
    sentence = (
        f"Who was deal-prone stays so: the most prone group later bought {100 * gap:.1f} "
        "points more of its lines on deal than expected"
        if gap > 0 and result.correlation.lower > 0
        else "Earlier deal-proneness does not show in later purchases"
    )
    finding(ax, sentence)
    return describe(
        ax,
        f"Share of later lines on deal by {len(frame)} groups of earlier proneness: "
        f"{percent(first['later_share'])} (expected {percent(first['expected_share'])}) in the "
        f"least prone, {percent(last['later_share'])} (expected "
        f"{percent(last['expected_share'])}) in the most prone; slope {result.slope}, correlation "
        f"{result.correlation}.",
    )


def deal_answers(result: DealCheck, ax: Axes | None = None) -> Axes:
    """Draw the share of customers who answered an offer, by group of earlier proneness.

    Parameters
    ----------
    result : DealCheck
        From `keycustomer.dimensions.check_deal_proneness` with `answer`.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When no answers were asked for.
    """
    if not result.answer:
        raise ValueError(
            "the check knows no answers; give check_deal_proneness the kind of interaction that "
            "counts as one, such as answer='coupon redemption'"
        )
    frame = result.groups.dropna(subset=["answer_share"])
    ax = new_axes(ax)
    places = frame["group"].to_numpy() - 1
    ax.vlines(places, frame["lower"], frame["upper"], color=PALETTE["blue"], lw=3)
    ax.plot(places, frame["answer_share"], "o", color=PALETTE["blue"], ms=13)
    for place, row in zip(places, frame.to_dict("records"), strict=True):
        ax.annotate(
            f"{row['answered']:,} of {row['offered']:,}",
            (place, row["upper"]),
            (0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=13,
            color=PALETTE["grey"],
        )
    _group_axis(ax, len(result.groups))
    ax.set_ylim(0, float(frame["upper"].max()) * 1.2)
    percent_axis(ax.yaxis)
    ax.set_ylabel(f"Customers with a {escape_label(result.answer, 24)}")
    equals = result.answer_auc.iloc[-1]
    clear = equals["lower"] > 0.5
    first, last = frame.iloc[0]["answer_share"], frame.iloc[-1]["answer_share"]
    sentence = (
        f"{percent(last, 0)} of the most prone answer offers, {percent(first, 0)} of the least "
        "prone" + ("" if clear else ": no more than chance among equal buyers")
    )
    finding(ax, sentence)
    return describe(
        ax,
        f"Share of customers with a {result.answer} after {result.split} by earlier proneness, "
        f"from {percent(first)} to {percent(last)}. Among customers who buy as much, one who "
        f"answers is the more prone with chance {equals['auc']:.2f} ({equals['lower']:.2f} to "
        f"{equals['upper']:.2f}).",
    )


def deal_errors(result: DealCheck, ax: Axes | None = None) -> Axes:
    """Draw the error of the later share of deals by method of prediction.

    Parameters
    ----------
    result : DealCheck
        From `keycustomer.dimensions.check_deal_proneness`.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When too few customers bought enough later to speak of errors.
    """
    frame = result.prediction.iloc[::-1].reset_index(drop=True)
    if "error" not in frame:
        raise ValueError("fewer than 3 customers bought enough later: there are no errors to draw")
    ax = new_axes(ax, size=(10, 4.6))
    best = frame["error"] == frame["error"].min()
    colours = np.where(best, PALETTE["blue"], PALETTE["grey"])
    places = np.arange(len(frame))
    ax.hlines(places, frame["lower"], frame["upper"], color=list(colours), lw=4)
    ax.scatter(frame["error"], places, s=170, color=list(colours), zorder=3)
    ax.set_yticks(places, list(frame["method"]))
    ax.set_ylim(-0.5, len(frame) - 0.5)
    ax.set_xlim(0, float(frame["upper"].max()) * 1.06)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Error of the later share of deals (root mean square, points)")
    by_method = frame.set_index("method")
    past = float(by_method["saved"]["past deal share"])
    sentence = (
        "Proneness adds to what the basket foretells of later deals; the past share alone "
        + ("does worse" if past < 0 else "helps too")
        if by_method["saved_lower"]["basket and proneness"] > 0
        else "Proneness adds nothing established to what the basket foretells of later deals"
    )
    finding(ax, sentence)
    told = "; ".join(f"{r['method']} {percent(r['error'])}" for r in frame.to_dict("records"))
    return describe(ax, f"Errors of predicting the later share of deals: {told}. {sentence}.")


def next_need_bars(result: NextNeedCheck, ax: Axes | None = None) -> Axes:
    """Draw hit rates and areas of the suggestions beside those of what is popular.

    Parameters
    ----------
    result : NextNeedCheck
        From `keycustomer.dimensions.check_next_needs`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, max(4.5, 2.4 + 0.62 * len(frame))))
    places = np.arange(len(frame))
    for whose, colour, mark, shift, label in (
        ("baseline", PALETTE["grey"], "s", -0.15, "what is popular, who buys broadly"),
        ("model", PALETTE["blue"], "o", 0.15, "with what else the customer buys"),
    ):
        ax.hlines(
            places + shift, frame[f"{whose}_lower"], frame[f"{whose}_upper"], color=colour, lw=4
        )
        ax.plot(frame[whose], places + shift, mark, color=colour, ms=11, label=label)
    labels = [_measure_name(name) for name in frame["measure"]]
    ax.set_yticks(places, labels)
    ax.set_ylim(-0.6, len(frame) - 0.4)
    ax.set_xlim(0, 1)
    ax.set_xlabel("Share of customers (hits), chance of the right order (which ...)")
    legend_below(ax)
    first = result.frame.iloc[0]
    sentence = (
        f"The first suggestion is taken up by {percent(first['model'], 0)} of those who take up "
        f"anything, what is popular by {percent(first['baseline'], 0)}"
        if first["measure"] == "hit rate at 1"
        else f"{first['measure'].capitalize()}: {percent(first['model'], 0)} against "
        f"{percent(first['baseline'], 0)} for what is popular"
    )
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['measure']} {row['model']:.3f} against {row['baseline']:.3f}"
        for row in result.frame.to_dict("records")
    )
    return describe(
        ax,
        f"Suggestions for {result.takers:,} customers within {result.horizon} days after "
        f"{result.split}, beside what is popular: {told}. "
        f"{compact_number(result.candidates)} candidates.",
    )


def _measure_name(measure: str) -> str:
    return measure.replace("hit rate at 1", "hit by the first").replace(
        "hit rate at ", "hit by the first "
    )


def _group_axis(ax: Axes, groups: int) -> None:
    """Name the groups of proneness from the least to the most prone."""
    names = [str(n + 1) for n in range(groups)]
    names[0], names[-1] = f"{names[0]}\nleast", f"{names[-1]}\nmost"
    ax.set_xticks(range(groups), names)
    ax.set_xlim(-0.5, groups - 0.5)
    ax.set_xlabel("Groups by earlier deal-proneness")

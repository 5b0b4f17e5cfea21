"""Figures of deal-proneness against price response and coupons.

:func:`response_by_proneness` draws the later elasticity of groups of customers by their earlier
proneness, :func:`redemption_dots` how well each score tells who redeemed a coupon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import interval_text, name_rows
from keycustomer.plots.style import PALETTE, describe, finding, new_axes
from keycustomer.plots.words import made_up

if TYPE_CHECKING:
    from keycustomer.pricing.proneness.check import PronenessCheck


MOST_NUMBERS = 15
"""Groups that stand side by side with a number each."""


def response_by_proneness(result: PronenessCheck, ax: Axes | None = None) -> Axes:
    """Draw the later relative elasticity of groups by proneness.

    Parameters
    ----------
    result : PronenessCheck
        From `keycustomer.pricing.proneness_check`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.groups
    ax = new_axes(ax, size=(10, 5.6))
    ax.axhline(0, color=PALETTE["grey"], ls="--", lw=2)
    ax.vlines(frame["group"], frame["lower"], frame["upper"], color=PALETTE["blue"], lw=4)
    ax.plot(frame["group"], frame["relative_elasticity"], "o-", color=PALETTE["blue"], ms=12)
    ends = {frame["group"].iloc[0]: "least prone", frame["group"].iloc[-1]: "most prone"}
    names = [f"{group}\n{ends[group]}" if group in ends else str(group) for group in frame["group"]]
    every = -(-len(names) // MOST_NUMBERS)
    if every > 1:
        # not each has room for its number, and the ends have words
        inner = range(2 * every, len(names) - 2 * every, every)
        names = [name if place in inner or "\n" in name else "" for place, name in enumerate(names)]
    ax.set_xticks(frame["group"], names)
    ax.set_xlim(frame["group"].min() - 0.5, frame["group"].max() + 0.5)
    ax.set_xlabel(f"group by deal-proneness until {result.split}")
    ax.set_ylabel("later elasticity, less\nthe average customer's")
    correlation = result.correlation
    if correlation.lower > 0:
        sentence = "Who bought on deal more than expected later follows prices more"
    elif correlation.upper < 0:
        sentence = "Who bought on deal more than expected later follows prices less"
    else:
        sentence = "Whether deal-proneness tells who later follows prices is undecided"
    finding(ax, f"{made_up(result)}{sentence}: correlation {correlation}")
    told = "; ".join(
        f"group {row['group']:.0f} {interval_text(*_ends(row))}" for row in frame.to_dict("records")
    )
    return describe(
        ax,
        f"{sentence}: correlation {correlation}, without errors {result.true_correlation}. "
        f"Relative elasticity of {result.customers:,} customers by proneness: {told}.",
    )


def _ends(row: dict[object, float]) -> tuple[float, float, float]:
    return row["relative_elasticity"], row["lower"], row["upper"]


def redemption_dots(result: PronenessCheck, ax: Axes | None = None) -> Axes:
    """Draw how well each score tells who redeemed a coupon.

    Parameters
    ----------
    result : PronenessCheck
        From `keycustomer.pricing.proneness_check` with an offer and an answer.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When no answers were asked for.
    """
    answers = result.redemptions
    if answers is None:
        raise ValueError("this check knows no answers; give proneness_check an offer and an answer")
    frame = answers.auc.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.4 + 0.7 * len(frame)))
    at = np.arange(len(frame))
    ax.axvline(0.5, color=PALETTE["grey"], ls="--", lw=2)
    prone = frame["score"].str.startswith("deal-proneness")
    for chosen, colour in ((prone, "vermilion"), (~prone, "blue")):
        part = frame[chosen]
        ax.hlines(at[chosen], part["lower"], part["upper"], color=PALETTE[colour], lw=4)
        ax.plot(part["auc"], at[chosen], "o", color=PALETTE[colour], ms=12)
    labels = [name.replace(", among", ",\namong") for name in frame["score"]]
    name_rows(ax, labels)
    ax.set_xlabel("area under the ROC curve (0.5: tells nothing)")
    alike = answers.among_alike
    side = "also tells" if alike.lower > 0.5 else "does not tell"
    sentence = (
        f"Among customers who spend alike deal-proneness {side} who redeems a coupon: "
        f"{interval_text(alike.estimate, alike.lower, alike.upper)}"
    )
    finding(ax, made_up(result) + sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['score']} {interval_text(row['auc'], row['lower'], row['upper'])}"
        for row in answers.auc.to_dict("records")
    )
    return describe(
        ax,
        f"{sentence}. {answers.answered:,} of {answers.offered:,} customers with an offer "
        f"answered. Areas: {told}.",
    )

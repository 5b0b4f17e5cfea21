"""Figures of the response to contacts: how it bends, what one more is worth, which phase counts.

:func:`contact_curve` draws the outcome at other numbers of contacts, :func:`contact_forms` the
forms compared on customers not fitted, :func:`contact_worth_map` the worth of one more contact by
margin, :func:`phase_dots` the phases before, during and after the sale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import name_rows
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    finding,
    new_axes,
    number_axis,
    percent,
)
from keycustomer.plots.words import made_up

if TYPE_CHECKING:
    from keycustomer.relationships.service.contacts import ContactResponse
    from keycustomer.relationships.service.phases import PhaseEffects
    from keycustomer.relationships.service.worth import ContactWorth

NAMES = {
    "left": "leaving",
    "take_up": "taking up a product",
    "social": "belonging",
}
"""Outcomes as titles call them; others by their own name."""

PHASE_NAMES = {"pre": "before the sale", "during": "during the sale", "after": "after the sale"}

FORM_NAMES = {
    "straight": "straight",
    "logarithm": "logarithm:\neach does less",
    "saturation": "saturation:\na ceiling",
}


def contact_curve(
    result: ContactResponse, ax: Axes | None = None, *, truth: pd.DataFrame | None = None
) -> Axes:
    """Draw the outcome at other numbers of contacts, with its interval.

    Parameters
    ----------
    result : ContactResponse
        From `keycustomer.relationships.contact_response`.
    ax : Axes, optional
        Axes to draw into.
    truth : DataFrame, optional
        Columns factor and `leaving` (true change), from `keycustomer.relationships.true_service`;
        of leaving only.
    """
    frame = result.curve(np.linspace(0, 4, 33).tolist())
    ax = new_axes(ax)
    ax.axhline(0, color=PALETTE["grey"], lw=1.5)
    ax.axvline(1, color=PALETTE["grey"], lw=1.5, ls="--")
    ax.fill_between(
        frame["factor"], frame["lower"], frame["upper"], color=PALETTE["blue"], alpha=0.18, lw=0
    )
    ax.plot(frame["factor"], frame["estimate"], color=PALETTE["blue"], label="estimate, interval")
    if truth is not None and result.outcome == "left":
        ax.plot(
            truth["factor"], truth["leaving"], "D", color=PALETTE["vermilion"], ms=10,
            label="truth",
        )  # fmt: skip
    ax.set_xlim(0, 4)
    ax.set_xlabel("contacts, as a multiple of today's (dashed)")
    events = result.outcome in ("left", "take_up")
    ax.set_ylabel("change per 1,000 months" if events else "change, sd of the answers")
    legend_below(ax, 2)
    sentence = _curve_sentence(result)
    finding(ax, made_up(result) + sentence)
    told = "; ".join(
        f"x {row['factor']:g} {row['estimate']:+.2f} ({row['lower']:.2f} to {row['upper']:.2f})"
        for row in result.curve((0.0, 0.5, 2.0, 4.0)).to_dict("records")
    )
    return describe(ax, f"{result.unit}, at multiples of today's contacts: {told}. {sentence}.")


def _curve_sentence(result: ContactResponse) -> str:
    name = NAMES.get(result.outcome, result.outcome)
    none, twice = (result.curve((factor,)).iloc[0] for factor in (0.0, 2.0))
    if result.slope.lower <= 0 <= result.slope.upper:
        return f"No response of {name} to contacts is shown: the interval holds no change"
    events = result.outcome in ("left", "take_up")
    unit = "per 1,000 months" if events else "sd"
    return (
        f"All contacts of today move {name} by {-none['estimate']:+.2g} {unit}, as many again by "
        f"{twice['estimate']:+.2g}"
    )


def contact_forms(result: ContactResponse, ax: Axes | None = None) -> Axes:
    """Draw the gain of the forms of response over no effect, on customers not fitted.

    Parameters
    ----------
    result : ContactResponse
        From `keycustomer.relationships.contact_response`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.forms[result.forms["form"] != "none"].iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 4.4))
    at = np.arange(len(frame))
    ax.axvline(0, color=PALETTE["grey"], lw=1.5)
    ax.hlines(at, frame["lower"], frame["upper"], color=PALETTE["blue"], lw=4)
    ax.plot(frame["gain"], at, "o", color=PALETTE["blue"], ms=12)
    labels = [FORM_NAMES[name] for name in frame["form"]]
    name_rows(ax, labels)
    ax.set_xlabel("gain over no effect, log-likelihood per 1,000 rows not fitted")
    name = NAMES.get(result.outcome, result.outcome)
    clear = frame[frame["lower"] > 0]
    sentence = (
        f"Contacts foretell {name} of customers not fitted; best form: {_best(clear)}"
        if len(clear)
        else f"No form of contacts foretells {name} of customers not fitted beyond chance"
    )
    finding(ax, made_up(result) + sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['form']} {row['gain']:+.2f} ({row['lower']:.2f} to {row['upper']:.2f})"
        for row in frame.to_dict("records")
    )
    return describe(ax, f"{sentence}. Gains: {told}.")


def _best(frame: pd.DataFrame) -> str:
    return str(frame["form"].iloc[int(frame["gain"].argmax())])


def contact_worth_map(result: ContactWorth, ax: Axes | None = None) -> Axes:
    """Draw the worth of one more contact with each customer by its margin, and the cost.

    Parameters
    ----------
    result : ContactWorth
        From `keycustomer.relationships.contact_worth`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame[result.frame["margin"] > 0]
    ax = new_axes(ax)
    for pays, colour, label in (
        (False, PALETTE["grey"], "worth less than it costs"),
        (True, PALETTE["blue"], "worth more"),
    ):
        own = frame[frame["pays"] == pays]
        ax.plot(own["margin"], own["worth"], "o", color=colour, ms=6, alpha=0.5, mew=0, label=label)
    ax.axhline(result.cost, color=PALETTE["vermilion"], lw=2.5, label=f"cost of a {result.kind}")
    if len(frame):
        ax.set_xscale("log")
    if len(frame) and (frame["worth"] > 0).all() and result.cost > 0:
        ax.set_yscale("log")
    number_axis(ax.xaxis)
    number_axis(ax.yaxis)
    ax.set_xlabel(f"margin of the last year ({result.currency})")
    ax.set_ylabel(f"worth of one more {result.kind} ({result.currency})")
    legend_below(ax, 3)
    sentence = (
        f"One more {result.kind} pays for {percent(result.share.estimate, 0)} of the customers "
        f"({percent(result.share.lower, 0)} to {percent(result.share.upper, 0)})"
    )
    finding(ax, made_up(result) + sentence)
    middle = float(result.frame["worth"].median())
    return describe(
        ax,
        f"Worth of one more {result.kind} in avoided leaving by margin, {len(result.frame):,} "
        f"customers: for the middle one {compact_number(middle)} {result.currency}, cost "
        f"{compact_number(result.cost)}. {sentence}.",
    )


def phase_dots(result: PhaseEffects, ax: Axes | None = None) -> Axes:
    """Draw how an outcome goes with contacts by phase, counted both ways.

    Parameters
    ----------
    result : PhaseEffects
        From `keycustomer.relationships.phase_effects`.
    ax : Axes, optional
        Axes to draw into.
    """
    phases = list(PHASE_NAMES)[::-1]
    ax = new_axes(ax, size=(10, 5))
    ax.axvline(0, color=PALETTE["grey"], lw=1.5)
    at = np.arange(len(phases))
    for way, colour, mark, shift, label in (
        ("all contacts", PALETTE["grey"], "s", 0.14, "every interaction, plainly"),
        ("own contacts", PALETTE["blue"], "o", -0.14, "visits and calls, adjusted"),
    ):
        rows = [result.slopes[phase, way] for phase in phases]
        ends = [one.lower for one in rows], [one.upper for one in rows]
        ax.hlines(at + shift, *ends, color=colour, lw=4)
        ax.plot([one.estimate for one in rows], at + shift, mark, color=colour, ms=11, label=label)
    labels = [PHASE_NAMES[phase] for phase in phases]
    name_rows(ax, labels)
    name = NAMES.get(result.outcome, result.outcome)
    events = result.outcome in ("left", "take_up")
    ax.set_xlabel(f"change of {name} per unit of log contacts ({'log-odds' if events else 'sd'})")
    legend_below(ax, 2)
    shown = "the phases differ" if result.equal < 0.05 else "no difference of phases is shown"
    sentence = _phase_sentence(result, name, shown)
    finding(ax, made_up(result) + sentence, width=title_width(ax, labels))
    told = "; ".join(f"{phase} ({way}) {one}" for (phase, way), one in result.slopes.items())
    return describe(
        ax, f"{name}, slopes of contacts by phase: {told}. {sentence} (p = {result.equal:.2g})."
    )


def _phase_sentence(result: PhaseEffects, name: str, apart: str) -> str:
    """Say where plain numbers make contacts look harmful, and what is left of it."""
    plain = {phase: result.slopes[phase, "all contacts"] for phase in PHASE_NAMES}
    leaving = result.outcome == "left"
    harmful = [p for p, one in plain.items() if (one.lower > 0 if leaving else one.upper < 0)]
    if not harmful:
        return f"Like with like, {apart} in {name}"
    less = f"{'more' if leaving else 'less'} {name}"
    return f"Plainly, contacts {PHASE_NAMES[harmful[0]]} go with {less}; like with like, {apart}"

"""Figures of actions for accounts: what each would bring, what plans promised and delivered.

:func:`account_action_dots` draws the actions of one account with their intervals,
:func:`promised_delivered_dots` what a plan promised beside what it delivered in the simulated
company, by account or by action, :func:`account_plan_dots` own plans against one plan for all over
simulated companies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from keycustomer.plots.audit import title_width
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
)
from keycustomer.plots.words import made_up, with_minus

if TYPE_CHECKING:
    from keycustomer.strategy.actions.delivering import PlanDelivered
    from keycustomer.strategy.actions.estimating import AccountActions
    from keycustomer.strategy.actions.judging import JudgedAccountPlans

LONGEST = 30
"""Characters of the name of an account or action."""

SETTING = 34
"""Characters of a setting."""

MOST = 20
"""Accounts that a figure shows; of more, those that were promised most."""

OWN, COMMON = "own plans", "common plan"


def account_action_dots(
    result: AccountActions,
    customer_id: str,
    ax: Axes | None = None,
    *,
    label: str | None = None,
) -> Axes:
    """Draw what each action would bring with one account, each at its best setting.

    Parameters
    ----------
    result : AccountActions
        From `keycustomer.strategy.account_actions`.
    customer_id : str
        The account.
    ax : Axes, optional
        Axes to draw into.
    label : str, optional
        What to call the account; left out, its id.

    Raises
    ------
    KeyError
        When the account was not weighed.
    """
    result.row(customer_id)
    own = result.frame[result.frame["customer_id"] == customer_id]
    frame = own.sort_values("value", kind="stable", ignore_index=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.85 * max(len(frame), 2)))
    name = shorten(label or customer_id, LONGEST)
    labels = [
        f"{escape_label(row['action'])}\n{escape_label(row['setting'], SETTING)}"
        for row in frame.to_dict("records")
    ]
    for place, row in enumerate(frame.to_dict("records")):
        colour = PALETTE["blue"] if row["value"] > 0 else PALETTE["grey"]
        ax.hlines(place, row["lower"], row["upper"], color=colour, lw=4)
        ax.plot(row["value"], place, "o", color=colour, ms=12, mec="white", mew=1.5)
    name_rows(ax, labels)
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    number_axis(ax.xaxis)
    kind = "simulated; " if result.simulated else ""
    ax.set_xlabel(
        f"Profit over {result.horizon} months against going on as today, {result.currency}\n"
        f"({kind}line: 95 % interval)"
    )
    told = "; ".join(
        f"{row['action']} ({row['setting']}) {compact_number(row['value'])}"
        for row in frame[::-1].to_dict("records")
    )
    finding(ax, with_minus(_account_sentence(frame, name)), width=title_width(ax, labels))
    return describe(
        ax,
        f"{made_up(result)}Actions for {name} with expected profit over {result.horizon} months, "
        f"{result.currency}: {told or 'none'}.",
    )


def _account_sentence(frame: pd.DataFrame, name: str) -> str:
    if frame.empty or frame["value"].iloc[-1] <= 0:
        return f"Nothing that can be done for {name} promises more than going on as today"
    best = frame.iloc[-1]
    sure = "" if best["lower"] > 0 else ", but it may bring a loss"
    return f"For {name} {best['action']} promises most, {compact_number(best['value'])}{sure}"


def promised_delivered_dots(
    result: PlanDelivered, ax: Axes | None = None, *, by: str = "account"
) -> Axes:
    """Draw what was promised beside what was delivered.

    Parameters
    ----------
    result : PlanDelivered
        From `keycustomer.strategy.deliver_plan`.
    ax : Axes, optional
        Axes to draw into.
    by : {"account", "action"}
        Whole plans by account, or actions alone, added up over accounts.

    Raises
    ------
    ValueError
        When `by` is neither.
    """
    if by not in ("account", "action"):
        raise ValueError(f"by={by!r} must be 'account' or 'action'")
    whole = (result.frame if by == "account" else result.by_action).rename(
        columns={"customer_id": "name", "action": "name"}
    )
    frame = whole.nlargest(MOST, "promised").iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.9 + 0.5 * max(len(frame), 2)))
    short = short_names(frame["name"].tolist(), LONGEST)
    labels = [escape_label(short[name]) for name in frame["name"]]
    places = np.arange(len(frame))
    if "lower" in frame:
        ax.hlines(places, frame["lower"], frame["upper"], color=PALETTE["light grey"], lw=7)
    ax.hlines(places, frame["promised"], frame["delivered"], color=PALETTE["grey"], lw=1.5)
    ax.plot(frame["promised"], places, "D", color="white", mec=PALETTE["vermilion"], mew=3, ms=10)
    ax.plot(frame["delivered"], places, "o", color=PALETTE["blue"], ms=12, mec="white", mew=1.5)
    name_rows(ax, labels)
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    number_axis(ax.xaxis)
    alone = "" if by == "account" else "each action alone, "
    ax.set_xlabel(
        f"Profit over {result.horizon} months against going on as today, {result.currency}\n"
        f"({alone}simulated company)"
    )
    legend_below(ax, columns=3, handles=_promise_keys("lower" in frame))
    more = (
        f" (the {len(frame)} largest promises of {len(whole)})" if len(frame) < len(whole) else ""
    )
    finding(ax, with_minus(_delivered_sentence(result, by)), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['name']} promised {compact_number(row['promised'])}, delivered "
        f"{compact_number(row['delivered'])}"
        for row in frame[::-1].to_dict("records")
    )
    return describe(
        ax, f"Simulated: promised and delivered by {by}{more}, {result.currency}: {told or 'none'}."
    )


def _promise_keys(interval: bool) -> list[Line2D]:
    promised = Line2D([], [], color="white", marker="D", ms=10, ls="", label="promised")
    promised.set(markeredgecolor=PALETTE["vermilion"], markeredgewidth=3)
    delivered = Line2D([], [], color=PALETTE["blue"], marker="o", ms=12, ls="", label="delivered")
    band = Line2D([], [], color=PALETTE["light grey"], lw=7, label="95 % interval of the promise")
    return [promised, delivered, *([band] if interval else [])]


def _delivered_sentence(result: PlanDelivered, by: str) -> str:
    if by == "account":
        promise, came = result.promised.estimate, result.delivered
        what = "The plan"
    else:
        promise, came = result.plain, result.delivered_alone
        what = "Taken alone, the actions"
    if not promise > 0:
        return f"{what} promised nothing"
    return (
        f"Simulated: {what[:1].lower() + what[1:]} promised {compact_number(promise)} and "
        f"delivered {compact_number(came)} ({percent(came / promise, 0)})"
    )


def account_plan_dots(result: JudgedAccountPlans, ax: Axes | None = None) -> Axes:
    """Draw what own plans deliver more than one plan for all, company by company.

    Parameters
    ----------
    result : JudgedAccountPlans
        From `keycustomer.strategy.judge_account_plans`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 5.6))
    gap = result.gap
    own, common = result.values(OWN), result.values(COMMON)
    promised = result.values(OWN, "promised")
    rows = [
        ("one plan for all", common, result.mean(COMMON), "grey"),
        ("own plans", own, result.mean(OWN), "blue"),
        ("own plans, promised", promised, result.mean(OWN, "promised"), "sky"),
        ("own less one for all", own - common, gap, "vermilion"),
    ]
    rows = rows[::-1]
    shift = np.random.default_rng(0).uniform(-0.16, 0.16, result.companies)
    for place, (_, values, mean, colour) in enumerate(rows):
        ax.plot(values, place + shift, "o", color=PALETTE[colour], ms=7, alpha=0.45, mec="none")
        if np.isfinite([mean.lower, mean.upper]).all():
            ax.plot([mean.lower, mean.upper], [place - 0.32] * 2, color=PALETTE["black"], lw=4)
        ax.plot(mean.estimate, place - 0.32, "D", color=PALETTE["black"], ms=9, mec="white")
        ax.annotate(
            with_minus(compact_number(mean.estimate)),
            (mean.estimate, place - 0.32),
            (0, -9),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=13,
            bbox=UNDERLAY,
        )
    labels = [name for name, *_ in rows]
    name_rows(ax, labels)
    ax.set_ylim(-0.85, len(rows) - 0.55)
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    number_axis(ax.xaxis)
    ax.set_xlabel(
        f"Profit over {result.horizon} months against doing nothing, EUR an account\n"
        f"(dots: {result.companies} simulated companies; diamond: mean with 95 % interval)"
    )
    finding(ax, with_minus(_judged_sentence(result)), width=title_width(ax, labels))
    told = "; ".join(f"{name} {mean}" for name, _, mean, _ in rows[::-1])
    return describe(
        ax,
        f"{result.companies} simulated companies of {result.accounts} accounts, mean profit an "
        f"account of the largest: {told}.",
    )


def _judged_sentence(result: JudgedAccountPlans) -> str:
    gap = result.gap
    if result.verdict == "undecided":
        return "Simulated: whether own plans deliver more than one plan for all is undecided"
    word = "more" if gap.estimate > 0 else "less"
    apart = compact_number(abs(gap.estimate))
    return f"Simulated: own plans deliver {apart} EUR an account {word} than one plan for all"

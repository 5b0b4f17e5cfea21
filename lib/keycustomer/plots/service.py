"""Figures of service by tier and of complaints: what is delivered, and what trouble does.

:func:`service_dots` draws one indicator by tier, :func:`tier_difference_dots` whether tiers hardly
differ, :func:`complaint_dots` what the leaving rate would be in other worlds, plainly and adjusted,
:func:`complaint_days` who leaves after a complaint by days to resolve, :func:`service_trial_dots`
estimates beside the truth over simulated companies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from keycustomer.plots.audit import counted, title_width
from keycustomer.plots.labels import name_rows, shorten
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
from keycustomer.plots.words import made_up

if TYPE_CHECKING:
    from keycustomer.relationships.service.complaints import ComplaintEffects
    from keycustomer.relationships.service.indicators import ServiceIndicators, TierDifferences
    from keycustomer.relationships.service.true_service import ServiceTrial

WORDS = {
    "contacts_a_year": "contacts a year",
    "complaints_a_year": "complaints a year",
    "first_contact_resolution": "resolved at first contact",
    "resolved_in_time": "resolved in time",
    "days_to_resolve": "days to resolve",
    "repeat_complaints": "complaints repeated",
    "service_cost_a_year": "service cost a year",
    "service_cost_per_100": "service cost per 100 margin",
}
"""Indicators as labels call them."""

COMPARED = tuple(name for name in WORDS if name != "service_cost_per_100")
"""Indicators compared unless others are asked for; cost per margin differs by far."""

COLOURS = {
    "supported": PALETTE["blue"],
    "undecided": PALETTE["orange"],
    "not supported": PALETTE["vermilion"],
}

WORLDS = {
    "no complaints": "no complaints",
    "all at first contact": "all resolved at first contact",
    "none late": "none late",
    "none at first contact": "none resolved at first contact",
    "contacts x 0": "no contacts",
    "contacts x 2": "twice the contacts",
}
"""Other worlds as labels call them."""

LONGEST_TIER = 16

WAYS = {"naive": (PALETTE["grey"], "s", 0.14), "adjusted": (PALETTE["blue"], "o", -0.14)}
"""Colour, mark and place of an adjustment."""


def service_dots(
    result: ServiceIndicators, indicator: str = "contacts_a_year", ax: Axes | None = None
) -> Axes:
    """Draw one service indicator by tier.

    Parameters
    ----------
    result : ServiceIndicators
        From `keycustomer.relationships.service_indicators`.
    indicator : str
        One of `keycustomer.relationships.INDICATORS`.
    ax : Axes, optional
        Axes to draw into.
    """
    result.of(indicator)
    tiers = (result.tiers or ("all",))[::-1]
    ax = new_axes(ax, size=(10, max(3.4, 2.0 + 0.6 * len(tiers))))
    rows = [result.of(indicator, tier) for tier in tiers]
    at = np.arange(len(tiers))
    known = [math.isfinite(one.lower) for one in rows]
    for place, one, has in zip(at, rows, known, strict=True):
        if has:
            ax.hlines(place, one.lower, one.upper, color=PALETTE["blue"], lw=4)
    ax.plot([one.estimate for one in rows], at, "o", color=PALETTE["blue"], ms=12)
    ax.axvline(result.of(indicator).estimate, color=PALETTE["grey"], lw=1.5, ls="--")
    labels = [
        f"{escape_label(shorten(tier, LONGEST_TIER))} ({one.n:,})"
        for tier, one in zip(tiers, rows, strict=True)
    ]
    name_rows(ax, labels)
    _from_zero(ax, [v for one in rows for v in (one.estimate, one.upper) if math.isfinite(v)])
    share = result.of(indicator).unit.startswith("share")
    if share:
        percent_axis(ax.xaxis)
    money = f" ({result.currency})" if "cost" in indicator else ""
    ax.set_xlabel(f"{WORDS[indicator]}{money}; dashed: all customers")
    say = (lambda v: percent(v, 0)) if share else (lambda v: f"{v:,.3g}")
    first, last = rows[-1], rows[0]
    sentence = f"{made_up(result)}{WORDS[indicator]}: {say(first.estimate)}"
    if len(tiers) > 1:
        sentence += (
            f" in tier {shorten(tiers[-1], LONGEST_TIER)}, {say(last.estimate)} in tier "
            f"{shorten(tiers[0], LONGEST_TIER)}"
        )
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(f"{tier} {one}" for tier, one in zip(tiers[::-1], rows[::-1], strict=True))
    return describe(ax, f"{result.of(indicator).unit} by tier, with intervals: {told}.")


def _from_zero(ax: Axes, values: Sequence[float]) -> None:
    top = max(values, default=0.0)
    ax.set_xlim(0, 1.08 * top if top > 0 else 1.0)


def tier_difference_dots(
    result: TierDifferences,
    ax: Axes | None = None,
    *,
    indicators: Sequence[str] = COMPARED,
) -> Axes:
    """Draw how far the first tier's service is from the last one's, in units of the margin.

    Parameters
    ----------
    result : TierDifferences
        From `keycustomer.relationships.tier_differences`.
    ax : Axes, optional
        Axes to draw into.
    indicators : sequence of str
        Which indicators.

    Raises
    ------
    ValueError
        When none of them can be compared.
    """
    frame = _comparable(result, indicators)
    if frame.empty:
        raise ValueError("none of the indicators could be compared between the tiers")
    ax = new_axes(ax, size=(10, 2.7 + 0.52 * len(frame)))
    at = np.arange(len(frame))
    ax.axvspan(-1, 1, color="#DCEBF5", zorder=0)
    ax.axvline(0, color=PALETTE["grey"], lw=1.5)
    scaled = {end: _in_margins(frame, end) for end in ("estimate", "lower", "upper")}
    for verdict, colour in COLOURS.items():
        own = (frame["verdict"] == verdict).to_numpy()
        if own.any():
            ax.hlines(at[own], scaled["lower"][own], scaled["upper"][own], color=colour, lw=4)
            label = f"hardly differs: {verdict}"
            ax.plot(scaled["estimate"][own], at[own], "o", color=colour, ms=12, label=label)
    labels = [f"{WORDS[str(name)]}\n{_apart(row)}" for name, row in frame.iterrows()]
    name_rows(ax, labels)
    ax.set_xlim(min(-1.6, 1.1 * scaled["lower"].min()), max(1.6, 1.1 * scaled["upper"].max()))
    ax.set_xticks([-1, 0, 1], ["\N{MINUS SIGN}margin", "equal", "+margin"])
    first, last = (shorten(tier, LONGEST_TIER) for tier in (result.first, result.last))
    ax.set_xlabel(f"tier {escape_label(first)} against tier {escape_label(last)} (shaded: hardly)")
    legend_below(ax, 2)
    sentence = _difference_sentence(result, frame, first, last)
    finding(ax, made_up(result) + sentence, width=title_width(ax, [labels[0], "x" * 22]))
    told = "; ".join(
        f"{WORDS[str(name)]} {_apart(row)}, {row['verdict']}" for name, row in frame.iterrows()
    )
    return describe(ax, f"{sentence}. Whether service hardly differs: {told}.")


def _comparable(result: TierDifferences, indicators: Sequence[str]) -> pd.DataFrame:
    """Rows of indicators that could be compared, the first at the end."""
    frame = result.frame.set_index("indicator").reindex(list(indicators))
    known = np.isfinite(frame[["estimate", "lower", "upper"]].to_numpy(dtype=float)).all(axis=1)
    return frame.loc[known].iloc[::-1]


def _in_margins(frame: pd.DataFrame, end: str) -> np.ndarray:
    """Differences, or logarithms of ratios, as multiples of the margin."""
    ratio = (frame["scale"] == "ratio").to_numpy()
    values = frame[end].to_numpy(dtype=float)
    logs = np.log(np.where(ratio, np.maximum(values, 1e-6), 1.0))
    margin = frame["margin_upper"].to_numpy(dtype=float)
    return np.where(ratio, logs / np.log(np.where(ratio, margin, np.e)), values / margin)


def _apart(row: pd.Series) -> str:
    if row["scale"] == "ratio":
        return f"{row['estimate']:.2f} times"
    return f"{100 * row['estimate']:+.1f} points".replace("-", "\N{MINUS SIGN}")


def _difference_sentence(
    result: TierDifferences, frame: pd.DataFrame, first: str, last: str
) -> str:
    beyond = [WORDS[str(n)] for n in frame.index[frame["verdict"] == "not supported"]][::-1]
    alike = int((frame["verdict"] == "supported").sum())
    told = f"{alike} of {len(frame)} indicators hardly differ between tiers {first} and {last}"
    if beyond:
        others = {1: " differ", 2: f" and {beyond[-1]} differ"}
        more = others.get(len(beyond), f" and {len(beyond) - 1} others differ")
        told += f"; {beyond[0]}{more}"
    return told


def complaint_dots(
    result: ComplaintEffects,
    ax: Axes | None = None,
    *,
    truth: Mapping[str, float] | None = None,
) -> Axes:
    """Draw how the leaving rate would differ in other worlds, plainly and adjusted.

    Parameters
    ----------
    result : ComplaintEffects
        From `keycustomer.relationships.complaint_effects`.
    ax : Axes, optional
        Axes to draw into.
    truth : mapping of str to float, optional
        True changes by contrast, from `keycustomer.relationships.true_service`.
    """
    names = [name for name, how in result.effects if how == "adjusted"][::-1]
    ax = new_axes(ax, size=(10, 2.9 + 0.72 * len(names)))
    ax.axvline(0, color=PALETTE["grey"], lw=1.5)
    at = np.arange(len(names))
    for how, (colour, mark, shift) in WAYS.items():
        rows = [result.effects[name, how] for name in names]
        ends = [one.lower for one in rows], [one.upper for one in rows]
        ax.hlines(at + shift, *ends, color=colour, lw=4)
        ax.plot([one.estimate for one in rows], at + shift, mark, color=colour, ms=10, label=how)
    if truth is not None:
        known = [place for place in at if names[place] in truth]
        ax.plot(
            [truth[names[place]] for place in known], known, "|", color=PALETTE["black"], ms=30,
            mew=3, label="truth",
        )  # fmt: skip
    labels = [WORLDS.get(name, name) for name in names]
    name_rows(ax, labels)
    ax.set_xlabel("change of leavers per 1,000 customer-months")
    legend_below(ax, 3)
    first = result.effects["all at first contact", "adjusted"]
    shown = first.upper < 0
    sentence = (
        f"Were every complaint resolved at once, {abs(first.estimate):.2g} fewer would leave per "
        f"1,000 months ({result.rate:.1f} now)" + ("" if shown else ": not shown")
        if first.estimate < 0
        else "That fewer would leave, were every complaint resolved at once, is not shown"
    )
    finding(ax, made_up(result) + sentence, width=title_width(ax, labels))
    told = "; ".join(f"{name} ({how}) {one}" for (name, how), one in result.effects.items())
    return describe(ax, f"{result.rate:.1f} leavers per 1,000 customer-months. Changes: {told}.")


def complaint_days(result: ComplaintEffects, ax: Axes | None = None) -> Axes:
    """Draw the share that left soon after a complaint, by days to resolve.

    Parameters
    ----------
    result : ComplaintEffects
        From `keycustomer.relationships.complaint_effects`.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When no complaint could be followed.
    """
    frame = result.by_days[result.by_days["complaints"] > 0].reset_index(drop=True)
    if frame.empty:
        raise ValueError("no complaint could be followed to the end: the window is too short")
    ax = new_axes(ax)
    at = np.arange(len(frame))
    ax.vlines(at, frame["lower"], frame["upper"], color=PALETTE["blue"], lw=4)
    ax.plot(at, frame["rate"], "o", color=PALETTE["blue"], ms=13)
    for place, row in zip(at, frame.to_dict("records"), strict=True):
        ax.annotate(
            f"{row['left']:,} of\n{row['complaints']:,}",
            (place, row["upper"]),
            (0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=13,
            color=PALETTE["grey"],
        )
    ax.set_xticks(at, [name.replace(" or open", "\nor open") for name in frame["days"]])
    ax.set_xlim(-0.5, len(frame) - 0.5)
    ax.set_ylim(0, 1.28 * float(frame["upper"].max()))
    percent_axis(ax.yaxis)
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    ax.set_xlabel("days to resolve")
    ax.set_ylabel(f"left within {counted(result.follow, 'month')}")
    first, last = frame.iloc[0], frame.iloc[-1]
    apart = last["lower"] > first["upper"] or last["upper"] < first["lower"]
    sentence = (
        f"{percent(first['rate'])} leave after complaints of the class “{first['days']}”, "
        f"{percent(last['rate'])} after “{last['days']}”" + ("" if apart else " (within chance)")
    )
    finding(ax, made_up(result) + sentence)
    told = "; ".join(f"{r['days']} {percent(r['rate'])}" for r in frame.to_dict("records"))
    return describe(ax, f"Share that left within {result.follow} months of a complaint: {told}.")


def service_trial_dots(result: ServiceTrial, ax: Axes | None = None) -> Axes:
    """Draw estimates less the truth over simulated companies, plainly and adjusted.

    Parameters
    ----------
    result : ServiceTrial
        From `keycustomer.relationships.judge_service`.
    ax : Axes, optional
        Axes to draw into.
    """
    summary = result.summary()
    names = list(dict.fromkeys(summary["contrast"]))[::-1]
    ax = new_axes(ax, size=(10, 2.9 + 0.8 * len(names)))
    ax.axvline(0, color=PALETTE["black"], lw=2)
    frame = result.frame.assign(error=result.frame["estimate"] - result.frame["truth"])
    for how, (colour, _, shift) in WAYS.items():
        for place, name in enumerate(names):
            own = (frame["contrast"] == name) & (frame["adjustment"] == how)
            errors = frame.loc[own, "error"].to_numpy()
            at = np.full(len(errors), place + 1.3 * shift)
            ax.plot(errors, at, "o", color=colour, alpha=0.35, ms=7, mew=0)
            ax.plot(errors.mean(), at[0], "D", color=colour, ms=11, mec="white")
    labels = [WORLDS.get(name, name) for name in names]
    name_rows(ax, labels)
    ax.set_xlabel("estimate less truth, leavers per 1,000 customer-months")
    marks = [
        Line2D([], [], color=colour, marker="D", ls="", ms=10, label=f"{how}, mean")
        for how, (colour, _, _) in WAYS.items()
    ]
    legend_below(ax, 2, marks)
    means = summary.set_index(["contrast", "adjustment"])["error"].abs().unstack()
    better = int((means["adjusted"] < means["naive"]).sum())
    held = summary.loc[summary["adjustment"] == "adjusted", "held"].mean()
    sentence = (
        f"Simulated, {result.companies} companies: holding like with like brings {better} of "
        f"{len(means)} effects nearer; {percent(held, 0)} of its intervals hold the truth"
    )
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['contrast']} ({row['adjustment']}) {row['error']:+.2f}"
        for row in summary.to_dict("records")
    )
    return describe(ax, f"Mean error over {result.companies} simulated companies: {told}.")

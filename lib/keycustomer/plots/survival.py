"""Figures of who stays how long, why customers leave, and what holds them.

:func:`survival_curves` draws survival by group, :func:`reason_layers` the share that has left for
each reason, :func:`hazard_ratio_dots` what changes the rate of leaving, :func:`switching_dots` what
ties have kept, naively and compared like with like, beside the truth where it is known, and
:func:`switching_errors` how far such estimates are from the truth over many simulated companies.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import name_rows, short_names, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    number_axis,
    palette,
    percent,
    percent_axis,
)

if TYPE_CHECKING:
    from keycustomer.relationships.survival.competing import ReasonIncidence
    from keycustomer.relationships.survival.cox import CoxModel
    from keycustomer.relationships.survival.group_curves import SurvivalByGroup
    from keycustomer.relationships.survival.switching import SwitchingCosts
    from keycustomer.relationships.survival.switching_truth import SwitchingComparison

LABEL = 30
"""Characters of a group's, reason's or term's name."""

MOST_GROUPS = 7
"""Curves whose colours can be told apart."""

MOST_TERMS = 30
"""Rows of a figure of hazard ratios."""

RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.4, 2, 3, 5, 10, 20, 50, 100)
"""Places of the axis of hazard ratios."""

NARROWEST = 0.5
"""Logarithm of the shortest reach of the axis of hazard ratios to either side of 1."""

UNKNOWN = "not recorded"


def survival_curves(
    result: SurvivalByGroup, ax: Axes | None = None, *, until: float | None = None
) -> Axes:
    """Draw survival by group, with intervals.

    Parameters
    ----------
    result : SurvivalByGroup
        From `keycustomer.relationships.survival_by`.
    ax : Axes, optional
        Axes to draw into.
    until : float, optional
        Last tenure drawn; left out, the limit of the result's means.

    Raises
    ------
    ValueError
        When there are more groups than colours, or `until` does not follow the curves' start.
    """
    names = result.groups["group"].tolist()
    last = result.until if until is None else until
    if len(names) > MOST_GROUPS:
        raise ValueError(
            f"{len(names)} groups: at most {MOST_GROUPS} curves can be told apart; join groups"
        )
    if not last > result.since:
        raise ValueError(f"until={last:g} must lie after {result.since:g}, where the curves start")
    ax = new_axes(ax, size=(10, 6.6))
    short = short_names(names, LABEL)
    ends = {}
    for name, colour in zip(names, palette(len(names)), strict=True):
        own = result.curves[result.curves["group"] == name]
        ends[name] = _draw_curve(ax, own, last, colour)
        ax.plot(
            [], [], color=colour, label=f"{escape_label(short[name])}: {percent(ends[name], 0)}"
        )
    ax.set_xlim(result.since, last)
    ax.set_ylim(0, 1.02)
    percent_axis(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    since = f", of those who had stayed {result.since:g}" if result.since else ""
    ax.set_xlabel(f"Tenure in {result.unit}s{since} (band: {percent(result.level, 0)} interval)")
    ax.set_ylabel("Still customers")
    legend_below(ax, columns=min(len(names), 3))
    sentence = _stay_sentence(result, ends, short, last)
    finding(ax, sentence)
    told = "; ".join(f"{name} {percent(share, 0)}" for name, share in ends.items())
    test = f" {result.test.sentence()}" if result.test else ""
    return describe(
        ax,
        f"Kaplan-Meier curves. Still customers after {_lasting(last, result.unit)}: {told}.{test}",
    )


def _draw_curve(ax: Axes, own: pd.DataFrame, last: float, colour: str) -> float:
    """Draw one curve as steps up to a tenure, and give where it ends."""
    seen = own[own["tenure"] <= last]
    tenure = np.append(seen["tenure"], last)
    steps = [
        np.append(seen[column], seen[column].iloc[-1]) for column in ("survival", "lower", "upper")
    ]
    ax.step(tenure, steps[0], where="post", color=colour)
    ax.fill_between(tenure, steps[1], steps[2], step="post", color=colour, alpha=0.15, lw=0)
    return float(steps[0][-1])


def _lasting(time: float, unit: str) -> str:
    """Write a time with its unit: 47.9 months."""
    return f"{time:,.0f} {unit}s" if time >= 100 or time % 1 == 0 else f"{time:.3g} {unit}s"


def _stay_sentence(
    result: SurvivalByGroup, ends: dict[str, float], short: dict[object, str], last: float
) -> str:
    when = _lasting(last, result.unit)
    ranked = sorted(ends, key=lambda name: -ends[name])
    best, worst = ranked[0], ranked[-1]
    if len(ends) == 1:
        who = "customers" if best == "all customers" else str(best)
        return f"After {when} {percent(ends[best], 0)} of {who} are still there"
    by = str(result.by).replace("_", " ")
    sure = result.test is not None and result.test.p_value < 0.05
    doubt = "" if sure else "; the groups may differ by chance"
    return (
        f"After {when} {percent(ends[best], 0)} of customers with {by} {short[best]} are "
        f"still there, {percent(ends[worst], 0)} with {short[worst]}{doubt}"
    )


def reason_layers(
    result: ReasonIncidence, ax: Axes | None = None, *, until: float | None = None
) -> Axes:
    """Draw the share that has left for each reason, one layer on the other.

    Parameters
    ----------
    result : ReasonIncidence
        From `keycustomer.relationships.incidence_by_reason`, without groups.
    ax : Axes, optional
        Axes to draw into.
    until : float, optional
        Last tenure drawn; left out, the last time at which somebody left.

    Raises
    ------
    ValueError
        When the result has groups, more reasons than colours, or nobody left by `until`.
    """
    groups = result.curves["group"].unique()
    if len(groups) > 1:
        raise ValueError(f"{len(groups)} groups: draw one at a time, or leave `by` out")
    if len(result.reasons) > MOST_GROUPS + 1:
        raise ValueError(f"{len(result.reasons)} reasons: at most {MOST_GROUPS} can be told apart")
    last = float(result.curves["tenure"].max()) if until is None else until
    seen = result.curves[result.curves["tenure"] <= last]
    if seen.empty:
        raise ValueError(f"until={last:g}: nobody had left by then")
    ax = new_axes(ax, size=(10, 6.8))
    table = seen.pivot(index="tenure", columns="reason", values="incidence")[list(result.reasons)]
    tenure = np.concatenate([[result.since], table.index.to_numpy(float), [last]])
    shares = np.vstack([np.zeros(len(result.reasons)), table.to_numpy(), table.to_numpy()[-1:]])
    top = np.zeros(len(tenure))
    known = [reason for reason in result.reasons if reason != UNKNOWN]
    short = {**short_names(known, LABEL), UNKNOWN: UNKNOWN}
    for k, (reason, colour) in enumerate(_reason_colours(result.reasons)):
        label = f"{escape_label(short[reason])}: {percent(shares[-1, k], 0)}"
        layer = top + shares[:, k]
        ax.fill_between(tenure, top, layer, step="post", color=colour, lw=0, label=label)
        top = layer
    ax.set_xlim(result.since, last)
    ax.set_ylim(0, 1.1 * top[-1])
    percent_axis(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    since = f", of those who had stayed {result.since:g}" if result.since else ""
    ax.set_xlabel(f"Tenure in {result.unit}s{since}")
    ax.set_ylabel("Left so far")
    legend_below(ax, columns=2)
    sentence = _reason_sentence(result, shares[-1], short, last)
    finding(ax, sentence)
    return describe(ax, _reason_text(result, last))


def _reason_colours(reasons: tuple[str, ...]) -> list[tuple[str, str]]:
    """Colours by reason, grey where none is recorded."""
    colours = iter(palette())
    return [(r, PALETTE["light grey"] if r == UNKNOWN else next(colours)) for r in reasons]


def _reason_sentence(
    result: ReasonIncidence, shares: np.ndarray, short: dict[object, str], last: float
) -> str:
    known = [(s, r) for s, r in zip(shares, result.reasons, strict=True) if r != UNKNOWN]
    most, reason = max(known)
    return (
        f"After {_lasting(last, result.unit)} {percent(shares.sum(), 0)} have left, most for "
        f"{short[reason]} ({percent(most, 0)})"
    )


def _reason_text(result: ReasonIncidence, last: float) -> str:
    rows = result.at(last)
    told = "; ".join(
        f"{row['reason']} {percent(row['incidence'])} [{percent(row['lower'])}, "
        f"{percent(row['upper'])}], taken alone {percent(row['alone'])}"
        for row in rows.to_dict("records")
    )
    return f"Cumulative incidence by reason after {_lasting(last, result.unit)}: {told}."


def hazard_ratio_dots(result: CoxModel, ax: Axes | None = None) -> Axes:
    """Draw hazard ratios with their intervals, of numbers for a step of a standard deviation.

    Parameters
    ----------
    result : CoxModel
        From `keycustomer.relationships.fit_cox`.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When there are more terms than can be read.
    """
    table = _by_natural_step(result)
    if len(table) > MOST_TERMS:
        raise ValueError(f"{len(table)} terms: at most {MOST_TERMS} can be read; fit fewer")
    ax = new_axes(ax, size=(10, max(3.8, 2.4 + 0.5 * len(table))))
    table = table.iloc[::-1].reset_index(drop=True)
    sure = (table["lower"] > 1) | (table["upper"] < 1)
    place = np.arange(len(table))
    for chosen, colour in ((sure, PALETTE["blue"]), (~sure, PALETTE["grey"])):
        rows = chosen.to_numpy(bool)
        ax.hlines(place[rows], table["lower"][rows], table["upper"][rows], color=colour, lw=3)
        ax.plot(table["hazard_ratio"][rows], place[rows], "o", color=colour, ms=10)
    ax.axvline(1, color=PALETTE["black"], lw=1.5)
    labels = [escape_label(label) for label in reversed(_term_labels(result))]
    name_rows(ax, labels)
    _ratio_axis(ax, table)
    ax.set_xlabel(
        f"Hazard ratio, {percent(result.level, 0)} interval (below 1: leave less; grey: unsure)"
    )
    sentence = _ratio_sentence(table.assign(term=labels), sure)
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['term']} {row['hazard_ratio']:.2f} [{row['lower']:.2f}, {row['upper']:.2f}]"
        for row in table.assign(term=labels).iloc[::-1].to_dict("records")
    )
    return describe(ax, f"Hazard ratios of {result.customers:,} customers: {told}.")


def _by_natural_step(result: CoxModel) -> pd.DataFrame:
    """Table of the effects, those of numbers for a step of their standard deviation."""
    table = result.to_frame()
    step = np.where(np.isfinite(result.spread), result.spread, 1.0)
    for column in ("hazard_ratio", "lower", "upper"):
        table[column] = table[column] ** step
    table["coefficient"] *= step
    return table


def _term_labels(result: CoxModel) -> list[str]:
    """Names of the terms, shortened, with the step of numbers."""
    labels: list[str] = []
    for coding in result.design.codings:
        column = shorten(coding.column, LABEL - 8)
        if coding.levels:
            short = short_names(coding.levels[1:], max(LABEL - len(column), 12))
            labels += [f"{column}={short[level]}" for level in coding.levels[1:]]
        else:
            step = " (+1 sd)" if np.isfinite(result.spread[len(labels)]) else ""
            labels.append(f"{column}{step}")
    return labels


def _ratio_axis(ax: Axes, table: pd.DataFrame) -> None:
    """Set a logarithmic axis with round ratios."""
    low = min(float(table["lower"].min()), math.exp(-NARROWEST))
    high = max(float(table["upper"].max()), math.exp(NARROWEST))
    ax.set_xscale("log")
    ax.set_xlim(max(low / 1.08, 1e-3), min(high * 1.08, 1e3))
    reach = ax.get_xlim()
    inside = [ratio for ratio in RATIOS if reach[0] <= ratio <= reach[1]]
    step = -(-len(inside) // 9)
    one = inside.index(1)
    ax.xaxis.set_major_locator(
        FixedLocator([r for n, r in enumerate(inside) if (n - one) % step == 0])
    )
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _ratio_sentence(table: pd.DataFrame, sure: pd.Series) -> str:
    if not sure.any():
        return "No hazard ratio can be told from 1: what drives leaving is not seen here"
    found = table[sure]
    strongest = found.iloc[int(np.abs(found["coefficient"]).argmax())]
    ratio = float(strongest["hazard_ratio"])
    how = f"{ratio:.1f} times" if ratio >= 1.95 else f"{percent(abs(ratio - 1), 0)}"
    if ratio >= 1.95:
        return f"{strongest['term']} goes with {how} the rate of leaving, all else equal"
    way = "lower" if ratio < 1 else "higher"
    return f"{strongest['term']} goes with a {how} {way} rate of leaving, all else equal"


def switching_dots(
    result: SwitchingCosts,
    ax: Axes | None = None,
    *,
    truth: pd.DataFrame | None = None,
    what: str = "margin",
) -> Axes:
    """Draw what each tie kept: the naive figure, the adjusted one, and the truth if known.

    Parameters
    ----------
    result : SwitchingCosts
        From `keycustomer.relationships.switching_costs`.
    ax : Axes, optional
        Axes to draw into.
    truth : DataFrame, optional
        From `keycustomer.relationships.true_switching`, of the same simulated company.
    what : {"margin", "months"}
        Margin or customer-months kept.

    Raises
    ------
    ValueError
        When there is no such measure, or no margin is known.
    """
    if what not in ("margin", "months"):
        raise ValueError(f"what={what!r} must be 'margin' or 'months'")
    rows = result.kept.iloc[::-1].reset_index(drop=True)
    if rows[what].isna().any():
        raise ValueError("no margin is known; draw what='months'")
    ax = new_axes(ax, size=(10, 2.9 + 0.75 * len(rows)))
    place = np.arange(len(rows))
    ends = rows[[f"{what}_lower", f"{what}_upper"]].to_numpy(float)
    ax.hlines(place, ends[:, 0], ends[:, 1], color=PALETTE["blue"], lw=4)
    ax.plot(rows[what], place, "o", color=PALETTE["blue"], ms=12, label="like with like")
    ax.plot(
        rows[f"naive_{what}"],
        place,
        "s",
        color=PALETTE["vermilion"],
        ms=11,
        mfc="white",
        mew=2.5,
        label="naive",
    )
    if truth is not None:
        true = rows["tie"].map(truth.set_index("tie")[what])
        ax.plot(true, place, "|", color=PALETTE["black"], ms=30, mew=3.5, label="simulated truth")
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    labels = [escape_label(str(tie)) for tie in rows["tie"]]
    name_rows(ax, labels)
    number_axis(ax.xaxis)
    ax.margins(x=0.06)
    unit = result.currency if what == "margin" else "customer-months"
    of = f"Margin kept, {result.currency}" if what == "margin" else "Customer-months kept"
    ax.set_xlabel(f"{of} (line: {percent(result.level, 0)} interval)")
    legend_below(ax, columns=3)
    sentence = _tie_sentence(result, what, unit)
    finding(ax, sentence, width=title_width(ax, labels))
    return describe(ax, _tie_text(rows, what, unit, truth))


def _tie_sentence(result: SwitchingCosts, what: str, unit: str) -> str:
    single = result.kept[result.kept["tie"].isin(result.effects["tie"])]
    most = single.to_dict("records")[int(single[what].argmax())]
    total = getattr(result, what)
    share = percent(float(most[what]) / total, 0) if total > 0 else "not known"
    amount = compact_number(float(most[what]))
    if most[f"{what}_lower"] <= 0:
        return f"No tie is seen to keep customers; most, {most['tie']}, {amount} {unit}"
    of = f"{unit} of margin" if what == "margin" else unit
    return f"Of single ties {most['tie']} kept most: {amount} {of}, {share} of all"


def _tie_text(rows: pd.DataFrame, what: str, unit: str, truth: pd.DataFrame | None) -> str:
    true = {} if truth is None else dict(zip(truth["tie"], truth[what], strict=True))
    told = []
    for row in rows.iloc[::-1].to_dict("records"):
        text = f"{row['tie']} {row[what]:,.0f} [{row[f'{what}_lower']:,.0f}, "
        text += f"{row[f'{what}_upper']:,.0f}]"
        if math.isfinite(row[f"naive_{what}"]):
            text += f", naively {row[f'naive_{what}']:,.0f}"
        if row["tie"] in true:
            text += f", in truth {true[row['tie']]:,.0f}"
        told.append(text)
    return f"What ties kept, {unit}: {'; '.join(told)}."


def switching_errors(
    result: SwitchingComparison, ax: Axes | None = None, *, what: str = "months"
) -> Axes:
    """Draw how far estimates of what ties keep are from the truth, company by company.

    Parameters
    ----------
    result : SwitchingComparison
        From `keycustomer.relationships.switching_over_companies`.
    ax : Axes, optional
        Axes to draw into.
    what : {"months", "margin"}
        Customer-months or margin kept.
    """
    table = result.summary(what)
    ties = table["tie"].tolist()[::-1]
    ax = new_axes(ax, size=(10, 2.9 + 0.95 * len(ties)))
    ways: list[tuple[str, str, float, str]] = [
        (f"naive_{what}", "naive", 0.18, PALETTE["vermilion"]),
        (what, "like with like", -0.18, PALETTE["blue"]),
    ]
    for column, label, shift, colour in ways:
        for place, tie in enumerate(ties):
            own = result.frame[result.frame["tie"] == tie]
            off = (own[column] / own[f"true_{what}"] - 1).dropna()
            _draw_errors(ax, off, place + shift, colour)
        ax.plot([], [], "o", color=colour, label=label)
    ax.axvline(0, color=PALETTE["black"], lw=2)
    labels = [escape_label(str(tie)) for tie in ties]
    name_rows(ax, labels)
    percent_axis(ax.xaxis)
    count = int(result.frame["seed"].nunique())
    of = "customer-months" if what == "months" else "margin"
    ax.set_xlabel(
        f"Estimate of {of} kept against the truth\n(a dot: one of {count} simulated companies; "
        "bar: their mean)"
    )
    legend_below(ax, columns=2)
    sentence = _error_sentence(table)
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(_error_text(row) for row in table.to_dict("records"))
    return describe(ax, f"Simulated companies, mean error of {of} kept: {told}.")


def _draw_errors(ax: Axes, off: pd.Series, place: float, colour: str) -> None:
    if off.empty:
        return
    ax.plot(off, np.full(len(off), place), "o", color=colour, ms=7, alpha=0.45, mew=0)
    ax.plot([off.mean()] * 2, [place - 0.16, place + 0.16], color=colour, lw=4)


def _error_sentence(table: pd.DataFrame) -> str:
    """Name the tie of which the naive figure is furthest off, and what comparing alike leaves."""
    known = table[table["naive_error"].notna() & (table["truth"] != 0)]
    naive = known["naive_error"] / known["truth"]
    worst = known.to_dict("records")[int(naive.abs().argmax())]
    before, after = (_signed(worst[name] / worst["truth"]) for name in ("naive_error", "error"))
    return (
        f"Simulated: taken naively, what {worst['tie']} keeps is off by {before} on average; like "
        f"with like, by {after}"
    )


def _signed(share: float) -> str:
    """Write a share in percent with its sign: +52 %."""
    return f"{'+' if share > 0 else ''}{percent(share, 0)}"


def _error_text(row: dict[Any, Any]) -> str:
    naive = "" if math.isnan(row["naive_error"]) else f", naively {row['naive_error']:+,.0f}"
    return (
        f"{row['tie']} {row['error']:+,.0f}{naive} of {row['truth']:,.0f}, intervals hold the "
        f"truth in {percent(row['covered'], 0)} of companies"
    )

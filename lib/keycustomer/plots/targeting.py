"""Figures of retention offers: who should get one, and what each rule of choice earns.

:func:`gain_by_depth` draws Qini or profit curves, :func:`targeting_dots` what rules earn with
intervals (and the truth where it is known), :func:`risk_uplift_map` customers by risk and uplift,
:func:`targeting_over_companies` true profits of rules over simulated companies,
:func:`profit_by_tie_lines` where an order by churn risk turns worse than choosing at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keycustomer.plots.labels import name_rows, names_in_words, shorten
from keycustomer.plots.legends import legend_below
from keycustomer.plots.style import (
    COLUMN_INCHES,
    FIGURE_SIZE,
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
    from keycustomer.relationships.targeting.curves import GainCurves
    from keycustomer.relationships.targeting.known_trial import KnownTrial
    from keycustomer.relationships.targeting.over_companies import PilotsOverCompanies
    from keycustomer.relationships.targeting.pilot import RetentionPilot
    from keycustomer.relationships.targeting.profits import TargetingProfits
    from keycustomer.relationships.targeting.ties import ProfitsByTie

RANDOM, RISK = "random", "churn risk"

COLOURS = {
    "uplift": PALETTE["blue"],
    "uplift (DR)": PALETTE["blue"],
    "uplift (T)": PALETTE["sky"],
    "uplift (by risk)": PALETTE["purple"],
    "uplift x value (by risk)": PALETTE["purple"],
    "uplift x value": PALETTE["blue"],
    "uplift x value (DR)": PALETTE["blue"],
    "uplift x value (T)": PALETTE["sky"],
    "risk x value": PALETTE["orange"],
    RISK: PALETTE["vermilion"],
    "value": PALETTE["green"],
    RANDOM: PALETTE["grey"],
}
"""Colour of each rule; others take what is left."""

SPARE = (PALETTE["black"], PALETTE["purple"])

DASHES: dict[str, Any] = {RANDOM: (0, (2, 2)), RISK: (0, (6, 2)), "risk x value": (0, (1, 1))}
"""Dashes of some lines, so that colour alone does not tell them."""

LONGEST = 28
"""Characters of a rule's name."""

MOST_POINTS = 5_000
"""Customers drawn as points; of more, every so many-th."""

ROW = 0.42
"""Height of a row, inches."""

STOPS = {"fixed depth": "s", "best depth": "D", "gain above 0": "o"}
"""Mark of each stop."""


def gain_by_depth(curves: GainCurves, ax: Axes | None = None) -> Axes:
    """Draw what each rule gains by how far down its list the offer goes.

    Parameters
    ----------
    curves : GainCurves
        From :func:`keycustomer.relationships.qini_curves` or `profit_curves`.
    ax : Axes, optional
        Axes to draw into.

    Returns
    -------
    Axes
        The band is the interval of the rule that does best.
    """
    ax = new_axes(ax)
    table = curves.to_frame().set_index("rule")
    money = curves.quantity == "money"
    best = str(table["best_gain" if money else "area"].idxmax())
    scale = 1.0 if money else 1_000.0
    for rule, colour in _colours(curves.rules).items():
        curve = curves.curve(rule)
        ax.plot(
            curve["depth"],
            scale * curve["gain"],
            color=colour,
            linestyle=DASHES.get(rule, "-"),
            label=escape_label(shorten(rule, LONGEST)),
        )
        if rule == best:
            low, high = scale * curve["lower"], scale * curve["upper"]
            ax.fill_between(curve["depth"], low, high, color=colour, alpha=0.15, linewidth=0)
    ax.axhline(0, color=PALETTE["black"], linewidth=1)
    ax.set_xlim(0, 1)
    percent_axis(ax.xaxis)
    number_axis(ax.yaxis)
    ax.set_xlabel("Customers who get the offer, the highest score first")
    ax.set_ylabel("Profit, currency a customer" if money else "Gained of 1,000 customers")
    legend_below(ax, columns=3)
    finding(ax, _earned_most(curves, best) if money else _better_than_random(curves))
    return describe(ax, f"{ax.get_title(loc='left')}. {_areas(curves)}")


def _better_than_random(curves: GainCurves) -> str:
    """Say which orders are shown to gain more than choosing at random, and which less."""
    better = [rule for rule, area in curves.area.items() if rule != RANDOM and area.lower > 0]
    worse = [rule for rule, area in curves.area.items() if rule != RANDOM and area.upper < 0]
    if not better and not worse:
        return "No order is shown to gain more or less than choosing at random"
    said = [
        f"{how} is gained by {names_in_words(rules, width=LONGEST)}"
        for how, rules in (("more", better), ("less", worse))
        if rules
    ]
    return f"Compared with random order, {', '.join(said)}"


def _earned_most(curves: GainCurves, best: str) -> str:
    """Say where the offer earns most; the depth is the best of many, which flatters."""
    curve = curves.curve(best)
    top = curve.iloc[int(curve["gain"].argmax())]
    if top["depth"] == 0:
        return "The offer earns nothing, whoever gets it first"
    where = f"with the first {percent(top['depth'], 0)} by {shorten(best, LONGEST)}"
    interval = f"{compact_number(top['lower'])} to {compact_number(top['upper'])}"
    if top["lower"] > 0:
        amount = f"{compact_number(top['gain'])} [{interval}]"
        return f"Most is earned {where}: {amount}, read off the customers it is judged by"
    return f"No order is shown to earn money with the offer; most {where}, [{interval}]"


def _areas(curves: GainCurves) -> str:
    told = "; ".join(f"{rule} {area}" for rule, area in curves.area.items())
    return (
        f"Gain by depth of {curves.customers:,} customers, {curves.method}; area between each "
        f"curve and the straight line of choosing at random, in {curves.unit}: {told}."
    )


def targeting_dots(
    result: TargetingProfits | RetentionPilot,
    ax: Axes | None = None,
    *,
    stops: Sequence[str] = ("fixed depth", "gain above 0"),
) -> Axes:
    """Draw what each rule earns with its interval, and the truth where it is known.

    Parameters
    ----------
    result : TargetingProfits or RetentionPilot
        From :func:`keycustomer.relationships.targeting_profits` or `retention_pilot`.
    ax : Axes, optional
        Axes to draw into.
    stops : sequence of str
        Where rules stop: `fixed depth`, `best depth`, `gain above 0`.

    Raises
    ------
    ValueError
        When no rule has such a stop.
    """
    table = _stopping(result.to_frame(), stops)
    profits = getattr(result, "profits", None)
    judged: Any = result if isinstance(profits, dict) else profits
    rows = table.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.6 + ROW * len(rows)))
    for place, (_, row) in enumerate(rows.iterrows()):
        colour = COLOURS.get(row["rule"], SPARE[0])
        ax.hlines(place, row["lower"], row["upper"], color=colour, linewidth=3)
        ax.plot(row["profit"], place, STOPS[row["stop"]], color=colour, markersize=9)
    ax.axvline(0, color=PALETTE["black"], linewidth=1)
    known = "truth" in rows
    if known:
        ax.plot(rows["truth"], rows.index, "|", color="black", markersize=15, mew=3, label="truth")
        legend_below(ax)
    names = [escape_label(_row_name(row, judged.depth)) for _, row in rows.iterrows()]
    name_rows(ax, names)
    ax.tick_params(axis="y", labelsize="small")
    number_axis(ax.xaxis)
    ax.set_xlabel(f"Profit{' (simulated)' if known else ''}, currency a customer of all")
    sentence = _told_apart(judged)
    finding(ax, sentence, width=_columns(ax, names))
    told = "; ".join(
        f"{row['rule']} at {row['stop']} {row['profit']:,.1f} [{row['lower']:,.1f}, "
        f"{row['upper']:,.1f}]" + (f", truly {row['truth']:,.1f}" if known else "")
        for _, row in table.iterrows()
    )
    return describe(ax, f"{sentence}. Profit of the offer, currency a customer: {told}.")


def _stopping(table: pd.DataFrame, stops: Sequence[str]) -> pd.DataFrame:
    some = table[table["stop"].isin(list(stops))]
    if some.empty:
        raise ValueError(f"stops={list(stops)!r}: no rule stops there; use {', '.join(STOPS)}")
    return some


def _columns(ax: Axes, names: Sequence[str]) -> int:
    """Columns of a title above axes with small names of rows at their left."""
    figure = ax.get_figure(root=True)
    width = figure.get_figwidth() if isinstance(figure, Figure) else FIGURE_SIZE[0]
    longest = max(map(len, names), default=0)
    return max(int((width - 0.6 - 0.092 * longest) / COLUMN_INCHES), 20)


def _row_name(row: pd.Series, depth: float) -> str:
    stop = f"first {percent(depth, 0)}" if row["stop"] == "fixed depth" else row["stop"]
    return f"{shorten(row['rule'], LONGEST)}, {stop}"


def _told_apart(profits: TargetingProfits) -> str:
    """Say which rules are shown to earn more than churn risk at the fixed depth."""
    gaps = {
        rule: gap
        for (rule, other, stop), gap in profits.gaps.items()
        if other == RISK and stop == "fixed depth" and rule != RANDOM
    }
    if not gaps:
        return "What each rule of choice earns"
    more = [rule for rule, gap in gaps.items() if gap.lower > 0]
    first = f"With the first {percent(profits.depth, 0)}"
    if more:
        return f"{first}, {_earn(more)} more than churn risk"
    less = [rule for rule, gap in gaps.items() if gap.upper < 0]
    if less:
        return f"{first}, {_earn(less)} less than churn risk"
    return f"{first}, no rule is shown to earn more or less than churn risk"


def _earn(rules: Sequence[str]) -> str:
    return f"{names_in_words(rules, width=LONGEST)} earn{'s' if len(rules) == 1 else ''}"


def risk_uplift_map(known: KnownTrial | RetentionPilot, ax: Axes | None = None) -> Axes:
    """Draw customers by their true risk to leave and what the offer truly does to it.

    Parameters
    ----------
    known : KnownTrial or RetentionPilot
        Simulated customers with their truth.
    ax : Axes, optional
        Axes to draw into.
    """
    risk, uplift = known.true_risk, known.true_uplift
    cut = float(np.quantile(risk, 0.8))
    risky = risk >= cut
    step = max(1, len(risk) // MOST_POINTS)
    ax = new_axes(ax)
    for rows, colour, said in (
        (~risky, PALETTE["sky"], "other customers"),
        (risky, PALETTE["vermilion"], "the fifth at highest risk"),
    ):
        some = np.flatnonzero(rows)[::step]
        ax.scatter(
            risk[some], 100 * uplift[some], s=14, color=colour, alpha=0.5, label=said, linewidth=0
        )
    ax.axhline(0, color=PALETTE["black"], linewidth=1)
    percent_axis(ax.xaxis)
    ax.set_xlabel("True risk to leave without the offer (simulated)")
    ax.set_ylabel("True uplift, points")
    legend_below(ax, columns=2)
    for handle in ax.get_legend().legend_handles:  # type: ignore[union-attr]
        handle.set(alpha=1.0, sizes=[80])  # type: ignore[union-attr]
    high, low = 100 * float(uplift[risky].mean()), 100 * float(uplift[~risky].mean())
    together = float(np.corrcoef(risk, uplift)[0, 1])
    sentence = (
        f"Simulated: the offer moves the fifth at highest risk by {high:.1f} points, the others by "
        f"{low:.1f}"
    ).replace("-", "\N{MINUS SIGN}")
    finding(ax, sentence)
    return describe(
        ax,
        f"{sentence}. {len(risk):,} simulated customers by true risk to leave and true uplift of "
        f"the offer; correlation {together:.2f}; {percent(float((uplift < 0).mean()))} are driven "
        "away by the offer.",
    )


def targeting_over_companies(
    result: PilotsOverCompanies,
    ax: Axes | None = None,
    *,
    stops: Sequence[str] = ("fixed depth", "gain above 0"),
) -> Axes:
    """Draw what each rule truly earned in each simulated company.

    Parameters
    ----------
    result : PilotsOverCompanies
        From :func:`keycustomer.relationships.pilots_over_companies`.
    ax : Axes, optional
        Axes to draw into.
    stops : sequence of str
        Where rules stop: `fixed depth`, `best depth`, `gain above 0`.

    Raises
    ------
    ValueError
        When no rule has such a stop.
    """
    table = _stopping(result.to_frame(), stops).sort_values("truth")
    ax = new_axes(ax, size=(10, 2.8 + ROW * len(table)))
    for place, (_, row) in enumerate(table.iterrows()):
        truths = result.truths(row["rule"], row["stop"])
        colour = COLOURS.get(row["rule"], SPARE[0])
        ax.plot(truths, np.full(len(truths), place), "o", color=colour, alpha=0.45, markersize=8)
        ax.plot(row["truth"], place, "|", color="black", markersize=20, mew=3)
    ax.axvline(0, color=PALETTE["black"], linewidth=1)
    names = [escape_label(_row_name(row, result.depth)) for _, row in table.iterrows()]
    name_rows(ax, names)
    ax.tick_params(axis="y", labelsize="small")
    number_axis(ax.xaxis)
    ax.set_xlabel(
        "True profit (simulated), currency a customer of all\nblack: mean of the companies"
    )
    top = table.iloc[-1]
    how = "earns most" if top["truth"] > 0 else "loses least"
    sentence = (
        f"Simulated: {_row_name(top, result.depth)}, {how}, {compact_number(abs(top['truth']))} a "
        f"customer; earns something in {top['gains']} of {result.companies} companies"
    )
    finding(ax, sentence, width=_columns(ax, names))
    told = "; ".join(
        f"{_row_name(row, result.depth)} {row['truth']:,.1f} ({row['least']:,.1f} to "
        f"{row['most']:,.1f})"
        for _, row in table.iloc[::-1].iterrows()
    )
    return describe(
        ax,
        f"True profit of the offer in each of {result.companies} simulated companies, currency a "
        f"customer, mean and range: {told}.",
    )


def profit_by_tie_lines(result: ProfitsByTie, ax: Axes | None = None) -> Axes:
    """Draw what each order truly earns by how the response goes with the risk.

    Parameters
    ----------
    result : ProfitsByTie
        From :func:`keycustomer.relationships.profits_by_tie`.
    ax : Axes, optional
        Axes to draw into.
    """
    table = result.to_frame()
    ax = new_axes(ax)
    for rule, colour in _colours(list(dict.fromkeys(table["rule"]))).items():
        rows = table[table["rule"] == rule].sort_values("tie")
        style = DASHES.get(rule, "-")
        label = escape_label(shorten(rule, LONGEST))
        ax.plot(rows["tie"], rows["truth"], "o", ls=style, color=colour, markersize=7, label=label)
        ax.fill_between(
            rows["tie"], rows["least"], rows["most"], color=colour, alpha=0.12, linewidth=0
        )
    ax.axhline(0, color=PALETTE["black"], linewidth=1)
    number_axis(ax.yaxis)
    ax.set_xlabel("Correlation of response to the offer and risk to leave (simulated)")
    ax.set_ylabel("True profit, currency a customer")
    legend_below(ax, columns=3)
    risk = table[table["rule"] == RISK].sort_values("tie")
    worse = risk[risk["below_random"] > result.repeats / 2]
    sentence = "Simulated: an order by churn risk beats choosing at random at every correlation"
    if len(worse):
        ties = ", ".join(f"{tie:g}" for tie in worse["tie"]).replace("-", "\N{MINUS SIGN}")
        sentence = (
            "Simulated: where the risky respond least, an order by churn risk earns less than "
            f"choosing at random (correlation {ties})"
        )
    finding(ax, sentence)
    told = "; ".join(
        f"at {row['tie']:g} below random in {row['below_random']} of {result.repeats} trials"
        for _, row in risk.iterrows()
    )
    return describe(
        ax,
        f"{sentence}. Offer to the first {percent(result.depth, 0)}; lines are means of "
        f"{result.repeats} made-up trials, bands their range. Churn risk: {told}.",
    )


def _colours(rules: Sequence[str]) -> dict[str, str]:
    """Colour of each rule; rules without one of their own share what is left."""
    spare = [rule for rule in rules if rule not in COLOURS]
    left = dict(zip(spare, [SPARE[k % len(SPARE)] for k in range(len(spare))], strict=True))
    return {rule: COLOURS.get(rule, left.get(rule, SPARE[0])) for rule in rules}

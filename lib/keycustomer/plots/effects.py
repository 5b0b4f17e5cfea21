"""Figures of effects from observation, and of what a relationship level is worth.

:func:`treatment_dots` draws naive, adjusted and doubly robust answers side by side, with the truth
where it is known; :func:`balance_dots` and :func:`overlap_bars` whether like was compared with
like; :func:`adjustment_dots` what the choice of covariates does to the answer;
:func:`company_errors` the errors in many simulated companies; :func:`level_value_lines` what each
level brings and costs by size of the customer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

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
    from keycustomer.relationships.effects.outcomes_compared import TreatmentEffects
    from keycustomer.relationships.effects.over_companies import EffectsOverCompanies
    from keycustomer.relationships.effects.roles import AdjustmentSets
    from keycustomer.relationships.effects.values_by_level import LevelValues

METHOD_LOOKS = {
    "naive": (PALETTE["vermilion"], "s"),
    "adjusted": (PALETTE["sky"], "D"),
    "doubly robust": (PALETTE["blue"], "o"),
}
"""Colour and mark of each method."""

LONGEST_NAME = 30
"""Letters of a name at an axis."""

BALANCED = 0.10
"""Standardised difference up to which a covariate counts as balanced."""

MOST_POINTS = 40
"""Companies of which every one is drawn."""


def treatment_dots(
    result: TreatmentEffects,
    ax: Axes | None = None,
    *,
    measure: str = "ratio",
    truth: pd.DataFrame | None = None,
) -> Axes:
    """Draw the effect of every setting by the three methods, and the truth where it is known.

    Parameters
    ----------
    result : TreatmentEffects
        From `keycustomer.relationships.treatment_effects` or `level_effects`.
    ax : Axes, optional
        Axes to draw into.
    measure : {"ratio", "difference", "mean"}
        What is drawn.
    truth : DataFrame, optional
        measure, setting, truth, from `keycustomer.relationships.true_level_effects`.

    Raises
    ------
    ValueError
        When there is no such measure.
    """
    table = result.table[result.table["measure"] == measure]
    if table.empty:
        raise ValueError(f"measure={measure!r}: 'ratio', 'difference' or 'mean' are known")
    shown = [name for name in result.settings if (table["setting"] == name).any()]
    ax = new_axes(ax, size=(10, max(4.2, 2.4 + 0.85 * len(shown))))
    for shift, (method, (colour, mark)) in zip((0.24, 0, -0.24), METHOD_LOOKS.items(), strict=True):
        own = table[table["method"] == method].set_index("setting").loc[shown]
        place = np.arange(len(shown))[::-1] + shift
        ax.hlines(place, own["lower"], own["upper"], color=colour, lw=3)
        ax.plot(own["estimate"], place, mark, color=colour, ms=9, label=method)
    if truth is not None:
        _draw_truth(ax, truth, measure, shown)
    _reference_line(ax, result, measure)
    names = _labels(shown[::-1])
    name_rows(ax, names)
    ax.set_xlabel(escape_label(_measured(result, measure)))
    legend_below(ax, columns=4)
    told = _effect_sentence(result, measure, shown[-1], truth)
    finding(ax, told, width=title_width(ax, names))
    return describe(ax, _effect_description(result, measure, table, truth))


def _labels(names: Sequence[object]) -> list[str]:
    """Names of rows: shortened, without the underscores of columns."""
    short = short_names(names, LONGEST_NAME)
    return [escape_label(short[name].replace("_", " ")) for name in names]


def _draw_truth(ax: Axes, truth: pd.DataFrame, measure: str, shown: list[str]) -> None:
    known = truth[truth["measure"] == measure].set_index("setting")["truth"].reindex(shown)
    place = np.arange(len(shown))[::-1]
    ax.vlines(known, place - 0.4, place + 0.4, color="black", lw=2.5, label="truth (simulated)")


def _reference_line(ax: Axes, result: TreatmentEffects, measure: str) -> None:
    if measure == "mean":
        return
    neutral = 1.0 if measure == "ratio" else 0.0
    ax.axvline(neutral, color=PALETTE["grey"], lw=1.5, ls="--")


def _measured(result: TreatmentEffects, measure: str) -> str:
    outcome, against = shorten(result.outcome, 40), shorten(result.reference, 30)
    return {
        "mean": f"{outcome}, mean",
        "difference": f"{outcome}, less that of {against}",
        "ratio": f"{outcome}, as a ratio to {against}",
    }[measure]


def _effect_sentence(
    result: TreatmentEffects, measure: str, setting: str, truth: pd.DataFrame | None
) -> str:
    best = result.estimate(setting, measure)
    naive = result.estimate(setting, measure, "naive")
    told = f"{shorten(setting, 24)} {_number(best.estimate)}"
    told += f" times {shorten(result.reference, 24)}" if measure == "ratio" else ""
    if truth is None:
        told += f" (interval {_number(best.lower)} to {_number(best.upper)})"
        return f"{told} doubly robust, {_number(naive.estimate)} naive"
    known = truth[(truth["measure"] == measure) & (truth["setting"] == setting)]["truth"]
    told = f"Simulated: {told} doubly robust, {_number(naive.estimate)} naive"
    return told + "".join(f", {_number(value)} in truth" for value in known)


def _number(value: float) -> str:
    """Write a number with three digits."""
    if not math.isfinite(value):
        return "not known"
    if abs(value) >= 1000:
        return compact_number(value)
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _effect_description(
    result: TreatmentEffects, measure: str, table: pd.DataFrame, truth: pd.DataFrame | None
) -> str:
    said = "; ".join(
        f"{row['setting']} {row['method']} {_number(row['estimate'])} "
        f"[{_number(row['lower'])}, {_number(row['upper'])}]"
        for row in table.to_dict("records")
    )
    known = ""
    if truth is not None:
        rows = truth[truth["measure"] == measure].to_dict("records")
        known = " Truth of the simulated company: " + ", ".join(
            f"{row['setting']} {_number(row['truth'])}" for row in rows
        )
    return f"Effect of {result.treatment}, {_measured(result, measure)}: {said}.{known}"


def balance_dots(result: TreatmentEffects, ax: Axes | None = None, *, most: int = 12) -> Axes:
    """Draw how far covariates of the settings lie apart, before and after weighting.

    Parameters
    ----------
    result : TreatmentEffects
        From `keycustomer.relationships.treatment_effects` or `level_effects`.
    ax : Axes, optional
        Axes to draw into.
    most : int
        Covariates shown, the most different first.

    Raises
    ------
    ValueError
        When nothing was adjusted for.
    """
    if result.balance.empty:
        raise ValueError("result: nothing was adjusted for, so there is no balance to draw")
    rows = result.balance.head(most).iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.6 + 0.36 * len(rows)))
    place = np.arange(len(rows))
    ax.hlines(place, rows["before"], rows["after"], color=PALETTE["light grey"], lw=2)
    looks = (("before", METHOD_LOOKS["naive"]), ("after", METHOD_LOOKS["doubly robust"]))
    for column, (colour, mark) in looks:
        ax.plot(rows[column], place, mark, color=colour, ms=10, label=f"{column} weighting")
    ax.axvline(BALANCED, color=PALETTE["grey"], lw=1.5, ls="--", label=f"limit {BALANCED:g}")
    names = _labels(rows["covariate"].tolist())
    name_rows(ax, names)
    ax.set_xlim(left=0)
    ax.set_xlabel("largest standardised difference of a setting from everybody")
    legend_below(ax, columns=3)
    before, after = ((result.balance[c] > BALANCED).sum() for c in ("before", "after"))
    total = len(result.balance)
    sentence = (
        f"{before} of {total} covariates differ by more than {BALANCED:g} before weighting, "
        f"{after} after"
    )
    finding(ax, sentence, width=title_width(ax, names))
    told = "; ".join(
        f"{row['covariate']} {row['before']:.2f} before, {row['after']:.2f} after"
        for row in rows.iloc[::-1].to_dict("records")
    )
    return describe(ax, f"Balance of covariates by {result.treatment}. {sentence}. {told}.")


def overlap_bars(result: TreatmentEffects, ax: Axes | None = None) -> Axes:
    """Draw the chances of every setting, of those who had it and of those who did not.

    Parameters
    ----------
    result : TreatmentEffects
        From `keycustomer.relationships.treatment_effects` or `level_effects`.
    ax : Axes, optional
        Axes to draw into.
    """
    chances, count = result.propensities, len(result.settings)
    ax = new_axes(ax, size=(10, max(4.0, 2.2 + 0.8 * count)))
    told = []
    for place, name in zip(range(count)[::-1], result.settings, strict=True):
        had = (chances["had"] == name).to_numpy()
        values = chances[name].to_numpy(dtype=float)
        for who, shift, look in ((had, 0.17, "doubly robust"), (~had, -0.17, "naive")):
            low, lower, middle, upper, high = np.quantile(
                values[who], [0.01, 0.25, 0.5, 0.75, 0.99]
            )
            colour = METHOD_LOOKS[look][0]
            ax.hlines(place + shift, low, high, color=colour, lw=2.5)
            ax.hlines(place + shift, lower, upper, color=colour, lw=11)
            ax.plot(middle, place + shift, "|", color="white", ms=11, mew=2.5)
            told.append((name, middle))
    names = _labels(result.settings[::-1])
    name_rows(ax, names)
    _overlap_words(ax, result, title_width(ax, names))
    said = "; ".join(
        f"{name}: middle chance {percent(had, 0)} of those who had it, {percent(other, 0)} of the "
        "others"
        for (name, had), (_, other) in zip(told[::2], told[1::2], strict=True)
    )
    return describe(ax, f"Chances of the settings of {result.treatment}. {said}.")


def _overlap_words(ax: Axes, result: TreatmentEffects, width: int) -> None:
    percent_axis(ax.xaxis)
    ax.set_xlim(left=0)
    ax.set_xlabel("chance of the setting (thick: middle half, thin: 1 % to 99 %)")
    handles = [
        Line2D([], [], color=METHOD_LOOKS[look][0], lw=9, label=label)
        for look, label in (("doubly robust", "had it"), ("naive", "did not"))
    ]
    legend_below(ax, 2, handles)
    thin = result.overlap.sort_values("effective").iloc[0]
    finding(
        ax,
        f"Thinnest: {shorten(thin['setting'], 24)}, {thin['units']:,} units that weigh as "
        f"{thin['effective']:.0f}; least chance {percent(float(thin['least_chance']))}",
        width=width,
    )


def adjustment_dots(
    result: AdjustmentSets, ax: Axes | None = None, *, setting: str | None = None
) -> Axes:
    """Draw the effect of one level under different sets of covariates.

    Parameters
    ----------
    result : AdjustmentSets
        From `keycustomer.relationships.adjustment_sets`.
    ax : Axes, optional
        Axes to draw into.
    setting : str, optional
        The level; left out, the closest one.

    Raises
    ------
    ValueError
        When there is no such level.
    """
    level = result.frame["setting"].iloc[-1] if setting is None else setting
    rows = result.frame[result.frame["setting"] == level].iloc[::-1].reset_index(drop=True)
    if rows.empty:
        raise ValueError(
            f"setting={setting!r}: there is {', '.join(result.frame['setting'].unique())}"
        )
    ax = new_axes(ax, size=(10, max(3.6, 2.4 + 0.5 * len(rows))))
    place = np.arange(len(rows))
    ax.hlines(place, rows["lower"], rows["upper"], color=PALETTE["blue"], lw=4)
    ax.plot(rows["estimate"], place, "o", color=PALETTE["blue"], ms=11, label="estimate")
    if "truth" in rows:
        ax.axvline(rows["truth"].iloc[0], color="black", lw=2.5, label="truth (simulated)")
    ax.axvline(1.0, color=PALETTE["grey"], lw=1.5, ls="--", label="no effect")
    names = _labels(rows["adjusted_for"].tolist())
    name_rows(ax, names)
    ax.set_xlabel(f"rate of leaving with {level} care, as a ratio to {result.reference}")
    legend_below(ax, columns=3)
    low, high = rows["estimate"].min(), rows["estimate"].max()
    sentence = (
        f"{str(level).capitalize()} as a ratio to {result.reference}: {low:.2f} to {high:.2f}, "
        "depending on what is adjusted for"
    )
    finding(ax, sentence, width=title_width(ax, names))
    told = "; ".join(
        f"{row['adjusted_for']} {row['estimate']:.2f} [{row['lower']:.2f}, {row['upper']:.2f}]"
        for row in rows.iloc[::-1].to_dict("records")
    )
    known = f" Truth {rows['truth'].iloc[0]:.2f}." if "truth" in rows else ""
    return describe(
        ax, f"Rate of leaving with {level} care by what is adjusted for: {told}.{known}"
    )


def company_errors(
    result: EffectsOverCompanies,
    ax: Axes | None = None,
    *,
    measure: str = "ratio",
    setting: str | None = None,
) -> Axes:
    """Draw the errors of the methods in many simulated companies.

    Parameters
    ----------
    result : EffectsOverCompanies
        From `keycustomer.relationships.effects_over_companies` or `adjustment_over_companies`.
    ax : Axes, optional
        Axes to draw into.
    measure : {"ratio", "difference", "mean"}
        What the errors are of.
    setting : str, optional
        The level; left out, the closest one.

    Raises
    ------
    ValueError
        When nothing was estimated of that measure and setting.
    """
    own = result.frame[result.frame["measure"] == measure]
    level = own["setting"].iloc[-1] if setting is None and len(own) else setting
    own = own[own["setting"] == level]
    if own.empty:
        raise ValueError(f"nothing was estimated of measure={measure!r}, setting={setting!r}")
    methods = list(dict.fromkeys(own["method"]))[::-1]
    ax = new_axes(ax, size=(10, max(4.0, 2.2 + 0.75 * len(methods))))
    told = []
    for place, method in enumerate(methods):
        rows = own[own["method"] == method].sort_values("error")
        told.append((method, rows["error"].mean(), rows["held"].mean()))
        colour, mark = METHOD_LOOKS.get(method, (PALETTE["blue"], "o"))
        _draw_errors(ax, place, rows["error"].to_numpy(dtype=float), colour, mark)
    ax.axvline(0, color="black", lw=2)
    names = _labels(methods)
    name_rows(ax, names)
    ax.set_ylim(-0.7, len(methods) - 0.3)
    ax.set_xlabel(f"error of the {measure}: estimate less truth, {level} (bar: mean error)")
    said = [
        f"{shorten(name, 34)} {_signed(error)} ({percent(held, 0)} of intervals hold the truth)"
        for name, error, held in reversed(told)
    ]
    worst = max(told, key=lambda one: abs(one[1]))
    least = min(told, key=lambda one: abs(one[1]))
    finding(
        ax,
        f"Simulated, mean error over {result.companies} companies: {shorten(worst[0], 30)} "
        f"{_signed(worst[1])}, {shorten(least[0], 30)} {_signed(least[1])}",
        width=title_width(ax, names),
    )
    return describe(
        ax,
        f"Mean error of the {measure} of {level} in {result.companies} simulated companies of "
        f"{result.accounts:,} accounts: {'; '.join(said)}.",
    )


def _draw_errors(ax: Axes, place: int, errors: np.ndarray, colour: str, mark: str) -> None:
    """Draw every error, or their middle nine tenths where there are many, and the mean."""
    if len(errors) <= MOST_POINTS:
        spread = 0.18 * np.sin(2.4 * np.arange(len(errors)))
        ax.plot(errors, place + spread, mark, color=colour, ms=7, alpha=0.6, mew=0)
    else:
        low, high = np.quantile(errors, [0.05, 0.95])
        ax.hlines(place, low, high, color=colour, lw=8, alpha=0.5)
    ax.vlines(errors.mean(), place - 0.33, place + 0.33, color=colour, lw=5)


def _signed(value: float) -> str:
    sign = "+" if value >= 0 else "\N{MINUS SIGN}"
    return sign + (f"{abs(value):.2g}" if abs(value) < 1000 else compact_number(abs(value)))


def level_value_lines(result: LevelValues, ax: Axes | None = None, *, groups: int = 4) -> Axes:
    """Draw what each level adds in margin, by size of the customer, against what it adds in cost.

    Parameters
    ----------
    result : LevelValues
        From `keycustomer.relationships.level_values`.
    ax : Axes, optional
        Axes to draw into.
    groups : int
        Groups of equal number by margin of the last year, 1 to 6.

    Raises
    ------
    ValueError
        When there are more than six groups.
    """
    if groups > 6:
        raise ValueError(f"groups={groups!r}: at most 6 lines can be told apart")
    table = result.by_size(groups)
    ax = new_axes(ax, size=(10, 6.6))
    levels = list(result.levels)
    for number, colour in zip(range(1, groups + 1), palette(groups), strict=True):
        own = table[table["group"] == number]
        added = (own["value"] - own["value"].iloc[0]).to_numpy()[1:]
        label = _group_name(number, groups, float(own["yearly_margin"].iloc[0]), result.currency)
        ax.plot(levels[1:], np.where(added > 0, added, np.nan), "o-", color=colour, label=label)
    cost = result.cost.mean(axis=0)
    dearer = np.where(cost[1:] > cost[0], cost[1:] - cost[0], np.nan)
    ax.plot(levels[1:], dearer, "s--", color="black", lw=2.5, label="added cost, mean")
    ax.set_yscale("log")
    number_axis(ax.yaxis)
    ax.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    ax.set_xlabel(f"relationship level, against {levels[0]}")
    ax.set_ylabel(f"added in {result.horizon} months, {result.currency} a customer")
    ax.margins(x=0.06)
    legend_below(ax, columns=2)
    finding(ax, _worth_sentence(table, groups))
    told = "; ".join(
        f"group {row['group']} of {groups} by size, {row['level']}: value {row['value']:,.0f}, "
        f"cost {row['cost']:,.0f}"
        for row in table.to_dict("records")
    )
    return describe(
        ax,
        f"Expected margin and cost of the relationship levels over {result.horizon} months, "
        f"{result.currency} a customer: {told}.",
    )


def _group_name(number: int, groups: int, margin: float, currency: str) -> str:
    if groups == 1:
        return f"all (margin {compact_number(margin)} {currency} a year)"
    place = {1: "smallest", groups: "largest"}.get(number, f"group {number}")
    return f"{place} (margin {compact_number(margin)} {currency} a year)"


def _worth_sentence(table: pd.DataFrame, groups: int) -> str:
    """Say which level pays best for the smallest and for the largest."""
    best = {
        number: str(own["level"].iloc[int(own["profit"].argmax())])
        for number, own in table.groupby("group")
    }
    if groups == 1 or len(set(best.values())) == 1:
        return f"Without a limit on money, {best[groups]} care pays best, on average over each size"
    return (
        f"Without a limit on money, {best[1]} care pays best for the smallest "
        f"{percent(1 / groups, 0)}, {best[groups]} for the largest"
    )

"""Figures of measurement: how questions were answered, which belong together, value as a number.

Can the survey be trusted?  :func:`answer_bars` draws how every item was answered and
:func:`item_dots` how it hangs together with its construct.  How many dimensions are there, and
which items measure which?  :func:`scree` draws eigenvalues beside chance, :func:`loadings_map` the
loadings.  What is value worth as one number?  :func:`value_cloud` draws benefits against
sacrifices, :func:`index_bars` what ratio and difference predict, :func:`origin_bars` the ratio's
trap, and :func:`account_dots` where one account stands on every dimension.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from keycustomer.plots.audit import BLUES, counted, title_width
from keycustomer.plots.labels import names_in_words
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

if TYPE_CHECKING:
    from keycustomer.dimensions.measurement.dimension_scores import AccountScores
    from keycustomer.dimensions.measurement.factors import FactorSolution
    from keycustomer.dimensions.measurement.items import ItemAnalysis
    from keycustomer.dimensions.measurement.parallel import ParallelAnalysis
    from keycustomer.dimensions.measurement.value_comparison import (
        IndexComparison,
        OriginDependence,
    )
    from keycustomer.dimensions.measurement.value_index import ValueIndices

ROW_INCHES = 0.34
"""Height of a row of items."""

NAME_LETTERS = 34
"""Letters of an item's name that fit at the left of axes."""

AT_AN_END = 0.15
"""Share of answers at an end of the scale from which on differences among them are not seen."""

WEAK = 0.3
"""Item-total correlation below which an item says little of its construct."""

SALIENT = 0.3
"""Loading from which on a number is written dark."""

NAMED = 3
"""Names that a title lists."""

SIGNED = LinearSegmentedColormap.from_list(
    "keycustomer signed", [PALETTE["vermilion"], "#FFFFFF", PALETTE["blue"]]
)
"""Colours from -1 to 1, told apart by colour-blind readers."""


def _tall(ax: Axes | None, rows: int) -> Axes:
    """Axes high enough for so many rows."""
    return new_axes(ax, size=(10.0, max(4.5, 1.9 + ROW_INCHES * rows)))


def _names(values: Iterable[object]) -> list[str]:
    return [escape_label(value, NAME_LETTERS) for value in values]


def answer_bars(result: ItemAnalysis, ax: Axes | None = None) -> Axes:
    """Draw how every item was answered: one bar an item, from the lowest to the highest point.

    Parameters
    ----------
    result : ItemAnalysis
        From `keycustomer.dimensions.analyse_items`.
    ax : Axes, optional
        Axes to draw into.
    """
    table = result.distribution
    ax = _tall(ax, len(table))
    rows = np.arange(len(table))
    reach = max(result.high - result.low, 1e-9)
    left = np.zeros(len(table))
    for point, shares in table.items():
        colour = BLUES((float(str(point)) - result.low) / reach)
        ax.barh(rows, shares, left=left, height=0.8, color=colour, edgecolor="white", lw=0.6)
        left += shares.to_numpy()
    ax.set_yticks(rows, _names(table.index))
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.grid(visible=False)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of the answers given")
    ends = [
        Patch(facecolor=colour, edgecolor=PALETTE["grey"], label=label)
        for colour, label in (
            (BLUES(0.0), f"lowest answer ({result.low:g})"),
            (BLUES(1.0), f"highest ({result.high:g})"),
        )
    ]
    legend_below(ax, 2, ends)
    at_top = result.items[result.items["share_ceiling"] >= AT_AN_END]
    finding(ax, _ceiling_sentence(result, len(at_top)), width=title_width(ax, _names(table.index)))
    most = result.items.nlargest(NAMED, "share_ceiling")
    told = ", ".join(f"{r['item']} {percent(r['share_ceiling'])}" for r in most.to_dict("records"))
    return describe(
        ax,
        f"Stacked bars of the answers to {counted(len(table), 'item')} by "
        f"{counted(len(result.respondents), 'respondent')}. Most often at the highest point: "
        f"{told}. Mean answer over all items {result.items['mean'].mean():.2f} on a scale from "
        f"{result.low:g} to {result.high:g}.",
    )


def _ceiling_sentence(result: ItemAnalysis, high: int) -> str:
    whole = len(result.items)
    if not high:
        return f"No item has {percent(AT_AN_END, 0)} of its answers at the highest point"
    return (
        f"{high} of {counted(whole, 'item')} {'has' if high == 1 else 'have'} at least "
        f"{percent(AT_AN_END, 0)} of the answers at the highest point"
    )


def item_dots(result: ItemAnalysis, ax: Axes | None = None) -> Axes:
    """Draw how every item correlates with the rest of its construct, with intervals.

    Parameters
    ----------
    result : ItemAnalysis
        From `keycustomer.dimensions.analyse_items`.
    ax : Axes, optional
        Axes to draw into.
    """
    table = result.items[result.items["item_total"].notna()]
    ax = _tall(ax, max(len(table), 1))
    colours = [_item_colour(remark) for remark in table["remark"]]
    rows = np.arange(len(table))
    ax.hlines(rows, table["item_total_low"], table["item_total_high"], color=colours, lw=3)
    ax.scatter(table["item_total"], rows, s=70, color=colours, zorder=3)
    ax.axvline(WEAK, color=PALETTE["grey"], lw=1.5, ls="--")
    _part_constructs(ax, table)
    labels = _names([f"{r['construct']}: {r['item']}" for r in table.to_dict("records")])
    ax.set_yticks(rows, labels)
    ax.set_ylim(max(len(table), 1) - 0.5, -0.5)
    ax.set_xlim(min(0.0, float(table["item_total_low"].min(skipna=True) or 0) - 0.05), 1)
    ax.set_xlabel("Correlation with the other items of the construct")
    finding(ax, _items_sentence(result), width=title_width(ax, labels))
    weakest = table.nsmallest(NAMED, "item_total").to_dict("records")
    told = ", ".join(f"{r['item']} {r['item_total']:.2f}" for r in weakest)
    return describe(
        ax,
        f"Item-total correlations of {counted(len(table), 'item')} with "
        f"{percent(result.level, 0)} intervals; items below {WEAK} say little of their construct. "
        f"{f'Weakest: {told}.' if told else 'No construct has more than one item.'}",
    )


def _item_colour(remark: str) -> str:
    if remark.startswith("runs against"):
        return PALETTE["vermilion"]
    return PALETTE["orange"] if remark.startswith("weak") else PALETTE["blue"]


def _part_constructs(ax: Axes, table: pd.DataFrame) -> None:
    """Draw a thin line where another construct begins."""
    owner = table["construct"].to_numpy()
    for row in np.flatnonzero(owner[1:] != owner[:-1]):
        ax.axhline(row + 0.5, color=PALETTE["light grey"], lw=1)
    ax.grid(visible=False, axis="y")


def _items_sentence(result: ItemAnalysis) -> str:
    if result.reversed_items:
        names = result.reversed_items
        verb = "runs" if len(names) == 1 else "run"
        return f"{names_in_words(names)} {verb} against the other items: asked the other way round?"
    table = result.items[result.items["item_total"].notna()]
    weak = table[table["remark"].str.startswith("weak")]
    if not len(table):
        return "Constructs of one item: nothing to compare them with"
    if len(weak):
        verb, whose = ("belongs", "its") if len(weak) == 1 else ("belong", "their")
        return (
            f"{names_in_words(weak['item'].tolist())} hardly {verb} to {whose} construct; "
            f"{len(table) - len(weak)} of {counted(len(table), 'item')} do"
        )
    return f"All {counted(len(table), 'item')} belong to their construct"


def scree(result: ParallelAnalysis, ax: Axes | None = None) -> Axes:
    """Draw eigenvalues beside those of shuffled answers.

    Parameters
    ----------
    result : ParallelAnalysis
        From `keycustomer.dimensions.parallel_analysis`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    table = result.to_frame()
    number, kept = table["component"], table["kept"].to_numpy()
    ax.plot(number, table["chance_upper"], color=PALETTE["grey"], ls="--")
    ax.plot(number, table["eigenvalue"], color=PALETTE["blue"], zorder=3)
    for own, colour in ((kept, PALETTE["blue"]), (~kept, "white")):
        ax.scatter(
            number[own],
            table["eigenvalue"][own],
            s=90,
            facecolor=colour,
            edgecolor=PALETTE["blue"],
            lw=2,
            zorder=4,
        )
    ax.axhline(1, color=PALETTE["light grey"], lw=1.5)
    ax.set_xticks(number if len(number) <= 15 else number[::5])
    ax.set_ylim(bottom=0)
    ax.set_xlabel("Component, largest first")
    ax.set_ylabel("Eigenvalue (items' worth of variance)")
    ax.legend(
        handles=[
            _marked("answers; filled: kept"),
            Line2D([], [], color=PALETTE["grey"], ls="--", label=_chance(result)),
            Line2D([], [], color=PALETTE["light grey"], lw=1.5, label="eigenvalue 1"),
        ]
    )
    finding(ax, _scree_sentence(result))
    first = ", ".join(f"{value:.2f}" for value in result.eigenvalues[:4])
    chance = ", ".join(f"{value:.2f}" for value in result.chance_upper[:4])
    return describe(
        ax,
        f"Eigenvalues of {counted(len(table), 'item')}, {first} ..., beside the "
        f"{100 * result.quantile:g} % quantile of {result.draws:,} shuffled tables, {chance} ...; "
        f"stand out from chance: {result.factors}; lie above 1: {result.above_one}.",
    )


def _marked(label: str) -> Line2D:
    return Line2D([], [], color=PALETTE["blue"], marker="o", ms=9, label=label)


def _chance(result: ParallelAnalysis) -> str:
    return f"shuffled answers, {100 * result.quantile:g} % quantile"


def _scree_sentence(result: ParallelAnalysis) -> str:
    if not result.factors:
        return "No dimension stands out from chance: the items have nothing in common"
    stand = "dimension stands" if result.factors == 1 else "dimensions stand"
    rule = (
        f"; the rule 'above 1' would keep {result.above_one}"
        if result.above_one != result.factors
        else ""
    )
    return f"{result.factors} {stand} out from chance{rule}"


def loadings_map(result: FactorSolution, ax: Axes | None = None) -> Axes:
    """Draw loadings, items in the order of the factor they belong to.

    Parameters
    ----------
    result : FactorSolution
        From `keycustomer.dimensions.explore_factors`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = _tall(ax, len(result.items))
    strongest = result.loadings.abs().to_numpy().argmax(axis=1)
    strength = result.loadings.abs().max(axis=1).to_numpy()
    table = result.loadings.iloc[np.lexsort((-strength, strongest))]
    ax.imshow(table, cmap=SIGNED, vmin=-1, vmax=1, aspect="auto")
    for row, loadings in enumerate(table.to_numpy()):
        for column, value in enumerate(loadings):
            shade = PALETTE["black"] if abs(value) >= SALIENT else PALETTE["grey"]
            ax.text(
                column,
                row,
                f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}"),
                ha="center",
                va="center",
                fontsize=13,
                color="white" if abs(value) > 0.75 else shade,
                weight="bold" if abs(value) >= SALIENT else "normal",
            )
    shares = [f"{name}\n{percent(share, 0)}" for name, share in result.explained.items()]
    ax.set_xticks(range(result.factors), shares)
    ax.set_yticks(range(len(table)), _names(table.index))
    ax.grid(visible=False)
    ax.set_xlabel("Factor, and the share of all variance it explains")
    finding(ax, _loadings_sentence(result), width=title_width(ax, _names(table.index)))
    groups = "; ".join(
        f"{name}: {', '.join(map(str, items)) or 'no item'}"
        for name, items in result.belonging().items()
    )
    return describe(
        ax,
        f"Map of the loadings of {counted(len(result.items), 'item')} on "
        f"{counted(result.factors, 'factor')}, rotation {result.rotation.method}. {groups}."
        + "".join(f" Problem: {problem}." for problem in result.problems),
    )


def _loadings_sentence(result: FactorSolution) -> str:
    if result.heywood:
        return f"Do not read: the factors would explain {names_in_words(result.heywood)} perfectly"
    clear = (result.loadings.abs() >= SALIENT).sum(axis=1) == 1
    to_it = "to it" if result.factors == 1 else "to one alone"
    explain = "factor explains" if result.factors == 1 else "factors explain"
    return (
        f"{result.factors} {explain} {percent(float(result.explained.sum()), 0)} of the answers; "
        f"{int(clear.sum())} of {counted(len(clear), 'item')} "
        f"{'belongs' if clear.sum() == 1 else 'belong'} {to_it}"
    )


def value_cloud(result: ValueIndices, ax: Axes | None = None) -> Axes:
    """Draw benefits against sacrifices, with the best fifth by ratio and by difference.

    Parameters
    ----------
    result : ValueIndices
        From `keycustomer.dimensions.value_indices`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(9.5, 7.0))
    frame = result.frame[result.frame["ratio"].notna()]
    cuts = {name: float(frame[name].quantile(0.8)) for name in ("ratio", "difference")}
    best = {name: (frame[name] >= cut).to_numpy() for name, cut in cuts.items()}
    groups = (
        (~best["ratio"] & ~best["difference"], PALETTE["light grey"], "in neither best fifth"),
        (best["ratio"] & best["difference"], PALETTE["blue"], "best by both"),
        (best["ratio"] & ~best["difference"], PALETTE["vermilion"], "best by ratio alone"),
        (best["difference"] & ~best["ratio"], PALETTE["green"], "best by difference alone"),
    )
    for own, colour, label in groups:
        ax.scatter(
            frame["sacrifices"][own],
            frame["benefits"][own],
            s=40,
            color=colour,
            edgecolor="white",
            lw=0.4,
            label=f"{label}: {int(own.sum()):,}",
        )
    _draw_cuts(ax, frame, cuts)
    ax.set_xlabel("Sacrifices (mean answer, points)")
    ax.set_ylabel("Benefits (mean answer, points)")
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2, markerscale=1.6)
    either = int((best["ratio"] | best["difference"]).sum())
    both = int((best["ratio"] & best["difference"]).sum())
    finding(
        ax,
        f"Of {either:,} respondents in a best fifth, {either - both:,} are there by the ratio or "
        "the difference alone",
    )
    return describe(
        ax,
        f"Benefits against sacrifices of {counted(len(frame), 'respondent')}; rank correlation of "
        f"ratio and difference {result.correlation:.3f}. "
        + "; ".join(f"{label}: {int(own.sum()):,}" for own, _, label in groups)
        + ".",
    )


def _draw_cuts(ax: Axes, frame: pd.DataFrame, cuts: dict[str, float]) -> None:
    """Draw the borders of the best fifths, within what is seen."""
    below = np.linspace(frame["sacrifices"].min(), frame["sacrifices"].max(), 50)
    seen = frame["benefits"].min(), frame["benefits"].max()
    lines = (
        (cuts["ratio"] * below, PALETTE["vermilion"]),
        (cuts["difference"] + below, PALETTE["green"]),
    )
    for line, colour in lines:
        inside = (line >= seen[0]) & (line <= seen[1])
        ax.plot(below[inside], line[inside], color=colour, lw=2, ls="--")


def index_bars(result: IndexComparison, ax: Axes | None = None) -> Axes:
    """Draw how much of loyalty each index predicts out of sample.

    Parameters
    ----------
    result : IndexComparison
        From `keycustomer.dimensions.compare_indices`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10.0, 4.8))
    names = {
        "ratio": "benefits / sacrifices",
        "difference": "benefits \N{MINUS SIGN} sacrifices",
        "both parts": "both, each with its weight",
    }
    colours = (PALETTE["vermilion"], PALETTE["green"], PALETTE["grey"])
    estimates = [result.accuracy[name] for name in names]
    for row, (estimate, colour) in enumerate(zip(estimates, colours, strict=True)):
        ax.barh(row, estimate.estimate, height=0.6, color=colour)
        if not math.isnan(estimate.lower):
            ax.hlines(row, estimate.lower, estimate.upper, color=PALETTE["black"], lw=2)
        ax.annotate(
            percent(estimate.estimate),
            (max(estimate.estimate, np.nan_to_num(estimate.upper), 0), row),
            (8, 0),
            textcoords="offset points",
            va="center",
        )
    ax.set_yticks(range(len(names)), list(names.values()))
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.axvline(0, color=PALETTE["black"], lw=1)
    ax.margins(x=0.14)
    percent_axis(ax.xaxis)
    ax.set_xlabel("Share of the variance of loyalty predicted, respondents not seen")
    gap = result.ratio_less_difference
    points = f"{100 * abs(gap.estimate):.1f} points"
    title = (
        f"The {result.winner} predicts loyalty better, by {points} of variance"
        if result.winner
        else f"Which predicts loyalty better is not established: {points} apart"
    )
    if result.gain_of_weights.lower > 0:
        title += "; neither as well as both with their own weights"
    finding(ax, title, width=title_width(ax, names.values()))
    return describe(
        ax,
        f"Bars of the share of variance of loyalty predicted for "
        f"{counted(result.respondents, 'respondent')} in {result.folds}-fold cross-validation. "
        f"{result.sentence}.",
    )


def origin_bars(result: OriginDependence, ax: Axes | None = None) -> Axes:
    """Draw how many of its best fifth the ratio loses when the scale is counted from elsewhere.

    Parameters
    ----------
    result : OriginDependence
        From `keycustomer.dimensions.origin_dependence`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    table = result.frame
    places = np.arange(len(table))
    usual = np.isclose(table["lowest"], result.answered_from)
    ax.bar(
        places,
        table["share_moved"],
        width=0.65,
        color=np.where(usual, PALETTE["light grey"], PALETTE["vermilion"]),
    )
    for place, row in zip(places, table.to_dict("records"), strict=True):
        told = percent(row["share_moved"], 0)
        if not math.isnan(row["loyalty_r2"]):
            told += f"\nR² {row['loyalty_r2']:.2f}"
        ax.annotate(
            told,
            (place, row["share_moved"]),
            (0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=13,
        )
    names = [
        f"{value:g}\nas asked" if own else f"{value:g}"
        for value, own in zip(table["lowest"], usual, strict=True)
    ]
    ax.set_xticks(places, names)
    ax.set_ylim(0, max(1.25 * float(table["share_moved"].max()), 0.05))
    ax.grid(visible=False, axis="x")
    percent_axis(ax.yaxis)
    ax.set_xlabel("Number that the lowest answer counts as")
    ax.set_ylabel("Best fifth by ratio that falls out of it")
    finding(ax, result.sentence)
    r2 = f"; R² of the difference with loyalty {result.difference_r2:.2f} under every coding"
    return describe(
        ax,
        f"Bars for {len(table)} codings of one scale, {counted(result.respondents, 'respondent')}. "
        f"{result.sentence}" + ("" if math.isnan(result.difference_r2) else r2) + ".",
    )


def account_dots(result: AccountScores, account: object, ax: Axes | None = None) -> Axes:
    """Draw where an account stands on every dimension, with intervals, beside all accounts.

    Parameters
    ----------
    result : AccountScores
        From `keycustomer.dimensions.score_accounts`.
    account : object
        Id of the account.
    ax : Axes, optional
        Axes to draw into.
    """
    own = result.profile(account).set_index("dimension").loc[list(result.dimensions)]
    ax = _tall(ax, 2 * len(own))
    whole = result.wide()[list(result.dimensions)]
    rows = np.arange(len(own))
    for share, thick in ((0.8, 14), (0.5, 22)):
        ends = whole.quantile([(1 - share) / 2, (1 + share) / 2])
        grey = PALETTE["light grey"]
        ax.hlines(rows, ends.iloc[0], ends.iloc[1], color=grey, lw=thick, alpha=0.6)
    ax.hlines(rows, own["score_low"], own["score_high"], color=PALETTE["blue"], lw=3, zorder=3)
    ax.scatter(own["score"], rows, s=110, color=PALETTE["blue"], zorder=4)
    ax.axvline(0, color=PALETTE["grey"], lw=1.5)
    ax.set_yticks(rows, _names(own.index))
    ax.set_ylim(len(own) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("Perceived value (standard deviations, 0 the mean respondent)")
    handles = [
        Line2D([], [], color=PALETTE["blue"], marker="o", ms=9, label="this account"),
        Patch(color=PALETTE["light grey"], label="middle half and 80 % of all accounts"),
    ]
    legend_below(ax, 2, handles)
    finding(ax, _account_sentence(own, account), width=title_width(ax, _names(own.index)))
    told = "; ".join(
        f"{name} {row['score']:.2f} [{row['score_low']:.2f}, {row['score_high']:.2f}]"
        for name, row in own.iterrows()
    )
    asked = counted(int(own["respondents"].iloc[0]), "respondent")
    return describe(ax, f"Scores of account {account} from {asked}: {told}.")


def _account_sentence(own: pd.DataFrame, account: object) -> str:
    known = own[(own["score_low"] > 0) | (own["score_high"] < 0)]
    if known.empty:
        return f"Account {account} cannot be told from the average on any dimension"
    row = max(known.reset_index().to_dict("records"), key=lambda one: abs(one["score"]))
    where = "more" if row["score"] > 0 else "less"
    share = row["share_below"] if row["score"] > 0 else 1 - row["share_below"]
    beside = "" if math.isnan(share) else f", {where} than {percent(share, 0)} of the accounts"
    return f"Account {account} perceives {where} {row['dimension']} value than average{beside}"

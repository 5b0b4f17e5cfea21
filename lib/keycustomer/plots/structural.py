"""Figures of structural models: the paths, the loadings, the fit, the effects.

Which way does value take to loyalty?  :func:`path_diagram` draws constructs, arrows and their
standardised coefficients with intervals; :func:`loading_dots` how well each item shows its
construct; :func:`fit_bars` each index beside what counts as good; :func:`effect_dots` indirect
and total effects.  Figures of an improper solution refuse to be drawn, but for its fit, whose
title says that good fit does not help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from keycustomer.plots.audit import counted, title_width
from keycustomer.plots.diagram import Arrow, Box, draw_diagram, layers
from keycustomer.plots.style import PALETTE, describe, escape_label, finding, new_axes

if TYPE_CHECKING:
    from keycustomer.dimensions.structural.fitted import SemFit
    from keycustomer.dimensions.structural.readings import Readings

GOOD_LOADING = 0.7
"""Standardised loading at which a construct explains half of an item's variance."""

GOOD = {"cfi": 0.95, "tli": 0.95, "rmsea": 0.06, "srmr": 0.08}
"""Borders of good fit by Hu and Bentler (1999)."""

MINUS = "\N{MINUS SIGN}"

MOST_LINKS = 3
"""Correlations drawn as bows; more are told as a range."""

MOST_EFFECTS = 16
"""Effects drawn one by one; where there are more, ways are added up."""

WIDEST_NAME = 34
"""Longest name beside an axis, in characters."""


def path_diagram(result: Readings, ax: Axes | None = None, *, intervals: bool = True) -> Axes:
    """Draw the paths between constructs with standardised coefficients.

    Parameters
    ----------
    result : SemFit or SemBootstrap
        From `fit_sem`, or its `bootstrap()`.
    ax : Axes, optional
        Axes to draw into.
    intervals : bool
        Whether to write the interval of each path.

    Raises
    ------
    ImproperSolution
        When the solution may not be read.
    """
    paths, related = result.paths(), _related(result)
    names = _drawn(result, paths)
    arrows = [
        Arrow(
            row["from"],
            row["to"],
            row["standardised"],
            _path_label(row, intervals),
            row["standardised_lower"] > 0 or row["standardised_upper"] < 0,
        )
        for row in paths.to_dict("records")
    ]
    links = [
        Arrow(row["first"], row["second"], row["estimate"], _number(row["estimate"]), True)
        for row in related.to_dict("records")
    ]
    columns = layers(names, [(arrow.start, arrow.end) for arrow in arrows])
    tallest = max(map(len, columns), default=1)
    size = (12.0, max(5.0, 1.4 * tallest + 1.2)) if len(columns) < 5 else (14.0, 8.0)
    ax = new_axes(ax, size=size)
    explained = result.r_squared().set_index("variable")["estimate"]
    boxes = [
        Box(name, escape_label(name), _explained(explained, name, paths), place)
        for place, column in enumerate(columns)
        for name in column
    ]
    draw_diagram(ax, boxes, columns, arrows, links if len(links) <= MOST_LINKS else ())
    _explain(ax, result, len(arrows), [link.strength for link in links], intervals)
    finding(ax, _path_sentence(paths, related))
    told = "; ".join(
        f"{row['from']} to {row['to']} {_ends(row)}" for row in paths.to_dict("records")
    )
    between = "; ".join(
        f"{row['first']} with {row['second']} {_number(row['estimate'])}"
        for row in related.to_dict("records")
    )
    return describe(
        ax,
        f"Path diagram of {counted(len(names), 'variable')}, standardised: {told or 'no paths'}. "
        + (f"Correlations: {between}." if between else ""),
    )


def _drawn(result: Readings, paths: pd.DataFrame) -> list[str]:
    """Name constructs, and observed variables that paths join."""
    specification = result.specification
    joined = {*paths["from"], *paths["to"]}
    named = [name for name in specification.items if name in joined]
    return [*specification.constructs, *named]


def _related(result: Readings) -> pd.DataFrame:
    """Correlations of constructs that nothing acts on."""
    dependent = {*result.paths()["to"]}
    table = result.correlations()
    written = {
        frozenset((row["left"], row["right"])) for row in result.covariances().to_dict("records")
    }
    keep = [
        frozenset((a, b)) in written and not {a, b} & dependent
        for a, b in zip(table["first"], table["second"], strict=True)
    ]
    return table[keep]


def _explained(explained: pd.Series, name: str, paths: pd.DataFrame) -> str:
    return f"R² {_number(explained[name])}" if name in {*paths["to"]} else ""


def _path_label(row: dict[Any, Any], intervals: bool) -> str:
    return _ends(row) if intervals else _number(row["standardised"])


def _ends(row: dict[Any, Any]) -> str:
    """`.49 [.39, .59]`."""
    point, lower, upper = (
        _number(row[name]) for name in ("standardised", "standardised_lower", "standardised_upper")
    )
    return f"{point} [{lower}, {upper}]"


def _number(value: float) -> str:
    """`.49`, with a true minus sign."""
    if not np.isfinite(value):
        return "?"
    text = f"{abs(value):.2f}"
    text = text[1:] if text.startswith("0") else text
    return f"{MINUS if value <= -0.005 else ''}{text}"


def _explain(
    ax: Axes, result: Readings, arrows: int, correlations: list[float], intervals: bool
) -> None:
    """Say below the diagram what colours and numbers mean."""
    said = []
    if arrows:
        handles = [
            Line2D([], [], color=PALETTE["blue"], label="raises"),
            Line2D([], [], color=PALETTE["vermilion"], label="lowers"),
            Line2D([], [], color=PALETTE["grey"], lw=2, ls="--", label="interval holds 0"),
        ]
        below = (0.5, 0.02)
        ax.legend(handles=handles, fontsize=13, loc="upper center", bbox_to_anchor=below, ncols=3)
        level = f" with {100 * result.level:.0f} % intervals\n({result.spread.method})"
        said.append(f"Standardised coefficients{level if intervals else ''}")
    if len(correlations) > MOST_LINKS:
        ends = _number(min(correlations)), _number(max(correlations))
        said.append(f"Constructs at the left correlate by {ends[0]} to {ends[1]}")
    elif correlations:
        said.append("At the left: correlations")
    ax.set_xlabel("\n".join(said), fontsize=13, labelpad=26 if arrows else 4)


def _path_sentence(paths: pd.DataFrame, related: pd.DataFrame) -> str:
    if paths.empty and related.empty:
        return "A model of constructs without paths"
    if paths.empty:
        most = related.iloc[int(related["estimate"].abs().argmax())]
        return (
            f"{most['first']} and {most['second']} go together most ({_number(most['estimate'])})"
        )
    known = paths[(paths["standardised_lower"] > 0) | (paths["standardised_upper"] < 0)]
    if known.empty:
        return "No path differs from 0 by more than chance"
    best = known.iloc[int(known["standardised"].abs().argmax())]
    doubtful = len(paths) - len(known)
    rest = (
        f"; {doubtful} of {counted(len(paths), 'path')} may be\N{NO-BREAK SPACE}0"
        if doubtful
        else "; every path differs from\N{NO-BREAK SPACE}0"
    )
    size = _number(best["standardised"])
    return f"The strongest path runs from {best['from']} to {best['to']} ({size}){rest}"


def loading_dots(result: Readings, ax: Axes | None = None) -> Axes:
    """Draw the standardised loading of every item with its interval, by construct.

    Parameters
    ----------
    result : SemFit or SemBootstrap
        From `fit_cfa` or `fit_sem`, or its `bootstrap()`.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ImproperSolution
        When the solution may not be read.
    """
    table = result.loadings()
    ax = new_axes(ax, size=(10, max(4.0, 0.42 * len(table) + 2.2)))
    places = _grouped(table["construct"])
    ends = table[["standardised_lower", "standardised_upper"]].to_numpy()
    low = table["standardised"].to_numpy() < GOOD_LOADING
    for weak, colour in ((False, PALETTE["blue"]), (True, PALETTE["vermilion"])):
        chosen = low == weak
        _dots(ax, table["standardised"][chosen], places[chosen], ends[chosen], colour)
    ax.axvline(GOOD_LOADING, color=PALETTE["black"], lw=1.5, ls="--")
    labels = [
        escape_label(f"{row['construct']}: {row['item']}", WIDEST_NAME)
        for row in table.to_dict("records")
    ]
    ax.set_yticks(places, labels)
    ax.set_ylim(places.max(initial=0) + 0.8, -0.8)
    ax.set_xlim(min(0.0, float(np.nanmin(ends, initial=0.0))), max(1.0, float(np.nanmax(ends))))
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(
        f"Standardised loading with {100 * result.level:.0f} % interval\n"
        "(dashed: half of the item explained)",
        fontsize=13,
    )
    finding(ax, _loading_sentence(table, low), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['item']} on {row['construct']} {_ends(row)}" for row in table.to_dict("records")
    )
    return describe(ax, f"Standardised loadings. {told}.")


def _grouped(groups: pd.Series) -> np.ndarray:
    """Places of rows, with a gap between groups."""
    starts = (groups != groups.shift()).cumsum().to_numpy()
    return np.arange(len(groups)) + 0.6 * (starts - 1)


def _dots(ax: Axes, points: pd.Series, places: np.ndarray, ends: np.ndarray, colour: str) -> None:
    ax.hlines(places, ends[:, 0], ends[:, 1], color=colour, lw=3)
    ax.plot(points, places, "o", ms=9, color=colour)


def _loading_sentence(table: pd.DataFrame, low: np.ndarray) -> str:
    weakest = table.iloc[int(table["standardised"].argmin())]
    named = (
        f"{weakest['item']} shows {weakest['construct']} least ({_number(weakest['standardised'])})"
    )
    if not low.any():
        return f"Each item shows its construct well; {named}"
    count = int(low.sum())
    verb = "shows" if count == 1 else "show"
    return f"{count} of {counted(len(table), 'item')} {verb} less than half; {named}"


def fit_bars(result: SemFit, ax: Axes | None = None) -> Axes:
    """Draw the misfit by each index as a multiple of what still counts as good.

    Parameters
    ----------
    result : SemFit
        From `fit_cfa` or `fit_sem`; an improper one is drawn too, and its title says so.
    ax : Axes, optional
        Axes to draw into.
    """
    indices = result.indices
    ax = new_axes(ax, size=(10, 4.6))
    names = list(GOOD)
    found = {name: float(getattr(indices, name)) for name in names}
    misfit = np.array([_misfit(name, found[name]) for name in names])
    good = misfit <= 1
    colours = [PALETTE["green"] if fine else PALETTE["vermilion"] for fine in good]
    places = np.arange(len(names))
    ax.barh(places, np.nan_to_num(misfit), color=colours, height=0.55)
    ends = [_misfit("rmsea", end) for end in (indices.rmsea_lower, indices.rmsea_upper)]
    ax.hlines(names.index("rmsea"), ends[0], ends[1], color=PALETTE["black"], lw=2)
    ax.axvline(1, color=PALETTE["black"], lw=1.5, ls="--")
    widest = np.nanmax([*misfit, ends[1], 1.0])
    for place, name in zip(places, names, strict=True):
        end = max(np.nan_to_num(misfit[place]), ends[1] if name == "rmsea" else 0)
        ax.annotate(
            _number(found[name]),
            (end, place),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=14,
        )
    ax.set_yticks(places, [_index_label(name) for name in names])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.15 * widest)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("Misfit, 1 = border of good fit (Hu & Bentler 1999); lower is better")
    finding(ax, _fit_sentence(result, names, good), width=title_width(ax, ["CFI (at least .95)"]))
    problems = " ".join(f"Problem: {problem}." for problem in result.problems)
    return describe(ax, f"Bars of fit: {indices}, TLI {_number(indices.tli)}. {problems}")


def _misfit(name: str, value: float) -> float:
    border = GOOD[name]
    return (1 - value) / (1 - border) if border > 0.5 else value / border


def _index_label(name: str) -> str:
    border = GOOD[name]
    return f"{name.upper()} ({'at least' if border > 0.5 else 'at most'} {_number(border)})"


def _fit_sentence(result: SemFit, names: list[str], good: np.ndarray) -> str:
    missed = [name.upper() for name, fine in zip(names, good, strict=True) if not fine]
    if not result.admissible:
        return "However well it fits: the solution is impossible and must not be read"
    if result.indices.df == 0:
        return "As many coefficients as covariances: this model fits any answers"
    if not missed:
        return "By every index the model fits well"
    if len(missed) == len(names):
        return "By no index the model fits well"
    verb = "misses" if len(missed) == 1 else "miss"
    return f"{' and '.join(missed)} {verb} the border of good fit, the others do not"


def effect_dots(
    result: Readings,
    ax: Axes | None = None,
    *,
    kinds: tuple[str, ...] = ("indirect", "total indirect", "total"),
) -> Axes:
    """Draw standardised effects along the paths with their intervals.

    Parameters
    ----------
    result : SemFit or SemBootstrap
        From `fit_sem`, or its `bootstrap()`.
    ax : Axes, optional
        Axes to draw into.
    kinds : tuple of str
        Of `direct`, `indirect`, `total indirect`, `total`.

    Raises
    ------
    ImproperSolution
        When the solution may not be read.
    ValueError
        When the model has no such effects.
    """
    table = _told_once(result.indirect_effects(kinds=kinds))
    if table.empty:
        raise ValueError(
            "the model has no such effects: indirect effects need paths through a third variable, "
            "as in 'Satisfaction ~ Value' with 'Loyalty ~ Satisfaction'"
        )
    labels = [_effect_label(row) for row in table.to_dict("records")]
    broad = 8 + 0.1 * max(map(len, labels))
    ax = new_axes(ax, size=(broad, max(3.6, 0.5 * len(table) + 2.2)))
    ends = table[["standardised_lower", "standardised_upper"]].to_numpy()
    sure = (ends[:, 0] > 0) | (ends[:, 1] < 0)
    places = _grouped(table["from"] + table["to"])
    for chosen, colour in ((sure, PALETTE["blue"]), (~sure, PALETTE["grey"])):
        _dots(ax, table["standardised"][chosen], places[chosen], ends[chosen], colour)
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    ax.set_yticks(places, labels)
    ax.set_ylim(places.max(initial=0) + 0.8, -0.8)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(
        f"Standardised effect with {100 * result.level:.0f} % interval\n({result.spread.method})",
        fontsize=13,
    )
    finding(ax, _effect_sentence(result), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['effect']} ({row['kind']}) {_ends(row)}" for row in table.to_dict("records")
    )
    return describe(ax, f"Standardised effects. {told}.")


def _told_once(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out sums of a single way, and ways where there are too many to draw."""
    rows = table.to_dict("records")
    ways = [(row["from"], row["to"]) for row in rows if row["kind"] == "indirect"]
    indirect = {(row["from"], row["to"]) for row in rows if "indirect" in row["kind"]}
    many = len(rows) > MOST_EFFECTS

    def drawn(row: dict[Any, Any]) -> bool:
        pair = row["from"], row["to"]
        if row["kind"] == "total indirect":
            return many or ways.count(pair) != 1
        return (
            pair in indirect and row["kind"] != "indirect"
            if many
            else (row["kind"] != "total" or pair in indirect or not indirect)
        )

    kept = [drawn(row) for row in rows]
    return table[np.array(kept, bool)].reset_index(drop=True)


def _effect_label(row: dict[Any, Any]) -> str:
    kind = "" if row["kind"] == "indirect" else f" ({row['kind']})"
    arrows = str(row["effect"]).replace(" -> ", " → ")
    return escape_label(f"{arrows}{kind}", 52)


def _effect_sentence(result: Readings) -> str:
    table = result.effects()
    sums = table[table["kind"] == "total indirect"]
    if sums.empty:
        return "The model has direct effects only"
    best = sums.iloc[int(sums["standardised"].abs().argmax())]
    same = (table["from"] == best["from"]) & (table["to"] == best["to"])
    total = table[same & (table["kind"] == "total")].iloc[0]
    return (
        f"{best['from']} reaches {best['to']} indirectly by {_ends(best.to_dict())}, "
        f"in all by {_number(total['standardised'])}"
    )

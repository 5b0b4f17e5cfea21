"""Figures of the five troubles: which are there, where the margin went, what remedies change.

:func:`trouble_dots` draws every trouble's indicator against its threshold,
:func:`margin_bridge_bars` the margin rate of the first and the last part of the window with what
changed it, :func:`remedy_arrows` each indicator before and after its remedy, :func:`remedy_dots`
profit or another measure by remedy over simulated companies, :func:`remedy_map` what every remedy
does to every trouble.
"""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import UNDERLAY, name_rows
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
from keycustomer.plots.words import MINUS, made_up

if TYPE_CHECKING:
    from keycustomer.strategy.troubles.diagnosis import Diagnosis
    from keycustomer.strategy.troubles.price_cost_mix import MarginBridge
    from keycustomer.strategy.troubles.remedies import RemedyEffects

NAMES = {
    "a": "no objective criterion",
    "b": "service hardly differs",
    "c": "two claim one account",
    "d": "price thins the margin",
    "e": "large customers leave",
    "overlooked": "class A kept at a distance",
    "thinner": "margin rate falls",
    "large_leaving": "leaving rate, large : others",
}
"""Troubles and further indicators as labels call them."""

VERDICTS = {
    "supported": ("there", PALETTE["vermilion"], "D"),
    "undecided": ("undecided", PALETTE["orange"], "s"),
    "not supported": ("not there", PALETTE["blue"], "o"),
}
"""Word, colour and mark of a verdict on a trouble."""

MEASURES = {
    "profit": "profit",
    "margin": "margin before cost to serve",
    "leaving": "accounts gone by the end",
    "large_leaving_rate": "leaving a year, classes A and B",
}
"""What remedies change beside the troubles, as labels call it."""

EFFECTS = {
    "better": "#CFE4F3",
    "worse": "#F6D3BF",
    "open": "white",
    "none": "#ECECEC",
}
"""Ground of a cell by what a remedy does; the word stands in it."""

NAME_WIDTH = 26
"""Characters of a line of a remedy's name."""


def trouble_dots(result: Diagnosis, ax: Axes | None = None, *, further: bool = False) -> Axes:
    """Draw every trouble's indicator with its interval against the threshold.

    Every row has a scale of its own, on which the threshold is the middle line and the trouble lies
    to the right.

    Parameters
    ----------
    result : Diagnosis
        From `keycustomer.strategy.diagnose_troubles`.
    ax : Axes, optional
        Axes to draw into.
    further : bool
        Whether to draw the indicators told beside as well.

    Raises
    ------
    ValueError
        When no trouble could be told.
    """
    frame = pd.concat([result.frame, result.further]) if further else result.frame
    if frame.empty:
        raise ValueError("no trouble could be told from this base; there is nothing to draw")
    rows = frame.sort_values("trouble", kind="stable").to_dict("records")[::-1]
    ax = new_axes(ax, size=(11, 2.6 + 0.95 * len(rows)))
    ax.axvline(0, color=PALETTE["black"], lw=2)
    ax.axvspan(0, 1.15, color="#FBEFE8", zorder=0)
    for place, row in enumerate(rows):
        _, colour, mark = VERDICTS[str(row["verdict"])]
        low, middle, high = _on_own_scale(row)
        if math.isfinite(low):
            ax.hlines(place, low, high, color=colour, lw=5)
        ax.plot(middle, place, mark, color=colour, ms=13, mec="white")
    labels = [_trouble_label(row) for row in rows]
    name_rows(ax, labels)
    ax.tick_params(axis="y", labelsize=13)
    ax.set_xlim(-1.15, 1.15)
    ax.set_xticks([-0.6, 0, 0.6], ["trouble not there", "threshold", "trouble there"])
    ax.tick_params(axis="x", length=0)
    ax.grid(visible=False)
    ax.set_xlabel("distance from the threshold, every row on its own scale")
    handles = [
        Line2D([], [], marker=mark, color=colour, ls="none", ms=12, label=word)
        for verdict, (word, colour, mark) in VERDICTS.items()
        if (frame["verdict"] == verdict).any()
    ]
    legend_below(ax, 3, handles)
    finding(ax, made_up(result) + result.sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{NAMES[row['key']]} {_value(row, 'estimate')} ({_value(row, 'lower')} to "
        f"{_value(row, 'upper')}, threshold {_value(row, 'threshold')}): {row['verdict']}"
        for row in rows[::-1]
    )
    return describe(ax, f"{made_up(result)}{result.sentence}. Indicators: {told}.")


def _on_own_scale(row: dict[Any, Any]) -> tuple[float, float, float]:
    """Distances of the lower end, the estimate and the upper end towards the trouble, -1 to 1."""
    ends = np.array([row[name] for name in ("lower", "estimate", "upper")], dtype=float)
    threshold = float(row["threshold"])
    if row["key"] == "b":  # tiers differ whichever of them is contacted more
        apart = np.abs(np.log(np.maximum(ends, 1e-6)))
        if ends[0] < 1 < ends[2]:
            apart = np.array([0.0, apart[1], max(apart[0], apart[2])])
        distance = math.log(threshold) - apart
    elif row["unit"] in ("ratio", "odds ratio"):
        distance = np.log(np.maximum(ends, 1e-6)) - math.log(threshold)
    else:
        distance = ends - threshold
    known = distance[np.isfinite(distance)]
    largest = float(np.abs(known).max()) if len(known) else 0.0
    low, middle, high = (distance / (largest or 1.0)).tolist()
    return min(low, high), middle, max(low, high)


def _trouble_label(row: dict[Any, Any]) -> str:
    interval = ""
    if math.isfinite(row["lower"]):
        ends = (_value(row, end).removesuffix(" %") for end in ("lower", "upper"))
        interval = f" [{', '.join(ends)}]"
    name = f"{row['trouble']}  {NAMES[row['key']]}"
    against = _value(row, "threshold") if row["threshold"] else "0"
    return f"{name}\n{_value(row, 'estimate')}{interval}; threshold {against}"


def _value(row: dict[Any, Any], name: str) -> str:
    """Write a value of a row in its unit."""
    value = float(row[name])
    if not math.isfinite(value):
        return "not known"
    if str(row["unit"]).startswith("share"):
        return percent(value)
    return f"{value:.2f}".replace("-", MINUS)


def margin_bridge_bars(result: MarginBridge, ax: Axes | None = None) -> Axes:
    """Draw the margin rate before and after, and what changed it.

    Parameters
    ----------
    result : MarginBridge
        From `keycustomer.strategy.margin_bridge`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame
    ax = new_axes(ax, size=(11, 6.4))
    value = frame["estimate"].to_numpy(dtype=float)
    total = (frame["kind"] == "total").to_numpy()
    ends = np.where(total, value, value[0] + np.cumsum(np.where(total, 0.0, value)))
    starts = np.where(total, 0.0, ends - value)
    places = np.arange(len(frame))
    colours = np.select(
        [total, value < 0], [PALETTE["grey"], PALETTE["vermilion"]], PALETTE["blue"]
    )
    ax.bar(places, ends - starts, bottom=starts, color=list(colours), width=0.7)
    ax.hlines(ends[:-1], places[:-1] + 0.35, places[1:] - 0.35, color=PALETTE["grey"], lw=1)
    _write_rates(ax, frame, np.maximum(starts, ends))
    ax.set_xticks(places, ["\n".join(textwrap.wrap(str(s), 12)) for s in frame["step"]])
    ax.tick_params(axis="x", labelsize=14)
    ax.grid(visible=False, axis="x")
    ax.axhline(0, color=PALETTE["grey"], lw=1)
    low, high = min(0.0, *starts, *ends), max(0.0, *starts, *ends)
    ax.set_ylim(low * 1.1, high + 0.2 * ((high - low) or 1.0))
    percent_axis(ax.yaxis)
    ax.set_ylabel("Margin, share of revenue")
    (first, _), (_, last) = result.parts.first, result.parts.last
    ax.set_xlabel(
        f"{result.parts.months} months from {first} against {result.parts.months} months to {last}"
    )
    finding(ax, made_up(result) + _bridge_sentence(result))
    told = "; ".join(
        f"{row['step']} {percent(row['estimate'])} ({percent(row['lower'])} to "
        f"{percent(row['upper'])})" if math.isfinite(row["lower"]) else
        f"{row['step']} {percent(row['estimate'])}"
        for row in frame.to_dict("records")
    )  # fmt: skip
    return describe(ax, f"{made_up(result)}{result.sentence}. {told}. {result.war}")


def _write_rates(ax: Axes, frame: pd.DataFrame, tops: np.ndarray) -> None:
    for place, (row, top) in enumerate(zip(frame.to_dict("records"), tops, strict=True)):
        is_total = row["kind"] == "total"
        said = percent(row["estimate"]) if is_total else _points(row["estimate"])
        looks: list[tuple[str, int, dict[str, Any]]] = [
            (said, 22, {"weight": "bold", "fontsize": 15})
        ]
        if math.isfinite(row["lower"]):
            ends = [_points(row[end], sign=not is_total) for end in ("lower", "upper")]
            small = {"fontsize": 12, "color": PALETTE["grey"]}
            looks.append((f"[{ends[0]}, {ends[1]}]", 5, small))
        for text, above, look in looks:
            ax.annotate(
                text, (place, max(top, 0.0)), (0, above), textcoords="offset points",
                ha="center", **look,
            )  # fmt: skip


def _points(share: float, *, sign: bool = True) -> str:
    plus = "+" if sign else ""
    return f"{100 * share:{plus}.1f}".replace("-", MINUS)


def _bridge_sentence(result: MarginBridge) -> str:
    before, after = (result.frame["estimate"].iloc[place] for place in (0, -1))
    moved = "fell" if after < before else "rose"
    lost = result.lost_to_price
    took = "took" if lost.estimate > 0 else "gave"
    return (
        f"The margin rate {moved} from {percent(before)} to {percent(after)}; own prices {took} "
        f"{100 * abs(lost.estimate):.1f} points"
    )


def remedy_arrows(result: RemedyEffects, ax: Axes | None = None) -> Axes:
    """Draw each trouble's indicator before and after its own remedy.

    Every row has a scale of its own that begins at 0.

    Parameters
    ----------
    result : RemedyEffects
        From `keycustomer.strategy.remedy_effects`.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When no remedy of a single trouble was run.
    """
    own = result.frame[result.frame["remedy"] == result.frame["measure"]]
    if own.empty:
        raise ValueError("no remedy of a single trouble was run; there is nothing to draw")
    rows = own.to_dict("records")[::-1]
    ax = new_axes(ax, size=(11, 2.8 + 1.05 * len(rows)))
    thresholds = result.thresholds
    for place, row in enumerate(rows):
        limit = thresholds[str(row["measure"])]
        scale = float(np.nanmax([row["before"], row["after"], limit])) or 1.0
        before, after = row["before"] / scale, row["after"] / scale
        look = {"arrowstyle": "-|>", "color": PALETTE["blue"], "lw": 3, "mutation_scale": 22}
        if abs(after - before) > 0.02:
            ax.annotate("", (after, place), (before, place), arrowprops=look)
        ax.plot(before, place, "o", color=PALETTE["grey"], ms=13, zorder=3)
        ax.plot(after, place, "D", color=PALETTE["blue"], ms=12, mec="white", zorder=3)
        ax.vlines(limit / scale, place - 0.3, place + 0.3, color=PALETTE["black"], lw=3)
        for at, name, colour, up in ((before, "before", PALETTE["grey"], 11),
                                     (after, "after", PALETTE["blue"], -11)):  # fmt: skip
            ax.annotate(
                _value(row, name), (at, place), (0, up), textcoords="offset points", ha="center",
                va="bottom" if up > 0 else "top", color=colour, fontsize=13, weight="bold",
                bbox=UNDERLAY, zorder=4,
            )  # fmt: skip
    labels = [_remedy_label(row, str(row["measure"])) for row in rows]
    name_rows(ax, labels)
    ax.tick_params(axis="y", labelsize=13)
    ax.set_xlim(-0.08, 1.12)
    ax.set_xticks([0], ["0"])
    ax.grid(visible=False)
    ax.set_xlabel("indicator of the trouble, every row on its own scale")
    _explain_arrows(ax)
    finding(ax, _eased_sentence(result), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['indicator']}: {_value(row, 'before')} before, {_value(row, 'after')} after "
        f"{row['name']} ({row['verdict']} that it eases)"
        for row in rows[::-1]
    )
    return describe(ax, f"{_eased_sentence(result)}. Means over companies: {told}.")


def _remedy_label(row: dict[Any, Any], key: str) -> str:
    name = textwrap.wrap(escape_label(row["name"]), NAME_WIDTH + 6)
    return "\n".join([f"{key}  {NAMES[key]}" if key in NAMES else "together", *name[:2]])


def _explain_arrows(ax: Axes) -> None:
    handles = [
        Line2D([], [], marker="o", color=PALETTE["grey"], ls="none", ms=12, label="as usual"),
        Line2D([], [], marker="D", color=PALETTE["blue"], ls="none", ms=11, label="with remedy"),
        Line2D([], [], marker="|", color=PALETTE["black"], ls="none", ms=18, mew=3,
               label="threshold (b: trouble below)"),
    ]  # fmt: skip
    legend_below(ax, 3, handles)


def _eased_sentence(result: RemedyEffects) -> str:
    table = result.summary()
    eased = int((table["eases"] == "supported").sum())
    costly = list(table.loc[table["keeps"] == "not supported", "trouble"])
    said = f"Simulated: {eased} of {len(table)} remedies ease their trouble"
    if not costly:
        return said
    verb = "costs" if len(costly) == 1 else "cost"
    return f"{said}; {' and '.join(costly)} {verb} customers"


def remedy_dots(result: RemedyEffects, ax: Axes | None = None, *, measure: str = "profit") -> Axes:
    """Draw what each remedy changes, company by company.

    Parameters
    ----------
    result : RemedyEffects
        From `keycustomer.strategy.remedy_effects`.
    ax : Axes, optional
        Axes to draw into.
    measure : {"profit", "margin", "leaving", "large_leaving_rate"}
        What to draw.

    Raises
    ------
    ValueError
        When there is no such measure.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure={measure!r}: one of {', '.join(MEASURES)}")
    table = result.frame[result.frame["measure"] == measure]
    rows = table.to_dict("records")[::-1]
    wide = result.companies.pivot(index="company", columns="remedy", values=measure)
    ax = new_axes(ax, size=(11, 2.6 + 0.8 * len(rows)))
    for place, row in enumerate(rows):
        changes = (wide[row["remedy"]] - wide[""]).to_numpy()
        ax.plot(changes, np.full(len(changes), place), "o", color=PALETTE["sky"], ms=8, alpha=0.6)
        ax.hlines(place, row["lower"], row["upper"], color=PALETTE["blue"], lw=7)
        ax.plot(row["change"], place, "D", color=PALETTE["blue"], ms=11, mec="white")
    ax.axvline(0, color=PALETTE["black"], lw=1.5)
    labels = [_remedy_label(row, str(row["remedy"])) for row in rows]
    name_rows(ax, labels)
    ax.tick_params(axis="y", labelsize=13)
    money = measure in ("profit", "margin")
    if money:
        number_axis(ax.xaxis)
    else:
        ax.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: _points(value) if value else "0")
        )
    ax.margins(x=0.06)
    unit = "EUR an account over the window" if money else "points"
    ax.set_xlabel(f"change of {MEASURES[measure]}, {unit}")
    handles = [
        Line2D([], [], marker="o", color=PALETTE["sky"], ls="none", ms=8,
               label="a simulated company"),
        Line2D([], [], marker="D", color=PALETTE["blue"], lw=7, ms=11, mec="white",
               label="mean and its interval"),
    ]  # fmt: skip
    legend_below(ax, 2, handles)
    said = _dots_sentence(table, measure, money)
    finding(ax, said, width=title_width(ax, labels))
    write = compact_number if money else percent
    told = "; ".join(
        f"{row['name']} {write(row['change'])} ({write(row['lower'])} to {write(row['upper'])})"
        for row in rows[::-1]
    )
    return describe(
        ax,
        f"{said}. Change of {MEASURES[measure]} over {result.count:,} simulated companies, "
        f"{unit}: {told}.",
    )


def _dots_sentence(table: pd.DataFrame, measure: str, money: bool) -> str:
    single = table[table["remedy"] != "all"]
    single = table if single.empty else single
    change = single["change"].to_numpy()
    best = single.iloc[int(change.argmax() if money else change.argmin())]
    whose = (
        "the remedies together" if best["remedy"] == "all" else f"the remedy of {best['remedy']}"
    )
    gained = best["change"] > 0
    if money:
        verb, most = ("raises", "most") if gained else ("lowers", "least")
        amount = f"{'+' if gained else ''}{compact_number(best['change'])} EUR an account"
        return f"Simulated: {whose} {verb} {MEASURES[measure]} {most}, {amount}"
    verb = "loses fewest" if gained else "keeps most"
    return f"Simulated: {whose} {verb} customers, {_points(best['change'])} points {LEFT[measure]}"


LEFT = {"leaving": "gone by the end", "large_leaving_rate": "of the large leave a year"}
"""Who leaves less, in a sentence."""


def remedy_map(result: RemedyEffects, ax: Axes | None = None) -> Axes:
    """Draw what every remedy does to every trouble, to profit and to leaving.

    Parameters
    ----------
    result : RemedyEffects
        From `keycustomer.strategy.remedy_effects`.
    ax : Axes, optional
        Axes to draw into.
    """
    columns = [*NAMES_OF_COLUMNS]
    effects = result.side_effects(tuple(columns))
    rows = list(result.remedies)
    ax = new_axes(ax, size=(13, 2.6 + 0.85 * len(rows)))
    for place, remedy in enumerate(rows[::-1]):
        for at, measure in enumerate(columns):
            effect = str(effects.loc[remedy, measure])
            box = (at - 0.5, place - 0.5)
            ax.add_patch(_cell(box, EFFECTS[effect]))
            said = f"{effect}\n{_relative(result, remedy, measure)}"
            weight = "bold" if effect in ("better", "worse") else "normal"
            ax.text(at, place, said, ha="center", va="center", fontsize=12.5, weight=weight)
    names = {row["remedy"]: row for row in result.frame.to_dict("records")}
    labels = [_remedy_label(names[remedy], remedy) for remedy in rows[::-1]]
    name_rows(ax, labels)
    ax.tick_params(axis="y", labelsize=13)
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(-0.5, len(rows) - 0.5)
    heads = [NAMES_OF_COLUMNS[measure] for measure in columns]
    ax.set_xticks(range(len(columns)), heads, fontsize=12.5)
    ax.tick_params(axis="x", length=0)
    ax.grid(visible=False)
    ax.set_xlabel("change against business as usual; open: the interval holds 0")
    said = _map_sentence(result, effects)
    finding(ax, said, width=title_width(ax, labels))
    words = effects.astype(str).to_dict("index")
    told = "; ".join(
        f"{remedy}: " + ", ".join(f"{measure} {words[remedy][measure]}" for measure in columns)
        for remedy in rows
    )
    return describe(ax, f"{said}. By remedy: {told}.")


NAMES_OF_COLUMNS = {
    "a": "a\nclass A at\na distance",
    "b": "b\ncontacts,\nA : C",
    "c": "c\nclaimed\ntwice",
    "d": "d\nlost to\nprice",
    "e": "e\nleaving,\nlarge : others",
    "profit": "profit",
    "leaving": "accounts\ngone",
}
"""Columns of the map of remedies."""


def _cell(corner: tuple[float, float], colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, facecolor=colour, edgecolor="white", lw=3)


def _relative(result: RemedyEffects, remedy: str, measure: str) -> str:
    """Write the change as a share of what there was, with a digit where it is small."""
    frame = result.frame
    row = frame[(frame["remedy"] == remedy) & (frame["measure"] == measure)].iloc[0]
    if not (math.isfinite(row["change"]) and row["before"] > 0):
        return "not known"
    share = 100 * row["change"] / row["before"]
    digits = 0 if abs(share) >= 2 else 1
    said = f"{share:+.{digits}f} %" if abs(share) >= 0.05 else "0 %"
    return said.replace("-", MINUS)


def _map_sentence(result: RemedyEffects, effects: pd.DataFrame) -> str:
    worse = [
        (remedy, _in_words(measure))
        for remedy in result.remedies
        for measure in map(str, effects.columns)
        if effects.loc[remedy, measure] == "worse"
    ]
    if not worse:
        return "Simulated: no remedy makes anything else worse"
    remedy, harm = worse[0]
    others = len(worse) - 1
    more = f" ({others} more side {'effect' if others == 1 else 'effects'})" if others else ""
    whose = "all tools together" if remedy == "all" else f"the remedy of trouble {remedy}"
    return f"Simulated: {whose} {harm}{more}"


def _in_words(measure: str) -> str:
    """Tell a harm within a sentence."""
    harms = {"profit": "costs profit", "leaving": "loses customers"}
    return harms.get(measure) or f"makes trouble {measure} worse"

"""Figures of value drivers: what counts most, how sure that is, and what to work on first.

:func:`importance_bars` draws importance with intervals and :func:`place_map` how often each driver
has each place among the resamples; :func:`priority_map` sets importance against performance,
:func:`stated_derived_map` what is said against what is felt; :func:`drift_lines` draws importance
over waves, :func:`layer_bars` by product layer, :func:`need_map` attributes by kind of need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from keycustomer.plots.audit import counted, title_width
from keycustomer.plots.labels import name_points, name_rows, short_names, shorten
from keycustomer.plots.style import (
    PALETTE,
    describe,
    escape_label,
    finding,
    new_axes,
    palette,
    percent,
    percent_axis,
)

if TYPE_CHECKING:
    from keycustomer.dimensions.drivers.drift import ImportanceDrift
    from keycustomer.dimensions.drivers.importance import RelativeImportance
    from keycustomer.dimensions.drivers.layers import LayerImportance
    from keycustomer.dimensions.drivers.needs import KindsOfNeed
    from keycustomer.dimensions.drivers.priorities import ImportancePerformance
    from keycustomer.dimensions.drivers.stated import StatedDerived

LONGEST_NAME = 28
"""Characters of a name at an axis or in a title; longer ones are shortened."""

MOST_NAMED = 14
"""Lines that have names beside their ends; of more, the most important."""

LETTERS_ACROSS = 78
"""Letters of the smaller size that fit across a figure of the usual width."""

FIELD_COLOURS = {
    "concentrate here": PALETTE["vermilion"],
    "keep up": PALETTE["blue"],
    "low priority": PALETTE["grey"],
    "possible overkill": PALETTE["black"],
}
READING_COLOURS = {
    "said and felt": PALETTE["blue"],
    "felt, not said": PALETTE["vermilion"],
    "said, not felt": PALETTE["black"],
    "neither": PALETTE["grey"],
}
LAYER_COLOURS = (PALETTE["blue"], PALETTE["sky"])
LAYER_INKS = ("white", PALETTE["black"])
"""Colours of neighbouring attributes and of the letters in them."""

SHADES = LinearSegmentedColormap.from_list("places", ["#FFFFFF", PALETTE["blue"]])
"""White for never, blue for always."""


def importance_bars(result: RelativeImportance, ax: Axes | None = None) -> Axes:
    """Draw the importance of each driver with its interval, the most important on top.

    Parameters
    ----------
    result : RelativeImportance
        From `keycustomer.dimensions.relative_importance`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, _height(len(frame))))
    places = np.arange(len(frame))
    falling = (frame["correlation"] < 0).to_numpy()
    colours = np.where(falling, PALETTE["vermilion"], PALETTE["blue"])
    ax.barh(places, frame["importance"], color=colours, height=0.62)
    ax.hlines(places, frame["lower"], frame["upper"], color=PALETTE["black"], lw=2.5)
    names = _names(result.order)
    name_rows(ax, [escape_label(names[name]) for name in frame["driver"]])
    _percents(ax.xaxis)
    ax.set_xlim(left=0)
    ax.set_xlabel(
        f"share of the variance of {_label(result.outcome, 20)} ({_brief(result.method)})"
    )
    if falling.any():
        ax.plot([], [], "s", color=PALETTE["vermilion"], ms=11, label="the more, the lower")
        ax.legend(loc="lower right")
    finding(ax, _order_sentence(result, names), width=title_width(ax, names.values()))
    told = "; ".join(
        f"{row['driver']} {percent(row['importance'])} [{percent(row['lower'])}, "
        f"{percent(row['upper'])}]"
        for row in result.frame.to_dict("records")
    )
    return describe(
        ax,
        f"Importance of {counted(len(frame), 'driver')} of {result.outcome}, "
        f"{result.method}, {counted(result.respondents, 'respondent')}, R2 "
        f"{result.r2.as_percent()}: {told}.",
    )


def _height(rows: int) -> float:
    return max(3.6, 2.0 + 0.48 * rows)


def _names(drivers: Sequence[str]) -> dict[str, str]:
    """Short names by driver."""
    return {str(name): short for name, short in short_names(drivers, LONGEST_NAME).items()}


def _label(name: object, width: int = LONGEST_NAME) -> str:
    return escape_label(shorten(name, width))


def _brief(method: str) -> str:
    """Name a method in a word: LMG, Johnson."""
    return method.split("'")[0]


def _percents(axis: Axis) -> None:
    """Label shares in whole percents."""
    percent_axis(axis)
    axis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))


def _order_sentence(result: RelativeImportance, names: dict[str, str]) -> str:
    places = result.places()
    first, share = places.iloc[0], percent(float(result.frame["share"].iloc[0]), 0)
    leader = names[first["driver"]]
    if len(places) == 1:
        return (
            f"{leader} explains {percent(result.r2.estimate, 0)} of {shorten(result.outcome, 40)}"
        )
    if not first["established"]:
        return (
            f"What counts most is not established: {leader} in "
            f"{percent(first['share_of_draws'], 0)} of the resamples, {names[first['rival']]} in "
            f"{percent(first['rival_share'], 0)}"
        )
    second = places.iloc[1]
    tail = f"second is {names[second['driver']]}"
    if not second["established"]:
        tail = "who is second is not established"
    return f"{leader} counts most, {share} of what is explained; {tail}"


def place_map(result: RelativeImportance, ax: Axes | None = None) -> Axes:
    """Draw in what share of the resamples each driver has each place.

    Parameters
    ----------
    result : RelativeImportance
        From `keycustomer.dimensions.relative_importance`.
    ax : Axes, optional
        Axes to draw into.
    """
    ranks = (-result.draws.importance).argsort(axis=1, kind="stable").argsort(axis=1)
    count = len(result.drivers)
    columns = [result.drivers.index(name) for name in result.order]
    shares = np.array([(ranks[:, columns] == place).mean(axis=0) for place in range(count)]).T
    ax = new_axes(ax, size=(max(8, 4 + 0.62 * count), max(4.0, 2.0 + 0.5 * count)))
    ax.imshow(shares, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for (row, place), share in np.ndenumerate(shares):
        if share >= 0.005:
            ink = "white" if share > 0.55 else PALETTE["black"]
            text = f"{100 * share:.0f}"
            ax.text(place, row, text, ha="center", va="center", color=ink, fontsize=13)
    ax.set_xticks(range(count), [str(place + 1) for place in range(count)])
    names = _names(result.order)
    ax.set_yticks(range(count), [escape_label(names[name]) for name in result.order])
    ax.grid(visible=False)
    ax.set_xlabel("place (cells: % of the resamples)")
    known = int(result.places()["established"].sum())
    sentence = f"{known} of {counted(count, 'place')} established by {result.respondents:,} answers"
    finding(ax, sentence, width=title_width(ax, names.values()))
    told = "; ".join(
        f"{row['driver']} has place {row['place']} in {percent(row['share_of_draws'], 0)}"
        for row in result.places().to_dict("records")
    )
    return describe(ax, f"Places of the drivers of {result.outcome} among resamples: {told}.")


def priority_map(result: ImportancePerformance, ax: Axes | None = None) -> Axes:
    """Draw importance against performance with the four fields of action.

    Parameters
    ----------
    result : ImportancePerformance
        From `keycustomer.dimensions.importance_performance`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame
    ax = new_axes(ax, size=(10, 7.5))
    colours = [FIELD_COLOURS[field] for field in frame["field"]]
    borders = (result.performance_border, result.importance_border)
    _four_fields(ax, frame, ("performance", "importance"), colours, borders)
    ax.set_xlabel("performance (0 worst answer, 100 best answer)")
    ax.set_ylabel(f"share of what is explained ({_brief(result.method)})")
    corners = {
        "concentrate here": (0, 1),
        "keep up": (1, 1),
        "low priority": (0, 0),
        "possible overkill": (1, 0),
    }
    _name_corners(ax, corners, FIELD_COLOURS)
    names = _names(frame["driver"].tolist())
    numbered = [f"{row['priority']} {names[row['driver']]}" for row in frame.to_dict("records")]
    name_points(ax, frame["performance"], frame["importance"], numbered, colours=colours, width=32)
    finding(ax, _priority_sentence(result, names))
    told = "; ".join(
        f"{row['priority']} {row['driver']}: {percent(row['importance'], 0)} of what is explained, "
        f"performance {row['performance']:.0f}, {row['field']} ({percent(row['certainty'], 0)} of "
        "the resamples)"
        for row in frame.to_dict("records")
    )
    return describe(
        ax,
        f"Importance and performance of the drivers of {result.outcome}, by priority, borders at "
        f"{percent(result.importance_border, 0)} and {result.performance_border:.0f}. {told}.",
    )


def _four_fields(
    ax: Axes,
    frame: pd.DataFrame,
    columns: tuple[str, str],
    colours: list[str],
    borders: tuple[float, float],
) -> None:
    """Points with intervals in both directions, room around them, and the fields' borders."""
    x, y = columns
    for row, colour in zip(frame.to_dict("records"), colours, strict=True):
        ax.plot(
            [row[f"{x}_lower"], row[f"{x}_upper"]], [row[y]] * 2, color=colour, lw=1.5, alpha=0.5
        )
        ax.plot(
            [row[x]] * 2, [row[f"{y}_lower"], row[f"{y}_upper"]], color=colour, lw=1.5, alpha=0.5
        )
    ax.scatter(frame[x], frame[y], s=90, c=colours, zorder=3)
    ax.margins(x=0.12, y=0.2)
    ax.axvline(borders[0], color=PALETTE["grey"], lw=1.5, ls="--")
    ax.axhline(borders[1], color=PALETTE["grey"], lw=1.5, ls="--")
    _percents(ax.yaxis)


def _name_corners(ax: Axes, corners: dict[str, tuple[int, int]], colours: dict[str, str]) -> None:
    for name, (x, y) in corners.items():
        ax.annotate(
            name,
            (0.01 + 0.98 * x, 0.01 + 0.98 * y),
            xycoords="axes fraction",
            ha="right" if x else "left",
            va="top" if y else "bottom",
            weight="bold",
            fontsize=14,
            color=colours[name],
            alpha=0.75,
        )


def _priority_sentence(result: ImportancePerformance, names: dict[str, str]) -> str:
    first = result.frame.iloc[0]
    return (
        f"First priority {names[first['driver']]}: {percent(first['importance'], 0)} of what is "
        f"explained, performance {first['performance']:.0f} of 100"
    )


def stated_derived_map(result: StatedDerived, ax: Axes | None = None) -> Axes:
    """Draw what customers call important against what the outcome hangs on.

    Parameters
    ----------
    result : StatedDerived
        From `keycustomer.dimensions.stated_against_derived`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame
    ax = new_axes(ax, size=(10, 7.5))
    colours = [READING_COLOURS[reading] for reading in frame["reading"]]
    borders = (result.stated_border, result.derived_border)
    _four_fields(ax, frame, ("stated", "derived"), colours, borders)
    ax.set_xlabel("stated importance (mean answer)")
    ax.set_ylabel(f"derived: share of what is explained ({_brief(result.method)})")
    corners = {
        "felt, not said": (0, 1),
        "said and felt": (1, 1),
        "neither": (0, 0),
        "said, not felt": (1, 0),
    }
    _name_corners(ax, corners, READING_COLOURS)
    names = _names(frame["driver"].tolist())
    name_points(
        ax, frame["stated"], frame["derived"], list(names.values()), colours=colours, width=32
    )
    finding(ax, _stated_sentence(result, names))
    told = "; ".join(
        f"{row['driver']}: stated {row['stated']:.2f}, derived {percent(row['derived'], 0)}, "
        f"{row['reading']}"
        for row in frame.to_dict("records")
    )
    return describe(
        ax,
        f"Stated against derived importance for {result.outcome}, rank correlation "
        f"{result.agreement}. {told}.",
    )


def _stated_sentence(result: StatedDerived, names: dict[str, str]) -> str:
    hidden = [names[name] for name in result.of_reading("felt, not said")]
    named = ", ".join(hidden[:3]) + (" ..." if len(hidden) > 3 else "")
    felt = f"felt, not said: {named}" if hidden else "nothing is felt that is not said"
    agreement = f"{result.agreement.estimate:.2f}".replace("-", "\N{MINUS SIGN}")
    return f"What is said and what is felt correlate {agreement}; {felt}"


def drift_lines(result: ImportanceDrift, ax: Axes | None = None) -> Axes:
    """Draw importance by wave: drivers that changed in colour, the others in grey.

    Parameters
    ----------
    result : ImportanceDrift
        From `keycustomer.dimensions.importance_drift`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 6.5))
    x = np.arange(len(result.waves))
    coloured = dict(zip(result.changed, palette(), strict=False))
    for driver in result.changes["driver"]:
        rows = result.frame[result.frame["driver"] == driver]
        colour = coloured.get(driver, PALETTE["light grey"])
        changed = driver in coloured
        ax.plot(x, rows["importance"], color=colour, marker="o", ms=7, lw=3 if changed else 2)
        if changed:
            ax.fill_between(x, rows["lower"], rows["upper"], color=colour, alpha=0.15, lw=0)
    last = result.frame[result.frame["wave"] == result.waves[-1]]
    moved = last["driver"].isin(result.changed)
    others = last[~moved].nlargest(max(MOST_NAMED - int(moved.sum()), 0), "importance")
    shown = pd.concat([last[moved], others])
    _percents(ax.yaxis)
    ax.set_ylim(bottom=0)
    ax.set_xlim(-0.15, (len(x) - 1) * 1.32 + 0.05)
    ax.set_xticks(x, _wave_names(result.waves))
    unnamed = len(last) - len(shown)
    ax.set_xlabel("wave" + (f" (the {unnamed} least important are not named)" if unnamed else ""))
    kind = "what is explained" if result.measure == "share" else "all variance"
    ax.set_ylabel(f"share of {kind} ({_brief(result.method)})")
    colours = [coloured.get(driver, PALETTE["grey"]) for driver in shown["driver"]]
    names = {str(k): v for k, v in short_names(shown["driver"].tolist(), 20).items()}
    _name_ends(ax, x[-1], shown, colours, names)
    finding(ax, _drift_sentence(result, names))
    told = "; ".join(
        f"{row['driver']} from {percent(row['first'], 0)} to {percent(row['last'], 0)} "
        f"(p {row['p_value']:.3f})"
        for row in result.changes.to_dict("records")
    )
    return describe(
        ax,
        f"Importance of the drivers of {result.outcome} over {counted(len(x), 'wave')}, "
        f"{result.waves[0]} to {result.waves[-1]}: {told}. All together p {result.p_value:.3f}.",
    )


def _wave_names(waves: tuple[str, ...]) -> list[str]:
    """Names of waves, those of two parts on two lines."""
    return [escape_label(name, 28).replace(" to ", "\nto ") for name in waves]


def _name_ends(
    ax: Axes, x: float, rows: pd.DataFrame, colours: list[str], short: dict[str, str]
) -> None:
    """Write the names at the right ends of the lines, pushed apart where they would overlap."""
    low, high = ax.get_ylim()
    gap = (high - low) * 0.052
    order = np.argsort(rows["importance"].to_numpy(), kind="stable")
    wanted = rows["importance"].to_numpy()[order]
    placed = np.maximum.accumulate(wanted - gap * np.arange(len(wanted))) + gap * np.arange(
        len(wanted)
    )
    placed -= max(0.0, placed[-1] - high)
    names = rows["driver"].to_numpy()[order]
    for name, seat, end, n in zip(names, placed, wanted, order, strict=True):
        ax.plot([x + 0.01, x * 1.04 + 0.03], [end, seat], color=PALETTE["light grey"], lw=1)
        ax.text(
            x * 1.05 + 0.03,
            seat,
            escape_label(short[name], 20),
            va="center",
            fontsize=13,
            color=colours[n],
        )


def _drift_sentence(result: ImportanceDrift, names: dict[str, str]) -> str:
    moved = result.changes[result.changes["verdict"] == "changed"].to_dict("records")
    if not moved and result.p_value < 1 - result.level:
        return (
            f"Importance changed from {result.waves[0]} to {result.waves[-1]} "
            f"(p = {result.p_value:.3f}), but of no single driver is that sure"
        )
    if not moved:
        return (
            f"No driver's importance changed by more than chance from {result.waves[0]} to "
            f"{result.waves[-1]}"
        )
    first = moved[0]
    word = "rose" if first["change"] > 0 else "fell"
    others = f"; {counted(len(moved) - 1, 'other')} changed too" if len(moved) > 1 else ""
    return (
        f"{names[first['driver']]} {word} from {percent(first['first'], 0)} to "
        f"{percent(first['last'], 0)}, more than chance{others}"
    )


def layer_bars(result: LayerImportance, ax: Axes | None = None) -> Axes:
    """Draw the importance of each product layer, divided into its attributes.

    Parameters
    ----------
    result : LayerImportance
        From `keycustomer.dimensions.layer_importance`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame
    ax = new_axes(ax, size=(10, max(4.0, 2.0 + 1.1 * len(frame))))
    ax.set_xlim(0, 1.06 * max(frame["upper"].max(), frame["importance"].max()))
    names = _names(result.drivers["driver"].tolist())
    for place, row in enumerate(frame.to_dict("records")):
        _stack(ax, place, result.drivers[result.drivers["layer"] == row["layer"]], names)
        ax.hlines(place - 0.36, row["lower"], row["upper"], color=PALETTE["black"], lw=2.5)
    labels = [_layer_name(row) for row in frame.to_dict("records")]
    ax.set_yticks(range(len(frame)), labels)
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    _percents(ax.xaxis)
    line = f"line: {percent(result.level, 0)} interval"
    ax.set_xlabel(f"share of what is explained of {_label(result.outcome, 20)} ({line})")
    finding(ax, _layer_sentence(frame), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['layer']}: {percent(row['importance'])} [{percent(row['lower'])}, "
        f"{percent(row['upper'])}] with {counted(row['attributes'], 'attribute')}, "
        f"{percent(row['as_one'])} as one player"
        for row in frame.to_dict("records")
    )
    return describe(ax, f"Importance by product layer for {result.outcome}: {told}.")


def _layer_sentence(frame: pd.DataFrame) -> str:
    most = frame.iloc[int(frame["importance"].argmax())]
    each = frame.iloc[int(frame["per_attribute"].argmax())]
    same = most["layer"] == each["layer"]
    tail = "" if same else f"; by attribute the {shorten(each['layer'], 28)} layer leads"
    share = percent(most["importance"], 0)
    return f"The {shorten(most['layer'], 28)} layer brings {share} of what counts{tail}"


def _layer_name(row: dict[Any, Any]) -> str:
    return f"{_label(row['layer'], 20)}\n{counted(row['attributes'], 'attribute')}"


def _stack(ax: Axes, place: int, parts: pd.DataFrame, names: dict[str, str]) -> None:
    """Draw a layer's attributes side by side, named where there is room for the name."""
    start = 0.0
    for n, part in enumerate(parts.to_dict("records")):
        share = part["importance"]
        ax.barh(place, share, left=start, color=LAYER_COLOURS[n % 2], height=0.6, ec="white")
        letters = int(share / ax.get_xlim()[1] * LETTERS_ACROSS)
        name = names[part["driver"]]
        if letters >= min(len(name), 7):
            ax.text(
                start + share / 2,
                place,
                _label(name, letters) if letters >= 5 else escape_label(name),
                ha="center",
                va="center",
                fontsize=12,
                color=LAYER_INKS[n % 2],
            )
        start += share


def need_map(result: KindsOfNeed, ax: Axes | None = None) -> Axes:
    """Draw which attribute is which of the five kinds of need.

    Parameters
    ----------
    result : KindsOfNeed
        From `keycustomer.dimensions.kinds_of_need`.
    ax : Axes, optional
        Axes to draw into.
    """
    kinds = result.kinds()
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, max(4.0, 2.4 + 0.46 * len(frame))))
    for x, (kind, colour) in enumerate(zip(kinds["kind"], palette(), strict=False)):
        known = frame[kind].notna().to_numpy()
        has = frame[kind].fillna(False).to_numpy(dtype=bool)
        rows = np.arange(len(frame))
        ax.scatter(np.full(has.sum(), x), rows[has], s=230, color=colour, zorder=3)
        ax.scatter(
            np.full((~has & known).sum(), x), rows[~has & known], s=22, color=PALETTE["light grey"]
        )
        for row in rows[~known]:
            ax.text(x, row, "?", ha="center", va="center", color=PALETTE["grey"], fontsize=13)
    names = _names(frame["driver"].tolist())
    name_rows(ax, [escape_label(name) for name in names.values()])
    ax.set_xticks(range(len(kinds)), [_kind_name(row) for row in kinds.to_dict("records")])
    ax.xaxis.tick_top()
    ax.set_xlim(-0.6, len(kinds) - 0.4)
    secret = [names[name] for name in result.of_kind("secret")]
    tail = f"secret: {', '.join(secret)}" if secret else "no secret need shows"
    sentence = (
        f"{len(result.of_kind('stated'))} of {len(frame)} attributes are stated needs, "
        f"{len(result.of_kind('real'))} real ones; {tail}"
    )
    finding(ax, sentence, width=title_width(ax, names.values()))
    ax.set_xlabel("a teaching device: five measures of different nature")
    told = "; ".join(
        f"{row['kind']} ({row['measure']}): {row['names'] or 'none'}"
        for row in kinds.to_dict("records")
    )
    return describe(ax, f"Attributes by kind of need. {told}.")


def _kind_name(row: dict[Any, Any]) -> str:
    short = {
        "stated": "called important",
        "real": "counts",
        "unstated": "must-be",
        "delight": "attractive",
        "secret": "felt, not said",
    }
    return f"{row['kind']}\n{short[row['kind']]}"

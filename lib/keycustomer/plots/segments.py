"""Figures of segments: how many come again, what marks each, and what each kind of variable adds.

:func:`stability_curve` draws the agreement of segments between samples over their number, beside
that of data without segments and the number fit would choose; :func:`segment_stability_bars` the
stability of every single segment; :func:`profile_map` what sets the segments off;
:func:`segment_value_bars` what they are and what they bring; :func:`kind_bars` what each kind of
variable adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from keycustomer.plots.style import (
    COLUMN_INCHES,
    PALETTE,
    describe,
    escape_label,
    finding,
    new_axes,
    percent,
    percent_axis,
)

if TYPE_CHECKING:
    from keycustomer.dimensions.segments.numbers import SegmentNumbers
    from keycustomer.dimensions.segments.segmentation import Segmentation

VERDICT_COLOURS = {
    "natural": PALETTE["blue"],
    "reproducible": PALETTE["orange"],
    "constructive": PALETTE["grey"],
}
SEGMENT_COLOURS = {
    "stable": PALETTE["blue"],
    "doubtful": PALETTE["orange"],
    "not stable": PALETTE["grey"],
}

STABLE_LINE = 0.8
"""Agreement from which a number of segments counts as stable."""

JACCARD_LINES = (0.85, 0.75)
"""Similarity from which a segment is stable, and below which it is not."""

STRONGEST = 2.0
"""Standardised difference at which the map's colours end."""

MOST_TRAITS = 14
LONGEST_NAME, LONGEST_TRAIT = 40, 34

NARROW = 40


def stability_curve(result: SegmentNumbers, ax: Axes | None = None) -> Axes:
    """Draw the agreement of segments between samples over their number.

    Parameters
    ----------
    result : SegmentNumbers
        From `keycustomer.dimensions.segment_numbers`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    table = result.frame
    x = table["segments"].to_numpy()
    spread = np.stack([table["rand"] - table["lower"], table["upper"] - table["rand"]])
    ax.plot(
        x, table["structureless_rand"], color=PALETTE["black"], ls=":", lw=2,
        label="data without segments",
    )  # fmt: skip
    ax.plot(x, table["rand"], color=PALETTE["light grey"], lw=2, zorder=1)
    for verdict, colour in VERDICT_COLOURS.items():
        own = (table["verdict"] == verdict).to_numpy()
        if own.any():
            ax.errorbar(
                x[own], table["rand"][own], yerr=np.maximum(spread[:, own], 0), fmt="o",
                color=colour, ms=11, elinewidth=2.5, label=verdict,
            )  # fmt: skip
    ax.axhline(STABLE_LINE, color=PALETTE["grey"], lw=1.2, ls="--")
    _mark_best_fit(result, ax)
    ax.set(
        xlabel="number of segments, fitted in two samples", ylabel="agreement (adjusted Rand index)"
    )
    ax.set_xticks(x)
    ax.set_ylim(min(-0.03, float(table["lower"].min()) - 0.03), 1.03)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    finding(ax, _curve_title(result))
    return describe(ax, _curve_text(result))


def _mark_best_fit(result: SegmentNumbers, ax: Axes) -> None:
    if result.frame["bic"].isna().any():
        return
    ax.axvline(result.best_fit, color=PALETTE["purple"], lw=2, ls="-.", label="best BIC", zorder=0)


def _curve_title(result: SegmentNumbers) -> str:
    if result.suggested > 1:
        said = f"{result.suggested} segments come again in another sample and are no accident"
    elif result.stable:
        said = "What comes again is a cut through one cloud: no structure"
    else:
        said = "No number of segments comes again in another sample"
    if result.frame["bic"].notna().all() and result.best_fit not in (result.suggested, 1):
        said += f"; fit alone would say {result.best_fit}"
    return said


def _curve_text(result: SegmentNumbers) -> str:
    each = ", ".join(
        f"{row.segments}: {row.rand:.2f} ({row.verdict}; without segments "
        f"{row.structureless_rand:.2f})"
        for row in result.frame.itertuples()
    )
    return f"Median agreement by number of segments, {result.method}: {each}. {result.sample_note}."


def segment_stability_bars(
    result: SegmentNumbers, segments: int | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how stable every single segment is.

    Parameters
    ----------
    result : SegmentNumbers
        From `keycustomer.dimensions.segment_numbers`.
    segments : int, optional
        Number of segments; left out, the suggested one, or the most stable where none is.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    chosen = segments or (result.suggested if result.suggested > 1 else _most_stable(result))
    result.of(chosen)
    table = result.each[result.each["segments"] == chosen].reset_index(drop=True)
    places = np.arange(len(table))
    colours = [SEGMENT_COLOURS[verdict] for verdict in table["verdict"]]
    error = np.stack([table["jaccard"] - table["lower"], table["upper"] - table["jaccard"]])
    ax.barh(places, table["jaccard"], color=colours, xerr=np.maximum(error, 0), ecolor="black")
    for line in JACCARD_LINES:
        ax.axvline(line, color=PALETTE["black"], lw=1.2, ls="--")
    ax.set_yticks(
        places, [f"{r['segment']} ({percent(r['share'], 0)})" for r in table.to_dict("records")]
    )
    ax.invert_yaxis()
    ax.set(xlabel="similarity to the same segment of other samples (Jaccard)", xlim=(0, 1.02))
    ax.set_ylabel("segment (share of the customers)")
    held = int((table["verdict"] == "stable").sum())
    finding(ax, f"{held} of {chosen} segments are stable one by one")
    shown = [v for v in SEGMENT_COLOURS if v in set(table["verdict"])]
    handles = [Patch(color=SEGMENT_COLOURS[v], label=v) for v in shown]
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5))
    each = ", ".join(f"{r.segment}: {r.jaccard:.2f} ({r.verdict})" for r in table.itertuples())
    return describe(ax, f"Mean Jaccard similarity of {chosen} segments, {result.method}: {each}.")


def _most_stable(result: SegmentNumbers) -> int:
    return int(result.frame["segments"].iloc[int(result.frame["rand"].to_numpy().argmax())])


def profile_map(result: Segmentation, ax: Axes | None = None, *, most: int = MOST_TRAITS) -> Axes:
    """Draw how far each segment lies above or below the average, trait by trait.

    Parameters
    ----------
    result : Segmentation
        From `keycustomer.dimensions.segment_customers`.
    ax : Axes, optional
        Axes to draw into.
    most : int
        Traits at most, those that differ most between segments.
    """
    table, left = _traits(result, most)
    ax = new_axes(ax, size=(max(8.0, 4.5 + 1.5 * table.shape[1]), max(4.0, 2.2 + 0.5 * len(table))))
    values = table.to_numpy()
    image = ax.imshow(values, cmap="PuOr_r", vmin=-STRONGEST, vmax=STRONGEST, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 0.7 * STRONGEST else PALETTE["black"]
        text = f"{round(value, 1) + 0.0:+.1f}".replace("-", "\N{MINUS SIGN}")
        ax.text(column, row, text, ha="center", va="center", fontsize=13, color=colour)
    shares = result.segments["share"]
    ax.set_xticks(
        range(len(shares)),
        [f"{n}\n{percent(s, 0)}" for n, s in zip(result.segments["segment"], shares, strict=True)],
    )
    ax.set_yticks(range(len(table)), [escape_label(name, LONGEST_TRAIT) for name in table.index])
    ax.grid(False)
    ax.set_xlabel("segment, share of the customers")
    ax.set_ylabel("trait")
    ax.figure.colorbar(image, ax=ax, label="standard deviations from the mean", shrink=0.8)
    row, column = np.unravel_index(np.abs(values).argmax(), values.shape)
    high = "more" if values[row, column] > 0 else "less"
    trait = f"Segment {column + 1} stands out most: {high} {table.index[row]} than the average"
    finding(ax, trait, width=_columns_above(ax))
    names = "; ".join(f"{i}: {n}" for i, n in enumerate(result.names, 1))
    more = f" {left} traits that differ less are not drawn." if left else ""
    return describe(ax, f"Standardised differences of {len(shares)} segments: {names}.{more}")


def _columns_above(ax: Axes) -> int:
    """Columns of a title that fit above the axes once their labels have taken their place."""
    figure = ax.get_figure(root=True)
    if figure is None:
        return NARROW
    figure.draw_without_rendering()
    inches = ax.get_position().width * figure.get_figwidth()
    return max(int(inches / COLUMN_INCHES), 12)


def _traits(result: Segmentation, most: int) -> tuple[pd.DataFrame, int]:
    """Differences by trait and segment, kinds together, and how many traits are left out."""
    rows = result.profiles
    level = rows["level"].where(rows["level"] == "", " " + rows["level"])
    named = rows.assign(trait=rows["variable"].str.replace("_", " ") + level)
    table = named.pivot_table(index="trait", columns="segment", values="difference", sort=False)
    reach = table.abs().max(axis=1)
    kept = reach.sort_values(ascending=False, kind="stable").index[:most]
    return table[table.index.isin(kept)], max(len(table) - most, 0)


def segment_value_bars(result: Segmentation, ax: Axes | None = None) -> Axes:
    """Draw the share of the customers in each segment, and of the value where one was given.

    Parameters
    ----------
    result : Segmentation
        From `keycustomer.dimensions.segment_customers`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    table = result.segments
    valued = "value_share" in table and table["value_share"].notna().all()
    places, height = np.arange(len(table)), 0.38 if valued else 0.7
    offset = height / 2 if valued else 0.0
    ax.barh(places - offset, table["share"], height, color=PALETTE["grey"], label="customers")
    if valued:
        ax.barh(
            places + offset, table["value_share"], height, color=PALETTE["blue"],
            label=escape_label(result.value, 24),
        )  # fmt: skip
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    names = [f"{r.segment} {escape_label(r.name, LONGEST_NAME)}" for r in table.itertuples(False)]
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    percent_axis(ax.xaxis)
    ax.set(xlabel="share of all", ylabel="")
    finding(ax, _value_title(table, result.value if valued else ""), width=_columns_above(ax))
    text = "; ".join(
        f"{r['name']}: {percent(r['share'], 0)} of the customers"
        + (f", {percent(r['value_share'], 0)} of {result.value}" if valued else "")
        for r in table.to_dict("records")
    )
    return describe(ax, f"Segments: {text}.")


def _value_title(table: pd.DataFrame, value: str) -> str:
    if not value:
        largest = table.iloc[int(table["share"].to_numpy().argmax())]
        return f"Segment {largest['segment']} is the largest: {percent(largest['share'], 0)}"
    best = table.iloc[int((table["value_share"] / table["share"]).to_numpy().argmax())]
    return (
        f"Segment {best['segment']}, {percent(best['share'], 0)} of the customers, brings "
        f"{percent(best['value_share'], 0)} of {value}"
    )


def kind_bars(contributions: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what each kind of variable was given and what it adds to the segments.

    Parameters
    ----------
    contributions : DataFrame
        From `keycustomer.dimensions.kind_contributions`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    measures = {
        "share_of_distance": ("its weight", PALETTE["light grey"]),
        "between": ("its part of what separates the segments", PALETTE["blue"]),
        "moved": ("customers placed elsewhere without it", PALETTE["orange"]),
    }
    places, height = np.arange(len(contributions)), 0.27
    for shift, (column, (label, colour)) in enumerate(measures.items()):
        shares = contributions[column].to_numpy()
        ax.barh(places + (shift - 1) * height, shares, height, color=colour, label=label)
    ax.set_yticks(places, [escape_label(kind, LONGEST_TRAIT) for kind in contributions["kind"]])
    ax.invert_yaxis()
    percent_axis(ax.xaxis)
    ax.set(xlabel="share", ylabel="kind of variable")
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.14), ncols=1)
    best = contributions.iloc[int(contributions["between"].to_numpy().argmax())]
    said = f"Mostly {best['kind']} variables separate the segments ({percent(best['between'], 0)})"
    finding(ax, said, width=_columns_above(ax))
    text = "; ".join(
        f"{r['kind']}: weight {percent(r['share_of_distance'], 0)}, separates "
        f"{percent(r['between'], 0)}, moves {percent(r['moved'], 0)} of the customers"
        for r in contributions.to_dict("records")
    )
    return describe(ax, f"What each kind of variable adds: {text}.")

"""Figures of rules that sort customers: levels by table, types, quality, promises kept.

:func:`kotler_map` draws Kotler's table with the customers in each cell; :func:`type_map` customers
by volume and loyalty with the thresholds, :func:`type_stability_bars` how many stay in their type,
:func:`threshold_bars` what hangs on the thresholds; :func:`quality_part_dots` how reliably the
parts of relationship quality are measured, :func:`quality_prediction_dots` what they tell of who
leaves; :func:`promise_dots` how far service-level rules are kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from keycustomer.plots.audit import BLUES, counted, title_width
from keycustomer.plots.labels import interval_text, name_rows, names_in_words, shorten
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
    from keycustomer.relationships.rules.customer_types import RelationshipTypes
    from keycustomer.relationships.rules.kotler import KotlerLevels
    from keycustomer.relationships.rules.prediction import QualityPrediction
    from keycustomer.relationships.rules.quality import RelationshipQuality
    from keycustomer.relationships.rules.service_levels import ServiceKept
    from keycustomer.relationships.rules.stability import TypeStability

TYPE_COLOURS = {
    "relational": PALETTE["blue"],
    "selective": PALETTE["orange"],
    "transactional": PALETTE["grey"],
}
"""Colours of the types of relationship."""

MANY_POINTS = 500
"""Customers from which on points are drawn small."""

MOST_POINTS = 4_000
"""Customers that a map shows; of more it shows an even sample."""

SUFFICIENT = 0.7
"""Reliability from which on a score is commonly used in research (Nunnally 1978)."""

MODERATE = 0.7
"""Area under the curve below which a score tells a little (Hosmer & Lemeshow 2000: acceptable)."""

LEGIBLE_BAR = 0.1
"""Height of a bar from which white letters at its foot are legible."""

LONGEST_NAME = 28


def kotler_map(result: KotlerLevels, ax: Axes | None = None) -> Axes:
    """Draw Kotler's table with the customers in each cell.

    Parameters
    ----------
    result : KotlerLevels
        From `keycustomer.relationships.kotler_levels`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 6.4))
    counts = result.counts.iloc[::-1]
    shares = counts.to_numpy() / max(len(result.frame), 1)
    ax.imshow(shares, cmap=BLUES, vmin=0, vmax=max(shares.max(), 0.01), aspect="auto")
    level = {
        (number, margin): name
        for number, margin, name in zip(
            result.frame["number"], result.frame["margin_class"], result.frame["level"], strict=True
        )
    }
    for (row, column), share in np.ndenumerate(shares):
        cell = (str(counts.index[row]), str(counts.columns[column]))
        dark = share > 0.6 * shares.max()
        colour = "white" if dark else PALETTE["black"]
        name = level.get(cell, _level_of(cell))
        count = int(counts.to_numpy()[row, column])
        ax.text(
            column, row - 0.12, name, ha="center", va="center", fontsize=17, weight="bold",
            color=colour,
        )  # fmt: skip
        said = f"{counted(count, 'customer')}, {percent(float(share), 0)}" if count else "nobody"
        ax.text(column, row + 0.2, said, ha="center", va="center", fontsize=14, color=colour)
    ax.set_xticks(range(counts.shape[1]), [str(c) for c in counts.columns])
    ax.set_yticks(range(len(counts)), [str(r) for r in counts.index])
    ax.set_xlabel(escape_label(_margin_label(result)))
    ax.set_ylabel("customers in the class")
    ax.grid(visible=False)
    ax.tick_params(length=0)
    rows = result.shares.to_dict("records")
    most = max(rows, key=lambda row: row["customers"])
    top = next(row for row in rows if row["level"] == "partnership")
    finding(
        ax,
        f"Kotler's table: {percent(top['share'])} of the customers get partnership, "
        f"{percent(most['share'], 0)} get the {most['level']} level",
    )
    told = "; ".join(f"{row['level']} {row['customers']:,}" for row in rows)
    return describe(
        ax,
        f"Kotler's table of {counted(len(result.frame), 'customer')}, number of customers in the "
        f"class by margin: {told}. {result.rule}.",
    )


def _level_of(cell: tuple[str, str]) -> str:
    """Level of a cell without customers: the table's rows and columns are five diagonals."""
    rows, columns = ("many", "medium", "few"), ("low", "medium", "high")
    names = ("basic", "reactive", "accountable", "proactive", "partnership")
    return names[rows.index(cell[0]) + columns.index(cell[1])]


def _margin_label(result: KotlerLevels) -> str:
    low, high = (compact_number(cut) for cut in result.margin_cuts)
    name = shorten(result.margin, LONGEST_NAME)
    return f"{name} ({result.margin_of}): low below {low}, high from {high}"


def type_map(result: RelationshipTypes, ax: Axes | None = None) -> Axes:
    """Draw customers by volume and loyalty, with the thresholds and the share of each part.

    Parameters
    ----------
    result : RelationshipTypes
        From `keycustomer.relationships.relationship_types`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 6.8))
    frame = result.frame.sort_values(["volume", "customer_id"])
    positive = frame["volume"] > 0
    shown = frame[positive].iloc[:: max(math.ceil(positive.sum() / MOST_POINTS), 1)]
    dot: dict[str, Any] = (
        {"ms": 7, "alpha": 0.45} if len(shown) > MANY_POINTS else {"ms": 13, "alpha": 0.8}
    )
    for name, colour in TYPE_COLOURS.items():
        own = shown[shown["type"] == name]
        ax.plot(own["loyalty"], own["volume"], ".", color=colour, zorder=1, **dot)
    ax.set_yscale("log")
    number_axis(ax.yaxis)
    ax.yaxis.set_minor_formatter(NullFormatter())
    low, high = float(shown["volume"].min()), float(shown["volume"].max())
    ends = [low, high, *([result.volume_cut] if result.volume_cut > 0 else [])]
    ax.set_ylim(min(ends) / 4, max(ends) * 4)
    ax.set_xlim(-0.02, 1.02)
    ax.axvline(result.thresholds.loyalty, color=PALETTE["black"], lw=1.5, ls="--")
    if result.volume_cut > 0:
        ax.axhline(result.volume_cut, color=PALETTE["black"], lw=1.5, ls="--")
    _write_parts(ax, result)
    ax.set_xlabel("loyalty (0 none, 1 as loyal as can be seen)")
    unit = f", {result.currency}" if result.currency else ""
    ax.set_ylabel(escape_label(f"revenue a year{unit}"))
    handles = [Patch(color=colour, label=name) for name, colour in TYPE_COLOURS.items()]
    legend_below(ax, 3, handles)
    finding(ax, result.sentence)
    return describe(ax, _type_text(result, len(frame) - int(positive.sum())))


def _write_parts(ax: Axes, result: RelationshipTypes) -> None:
    """Write in each corner who is there, how many, and what they bring."""
    places = {
        "large and loyal": (0.99, 0.985, "right", "top"),
        "large, not loyal": (0.01, 0.985, "left", "top"),
        "small, loyal": (0.99, 0.015, "right", "bottom"),
        "small, not loyal": (0.01, 0.015, "left", "bottom"),
    }
    for row in result.parts.to_dict("records"):
        x, y, across, upright = places[row["part"]]
        said = (
            f"{row['part']}: {percent(row['share'], 0)}\n{percent(row['volume_share'], 0)} of "
            "revenue"
        )
        ax.text(
            x, y, said, transform=ax.transAxes, ha=across, va=upright, fontsize=13, weight="bold",
            color=PALETTE["black"], bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )  # fmt: skip


def _type_text(result: RelationshipTypes, without: int) -> str:
    told = "; ".join(
        f"{row['type']} {percent(row['share'])} of the customers with "
        f"{percent(row['volume_share'])} of the revenue"
        for row in result.summary.to_dict("records")
    )
    missing = f" {counted(without, 'customer')} without revenue not drawn." if without else ""
    return (
        f"Customers by revenue a year and loyalty; large from {compact_number(result.volume_cut)}, "
        f"loyal from {result.thresholds.loyalty:g}: {told}.{missing}"
    )


def type_stability_bars(result: TypeStability, ax: Axes | None = None) -> Axes:
    """Draw the share of customers that keep their type, by type and way of halving.

    Parameters
    ----------
    result : TypeStability
        From `keycustomer.relationships.type_stability`.
    ax : Axes, optional
        Axes to draw into.
    """
    splits = list(result.moves)
    types = list(dict.fromkeys(result.each["type"]))
    ax = new_axes(ax, size=(10, 5.6))
    width = 0.8 / len(splits)
    for at, (split, colour) in enumerate(zip(splits, palette(len(splits)), strict=True)):
        own = result.each[result.each["split"] == split].set_index("type").loc[types]
        places = np.arange(len(types)) + (at - (len(splits) - 1) / 2) * width
        share = own["share"].fillna(0.0).to_numpy()
        spread = np.nan_to_num([own["share"] - own["lower"], own["upper"] - own["share"]])
        ax.bar(places, share, width * 0.92, color=colour, label=_split_words(split))
        ax.errorbar(
            places, share, yerr=np.maximum(spread, 0), fmt="none", ecolor="black", elinewidth=2
        )
        for place, row in zip(places, own.to_dict("records"), strict=True):
            said = percent(row["share"], 0) if row["customers"] else "nobody"
            colour = "white" if row["share"] > LEGIBLE_BAR else PALETTE["black"]
            ax.text(place, 0.03, said, ha="center", fontsize=13, color=colour, weight="bold")
    ax.set_xticks(range(len(types)), types)
    ax.set_ylim(0, 1.02)
    percent_axis(ax.yaxis)
    ax.set_ylabel("share with the same type again")
    ax.set_xlabel("type in the first half")
    ax.grid(visible=False, axis="x")
    legend_below(ax, len(splits))
    finding(ax, result.sentence)
    each = "; ".join(
        f"{row['split']}, {row['type']}: {percent(row['share'])} of {row['customers']:,}"
        for row in result.each.to_dict("records")
        if row["customers"]
    )
    kappas = "; ".join(f"kappa {split} {_estimate(result, split)}" for split in splits)
    return describe(ax, f"Share of customers with the same type in both halves: {each}. {kappas}.")


def _split_words(split: str) -> str:
    return {"in turn": "periods in turn (noise)", "earlier and later": "earlier and later"}[split]


def _estimate(result: TypeStability, split: str) -> str:
    own = result.of(split)
    if math.isnan(own.estimate):
        return "not defined"
    return interval_text(own.estimate, own.lower, own.upper)


def threshold_bars(result: TypeStability, ax: Axes | None = None) -> Axes:
    """Draw the shares of the types when a threshold is moved.

    Parameters
    ----------
    result : TypeStability
        From `keycustomer.relationships.type_stability`.
    ax : Axes, optional
        Axes to draw into.
    """
    rows = result.sensitivity.to_dict("records")
    names = [_threshold_name(row) for row in rows][::-1]
    ax = new_axes(ax, size=(10, 6.2))
    places = np.arange(len(rows))[::-1]
    left = np.zeros(len(rows))
    for name, colour in TYPE_COLOURS.items():
        share = np.array([row[name] for row in rows])
        ax.barh(places, share, left=left, color=colour, label=name, height=0.72)
        _write_shares(ax, places, left, share)
        left += share
    name_rows(ax, names)
    ax.set_xlim(0, 1)
    percent_axis(ax.xaxis)
    ax.set_xlabel("share of the customers")
    legend_below(ax, 3)
    moved = max(rows[1:], key=lambda row: row["changed"], default=rows[0])
    finding(
        ax,
        f"{percent(moved['changed'], 0)} of the customers change type with another threshold, "
        f"{moved['threshold']} {compact_number(moved['value'])}",
        width=title_width(ax, names),
    )
    told = "; ".join(f"{_threshold_name(row)}: {percent(row['changed'])} change" for row in rows)
    return describe(ax, f"Shares of the types by threshold: {told}.")


def _write_shares(ax: Axes, places: np.ndarray, left: np.ndarray, share: np.ndarray) -> None:
    for place, start, width in zip(places, left, share, strict=True):
        if width >= 0.07:
            at = start + width / 2
            said = percent(float(width), 0)
            ax.text(at, place, said, ha="center", va="center", fontsize=13, color="white",
                    weight="bold")  # fmt: skip


def _threshold_name(row: Mapping[Any, Any]) -> str:
    if row["threshold"] == "volume":
        return f"volume {compact_number(row['value'])} (x {row['change']:g})"
    if row["threshold"] == "loyalty":
        return f"loyalty {row['value']:.2g} ({row['change']:+g})".replace("-", "\N{MINUS SIGN}")
    return "as chosen"


def quality_part_dots(result: RelationshipQuality, ax: Axes | None = None) -> Axes:
    """Draw how reliably each part of relationship quality, and the index, is measured.

    Parameters
    ----------
    result : RelationshipQuality
        From `keycustomer.relationships.relationship_quality`.
    ax : Axes, optional
        Axes to draw into.
    """
    rows: list[dict[Any, Any]] = result.parts.to_dict("records")
    whole = result.reliability
    ends = {"reliability": whole.estimate, "lower": whole.lower, "upper": whole.upper}
    rows.append({"part": "index", "kind": "all parts"} | ends)
    names = [f"{row['part']} ({row['kind']})" for row in rows][::-1]
    ax = new_axes(ax, size=(10, max(3.8, 2.4 + 0.6 * len(rows))))
    for place, row in enumerate(rows[::-1]):
        colour = PALETTE["vermilion"] if row["kind"] == "proxy" else PALETTE["blue"]
        if math.isnan(row["reliability"]):
            ax.text(0.02, place, "not known", va="center", fontsize=13, color=PALETTE["grey"])
            continue
        ax.hlines(place, row["lower"], row["upper"], color=colour, lw=4)
        ax.plot(row["reliability"], place, "o", color=colour, ms=11)
        ax.annotate(
            f"{row['reliability']:.2f}", (row["reliability"], place), xytext=(0, 9),
            textcoords="offset points", ha="center", fontsize=13, color=colour,
        )  # fmt: skip
    ax.axvline(SUFFICIENT, color=PALETTE["grey"], lw=1.5, ls="--")
    name_rows(ax, names)
    known = [row["lower"] for row in rows if not math.isnan(row["lower"])]
    ax.set_xlim(min(0.0, *known, 0.0) - 0.02, 1.0)
    ax.set_xlabel(f"reliability, share of variance that is no noise (dashed: {SUFFICIENT})")
    finding(ax, _quality_sentence(result), width=title_width(ax, names))
    told = "; ".join(
        f"{row['part']} {interval_text(row['reliability'], row['lower'], row['upper'])}"
        for row in rows
        if not math.isnan(row["reliability"])
    )
    notes = " ".join(f"{note}." for note in result.notes)
    return describe(ax, f"Reliability of relationship quality, {told or 'not known'}. {notes}")


def _quality_sentence(result: RelationshipQuality) -> str:
    known = result.parts.dropna(subset="reliability")
    if math.isnan(result.reliability.estimate) or not len(known):
        return "How reliable relationship quality is cannot be told from these data"
    worst = known.iloc[int(known["reliability"].argmin())]
    said = f"The index is reliable to {result.reliability.estimate:.2f}"
    if len(known) > 1:
        said += f"; least is {worst['part']}, {worst['reliability']:.2f}"
    return said


def quality_prediction_dots(
    result: QualityPrediction, ax: Axes | None = None, *, outcome: str | None = None
) -> Axes:
    """Draw how far the index and its parts tell who leaves.

    Parameters
    ----------
    result : QualityPrediction
        From `keycustomer.relationships.quality_prediction`.
    ax : Axes, optional
        Axes to draw into.
    outcome : str, optional
        Which outcome; default: the first one.
    """
    chosen = result.outcomes[0] if outcome is None else outcome
    rows = result.frame[result.frame["outcome"] == chosen]
    if not len(rows):
        raise ValueError(f"outcome={outcome!r}: one of {', '.join(result.outcomes)}")
    table = rows.iloc[::-1].reset_index(drop=True)
    names = [str(name) for name in table["score"]]
    ax = new_axes(ax, size=(10, max(3.8, 2.2 + 0.55 * len(table))))
    certain = (table["lower"] > 0.5) | (table["upper"] < 0.5)
    for place, row in enumerate(table.to_dict("records")):
        colour = PALETTE["blue"] if certain.iloc[place] else PALETTE["grey"]
        ax.hlines(place, row["lower"], row["upper"], color=colour, lw=4)
        ax.plot(row["auc"], place, "o", color=colour, ms=11)
    ax.axvline(0.5, color=PALETTE["black"], lw=1.5)
    name_rows(ax, names)
    reach = float(np.nanmax(np.abs(table[["lower", "upper", "auc"]].to_numpy() - 0.5)))
    ax.set_xlim(0.5 - max(reach, 0.1) - 0.03, 0.5 + max(reach, 0.1) + 0.03)
    ax.set_xlabel("chance that the lower score is the one it happened to (0.5: tells nothing)")
    handles = [
        Patch(color=PALETTE["blue"], label="tells something for certain"),
        Patch(color=PALETTE["grey"], label="undecided"),
    ]
    legend_below(ax, 2, handles)
    index = result.of("index", chosen)
    finding(ax, f"{_telling(chosen, index)}: {index.estimate:.2f}", width=title_width(ax, names))
    told = "; ".join(
        f"{row['score']} {interval_text(row['auc'], row['lower'], row['upper'])}"
        for row in rows.to_dict("records")
    )
    cases = int(rows["cases"].iloc[0])
    return describe(
        ax,
        f"Area under the curve for {chosen}, {cases:,} of "
        f"{counted(int(rows['customers'].iloc[0]), 'customer')} until {result.until}: {told}.",
    )


def _telling(outcome: str, index: Any) -> str:
    verb = {"left": "leaves", "bought nothing": "buys nothing", "bought less": "buys less"}[outcome]
    if index.lower > 0.5:
        strength = "a little" if index.estimate < MODERATE else "fairly well"
        return f"Relationship quality tells {strength} who {verb}"
    if index.upper < 0.5:
        return f"Those with the better index are the ones of whom more {outcome}"
    return f"Relationship quality is not shown to tell who {verb}"


def promise_dots(result: ServiceKept, ax: Axes | None = None) -> Axes:
    """Draw how far each promise is kept, tier by tier.

    Parameters
    ----------
    result : ServiceKept
        From `keycustomer.relationships.check_service_rules`.
    ax : Axes, optional
        Axes to draw into.
    """
    tiers = list(dict.fromkeys(result.frame["tier"]))[::-1]
    promises = list(dict.fromkeys(result.frame["promise"]))
    ax = new_axes(ax, size=(10, max(4.6, 2.4 + 0.85 * len(tiers))))
    offsets = np.linspace(0.27, -0.27, len(promises)) if len(promises) > 1 else np.zeros(1)
    colours = dict(zip(promises, palette(len(promises)), strict=True))
    for promise, offset, marker in zip(promises, offsets, "osD^", strict=False):
        rows = result.frame[result.frame["promise"] == promise].dropna(subset="share")
        at = [tiers.index(tier) + offset for tier in rows["tier"]]
        ax.hlines(at, rows["lower"], rows["upper"], color=colours[promise], lw=3)
        ax.plot(rows["share"], at, marker, color=colours[promise], ms=10, label=promise)
    labels = [escape_label(shorten(tier, LONGEST_NAME)) for tier in tiers]
    name_rows(ax, labels)
    ax.set_xlim(-0.02, 1.02)
    percent_axis(ax.xaxis)
    ax.set_xlabel("promises kept, share of complaints or customers")
    legend_below(ax, 2)
    finding(ax, _promise_sentence(result.frame), width=title_width(ax, labels))
    told = "; ".join(
        f"{row['tier']}, {row['promise']} ({row['promised']}): "
        f"{interval_text(row['share'], row['lower'], row['upper'])}"
        for row in result.frame.dropna(subset="share").to_dict("records")
    )
    return describe(ax, f"Share of promises kept by tier: {told}.")


def _promise_sentence(frame: pd.DataFrame) -> str:
    known = frame.dropna(subset="share")
    if not len(known):
        return "No promise to any tier can be checked with these records"
    means: Sequence[tuple[str, float]] = [
        (tier, float(own["share"].mean()))
        for tier, own in ((t, known[known["tier"] == t]) for t in dict.fromkeys(known["tier"]))
    ]
    worst = min(means, key=lambda pair: pair[1])
    named = names_in_words([worst[0]])
    return f"Fewest promises are kept to {named}: {percent(worst[1], 0)} on average"

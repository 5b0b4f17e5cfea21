"""Figures of choice models: what levels are worth, to whom, and how near estimates come to truth.

:func:`worth_dots` draws willingness to pay by level with intervals, groups side by side;
:func:`worth_spread_dots` how far the worths of single respondents lie apart in a mixed logit;
:func:`worth_error_dots` the errors in many simulated companies; :func:`choice_share_dots` predicted
against actual shares of choices that were left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import interval_text, name_rows, short_names, shorten
from keycustomer.plots.legends import legend_below
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
from keycustomer.plots.words import capital, made_up

if TYPE_CHECKING:
    from keycustomer.pricing.choice.held_out import HeldOutChoices
    from keycustomer.pricing.choice.known_worths import WorthRecovery
    from keycustomer.pricing.choice.mixed import MixedLogitModel
    from keycustomer.pricing.choice.worth import WillingnessToPay

LONGEST_NAME = 34
"""Letters of a name at an axis."""

LONGEST_GROUP = 28
"""Letters of a group in the legend."""

MOST_GROUPS = 4
"""Groups that can be told apart in one figure."""

MARKS = ("o", "s", "D", "^")
"""Marks of the groups."""


def worth_dots(
    result: WillingnessToPay,
    ax: Axes | None = None,
    *,
    groups: Sequence[str] | None = None,
    truth: pd.DataFrame | None = None,
) -> Axes:
    """Draw what every level is worth, with intervals.

    Parameters
    ----------
    result : WillingnessToPay
        From `keycustomer.pricing.willingness_to_pay`.
    ax : Axes, optional
        Axes to draw into.
    groups : sequence of str, optional
        Groups to draw side by side, up to four; default: the first, of all respondents.
    truth : DataFrame, optional
        True worths where they are known: group, attribute, level, truth.

    Raises
    ------
    ValueError
        When there are too many groups, or one is not there.
    """
    shown = shown_groups(result.groups, groups)
    tables = [result.of_group(name) for name in shown]
    labels, called = _level_names(tables[0]), short_names(shown, LONGEST_GROUP)
    height = 2.4 + (0.5 + 0.18 * (len(shown) - 1)) * len(labels)
    ax = new_axes(ax, size=(10, max(4.0, height)))
    for number, (name, rows) in enumerate(zip(shown, tables, strict=True)):
        place = np.arange(len(rows))[::-1] + row_shift(number, len(shown))
        _dots(ax, place, rows, palette()[number], MARKS[number], called[name])
        if truth is not None:
            own = truth[truth["group"] == name].set_index(["attribute", "level"])["truth"]
            known = own.reindex(pd.MultiIndex.from_frame(rows[["attribute", "level"]]))
            _truth_marks(ax, place, known.to_numpy(dtype=float), len(shown))
    ax.axvline(0, color=PALETTE["grey"], lw=1.5, ls="--")
    name_rows(ax, labels[::-1])
    unit = f", {result.currency}" if result.currency else ""
    ax.set_xlabel(escape_label(f"willingness to pay{unit} ({percent(result.level, 0)} interval)"))
    if len(shown) > 1 or truth is not None:
        legend_below(ax, columns=2 if max(map(len, called.values())) > LONGEST_GROUP / 2 else 3)
    finding(ax, _worth_sentence(result, shown, tables), width=title_width(ax, labels))
    return describe(ax, f"Willingness to pay{unit}: {_told(shown, tables)}.")


def _worth_sentence(
    result: WillingnessToPay, groups: Sequence[str], tables: Sequence[pd.DataFrame]
) -> str:
    """Tell the largest worth of one group, or where several differ most."""
    worth = np.array([rows["willingness_to_pay"] for rows in tables], dtype=float)
    gap = worth.max(axis=0) - worth.min(axis=0)
    if len(groups) == 1 or not np.isfinite(gap).any():
        return result.sentence_of(groups[0])
    place = int(np.nanargmax(gap))
    most, least = (groups[int(find(worth[:, place]))] for find in (np.argmax, np.argmin))
    called = short_names(groups, LONGEST_GROUP)
    unit = f" {result.currency}" if result.currency else ""
    return (
        f"{made_up(result)}{_what(tables[0].iloc[place])} is worth "
        f"{worth[:, place].max():.1f}{unit} to {called[most]}, "
        f"{worth[:, place].min():.1f} to {called[least]}"
    )


def _what(row: pd.Series) -> str:
    """Name a level in a sentence."""
    name = shorten(str(row["attribute"]).replace("_", " "), 26)
    return f"one more of {name}" if row["level"] == "one more" else f"{row['level']} ({name})"


def shown_groups(known: Sequence[str], groups: Sequence[str] | None) -> list[str]:
    """Give the groups to draw side by side: those asked for, or else the first.

    Raises
    ------
    ValueError
        When there are too many to be told apart, or none.
    """
    shown = list(known[:1] if groups is None else groups)
    if not 1 <= len(shown) <= MOST_GROUPS:
        raise ValueError(f"groups={shown!r}: give one to {MOST_GROUPS} of {known}")
    return shown


def row_shift(number: int, groups: int) -> float:
    """Give how far above its row a group is drawn, so that groups do not hide one another."""
    return 0.0 if groups == 1 else 0.3 - 0.6 * number / (groups - 1)


def _dots(
    ax: Axes, place: np.ndarray, rows: pd.DataFrame, colour: str, mark: str, label: str
) -> None:
    known = rows["willingness_to_pay"].notna().to_numpy()
    bounded = known & np.isfinite(rows[["lower", "upper"]].to_numpy()).all(axis=1)
    ends = rows[bounded]
    ax.hlines(place[bounded], ends["lower"], ends["upper"], color=colour, lw=3)
    ax.plot(
        rows["willingness_to_pay"][known],
        place[known],
        mark,
        color=colour,
        ms=9,
        label=escape_label(label),
    )


def _truth_marks(ax: Axes, place: np.ndarray, known: np.ndarray, groups: int) -> None:
    there = np.isfinite(known)
    half = 0.25 if groups == 1 else min(0.25, 0.3 / (groups - 1))
    said = "truth (simulated)"
    ax.vlines(
        known[there],
        place[there] - half,
        place[there] + half,
        color="black",
        lw=2.5,
        label="" if said in ax.get_legend_handles_labels()[1] else said,
        zorder=3,
    )


def _level_names(rows: pd.DataFrame) -> list[str]:
    """Attribute and level of each row, for its label."""
    told = [
        str(a) if level == "one more" else f"{a}: {level}"
        for a, level in zip(rows["attribute"], rows["level"], strict=True)
    ]
    short = short_names(told, LONGEST_NAME)
    return [escape_label(short[name].replace("_", " ")) for name in told]


def _told(groups: Sequence[str], tables: Sequence[pd.DataFrame]) -> str:
    parts = []
    for name, rows in zip(groups, tables, strict=True):
        said = ", ".join(
            f"{row['attribute']} {row['level']} "
            + interval_text(row["willingness_to_pay"], row["lower"], row["upper"])
            for _, row in rows.dropna(subset="willingness_to_pay").iterrows()
        )
        parts.append(f"{name}: {said or 'not defined'}")
    return "; ".join(parts)


def worth_spread_dots(result: MixedLogitModel, ax: Axes | None = None) -> Axes:
    """Draw how far the worths of respondents lie apart, by a mixed logit.

    The thin bar holds the middle nine tenths of the estimated distribution, the thick one the
    interval of the mean.

    Parameters
    ----------
    result : MixedLogitModel
        From `keycustomer.pricing.fit_mixed_logit`.
    ax : Axes, optional
        Axes to draw into.
    """
    rows = result.worths
    labels = _level_names(rows)
    ax = new_axes(ax, size=(10, max(4.0, 2.4 + 0.55 * len(rows))))
    place = np.arange(len(rows))[::-1]
    mean, reach = rows["willingness_to_pay"], 1.645 * rows["spread"]
    blue = PALETTE["blue"]
    ax.hlines(
        place, mean - reach, mean + reach, color=PALETTE["sky"], lw=3, label="nine in ten of all"
    )
    ax.hlines(place, rows["lower"], rows["upper"], color=blue, lw=8, label="mean, its interval")
    ax.plot(mean, place, "o", color="white", mec=blue, mew=2, ms=9)
    ax.axvline(0, color=PALETTE["grey"], lw=1.5, ls="--")
    name_rows(ax, labels[::-1])
    unit = f", {result.data.currency}" if result.data.currency else ""
    ax.set_xlabel(escape_label(f"willingness to pay{unit}"))
    legend_below(ax, columns=2)
    finding(ax, _spread_sentence(result, rows), width=title_width(ax, labels))
    said = "; ".join(
        f"{row['attribute']} {row['level']} mean {row['willingness_to_pay']:.2f}, standard "
        f"deviation {row['spread']:.2f}, above zero for {percent(row['share_above_zero'], 0)}"
        for _, row in rows.iterrows()
    )
    return describe(ax, f"Worths over respondents{unit}, {result.draws} draws: {said}.")


def _spread_sentence(result: MixedLogitModel, rows: pd.DataFrame) -> str:
    widest = rows.iloc[int(rows["spread"].to_numpy().argmax())]
    return capital(
        f"{made_up(result.data)}respondents differ most about {shorten(_what(widest), 40)}: "
        f"{percent(widest['share_above_zero'], 0)} would pay for it"
    )


def worth_error_dots(result: WorthRecovery, ax: Axes | None = None) -> Axes:
    """Draw the errors of estimated worths in many simulated companies.

    Parameters
    ----------
    result : WorthRecovery
        From `keycustomer.pricing.worth_recovery`.
    ax : Axes, optional
        Axes to draw into.
    """
    kind = result.frame["group"].where(result.frame["group"] == "all", "segment")
    frame = result.frame.assign(kind=kind).dropna(subset="willingness_to_pay")
    frame["error"] = frame["willingness_to_pay"] - frame["truth"]
    summary = result.summary
    ax = new_axes(ax, size=(10, max(3.8, 2.4 + 0.9 * len(summary))))
    labels = []
    for place, row in enumerate(summary.iloc[::-1].to_dict("records")):
        own = frame[(frame["method"] == row["method"]) & (frame["kind"] == row["group"])]
        low, high = np.quantile(own["error"], [0.05, 0.95])
        ax.hlines(place, low, high, color=PALETTE["sky"], lw=10)
        ax.vlines(row["mean_error"], place - 0.3, place + 0.3, color=PALETTE["blue"], lw=5)
        whose = "all together" if row["group"] == "all" else "by segment"
        labels.append(f"{row['method']}, {whose}")
    ax.axvline(0, color="black", lw=2)
    name_rows(ax, labels)
    ax.set_xlabel("estimated less true worth, EUR a month\n(bar: nine in ten, line: mean error)")
    worst = summary.iloc[int(summary["coverage"].to_numpy().argmin())]
    finding(
        ax,
        f"Simulated, {result.companies} companies: at least {percent(worst['coverage'], 0)} of the "
        f"{percent(result.level, 0)} intervals hold the true worth",
        width=title_width(ax, labels),
    )
    said = "; ".join(
        f"{row['method']} ({row['group']}) mean error {row['mean_error']:.2f}, root mean square "
        f"{row['root_mean_square_error']:.2f}, coverage {percent(row['coverage'], 0)}"
        for row in summary.to_dict("records")
    )
    return describe(ax, f"Errors of worths in {result.companies} simulated companies: {said}.")


def choice_share_dots(result: HeldOutChoices, ax: Axes | None = None) -> Axes:
    """Draw predicted against actual shares of the alternatives in choices that were left out.

    Parameters
    ----------
    result : HeldOutChoices
        From `keycustomer.pricing.held_out_choices`.
    ax : Axes, optional
        Axes to draw into.
    """
    rows = result.shares
    labels = [escape_label(shorten(name, LONGEST_NAME)) for name in rows["alternative"]]
    ax = new_axes(ax, size=(10, max(3.8, 2.4 + 0.5 * len(rows))))
    place = np.arange(len(rows))[::-1]
    ax.hlines(place, rows["actual"], rows["predicted"], color=PALETTE["light grey"], lw=3)
    ax.plot(rows["actual"], place, "o", color=PALETTE["black"], ms=11, label="chosen")
    ax.plot(rows["predicted"], place, "D", color=PALETTE["orange"], ms=8, label="predicted")
    name_rows(ax, labels[::-1])
    ax.set_xlim(left=0)
    ax.set_ylabel("alternative")
    percent_axis(ax.xaxis)
    ax.set_xlabel(f"share of the choices of {result.unit} left out")
    legend_below(ax, columns=2)
    finding(
        ax,
        f"{made_up(result)}{percent(result.hit_rate, 0)} of unseen choices named right; guessing "
        f"names {percent(result.guess_rate, 0)}",
        width=title_width(ax, labels),
    )
    said = "; ".join(
        f"{row['alternative']} chosen {percent(row['actual'])}, predicted "
        f"{percent(row['predicted'])}"
        for row in rows.to_dict("records")
    )
    return describe(ax, f"Shares of the alternatives in choices left out: {said}.")

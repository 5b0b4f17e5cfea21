"""Figures of Kano classes: what customers say, what their satisfaction does, where that differs.

:func:`kano_bars` shows the answers of each attribute by class, :func:`better_worse_map` how far it
satisfies and dissatisfies, :func:`kano_plane` the same by continuous scores, :func:`contrast_bars`
penalties and rewards, :func:`kano_methods` the classes by method.  Each class has a colour and a
mark of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from keycustomer.plots.audit import title_width
from keycustomer.plots.labels import name_points, names_in_words, shorten
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
    from keycustomer.dimensions.kano.classification import KanoClasses
    from keycustomer.dimensions.kano.continuous import ContinuousKano
    from keycustomer.dimensions.kano.contrasts import PenaltyReward
    from keycustomer.dimensions.kano.disagreement import KanoDisagreement

NAMES = {
    "M": "must-be",
    "O": "one-dimensional",
    "A": "attractive",
    "I": "indifferent",
    "R": "reverse",
    "Q": "questionable",
}
"""Names of the classes by letter."""

COLOURS = {
    "M": PALETTE["vermilion"],
    "O": PALETTE["blue"],
    "A": PALETTE["green"],
    "I": "#8C8C8C",
    "R": PALETTE["purple"],
    "Q": PALETTE["black"],
    "": PALETTE["light grey"],
}
"""Colours of the classes; none has the empty letter."""

MARKS = {"M": "s", "O": "o", "A": "^", "I": "D", "R": "v", "Q": "X", "": "."}
"""Marks of the classes, for who cannot tell the colours."""

ROW = 0.48
"""Height of a row of a bar chart in inches."""

LEAST_WRITTEN = 0.07
"""Share of a bar from which its letter is written into it."""

LONGEST = 26
"""Letters of an attribute's name at an axis."""


def kano_bars(result: KanoClasses, ax: Axes | None = None, *, group: str = "") -> Axes:
    """Draw the share of each class in the answers, one bar an attribute.

    Parameters
    ----------
    result : KanoClasses
        From `keycustomer.dimensions.classify_kano`.
    ax : Axes, optional
        Axes to draw into.
    group : str
        Group whose answers are drawn; empty for all respondents.
    """
    frame = _answered(result.of_group(group))
    letters = list(NAMES)
    frame = frame.assign(place=frame["kano_class"].map(letters.index))
    frame = frame.sort_values(["place", "category_strength"], ascending=[False, True])
    ax = new_axes(ax, size=(10, max(4.4, 2.4 + ROW * len(frame))))
    shares = frame[letters].div(frame["n"], axis=0).to_numpy()
    starts = np.cumsum(shares, axis=1) - shares
    for column, letter in enumerate(letters):
        ax.barh(
            range(len(frame)),
            shares[:, column],
            left=starts[:, column],
            color=COLOURS[letter],
            edgecolor="white",
            label=NAMES[letter],
        )
    for (row, column), share in np.ndenumerate(shares):
        if share >= LEAST_WRITTEN:
            middle = starts[row, column] + share / 2
            ax.text(middle, row, letters[column], color="white", weight="bold", **_CENTRED)
    labels = _named_rows(ax, frame["attribute"])
    ax.set_xlim(0, 1)
    percent_axis(ax.xaxis)
    who = f" in {escape_label(group, 24)}" if group else ""
    ax.set_xlabel(f"Share of the answers{who}")
    ax.grid(visible=False, axis="y")
    used = [n for n, letter in enumerate(letters) if shares[:, n].any()]
    handles, _ = ax.get_legend_handles_labels()
    legend_below(ax, 3, [handles[n] for n in used])
    sure, unsure = frame[frame["p_value"] < 0.05], frame[~(frame["p_value"] < 0.05)]
    sentence = (
        f"{len(sure)} of {len(frame)} attributes have one clear class"
        if len(unsure)
        else f"All {len(frame)} attributes have one clear class"
    )
    if len(unsure):
        sentence += f"; open: {names_in_words(unsure['attribute'][::-1])}"
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['attribute']} {NAMES[row['kano_class']]} "
        f"({percent(row[row['kano_class']] / row['n'], 0)} of {row['n']:,})"
        for row in frame[::-1].to_dict("records")
    )
    return describe(ax, f"Bars of the Kano classes by attribute{who}: {told}. {sentence}.")


def better_worse_map(result: KanoClasses, ax: Axes | None = None, *, group: str = "") -> Axes:
    """Draw how far each attribute satisfies against how far its absence dissatisfies.

    Parameters
    ----------
    result : KanoClasses
        From `keycustomer.dimensions.classify_kano`.
    ax : Axes, optional
        Axes to draw into.
    group : str
        Group whose answers are drawn; empty for all respondents.
    """
    frame = result.of_group(group).dropna(subset=["better"]).reset_index(drop=True)
    if frame.empty:
        raise ValueError(
            "no attribute has an answer of class M, O, A or I: there is nothing to draw"
        )
    ax = new_axes(ax, size=(10, 8))
    x, y = -frame["worse"], frame["better"]
    ends = (-frame["worse_upper"], -frame["worse_lower"], frame["better_lower"])
    _crosses(ax, x, y, (*ends, frame["better_upper"]), frame["kano_class"])
    ax.set_xlim(-0.06, 1.06)
    ax.set_ylim(-0.09, 1.09)
    _quadrants(ax, 0.5, 0.5)
    percent_axis(ax.xaxis)
    percent_axis(ax.yaxis)
    ax.set_xlabel("Dissatisfied without it (share, Worse)")
    ax.set_ylabel("Satisfied with it (share, Better)")
    _class_key(ax, frame["kano_class"])
    most, worst = frame.iloc[int(y.argmax())], frame.iloc[int(x.argmax())]
    sentence = (
        f"{shorten(most['attribute'], 30)} satisfies most ({percent(most['better'], 0)}); "
        f"{shorten(worst['attribute'], 30)} is missed most ({percent(-worst['worse'], 0)})"
    )
    finding(ax, sentence)
    _label(ax, x, y, frame)
    told = "; ".join(
        f"{row['attribute']} Better {percent(row['better'], 0)}, Worse {percent(row['worse'], 0)} "
        f"({NAMES[row['kano_class']]})"
        for row in frame.to_dict("records")
    )
    return describe(
        ax, f"Map of attributes by Better and Worse with {result.level:.0%} intervals: {told}."
    )


def kano_plane(result: ContinuousKano, ax: Axes | None = None) -> Axes:
    """Draw attributes in DuMouchel's plane, with intervals; larger marks are stated important.

    Parameters
    ----------
    result : ContinuousKano
        From `keycustomer.dimensions.continuous_kano`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.overall.dropna(subset=["satisfaction"]).reset_index(drop=True)
    if frame.empty:
        raise ValueError("no attribute was answered: there is nothing to draw")
    ax = new_axes(ax, size=(10, 8))
    x, y = frame["dissatisfaction"], frame["satisfaction"]
    ends = tuple(
        frame[f"{score}_{end}"].fillna(frame[score])
        for score in ("dissatisfaction", "satisfaction")
        for end in ("lower", "upper")
    )
    _crosses(ax, x, y, ends, frame["kano_class"], _sizes(frame["importance"]))
    low = min(-0.3, float(min(ends[0].min(), ends[2].min())) - 0.3)
    ax.set_xlim(low, 4.3)
    ax.set_ylim(low, 4.3)
    _quadrants(ax, 2, 2)
    ax.set_xlabel("Dissatisfaction when it is missing (mean score, 4 most)")
    ax.set_ylabel("Satisfaction when it is there (mean score)")
    _class_key(ax, frame["kano_class"])
    unsure = frame[frame["stability"] < 0.95]
    n = len(frame)
    sentence = (
        f"Resampling moves over a border: {names_in_words(unsure['attribute'])}"
        if len(unsure)
        else f"All {n} attributes keep their class in at least 95 % of the resamples"
    )
    finding(ax, sentence)
    _label(ax, x, y, frame)
    told = "; ".join(
        f"{row['attribute']} ({row['dissatisfaction']:.1f}, {row['satisfaction']:.1f}) "
        f"{NAMES[row['kano_class']]}"
        for row in frame.to_dict("records")
    )
    return describe(
        ax,
        "Attributes by mean dissatisfaction when missing and mean satisfaction when there: "
        f"{told}. {sentence}.",
    )


def contrast_bars(result: PenaltyReward, ax: Axes | None = None) -> Axes:
    """Draw the penalty and the reward of each attribute with intervals.

    Parameters
    ----------
    result : PenaltyReward
        From `keycustomer.dimensions.penalty_reward`.
    ax : Axes, optional
        Axes to draw into.
    """
    frame = result.frame.sort_values("range", ignore_index=True)
    ax = new_axes(ax, size=(10, max(4.4, 2.4 + ROW * 1.2 * len(frame))))
    for measure, colour, mark, shift, label in (
        ("penalty", PALETTE["vermilion"], "s", -0.14, "penalty: low against middle performance"),
        ("reward", PALETTE["blue"], "o", 0.14, "reward: high against middle performance"),
    ):
        places = np.arange(len(frame)) + shift
        ax.hlines(places, frame[f"{measure}_lower"], frame[f"{measure}_upper"], color=colour, lw=3)
        ax.plot(frame[measure], places, mark, color=colour, ms=10, label=label)
    ax.axvline(0, color=PALETTE["grey"], lw=1.5)
    letters = frame["kano_class"].where(frame["kano_class"] != "", "?")
    names = [f"{n} ({c})" for n, c in zip(_short(frame["attribute"]), letters, strict=True)]
    labels = _named_rows(ax, names, longest=LONGEST + 4)
    ax.set_xlabel(f"Change of {escape_label(result.outcome, 30)}")
    legend_below(ax)
    bent = frame[(frame["beyond_linear_lower"] > 0) | (frame["beyond_linear_upper"] < 0)]
    sentence = (
        f"Beyond what straight lines show, asymmetric: {names_in_words(bent['attribute'][::-1])}"
        if len(bent)
        else "No attribute is more asymmetric than straight lines and the cut-offs make it seem"
    )
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['attribute']} penalty {_signed(row['penalty'])}, reward {_signed(row['reward'])}"
        for row in frame[::-1].to_dict("records")
    )
    return describe(
        ax,
        f"Penalty and reward of each attribute on {result.outcome}, {result.n:,} respondents, "
        f"with {result.level:.0%} intervals: {told}. {sentence}.",
    )


def kano_methods(result: KanoDisagreement, ax: Axes | None = None) -> Axes:
    """Draw the class of each attribute by each method, and the truth where it is known.

    Parameters
    ----------
    result : KanoDisagreement
        From `keycustomer.dimensions.compare_kano_methods`.
    ax : Axes, optional
        Axes to draw into.
    """
    columns = [*result.methods, *(["truth"] if "truth" in result.frame else [])]
    frame = result.frame.iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(max(8.0, 3.2 + 1.7 * len(columns)), 2.4 + ROW * len(frame)))
    for column, name in enumerate(columns):
        for row, letter in enumerate(frame[name]):
            ax.add_patch(
                Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, color=COLOURS[letter], lw=0)
            )
            ax.text(column, row, letter, color="white", weight="bold", **_CENTRED)
    names = [
        f"{shorten(name, 20)}{'' if agree else ' *'}"
        for name, agree in zip(frame["attribute"], frame["agree"], strict=True)
    ]
    labels = _named_rows(ax, names)
    ax.set_xlim(-0.55, len(columns) - 0.45)
    ax.set_xticks(range(len(columns)), [escape_label(shorten(c, 14)) for c in columns])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_xlabel(
        "M must-be, O one-dimensional, A attractive,\nI indifferent; * disputed", labelpad=10
    )
    n, disputed = len(frame), len(result.disputed)
    sentence = (
        f"{len(result.methods)} methods dispute {disputed} of {n} attributes"
        if disputed
        else f"{len(result.methods)} methods agree on all {n} attributes"
    )
    if len(result.right):
        most = int(result.right["right"].max())
        best = result.right.loc[result.right["right"] == most, "method"]
        sentence += (
            f"; each is right {most} times"
            if len(best) == len(result.right)
            else f"; nearest the truth: {' and '.join(best)} ({most} right)"
        )
    finding(ax, sentence, width=title_width(ax, labels))
    told = "; ".join(
        f"{row['attribute']}: " + ", ".join(f"{c} {row[c] or 'none'}" for c in columns)
        for row in frame[::-1].to_dict("records")
    )
    return describe(ax, f"Table of Kano classes by method. {told}. {sentence}.")


_CENTRED: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 14}


def _answered(frame: pd.DataFrame) -> pd.DataFrame:
    chosen = frame[frame["n"] > 0]
    if chosen.empty:
        raise ValueError("no attribute was answered: there is nothing to draw")
    return chosen


def _short(names: Iterable[object]) -> list[str]:
    return [shorten(name, LONGEST) for name in names]


def _named_rows(ax: Axes, names: Iterable[object], longest: int = LONGEST) -> list[str]:
    labels = [escape_label(shorten(name, longest)) for name in names]
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(-0.6, len(labels) - 0.4)
    return labels


def _crosses(
    ax: Axes,
    x: pd.Series,
    y: pd.Series,
    ends: tuple[pd.Series, ...],
    classes: pd.Series,
    sizes: np.ndarray | None = None,
) -> None:
    """Draw points with horizontal and vertical intervals, marked by class."""
    size = np.full(len(x), 150.0) if sizes is None else sizes
    left, right, below, above = ends
    for row, letter in enumerate(classes):
        look: dict[str, Any] = {"color": COLOURS[letter], "lw": 2, "alpha": 0.55}
        ax.plot([left.iloc[row], right.iloc[row]], [y.iloc[row]] * 2, **look)
        ax.plot([x.iloc[row]] * 2, [below.iloc[row], above.iloc[row]], **look)
        ax.scatter(x.iloc[row], y.iloc[row], s=size[row], c=COLOURS[letter], marker=MARKS[letter])


def _sizes(importance: pd.Series) -> np.ndarray:
    """Areas of the marks, from 60 for the least important to 320."""
    low, high = importance.min(), importance.max()
    if not high > low:
        return np.full(len(importance), 150.0)
    return (60 + 260 * (importance.fillna(low) - low) / (high - low)).to_numpy()


def _quadrants(ax: Axes, x: float, y: float) -> None:
    """Cut the map into four and name the corners."""
    ax.axvline(x, color=PALETTE["grey"], lw=1.5, ls="--")
    ax.axhline(y, color=PALETTE["grey"], lw=1.5, ls="--")
    for letter, (across, up) in {"A": (0, 1), "O": (1, 1), "I": (0, 0), "M": (1, 0)}.items():
        ax.annotate(
            NAMES[letter].upper(),
            (across, up),
            xycoords="axes fraction",
            xytext=(8 - 16 * across, 8 - 16 * up),
            textcoords="offset points",
            ha="right" if across else "left",
            va="top" if up else "bottom",
            fontsize=13,
            color=PALETTE["grey"],
        )


def _class_key(ax: Axes, classes: pd.Series) -> None:
    handles = [
        Line2D([], [], color=COLOURS[k], marker=MARKS[k], ls="", ms=10, label=NAMES[k])
        for k in NAMES
        if (classes == k).any()
    ]
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.11), ncols=len(handles))


def _label(ax: Axes, x: pd.Series, y: pd.Series, frame: pd.DataFrame) -> None:
    name_points(ax, x, y, list(frame["attribute"]))


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")

"""Figures of validation: how far a lifetime model can be trusted.

Does the model follow what came after it was fitted?  :func:`tracking_curve` draws expected and
actual repeat purchases over time, :func:`expected_by_group` groups of customers with alike
histories, :func:`calibration_curve` groups by prediction, :func:`capture_curve` the share of later
purchases that each prediction finds among its top customers, :func:`score_bars` one score of
every model and baseline with intervals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from keycustomer.plots.audit import counted, title_width
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

if TYPE_CHECKING:
    from keycustomer.lifetime.validation.calibration import GroupedPurchases, Tracking
    from keycustomer.lifetime.validation.scores import HoldoutScores
    from keycustomer.stats import Estimate

COUNT = "same count again"
"""The baseline that titles name."""

COLOURS = [PALETTE[name] for name in ("blue", "vermilion", "green", "purple", "black")]
"""Colours of models in their order; a sixth model begins again with another line."""

DASHES = ("-", "--", "-.", ":")
"""Lines of models in their order: models that agree hide each other otherwise."""

MARKERS = ("o", "s", "^", "D", "v")

BASELINE_LOOKS: dict[str, dict[str, Any]] = {
    "same count again": {"color": PALETTE["orange"], "ls": (0, (4, 1.5)), "marker": "P"},
    "same rate": {"color": PALETTE["sky"], "ls": (0, (1, 1)), "marker": "X"},
    "everybody zero": {"color": PALETTE["grey"], "ls": ":", "marker": "_"},
    "perfect foresight": {"color": PALETTE["grey"], "ls": "-", "marker": "*"},
}
"""Looks of what needs no model."""

NO_PURCHASES = "Nobody bought in the holdout period: there is nothing to score"

SHARES = ("capture", "total_ratio")
"""Scores written in percent."""

HOLDOUT_MEAN = "Mean holdout purchases (root scale)"

MEASURE_NAMES = {
    "rmse": "Root mean squared error (purchases per customer)",
    "mae": "Mean absolute error (purchases per customer)",
    "total_ratio": "Predicted purchases as a share of the actual ones",
    "correlation": "Correlation of predicted and actual purchases",
    "capture": "Share of holdout purchases held",
}
"""What each score is called on an axis."""


def _looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour, line and marker of every predictor."""
    looks = {}
    models = [name for name in names if name not in BASELINE_LOOKS]
    for n, name in enumerate(models):
        looks[name] = {
            "color": COLOURS[n % len(COLOURS)],
            "ls": DASHES[n % len(DASHES)],
            "marker": MARKERS[n % len(MARKERS)],
        }
    return {name: looks.get(name) or BASELINE_LOOKS[name] for name in names}


def tracking_curve(result: Tracking, ax: Axes | None = None, *, cumulative: bool = False) -> Axes:
    """Draw actual and expected repeat purchases over time.

    Parameters
    ----------
    result : Tracking
        From `keycustomer.lifetime.tracking`.
    ax : Axes, optional
        Axes to draw into.
    cumulative : bool
        Whether to draw the sums from the first day on, or each period on its own.
    """
    ax = new_axes(ax)
    first = result.of(result.models[0])
    # a period cut off would look like a fall
    shown = first if cumulative else first[first["complete"]]
    prefix = "cumulative_" if cumulative else ""
    ax.plot(
        shown["end"],
        shown[f"{prefix}actual"],
        color=PALETTE["black"],
        lw=3.5 if cumulative else 2,
        marker=None if cumulative else "o",
        ms=5,
        label="actual",
    )
    for name, look in _looks(result.models).items():
        rows = result.of(name).loc[shown.index]
        line = {key: look[key] for key in ("color", "ls")}
        ax.plot(rows["end"], rows[f"{prefix}expected"], lw=3.5, label=escape_label(name), **line)
    # room for what stands beside the border between the periods
    ax.set_ylim(0, 1.12 * ax.get_ylim()[1])
    _mark_the_split(ax, result)
    number_axis(ax.yaxis)
    places = AutoDateLocator(minticks=3, maxticks=7)
    ax.xaxis.set_major_locator(places)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(places))
    ax.set_ylabel(f"Repeat purchases {'so far' if cumulative else f'per {result.every}'}")
    ax.set_xlabel("Day")
    ax.legend(loc="lower right" if cumulative else "best")
    finding(ax, _tracking_sentence(result))
    return describe(ax, _tracking_description(result, first))


def _mark_the_split(ax: Axes, result: Tracking) -> None:
    ax.axvline(_number(result.split), color=PALETTE["grey"], ls="--", lw=1.5)
    for text, side, align in (("fitted", -8, "right"), ("foretold", 8, "left")):
        ax.annotate(
            text,
            (_number(result.split), 1),
            xycoords=("data", "axes fraction"),
            xytext=(side, -4),
            textcoords="offset points",
            ha=align,
            va="top",
            fontsize=15,
            color=PALETTE["grey"],
        )


def _number(day: pd.Timestamp) -> float:
    """Place of a day on an axis of dates."""
    return float(date2num(day))


def _tracking_sentence(result: Tracking) -> str:
    best = result.ratios.iloc[(result.ratios["holdout"] - 1).abs().argsort()[:1]]
    name, ratio = best["model"].iloc[0], best["holdout"].iloc[0]
    if not math.isfinite(ratio):
        return "Nobody bought after the model was fitted"
    off = percent(abs(ratio - 1))
    if off == percent(0):
        return f"{name} foretold as many repeat purchases as came"
    who = f"{name}, the closest model," if len(result.models) > 1 else name
    return f"{who} foretold {off} {'more' if ratio > 1 else 'fewer'} repeat purchases than came"


def _tracking_description(result: Tracking, first: pd.DataFrame) -> str:
    told = "; ".join(
        f"{row['model']} expected {_ratio(row['calibration'])} of the actual repeat purchases in "
        f"the calibration period and {_ratio(row['holdout'])} after it"
        for row in result.ratios.to_dict("records")
    )
    return (
        f"Actual and expected repeat purchases per {result.every} from "
        f"{first['start'].iloc[0]:%Y-%m-%d} to {first['end'].iloc[-1]:%Y-%m-%d}, "
        f"{first['cumulative_actual'].iloc[-1]:,.0f} in all; models fitted up to "
        f"{result.split:%Y-%m-%d}. {told}."
    )


def _ratio(value: float) -> str:
    return percent(value) if math.isfinite(value) else "an unknown share"


def expected_by_group(result: GroupedPurchases, ax: Axes | None = None) -> Axes:
    """Draw what groups of customers bought beside what was expected of them.

    Parameters
    ----------
    result : GroupedPurchases
        From `keycustomer.lifetime.conditional_expectation`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    first = result.of(result.predictors[0])
    places = np.arange(len(first))
    looks = _looks(result.predictors)
    for n, (name, look) in enumerate(looks.items()):
        # to the left and right of the actual value in turn; lines from one group to the next
        # would seem to lie above or below it
        aside = 0.16 * (1 + n // 2) * (1 if n % 2 else -1)
        spots = {"color": look["color"], "marker": look["marker"], "ms": 11, "ls": ""}
        ax.plot(places + aside, result.of(name)["predicted"], label=escape_label(name), **spots)
    _draw_actual(ax, places, first)
    root_scale(ax, "y", float(result.frame[["predicted", "actual", "upper"]].max().max()))
    names = [f"{_short(row['group'])}\n({row['customers']:,.0f})" for row in _rows(first)]
    ax.set_xticks(places, names)
    ax.tick_params(axis="x", labelsize=13)
    ax.grid(visible=False, axis="x")
    what = {
        "frequency": "Repeat purchases in the calibration period",
        "recency": "Age at the last purchase",
    }
    ax.set_xlabel(f"{what.get(result.by, result.by)} (customers)")
    ax.set_ylabel(HOLDOUT_MEAN)
    ax.legend(loc="upper left")
    finding(ax, _group_sentence(result))
    return describe(ax, _group_description(result, first))


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _short(label: object) -> str:
    """Label of a group on two lines: 6 to 12 weeks, never came back."""
    return escape_label(label).replace("never came ", "never\ncame ").replace(" week", "\nweek")


def _draw_actual(ax: Axes, places: np.ndarray, rows: pd.DataFrame) -> None:
    below, above = rows["actual"] - rows["lower"], rows["upper"] - rows["actual"]
    ax.errorbar(
        places,
        rows["actual"],
        yerr=np.nan_to_num(np.maximum([below, above], 0)),
        fmt="o",
        ms=11,
        lw=3,
        capsize=6,
        color=PALETTE["black"],
        label="actual",
        zorder=3,
    )


def _group_sentence(result: GroupedPurchases) -> str:
    """Say how many groups the first model meets, and where it misses most purchases."""
    name = result.predictors[0]
    rows = result.of(name)
    inside = rows["predicted"].between(rows["lower"], rows["upper"])
    missed = ((rows["predicted"] - rows["actual"]) * rows["customers"]).abs().where(~inside, 0)
    if inside.all():
        return f"{name} meets what every group bought, within chance"
    worst = rows.iloc[int(missed.to_numpy().argmax())]
    group = f"{'frequency ' if result.by == 'frequency' else ''}{worst['group']}"
    return (
        f"{name} meets {inside.sum()} of {counted(len(rows), 'group')} within chance; most is "
        f"missed at {group}: {_amount(worst['actual'])} bought, {_amount(worst['predicted'])} "
        "expected"
    )


def _group_description(result: GroupedPurchases, first: pd.DataFrame) -> str:
    told = "; ".join(
        f"{row['group']}: {_amount(row['actual'])} bought, "
        + ", ".join(
            f"{_amount(result.of(name)['predicted'].iloc[n])} by {name}"
            for name in result.predictors
        )
        for n, row in enumerate(_rows(first))
    )
    return f"Mean holdout purchases per customer by {result.by}, actual and expected. {told}."


def _amount(value: float) -> str:
    return f"{value:.3g}" if value < 100 else compact_number(value)


def calibration_curve(
    result: GroupedPurchases,
    ax: Axes | None = None,
    *,
    predictors: Sequence[str] | None = None,
) -> Axes:
    """Draw what tenths of the customers bought against what was predicted of them.

    Parameters
    ----------
    result : GroupedPurchases
        From `keycustomer.lifetime.calibration_table`.
    ax : Axes, optional
        Axes to draw into.
    predictors : sequence of str, optional
        Models and baselines to draw; left out, the models and "same count again".

    Raises
    ------
    ValueError
        When there is no such predictor.
    """
    models = [name for name in result.predictors if name not in BASELINE_LOOKS]
    chosen = [*models, COUNT] if predictors is None else list(predictors)
    unknown = [name for name in chosen if name not in result.predictors]
    if unknown:
        raise ValueError(
            f"predictors: {unknown[0]!r} is none of {', '.join(map(repr, result.predictors))}"
        )
    ax = new_axes(ax, size=(10, 7))
    frame = result.frame[result.frame["predictor"].isin(chosen)]
    highest = float(frame[["predicted", "actual", "upper"]].max().max()) or 1.0
    line = [0, 1.08 * highest]
    ax.plot(line, line, color=PALETTE["grey"], lw=2, ls="--", label="bought as predicted")
    for name, look in _looks(chosen).items():
        rows = result.of(name)
        below, above = rows["actual"] - rows["lower"], rows["upper"] - rows["actual"]
        ax.errorbar(
            rows["predicted"],
            rows["actual"],
            yerr=np.nan_to_num(np.maximum([below, above], 0)),
            label=escape_label(name),
            fmt=look["marker"],
            color=look["color"],
            ms=11,
            lw=2,
            capsize=4,
            alpha=0.9,
            clip_on=False,
        )
    for axis in "xy":
        root_scale(ax, axis, highest)
    ax.set_xlabel("Mean purchases predicted (root scale)")
    ax.set_ylabel(HOLDOUT_MEAN)
    ax.legend(loc="upper left")
    finding(ax, _calibration_sentence(result, chosen[0]))
    return describe(ax, _calibration_description(result, chosen))


def root_scale(ax: Axes, which: str, highest: float) -> None:
    """Scale an axis by the square root, which spreads the many who buy little."""
    reach = 1.08 * (highest or 1.0)
    axis = ax.xaxis if which == "x" else ax.yaxis
    scale, limit = (ax.set_xscale, ax.set_xlim) if which == "x" else (ax.set_yscale, ax.set_ylim)
    scale("function", functions=(lambda v: np.sqrt(np.maximum(v, 0)), np.square))
    limit(0, reach)
    axis.set_major_locator(FixedLocator(_round_numbers(reach)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _round_numbers(reach: float) -> list[float]:
    """Round numbers up to a reach, whose roots stand well apart."""
    top = math.floor(math.log10(reach))
    falling = [k * 10.0**power for power in range(top, top - 3, -1) for k in (7, 5, 4, 3, 2, 1)]
    kept: list[float] = []
    for value in [number for number in falling if number <= reach]:
        below = (kept[-1] if kept else 4 * reach) ** 0.5 - value**0.5
        if below > 0.09 * reach**0.5 and value**0.5 > 0.09 * reach**0.5:
            kept.append(float(f"{value:.1g}"))
    return [0.0, *kept[::-1]]


def _calibration_sentence(result: GroupedPurchases, name: str) -> str:
    rows = result.of(name)
    inside = int(rows["predicted"].between(rows["lower"], rows["upper"]).sum())
    best = rows.iloc[0]
    return (
        f"{name}: {inside} of {counted(len(rows), 'group')} bought as predicted, within chance; "
        f"the best {_amount(best['actual'])} each, {_amount(best['predicted'])} predicted"
    )


def _calibration_description(result: GroupedPurchases, chosen: Sequence[str]) -> str:
    told = []
    for name in chosen:
        rows = result.of(name)
        ends = "; ".join(
            f"{which} group {_amount(row['predicted'])} predicted, {_amount(row['actual'])} bought"
            for which, row in (("best", rows.iloc[0]), ("last", rows.iloc[-1]))
        )
        told.append(f"{name}: {ends}")
    return (
        "Mean holdout purchases of equal groups of customers against the predicted ones. "
        f"{'. '.join(told)}."
    )


def capture_curve(result: HoldoutScores, ax: Axes | None = None) -> Axes:
    """Draw the share of later purchases that each prediction finds among its top customers.

    Parameters
    ----------
    result : HoldoutScores
        From `keycustomer.lifetime.holdout_scores`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax)
    names = [name for name in result.kinds if name != "everybody zero"]
    for name, look in _looks(names).items():
        rows = result.curve[result.curve["predictor"] == name]
        line = {key: look[key] for key in ("color", "ls")}
        ax.plot(rows["customers"], rows["purchases"], label=escape_label(name), lw=3, **line)
    ax.plot([0, 1], [0, 1], color=PALETTE["light grey"], lw=2, label="nobody told apart")
    ax.axvline(result.top, color=PALETTE["grey"], ls="--", lw=1.5)
    ax.annotate(
        f"top {percent(result.top, 0)}",
        (result.top, 0.02),
        (6, 0),
        textcoords="offset points",
        fontsize=14,
        color=PALETTE["grey"],
    )
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    percent_axis(ax.xaxis)
    percent_axis(ax.yaxis)
    ax.set_xlabel("Share of customers, the highest prediction first")
    ax.set_ylabel("Share of holdout purchases")
    ax.legend(loc="lower right")
    finding(ax, _capture_sentence(result))
    return describe(ax, _score_description(result, "capture"))


def _capture_sentence(result: HoldoutScores) -> str:
    held = {name: scores["capture"].estimate for name, scores in result.estimates.items()}
    if not math.isfinite(held["perfect foresight"]):
        return NO_PURCHASES
    best = _best(result, "capture")
    return (
        f"The top {percent(result.top, 0)} by {best} hold {percent(held[best])} of what followed, "
        f"by a plain count {percent(held[COUNT])}{_by_chance(result, 'capture', best)}, by "
        f"foresight {percent(held['perfect foresight'])}"
    )


def _best(result: HoldoutScores, measure: str) -> str:
    """Name of the model with the best score."""
    values = {name: scores[measure].estimate for name, scores in result.estimates.items()}
    models = [name for name, kind in result.kinds.items() if kind == "model"]
    return min(models, key=lambda name: _badness(values[name], measure))


def _by_chance(result: HoldoutScores, measure: str, name: str) -> str:
    """Say so when a model and the plain count differ by no more than chance."""
    gap = result.difference(measure, name, COUNT)
    return "" if gap.lower > 0 or gap.upper < 0 else " (a gap within chance)"


def score_bars(result: HoldoutScores, ax: Axes | None = None, *, measure: str = "capture") -> Axes:
    """Draw one score of every model and baseline, with intervals.

    Parameters
    ----------
    result : HoldoutScores
        From `keycustomer.lifetime.holdout_scores`.
    ax : Axes, optional
        Axes to draw into.
    measure : {"capture", "rmse", "mae", "total_ratio", "correlation"}
        The score.

    Raises
    ------
    ValueError
        When there is no such score.
    """
    if measure not in MEASURE_NAMES:
        raise ValueError(
            f"measure={measure!r}: one of {', '.join(map(repr, MEASURE_NAMES))} is needed"
        )
    ax = new_axes(ax, size=(10, 5.5))
    estimates = {name: scores[measure] for name, scores in result.estimates.items()}
    names = [name for name, one in estimates.items() if math.isfinite(one.estimate)][::-1]
    ax.set_xlabel(_measure_name(result, measure))
    if not names:
        ax.set_yticks([])
        return describe(finding(ax, NO_PURCHASES), NO_PURCHASES)
    ends = _draw_bars(ax, [estimates[name] for name in names], [result.kinds[n] for n in names])
    _write_scores(ax, [estimates[name].estimate for name in names], ends, measure)
    labels = [escape_label(name, 24) for name in names]
    ax.set_yticks(np.arange(len(names)), labels)
    ax.grid(visible=False, axis="y")
    lowest = min(estimates[name].estimate for name in names)
    ax.set_xlim(min(0, 1.2 * lowest), 1.2 * (max(ends) or 1))
    if measure in SHARES:
        percent_axis(ax.xaxis)
    if measure == "total_ratio":
        ax.axvline(1, color=PALETTE["black"], ls="--", lw=2)
    finding(ax, _score_sentence(result, measure), width=title_width(ax, labels))
    return describe(ax, _score_description(result, measure))


def _draw_bars(ax: Axes, estimates: Sequence[Estimate], kinds: Sequence[str]) -> list[float]:
    """Draw bars with their intervals; return where each of them ends."""
    looks = {"model": PALETTE["blue"], "baseline": PALETTE["orange"]}
    points = np.array([one.estimate for one in estimates])
    beyond = np.array([[one.estimate - one.lower, one.upper - one.estimate] for one in estimates])
    beyond = np.nan_to_num(np.maximum(beyond, 0))
    ax.barh(
        np.arange(len(estimates)),
        points,
        xerr=beyond.T,
        color=[looks.get(kind, PALETTE["grey"]) for kind in kinds],
        height=0.62,
        error_kw={"lw": 2.5, "capsize": 6, "ecolor": PALETTE["black"]},
    )
    return (points + beyond[:, 1]).tolist()


def _write_scores(ax: Axes, points: Sequence[float], ends: Sequence[float], measure: str) -> None:
    for place, (point, end) in enumerate(zip(points, ends, strict=True)):
        ax.annotate(
            _score(point, measure),
            (end, place),
            (10, 0),
            textcoords="offset points",
            va="center",
            weight="bold",
            fontsize=15,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )


def _score(value: float, measure: str) -> str:
    if not math.isfinite(value):
        return "not known"
    return percent(value) if measure in SHARES else f"{value:.4g}"


def _measure_name(result: HoldoutScores, measure: str) -> str:
    if measure == "capture":
        return f"Share of holdout purchases by the predicted top {percent(result.top, 0)}"
    return MEASURE_NAMES[measure]


def _score_sentence(result: HoldoutScores, measure: str) -> str:
    """Set the best model against the plain count."""
    if measure == "capture":
        return _capture_sentence(result)
    best = _best(result, measure)
    values = [result.estimates[name][measure].estimate for name in (best, COUNT)]
    opening, joint = {
        "rmse": ("misses by {} purchases a customer (root mean square)", "by {}"),
        "mae": ("misses by {} purchases a customer", "by {}"),
        "total_ratio": ("predicted {} of the purchases that came", "{}"),
        "correlation": ("correlates {} with what was bought", "{}"),
    }[measure]
    one, other = (_score(value, measure) for value in values)
    gap = _by_chance(result, measure, best)
    return f"{best} {opening.format(one)}, the plain count {joint.format(other)}{gap}"


def _badness(value: float, measure: str) -> float:
    if not math.isfinite(value):
        return math.inf
    if measure == "total_ratio":
        return abs(value - 1)
    return -value if measure in ("correlation", "capture") else value


def _score_description(result: HoldoutScores, measure: str) -> str:
    told = "; ".join(
        f"{name} {_score(scores[measure].estimate, measure)}"
        + (
            f" ({_score(scores[measure].lower, measure)} to "
            f"{_score(scores[measure].upper, measure)})"
            if math.isfinite(scores[measure].lower)
            else ""
        )
        for name, scores in result.estimates.items()
    )
    return f"{_measure_name(result, measure)}, {result.customers:,} customers: {told}."

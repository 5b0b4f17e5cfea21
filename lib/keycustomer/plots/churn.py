"""Figures of churn models: who is told apart, whether probabilities are right, who stays how long.

:func:`churn_calibration` sets what happened beside what was predicted, :func:`churn_score_dots`
compares models on one measure, :func:`odds_ratio_dots` shows what goes with leaving,
:func:`class_weight_bars` what class weights do to probabilities, :func:`retention_fan` the expected
stay of all customers, :func:`churn_company_dots` models over many simulated companies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    PercentFormatter,
)

from keycustomer.plots.audit import counted, title_width
from keycustomer.plots.labels import name_rows, names_in_words, short_names
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
from keycustomer.plots.validation import root_scale

if TYPE_CHECKING:
    from keycustomer.relationships.churn.class_weights import ClassWeightTrap
    from keycustomer.relationships.churn.expected_retention import RetentionCurves
    from keycustomer.relationships.churn.model import ChurnModel
    from keycustomer.relationships.churn.over_companies import ChurnOverCompanies
    from keycustomer.relationships.churn.scores import ChurnScores
    from keycustomer.relationships.churn.validation import ChurnValidation

COLOURS = [PALETTE[name] for name in ("blue", "vermilion", "green", "purple", "orange", "sky")]
MARKERS = ("o", "s", "^", "D", "v", "P")

TRUTH = "truth"
SAME = "same for all"

MEASURE_NAMES = {
    "auc": "Area under the ROC curve (0.5: no better than chance)",
    "auc_share": "Share of the attainable area above one half",
    "brier": "Brier score (less is better)",
    "brier_skill": "Brier skill against the same for all (0: no better)",
    "ece": "Expected calibration error (probability)",
    "log_loss": "Log loss (less is better)",
    "slope": "Calibration slope (1 is right, below 1 too extreme)",
}
"""What each measure is called on an axis."""

NOUNS = {
    "auc": "AUC",
    "auc_share": "share of the attainable AUC",
    "brier": "Brier score",
    "brier_skill": "Brier skill",
    "ece": "calibration error",
    "log_loss": "log loss",
    "slope": "calibration slope",
}
"""What each measure is called in a title."""

MOST_RATIOS = 16
"""Odds ratios shown; the weakest are left out and counted."""

RATIO_TICKS = (
    *(1, 0.5, 2, 0.2, 5, 0.1, 10, 0.7, 1.5, 0.8, 1.2, 0.9, 1.1, 0.3, 3, 0.6, 1.3),
    *(0.05, 20, 0.02, 50, 0.01, 100, 0.002, 500),
)
"""Odds ratios marked on an axis, the first ones before those that would stand too close."""

LABEL_WIDTH = 30
"""Longest label of a row in characters."""


def churn_calibration(
    result: ChurnScores | ChurnValidation,
    ax: Axes | None = None,
    *,
    models: Sequence[str] | None = None,
) -> Axes:
    """Draw what happened against what was predicted, in groups of equal size.

    Parameters
    ----------
    result : ChurnScores or ChurnValidation
        From `keycustomer.relationships.churn_scores` or `validate_churn`.
    ax : Axes, optional
        Axes to draw into.
    models : sequence of str, optional
        Models of a validation to draw; left out, all but baseline and truth.

    Raises
    ------
    ValueError
        When there is no such model, or more than six are asked for.
    """
    scores = _chosen_scores(result, models)
    ax = new_axes(ax, size=(10, 7))
    highest = max(one.groups[["predicted", "upper"]].to_numpy().max() for one in scores)
    ax.plot([0, highest], [0, highest], color=PALETTE["grey"], ls="--", lw=2, label="as predicted")
    for one, colour, marker in zip(scores, COLOURS, MARKERS, strict=False):
        rows = one.groups
        error = [rows["observed"] - rows["lower"], rows["upper"] - rows["observed"]]
        ax.errorbar(
            rows["predicted"], rows["observed"], yerr=np.maximum(error, 0), fmt=marker,
            color=colour, ms=10, lw=2, capsize=4, label=escape_label(one.name, 24), clip_on=False,
        )  # fmt: skip
    for axis in "xy":
        root_scale(ax, axis, highest)
        _percent_ticks(ax.xaxis if axis == "x" else ax.yaxis)
    ax.set_xlabel("Predicted probability to leave, mean of a group (root scale)")
    ax.set_ylabel("Share that left")
    legend_below(ax, columns=3 if max(len(one.name) for one in scores) < 16 else 2)
    finding(ax, _calibration_sentence(scores))
    return describe(ax, _calibration_description(scores))


def _chosen_scores(
    result: ChurnScores | ChurnValidation, models: Sequence[str] | None
) -> list[ChurnScores]:
    scores = getattr(result, "scores", None)
    if not isinstance(scores, dict):
        return [result]  # type: ignore[list-item]
    chosen = list(models) if models is not None else [n for n in scores if n not in (SAME, TRUTH)]
    unknown = [name for name in chosen if name not in scores]
    if unknown or not 0 < len(chosen) <= len(COLOURS):
        raise ValueError(
            f"models={chosen}: one to {len(COLOURS)} of {list(scores)} can be told apart"
        )
    return [scores[name] for name in chosen]


def _percent_ticks(axis: object) -> None:
    """Write shares in percent with as many digits as they need."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))  # type: ignore[attr-defined]


def _calibration_sentence(scores: Sequence[ChurnScores]) -> str:
    first = scores[0]
    rows = first.groups
    inside = int(rows["predicted"].between(rows["lower"], rows["upper"]).sum())
    right = "right within chance" if first.calibrated else "off by more than chance"
    return (
        f"{first.name}: probabilities are {right}; {inside} of {counted(len(rows), 'group')} left "
        "as predicted"
    )


def _calibration_description(scores: Sequence[ChurnScores]) -> str:
    told = []
    for one in scores:
        last = one.groups.iloc[-1]
        told.append(
            f"{one.name}: calibration error {percent(one.ece.estimate, 2)}, chance alone reaches "
            f"{percent(one.limit, 2)}; of the highest group {percent(last['observed'])} left, "
            f"{percent(last['predicted'])} predicted"
        )
    return f"Share that left against predicted probability. {'. '.join(told)}."


def churn_score_dots(
    result: ChurnValidation, ax: Axes | None = None, *, measure: str = "auc"
) -> Axes:
    """Draw one measure of all models with its intervals, and what the truth attains.

    Parameters
    ----------
    result : ChurnValidation
        From `keycustomer.relationships.validate_churn`.
    ax : Axes, optional
        Axes to draw into.
    measure : str
        "auc", "brier", "brier_skill", "ece", "log_loss" or "slope".

    Raises
    ------
    ValueError
        When there is no such measure.
    """
    allowed = [name for name in MEASURE_NAMES if name != "auc_share"]
    if measure not in allowed:
        raise ValueError(f"measure={measure!r}: allowed are {allowed}")
    found = {name: one.estimates[measure] for name, one in result.scores.items() if name != TRUTH}
    found = {name: one for name, one in found.items() if np.isfinite(one.estimate)}
    ax = new_axes(ax, size=(10, 2.8 + 0.6 * len(found)))
    labels = short_names(list(found), LABEL_WIDTH)
    for place, (name, one) in enumerate(reversed(found.items())):
        colour = PALETTE["grey"] if name == SAME else PALETTE["blue"]
        ax.hlines(place, one.lower, one.upper, color=colour, lw=4)
        ax.plot(one.estimate, place, "o", color=colour, ms=12)
        if measure == "ece":
            ax.plot(result.scores[name].limit, place, "|", color=PALETTE["black"], ms=24, mew=3)
    if measure == "ece":
        ax.plot([], [], "|", color=PALETTE["black"], ms=14, mew=3, label="one in 20 perfect models")
    name_rows(ax, [escape_label(labels[name]) for name in reversed(found)])
    if TRUTH in result.scores:
        attained = result.scores[TRUTH].estimates[measure].estimate
        ax.axvline(attained, color=PALETTE["green"], ls="--", label="true probabilities")
    ax.set_xlabel(MEASURE_NAMES[measure])
    if measure in ("ece", "brier_skill"):
        percent_axis(ax.xaxis, digits=1)
    if TRUTH in result.scores or measure == "ece":
        legend_below(ax, columns=2)
    finding(ax, _score_sentence(result, measure), width=title_width(ax, labels.values()))
    return describe(ax, _score_description(result, measure))


def _score_sentence(result: ChurnValidation, measure: str) -> str:
    models = result.models
    values = {name: result.scores[name].estimates[measure].estimate for name in models}
    if measure == "slope":
        best = min(models, key=lambda name: abs(values[name] - 1))
        return f"{best} comes nearest to a calibration slope of 1: {values[best]:.2f}"
    less = measure in ("brier", "ece", "log_loss")
    order = sorted(models, key=lambda name: values[name] if less else -values[name])
    best = order[0]
    most = "least" if less else "highest"
    told = f"{best} has the {most} {NOUNS[measure]} ({_number(values[best], measure)})"
    if len(order) > 1:
        gap = result.difference(best, order[1], measure)
        sure = gap.lower > 0 or gap.upper < 0
        told += f", {'' if sure else 'not '}beyond chance against {order[1]}"
    truth = result.scores.get(TRUTH)
    if truth is not None and measure == "auc":
        told += f"; the truth attains {_number(truth.estimates[measure].estimate, measure)}"
    return told


def _number(value: float, measure: str) -> str:
    return percent(value, 2) if measure in ("ece", "brier_skill", "auc_share") else f"{value:.3g}"


def _score_description(result: ChurnValidation, measure: str) -> str:
    told = [
        f"{name} {_number(one.estimates[measure].estimate, measure)}"
        for name, one in result.scores.items()
        if np.isfinite(one.estimates[measure].estimate)
    ]
    return (
        f"{MEASURE_NAMES[measure]} on rows not learnt from, with intervals over customers: "
        f"{', '.join(told)}."
    )


def odds_ratio_dots(result: ChurnModel, ax: Axes | None = None, *, most: int = MOST_RATIOS) -> Axes:
    """Draw the odds ratios of a logistic churn model, numbers per standard deviation.

    Parameters
    ----------
    result : ChurnModel
        A logistic model.
    ax : Axes, optional
        Axes to draw into.
    most : int
        Rows shown, the strongest first.
    """
    table = result.odds_ratios(per="spread")
    strong = table["coefficient"].abs().sort_values(ascending=False, kind="stable").index[:most]
    rows = table.loc[strong].sort_values("coefficient", kind="stable").reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.6 + 0.42 * len(rows)))
    known = rows["lower"].notna()
    sure = known & ((rows["lower"] > 1) | (rows["upper"] < 1))
    for chosen, colour, told in (
        (sure & (rows["coefficient"] > 0), PALETTE["vermilion"], "leave more"),
        (sure & (rows["coefficient"] < 0), PALETTE["blue"], "leave less"),
        (~sure, PALETTE["grey"], "not told apart from none" if known.any() else "no interval"),
    ):
        if chosen.any():
            own = rows[chosen]
            ax.hlines(own.index, own["lower"].fillna(1), own["upper"].fillna(1), color=colour, lw=4)
            ax.plot(own["odds_ratio"], own.index, "o", color=colour, ms=10, label=told)
    ax.axvline(1, color=PALETTE["black"], lw=1.5)
    _ratio_scale(ax, rows)
    labels = _ratio_labels(rows)
    name_rows(ax, labels)
    ax.set_xlabel("Odds ratio of leaving (one standard deviation more,\nor yes, or this word)")
    legend_below(ax, columns=3)
    said = _ratio_sentence(result, rows[sure], labels, len(table) - len(rows))
    finding(ax, said, width=title_width(ax, labels))
    return describe(ax, _ratio_description(rows, labels))


def _ratio_scale(ax: Axes, rows: pd.DataFrame) -> None:
    ends = rows[["odds_ratio", "lower", "upper"]].to_numpy(float)
    low, high = np.nanmin(np.clip(ends, 1e-3, 1e3)), np.nanmax(np.clip(ends, 1e-3, 1e3))
    low, high = min(low, 1) / 1.1, max(high, 1) * 1.1
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    kept: list[float] = []
    for tick in (tick for tick in RATIO_TICKS if low <= tick <= high):
        if all(abs(np.log(tick / other)) > 0.1 * np.log(high / low) for other in kept):
            kept.append(tick)
    ax.xaxis.set_major_locator(FixedLocator(sorted(kept)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_minor_formatter(NullFormatter())


def _ratio_labels(rows: pd.DataFrame) -> list[str]:
    names = [
        f"{feature}: {word}" if word else feature
        for feature, word in zip(rows["feature"], rows["word"], strict=True)
    ]
    readable = [re.sub(r"_log$", " (log)", name).replace("_", " ") for name in names]
    short = short_names(readable, LABEL_WIDTH)
    return [escape_label(short[name]) for name in readable]


def _ratio_sentence(
    result: ChurnModel, sure: pd.DataFrame, labels: Sequence[str], hidden: int
) -> str:
    if sure.empty:
        return (
            "Nothing that was looked at goes with leaving beyond chance"
            if result.intervals
            else "Shrunk odds ratios, without intervals: larger ones go more with leaving"
        )
    place = int(sure.index[int(np.argmax(sure["coefficient"].abs()))])
    top = sure.loc[place]
    way = "more" if top["coefficient"] > 0 else "less"
    name = labels[place].replace("\\$", "$")
    return (
        f"{name} goes with leaving {way} (odds ratio {top['odds_ratio']:.2f}); "
        f"{len(sure)} of {len(labels) + hidden} are beyond chance"
    )


def _ratio_description(rows: pd.DataFrame, labels: Sequence[str]) -> str:
    told = [
        f"{label} {ratio:.2f}"
        for label, ratio in zip(labels[::-1], rows["odds_ratio"].iloc[::-1], strict=True)
    ]
    return (
        "Odds ratios of leaving, what goes together and not what causes it, highest first: "
        f"{', '.join(told)}."
    )


def class_weight_bars(result: ClassWeightTrap, ax: Axes | None = None) -> Axes:
    """Draw what share is predicted to leave with and without class weights, and what share did.

    Parameters
    ----------
    result : ClassWeightTrap
        From `keycustomer.relationships.class_weight_trap`.
    ax : Axes, optional
        Axes to draw into.
    """
    table = result.to_frame().iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 4.4))
    off = table["times_too_high"].sub(1).abs() > 0.5
    colours = np.where(off, PALETTE["vermilion"], PALETTE["blue"]).tolist()
    ax.barh(table.index, table["mean_predicted"], color=colours, height=0.6)
    ax.axvline(result.observed, color=PALETTE["black"], ls="--", label="share that left")
    reach = max(float(table["mean_predicted"].max()), result.observed)
    for place, row in enumerate(table.to_dict("records")):
        ax.annotate(
            f"{percent(row['mean_predicted'])}   AUC {row['auc']:.3f}",
            (max(row["mean_predicted"], result.observed), place),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=14,
        )
    ax.set_xlim(0, 1.42 * reach)
    name_rows(ax, [escape_label(name).replace(", ", ",\n") for name in table["fitted"]])
    ax.set_xlabel("Mean predicted probability to leave in a period")
    percent_axis(ax.xaxis)
    legend_below(ax)
    finding(ax, result.sentence(), width=title_width(ax, ["class weights,"]))
    told = "; ".join(
        f"{row['fitted']}: {percent(row['mean_predicted'])} predicted, AUC {row['auc']:.3f}"
        for _, row in table.iloc[::-1].iterrows()
    )
    return describe(
        ax, f"Mean predicted probability; {percent(result.observed)} of the rows left. {told}."
    )


def retention_fan(
    result: RetentionCurves,
    ax: Axes | None = None,
    *,
    customers: Sequence[object] = (),
    unit: str = "month",
) -> Axes:
    """Draw how many customers are expected to stay, and how far customers differ.

    Parameters
    ----------
    result : RetentionCurves
        From `keycustomer.relationships.retention_curves`.
    ax : Axes, optional
        Axes to draw into.
    customers : sequence
        Ids of up to six customers whose own curves are drawn too.
    unit : str
        What a period is.

    Raises
    ------
    ValueError
        When more than six customers are asked for.
    """
    if len(customers) > len(COLOURS):
        raise ValueError(f"customers: at most {len(COLOURS)} can be told apart")
    ax = new_axes(ax)
    mean = result.mean()
    ax.fill_between(
        mean["period"], mean["tenth"], mean["ninetieth"], color=PALETTE["light grey"], lw=0,
        label="four of five customers",
    )  # fmt: skip
    if mean["lower"].notna().all():
        ax.fill_between(
            mean["period"], mean["lower"], mean["upper"], color=PALETTE["blue"], alpha=0.35, lw=0,
            label=f"{percent(result.level, 0)} interval of the mean",
        )  # fmt: skip
    ax.plot(mean["period"], mean["retention"], color=PALETTE["blue"], label="mean of all")
    for customer, colour in zip(customers, [*COLOURS[1:], PALETTE["black"]], strict=False):
        curve = result.of(customer)
        ax.plot(curve.index, curve, color=colour, lw=2, label=escape_label(customer, 18))
    ax.set_xlim(0, result.periods)
    ax.set_ylim(0, 1.02)
    percent_axis(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(f"{unit.capitalize()}s from now")
    ax.set_ylabel("Probability to be a customer still")
    ax.legend(loc="lower left")
    last = mean.iloc[-1]
    finding(
        ax,
        f"{percent(last['retention'], 0)} are expected to be there after "
        f"{counted(result.periods, unit)}; from {percent(last['tenth'], 0)} to "
        f"{percent(last['ninetieth'], 0)} for four of five customers",
    )
    return describe(ax, _fan_description(result, customers, unit))


def _fan_description(result: RetentionCurves, customers: Sequence[object], unit: str) -> str:
    mean = result.mean()
    points = sorted({1, result.periods // 2 or 1, result.periods})
    told = ", ".join(f"{percent(mean['retention'][k])} after {counted(k, unit)}" for k in points)
    own = "".join(f" {name}: {percent(result.of(name).iloc[-1])} at the end." for name in customers)
    return (
        f"Expected share of {counted(len(result.customers), 'customer')} still there: {told}.{own}"
    )


def churn_company_dots(
    result: ChurnOverCompanies,
    ax: Axes | None = None,
    *,
    measure: str = "auc",
    models: Sequence[str] | None = None,
) -> Axes:
    """Draw a measure of every model in every simulated company.

    Parameters
    ----------
    result : ChurnOverCompanies
        From `keycustomer.relationships.churn_over_companies`.
    ax : Axes, optional
        Axes to draw into.
    measure : str
        A measure that has a name on an axis, such as "auc", "brier_skill" or "slope".
    models : sequence of str, optional
        Models to draw; left out, all, with baseline and truth.

    Raises
    ------
    ValueError
        When there is no such measure or model.
    """
    if measure not in MEASURE_NAMES:
        raise ValueError(f"measure={measure!r}: allowed are {list(MEASURE_NAMES)}")
    table = result.summary(measure).dropna(subset="mean")
    chosen = list(table["model"]) if models is None else list(models)
    if not chosen or not set(chosen) <= set(table["model"]):
        raise ValueError(f"models={chosen}: allowed are {list(table['model'])}")
    table = table[table["model"].isin(chosen)].iloc[::-1].reset_index(drop=True)
    ax = new_axes(ax, size=(10, 2.8 + 0.7 * len(table)))
    generator = np.random.default_rng(0)
    for place, row in enumerate(table.to_dict("records")):
        own = result.frame.loc[result.frame["model"] == row["model"], measure]
        colour = {TRUTH: PALETTE["green"], SAME: PALETTE["grey"]}.get(row["model"], COLOURS[0])
        jitter = generator.uniform(-0.2, 0.2, len(own))
        ax.plot(own, place + jitter, "o", color=colour, ms=7, alpha=0.5, mew=0)
        ax.plot(row["mean"], place, "|", color=PALETTE["black"], ms=26, mew=3)
    labels = short_names(list(table["model"]), LABEL_WIDTH)
    name_rows(ax, [escape_label(labels[name]) for name in table["model"]])
    ax.set_xlabel(f"{MEASURE_NAMES[measure]}\n(a dot a simulated company, the line their mean)")
    if measure in ("brier_skill", "ece", "auc_share"):
        ax.xaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    said = _company_sentence(result, table, measure)
    finding(ax, said, width=title_width(ax, labels.values()))
    told = "; ".join(
        f"{row['model']} {row['mean']:.3g} [{row['lower']:.3g}, {row['upper']:.3g}]"
        for _, row in table.iloc[::-1].iterrows()
    )
    return describe(
        ax,
        f"Simulated: {MEASURE_NAMES[measure]} in {result.companies} companies, mean and 5th to "
        f"95th percentile: {told}.",
    )


def _company_sentence(result: ChurnOverCompanies, table: pd.DataFrame, measure: str) -> str:
    noun = NOUNS[measure]
    models = table[~table["model"].isin([SAME, TRUTH])].iloc[::-1]
    if models["best"].isna().all():
        rows = models if len(models) else table
        told = [f"{name} {_number(mean, measure)}" for name, mean in _means(rows)]
        return f"Mean {noun} in {result.companies} simulated companies: " + (
            names_in_words(told, 4, 40)
        )
    first = models.sort_values("best", kind="stable").iloc[-1]
    won = round(first["best"] * result.companies)
    return (
        f"{first['model']} has the best {noun} in {won} of {result.companies} simulated companies "
        f"({_number(first['mean'], measure)} on average)"
    )


def _means(table: pd.DataFrame) -> list[tuple[str, float]]:
    return list(zip(table["model"], table["mean"], strict=True))

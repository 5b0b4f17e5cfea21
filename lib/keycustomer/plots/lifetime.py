"""Figures of lifetime models: who is alive, who will buy, and how customers differ.

:func:`history_map` draws a model's answer for every frequency and recency, :func:`alive_over_time`
one customer's probability of being alive, day by day, :func:`law_bars` how many customers buy how
often or leave how easily, :func:`model_bars` how well models fit the same customers,
:func:`renewal_curve` how many customers of a contract are left after each renewal, or how many of
those who come to a renewal make it.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import MaxNLocator

from keycustomer.plots.audit import BLUES, axis_label, counted, title_width
from keycustomer.plots.style import (
    PALETTE,
    compact_number,
    describe,
    escape_label,
    finding,
    new_axes,
    percent,
    percent_axis,
)

if TYPE_CHECKING:
    from keycustomer.lifetime.contracts.contractual import ShiftedBetaGeometric
    from keycustomer.lifetime.contracts.survival import SurvivalCurve
    from keycustomer.lifetime.heterogeneity import LawShares
    from keycustomer.lifetime.matrices import HistoryMatrix
    from keycustomer.lifetime.trace import CustomerTrace
    from keycustomer.lifetime.validation.comparison import ModelComparison

ALIVE_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Probabilities whose lines are drawn."""

IMPOSSIBLE = "#E6E6E6"
"""Colour of histories that cannot be."""

MEASURES: dict[str, str] = {
    "aic_difference": "AIC above that of the best model",
    "rmse": "Root mean squared error of holdout purchases",
    "mae": "Mean absolute error of holdout purchases",
    "total_ratio": "Predicted over actual holdout purchases",
    "correlation": "Correlation with holdout purchases",
    "capture": "Share of holdout purchases by those foretold to be the best",
}
"""Measures of a comparison and their axes."""

MORE_IS_BETTER = ("correlation", "capture")
"""Measures of which the largest is the best; of the others, but for the ratio, the smallest is."""

RENEWALS: dict[str, str] = {
    "survival": "Customers left",
    "retention": "Renewing, of those who came to it",
}
"""What a renewal curve shows, and its axis."""

SURE = 0.9995
"""Probability that is written as 100 %."""


def history_map(result: HistoryMatrix, ax: Axes | None = None) -> Axes:
    """Draw a model's answer for every frequency and recency, with lines of equal value.

    Parameters
    ----------
    result : HistoryMatrix
        From `keycustomer.lifetime.alive_matrix` or `purchase_matrix`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 7))
    shares = result.measure == "probability_alive"
    cells = result.frame.to_numpy(float)
    recency = result.frame.columns.to_numpy(float)
    half = recency[1] / 2
    ax.imshow(
        np.ma.masked_invalid(cells),
        cmap=BLUES,
        vmin=0,
        vmax=1.0 if shares else np.nanmax(cells) or 1.0,
        origin="lower",
        aspect="auto",
        extent=(-half, result.T + half, -0.5, len(cells) - 0.5),
    )
    ax.grid(visible=False)
    ax.set_facecolor(IMPOSSIBLE)
    _draw_levels(ax, recency, cells, shares=shares)
    step = -(-len(cells) // 12)
    ax.set_yticks(range(0, len(cells), step), result.frame.index[::step])
    ax.set_xlabel(f"Age at the last purchase ({result.unit}s); age now: {_short(result.T)}")
    ax.set_ylabel("Repeat purchases (grey: no such history)")
    sentence = _alive_sentence(result) if shares else _purchase_sentence(result)
    finding(ax, sentence)
    what = "probability of being alive" if shares else f"purchases expected in {_ahead(result)}"
    return describe(
        ax,
        f"Map of the {what} by repeat purchases and age at the last purchase, for customers aged "
        f"{_short(result.T)} {result.unit}s, by {result.model}. {sentence}.",
    )


def _draw_levels(ax: Axes, recency: np.ndarray, cells: np.ndarray, *, shares: bool) -> None:
    """Draw lines of equal value where the values differ."""
    known = cells[np.isfinite(cells)]
    levels = ALIVE_LEVELS if shares else MaxNLocator(7).tick_values(0, known.max())
    inside = [level for level in levels if known.min() < level < known.max()]
    if len(cells) < 2 or not inside:
        return
    lines = ax.contour(
        recency,
        range(len(cells)),
        np.ma.masked_invalid(cells),
        levels=inside,
        colors=PALETTE["black"],
        linewidths=1.2,
    )
    form = (lambda share: percent(share, 0)) if shares else compact_number
    for label in ax.clabel(lines, fmt=form, fontsize=13):
        label.set_bbox({"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 1.5})


def _short(value: float) -> str:
    """Write a length of time in three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _lasting(value: float, unit: str) -> str:
    """Write a length of time with its unit: 1 week, 38.9 weeks."""
    return f"{_short(value)} {unit}{'' if value == 1 else 's'}"


def _ahead(result: HistoryMatrix) -> str:
    return f"the next {_lasting(result.horizon, result.unit)}"


def _alive_sentence(result: HistoryMatrix) -> str:
    """Compare rare and frequent buyers after the same silence, half their age."""
    cells, recencies = result.frame.to_numpy(float), result.frame.columns.to_numpy(float)
    if np.nanmin(cells) > SURE:
        return "Everybody is alive, whatever the history"
    middle = recencies.size // 2
    seen = np.flatnonzero(np.isfinite(cells[:, middle]))
    if not seen.size:
        never = percent(float(np.nanmax(cells)), 0)
        return f"A customer who never came back in {_lasting(result.T, result.unit)}: alive {never}"
    chances = [
        f"{percent(cells[row, middle], 0)} of those who came back "
        f"{_times(int(result.frame.index[int(row)]))}"
        for row in (seen[0], seen[-1])
    ]
    silence = _lasting(result.T - recencies[middle], result.unit)
    opening = f"Alive after a silence of {silence}: {chances[0]}"
    return opening if seen.size == 1 else f"{opening}, {chances[1]}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _purchase_sentence(result: HistoryMatrix) -> str:
    """Say what the best history promises, and what a single purchase does."""
    cells, recencies = result.frame.to_numpy(float), result.frame.columns.to_numpy(float)
    row, column = np.unravel_index(np.nanargmax(cells), cells.shape)
    times, best = int(result.frame.index[int(row)]), compact_number(cells[row, column])
    opening = f"Expected in {_ahead(result)}: {best} purchases of a customer who"
    if times == 0:
        return f"{opening} never came back"
    last = _lasting(result.T - recencies[column], result.unit)
    when = f"last {last} ago" if recencies[column] < result.T else "just seen"
    sentence = f"{opening} came back {_times(times)}, {when}"
    if result.frame.index[0] != 0:
        return sentence
    return f"{sentence}; {compact_number(cells[0, 0])} of one who never did"


def alive_over_time(result: CustomerTrace, ax: Axes | None = None) -> Axes:
    """Draw one customer's probability of being alive, day by day, with its purchases.

    Parameters
    ----------
    result : CustomerTrace
        From `keycustomer.lifetime.trace_customer`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 5))
    days, alive = result.frame["date"], result.frame["probability_alive"]
    ax.vlines(result.purchases, 0, 1, color=PALETTE["orange"], lw=2, label="purchase")
    ax.plot(days, alive, color=PALETTE["blue"], label="probability alive")
    ax.fill_between(days, alive, color=PALETTE["blue"], alpha=0.12, lw=0)
    places = AutoDateLocator(minticks=2, maxticks=7)
    ax.xaxis.set_major_locator(places)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(places))
    ax.set_ylim(0, 1.02)
    percent_axis(ax.yaxis)
    ax.set_ylabel("Probability alive")
    ax.set_xlabel(f"Customer {escape_label(result.customer_id, 30)}: day")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    finding(ax, _silence_sentence(result))
    return describe(
        ax,
        f"Probability that customer {result.customer_id} is alive from {days.iloc[0]:%Y-%m-%d} to "
        f"{days.iloc[-1]:%Y-%m-%d} by {result.model}, with "
        f"{counted(len(result.purchases), 'purchase day')}. {_silence_sentence(result)}. Lowest "
        f"{percent(alive.min(), 0)}.",
    )


def _silence_sentence(result: CustomerTrace) -> str:
    last = result.frame.iloc[-1]
    alive, silent = percent(last["probability_alive"], 0), int(last["T"] - last["recency"])
    opening = f"Alive with probability {alive} after {counted(silent, 'day')} of silence"
    gaps = np.diff(result.purchases.to_numpy()) / np.timedelta64(1, "D")
    if not gaps.size:
        return f"{opening}, which began with the first purchase"
    return f"{opening}; the longest before was {counted(int(gaps.max()), 'day')}"


def law_bars(result: LawShares, ax: Axes | None = None) -> Axes:
    """Draw shares of customers by purchase rate, or by how easily they leave.

    Parameters
    ----------
    result : LawShares
        From `keycustomer.lifetime.purchasing_shares` or `dropout_shares`.
    ax : Axes, optional
        Axes to draw into.
    """
    ax = new_axes(ax, size=(10, 5))
    frame = result.frame
    lower, share = frame["lower"].to_numpy(), frame["share"].to_numpy()
    width = lower[1] - lower[0]
    endless = math.isinf(frame["upper"].iloc[-1])
    colours = [PALETTE["blue"]] * len(frame)
    if endless:
        colours[-1] = PALETTE["sky"]
    ax.bar(lower, share, width * 0.92, align="edge", color=colours)
    if endless and share[-1] > 0:
        ax.annotate(
            "and more",
            (lower[-1] + width, share[-1]),
            (0, 4),
            textcoords="offset points",
            ha="right",
            fontsize=13,
            color=PALETTE["grey"],
        )
    _mark_mean(ax, result)
    ax.set_xlim(lower[0], lower[-1] + width)
    ax.set_ylim(0, max(1.15 * share.max(), 1e-9))
    if not endless:
        percent_axis(ax.xaxis)
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    percent_axis(ax.yaxis, digits=0 if share.max() > 0.05 else 1)
    ax.set_ylabel("Share of customers")
    ax.set_xlabel(axis_label(result.quantity))
    finding(ax, _law_sentence(result))
    return describe(
        ax,
        f"Bars of the share of customers by {result.quantity}, by {result.model}: mean "
        f"{_level(result, result.mean)}, median {_level(result, result.median)}. "
        f"{_law_sentence(result)}.",
    )


def _mark_mean(ax: Axes, result: LawShares) -> None:
    ax.axvline(result.mean, color=PALETTE["vermilion"], lw=2, ls="--")
    right = result.mean < np.mean(ax.get_xlim())
    ax.annotate(
        f"mean {_level(result, result.mean)}",
        (result.mean, 1),
        (8 if right else -8, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="left" if right else "right",
        va="top",
        color=PALETTE["vermilion"],
        fontsize=14,
    )


def _level(result: LawShares, value: float) -> str:
    """Write a rate in three digits, a probability in percent."""
    return percent(value) if result.frame["upper"].iloc[-1] == 1 else compact_number(value)


def _law_sentence(result: LawShares) -> str:
    shares = result.frame["share"].to_numpy()
    if result.alike and result.mean == 0:
        return f"Nobody leaves: the {result.quantity} is 0 for all customers"
    quantity = result.quantity[:1].upper() + result.quantity[1:]
    if result.alike:
        return f"{quantity}: {_level(result, result.mean)} for all customers alike"
    if math.isclose(shares[0] + shares[-1], 1) and result.frame["upper"].iloc[-1] == 1:
        return f"{percent(shares[-1])} of customers leave at the first occasion, the others never"
    return (
        f"{quantity}: half the customers lie below {_level(result, result.median)}, the mean is "
        f"{_level(result, result.mean)}"
    )


def model_bars(
    result: ModelComparison, measure: str = "aic_difference", ax: Axes | None = None
) -> Axes:
    """Draw one measure of all models, and of the baselines where it has one.

    Parameters
    ----------
    result : ModelComparison
        From `keycustomer.lifetime.compare_models`.
    measure : {"aic_difference", "rmse", "mae", "total_ratio", "correlation", "capture"}
        Column of the comparison.
    ax : Axes, optional
        Axes to draw into.

    Raises
    ------
    ValueError
        When there is no such measure.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure={measure!r}: one of {', '.join(map(repr, MEASURES))} is needed")
    frame = result.frame.dropna(subset=measure).iloc[::-1].reset_index(drop=True)
    if frame.empty:
        sentence = f"Nothing to compare: no model has a value of {measure}"
        return describe(finding(new_axes(ax), sentence), sentence)
    ax = new_axes(ax, size=(10, max(3.5, 1.8 + 0.55 * len(frame))))
    colours = [PALETTE["blue"] if kind == "model" else PALETTE["grey"] for kind in frame["kind"]]
    ax.barh(frame.index, frame[measure], color=colours, height=0.65)
    texts = [_written(value, measure) for value in frame[measure]]
    for place, (value, text) in enumerate(zip(frame[measure], texts, strict=True)):
        ax.annotate(
            text,
            (max(value, 0), place),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=14,
            bbox={"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 1},
        )
    names = [escape_label(name, 28) for name in frame["predictor"]]
    ax.set_yticks(frame.index, names)
    ax.grid(visible=False, axis="y")
    low, high = min(frame[measure].min(), 0), max(frame[measure].max(), 0)
    ax.set_xlim(1.1 * low, high + 0.16 * ((high - low) or 1))
    if measure == "total_ratio":
        ax.axvline(1, color=PALETTE["vermilion"], lw=2, ls="--")
    if measure == "capture":
        percent_axis(ax.xaxis)
    ax.set_xlabel(MEASURES[measure])
    sentence = _winner_sentence(frame.iloc[::-1], measure)
    finding(ax, sentence, width=title_width(ax, names))
    told = "; ".join(f"{name} {text}" for name, text in zip(names[::-1], texts[::-1], strict=True))
    return describe(ax, f"Bars. {MEASURES[measure]}: {told}.")


def _written(value: float, measure: str) -> str:
    if measure == "capture":
        return percent(value)
    return f"{value:,.1f}" if measure == "aic_difference" else f"{value:.3f}"


def _winner_sentence(frame: pd.DataFrame, measure: str) -> str:
    """Name the best model, and the best baseline beside it."""
    if measure == "aic_difference":
        ranked = frame.sort_values(measure)
        if len(ranked) == 1:
            return f"{ranked['predictor'].iloc[0]} is the only model with a likelihood"
        best, second = ranked["predictor"].iloc[:2]
        gap = ranked[measure].iloc[1]
        return f"{best} fits best by AIC, {_written(gap, measure)} below {second}"
    told = [
        f"{_written(best[measure], measure)} by {best['predictor']}"
        for kind in ("model", "baseline")
        for best in _best(frame[frame["kind"] == kind], measure)
    ]
    return f"{MEASURES[measure]}: {', against '.join(told)}"


def _best(frame: pd.DataFrame, measure: str) -> list[dict[Hashable, Any]]:
    """Row of the best by a measure, if there is any."""
    distance = frame[measure]
    if measure == "total_ratio":
        distance = (distance - 1).abs()
    order = np.argsort(-distance if measure in MORE_IS_BETTER else distance, kind="stable")
    return frame.iloc[order[:1]].to_dict("records")


def renewal_curve(
    result: SurvivalCurve,
    ax: Axes | None = None,
    *,
    measure: str = "survival",
    model: ShiftedBetaGeometric | None = None,
    renewals: int | None = None,
) -> Axes:
    """Draw the survival of contracts, or their retention rates, beside those of a model.

    Parameters
    ----------
    result : SurvivalCurve
        From `keycustomer.lifetime.survival_curve`.
    ax : Axes, optional
        Axes to draw into.
    measure : {"survival", "retention"}
        Share of all customers who made a renewal, or of those who came to it.
    model : ShiftedBetaGeometric, optional
        From `keycustomer.lifetime.fit_sbg`; drawn as a line, beyond what was observed, too.
    renewals : int, optional
        Renewals up to which the model is drawn; left out, half as many again as were observed.

    Raises
    ------
    ValueError
        When there is no such measure.
    """
    if measure not in RENEWALS:
        raise ValueError(f"measure={measure!r}: one of {', '.join(map(repr, RENEWALS))} is needed")
    ax = new_axes(ax)
    seen = result.to_frame()
    seen = seen[(seen["renewal"] >= (measure == "retention")) & (seen["at_risk"] > 0)]
    _draw_observed(ax, seen, measure)
    told = [_ends("observed", seen["renewal"], seen[measure])]
    if model is not None:
        last = int(seen["renewal"].max())
        ahead = np.arange(int(measure == "retention"), (renewals or -(-3 * last // 2)) + 1)
        values = model.survival(ahead) if measure == "survival" else model.retention_rate(ahead)
        ax.plot(ahead, values, color=PALETTE["orange"], zorder=1, label=model.model)
        told.append(_ends(model.model, ahead, values))
        ax.legend(loc="best")
    ax.set_ylim(0, 1.03)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    percent_axis(ax.yaxis)
    ax.set_xlabel(f"Renewal (one a {result.unit})")
    ax.set_ylabel(RENEWALS[measure])
    sentence = "; ".join(told)
    opening = "Customers left" if measure == "survival" else "Retention rate"
    finding(ax, f"{opening}: {sentence}")
    return describe(
        ax,
        f"{RENEWALS[measure]} by renewal, {counted(round(result.customers), 'customer')}: "
        f"{sentence}.",
    )


def _draw_observed(ax: Axes, seen: pd.DataFrame, measure: str) -> None:
    """Draw the shares observed, survival with its intervals."""
    share = seen[measure].to_numpy()
    whiskers = None
    if measure == "survival":
        ends = np.vstack([share - seen["lower"], seen["upper"] - share])
        whiskers = np.maximum(np.nan_to_num(ends), 0)
    ax.errorbar(
        seen["renewal"],
        share,
        yerr=whiskers,
        fmt="o",
        ms=9,
        lw=2.5,
        color=PALETTE["blue"],
        label="observed",
    )


def _ends(who: str, renewal: Iterable[int], share: Iterable[float]) -> str:
    """Say the last known share, and the first one of retention rates."""
    known = [(n, value) for n, value in zip(renewal, share, strict=True) if math.isfinite(value)]
    if not known:
        return f"{who} not known"
    (first, begin), (last, end) = known[0], known[-1]
    opening = "" if first == 0 or last == first else f"{percent(begin, 0)} at the first renewal, "
    when = "at the first renewal" if last == 1 else f"at renewal {last}"
    return f"{who} {opening}{percent(end, 0)} {when}"

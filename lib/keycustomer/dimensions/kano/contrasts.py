"""Penalty-reward contrasts: what good and bad performance do to satisfaction, each by itself.

Kano asks customers what an attribute would be to them.  :func:`penalty_reward` asks the data: it
regresses satisfaction on two dummies an attribute, one for low performance (at most `low`), one for
high performance (at least `high`), against performance between.  The penalty is what low
performance changes, the reward what high performance changes.  An attribute that punishes and does
not reward is must-be, one that rewards and does not punish attractive, one that does both
one-dimensional.

Two traps are computed rather than told.  The cut-offs are a choice
(:func:`penalty_reward_by_cut_offs`), and a straight relation seems asymmetric when low answers lie
further from the middle than high ones do: `beyond_linear` is the asymmetry that is left when what
straight lines explain has been taken away.

Sources: Brandt, "How service marketers can identify value-enhancing service elements" (Journal of
Services Marketing 2(3), 1988); Matzler & Sauerwein (2002), International Journal of Service
Industry Management 13(4), 314-332; Mikulic & Prebezac, "Prioritizing improvement of service
attributes using impact range-performance analysis and impact-asymmetry analysis" (Managing Service
Quality 18(6), 2008), for range and asymmetry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.complaints import refuse
from keycustomer.dimensions.kano.classification import classes_in_words
from keycustomer.dimensions.measurement.answers import (
    flat_complaints,
    item_complaints,
    number_complaints,
)
from keycustomer.stats import Estimate, bootstrap, bootstrap_estimate
from keycustomer.stats.bootstrap import Progress, Seed, checked_level
from keycustomer.stats.samples import FloatArray

FEWEST_IN_GROUP = 10
"""Respondents that low and high performance need each, for a contrast to be computed."""

SINGULAR = 1e-10
"""Smallest eigenvalue of a regression, as a share of the largest, that counts as independent."""

PILED_UP = 0.2
"""Share of answers at one end of the scale from which that is told."""

MEASURES = ("penalty", "reward", "range", "asymmetry", "beyond_linear")
"""What is estimated of each attribute, in this order."""

CutOff = float | Mapping[str, float]


@dataclass(frozen=True, eq=False)
class PenaltyReward:
    """Penalty-reward contrasts of attributes.

    Attributes
    ----------
    frame : DataFrame
        One row an attribute: ``attribute``, ``column``; ``low``, ``middle``, ``high``
        (respondents); ``penalty`` and ``reward`` (change of the outcome against middle
        performance), ``range`` (reward less penalty), ``asymmetry`` (reward plus penalty),
        ``beyond_linear`` (asymmetry less that of straight lines; NaN where the performances are
        sums of each other), all in units of the outcome and with ``_lower`` and ``_upper``;
        ``impact_asymmetry`` (asymmetry over the sum of the absolute values, -1 only punishes .. 1
        only rewards); ``kano_class``.
    outcome : str
        What is explained.
    n : int
        Respondents with all answers.
    excluded : int
        Respondents left out since an answer is missing.
    r_squared, linear_r_squared : float
        Share of the outcome's variance explained by the dummies, and by straight lines.
    bend_p_value : float
        Of the F test that the dummies add nothing to straight lines.
    level : float
        Level of the intervals.
    method : str
        How the intervals were made.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    outcome: str
    n: int
    excluded: int
    r_squared: float
    linear_r_squared: float
    bend_p_value: float
    level: float
    method: str
    notes: tuple[str, ...]

    @property
    def classes(self) -> dict[str, str]:
        """Letter of the class by attribute."""
        return dict(zip(self.frame["attribute"], self.frame["kano_class"], strict=True))

    @property
    def sentence(self) -> str:
        """The classes in words."""
        return classes_in_words(self.classes)

    def estimate(self, attribute: str, measure: str) -> Estimate:
        """One figure of one attribute with its interval.

        Parameters
        ----------
        attribute : str
            The attribute.
        measure : {"penalty", "reward", "range", "asymmetry", "beyond_linear"}
            The figure.

        Raises
        ------
        ValueError
            When there is no such attribute or measure.
        """
        row = self.frame[self.frame["attribute"] == attribute]
        if row.empty or measure not in MEASURES:
            raise ValueError(
                f"no {measure!r} of {attribute!r}; measures are {', '.join(MEASURES)}, attributes "
                f"{', '.join(self.frame['attribute'])}"
            )
        point, lower, upper = (
            float(row[measure + end].iloc[0]) for end in ("", "_lower", "_upper")
        )
        unit = f"units of {self.outcome}"
        return Estimate(point, lower, upper, unit, self.n, self.method, self.level)

    def to_frame(self) -> pd.DataFrame:
        """One row an attribute."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        said = (
            f"{self.outcome} of {counted(self.n, 'respondent')} ({self.excluded:,} left out for a "
            f"missing answer): dummies explain {self.r_squared:.1%} of its variance, straight "
            f"lines {self.linear_r_squared:.1%}."
        )
        shown = ["attribute", "low", "high", *MEASURES, "kano_class"]
        tables = {"Penalties and rewards": self.frame[shown]}
        return report_html("Penalty-reward contrasts", [self.sentence, said, *self.notes], tables)


def penalty_reward(
    answers: pd.DataFrame,
    outcome: str,
    performance: Mapping[str, str] | Sequence[str],
    *,
    low: CutOff,
    high: CutOff,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> PenaltyReward:
    """Estimate penalties and rewards of attributes.

    Parameters
    ----------
    answers : DataFrame
        One row a respondent; numbers, NaN where not answered.  Respondents who left any of the
        questions used open are left out and counted.
    outcome : str
        Column of satisfaction (or loyalty ...).
    performance : mapping of str to str, or sequence of str
        Column of the perceived performance by attribute; a sequence names columns that are their
        own attributes.
    low, high : float, or mapping of attribute to float
        Answers of at most `low` are low performance, of at least `high` high performance.
    level, draws, seed, progress
        Percentile bootstrap of respondents.

    Returns
    -------
    PenaltyReward
        Classes by intervals: ``R`` where the range lies below zero, ``I`` where it may be zero;
        otherwise ``A`` or ``M`` where the asymmetry lies above or below zero, else ``O``.

    Raises
    ------
    TypeError, ValueError
        With every complaint: columns missing or not numeric, constant answers, cut-offs that do
        not rise, fewer than 10 low or high answers, attributes whose dummies cannot be told apart.
    """
    checked_level(level)
    columns = _columns_of(performance)
    _check_columns(answers, outcome, columns)
    used = answers[[outcome, *columns.values()]].astype(float).dropna()
    lows, highs = (_cut_offs(cut, columns, which) for cut, which in ((low, "low"), (high, "high")))
    performances = used[list(columns.values())].to_numpy()
    dummies = np.column_stack([performances <= lows, performances >= highs]).astype(float)
    _check_groups(list(columns), used, dummies, lows, highs)
    design = _Design.of(used[outcome].to_numpy(), performances, dummies)
    names = np.array([f"{name} {side}" for side in ("low", "high") for name in columns])
    design.refuse_dependent(names)
    drawn = bootstrap(
        design.measures, np.ones(len(used)), draws=draws, seed=seed, progress=progress
    )
    frame, method = _frame(design, drawn, columns, dummies, level)
    fits = design.r_squared()
    return PenaltyReward(
        frame=frame,
        outcome=outcome,
        n=len(used),
        excluded=len(answers) - len(used),
        r_squared=fits[0],
        linear_r_squared=fits[1],
        bend_p_value=_bend_p_value(used[outcome].to_numpy(), performances, dummies),
        level=level,
        method=method,
        notes=(*_notes(frame, drawn), *_piled_up(used)),
    )


def penalty_reward_by_cut_offs(
    answers: pd.DataFrame,
    outcome: str,
    performance: Mapping[str, str] | Sequence[str],
    cut_offs: Iterable[tuple[float, float]],
    *,
    level: float = 0.95,
    draws: int = 400,
    seed: Seed = 0,
) -> pd.DataFrame:
    """Show how the classes depend on where performance is called low and high.

    Parameters
    ----------
    answers, outcome, performance, level, draws, seed
        As in :func:`penalty_reward`.
    cut_offs : iterable of (low, high)
        Cut-offs to compare.

    Returns
    -------
    DataFrame
        One row an attribute and pair of cut-offs: ``attribute``, ``low``, ``high``, ``penalty``,
        ``reward``, ``beyond_linear``, ``kano_class``, ``problem`` (why a pair of cut-offs gives no
        contrast, such as too few low answers; else empty).

    Raises
    ------
    ValueError
        When there is no pair of cut-offs.
    """
    columns = _columns_of(performance)
    parts = []
    for low, high in cut_offs:
        _check_columns(answers, outcome, columns)
        try:
            result = penalty_reward(
                answers, outcome, columns, low=low, high=high, level=level, draws=draws, seed=seed
            )
            part, problem = result.frame.drop(columns=["low", "high"]), ""
        except ValueError as error:
            part, problem = pd.DataFrame({"attribute": list(columns)}), str(error)
        parts.append(part.assign(low=low, high=high, problem=problem))
    if not parts:
        raise ValueError("cut_offs holds no pair; give some such as [(2, 6), (3, 6), (3, 5)]")
    shown = ["attribute", "low", "high", "penalty", "reward", "beyond_linear", "kano_class"]
    return pd.concat(parts, ignore_index=True).reindex(columns=[*shown, "problem"])


def _columns_of(performance: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    if isinstance(performance, str):
        raise TypeError(f"performance is a list or mapping of columns, such as [{performance!r}]")
    if isinstance(performance, Mapping):
        return {str(name): column for name, column in performance.items()}
    return {str(column): column for column in performance}


def _check_columns(answers: pd.DataFrame, outcome: str, columns: dict[str, str]) -> None:
    if not isinstance(answers, pd.DataFrame):
        raise TypeError(f"answers: a pandas DataFrame is needed, got {type(answers).__name__}")
    if not columns:
        raise ValueError("performance names no attribute")
    names = [outcome, *columns.values()]
    complaints = item_complaints(answers, {}, names)
    for name in names if not complaints else ():
        complaints += number_complaints(name, answers[name]) or flat_complaints(name, answers[name])
    refuse(complaints, "penalties and rewards cannot be estimated")


def _cut_offs(cut: CutOff, columns: dict[str, str], which: str) -> FloatArray:
    if not isinstance(cut, Mapping):
        return np.full(len(columns), float(cut))
    absent = [name for name in columns if name not in cut]
    if absent:
        raise ValueError(f"{which} has no cut-off for {', '.join(absent)}")
    return np.array([float(cut[name]) for name in columns])


def _check_groups(
    names: list[str], used: pd.DataFrame, dummies: FloatArray, lows: FloatArray, highs: FloatArray
) -> None:
    crossed = [f"{n} ({a:g}, {b:g})" for n, a, b in zip(names, lows, highs, strict=True) if a >= b]
    if crossed:
        raise ValueError(f"low must lie below high, got {', '.join(crossed)}")
    counts = dummies.sum(axis=0).reshape(2, -1)
    few = [
        f"{name}: {low:.0f} low (at most {a:g}), {high:.0f} high (at least {b:g}), "
        f"{len(used) - low - high:.0f} between"
        for name, low, high, a, b in zip(names, *counts, lows, highs, strict=True)
        if min(low, high, len(used) - low - high) < FEWEST_IN_GROUP
    ]
    if few:
        raise ValueError(
            f"of {len(used):,} respondents with all answers, fewer than {FEWEST_IN_GROUP} are low, "
            f"high or between: {'; '.join(few)}; move the cut-offs, also for single attributes, as "
            "in low={'price': 3, ...}"
        )


@dataclass(frozen=True, eq=False)
class _Design:
    """Products of all variables of each respondent, so that a resample is one weighted sum.

    The variables are 1, the performances, their dummies (all low ones, then all high ones) and the
    outcome, in this order.
    """

    products: FloatArray
    attributes: int

    @classmethod
    def of(cls, outcome: FloatArray, performance: FloatArray, dummies: FloatArray) -> _Design:
        # deviations from the mean keep the sums small; contrasts do not change by it
        centred = [v - v.mean(axis=0) for v in (performance, outcome)]
        ones = np.ones((len(outcome), 1))
        variables = np.column_stack([ones, centred[0], dummies, centred[1]])
        upper = np.triu_indices(variables.shape[1])
        return cls(variables[:, upper[0]] * variables[:, upper[1]], performance.shape[1])

    def moments(self, weights: FloatArray) -> FloatArray:
        """Weighted sums of products, shape (rows, variables, variables)."""
        size = 3 * self.attributes + 2
        rows, columns = np.triu_indices(size)
        full = np.empty((len(weights), size, size))
        sums = weights @ self.products
        full[:, rows, columns] = sums
        full[:, columns, rows] = sums
        return full

    @property
    def lines(self) -> list[int]:
        """Places of the constant and the performances."""
        return list(range(self.attributes + 1))

    @property
    def steps(self) -> list[int]:
        """Places of the constant and the dummies."""
        return [0, *range(self.attributes + 1, 3 * self.attributes + 1)]

    def refuse_dependent(self, names: npt.NDArray[np.str_]) -> None:
        """Refuse dummies that are sums of others, naming them."""
        moments = self.moments(np.ones((1, len(self.products))))[0]
        matrix = moments[np.ix_(self.steps, self.steps)]
        values, vectors = np.linalg.eigh(matrix)
        if values[0] > SINGULAR * values[-1]:
            return
        involved = np.abs(vectors[1:, 0]) > 1e-6
        raise ValueError(
            f"the contrasts of {', '.join(names[involved])} cannot be told apart: whoever rates "
            "one of them so rates the others so too; leave all but one of these attributes out, or "
            "move the cut-offs"
        )

    def measures(self, weights: FloatArray) -> FloatArray:
        """All measures of all attributes, shape (rows, measures x attributes).

        NaN where the contrasts are not defined, as in a resample without low answers; those beyond
        straight lines only, where straight lines explain a dummy wholly.
        """
        moments = self.moments(weights)
        effects = _regress(moments, self.steps, [-1])[:, 1:, 0]
        slopes = _regress(moments, self.lines, [-1])
        implied = _regress(moments, self.steps, self.lines) @ slopes
        penalty, reward = np.split(effects, 2, axis=1)
        linear_penalty, linear_reward = np.split(implied[:, 1:, 0], 2, axis=1)
        asymmetry = reward + penalty
        beyond = asymmetry - linear_penalty - linear_reward
        return np.concatenate([penalty, reward, reward - penalty, asymmetry, beyond], axis=1)

    def r_squared(self) -> tuple[float, float]:
        """Share of variance explained by the dummies and by straight lines."""
        moments = self.moments(np.ones((1, len(self.products))))
        total = moments[0, -1, -1]
        shares = []
        for places in (self.steps, self.lines):
            effects = _regress(moments, places, [-1])[0, :, 0]
            shares.append(float(effects @ moments[0, places, -1] / total))
        return shares[0], shares[1]


def _regress(moments: FloatArray, given: list[int], explained: list[int]) -> FloatArray:
    """Least-squares coefficients of each row, NaN where they are not unique."""
    among = moments[:, given][:, :, given]
    with_them = moments[:, given][:, :, explained]
    values, vectors = np.linalg.eigh(among)
    defined = values[:, 0] > SINGULAR * values[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = (vectors / values[:, None, :]) @ vectors.transpose(0, 2, 1)
        coefficients = inverse @ with_them
    return np.where(defined[:, None, None], coefficients, np.nan)


def _bend_p_value(outcome: FloatArray, performance: FloatArray, dummies: FloatArray) -> float:
    """F test of straight lines and dummies against straight lines alone."""
    from scipy.stats import f

    lines = np.column_stack([np.ones(len(outcome)), performance])
    left, ranks = [], []
    for design in (lines, np.column_stack([lines, dummies])):
        effects, _, rank, _ = np.linalg.lstsq(design, outcome, rcond=SINGULAR)
        left.append(float(((outcome - design @ effects) ** 2).sum()))
        ranks.append(int(rank))
    added, freedom = ranks[1] - ranks[0], len(outcome) - ranks[1]
    if added < 1 or freedom < 1 or left[1] <= 0:
        return np.nan
    return float(f.sf((left[0] - left[1]) / added / (left[1] / freedom), added, freedom))


def _frame(
    design: _Design,
    drawn: FloatArray,
    columns: dict[str, str],
    dummies: FloatArray,
    level: float,
) -> tuple[pd.DataFrame, str]:
    """Table of the estimates, and how their intervals were made."""
    n, size = len(dummies), len(columns)
    point = design.measures(np.ones((1, n)))[0]
    estimates = [
        bootstrap_estimate(value, drawn[:, k], unit="", n=n, level=level)
        for k, value in enumerate(point)
    ]
    counts = dummies.sum(axis=0).astype(int).reshape(2, size)
    frame = pd.DataFrame({"attribute": list(columns), "column": list(columns.values())})
    frame = frame.assign(low=counts[0], middle=n - counts.sum(axis=0), high=counts[1])
    for place, measure in enumerate(MEASURES):
        part = estimates[place * size : (place + 1) * size]
        frame[measure] = [e.estimate for e in part]
        frame[f"{measure}_lower"] = [e.lower for e in part]
        frame[f"{measure}_upper"] = [e.upper for e in part]
    size_of = frame["reward"].abs() + frame["penalty"].abs()
    frame["impact_asymmetry"] = frame["asymmetry"] / size_of.where(size_of > 0)
    frame["kano_class"] = _classes(frame)
    return frame, estimates[0].method


def _classes(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    kinds = [
        (frame["range_lower"].isna(), ""),
        (frame["range_upper"] < 0, "R"),
        (frame["range_lower"] <= 0, "I"),
        (frame["asymmetry_lower"] > 0, "A"),
        (frame["asymmetry_upper"] < 0, "M"),
    ]
    return np.select([condition for condition, _ in kinds], [letter for _, letter in kinds], "O")


def _notes(frame: pd.DataFrame, drawn: FloatArray) -> list[str]:
    notes = []
    undefined = int(np.isnan(drawn[:, : 2 * len(frame)]).any(axis=1).sum())
    if undefined:
        notes.append(
            f"{undefined:,} of {len(drawn):,} resamples have no contrasts, for want of low or high "
            "answers: no intervals and no classes; move the cut-offs"
        )
    seeming = frame[
        frame["kano_class"].isin(["A", "M"])
        & ~((frame["beyond_linear_lower"] > 0) | (frame["beyond_linear_upper"] < 0))
    ]
    if len(seeming):
        notes.append(
            f"the asymmetry of {', '.join(seeming['attribute'])} is no more than straight lines "
            "and the cut-offs would show: it does not establish the class"
        )
    return notes


def _piled_up(used: pd.DataFrame) -> list[str]:
    """Tell the columns whose answers pile up at an end, where the scale hides what lies beyond."""
    ends = [
        f"{column} ({(used[column] == end).mean():.0%} answer {end:g})"
        for column in used
        if used[column].nunique() > 2
        for end in (used[column].min(), used[column].max())
        if (used[column] == end).mean() >= PILED_UP
    ]
    if not ends:
        return []
    more = f" and {len(ends) - 3} more" if len(ends) > 3 else ""
    return [
        f"answers pile up at an end of the scale, which bends even a straight relation: "
        f"{', '.join(ends[:3])}{more}"
    ]

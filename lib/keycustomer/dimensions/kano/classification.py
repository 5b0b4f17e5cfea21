"""Kano classes by the table: what each attribute is to customers, and how sure that is.

:func:`classify_kano` counts the classes of all respondents' pairs of answers.  The most frequent
class names the attribute (ties: M before O before A before I).  Beside it stand what the class
hides: the Better and Worse coefficients with intervals, Fong's test of the first against the
second class, an exact test of the same, and how often resamples of the respondents give the same
class.

Better = (A + O) / (A + O + M + I) says how far an attribute, when given, satisfies; Worse =
-(O + M) / (A + O + M + I) how far it dissatisfies when it is not.

Sources: Berger et al. (1993); Fong, "Using the self-stated importance questionnaire to interpret
Kano questionnaire results" (Center for Quality of Management Journal 5(3), 1996), for the test;
Timko (1993) in Berger et al. for Better and Worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.kano.evaluation import (
    CLASS_NAMES,
    CLASSES,
    count_classes,
    evaluate_pairs,
    grouped_class,
    leading_class,
)
from keycustomer.dimensions.kano.pairs import EVERYBODY, WITH, WITHOUT, KanoPairs, read_pairs
from keycustomer.stats.bootstrap import Seed, checked_level
from keycustomer.stats.proportion import wilson_interval

FEW = 30
"""Respondents below which a class is said to rest on few answers."""


@dataclass(frozen=True, eq=False)
class KanoClasses:
    """Kano classes of attributes by the table.

    Attributes
    ----------
    frame : DataFrame
        One row a group and attribute (all respondents first, under the empty group):
        ``attribute``, ``group``, ``n``; ``M``, ``O``, ``A``, ``I``, ``R``, ``Q`` (answers);
        ``kano_class`` (most frequent), ``grouped_class`` (rule of Berger et al.); ``better`` and
        ``worse`` with ``_lower`` and ``_upper`` (Wilson intervals, NaN where nobody answered
        A, O, M or I); ``category_strength`` (first less second class, share of n),
        ``total_strength`` (M, O and A, share of n); ``second_class``; ``fong_difference``,
        ``fong_margin`` (answers), ``distinct`` (difference at least the margin),
        ``p_value`` (exact test that both classes are equally frequent); ``stability`` (share of
        resamples of respondents with the same class).
    excluded : DataFrame
        attribute, what, respondents not counted.
    level : float
        Level of the intervals.
    fong_level : float
        Level of Fong's test.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    excluded: pd.DataFrame = field(repr=False)
    level: float
    fong_level: float
    notes: tuple[str, ...]

    @property
    def overall(self) -> pd.DataFrame:
        """Rows of all respondents together."""
        return self.of_group(EVERYBODY)

    @property
    def classes(self) -> dict[str, str]:
        """Letter of the class by attribute, all respondents together."""
        overall = self.overall
        return dict(zip(overall["attribute"], overall["kano_class"], strict=True))

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups asked for, without that of all respondents."""
        return tuple(name for name in self.frame["group"].unique() if name != EVERYBODY)

    @property
    def sentence(self) -> str:
        """The classes in words."""
        return classes_in_words(self.classes)

    def of_group(self, group: str) -> pd.DataFrame:
        """Rows of one group.

        Raises
        ------
        ValueError
            When there is no such group.
        """
        chosen = self.frame[self.frame["group"] == group]
        if chosen.empty:
            names = ", ".join(map(repr, self.groups)) or "none; give by= to classify_kano"
            raise ValueError(f"no group {group!r}; there are {names}")
        return chosen.reset_index(drop=True)

    def differences(self) -> pd.DataFrame:
        """Test by attribute whether the groups answer alike.

        Returns
        -------
        DataFrame
            ``attribute``, ``classes`` (by group, in words), ``chi_square``, ``freedom``,
            ``p_value``, ``p_adjusted`` (Holm, over the attributes), ``cramers_v`` (0 alike .. 1).
            Where the expected counts are small the test is rough.

        Raises
        ------
        ValueError
            When there are not at least two groups.
        """
        if len(self.groups) < 2:
            raise ValueError(
                f"differences needs at least two groups, there are {len(self.groups)}; give by= "
                "to classify_kano"
            )
        rows = [
            {"attribute": name, **_homogeneity(part)}
            for name, part in self.frame[self.frame["group"] != EVERYBODY].groupby(
                "attribute", sort=False
            )
        ]
        frame = pd.DataFrame(rows)
        frame.insert(5, "p_adjusted", _holm(frame["p_value"].to_numpy()))
        return frame

    def to_frame(self) -> pd.DataFrame:
        """One row a group and attribute."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = [
            "attribute",
            *(["group"] if self.groups else []),
            *("n", *CLASSES, "kano_class", "better", "worse", "distinct", "stability"),
        ]
        tables = {"Classes of the attributes": self.frame[shown], "Not counted": self.excluded}
        return report_html("Kano classes", [self.sentence, *self.notes], tables)


def classify_kano(
    answers: pd.DataFrame,
    attributes: Sequence[str] | None = None,
    *,
    functional: str = WITH,
    dysfunctional: str = WITHOUT,
    by: str | None = None,
    level: float = 0.95,
    fong_level: float = 0.90,
    draws: int = 1000,
    seed: Seed = 0,
) -> KanoClasses:
    """Classify attributes by Kano's table.

    Parameters
    ----------
    answers : DataFrame
        One row a respondent, two columns an attribute, answered from 1 (like) over 2 (must-be),
        3 (neutral) and 4 (live with) to 5 (dislike); NaN where not answered.
    attributes : sequence of str, optional
        The attributes; default: all that have both columns.
    functional, dysfunctional : str
        How the columns on having and on not having the attribute begin.
    by : str, optional
        Column of groups, such as segments, classified each for itself too.
    level : float
        Level of the Wilson intervals of Better and Worse.
    fong_level : float
        Level of Fong's test, 0.90 in the source.
    draws, seed
        Resamples of respondents for the stability of the class.

    Returns
    -------
    KanoClasses

    Raises
    ------
    TypeError, ValueError
        With every complaint about the answers, or when a level or `draws` makes no sense.

    Notes
    -----
    Fong's margin z sqrt((a + b)(2n - a - b) / (2n)) treats the two counts as independent; being
    parts of one total they vary more, so that it calls too many classes distinct.  `p_value`, the
    binomial test of a against b, does not; neither allows for having picked the two largest.
    """
    checked_level(level)
    checked_level(fong_level)
    if isinstance(draws, bool) or draws < 1:
        raise ValueError(f"draws={draws!r}: at least one resample is needed")
    pairs = read_pairs(answers, attributes, functional, dysfunctional, by)
    cells = list(pairs.cells())
    counts = np.array(
        [count_classes(evaluate_pairs(*pairs.complete(name, group))) for group, name in cells]
    )
    frame = pd.DataFrame(
        {"attribute": [name for _, name in cells], "group": [group for group, _ in cells]}
    )
    frame = frame.assign(**_columns(counts, level, fong_level, draws, np.random.default_rng(seed)))
    return KanoClasses(frame, pairs.excluded(), level, fong_level, _notes(frame, pairs, by))


def classes_in_words(classes: dict[str, str]) -> str:
    """Name the attributes of each class in one sentence."""
    held = {
        name: [attribute for attribute, letter in classes.items() if letter == key]
        for key, name in CLASS_NAMES.items()
    }
    return "; ".join(f"{name}: {', '.join(who)}" for name, who in held.items() if who) + "."


def _columns(
    counts: npt.NDArray[np.int64],
    level: float,
    fong_level: float,
    draws: int,
    generator: np.random.Generator,
) -> dict[str, Any]:
    n = counts.sum(axis=1)
    leading = leading_class(counts)
    by_letter = dict(zip(CLASSES, counts.T, strict=True))
    return {
        "n": n,
        **by_letter,
        "kano_class": np.where(n > 0, leading, ""),
        "grouped_class": np.where(n > 0, grouped_class(counts), ""),
        **_better_worse(by_letter, level),
        **_first_and_second(counts, fong_level),
        "stability": [_stability(row, generator, draws) for row in counts],
    }


def _better_worse(by_letter: dict[str, Any], level: float) -> dict[str, Any]:
    satisfies, dissatisfies = by_letter["A"] + by_letter["O"], by_letter["O"] + by_letter["M"]
    base = satisfies + by_letter["M"] + by_letter["I"]
    with np.errstate(invalid="ignore"):
        better, worse = satisfies / base, 0.0 - dissatisfies / base
    lower, upper = wilson_interval(satisfies, base, level)
    nearer, farther = wilson_interval(dissatisfies, base, level)
    return {
        "better": better,
        "better_lower": lower,
        "better_upper": upper,
        "worse": worse,
        "worse_lower": 0.0 - farther,
        "worse_upper": 0.0 - nearer,
    }


def _first_and_second(counts: npt.NDArray[np.int64], fong_level: float) -> dict[str, Any]:
    """Strengths of the class, Fong's test and the exact test of first against second."""
    n = counts.sum(axis=1)
    order = np.argsort(-counts, axis=1, kind="stable")
    first, second = (np.take_along_axis(counts, order[:, [k]], 1)[:, 0] for k in (0, 1))
    with np.errstate(invalid="ignore"):
        strength, total = (first - second) / n, counts[:, :3].sum(axis=1) / n
    margin = fong_margin(first, second, n, fong_level)
    return {
        "category_strength": strength,
        "total_strength": total,
        "second_class": np.where(second > 0, np.array(list(CLASSES))[order[:, 1]], ""),
        "fong_difference": first - second,
        "fong_margin": margin,
        "distinct": (n > 0) & (first - second >= margin),
        "p_value": [_equal_p(a, b) for a, b in zip(first, second, strict=True)],
    }


def fong_margin(
    first: npt.ArrayLike, second: npt.ArrayLike, n: npt.ArrayLike, level: float = 0.90
) -> Any:
    """Least difference of the two largest counts that Fong's test calls distinct.

    Parameters
    ----------
    first, second : array of int
        Answers of the most and the second most frequent class.
    n : array of int
        Answers in all.
    level : float
        Level of the test; 0.90 gives the source's factor of 1.65.

    Returns
    -------
    ndarray of float
        z sqrt((a + b)(2n - a - b) / (2n)), NaN where there are no answers (Fong 1996).
    """
    both, total = np.add(first, second), np.asarray(n)
    z = NormalDist().inv_cdf((1 + checked_level(level)) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return z * np.sqrt(both * (2 * total - both) / (2 * total))


def _equal_p(first: int, second: int) -> float:
    from scipy.stats import binomtest

    both = int(first + second)
    return float(binomtest(int(first), both).pvalue) if both else np.nan


def _stability(counts: npt.NDArray[np.int64], generator: np.random.Generator, draws: int) -> float:
    """Share of resamples with the class of the counts themselves."""
    n = int(counts.sum())
    if not n:
        return np.nan
    drawn = generator.multinomial(n, counts / n, size=draws)
    return float((leading_class(drawn) == leading_class(counts)).mean())


def _homogeneity(part: pd.DataFrame) -> dict[str, Any]:
    from scipy.stats import chi2_contingency

    words = ", ".join(
        f"{group} {letter or 'none'}"
        for group, letter in zip(part["group"], part["kano_class"], strict=True)
    )
    table = part[list(CLASSES)].to_numpy()
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        # groups that all give one and the same class do not differ
        return {"classes": words, "chi_square": 0.0, "freedom": 0, "p_value": 1.0, "cramers_v": 0.0}
    chi_square, p_value, freedom, _ = chi2_contingency(table, correction=False)
    strength = np.sqrt(chi_square / (table.sum() * (min(table.shape) - 1)))
    return {
        "classes": words,
        "chi_square": float(chi_square),
        "freedom": int(freedom),
        "p_value": float(p_value),
        "cramers_v": float(strength),
    }


def _holm(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    order = np.argsort(p_values)
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def _notes(frame: pd.DataFrame, pairs: KanoPairs, by: str | None) -> tuple[str, ...]:
    few = frame[frame["n"] < FEW]
    doubtful = frame[(frame["group"] == EVERYBODY) & (frame["p_value"] >= 0.05)]
    strange = frame[(frame["group"] == EVERYBODY) & (frame["Q"] > 0.05 * frame["n"])]
    told = [
        f"{counted(len(few), 'class rests', 'classes rest')} on fewer than {FEW} respondents"
        if len(few)
        else "",
        f"the first class is not established against the second for "
        f"{', '.join(doubtful['attribute'])}"
        if len(doubtful)
        else "",
        f"more than 5 % of the answers contradict themselves (Q) for "
        f"{', '.join(strange['attribute'])}: was the question understood?"
        if len(strange)
        else "",
        f"{counted(pairs.without_group, 'respondent')} without {by} count in no group"
        if pairs.without_group
        else "",
    ]
    return tuple(note for note in told if note)

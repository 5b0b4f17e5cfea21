"""Continuous Kano: an attribute as a point, so that a majority does not hide the rest.

DuMouchel's scores turn the functional answer into 4, 2, 0, -1, -2 and the dysfunctional one into
-2, -1, 0, 2, 4 (like .. dislike); a strong answer weighs more than a weak one.
:func:`continuous_kano` averages both over the respondents.  The means place an attribute in a plane
whose corners are the pure classes: attractive (0, 4), one-dimensional (4, 4), must-be (4, 0),
indifferent (0, 0), with dissatisfaction when it is missing to the right and satisfaction when it is
there upwards.  The cuts lie midway between the corners, at 2, and at -1 towards reverse.

Source: DuMouchel, "Thoughts on graphical and continuous analysis", in Berger et al. (1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.kano.classification import FEW, classes_in_words
from keycustomer.dimensions.kano.pairs import EVERYBODY, WITH, WITHOUT, read_pairs
from keycustomer.stats.bootstrap import Seed, bootstrap, checked_level, percentile_interval
from keycustomer.stats.samples import FloatArray

FUNCTIONAL_SCORES = (4.0, 2.0, 0.0, -1.0, -2.0)
"""Scores of the answers 1 (like) to 5 (dislike) on having the attribute."""

DYSFUNCTIONAL_SCORES = (-2.0, -1.0, 0.0, 2.0, 4.0)
"""Scores of the answers 1 (like) to 5 (dislike) on not having it."""

HIGH_CUT, LOW_CUT = 2.0, -1.0
"""Cuts midway between the corners 0 and 4, and between 0 and -2."""

# rows: satisfaction when given low, middle, high; columns: dissatisfaction when missing
_PLANE = np.array([list("RRQ"), list("RIM"), list("QAO")])


@dataclass(frozen=True, eq=False)
class ContinuousKano:
    """Attributes in DuMouchel's plane.

    Attributes
    ----------
    frame : DataFrame
        One row a group and attribute (all respondents first, under the empty group):
        ``attribute``, ``group``, ``n``, ``satisfaction`` (mean functional score),
        ``dissatisfaction`` (mean dysfunctional score), each with ``_lower`` and ``_upper``
        (percentile bootstrap of respondents, NaN below two of them), ``kano_class``,
        ``stability`` (share of resamples with the same class), ``importance`` (mean stated
        importance, where asked for).
    excluded : DataFrame
        attribute, what, respondents not counted.
    level : float
        Level of the intervals.
    notes : tuple of str
        What a reader should know.
    """

    frame: pd.DataFrame = field(repr=False)
    excluded: pd.DataFrame = field(repr=False)
    level: float
    notes: tuple[str, ...]

    @property
    def overall(self) -> pd.DataFrame:
        """Rows of all respondents together."""
        return self.frame[self.frame["group"] == EVERYBODY].reset_index(drop=True)

    @property
    def classes(self) -> dict[str, str]:
        """Letter of the class by attribute, all respondents together."""
        overall = self.overall
        return dict(zip(overall["attribute"], overall["kano_class"], strict=True))

    @property
    def sentence(self) -> str:
        """The classes in words."""
        return classes_in_words(self.classes)

    def to_frame(self) -> pd.DataFrame:
        """One row a group and attribute."""
        return self.frame.copy()

    def _repr_html_(self) -> str:
        shown = self.frame.dropna(axis=1, how="all")
        if (shown["group"] == EVERYBODY).all():
            shown = shown.drop(columns="group")
        shown = shown[[c for c in shown if not str(c).endswith(("_lower", "_upper"))]]
        return report_html("Continuous Kano", [self.sentence, *self.notes], {"Mean scores": shown})


def continuous_kano(
    answers: pd.DataFrame,
    attributes: Sequence[str] | None = None,
    *,
    functional: str = WITH,
    dysfunctional: str = WITHOUT,
    importance: str | None = None,
    by: str | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: Seed = 0,
) -> ContinuousKano:
    """Place attributes in DuMouchel's plane.

    Parameters
    ----------
    answers, attributes, functional, dysfunctional, by
        As in :func:`keycustomer.dimensions.classify_kano`.
    importance : str, optional
        How the columns of stated importance begin, such as ``importance_``.
    level, draws, seed
        Bootstrap of respondents.

    Returns
    -------
    ContinuousKano

    Raises
    ------
    TypeError, ValueError
        With every complaint about the answers, or when `level` or `draws` makes no sense.
    """
    checked_level(level)
    pairs = read_pairs(answers, attributes, functional, dysfunctional, by)
    stated = _stated_importance(answers, pairs.attributes, importance)
    generator = np.random.default_rng(seed)
    rows = []
    for group, name in pairs.cells():
        first, second = pairs.complete(name, group)
        weights = stated[name].to_numpy()[pairs.groups[group]] if name in stated else np.array([])
        known = weights[~np.isnan(weights)]
        rows.append(
            {
                "attribute": name,
                "group": group,
                "n": len(first),
                **_place(kano_scores(first, second), level, draws, generator),
                "importance": known.mean() if known.size else np.nan,
            }
        )
    frame = pd.DataFrame(rows)
    notes = (
        f"{counted(pairs.without_group, 'respondent')} without {by} count in no group"
        if pairs.without_group
        else "",
        _negative_note(frame),
        _few_note(frame),
    )
    return ContinuousKano(frame, pairs.excluded(), level, tuple(filter(None, notes)))


def kano_scores(functional: npt.ArrayLike, dysfunctional: npt.ArrayLike) -> FloatArray:
    """DuMouchel's scores of pairs of answers.

    Parameters
    ----------
    functional, dysfunctional : array, shape (n,)
        Answers 1 to 5.

    Returns
    -------
    ndarray, shape (n, 2)
        Satisfaction when the attribute is there, dissatisfaction when it is missing.
    """
    first, second = (np.asarray(a, dtype=np.int64) - 1 for a in (functional, dysfunctional))
    return np.column_stack(
        [np.array(FUNCTIONAL_SCORES)[first], np.array(DYSFUNCTIONAL_SCORES)[second]]
    )


def plane_class(
    satisfaction: npt.ArrayLike, dissatisfaction: npt.ArrayLike
) -> npt.NDArray[np.str_]:
    """Class of points in the plane.

    Parameters
    ----------
    satisfaction, dissatisfaction : array
        Mean functional and dysfunctional scores.

    Returns
    -------
    ndarray of str
        Letters, empty where a mean is not known.
    """
    cuts = [LOW_CUT, HIGH_CUT]
    means = np.asarray(satisfaction, float), np.asarray(dissatisfaction, float)
    rows, columns = (np.digitize(np.nan_to_num(mean), cuts) for mean in means)
    return np.where(np.isnan(means[0] + means[1]), "", _PLANE[rows, columns])


def _place(
    scores: FloatArray, level: float, draws: int, generator: np.random.Generator
) -> dict[str, object]:
    """Means of the scores of one attribute, their intervals and the class."""
    unknown = np.full(2, np.nan)
    means = scores.mean(axis=0) if len(scores) else unknown
    kind = plane_class(means[0], means[1])
    ends = [(np.nan, np.nan)] * 2
    stability = np.nan
    if len(scores) > 1:
        drawn = bootstrap(
            lambda weights: weights @ scores / weights.sum(axis=1, keepdims=True),
            np.ones(len(scores)),
            draws=draws,
            seed=generator,
        )
        ends = [percentile_interval(drawn[:, k], level) for k in (0, 1)]
        stability = float((plane_class(drawn[:, 0], drawn[:, 1]) == kind).mean())
    return {
        "satisfaction": means[0],
        "satisfaction_lower": ends[0][0],
        "satisfaction_upper": ends[0][1],
        "dissatisfaction": means[1],
        "dissatisfaction_lower": ends[1][0],
        "dissatisfaction_upper": ends[1][1],
        "kano_class": str(kind),
        "stability": stability,
    }


def _stated_importance(
    answers: pd.DataFrame, attributes: Sequence[str], prefix: str | None
) -> pd.DataFrame:
    if prefix is None:
        return pd.DataFrame(index=answers.index)
    columns = [prefix + name for name in attributes]
    missing = [column for column in columns if column not in answers.columns]
    if missing:
        raise ValueError(f"answers: no columns {', '.join(missing)} of stated importance")
    text = [column for column in columns if answers[column].dtype.kind not in "iuf"]
    if text:
        raise ValueError(
            f"answers: columns {', '.join(text)} hold no numbers; read the survey with "
            "keycustomer.dimensions.read_answers first"
        )
    return answers[columns].astype(float).set_axis(list(attributes), axis=1)


def _few_note(frame: pd.DataFrame) -> str:
    few = frame[frame["n"] < FEW]
    if few.empty:
        return ""
    return (
        f"{counted(len(few), 'place rests', 'places rest')} on fewer than {FEW} respondents: "
        "resamples of so few answers spread too little, and not at all where all are alike"
    )


def _negative_note(frame: pd.DataFrame) -> str:
    against = frame[(frame["group"] == EVERYBODY) & frame["kano_class"].isin(["R", "Q"])]
    if against.empty:
        return ""
    return (
        f"{', '.join(against['attribute'])}: customers would rather do without, or the questions "
        "were not understood; look at the pairs of answers"
    )

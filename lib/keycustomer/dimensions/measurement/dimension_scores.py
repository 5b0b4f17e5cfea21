"""Factor scores: where each respondent, and each account, stands on the dimensions of value.

How much functional, convenience, social and experiential value does this account perceive, and how
sure is that?  :func:`score_dimensions` gives scores with their standard errors from a measurement
model, exploratory or confirmatory, using the answers a respondent gave and no more;
:func:`score_accounts` averages them over the respondents of an account.  Regression scores are
closest to the truth and shrink towards the mean the less was answered; Bartlett's are unbiased and
spread wider.

Sources: Thurstone, "The Vectors of Mind" (1935: regression scores); Bartlett (BJP 1937); Grice,
"Computing and evaluating factor scores" (Psychological Methods 2001) on determinacy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.customers.rendering import counted, report_html
from keycustomer.dimensions.measurement.factors import FactorSolution
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray

if TYPE_CHECKING:
    from keycustomer.dimensions.structural.fitted import SemFit

ScoreMethod: TypeAlias = Literal["regression", "bartlett"]

DETERMINATE = 0.8
"""Correlation of scores with the true values below which they should not rank single accounts."""


@dataclass(frozen=True, eq=False)
class MeasurementModel:
    """What turns answers into scores, everything in standard deviations.

    Attributes
    ----------
    loadings : DataFrame, shape (items, dimensions)
        Standardised loadings.
    correlations : DataFrame, shape (dimensions, dimensions)
        Correlations of the dimensions.
    uniquenesses : Series
        Share of each item's variance that no dimension explains.
    means, deviations : Series
        Of the items.
    """

    loadings: pd.DataFrame
    correlations: pd.DataFrame
    uniquenesses: pd.Series
    means: pd.Series
    deviations: pd.Series


@dataclass(frozen=True, eq=False)
class DimensionScores:
    """Scores of respondents on the dimensions.

    Attributes
    ----------
    scores : DataFrame, shape (respondents, dimensions)
        In standard deviations of the dimension, 0 the mean respondent of the model; NaN for those
        who cannot be scored.
    errors : DataFrame, shape (respondents, dimensions)
        Standard errors.
    determinacy : Series
        Correlation of each dimension's scores with its true values, when all items are answered.
    method : {"regression", "bartlett"}
        How the scores were made.
    partly : int
        Respondents scored from some of the items.
    unscored : int
        Respondents whose answers do not allow scores.
    notes : tuple of str
        What the reader should know of it.
    """

    scores: pd.DataFrame
    errors: pd.DataFrame = field(repr=False)
    determinacy: pd.Series
    method: str
    partly: int
    unscored: int
    notes: tuple[str, ...]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the dimensions."""
        return tuple(map(str, self.scores.columns))

    def to_frame(self) -> pd.DataFrame:
        """One row a respondent, with his index: a column a dimension, and `<dimension>_error`."""
        return self.scores.join(self.errors.add_suffix("_error"))

    def _repr_html_(self) -> str:
        table = pd.DataFrame(
            {
                "dimension": list(self.dimensions),
                "determinacy": self.determinacy.to_numpy(),
                "mean": self.scores.mean().to_numpy(),
                "sd": self.scores.std().to_numpy(),
                "error": self.errors.mean().to_numpy(),
            }
        )
        said = [f"{counted(len(self.scores), 'respondent')}, {self.method} scores", *self.notes]
        return report_html("Scores on the dimensions", said, {"Dimensions": table})


def score_dimensions(
    model: FactorSolution | SemFit | MeasurementModel,
    answers: pd.DataFrame,
    *,
    method: ScoreMethod = "regression",
) -> DimensionScores:
    """Score respondents on the dimensions of a measurement model.

    Parameters
    ----------
    model : FactorSolution, SemFit or MeasurementModel
        From `explore_factors`, or from `fit_cfa`.
    answers : DataFrame
        Answers to the model's items, NaN where not answered: scores then rest on the others.
    method : {"regression", "bartlett"}
        Closest to the truth, or unbiased for each respondent.

    Returns
    -------
    DimensionScores

    Raises
    ------
    TypeError
        When a table stands in the model's place.
    ValueError
        When the method is not known, items are missing from the table, or the model should not be
        read (a Heywood case, an improper or a structural model).
    """
    if method not in get_args(ScoreMethod):
        raise ValueError(f"method={method!r}: 'regression' or 'bartlett' is needed")
    known = _measurement(model)
    standard = _standardised(known, answers)
    dimensions = known.loadings.columns
    scores = np.full((len(answers), len(dimensions)), np.nan)
    errors = scores.copy()
    for seen, rows in _patterns(standard):
        weights, error = _weights(known, seen, method)
        if weights is not None:
            scores[rows] = standard[np.ix_(rows, seen)] @ weights
            errors[rows] = error
    answered = ~np.isnan(standard)
    scored = ~np.isnan(scores).any(axis=1)
    partly = int((scored & ~answered.all(axis=1)).sum())
    truth = _determinacy(known)
    return DimensionScores(
        pd.DataFrame(scores, answers.index, dimensions),
        pd.DataFrame(errors, answers.index, dimensions),
        truth,
        method,
        partly,
        int((~scored).sum()),
        tuple(_notes(partly, int((~scored).sum()), truth)),
    )


def _measurement(model: FactorSolution | SemFit | MeasurementModel) -> MeasurementModel:
    if isinstance(model, MeasurementModel):
        return model
    if isinstance(model, FactorSolution):
        if model.heywood:
            raise ValueError(f"the factors should not be read: {model.problems[0]}")
        return MeasurementModel(
            model.loadings, model.correlations, model.uniquenesses, model.means, model.deviations
        )
    if isinstance(model, pd.DataFrame):
        raise TypeError(
            "model is a DataFrame: the fitted model comes first, the answers second, as in "
            "score_dimensions(fit_cfa(constructs, answers), answers)"
        )
    return _confirmed(model)


def _confirmed(fit: SemFit) -> MeasurementModel:
    """Read the measurement model of a confirmatory factor analysis."""
    fit.refuse()
    table = fit.raw_parameters()
    if (table["operator"] == "~").any():
        raise ValueError(
            "scores are made from a measurement model, but this one has paths between its "
            "constructs; fit the constructs alone by fit_cfa"
        )
    items, constructs = list(fit.sample.items), list(fit.constructs)
    loadings = pd.DataFrame(0.0, items, constructs)
    correlations = pd.DataFrame(np.eye(len(constructs)), constructs, constructs)
    uniquenesses = pd.Series(0.0, items)
    for row in table.to_dict("records"):
        left, right, value = row["left"], row["right"], row["standardised"]
        if row["operator"] == "=~":
            loadings.loc[right, left] = value
        elif left in constructs:
            correlations.loc[left, right] = correlations.loc[right, left] = value
        elif left == right:
            uniquenesses[left] = value
        elif value:
            raise ValueError(f"scores need items whose errors are unrelated, not {left} ~~ {right}")
    deviations = pd.Series(np.sqrt(np.diag(fit.sample.covariance)), items)
    means = pd.Series(np.asarray(fit.sample.means), items)
    return MeasurementModel(loadings, correlations, uniquenesses, means, deviations)


def _standardised(model: MeasurementModel, answers: pd.DataFrame) -> FloatArray:
    items = list(model.loadings.index)
    lost = [item for item in items if item not in answers.columns]
    if lost:
        raise ValueError(f"answers: items of the model are missing: {', '.join(map(repr, lost))}")
    text = [item for item in items if answers[item].dtype.kind not in "iufb"]
    if text:
        raise ValueError(
            f"answers: {', '.join(map(repr, text))} hold no numbers; read the survey by "
            "read_answers first"
        )
    standard = (answers[items].astype(float) - model.means) / model.deviations
    return standard.to_numpy()


def _patterns(
    standard: FloatArray,
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Give the items seen and the respondents who answered just those, pattern by pattern."""
    answered = ~np.isnan(standard)
    patterns, member = np.unique(answered, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if pattern.any():
            yield np.flatnonzero(pattern), np.flatnonzero(member.ravel() == number)


def _weights(
    model: MeasurementModel, seen: npt.NDArray[np.int64], method: ScoreMethod
) -> tuple[FloatArray | None, FloatArray]:
    """Weights of the items seen, shape (seen, dimensions), and standard errors; None if unfit."""
    loadings = model.loadings.to_numpy()[seen]
    between = model.correlations.to_numpy()
    uniquenesses = model.uniquenesses.to_numpy()[seen]
    if method == "regression":
        implied = loadings @ between @ loadings.T + np.diag(uniquenesses)
        weights = np.linalg.solve(implied, loadings @ between)
        left = between - between @ loadings.T @ weights
        return weights, np.sqrt(np.maximum(np.diag(left), 0.0))
    if np.linalg.matrix_rank(loadings) < loadings.shape[1]:
        return None, np.full(loadings.shape[1], np.nan)
    weighted = loadings / uniquenesses[:, None]
    spread = np.linalg.inv(loadings.T @ weighted)
    return weighted @ spread, np.sqrt(np.diag(spread))


def _determinacy(model: MeasurementModel) -> pd.Series:
    """Correlation of regression scores with the true values, by dimension (Grice 2001)."""
    everything = np.arange(len(model.loadings), dtype=np.int64)
    _, errors = _weights(model, everything, "regression")
    return pd.Series(np.sqrt(1 - errors**2), model.loadings.columns)


def _notes(partly: int, unscored: int, determinacy: pd.Series) -> list[str]:
    weak = determinacy[determinacy < DETERMINATE]
    notes = []
    if partly:
        notes.append(f"{counted(partly, 'respondent')} scored from some of the items")
    if unscored:
        notes.append(f"{counted(unscored, 'respondent')} could not be scored")
    if len(weak):
        told = ", ".join(f"{name} ({value:.2f})" for name, value in weak.items())
        notes.append(
            f"scores too weakly tied to the true values to rank single accounts by them: {told}"
        )
    return notes


@dataclass(frozen=True, eq=False)
class AccountScores:
    """Scores of accounts on the dimensions of value.

    Attributes
    ----------
    frame : DataFrame
        One row an account and dimension: account, dimension, respondents, score (standard
        deviations of respondents), score_low, score_high, share_below (of the accounts with a
        lower score).
    dimensions : tuple of str
        Names of the dimensions.
    accounts : int
        Accounts with a score.
    unscored : int
        Respondents without account or score.
    level : float
        Confidence level of the intervals, which hold errors of measurement only.
    """

    frame: pd.DataFrame
    dimensions: tuple[str, ...]
    accounts: int
    unscored: int
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row an account and dimension, as in `frame`."""
        return self.frame.copy()

    def wide(self) -> pd.DataFrame:
        """One row an account, its id as index; a column a dimension, and `respondents`."""
        table = self.frame.pivot(index="account", columns="dimension", values="score")
        counts = self.frame.groupby("account")["respondents"].first()
        return table[list(self.dimensions)].assign(respondents=counts)

    def profile(self, account: object) -> pd.DataFrame:
        """Give the rows of one account, a dimension each.

        Raises
        ------
        KeyError
            When the account has no score.
        """
        rows = self.frame[self.frame["account"] == account]
        if rows.empty:
            raise KeyError(f"no account {account!r} has a score; {self.accounts:,} accounts have")
        return rows.reset_index(drop=True)

    def _repr_html_(self) -> str:
        said = [
            f"{counted(self.accounts, 'account')} scored on {', '.join(self.dimensions)}",
            *([f"{self.unscored:,} respondents without account or score"] * bool(self.unscored)),
        ]
        return report_html("Accounts on the dimensions of value", said, {"Scores": self.frame})


def score_accounts(
    scores: DimensionScores, accounts: pd.Series, *, level: float = 0.95
) -> AccountScores:
    """Average the scores of the respondents of each account.

    Parameters
    ----------
    scores : DimensionScores
        From :func:`score_dimensions`.
    accounts : Series
        Account of each respondent, with the index of the answers.
    level : float
        Confidence level.

    Raises
    ------
    ValueError
        When the accounts do not have the index of the scores, or nobody has a score.
    """
    checked_level(level)
    if not accounts.index.equals(scores.scores.index):
        raise ValueError(
            "accounts: the account of every respondent is needed, with the index of the answers; "
            f"got {len(accounts):,} accounts for {len(scores.scores):,} respondents"
        )
    whole = scores.scores.notna().all(axis=1) & accounts.notna()
    if not whole.any():
        raise ValueError("scores: no respondent has both a score and an account")
    reach = NormalDist().inv_cdf((1 + level) / 2)
    owner = accounts[whole]
    counts = owner.groupby(owner).size()
    parts = []
    for dimension in scores.scores.columns:
        score = scores.scores.loc[whole, dimension].groupby(owner).mean()
        squares = (scores.errors.loc[whole, dimension] ** 2).groupby(owner).sum()
        error = np.sqrt(squares) / counts
        parts.append(
            pd.DataFrame(
                {
                    "account": score.index,
                    "dimension": dimension,
                    "respondents": counts.to_numpy(),
                    "score": score.to_numpy(),
                    "score_low": (score - reach * error).to_numpy(),
                    "score_high": (score + reach * error).to_numpy(),
                    "share_below": _share_below(score).to_numpy(),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.sort_values("account", kind="stable", ignore_index=True)
    dimensions = scores.dimensions
    return AccountScores(frame, dimensions, len(counts), int((~whole).sum()), level)


def _share_below(score: pd.Series) -> pd.Series:
    """Share of the other accounts with a lower score, equal ones counted half."""
    if len(score) < 2:
        return pd.Series(math.nan, score.index)
    return (score.rank() - 1) / (len(score) - 1)

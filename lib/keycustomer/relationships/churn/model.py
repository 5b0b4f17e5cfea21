"""Churn models: the probability that a customer leaves in a period, given what is known of it.

:func:`fit_churn` fits a logistic regression or gradient-boosted trees to one row a customer and
period (or a customer); a `ChurnModel` predicts, and a logistic one gives odds ratios with
intervals clustered by customer.  An odds ratio says what goes together, not what would happen if it
were changed.

Sources: Allison (1982), Sociological Methodology 13, for logistic regression as discrete-time
survival; Liang & Zeger (1986) for the clustered intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from keycustomer.customers.rendering import report_html
from keycustomer.relationships.churn.boosting import BoostingFit, fit_boosting
from keycustomer.relationships.churn.checks import events_of, need_columns_of
from keycustomer.relationships.churn.design import Design, learn_design
from keycustomer.relationships.churn.logistic import (
    LARGEST,
    LogisticFit,
    clustered_covariance,
    fit_logistic,
    penalty_path,
)
from keycustomer.relationships.churn.recalibrated import Recalibration
from keycustomer.relationships.churn.table import ChurnTable
from keycustomer.stats.bootstrap import NORMAL, Seed, checked_level
from keycustomer.stats.samples import FloatArray

Kind: TypeAlias = Literal["logistic", "boosting"]
Weighting: TypeAlias = Literal["none", "balanced"]

FEWEST_EVENTS = 10
"""Fewer customers who left, or stayed, than this say nothing on who does."""

EVENTS_A_COLUMN = 10
"""With fewer events a column, unpenalised coefficients are unsteady (Peduzzi and others 1996)."""


@dataclass(frozen=True, eq=False)
class ChurnModel:
    """A fitted churn model.

    Attributes
    ----------
    kind : {"logistic", "boosting"}
        The method.
    event, customer, time : str
        Columns it was fitted on; `time` is "" for a cross-section.
    design : Design
        How features become numbers.
    fit : LogisticFit or BoostingFit
        What was estimated.
    rows, customers, events : int
        What it was fitted on.
    weighting : {"none", "balanced"}
        Whether rows of those who left were given more weight.
    path : DataFrame or None
        Penalties tried, see :func:`~keycustomer.relationships.churn.logistic.penalty_path`.
    recalibration : Recalibration or None
        Correction of the probabilities, where one was learnt.
    notes : tuple of str
        What the reader must know.
    """

    kind: Kind
    event: str
    customer: str
    time: str
    design: Design = field(repr=False)
    fit: LogisticFit | BoostingFit = field(repr=False)
    rows: int
    customers: int
    events: int
    weighting: Weighting = "none"
    path: pd.DataFrame | None = field(default=None, repr=False)
    recalibration: Recalibration | None = None
    notes: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Columns the model reads."""
        return self.design.features

    @property
    def rate(self) -> float:
        """Share of the rows fitted on that ended in leaving."""
        return self.events / self.rows

    @property
    def intervals(self) -> bool:
        """Whether its odds ratios have intervals: a logistic model without penalty."""
        return isinstance(self.fit, LogisticFit) and self.fit.penalty == 0

    def predict(self, frame: pd.DataFrame) -> pd.Series:
        """Probability of each row to end in leaving.

        Parameters
        ----------
        frame : DataFrame
            Rows with the features.

        Returns
        -------
        Series
            Named "probability", indexed as the frame.
        """
        if isinstance(self.fit, LogisticFit):
            chance = expit(self.fit.log_odds(self.design.matrix(frame)))
        else:
            chance = self.fit.probability(self.design.raw(frame))
        if self.recalibration is not None:
            chance = self.recalibration.apply(chance)
        return pd.Series(chance, index=frame.index, name="probability")

    def odds_ratios(self, *, per: str = "unit", level: float = 0.95) -> pd.DataFrame:
        """Odds ratios of a logistic model, intervals clustered by customer.

        Parameters
        ----------
        per : {"unit", "spread"}
            Of numbers: for one unit more, or for one standard deviation more.
        level : float
            Confidence level.

        Returns
        -------
        DataFrame
            One row a column: feature, word ("" for a number), odds_ratio, lower, upper, p_value,
            per ("1", the standard deviation, or the reference word), coefficient (log-odds),
            standard_error.  Intervals are NaN with a penalty, and where a column separates.

        Raises
        ------
        TypeError
            When the model has no odds ratios.
        ValueError
            When `per` is unknown.
        """
        if not isinstance(self.fit, LogisticFit):
            raise TypeError(f"a {self.kind} model has no odds ratios; fit model='logistic'")
        if per not in ("unit", "spread"):
            raise ValueError(f"per={per!r}: allowed are 'unit' and 'spread'")
        z = NORMAL.inv_cdf((1 + checked_level(level)) / 2)
        scale = self.design.spreads if per == "unit" else np.ones(len(self.design.spreads))
        beta = self.fit.coefficients[1:] / scale
        error = np.sqrt(np.diag(self.fit.covariance)[1:]) / scale
        error[list(self.fit.separated)] = np.nan
        ends = (np.exp(np.clip(beta + side * z * error, -700, 700)) for side in (-1, 1))
        lower, upper = ends
        return pd.DataFrame(
            {
                "feature": [feature for feature, _ in self.design.columns],
                "word": [word for _, word in self.design.columns],
                "odds_ratio": np.exp(np.clip(beta, -700, 700)),
                "lower": lower,
                "upper": upper,
                "p_value": _two_sided(beta / error),
                "per": self._units(per),
                "coefficient": beta,
                "standard_error": error,
            }
        )

    def _units(self, per: str) -> list[str]:
        units = []
        for (feature, word), spread in zip(self.design.columns, self.design.spreads, strict=True):
            if word and feature in self.design.words:
                units.append(f"against {self.design.words[feature][0]}")
            elif word:
                units.append("against known")
            else:
                units.append("1" if per == "unit" else f"{spread:.3g}")
        return units

    def to_frame(self) -> pd.DataFrame:
        """Odds ratios of a logistic model; of boosting one row with the number of trees."""
        if isinstance(self.fit, LogisticFit):
            return self.odds_ratios()
        return pd.DataFrame({"trees": [self.fit.trees], "features": [len(self.features)]})

    def __repr__(self) -> str:
        """Say the method and what it was fitted on."""
        return (
            f"ChurnModel({self.kind}, {self.rows:,} rows, {self.customers:,} customers, "
            f"{self.events:,} left, {len(self.features)} features)"
        )

    def _repr_html_(self) -> str:
        told = "logistic regression" if self.kind == "logistic" else "gradient-boosted trees"
        sentences = [
            f"{told.capitalize()} of {self.event!r} on {self.rows:,} rows of {self.customers:,} "
            f"customers; {self.events:,} left ({self.rate:.2%}).",
            *self.notes,
        ]
        return report_html("Churn model", sentences, {"Estimates": self.to_frame()})


def fit_churn(
    table: ChurnTable | pd.DataFrame,
    *,
    model: Kind = "logistic",
    features: Sequence[str] | None = None,
    event: str = "left",
    customer: str | None = "customer_id",
    time: str | None = "number",
    penalty: float | Literal["path"] = 0.0,
    class_weight: Literal["balanced"] | None = None,
    seed: Seed = 0,
) -> ChurnModel:
    """Fit the probability to leave in a period.

    Parameters
    ----------
    table : ChurnTable or DataFrame
        From :func:`~keycustomer.relationships.churn_features` or `person_periods`, which name their
        own columns; or any frame, one row a customer and period, or a customer.
    model : {"logistic", "boosting"}
        Logistic regression, or gradient-boosted trees.
    features : sequence of str, optional
        Columns to read: numbers, flags or words; left out, those of the table, or of a frame all
        but `event`, `customer` and `time`.
    event, customer, time : str
        Columns of a frame.  `customer=None`: every row is a customer; `time=None`: a cross-section.
    penalty : float or "path"
        Ridge of the logistic regression on standardised columns, in units of rows; "path" tries
        ten and leaves out whole customers to choose.  0 for none, and for intervals.
    class_weight : {"balanced"}, optional
        Weight those who left so that they count as much as those who stayed.  This ruins the
        probabilities, see :func:`~keycustomer.relationships.class_weight_trap`.
    seed : int or Generator
        Of the customers set aside for penalties and trees.

    Returns
    -------
    ChurnModel

    Raises
    ------
    TypeError, ValueError
        When columns are missing or cannot be read, hardly anybody left or stayed, or an argument
        is not allowed.
    """
    table = as_table(table, features, event, customer, time)
    left = events_of(table.frame, table.event)
    _refuse_rare(left, table.event)
    _check_arguments(model, penalty, class_weight)
    cluster = clusters_of(table)
    design = learn_design(table.frame, table.features)
    weights = balanced_weights(left) if class_weight == "balanced" else None
    generator = np.random.default_rng(seed)
    path, notes = None, list(design.notes)
    fit: LogisticFit | BoostingFit
    if model == "boosting":
        raw = design.raw(table.frame)
        words = tuple(name in design.words for name in design.features)
        fit = fit_boosting(raw, left, cluster, words, weights=weights, seed=generator)
    else:
        matrix = design.matrix(table.frame)
        path = penalty_path(matrix, left, cluster, seed=generator) if penalty == "path" else None
        ridge = float(path.loc[path["chosen"], "penalty"].iloc[0] if path is not None else penalty)
        fit = _logistic(matrix, left, cluster, ridge, weights)
        notes += _logistic_notes(fit, design, int(left.sum()))
    if class_weight == "balanced":
        notes.append("Fitted with class weights: its numbers rank, they are not probabilities.")
    return ChurnModel(
        model, table.event, table.customer, table.time, design, fit, len(left),
        int(cluster.max()) + 1, int(left.sum()), "balanced" if class_weight else "none", path, None,
        tuple(notes),
    )  # fmt: skip


def as_table(
    table: ChurnTable | pd.DataFrame,
    features: Sequence[str] | None = None,
    event: str = "left",
    customer: str | None = "customer_id",
    time: str | None = "number",
) -> ChurnTable:
    """Take any frame as rows of a churn model.

    Raises
    ------
    TypeError, ValueError
        When it is no frame, columns are missing, or there is nothing to read.
    """
    if isinstance(table, ChurnTable):
        if features is None:
            return table
        need_columns_of(table.frame, list(features), "table")
        return replace(table, features=tuple(features))
    keys = [event, *filter(None, (customer, time))]
    need_columns_of(table, [*keys, *(features or ())], "table")
    read = tuple(features) if features is not None else tuple(map(str, table.columns.drop(keys)))
    frame = table if customer else table.assign(customer_id=np.arange(len(table)))
    return ChurnTable(frame, frame.head(0), read, event, customer or "customer_id", time or "")


def clusters_of(table: ChurnTable) -> npt.NDArray[np.int64]:
    """Give the customer of each row as a number from 0 on."""
    ids = table.frame[table.customer]
    if ids.isna().any():
        raise ValueError(
            f"column {table.customer!r}: {int(ids.isna().sum()):,} rows name no customer, first at "
            f"rows {table.frame.index[ids.isna()][:5].tolist()}"
        )
    return np.asarray(pd.factorize(ids)[0], dtype=np.int64)


def balanced_weights(left: npt.NDArray[np.bool_]) -> FloatArray:
    """Weights under which those who left count as much as those who stayed."""
    share = left.mean()
    return np.where(left, 0.5 / share, 0.5 / (1 - share))


def _refuse_rare(left: npt.NDArray[np.bool_], event: str) -> None:
    gone = int(left.sum())
    if min(gone, len(left) - gone) < FEWEST_EVENTS:
        raise ValueError(
            f"column {event!r}: {gone:,} of {len(left):,} rows ended in leaving; at least "
            f"{FEWEST_EVENTS} that did and {FEWEST_EVENTS} that did not are needed"
        )


def _check_arguments(model: str, penalty: float | str, class_weight: str | None) -> None:
    if model not in ("logistic", "boosting"):
        raise ValueError(f"model={model!r}: allowed are 'logistic' and 'boosting'")
    if class_weight not in (None, "balanced"):
        raise ValueError(f"class_weight={class_weight!r}: allowed are None and 'balanced'")
    if isinstance(penalty, str):
        if penalty != "path":
            raise ValueError(f"penalty={penalty!r}: a number of at least 0 is needed, or 'path'")
    elif isinstance(penalty, bool) or not 0 <= penalty < np.inf:
        raise ValueError(f"penalty={penalty!r}: a number of at least 0 is needed, or 'path'")
    if model == "boosting" and penalty != 0:
        raise ValueError("penalty is of the logistic model; boosting chooses its number of trees")


def _logistic(
    matrix: FloatArray,
    left: npt.NDArray[np.bool_],
    cluster: npt.NDArray[np.int64],
    penalty: float,
    weights: FloatArray | None,
) -> LogisticFit:
    beta = fit_logistic(matrix, left, penalty, weights=weights)
    separated = tuple(np.flatnonzero(np.abs(beta[1:]) > LARGEST).tolist())
    if penalty > 0:
        nothing = np.full((len(beta), len(beta)), np.nan)
        return LogisticFit(beta, nothing, penalty, separated)
    covariance = clustered_covariance(matrix, left, beta, cluster, weights=weights)
    return LogisticFit(beta, covariance, penalty, separated)


def _logistic_notes(fit: LogisticFit, design: Design, events: int) -> list[str]:
    notes = []
    if fit.separated:
        names = [design.labels[n] for n in fit.separated]
        notes.append(
            f"Nobody or everybody left where {', '.join(names)}: these coefficients run away; give "
            "a penalty, or join words."
        )
    if fit.penalty > 0:
        notes.append(f"Ridge penalty {fit.penalty:g}: coefficients are shrunk, without intervals.")
    elif events < EVENTS_A_COLUMN * len(design.columns):
        notes.append(
            f"{events:,} events for {len(design.columns)} columns are few; give penalty='path'."
        )
    return notes


def _two_sided(z: FloatArray) -> FloatArray:
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(-np.abs(z)))

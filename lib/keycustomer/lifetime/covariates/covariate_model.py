"""Why customers differ: purchase and dropout rates explained by what is known of customers.

Do customers of one region, or of one first order, buy faster or leave sooner?
:func:`fit_with_covariates` lets the means of a model's laws depend on columns of the customer
table that do not change over time; the result, a :class:`CovariateModel`, has the effects with
their standard errors, the likelihood-ratio test against the model without covariates, and the
predictions of any lifetime model.

An effect g of a column multiplies the parameter by exp(g) for one unit more of the column:
customers with a `purchasing` effect of 0.2 buy 22 % faster.  Customers still differ by the model's
laws around what the covariates say, and where they do not, the model ends in a limit, as without
covariates.

Source: Fader & Hardie (2007), "Incorporating time-invariant covariates into the Pareto/NBD and
BG/NBD models".
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from keycustomer.lifetime.covariates import families
from keycustomer.lifetime.covariates.design import Design, read_design
from keycustomer.lifetime.covariates.effects import CovariateRows, EffectsLikelihood, Family, Law
from keycustomer.lifetime.discounting import discounted
from keycustomer.lifetime.fitted import Fitted
from keycustomer.lifetime.histories import Histories, read_histories
from keycustomer.lifetime.newton import FLATTEST, Optimum, maximise
from keycustomer.lifetime.transactions import TransactionModel, one_horizon
from keycustomer.lifetime.units import force_of_interest
from keycustomer.stats.samples import FloatArray

FITTERS = {
    "BG/NBD": ("keycustomer.lifetime.geometric.bgnbd", "fit_bgnbd"),
    "Pareto/NBD": ("keycustomer.lifetime.exponential.paretonbd", "fit_paretonbd"),
}
"""Models that take covariates, and where they are fitted without."""

FEW_ROWS = 5_000
"""Different rows up to which all limits are tried even when the search ended well."""

SAME = 1e-10
"""Log-likelihoods this close, relative to their size, are the same: then the simpler law is it."""

MOST_STEPS = 60
"""Newton steps of a search: six lead to a maximum, more to none."""

ENDLESS = 20.0
"""Standard error, in logarithms, of a combination of parameters that the data do not bound."""

TAKES_PART = 0.05
"""Share in such a combination from which a parameter counts as unbounded."""

Columns: TypeAlias = Sequence[str] | Mapping[str, Sequence[str]]
LAWS: tuple[Law, Law] = ("purchasing", "dropout")


@dataclass(frozen=True)
class LikelihoodRatio:
    """Test of a model with covariates against the same model without.

    Attributes
    ----------
    statistic : float
        Twice the difference of the log-likelihoods.
    degrees : int
        Effects: degrees of freedom of the chi-squared law.
    p_value : float
        Probability of such a difference where no covariate has an effect.
    """

    statistic: float
    degrees: int
    p_value: float

    def __str__(self) -> str:
        """Write it as `chi-squared 12.3 with 2 degrees of freedom, p = 0.0021`."""
        p = f"p = {self.p_value:.2g}" if self.p_value >= 1e-300 else "p < 1e-300"
        return (
            f"chi-squared {self.statistic:.4g} with {self.degrees} "
            f"degree{'s' * (self.degrees != 1)} of freedom, {p}"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class CovariateModel(Fitted):
    """A lifetime model whose laws depend on covariates.

    Attributes
    ----------
    without : TransactionModel
        The model without covariates, fitted on the same customers.
    designs : dict of str to Design
        How the columns of the purchasing and of the dropout law are coded.
    histories : Histories
        What the model was fitted on, covariates apart.
    rows : int
        Different histories with different covariates, which is what a fit costs.
    kinds : tuple of str
        Kinds of the purchasing and the dropout law.
    """

    without: TransactionModel = field(repr=False)
    designs: dict[Law, Design] = field(repr=False)
    histories: Histories = field(repr=False)
    rows: int
    kinds: families.Kinds = field(repr=False)

    @property
    def unit(self) -> str:
        """Unit of time of the parameters and of every horizon."""
        return self.histories.unit

    @property
    def effects(self) -> dict[str, float]:
        """Effects of the covariates by name, without the base values."""
        bases = len(self._family.parameters)
        return dict(list(self.parameters.items())[bases:])

    @property
    def likelihood_ratio(self) -> LikelihoodRatio:
        """Test of all effects together against the model without covariates."""
        statistic = max(0.0, 2 * (self.log_likelihood - self.without.log_likelihood))
        degrees = len(self.effects)
        return LikelihoodRatio(statistic, degrees, float(chdtrc(degrees, statistic)))

    @property
    def _family(self) -> Family:
        return families.family(self.model, self.kinds)

    def _positive(self) -> np.ndarray:
        """Which parameters are positive by nature: the base values."""
        return np.arange(len(self.names)) < len(self._family.parameters)

    def customer_parameters(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Give the parameters of the laws of each customer.

        Parameters
        ----------
        customers : DataFrame
            Table with the covariates' columns.

        Returns
        -------
        DataFrame
            One row a customer, one column a parameter, such as r, alpha, a, b.
        """
        values = self._values(self._coded(customers))
        names = [parameter.name for parameter in self._family.parameters]
        return pd.DataFrame(dict(zip(names, values, strict=True)), index=customers.index)

    def probability_alive(self, customers: pd.DataFrame) -> FloatArray:
        """Probability that each customer has not left yet.

        Parameters
        ----------
        customers : DataFrame
            A customer table (recency and T in days) with the covariates' columns.

        Returns
        -------
        ndarray, shape (customers,)
            Shares 0..1; NaN for customers who never bought.
        """
        rows, index = _read(customers, self.designs, self.unit)
        return _spread(self._own(rows)._alive(rows.x, rows.t_x, rows.T), index)

    def expected_purchases(self, horizon: float, customers: pd.DataFrame) -> FloatArray:
        """Purchases expected of each customer in the horizon that follows its T.

        Parameters
        ----------
        horizon : float
            Length of time ahead, in `unit`.
        customers : DataFrame
            A customer table (recency and T in days) with the covariates' columns.

        Returns
        -------
        ndarray, shape (customers,)
            Purchases; NaN for customers who never bought.

        Raises
        ------
        ValueError
            When the horizon is negative or not finite.
        """
        ahead = one_horizon(horizon, self.unit)
        rows, index = _read(customers, self.designs, self.unit)
        model = self._own(rows)
        bought = model._purchases_if_alive(ahead, rows.x, rows.T)
        return _spread(model._alive(rows.x, rows.t_x, rows.T) * bought, index)

    def expected_purchases_new(self, horizon: float, customers: pd.DataFrame) -> FloatArray:
        """Repeat purchases expected of customers just won, by their covariates.

        Parameters
        ----------
        horizon : float
            Length of time since the first purchase, in `unit`.
        customers : DataFrame
            Table with the covariates' columns.

        Returns
        -------
        ndarray, shape (customers,)

        Raises
        ------
        ValueError
            When the horizon is negative or not finite.
        """
        ahead = one_horizon(horizon, self.unit)
        rows = self._coded(customers)
        model = self._own(rows)
        new = rows.x
        return model._alive(new, new, new) * model._purchases_if_alive(ahead, new, new)

    def discounted_purchases(
        self, customers: pd.DataFrame, discount_rate: float, horizon: float | None = None
    ) -> FloatArray:
        """Purchases expected of each customer from its T on, discounted to that day.

        Parameters
        ----------
        customers : DataFrame
            A customer table (recency and T in days) with the covariates' columns.
        discount_rate : float
            Effective rate per year, a share.
        horizon : float, optional
            Length of time ahead, in `unit`; left out, for ever.

        Returns
        -------
        ndarray, shape (customers,)
            Discounted purchases; NaN for customers who never bought.

        Raises
        ------
        ValueError
            When the rate or horizon makes no sense, or a rate of 0 meets no horizon.
        """
        force = force_of_interest(discount_rate, self.unit)
        ahead = None if horizon is None else float(one_horizon(horizon, self.unit))
        rows, index = _read(customers, self.designs, self.unit)
        model = self._own(rows)
        worth = discounted(lambda t: model._purchases_if_alive(t, rows.x, rows.T), force, ahead)
        return _spread(model._alive(rows.x, rows.t_x, rows.T) * worth, index)

    def _coded(self, customers: pd.DataFrame) -> CovariateRows:
        """Return customers of whom nothing but the covariates is known."""
        coded = {law: design.code(customers) for law, design in self.designs.items()}
        nothing = np.zeros(len(customers))
        return CovariateRows(nothing, nothing, nothing, nothing, coded)

    def _values(self, rows: CovariateRows) -> list[FloatArray]:
        """Parameters of every row as a reader knows them."""
        family = self._family
        free = self.values.copy()
        for k, parameter in enumerate(family.parameters):
            free[k] = parameter.searched(free[k])
        values = EffectsLikelihood(family, rows).values(free)
        return [
            np.asarray(parameter.reported(value)[0])
            for parameter, value in zip(family.parameters, values, strict=True)
        ]

    def _own(self, rows: CovariateRows) -> TransactionModel:
        """Return the model whose laws are one a row."""
        purchasing, dropout = self._family.laws(*self._values(rows))
        return replace(self.without, purchasing=purchasing, dropout=dropout)

    def _repr_html_(self) -> str:
        said = f"Against the model without covariates: {self.likelihood_ratio}."
        return f"{super()._repr_html_()}<p>{html.escape(said)}</p>"


def fit_with_covariates(
    customers: pd.DataFrame,
    covariates: Columns,
    *,
    model: str = "BG/NBD",
    unit: str = "week",
) -> CovariateModel:
    """Fit a lifetime model whose laws depend on covariates.

    Parameters
    ----------
    customers : DataFrame
        A customer table (frequency; recency and T in days) with the covariates' columns.
    covariates : sequence of str, or mapping
        Columns that may move both laws, or ``{"purchasing": [...], "dropout": [...]}``.  Numeric
        columns count from their mean, other columns compare each level with the first one.
    model : {"BG/NBD", "Pareto/NBD"}
        The model.
    unit : {"day", "week", "month", "quarter", "year"}
        Unit of time of the parameters.

    Returns
    -------
    CovariateModel
        With base values and effects, standard errors from the exact information, and `limit`
        where the likelihood is largest at infinity.

    Raises
    ------
    ValueError
        When the model takes no covariates, the table is wrong (see
        :func:`keycustomer.lifetime.histories.read_histories`) or a column cannot be used (see
        :func:`keycustomer.lifetime.covariates.design.read_design`).

    References
    ----------
    Fader & Hardie (2007), "Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD
    models".
    """
    if model not in FITTERS:
        raise ValueError(f"model={model!r}: covariates go with {' or '.join(map(repr, FITTERS))}")
    histories = read_histories(customers, unit=unit)
    if not isinstance(customers, pd.DataFrame):
        raise TypeError(
            "customers: a customer table with the covariates' columns is needed, not histories"
        )
    designs = _designs(customers[customers["T"].notna()], covariates)
    rows, _ = _read(customers, designs, histories.unit)
    module, name = FITTERS[model]
    without = getattr(import_module(module), name)(histories)
    kinds, place = _likeliest(model, rows, without)
    names, values, covariance = _reported(families.family(model, kinds), designs, place)
    return CovariateModel(
        model=model,
        names=names,
        values=values,
        covariance=covariance,
        log_likelihood=place.optimum.log_likelihood,
        customers=histories.customers,
        limit=_limit(model, kinds, names, covariance),
        notes=_notes(designs, histories),
        evaluations=place.optimum.evaluations,
        without=without,
        designs=designs,
        histories=histories,
        rows=rows.x.size,
        kinds=kinds,
    )


def _designs(customers: pd.DataFrame, covariates: Columns) -> dict[Law, Design]:
    """Coded columns of both laws."""
    if not isinstance(covariates, Mapping):
        design = read_design(customers, covariates)
        designs = dict.fromkeys(LAWS, design)
    else:
        unknown = sorted(set(covariates) - set(LAWS))
        if unknown:
            raise ValueError(
                f"covariates: {', '.join(map(repr, unknown))} is no law; the keys are "
                f"{' and '.join(map(repr, LAWS))}"
            )
        designs = {law: read_design(customers, covariates.get(law, ())) for law in LAWS}
    if not any(design.codings for design in designs.values()):
        raise ValueError("covariates: name at least one column, or fit the model without them")
    return designs


def _read(
    customers: pd.DataFrame, designs: Mapping[Law, Design], unit: str
) -> tuple[CovariateRows, np.ndarray]:
    """Different histories with different covariates, and each customer's place, -1 for none."""
    if isinstance(customers, Histories):
        columns = {coding.column: None for one in designs.values() for coding in one.codings}
        raise TypeError(
            "customers: histories do not know the covariates; give the customer table with the "
            f"column {', '.join(map(repr, columns))}"
        )
    known = read_histories(customers, unit=unit, keep_customers=True)
    index = known.per_customer(np.arange(known.rows, dtype=float))
    bought = ~np.isnan(index)
    row = index[bought].astype(np.int64)
    coded = {law: design.code(customers[bought]) for law, design in designs.items()}
    key = row
    for column in np.concatenate([*coded.values()], axis=1).T:
        _, level = np.unique(column, return_inverse=True)
        _, key = np.unique(key * (level.max() + 1) + level, return_inverse=True)
    _, first, key, counts = np.unique(
        key, return_index=True, return_inverse=True, return_counts=True
    )
    place = np.full(bought.size, -1)
    place[bought] = key
    at = row[first]
    chosen = {law: one[first] for law, one in coded.items()}
    rows = known.frequency[at], known.recency[at], known.T[at]
    return CovariateRows(*rows, counts.astype(float), chosen), place


def _spread(values: FloatArray, index: np.ndarray) -> FloatArray:
    return np.append(values, np.nan)[index]


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a search in one family ended, effects per standard deviation of the covariates."""

    optimum: Optimum
    covariance: FloatArray
    scale: FloatArray

    @property
    def inner(self) -> bool:
        """Whether it is a maximum within the family."""
        return self.optimum.inner and bool(np.isfinite(self.covariance).all())


def _likeliest(
    model: str, rows: CovariateRows, without: TransactionModel
) -> tuple[families.Kinds, _Place]:
    """Laws that make the customers likeliest, and the place of the maximum."""
    own = families.textbook(model)
    found = {own: _search(model, own, rows, without)}
    if not found[own].inner or rows.x.size <= FEW_ROWS:
        for kinds in families.all_kinds(model)[1:]:
            found[kinds] = _search(model, kinds, rows, without)
    best = max(place.optimum.log_likelihood for place in found.values())
    level = best - SAME * max(1.0, abs(best))
    return min(
        (pair for pair in found.items() if pair[1].optimum.log_likelihood >= level),
        key=lambda pair: (not pair[1].inner, pair[1].optimum.parameters.size),
    )


def _search(
    model: str, kinds: families.Kinds, rows: CovariateRows, without: TransactionModel
) -> _Place:
    """Look for the maximum of one family, covariates in standard deviations."""
    deviations = {law: _deviations(coded, rows.weights) for law, coded in rows.covariates.items()}
    scaled = {law: coded / deviations[law] for law, coded in rows.covariates.items()}
    family = families.family(model, kinds)
    objective = EffectsLikelihood(family, replace(rows, covariates=scaled))
    begin = np.zeros(objective.size)
    base = families.start(model, kinds, without)
    begin[: len(base)] = base
    optimum = maximise(objective, begin, positive=objective.positive, most_steps=MOST_STEPS)
    effects = [deviations[one.law] for one in family.parameters if one.effect]
    scale = np.concatenate([np.ones(len(base)), *effects])
    return _Place(optimum, _covariance(objective, optimum), scale)


def _deviations(coded: FloatArray, weights: FloatArray) -> FloatArray:
    """Give the standard deviation of every column over customers."""
    mean = weights @ coded / weights.sum()
    return np.sqrt(weights @ (coded - mean) ** 2 / weights.sum())


def _covariance(objective: EffectsLikelihood, optimum: Optimum) -> FloatArray:
    """Covariance of the free parameters; infinite variances of those without bound."""
    free, positive = optimum.parameters, np.asarray(objective.positive)
    slope = np.where(positive, free, 1.0)
    _, score, hessian = objective(free)
    logs = hessian * np.outer(slope, slope) + np.diag(np.where(positive, score * free, 0.0))
    curvature, directions = np.linalg.eigh(-logs)
    bent = curvature > max(ENDLESS**-2, FLATTEST * np.abs(curvature).max())
    # Where the search found no end, the flattest direction is the one it ran along.
    bent[0] &= optimum.inner
    along = directions[:, bent]
    covariance = (along / curvature[bent]) @ along.T
    endless = (np.abs(directions[:, ~bent]) > TAKES_PART).any(axis=1)
    covariance[endless] = covariance[:, endless] = np.nan
    covariance[endless, endless] = np.inf
    return covariance * np.outer(slope, slope)


def _reported(
    family: Family, designs: Mapping[Law, Design], place: _Place
) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    """Names, values and covariance as a reader knows them."""
    columns: dict[Law, tuple[str, ...]] = {law: design.names for law, design in designs.items()}
    bases = [parameter.name for parameter in family.parameters]
    values = place.optimum.parameters / place.scale
    slope = 1 / place.scale
    for k, parameter in enumerate(family.parameters):
        values[k], slope[k] = parameter.reported(values[k])
    covariance = place.covariance * np.outer(slope, slope)
    return (*bases, *family.effect_names(columns)), values, covariance


def _limit(model: str, kinds: families.Kinds, names: Sequence[str], covariance: FloatArray) -> str:
    """Say where the maximum lies when it lies at infinity."""
    said = families.sentence(model, kinds)
    endless = [
        name
        for name, variance in zip(names, np.diag(covariance), strict=True)
        if not np.isfinite(variance)
    ]
    if endless:
        said += (
            f" The data set no bound to {', '.join(map(repr, endless))}: the likelihood keeps "
            "rising, as it does when customers of a level never came back, or are alike in "
            "drop-out although others are not."
        )
    return said.strip()


def _notes(designs: Mapping[Law, Design], histories: Histories) -> tuple[str, ...]:
    """Say what base values and effects refer to, and who was set apart."""
    codings = {coding.column: coding for design in designs.values() for coding in design.codings}
    said = "; ".join(coding.sentence() for coding in codings.values())
    base = f"Base values are those of a customer with covariates at their origin: {said}."
    return base, *histories.notes

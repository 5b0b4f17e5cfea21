"""What every fitted model says of itself: parameters, their uncertainty, its likelihood.

:class:`Fitted` is the part that all models of the package share, whatever they model.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtri

from keycustomer.stats import Estimate
from keycustomer.stats.bootstrap import checked_level
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """A model fitted by maximum likelihood.

    Attributes
    ----------
    model : str
        Name of the model, such as `BG/NBD`.
    names : tuple of str
        Names of the free parameters.
    values : ndarray, shape (k,)
        Their estimates.
    covariance : ndarray, shape (k, k)
        Their covariance, from the inverse of the observed information.
    log_likelihood : float
        Logarithm of the likelihood at the estimates.
    customers : float
        Customers the fit rests on.
    limit : str
        Where the likelihood is largest at infinity: which simpler model it leads to, in a
        sentence; empty otherwise.
    notes : tuple of str
        What a reader must know of the data: who was set apart, what looks odd.
    evaluations : int
        Times the likelihood was computed.
    """

    model: str
    names: tuple[str, ...]
    values: FloatArray = field(repr=False)
    covariance: FloatArray = field(repr=False)
    log_likelihood: float
    customers: float
    limit: str = ""
    notes: tuple[str, ...] = ()
    evaluations: int = field(default=0, repr=False)

    @cached_property
    def parameters(self) -> dict[str, float]:
        """Estimates by name."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors by name, from the observed information."""
        with np.errstate(invalid="ignore"):
            errors = np.sqrt(np.diag(self.covariance))
        return dict(zip(self.names, errors.tolist(), strict=True))

    @property
    def aic(self) -> float:
        """Akaike's information criterion, 2 k - 2 log L; the smaller, the better."""
        return 2 * len(self.names) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's information criterion, k log n - 2 log L, n the customers."""
        return len(self.names) * math.log(self.customers) - 2 * self.log_likelihood

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """One row a parameter: parameter, estimate, standard_error, lower, upper.

        The interval is a Wald interval, of the logarithm where the parameter is positive.
        """
        error = np.array(list(self.standard_errors.values()))
        positive = self._positive()
        z = float(ndtri((1 + checked_level(level)) / 2))
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            factor = np.exp(z * error / np.where(positive, self.values, 1.0))
            lower = np.where(positive, self.values / factor, self.values - z * error)
            upper = np.where(positive, self.values * factor, self.values + z * error)
        columns = (list(self.names), self.values, error, lower, upper)
        names = ("parameter", "estimate", "standard_error", "lower", "upper")
        return pd.DataFrame(dict(zip(names, columns, strict=True)))

    def estimates(self, level: float = 0.95) -> dict[str, Estimate]:
        """Estimates with Wald intervals by parameter, as :meth:`to_frame` has them."""
        n, method = round(self.customers), "Wald interval from the observed information"
        table = self.to_frame(level)
        ends = table[["estimate", "lower", "upper"]].to_numpy(np.float64).tolist()
        return {
            name: Estimate(point, lower, upper, "", n, method, level)
            for name, (point, lower, upper) in zip(self.names, ends, strict=True)
        }

    def _positive(self) -> np.ndarray:
        """Which parameters are positive by nature; a model with others overrides this."""
        return np.ones(len(self.names), bool)

    def _repr_html_(self) -> str:
        said = [
            f"{self.model}: {self.customers:,.0f} customers, log-likelihood "
            f"{self.log_likelihood:,.3f}",
            *filter(None, [self.limit, *self.notes]),
        ]
        table = self.to_frame().to_html(index=False, escape=True, float_format="{:,.4f}".format)
        return "".join(f"<p>{html.escape(one)}</p>" for one in said) + table

"""Regressions of effects: chances, amounts and plain numbers, with the influence of every row.

:func:`fit_regression` fits a generalised linear model by Newton's method, with a small quadratic
penalty that keeps it finite where groups are separated; `Regression.influence` tells by how much
each row moves each coefficient, from which clustered standard errors of anything computed from the
coefficients follow by the delta method.

Sources: McCullagh & Nelder, "Generalized Linear Models" (1989), chapter 2; Huber (1967) and
White (1982) for the sandwich; MacKinnon & White (1985), Journal of Econometrics 29, 305-325
(HC3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.stats.regressions.links import LINKS, Link
from keycustomer.stats.regressions.newton import climb
from keycustomer.stats.samples import FloatArray

LEAST_FREE = 0.05
"""Least part of a row's error that its leverage is taken to leave."""


@dataclass(frozen=True, eq=False)
class Regression:
    """A fitted regression.

    Attributes
    ----------
    coefficients : ndarray, shape (columns,)
        One for each column of the design, which holds its own constant.
    bread : ndarray, shape (columns, columns)
        Inverse of the penalised information.
    link : {"logistic", "log", "identity"}
        Chance of an event, mean of amounts of 0 or larger, mean.
    """

    coefficients: FloatArray
    bread: FloatArray
    link: Link

    def predict(self, design: FloatArray) -> FloatArray:
        """Mean of each row, shape (rows,)."""
        return LINKS[self.link](design @ self.coefficients)[0]

    def slope(self, design: FloatArray) -> FloatArray:
        """Give the derivative of the mean by the linear predictor, shape (rows,)."""
        return LINKS[self.link](design @ self.coefficients)[1]

    def influence(self, design: FloatArray, outcome: FloatArray) -> FloatArray:
        """Move of the coefficients by each row, shape (rows, columns); sums to about 0.

        A row that draws the fit to itself has too small an error: it is divided by one less the
        row's leverage (HC3).
        """
        mean, slope = LINKS[self.link](design @ self.coefficients)
        leverage = slope * np.einsum("ij,jk,ik->i", design, self.bread, design)
        error = (outcome - mean) / np.maximum(1 - leverage, LEAST_FREE)
        return (design * error[:, None]) @ self.bread


def fit_regression(
    design: FloatArray,
    outcome: FloatArray,
    link: Link,
    *,
    penalty: FloatArray | float = 0.0,
) -> Regression:
    """Fit a generalised linear model with its canonical link.

    Parameters
    ----------
    design : ndarray, shape (rows, columns)
        Columns of numbers, the constant among them.
    outcome : ndarray, shape (rows,)
        0 or 1, amounts of 0 or larger, or any numbers.
    link : {"logistic", "log", "identity"}
        Log-odds of the chance, logarithm of the mean, or the mean itself are linear.
    penalty : float or ndarray, shape (columns,)
        Half of it times the squared coefficient is subtracted from the log-likelihood.

    Returns
    -------
    Regression

    Raises
    ------
    ValueError
        When the fit does not come to rest.
    """
    found = climb(design, outcome, link, penalty=penalty)
    if found.at_rest:
        bread = np.linalg.pinv(found.information, hermitian=True)
        return Regression(found.coefficients, np.asarray(bread, dtype=np.float64), link)
    raise ValueError(
        f"the regression of {len(outcome):,} rows on {design.shape[1]} columns did not come to "
        "rest; give fewer covariates, or a larger penalty"
    )

"""What a rating scale does to a measurement: moments of the answers, computed and not drawn.

How much of a loading of .84 is left once the answers are seven boxes, ticked by people who use
scales differently?  `implied_moments` gives, from the loadings and the correlations of the
constructs, the exact mean, standard deviation and correlations of the answers, the correlation of
every answer with what it measures, and what reliability and loadings an analyst would find.

The covariance of two cut normal variables is a series in their correlation, with Hermite
polynomials of the thresholds as coefficients (Pearson 1900; Harris & Soms 1980, Journal of
Multivariate Analysis 10); the respondents' factors on the scale are integrated by Gauss-Hermite
quadrature.  Exact for normal latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from keycustomer.simulate.questionnaire import CONSTRUCTS, LATENTS, Measurement
from keycustomer.simulate.rating import STRAIGHT_ANSWERS, FloatArray, slopes

TERMS = 60
"""Terms of the series: what is left out is below 1e-8 for correlations up to .8."""

NODES = 24
"""Points of the quadrature over the respondents' factors."""


@dataclass(frozen=True, eq=False)
class AnswerMoments:
    """Moments of the answers in the population of those asked.

    Attributes
    ----------
    items : tuple of str
        The items, in order.
    mean, sd : ndarray, shape (items,)
        Mean and standard deviation of the answers, on the scale 1 to 7.
    correlation : ndarray, shape (items, items)
        Correlations of the answers.
    validity : ndarray, shape (items, latents)
        Correlation of every answer with every latent.
    propensity_correlation : ndarray, shape (items, items)
        Correlations of the continuous propensities.
    loading : ndarray, shape (items, latents)
        Correlation of every propensity with every latent.
    """

    items: tuple[str, ...]
    mean: FloatArray
    sd: FloatArray
    correlation: FloatArray
    validity: FloatArray
    propensity_correlation: FloatArray
    loading: FloatArray

    def loadings(self, measurement: Measurement) -> pd.DataFrame:
        """Tabulate every item's loading on the continuous scale and what becomes of it.

        Returns
        -------
        DataFrame
            One row an item: construct, item, `loading` (on the propensity), `validity`
            (correlation of the answer with the construct), `factor_loading` (what a factor
            analysis of the construct's three items finds: the shared habits of scale usage count as
            if they were the construct; NaN for single items), mean and sd of the answers.
        """
        rows = []
        for place, item in enumerate(measurement.items):
            others = [
                k
                for k, other in enumerate(measurement.items)
                if other.construct == item.construct and k != place
            ]
            rows.append(
                {
                    "construct": item.construct,
                    "item": item.name,
                    "loading": self.loading[place, LATENTS.index(item.construct)],
                    "validity": self.validity[place, LATENTS.index(item.construct)],
                    "factor_loading": _triad(self.correlation, place, others),
                    "mean": self.mean[place],
                    "sd": self.sd[place],
                }
            )
        return pd.DataFrame(rows)

    def reliabilities(self) -> pd.DataFrame:
        """Tabulate Cronbach's alpha of every construct with several items.

        Returns
        -------
        DataFrame
            One row a construct: `alpha_propensity` on the continuous scale and `alpha` of the
            answers (raw).
        """
        covariance = self.correlation * np.outer(self.sd, self.sd)
        rows = [
            {
                "construct": construct,
                "alpha_propensity": _alpha(self.propensity_correlation, self._places(items)),
                "alpha": _alpha(covariance, self._places(items)),
            }
            for construct, items in CONSTRUCTS.items()
        ]
        return pd.DataFrame(rows)

    def _places(self, items: Sequence[str]) -> list[int]:
        return [self.items.index(item) for item in items]


def _alpha(covariance: FloatArray, places: list[int]) -> float:
    part = covariance[np.ix_(places, places)]
    k = len(places)
    return float(k / (k - 1) * (1 - np.trace(part) / part.sum()))


def _triad(correlation: FloatArray, place: int, others: list[int]) -> float:
    """Find the loading of one of three items: their three correlations leave no choice."""
    if len(others) != 2:
        return float("nan")
    a, b = others
    return float(np.sqrt(correlation[place, a] * correlation[place, b] / correlation[a, b]))


def implied_moments(
    measurement: Measurement, covariance: FloatArray, mean: FloatArray | None = None
) -> AnswerMoments:
    """Compute the moments of the answers from slopes and the moments of the latents.

    Parameters
    ----------
    measurement : Measurement
        Items, thresholds and scale usage.
    covariance : ndarray, shape (latents, latents)
        Covariance of the latents, in the order of `LATENTS`.
    mean : ndarray, shape (latents,), optional
        Their means; left out, 0.

    Returns
    -------
    AnswerMoments

    Raises
    ------
    ValueError
        When it is no covariance matrix of that many latents.
    """
    _check_covariance(covariance)
    slope, error = slopes(measurement)
    column = [LATENTS.index(item.construct) for item in measurement.items]
    spread = np.sqrt(np.diag(covariance))
    onto = slope[:, None] * covariance[column] / spread
    behind = _Propensities(
        mean=np.array([item.ease for item in measurement.items])
        + slope * (np.zeros(len(LATENTS)) if mean is None else mean)[column],
        covariance=slope[:, None] * covariance[np.ix_(column, column)] * slope + np.diag(error**2),
        onto=onto,
    )
    first, second, with_latent = _over_factors(measurement, behind)
    first, second, with_latent = _with_straight_lines(measurement, first, second, with_latent)
    answered = second - np.outer(first, first)
    sd = np.sqrt(np.diag(answered))
    deviation = np.sqrt(np.diag(behind.covariance))
    return AnswerMoments(
        items=tuple(item.name for item in measurement.items),
        mean=first,
        sd=sd,
        correlation=answered / np.outer(sd, sd),
        validity=with_latent / sd[:, None],
        propensity_correlation=behind.covariance / np.outer(deviation, deviation),
        loading=onto / deviation[:, None],
    )


@dataclass(frozen=True, eq=False)
class _Propensities:
    """Moments of the propensities, and their covariances with the standardised latents."""

    mean: FloatArray
    covariance: FloatArray
    onto: FloatArray


def _check_covariance(covariance: FloatArray) -> None:
    shape = (len(LATENTS), len(LATENTS))
    if covariance.shape != shape:
        raise ValueError(
            f"covariance has shape {covariance.shape}; needed is {shape}, in the order "
            f"{', '.join(LATENTS)}"
        )
    symmetric = np.allclose(covariance, covariance.T)
    if not symmetric or np.diag(covariance).min() <= 0 or np.linalg.eigvalsh(covariance)[0] < -1e-8:
        raise ValueError(
            "covariance is no covariance matrix: it must be symmetric, its diagonal above 0 and no "
            "eigenvalue negative"
        )


def _over_factors(
    measurement: Measurement, behind: _Propensities
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """First and second moments of answers, and covariances with latents, over all factors."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    weights = weights / weights.sum()
    size = len(measurement.items)
    first, second = np.zeros(size), np.zeros((size, size))
    with_latent = np.zeros_like(behind.onto)
    for node, weight in zip(nodes, weights, strict=True):
        factor = float(np.exp(measurement.stretch * node - measurement.stretch**2 / 2))
        mean, product, covariance = _given_factor(measurement, factor, behind)
        first += weight * mean
        second += weight * product
        with_latent += weight * covariance
    return first, second, with_latent


def _given_factor(
    measurement: Measurement, factor: float, behind: _Propensities
) -> tuple[FloatArray, FloatArray, FloatArray]:
    used = factor**2 * behind.covariance + measurement.acquiescence**2
    deviation = np.sqrt(np.diag(used))
    thresholds = np.array(measurement.thresholds)
    cuts = (thresholds - factor * behind.mean[:, None]) / deviation[:, None]
    above = ndtr(-cuts)
    mean = 1 + above.sum(axis=1)
    coefficients = _hermite_coefficients(cuts)
    correlation = used / np.outer(deviation, deviation)
    product = np.outer(mean, mean)
    power = np.ones_like(correlation)
    for column in coefficients.T:
        power = power * correlation
        product = product + power * np.outer(column, column)
    # y^2 = 1 + sum over k of (2k + 1) [y > k]: the series converges slowly at correlation 1.
    odd = 2 * np.arange(1, cuts.shape[1] + 1) + 1
    np.fill_diagonal(product, 1 + above @ odd)
    covariance = coefficients[:, :1] * factor * behind.onto / deviation[:, None]
    return mean, product, covariance


def _hermite_coefficients(cuts: FloatArray) -> FloatArray:
    """Coefficients of an answer in normalised Hermite polynomials, shape (items, TERMS)."""
    density = np.exp(-(cuts**2) / 2) / np.sqrt(2 * np.pi)
    # He_{m-1} / sqrt(m!) by recurrence on the normalised polynomials he_m = He_m / sqrt(m!)
    before, now = np.zeros_like(cuts), np.ones_like(cuts)
    columns = []
    for m in range(1, TERMS + 1):
        columns.append((density * now).sum(axis=1) / np.sqrt(m))
        before, now = now, (cuts * now - np.sqrt(m - 1) * before) / np.sqrt(m)
    return np.stack(columns, axis=1)


def _with_straight_lines(
    measurement: Measurement, mean: FloatArray, product: FloatArray, with_latent: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mix in the questionnaires with one and the same answer everywhere."""
    share = measurement.straight_lining
    answers = np.array(STRAIGHT_ANSWERS, dtype=float)
    return (
        (1 - share) * mean + share * answers.mean(),
        (1 - share) * product + share * (answers**2).mean(),
        (1 - share) * with_latent,
    )

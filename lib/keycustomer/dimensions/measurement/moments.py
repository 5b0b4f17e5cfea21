"""Means and covariances of items, for one sample and for many resamples of it at once.

How do the items vary together, here and in other samples like this one?  Reliability, validity
and PLS paths depend on the answers through their covariances only, so a bootstrap needs no copy
of the answers: :class:`ItemMoments` turns rows of counts (how often each respondent was drawn)
into a stack of covariance matrices by matrix products, and the measures are then computed for all
draws together.  Where means replace missing answers, each resample has its own.

Sources: Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), on resamples as weights.
"""

from __future__ import annotations

import numpy as np

from keycustomer.stats.samples import FloatArray

FLAT = 1e-12
"""Variance of an item in a resample, relative to that in the sample, that is rounding alone."""

COLLINEAR = 1e-9
"""Share of an item's variance left by the other items that is rounding alone."""


class ItemMoments:
    """Means and covariances of items under any weights of the respondents.

    Parameters
    ----------
    values : array, shape (respondents, items)
        Answers; NaN counts as the mean of the item's answers, weighted alike.
    """

    def __init__(self, values: FloatArray) -> None:
        self.respondents, self.size = values.shape
        self._answered = (~np.isnan(values)).astype(np.float64)
        self._complete = bool(self._answered.all())
        self._centre = np.nanmean(values, axis=0)
        # centred by the sample's mean, so that sums of squares do not swallow the digits
        self._values = np.nan_to_num(values - self._centre)
        self._rounding = FLAT * np.nanvar(values, axis=0)

    def sample(self) -> tuple[FloatArray, FloatArray]:
        """Means and covariances of the sample itself, as stacks of one."""
        return self.weighted(np.ones((1, self.respondents)))

    def weighted(self, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Means and covariances when respondent r is there `counts[b, r]` times.

        Parameters
        ----------
        counts : array, shape (draws, respondents)
            How often each respondent was drawn.

        Returns
        -------
        means : ndarray, shape (draws, items)
        covariances : ndarray, shape (draws, items, items)
            Divided by the number of respondents less one.
        """
        sums = counts @ self._values
        number = counts.sum(axis=1)[:, None, None]
        products = (counts[:, None, :] * self._values.T) @ self._values
        if self._complete:
            shift = sums / number[:, 0]
            products -= shift[:, :, None] * sums[:, None, :]
        else:
            shift = self._remove_means(products, sums, counts)
        return shift + self._centre, self._without_rounding(products / (number - 1))

    def _without_rounding(self, covariances: FloatArray) -> FloatArray:
        """Give items that are constant in a resample no variance at all."""
        flat = np.diagonal(covariances, axis1=1, axis2=2) <= self._rounding
        if flat.any():
            covariances[flat[:, :, None] | flat[:, None, :]] = 0.0
        return covariances

    def _remove_means(
        self, products: FloatArray, sums: FloatArray, counts: FloatArray
    ) -> FloatArray:
        """Take the means out of the products in place; only pairs of answers given count."""
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = sums / (counts @ self._answered)
        crossed = (counts[:, None, :] * self._values.T) @ self._answered
        pairs = (counts[:, None, :] * self._answered.T) @ self._answered
        crossed *= shift[:, None, :]
        products -= crossed + crossed.transpose(0, 2, 1)
        products += pairs * shift[:, :, None] * shift[:, None, :]
        return shift


def correlations_of(covariances: FloatArray) -> FloatArray:
    """Correlation matrices of a stack of covariance matrices.

    Parameters
    ----------
    covariances : array, shape (..., items, items)

    Returns
    -------
    ndarray, shape (..., items, items)
        NaN in rows and columns of items that do not vary.
    """
    variances = np.diagonal(covariances, axis1=-2, axis2=-1)
    deviations = np.sqrt(np.where(variances > 0, variances, np.nan))
    correlations = covariances / (deviations[..., :, None] * deviations[..., None, :])
    # exactly one, also where rounding leaves the last digit
    size = covariances.shape[-1]
    correlations[..., range(size), range(size)] = np.where(np.isnan(deviations), np.nan, 1.0)
    return correlations


def collinear_item(correlations: FloatArray) -> int | None:
    """Position of the first item that earlier items determine, None where there is none.

    Parameters
    ----------
    correlations : array, shape (items, items)
        Correlations of the items.
    """
    for last in range(1, len(correlations)):
        before, own = correlations[:last, :last], correlations[:last, last]
        if 1 - own @ np.linalg.solve(before, own) < COLLINEAR:
            return last
    return None

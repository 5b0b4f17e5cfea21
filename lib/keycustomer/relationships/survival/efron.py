"""Sums over who could leave, for ties by Efron's method.

Of d customers who left in one cell, each meets a risk set in which the leavers count less and less:
by 1 - l/d for the l-th.  :func:`efron_moments` gives, at every time of leaving, the mean and the
variance of the covariates over these risk sets, and the baseline hazard: what Schoenfeld's
residuals, the check of proportional hazards and survival curves of a Cox model are made of;
:func:`score_residuals` gives the part of every row in the score.

Source: Efron (1977), Journal of the American Statistical Association 72, 557-565; Therneau &
Grambsch, "Modeling Survival Data" (2000), section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.relationships.survival.risk_sets import RiskSets
from keycustomer.stats.samples import FloatArray


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums by time of leaving (cell) for p covariates.

    Attributes
    ----------
    times : ndarray, shape (cells,)
        Times of leaving.
    left : ndarray, shape (cells,)
        How many left.
    mean : ndarray, shape (cells, p)
        Mean of the covariates over who could leave, weighted by hazard.
    variance : ndarray, shape (cells, p, p)
        Sum of their variances over the d leavers: the cell's information.
    surplus : ndarray, shape (cells, p)
        Covariates of the leavers less the mean, summed: the cell's score.
    hazard : ndarray, shape (cells,)
        Baseline hazard of the cell.
    log_sum : float
        Sum of the logarithms of the sums of relative hazards.
    """

    times: FloatArray
    left: FloatArray
    mean: FloatArray
    variance: FloatArray
    surplus: FloatArray
    hazard: FloatArray
    log_sum: float


def efron_moments(sets: RiskSets, coded: FloatArray, hazard: FloatArray) -> Moments:
    """Sum covariates over who could leave.

    Parameters
    ----------
    sets : RiskSets
        Spells among the times of leaving.
    coded : ndarray, shape (n, p)
        Covariates.
    hazard : ndarray, shape (n,)
        Relative hazards.

    Returns
    -------
    Moments
    """
    size, count = coded.shape[1], sets.times.size
    left = sets.ending(np.ones(len(hazard)))
    there, leaving = sets.at_risk(hazard), sets.ending(hazard)
    # one row for each leaver: its cell, and by how much the leavers of the cell count less
    cell = np.repeat(np.arange(count), left.astype(int))
    begin = (np.cumsum(left) - left).astype(int)
    less = (np.arange(len(cell)) - begin[cell]) / left[cell]
    total = there[cell] - less * leaving[cell]
    weighted = coded * hazard[:, None]
    at, of = sets.at_risk(weighted), sets.ending(weighted)
    mean = (at[cell] - less[:, None] * of[cell]) / total[:, None]
    variance = np.empty((count, size, size))
    for j in range(size):
        product = weighted * coded[:, [j]]
        at, of = sets.at_risk(product), sets.ending(product)
        part = (at[cell] - less[:, None] * of[cell]) / total[:, None] - mean * mean[:, [j]]
        variance[:, j] = np.add.reduceat(part, begin, axis=0)
    means = np.add.reduceat(mean, begin, axis=0)
    return Moments(
        times=sets.times,
        left=left,
        mean=means / left[:, None],
        variance=variance,
        surplus=sets.ending(coded) - means,
        hazard=np.add.reduceat(1 / total, begin),
        log_sum=float(np.log(total).sum()),
    )


def score_residuals(
    sets: RiskSets, coded: FloatArray, hazard: FloatArray, moments: Moments
) -> FloatArray:
    """Part of every row in the score: what it brought less what was expected of it.

    Parameters
    ----------
    sets, coded, hazard
        As in :func:`efron_moments`.
    moments : Moments
        What it gave.

    Returns
    -------
    ndarray, shape (n, p)
        Sums to 0 over the rows at the estimate, up to what leavers of one cell share.
    """
    ended = sets.cell >= 0
    passed = np.append(0.0, np.cumsum(moments.hazard))
    share = moments.hazard[:, None] * moments.mean
    met = np.concatenate([np.zeros((1, coded.shape[1])), np.cumsum(share, axis=0)])
    time = (passed[sets.last] - passed[sets.first])[:, None]
    expected = hazard[:, None] * (coded * time - (met[sets.last] - met[sets.first]))
    brought = np.where(ended[:, None], coded - moments.mean[sets.cell], 0.0)
    residuals: FloatArray = brought - expected
    return residuals

"""Coefficients as they may be: drawn from an estimate and what is thought before the data.

An action is chosen because its estimate is high, so that an imprecise estimate must count for
less.  :func:`doubtful_draws` draws a coefficient from a normal prior around no effect, put together
with the estimate (Spiegelhalter, Freedman & Parmar 1994, "Bayesian approaches to randomized
trials", JRSS A 157, 357-416: the sceptical prior); :func:`draws_above_zero` from an estimate whose
sign is known, as a lower price drives nobody away.  Means over the draws are then what is to be
expected, the optimiser's curse included as far as coefficients go.
"""

from __future__ import annotations

import numpy as np

from keycustomer.stats.samples import FloatArray

LEAST_CHANCE = 1e-12
"""Chance of the allowed side below which the far tail of a normal distribution is not resolved."""


def doubtful_draws(
    estimates: FloatArray,
    covariance: FloatArray,
    spread: float,
    draws: int,
    generator: np.random.Generator,
) -> FloatArray:
    """Draw coefficients that are believed to be near 0 until the data say otherwise.

    Parameters
    ----------
    estimates : ndarray, shape (k,)
        What the data say.
    covariance : ndarray, shape (k, k)
        How sure they are.
    spread : float
        Standard deviation around 0 that is believed before the data.
    draws : int
        How many.
    generator : Generator
        Of the draws.

    Returns
    -------
    ndarray, shape (draws, k)
        From the normal distribution of mean ``V (V + C)^-1 b`` with V the prior's covariance.
    """
    from keycustomer.stats.regressions.normal_draws import normal_draws

    prior = spread**2 * np.eye(len(estimates))
    weight = np.linalg.solve((prior + covariance).T, prior.T).T
    left = prior - weight @ prior
    return normal_draws(weight @ estimates, (left + left.T) / 2, draws, generator)


def draws_above_zero(
    estimate: float, error: float, draws: int, generator: np.random.Generator
) -> FloatArray:
    """Draw a coefficient that cannot lie below 0, shape (draws,).

    Parameters
    ----------
    estimate, error : float
        What the data say, and its standard error.
    draws : int
        How many.
    generator : Generator
        Of the draws.
    """
    from scipy.special import ndtr, ndtri

    place = generator.uniform(size=draws)
    if not error > 0:
        return np.full(draws, max(estimate, 0.0))
    beyond = ndtr(estimate / error)
    if beyond < LEAST_CHANCE:
        # far below 0 what is left above it falls off like an exponential
        return -np.log1p(-place) * error**2 / -estimate
    # from the upper tail, which keeps its digits
    return np.maximum(estimate - error * ndtri(beyond * (1 - place)), 0.0)

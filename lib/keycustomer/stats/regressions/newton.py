"""Newton's method for generalised linear models with a ridge: the one fit below all regressions.

:func:`climb` walks to the largest penalised log-likelihood and says whether it came to rest; where
columns separate the events there is no largest one, and it stops on the way.

Sources: McCullagh & Nelder, "Generalized Linear Models" (1989), chapter 2; Boyd & Vandenberghe,
"Convex Optimization" (2004), section 9.5, for the decrement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keycustomer.stats.regressions.links import LINKS, Link, log_likelihood
from keycustomer.stats.samples import FloatArray

STEPS = 100
"""Most Newton steps; a fit takes five to ten."""

STILL = 1e-18
"""Newton's decrement per row at which the next step is the last one."""


@dataclass(frozen=True, eq=False)
class Summit:
    """Where the walk ended.

    Attributes
    ----------
    coefficients : ndarray, shape (columns,)
        One for each column.
    information : ndarray, shape (columns, columns)
        Negative second derivatives of the penalised log-likelihood at the last step.
    at_rest : bool
        Whether no further step would gain anything.
    """

    coefficients: FloatArray
    information: FloatArray
    at_rest: bool


def climb(
    design: FloatArray,
    outcome: FloatArray,
    link: Link,
    *,
    penalty: FloatArray | float = 0.0,
    weights: FloatArray | None = None,
    offset: FloatArray | float = 0.0,
    start: FloatArray | None = None,
    furthest: float = np.inf,
) -> Summit:
    """Walk to the largest penalised log-likelihood.

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
    weights : ndarray, shape (rows,), optional
        How often each row counts.
    offset : ndarray, shape (rows,), or float
        Added to the linear predictor.
    start : ndarray, shape (columns,), optional
        Where to begin.
    furthest : float
        A coefficient beyond this ends the walk: it runs to infinity.
    """
    weigh = np.ones(len(outcome)) if weights is None else weights
    ridge = np.broadcast_to(np.asarray(penalty, dtype=float), design.shape[1:])
    value = _start(design, outcome, link, weigh) if start is None else start

    def height(place: FloatArray) -> float:
        fit = log_likelihood(design @ place + offset, outcome, link)
        return float(weigh @ fit - ridge @ place**2 / 2)

    best, information, at_rest = height(value), np.diag(ridge), False
    for _ in range(STEPS):
        mean, slope = LINKS[link](design @ value + offset)
        information = (design * (weigh * slope)[:, None]).T @ design + np.diag(ridge)
        score = design.T @ (weigh * (outcome - mean)) - ridge * value
        step = np.asarray(np.linalg.lstsq(information, score, rcond=None)[0], dtype=np.float64)
        value, best, moved = _damped(height, value, step, best)
        at_rest = not moved or float(score @ step) <= STILL * weigh.sum()
        if at_rest or np.abs(value).max(initial=0.0) > furthest:
            break
    return Summit(value, information, at_rest)


def _start(design: FloatArray, outcome: FloatArray, link: Link, weights: FloatArray) -> FloatArray:
    """Coefficients to start from: with a log link the overall mean on the constant, if any."""
    value = np.zeros(design.shape[1])
    mean = float(np.average(outcome, weights=weights))
    if link == "log" and mean > 0:
        constant = np.flatnonzero((design == 1).all(axis=0))
        value[constant[:1]] = np.log(mean)
    return value


def _damped(
    height: Callable[[FloatArray], float], value: FloatArray, step: FloatArray, best: float
) -> tuple[FloatArray, float, bool]:
    """Go as far along the step as it leads up, and tell whether it did at all."""
    share = 1.0
    while share > 1e-8:
        reached = height(value + share * step)
        if reached >= best - 1e-12 * abs(best):
            return value + share * step, reached, True
        share /= 2
    return value, best, False

"""The first stage: whether the instruments move the price enough, and what if they do not.

Question: is an estimate by instruments to be trusted?  :func:`first_stage` gives the F of the
instruments, the effective F with the value it should exceed, how much of the price they explain,
and the interval of Anderson and Rubin, which holds however weak they are.

Sources: Olea & Pflueger (2013), Journal of Business & Economic Statistics 31, 358-369, for the
effective F and its critical value (worst-case bias 10 % of that of least squares, 5 % test,
simplified and conservative); Anderson & Rubin (1949), Annals of Mathematical Statistics 20, 46-63;
Hansen (1982), Econometrica 50, 1029-1054, for the test of further instruments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keycustomer.stats.regressions.absorbing import Codes, solve
from keycustomer.stats.regressions.clustering import small_sample, sums_by_customer
from keycustomer.stats.regressions.instruments import effective_f, joint_f
from keycustomer.stats.regressions.normal_draws import covariance_root
from keycustomer.stats.samples import FloatArray

WORST_BIAS = 0.10
"""Share of the least-squares bias that the bias by instruments may reach at worst."""

ANGLES = 2001
"""Elasticities tried for the Anderson-Rubin interval, over the whole real line and densest about
the estimate."""


@dataclass(frozen=True)
class FirstStage:
    """How the instruments move the price.

    Attributes
    ----------
    f : float
        Clustered Wald statistic of the instruments divided by their number.
    effective_f : float
        Effective F of Olea and Pflueger; with one instrument the same as `f`.
    critical_value : float
        What the effective F should exceed.
    partial_r2 : float
        Share of what effects and controls leave of log price that the instruments explain, 0..1.
    anderson_rubin : tuple of float
        Least and largest elasticity that Anderson and Rubin's test does not reject; infinite where
        it rejects none on that side, NaN where it rejects all.
    overidentification : float
        Error probability that all instruments agree (Hansen's J); NaN with one instrument.
    """

    f: float
    effective_f: float
    critical_value: float
    partial_r2: float
    anderson_rubin: tuple[float, float]
    overidentification: float

    @property
    def weak(self) -> bool:
        """Whether the effective F does not exceed its critical value."""
        return not self.effective_f > self.critical_value


def first_stage(
    outcome: FloatArray,
    price: FloatArray,
    instruments: FloatArray,
    clusters: Codes,
    used: int,
    level: float,
) -> FirstStage:
    """Judge the instruments of a price.

    Parameters
    ----------
    outcome, price : ndarray, shape (n,)
        Log quantity and log price, with effects, other prices and controls taken out.
    instruments : ndarray, shape (n, l)
        The same of the instruments.
    clusters : ndarray of int, shape (n,)
        Cluster of each row.
    used : int
        Degrees of freedom of effects, other prices and controls.
    level : float
        Level of the Anderson-Rubin interval.
    """
    # the judgement rests on what instruments span, not on their units
    instruments = instruments / np.sqrt((instruments**2).mean(axis=0))
    slopes = solve(instruments, np.column_stack([outcome, price]))
    joint = _joint_covariance(outcome, price, instruments, slopes, clusters, used)
    count = instruments.shape[1]
    first, covariance = slopes[:, 1], joint[count:, count:]
    products = instruments.T @ instruments
    fitted = float(first @ products @ first)
    root = covariance_root(products)
    spread = root @ covariance @ root
    groups = int(clusters.max()) + 1
    return FirstStage(
        f=joint_f(first, covariance),
        effective_f=effective_f(root @ first, spread),
        critical_value=critical_value(spread),
        partial_r2=fitted / float(price @ price),
        anderson_rubin=_anderson_rubin(slopes, joint, products, groups, level),
        overidentification=_hansen(outcome, price, instruments, clusters),
    )


def _joint_covariance(
    outcome: FloatArray,
    price: FloatArray,
    instruments: FloatArray,
    slopes: FloatArray,
    clusters: Codes,
    used: int,
) -> FloatArray:
    """Clustered covariance of the slopes of outcome, then of price, on the instruments."""
    n, count = instruments.shape
    inverse = np.linalg.pinv(instruments.T @ instruments, hermitian=True)
    left = np.column_stack([outcome, price]) - instruments @ slopes
    scores = np.column_stack([instruments * left[:, [0]], instruments * left[:, [1]]])
    sums = sums_by_customer(scores, clusters)
    both = np.kron(np.eye(2), inverse)
    factor = small_sample(len(sums), n, used + count)
    return np.asarray(factor * both @ (sums.T @ sums) @ both)


def critical_value(spread: FloatArray) -> float:
    """Value that the effective F should exceed.

    Parameters
    ----------
    spread : ndarray, shape (l, l)
        Covariance of the first-stage slopes, in units in which the instruments are orthonormal.

    Returns
    -------
    float
        23.1 with one instrument.
    """
    from scipy.stats import ncx2

    noncentral = 1 / WORST_BIAS
    trace, largest = float(np.trace(spread)), float(np.linalg.eigvalsh(spread)[-1])
    squares = float(np.trace(spread @ spread))
    freedom = trace**2 * (1 + 2 * noncentral) / (squares + 2 * noncentral * trace * largest)
    return float(ncx2.ppf(0.95, freedom, freedom * noncentral) / freedom)


def _anderson_rubin(
    slopes: FloatArray, joint: FloatArray, products: FloatArray, groups: int, level: float
) -> tuple[float, float]:
    """Give the ends of the set of elasticities that the instruments do not reject."""
    from scipy.optimize import brentq
    from scipy.stats import f as f_distribution

    count = len(slopes)
    bound = float(f_distribution.ppf(level, count, groups - 1))
    toward = products @ slopes[:, 1]
    centre = float(toward @ slopes[:, 0] / (toward @ slopes[:, 1]))
    width = np.sqrt(np.trace(joint[:count, :count]) / np.trace(joint[count:, count:]))

    def surplus(angle: FloatArray) -> FloatArray:
        # cos * (outcome - elasticity * price), finite also where the elasticity is infinite
        own, other = np.cos(angle), -(centre * np.cos(angle) + width * np.sin(angle))
        gap = own[:, None] * slopes[:, 0] + other[:, None] * slopes[:, 1]
        parts = joint.reshape(2, count, 2, count)
        mix = np.stack([own, other])
        spread = np.einsum("ag,aibj,bg->gij", mix, parts, mix)
        away = np.linalg.solve(spread, gap[:, :, None])[:, :, 0]
        return np.asarray((gap * away).sum(axis=1) / count - bound)

    angles = np.pi / 2 * np.linspace(-1, 1, ANGLES) ** 3
    accepted = surplus(angles) <= 0
    if not accepted.any():
        return np.nan, np.nan
    ends = []
    for side in (accepted, accepted[::-1]):
        place = int(np.argmax(side))
        grid = angles if side is accepted else angles[::-1]
        if place == 0:
            ends.append(-np.inf if side is accepted else np.inf)
        else:
            edge = brentq(lambda one: surplus(np.array([one]))[0], grid[place - 1], grid[place])
            ends.append(centre + width * np.tan(edge))
    return float(ends[0]), float(ends[1])


def _hansen(
    outcome: FloatArray, price: FloatArray, instruments: FloatArray, clusters: Codes
) -> float:
    """Error probability of Hansen's test that the instruments agree on one elasticity."""
    from scipy.stats import chi2

    count = instruments.shape[1]
    if count == 1:
        return float("nan")
    fitted = instruments @ solve(instruments, price)
    start = float(fitted @ outcome / (fitted @ price))
    sums = sums_by_customer(instruments * (outcome - start * price)[:, None], clusters)
    weight = np.linalg.pinv(sums.T @ sums, hermitian=True)
    toward = instruments.T @ price
    value = float(toward @ weight @ (instruments.T @ outcome) / (toward @ weight @ toward))
    moments = instruments.T @ (outcome - value * price)
    return float(chi2.sf(moments @ weight @ moments, count - 1))


def explained_away(values: FloatArray, columns: FloatArray) -> FloatArray:
    """Give what is left of values after least squares on columns, shape of `values`."""
    return values - columns @ solve(columns, values) if columns.shape[1] else values

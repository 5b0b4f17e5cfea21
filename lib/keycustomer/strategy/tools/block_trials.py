"""Analysis of a trial in blocks of customers alike, and how many customers it takes.

Which difference is due to the tools, and which to chance?  Customers are ordered by what they
earned before and dealt by lot, one of each block to each run.  A contrast of the runs is computed
in every block, and adjusted for the same contrast of what was earned before, whose expectation is
0; its error comes from how blocks differ, whatever the distribution (a few customers earn most).
With few blocks and a few very large customers the adjusted estimate leans to one side by up to
about half a standard error, which falls faster than the error as blocks grow, and the errors told
are somewhat too large; intervals hold the truth at least as often as they promise.
Main names: :func:`deal_blocks`, :func:`block_contrasts`, :func:`customers_needed`.

Sources: Fisher, "The Design of Experiments" (1935), on blocks; Lin (2013), Annals of Applied
Statistics 7, 295-318, and Freedman (2008), Advances in Applied Mathematics 40, 180-193, on
adjustment; MacKinnon & White (1985), Journal of Econometrics 29, 305-325,
for the errors (HC3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from keycustomer.stats.samples import FloatArray
from keycustomer.stats.student import student_quantile

FEWEST_BLOCKS = 4
"""Blocks below which a spread of blocks says nothing."""

HIGHEST = 0.99
"""Leverage above which a block's residual is not blown up further."""


@dataclass(frozen=True, eq=False)
class BlockContrasts:
    """Contrasts of a trial, k of them.

    Attributes
    ----------
    estimates, errors : ndarray, shape (k,)
        In the unit of the outcome a customer, with standard errors.
    blocks : int
        Blocks they rest on.
    """

    estimates: FloatArray
    errors: FloatArray
    blocks: int

    def reach(self, level: float) -> FloatArray:
        """Half the width of the intervals, shape (k,)."""
        return np.asarray(student_quantile(level, self.blocks - 2) * self.errors)


def deal_blocks(
    before: FloatArray, runs: int, lot: int | np.random.Generator
) -> npt.NDArray[np.int64]:
    """Deal customers to runs by lot, in blocks of those who earned alike.

    Parameters
    ----------
    before : ndarray, shape (customers,)
        What each earned before.
    runs : int
        Runs of the trial.
    lot : int or Generator
        Seed of the lot.

    Returns
    -------
    ndarray of int, shape (blocks, runs)
        Which customer of each block is in which run; the smallest ones, who fill no block, are in
        none.

    Raises
    ------
    ValueError
        When there are too few customers for four blocks.
    """
    blocks = blocks_of(len(before), runs)
    order = np.argsort(-before, kind="stable")[: blocks * runs]
    return np.random.default_rng(lot).permuted(order.reshape(blocks, runs), axis=1)


def blocks_of(customers: int, runs: int) -> int:
    """Count the blocks that customers fill.

    Raises
    ------
    ValueError
        When there are too few customers for four blocks.
    """
    if customers < FEWEST_BLOCKS * runs:
        raise ValueError(
            f"{customers:,} customers for {runs} runs: at least {FEWEST_BLOCKS * runs:,} are "
            "needed; take a design with fewer runs, or more accounts"
        )
    return customers // runs


def block_contrasts(outcome: FloatArray, before: FloatArray, weights: FloatArray) -> BlockContrasts:
    """Estimate contrasts of runs from blocks, adjusted for what was earned before.

    Parameters
    ----------
    outcome, before : ndarray, shape (blocks, runs)
        What the customer of each block and run earned in the trial, and before.
    weights : ndarray, shape (k, runs)
        Weights of the runs in each contrast, adding up to 0.
    """
    found, luck = outcome @ weights.T, before @ weights.T
    mean, count = luck.mean(axis=0), len(outcome)
    off = luck - mean
    square = (off**2).sum(axis=0)
    scale = np.where(square > 0, square, np.inf)
    slope = (off * found).sum(axis=0) / scale
    rest = found - found.mean(axis=0) - slope * off
    leverage = np.minimum(1 / count + off**2 / scale, HIGHEST)
    pull = 1 / count - mean * off / scale
    error = np.sqrt(((pull * rest / (1 - leverage)) ** 2).sum(axis=0))
    return BlockContrasts(found.mean(axis=0) - slope * mean, error, count)


def customers_needed(customers: int, error: float, effect: float, power: float = 0.8) -> float:
    """How many customers a trial needs to find an effect.

    Parameters
    ----------
    customers : int
        Customers of a trial whose standard error is known.
    error : float
        That standard error, in the unit of the effect; it falls with the root of customers.
    effect : float
        The effect to be found at 95 % confidence, two-sided.
    power : float
        Probability to find it, 0..1.

    Returns
    -------
    float
        Infinite where there is no effect.

    Raises
    ------
    ValueError
        When the power is no probability above a half.
    """
    if not 0.5 <= power < 1:
        raise ValueError(f"power={power!r}: a probability from 0.5 to below 1")
    normal = NormalDist()
    reach = normal.inv_cdf(0.975) + normal.inv_cdf(power)
    return customers * (reach * error / effect) ** 2 if effect else math.inf

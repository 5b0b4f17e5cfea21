"""Choices of levels for tests, and the same integer programme solved by HiGHS as it stands."""

import itertools

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

KINDS = ("rough", "whole", "rising", "costless")


def random_instance(seed, *, most=25):
    """Value, cost and a budget between the cheapest plan and the dearest.

    Rough values and costs are in no order and may be negative, whole ones have many ties, rising
    ones go up with the level, costless ones have a zero level that costs nothing.
    """
    generator = np.random.default_rng(seed)
    n, levels = int(generator.integers(1, most)), int(generator.integers(1, 6))
    size = generator.lognormal(0, 1, (n, 1))
    value = generator.normal(size=(n, levels)) * size
    cost = generator.random((n, levels)) * size
    match KINDS[seed % len(KINDS)]:
        case "whole":
            value, cost = np.round(value), np.round(3 * cost)
        case "rising":
            value, cost = np.sort(value, axis=1), np.sort(cost, axis=1)
        case "costless":
            cost = np.cumsum(cost, axis=1) - cost[:, :1]
    low, high = cost.min(axis=1).sum(), cost.max(axis=1).sum()
    return value, cost, float(low + generator.random() * (high - low))


def best_value(value, cost, budget, *, rows=(), limits=()):
    """Value of the best plan by HiGHS; `rows` are further uses, each of shape (n, levels)."""
    n, levels = value.shape
    one_each = sparse.kron(sparse.eye(n), np.ones((1, levels)), format="csr")
    uses = np.vstack([cost.reshape(1, -1), *[np.reshape(row, (1, -1)) for row in rows]])
    result = milp(
        -value.ravel(),
        constraints=[
            LinearConstraint(one_each, 1, 1),
            LinearConstraint(uses, -np.inf, [budget, *limits]),
        ],
        integrality=np.ones(n * levels),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    assert result.status == 0, result.message
    return -float(result.fun)


def best_by_trying(value, cost, budget):
    """Value of the best plan by looking at every one of them."""
    rows = np.arange(len(value))
    plans = itertools.product(range(value.shape[1]), repeat=len(value))
    return max(
        value[rows, codes].sum()
        for codes in map(list, plans)
        if cost[rows, codes].sum() <= budget + 1e-12
    )


def retention_case(n, seed):
    """Levels of rising cost, worth a margin times its multiple at a rising retention rate."""
    generator = np.random.default_rng(seed)
    margin = generator.lognormal(4, 1.2, n)
    cost = np.array([0.0, 2, 8, 30, 120]) * generator.lognormal(0, 0.25, (n, 1))
    rate = np.array([0.60, 0.66, 0.72, 0.78, 0.82])
    uplift = (rate - rate[0]) * generator.lognormal(0, 0.5, (n, 1))
    value = margin[:, None] * 1.1 / (1.1 - np.clip(rate[0] + uplift, 0, 0.97))
    return value, cost, 0.15 * float(cost[:, 4].sum())

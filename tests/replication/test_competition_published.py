"""Price competition: closed forms and another package's equilibrium."""

from importlib.util import find_spec

import numpy as np
import pytest
from keycustomer.pricing import (
    critical_discount_factor,
    equilibrium_prices,
    joint_prices,
    linear_duopoly,
    logit_market,
    merger_effect,
    price_war,
)

PRINTED = 5e-13
"""The symmetric duopoly is printed with 16 digits; a search ends 1e-13 from its root."""

EXACT = 1e-9
"""Closed forms in numbers below 100."""

SOLVED = 1e-8
"""Another package's search ends when its prices move by 1e-12, its shares are as exact."""


def test_symmetric_logit_duopoly_has_the_printed_price():
    found = equilibrium_prices(logit_market([2.0, 2.0], -1.0, [1.0, 1.0]))
    assert found.prices == pytest.approx([2.401058137541492] * 2, abs=PRINTED)


def test_linear_duopoly_has_the_printed_equilibrium_joint_price_deviation_and_factor():
    market = linear_duopoly(100, 2, 1, 10)
    assert equilibrium_prices(market).prices == pytest.approx([40.0, 40.0], abs=EXACT)
    assert joint_prices(market).prices == pytest.approx([55.0, 55.0], abs=EXACT)
    terms = critical_discount_factor(market)
    assert terms.prices["breach"].tolist() == pytest.approx([43.75, 43.75], abs=EXACT)
    # profits at peace, breach and war are 2025, 2278.125 and 1800: 253.125 / 478.125 = 9/17
    assert terms.critical == pytest.approx(9 / 17, abs=EXACT)
    assert round(terms.critical, 4) == 0.5294


def test_best_replies_of_the_linear_duopoly_contract_by_half_the_ratio_of_slopes():
    war = price_war(
        linear_duopoly(100, 2, 1, 10), attacker=("we", "rival"), peace=[60, 40], periods=6
    )
    assert war.contraction == pytest.approx(1 / 4, abs=EXACT)
    # p' - 40 = (other - 40) / 4, from (60, 40)
    assert war.prices[:4].tolist() == [[60, 40], [40, 45], [41.25, 40], [40, 40.3125]]


def by_pyblp(worths, slopes, weights, costs, firms, nesting):
    """Prices and shares of pyblp's equilibrium, segments as two kinds of agents."""
    import pandas as pd
    import pyblp

    pyblp.options.verbose = False
    table = pd.DataFrame(
        {"market_ids": 0, "firm_ids": firms, "quality": worths, "shares": 0.1, "nesting_ids": 1}
    )
    agents = pd.DataFrame({"market_ids": 0, "weights": weights, "steeper": slopes - slopes[0]})
    linear = pyblp.Formulation("0 + prices + quality")
    simulation = pyblp.Simulation(
        (linear, pyblp.Formulation("0 + prices")),
        table,
        beta=[slopes[0], 1.0],
        sigma=0.0,
        pi=1.0,
        rho=nesting,
        agent_formulation=pyblp.Formulation("0 + steeper"),
        agent_data=agents.assign(nodes0=0.0),
        xi=np.zeros(len(costs)),
        omega=np.zeros(len(costs)),
    )
    solved = simulation.replace_endogenous(costs=costs, prices=costs + 0.5).product_data
    return solved.prices.ravel(), solved.shares.ravel()


@pytest.mark.skipif(find_spec("pyblp") is None, reason="pyblp is not installed")
@pytest.mark.parametrize("nesting", [0.0, 0.6])
@pytest.mark.parametrize("slopes", [[-1.3, -1.3], [-0.8, -2.5]])
def test_equilibrium_before_and_after_a_merger_is_that_of_pyblp(slopes, nesting):
    generator = np.random.default_rng(5)
    costs, firms = generator.uniform(0.5, 2.0, 6), ["a", "a", "b", "c", "c", "d"]
    worths, weights = generator.normal(1.0, 1.0, 6), np.array([0.7, 0.3])
    market = logit_market(
        np.tile(worths, (2, 1)), slopes, costs, firms=firms, weights=weights, nesting=nesting
    )
    merger = merger_effect(market, ["a", "b"])
    merged = ["ab" if firm in "ab" else firm for firm in firms]
    for found, owners in ((merger.before, firms), (merger.after, merged)):
        prices, shares = by_pyblp(worths, np.array(slopes), weights, costs, owners, nesting)
        assert found.prices == pytest.approx(prices, abs=SOLVED)
        assert found.quantities == pytest.approx(shares, abs=SOLVED)

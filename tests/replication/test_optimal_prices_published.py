"""Optimal prices against published closed forms, to the stated digits, and against plain search."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import (
    ConstantElasticityDemand,
    LinearProductDemand,
    LogitDemand,
    LogitProductDemand,
    optimal_price,
    optimal_prices,
)
from scipy.optimize import minimize_scalar
from scipy.special import lambertw

PRINTED = 5e-10
"""Half of the last digit that is printed."""

SEARCHED = 1e-5
"""How near a bounded search comes to the top of a curve that is flat there."""

HELD = 1e-12
"""Rounding of closed forms."""


@pytest.mark.parametrize(
    ("limits", "price", "binding", "tolerance"),
    [
        ({}, 10.0, "none", HELD),
        ({"floor": 1.0}, 12.0, "floor", HELD),
        ({"capacity": 2.0}, 12.011244, "capacity", 5e-7),
        ({"capacity": 2.0, "highest": 11.0}, 11.0, "highest price", HELD),
    ],
)
def test_constant_elasticity_price_is_the_printed_one(limits, price, binding, tolerance):
    """A = 1000, elasticity -2.5, unit cost 6: Lerner's price, held by each limit in turn."""
    found = optimal_price(ConstantElasticityDemand(1000.0, -2.5), 6.0, **limits)
    assert found.price == pytest.approx(price, abs=tolerance)
    assert found.binding == binding


@pytest.mark.parametrize(("floor", "capacity"), [(0.0, None), (1.0, None), (0.0, 2.0)])
def test_constant_elasticity_price_is_that_of_a_search(floor, capacity):
    demand = ConstantElasticityDemand(1000.0, -2.5)
    most = np.inf if capacity is None else capacity
    searched = minimize_scalar(
        lambda p: -(p - 6) * min(demand.quantity(p), most),
        bounds=(6 * (1 + floor), 200),
        method="bounded",
        options={"xatol": 1e-10},
    ).x
    found = optimal_price(demand, 6.0, floor=floor, capacity=capacity).price
    assert found == pytest.approx(searched, abs=SEARCHED)


def test_logit_monopoly_price_is_the_printed_one():
    """Worth 3, coefficient -.8, unit cost 2, by Lambert's W: 4.154456195."""
    assert LogitDemand(3.0, -0.8).best_price(2.0) == pytest.approx(4.154456195, abs=PRINTED)


def test_joint_price_of_a_linear_duopoly_is_the_printed_one():
    """A = 100, b = 2, g = 1, c = 10: both products in one hand are sold at 55."""
    demand = LinearProductDemand(np.full(2, 100.0), np.array([[-2.0, 1.0], [1.0, -2.0]]))
    assert demand.best_prices(np.full(2, 10.0), np.zeros(2)) == pytest.approx(55.0, abs=HELD * 55)
    units = demand.quantity([40.0, 40.0])
    today = pd.DataFrame({"product": ["a", "b"], "price": 40.0, "quantity": units, "unit_cost": 10})
    found = optimal_prices(today, demand.elasticities([40.0, 40.0]))
    assert found.frame["price"].to_numpy() == pytest.approx(55.0, rel=1e-10)


def test_markups_of_a_logit_seller_are_equal_and_by_lambert():
    """p_j - c_j = (1 + W(sum of exp(d_j - a c_j - 1))) / a for every product of one seller."""
    worth, cost, steepness = np.array([2.0, 2.0, 1.5]), np.array([1.0, 1.0, 1.2]), 0.9
    demand = LogitProductDemand(worth, -steepness)
    mass = lambertw(np.exp(worth - steepness * cost - 1).sum()).real
    prices = demand.best_prices(cost, np.zeros(3))
    assert prices - cost == pytest.approx((1 + mass) / steepness, rel=HELD * 100)
    assert np.abs(demand.slope(prices, cost)).max() < 1e-12

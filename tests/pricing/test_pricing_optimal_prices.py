"""Demand curves and best prices: closed forms, limits, several products, uncertainty, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import (
    ConstantElasticityDemand,
    LinearDemand,
    LogitDemand,
    LogitProductDemand,
    NoOptimalPrice,
    optimal_price,
    optimal_prices,
    price_corridor,
    price_curve,
    uncertain_price,
)
from keycustomer.stats import Estimate

EXACT = 1e-9
"""Rounding of closed forms."""

SLOPE = 1e-6
"""Step of numerical derivatives."""

NEAR = 1e-5
"""Error of numerical derivatives at that step."""


def curves(own=-2.2):
    """One curve of each form through the price 10 and 50 units."""
    return [
        ConstantElasticityDemand.through(10.0, 50.0, own),
        LinearDemand.through(10.0, 50.0, own),
        LogitDemand.through(10.0, 50.0, own, 200.0),
    ]


@pytest.mark.parametrize("demand", curves(), ids=lambda one: type(one).__name__)
def test_a_curve_passes_where_it_is_drawn_through(demand):
    assert demand.quantity(10.0) == pytest.approx(50.0, rel=EXACT)
    assert demand.elasticity(10.0) == pytest.approx(-2.2, rel=EXACT)
    assert demand.price_at(50.0) == pytest.approx(10.0, rel=EXACT)


@pytest.mark.parametrize("demand", curves(), ids=lambda one: type(one).__name__)
def test_elasticity_and_surplus_are_derivatives_of_the_quantity(demand):
    prices = np.array([8.0, 11.0, 13.0])
    up, down = demand.quantity(prices + SLOPE), demand.quantity(prices - SLOPE)
    slope = (up - down) / (2 * SLOPE)
    assert demand.elasticity(prices) == pytest.approx(
        slope * prices / demand.quantity(prices), NEAR
    )
    less = (demand.surplus(prices + SLOPE) - demand.surplus(prices - SLOPE)) / (2 * SLOPE)
    assert less == pytest.approx(-demand.quantity(prices), NEAR)


@given(
    own=st.floats(-6, -1.2),
    cost=st.floats(0.5, 9),
    form=st.sampled_from([0, 1, 2]),
    floor=st.floats(0, 1),
)
@settings(max_examples=40, deadline=None)
def test_no_other_allowed_price_brings_more(own, cost, form, floor):
    demand = curves(own)[form]
    if isinstance(demand, LinearDemand) and cost * (1 + floor) >= demand.choke_price:
        return
    found = optimal_price(demand, cost, floor=floor, capacity=80.0)
    tried = np.geomspace(max(found.floor_price, 1e-3), 20 * found.price, 400)
    assert found.profit >= found.profit_at(tried).max() * (1 - EXACT)
    assert found.price >= found.floor_price
    assert found.quantity <= 80.0 * (1 + EXACT)


def test_markup_is_the_inverse_elasticity_where_nothing_binds():
    for demand in curves():
        found = optimal_price(demand, 6.0)
        assert found.markup == pytest.approx(-1 / demand.elasticity(found.price), rel=EXACT)
        assert found.binding == "none"


def test_profit_is_flat_near_the_best_price():
    found = optimal_price(curves()[0], 6.0)
    low, high = found.flat_range(0.99)
    assert found.loss([low, high]) == pytest.approx([0.01, 0.01], rel=1e-6)
    assert low < 0.95 * found.price and high > 1.05 * found.price
    assert found.loss(found.price) == 0
    held = optimal_price(curves()[0], 6.0, floor=1.5)
    assert held.flat_range(0.99)[0] == held.floor_price


@pytest.mark.parametrize("own", [-1.0, -0.55])
def test_inelastic_demand_has_no_best_price_without_a_highest_one(own):
    demand = ConstantElasticityDemand(10.0, own)
    with pytest.raises(NoOptimalPrice, match="no price is the best one"):
        optimal_price(demand, 6.0)
    assert optimal_price(demand, 6.0, highest=20.0).binding == "highest price"
    assert np.isinf(demand.surplus(1.0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: ConstantElasticityDemand(10.0, 0.4), "not a demand curve"),
        (lambda: ConstantElasticityDemand(10.0, float("nan")), "below 0"),
        (lambda: LogitDemand(1.0, 0.2), "fixed effects or instruments"),
        (lambda: LogitDemand.through(10, 50, -2, 50), "must be below size"),
        (lambda: LinearDemand(0.0, 1.0), "above 0"),
        (lambda: optimal_price(LinearDemand(10, 1), 10.0), "nothing is sold from 10"),
        (lambda: optimal_price(LinearDemand(10, 1), 6.0, floor=1.0), "nothing is sold at 12"),
        (lambda: optimal_price(curves()[0], 6.0, floor=1.0, highest=9.0), "no price is allowed"),
        (lambda: optimal_price(curves()[0], 0.0), "give the cost of a unit"),
        (lambda: optimal_price(curves()[0], -1.0), "unit_cost=-1.0"),
        (lambda: optimal_price(-2.0, 1.0), "must be a demand curve"),
        (lambda: ConstantElasticityDemand(10.0, -2.0).quantity([1.0, 0.0]), "must be above 0"),
    ],
)
def test_what_makes_no_price_is_refused_with_its_reason(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        wrong()


ELASTICITIES = np.array([[-2.5, 0.4, 0.2], [0.5, -2.2, 0.3], [0.2, 0.4, -1.8]])


def products(**changes):
    columns = {"price": [10.0, 12, 15], "quantity": [100.0, 80, 50], "unit_cost": [6.0, 7, 8]}
    return pd.DataFrame({"product": list("abc")} | columns | changes)


def test_products_that_take_from_each_other_are_priced_higher_together():
    together = optimal_prices(products(), ELASTICITIES)
    alone = optimal_prices(products(), np.diag(np.diag(ELASTICITIES)))
    assert (together.frame["price"] > alone.frame["price"]).all()
    prices = together.frame["price"].to_numpy()
    assert np.abs(together.demand.slope(prices, [6, 7, 8])).max() < 1e-10
    assert together.gain > 0


@pytest.mark.parametrize(
    "how",
    [
        {"elasticities": ELASTICITIES},
        {"form": "logit", "price_coefficient": -0.4, "size": 500.0},
        {"elasticities": ELASTICITIES, "form": "constant elasticity", "within": (0.8, 1.3)},
    ],
    ids=["linear", "logit", "constant elasticity"],
)
def test_floors_and_capacities_hold_and_nothing_near_brings_more(how):
    found = optimal_prices(products(), floor=0.6, capacity=[60.0, 90.0, 110.0], **how)
    frame, cost = found.frame, products()["unit_cost"].to_numpy()
    prices = frame["price"].to_numpy()
    assert (prices >= frame["floor_price"] * (1 - EXACT)).all()
    assert (frame["quantity"] <= np.array([60.0, 90, 110]) * (1 + 1e-6)).all()
    generator = np.random.default_rng(3)
    low, high = how.get("within", (0, np.inf))
    for move in generator.uniform(-0.05, 0.05, (300, 3)):
        near = np.clip(prices * (1 + move), low * products()["price"], high * products()["price"])
        allowed = (near >= frame["floor_price"]).all()
        if allowed and (found.demand.quantity(near) <= [60, 90, 110]).all():
            assert found.demand.profit(near, cost) <= frame["profit"].sum() * (1 + 1e-7)


def test_a_floor_lifts_the_markups_of_a_logit_seller_only_where_it_binds():
    how = {"form": "logit", "price_coefficient": -0.4, "size": 500.0}
    free, held = (optimal_prices(products(), floor=floor, **how) for floor in (0.0, 0.7))
    assert held.frame["binding"].tolist() == ["none", "none", "floor"]
    markups = held.frame["price"] - held.frame["unit_cost"]
    assert markups[0] == pytest.approx(markups[1], rel=EXACT)
    assert held.frame["profit"].sum() < free.frame["profit"].sum()


def test_logit_jacobian_is_the_derivative_of_the_shares():
    demand = LogitProductDemand(np.array([1.0, 0.4]), -0.5, 100.0)
    at = np.array([2.0, 3.0])
    columns = [
        (demand.quantity(at + step) - demand.quantity(at - step)) / (2 * SLOPE)
        for step in SLOPE * np.eye(2)
    ]
    assert demand.jacobian(at) == pytest.approx(np.array(columns).T, rel=NEAR)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"form": "constant elasticity"}, "no best prices"),
        ({"elasticities": ELASTICITIES + 2.4 * (1 - np.eye(3))}, "without end"),
        ({"elasticities": -ELASTICITIES}, "not a demand curve"),
        ({"elasticities": ELASTICITIES[:2]}, "3 by 3"),
        ({"form": "logit"}, "needs price_coefficient and size"),
        ({"form": "logit", "price_coefficient": -1, "size": 200.0}, "less than size=200"),
        ({"form": "cubic"}, "must be 'linear'"),
        ({"products": products(product=["a", "a", "b"])}, "more than once"),
        ({"products": products(price=[1.0, -2, 3])}, r"\['b'\] must be above 0"),
        ({"within": (0.8, 0.9), "floor": 1.0}, "the floor price is above"),
    ],
)
def test_products_that_have_no_best_prices_are_refused(wrong, message):
    arguments = {"products": products(), "elasticities": ELASTICITIES} | wrong
    with pytest.raises(ValueError, match=message):
        optimal_prices(arguments.pop("products"), arguments.pop("elasticities"), **arguments)


def estimate(value, error):
    return Estimate(value, value - 1.96 * error, value + 1.96 * error, "elasticity", 100, "known")


def test_the_interval_of_the_price_is_that_of_the_elasticity_turned_over():
    found = uncertain_price(estimate(-2.5, 0.25), 6.0, 10.0, 100.0)
    assert found.price == pytest.approx(10.0, rel=EXACT)
    assert (found.lower, found.upper) == pytest.approx((6 * 2.99 / 1.99, 6 * 2.01 / 1.01), rel=1e-9)
    assert not found.unbounded and not found.at_edge and not found.notes
    # profit is convex in the elasticity, so that not knowing it speaks for a higher price
    assert found.expected_price >= found.price - 0.1
    assert 0 <= found.regret < 0.01 and found.information_value > 0


def test_an_interval_that_reaches_one_leaves_the_price_without_an_end():
    found = uncertain_price(estimate(-1.5, 0.4), 6.0, 10.0, 100.0)
    assert found.unbounded and np.isinf(found.upper) and found.without_optimum > 0.05
    assert "no upper end" in found.notes[0]
    assert np.isinf(uncertain_price(estimate(-0.8, 0.1), 6.0, 10.0).price)


def test_the_interval_of_the_price_covers_the_true_one():
    """400 estimates of a known elasticity: as many intervals hold the true price as should."""
    generator = np.random.default_rng(1)
    true, error, cost = -3.0, 0.4, 6.0
    best, held = cost * true / (1 + true), 0
    for value in generator.normal(true, error, 400):
        found = uncertain_price(estimate(value, error), cost, 10.0, draws=2)
        held += found.lower <= best <= found.upper
    # four standard errors of a share of .95 over 400
    assert abs(held / 400 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 400)


@pytest.mark.parametrize("form", ["linear", "logit"])
def test_a_line_and_a_logit_always_have_a_best_price(form):
    found = uncertain_price(estimate(-1.5, 0.4), 6.0, 10.0, 100.0, form=form, size=300.0)
    assert not found.unbounded and found.without_optimum == 0
    assert found.lower < found.price < found.upper


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"elasticity": Estimate.without_interval(-2.0, "", 1, "one customer")}, "no interval"),
        ({"elasticity": estimate(0.3, 0.1)}, "not a demand curve"),
        ({"elasticity": -2.0}, "must be an Estimate"),
        ({"form": "logit"}, "size is missing"),
        ({"form": "cubic"}, "must be one of"),
        ({"within": (2.0, 1.0)}, "two rising multiples"),
        ({"floor": 3.0}, "the floor price 24 is not below"),
    ],
)
def test_uncertain_prices_that_cannot_be_told_are_refused(wrong, message):
    arguments = {"elasticity": estimate(-2.0, 0.2), "unit_cost": 6.0, "price": 10.0} | wrong
    with pytest.raises((ValueError, TypeError), match=message):
        uncertain_price(**arguments)


def test_results_show_names_as_they_are():
    frame = products(product=["<b>", "b", "c"])
    assert "<b>" not in optimal_prices(frame, ELASTICITIES)._repr_html_()
    assert "Best price" in optimal_price(curves()[0], 6.0)._repr_html_()
    assert "no upper end" in uncertain_price(estimate(-1.5, 0.4), 6.0, 10.0)._repr_html_()


def test_prices_from_slips_of_the_pen_are_refused_by_row():
    tiers = pd.DataFrame({"tier": ["A"], "list_price": [12], "price": ["x"], "unit_cost": [6]})
    with pytest.raises(ValueError, match=r"tiers\['price'\] holds 1 value .*\[0\]: 'x'"):
        price_corridor(tiers)
    with pytest.raises(ValueError, match="prices is empty"):
        price_curve(-2.0, 5.0, 10.0, prices=[])
    known = Estimate(-2.0, -2.5, -1.5, "", 100, "m", 0.95)
    with pytest.raises(ValueError, match="draws=0"):
        uncertain_price(known, 5.0, 10.0, draws=0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("demand", curves(), ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("price", [-5.0, np.nan, np.inf, -np.inf, None, "dear", [1.0, np.inf]])
def test_curves_refuse_what_is_no_price_once_and_without_warnings(demand, price):
    asked = [demand.quantity, demand.elasticity, demand.surplus, demand.revenue]
    for ask in (*asked, demand.price_at, lambda one: demand.profit(one, 2.0)):
        with pytest.raises(ValueError, match=r"(price|quantity)(:|=).*(and finite|give a number)"):
            ask(price)
    with pytest.raises(ValueError, match="unit_cost=nan must be one finite number"):
        demand.profit(10.0, float("nan"))


def test_no_price_of_a_line_sells_more_than_its_intercept():
    with pytest.raises(ValueError, match="at most intercept=100"):
        LinearDemand(100.0, 2.0).price_at(101.0)

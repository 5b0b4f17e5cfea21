"""Markets of price competition and their equilibria: conditions, closed forms, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import (
    NoOptimalPrice,
    calibrated_market,
    constant_elasticity_market,
    critical_discount_factor,
    equilibrium_prices,
    implied_costs,
    joint_prices,
    linear_duopoly,
    linear_market,
    logit_market,
    merger_effect,
    price_war,
    reply_slopes,
)

CONDITIONS = 1e-10
"""Largest violation of first-order conditions, as the issue asks."""

EXACT = 1e-9
"""Closed forms, in numbers below 100."""

DIFFERENCES = 1e-6
"""Error of central differences with a step of 1e-5."""

GAIN = 1e-6
"""Share of profit that a grid of other prices may add: ten times what the search allows."""


def a_market(seed):
    """Make a logit market by chance: up to 8 products, 4 firms, 3 segments, alike or not."""
    generator = np.random.default_rng(seed)
    products, segments = generator.integers(2, 9), generator.integers(1, 4)
    return logit_market(
        generator.normal(1.0, 1.0, (segments, products)),
        -generator.uniform(0.5, 2.0, segments),
        generator.uniform(0.2, 2.0, products),
        firms=generator.integers(0, 4, products),
        weights=generator.uniform(0.2, 1.0, segments),
        nesting=generator.choice([0.0, 0.3, 0.8]),
        size=generator.uniform(0.5, 1_000),
    )


def three_markets():
    logit = logit_market([[2.0, 1.0, 0.5], [1.0, 2.0, 0.0]], [-1.0, -0.4], [1.0, 0.8, 0.5])
    matrix = np.array([[-3.0, 1.0, 0.5], [0.8, -2.5, 0.6], [0.4, 0.7, -2.0]])
    linear = linear_market([100.0, 90.0, 80.0], matrix, [5.0, 6.0, 7.0])
    elastic = constant_elasticity_market([9.0, 8.0, 7.0], matrix, [1.0, 2.0, 3.0])
    return [logit, logit.with_nesting(0.6), linear, elastic]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_conditions_of_first_and_second_order_hold(seed):
    found = equilibrium_prices(a_market(seed))
    assert found.residual < CONDITIONS
    # with several kinds of buyers there need not be an equilibrium: then it is said
    assert found.peaks or "No equilibrium" in found.notes[-1]
    assert found.peaks or not found.market.one_peak
    assert (found.prices > found.market.unit_costs).all()


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_no_firm_gains_by_any_price_of_its_products_on_a_grid(seed):
    market = a_market(seed)
    found = equilibrium_prices(market)
    gained = False
    for firm in market.names:
        mine = market.of_firm(firm)
        for factor in np.geomspace(0.3, 4.0, 30):
            moved = np.where(mine, factor * found.prices, found.prices)
            earned = market.product_profits(moved)[mine].sum()
            gained |= earned > found.profits[firm] * (1 + GAIN)
    assert not (found.peaks and gained)


@pytest.mark.parametrize("market", three_markets())
def test_slopes_are_the_derivatives_of_quantities(market):
    prices = np.array([3.0, 3.5, 4.0])
    slopes = market.slopes(prices)
    for k in range(3):
        move = np.where(np.arange(3) == k, 1e-5, 0.0)
        change = market.quantities(prices + move) - market.quantities(prices - move)
        assert slopes[:, k] == pytest.approx(change / 2e-5, rel=DIFFERENCES, abs=DIFFERENCES)


@pytest.mark.parametrize("nesting", [0.0, 0.5])
def test_a_dearer_product_takes_its_quantity_from_the_surplus(nesting):
    market = three_markets()[0].with_nesting(nesting)
    prices = np.array([3.0, 3.5, 4.0])
    for k, sold in enumerate(market.quantities(prices)):
        move = np.where(np.arange(3) == k, 1e-5, 0.0)
        change = market.consumer_surplus(prices + move) - market.consumer_surplus(prices - move)
        assert change / 2e-5 == pytest.approx(-sold, rel=DIFFERENCES)


def test_surplus_of_linear_demand_is_the_triangle_and_needs_mirrored_effects():
    alone = linear_market([100.0], [[-2.0]], [10.0])
    assert alone.consumer_surplus([30.0]) == pytest.approx(40.0**2 / 4)
    assert np.isnan(three_markets()[2].consumer_surplus([20.0, 20.0, 20.0]))


def test_firms_of_a_plain_logit_market_put_one_margin_on_all_their_products():
    market = logit_market([2, 2, 1.5, 1], -0.7, [1, 1.4, 1.2, 0.8], firms=["a", "a", "b", "c"])
    found = equilibrium_prices(market)
    share = found.quantities.copy()
    share[:2] = share[:2].sum()
    assert found.prices - market.unit_costs == pytest.approx(1 / (0.7 * (1 - share)), abs=EXACT)


def test_best_reply_of_one_product_is_the_price_of_its_residual_demand():
    market = logit_market([2.0, 1.0, 3.0], -0.8, [1.0, 0.5, 2.0])
    prices = np.array([2.0, 3.0, 4.0])
    curve = market.residual_demand("product 3", prices)
    assert curve.quantity(4.0) == pytest.approx(market.quantities(prices)[2])
    best = market.best_reply("product 3", prices)
    assert best[2] == pytest.approx(curve.best_price(2.0), abs=EXACT)
    assert best[:2].tolist() == [2.0, 3.0]


def test_linear_equilibrium_solves_its_linear_equations():
    market = three_markets()[2].with_firms(["a", "b", "a"])
    own = np.where(market.ownership, market.responses, 0.0)
    right = own.T @ market.unit_costs - market.intercepts
    solved = np.linalg.solve(market.responses + own.T, right)
    assert equilibrium_prices(market).prices == pytest.approx(solved, abs=EXACT)


def test_constant_elasticities_give_lerner_prices_and_joint_prices():
    market = constant_elasticity_market([1, 2], [[-4, 1], [1, -4]], [1, 1])
    assert equilibrium_prices(market).prices == pytest.approx([4 / 3, 4 / 3], abs=EXACT)
    alike = constant_elasticity_market([1, 1], [[-4, 1], [1, -4]], [1, 1])
    # raised together, sales fall with elasticity -3
    assert joint_prices(alike).prices == pytest.approx([1.5, 1.5], abs=EXACT)
    assert alike.best_reply("product 1", [2.0, 9.0])[0] == pytest.approx(4 / 3, abs=EXACT)


def test_joint_prices_bring_all_together_more_than_any_common_factor_of_them():
    market = a_market(7)
    found = joint_prices(market)
    best = market.product_profits(found.prices).sum()
    assert found.profits.sum() == pytest.approx(best)
    for factor in np.geomspace(0.5, 3, 40):
        assert market.product_profits(factor * found.prices).sum() <= best * (1 + GAIN)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 4.0))
def test_floors_are_never_violated_and_bind_only_where_profit_would_fall(seed, floor):
    market = a_market(seed)
    free, held = equilibrium_prices(market), equilibrium_prices(market, floor=floor)
    lowest = (1 + floor) * market.unit_costs
    assert (held.prices >= lowest * (1 - EXACT)).all()
    assert held.residual < CONDITIONS
    if (free.prices > lowest).all():
        assert held.prices == pytest.approx(free.prices)
        assert not held.at_floor


def test_a_floor_of_one_firm_leaves_the_other_free_and_raises_its_reply():
    found = equilibrium_prices(linear_duopoly(100, 2, 1, 10), floor={"we": 4.0})
    assert found.at_floor == ("we",)
    # rival's reply to 50: (100 + 2 x 10 + 50) / 4
    assert found.prices == pytest.approx([50.0, 42.5], abs=EXACT)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_a_market_is_found_again_from_its_prices_and_shares(seed):
    generator = np.random.default_rng(seed)
    market = logit_market(
        generator.normal(0.5, 1.0, 4),
        -generator.uniform(0.5, 2.0),
        generator.uniform(0.2, 2.0, 4),
        firms=["a", "b", "b", "c"],
        nesting=generator.choice([0.0, 0.4]),
        size=100.0,
    )
    found = equilibrium_prices(market)
    again = calibrated_market(
        found.prices,
        market.shares(found.prices),
        float(market.price_coefficients[0]),
        firms=market.firms,
        nesting=market.nesting,
        size=100.0,
    )
    assert again.unit_costs == pytest.approx(market.unit_costs, abs=EXACT)
    assert again.worths == pytest.approx(market.worths, abs=EXACT)
    assert implied_costs(market, found.prices) == pytest.approx(market.unit_costs, abs=EXACT)


def test_costs_that_are_known_are_kept():
    market = calibrated_market([2.0, 3.0], [0.2, 0.3], -1.0, unit_costs=[1.0, 1.5])
    assert market.unit_costs.tolist() == [1.0, 1.5]
    assert market.shares([2.0, 3.0]) == pytest.approx([0.2, 0.3])


def test_a_lone_seller_to_two_kinds_of_buyers_takes_the_higher_of_two_peaks():
    market = logit_market([[3.0], [6.0]], [-0.7, -4.0], [0.3], weights=[0.4, 0.6])
    grid = np.linspace(0.35, 8.0, 4_000)
    earned = np.array([market.product_profits([price])[0] for price in grid])
    found = equilibrium_prices(market)
    assert found.peaks
    assert found.prices[0] == pytest.approx(grid[earned.argmax()], abs=grid[1] - grid[0])
    turns = np.flatnonzero(np.diff(np.sign(np.diff(earned))) < 0)
    assert len(turns) == 2, "the example needs two peaks to tell"


@pytest.mark.parametrize(
    ("weight", "steepness", "there"), [(0.2, (0.7, 3.0, 4.0), True), (0.3, (1.0, 3.0, 6.0), False)]
)
def test_an_equilibrium_is_found_where_a_grid_of_prices_has_one_and_denied_elsewhere(
    weight, steepness, there
):
    loyal, first, second = steepness
    market = logit_market(
        [[first, -6.0], [second, second]], [-loyal, -4.0], [0.3, 0.2], weights=[weight, 1 - weight]
    )
    grid = np.geomspace(0.25, 8.0, 160)
    profit = np.array([[market.product_profits([one, two]) for two in grid] for one in grid])
    reply, answer = profit[:, :, 0].argmax(axis=0), profit[:, :, 1].argmax(axis=1)
    mutual = [j for j in range(len(grid)) if abs(answer[reply[j]] - j) <= 1]
    found = equilibrium_prices(market)
    assert bool(mutual) is there
    assert found.peaks is there
    if there:
        step = grid[1] / grid[0]
        assert found.prices[0] == pytest.approx(grid[reply[mutual[0]]], rel=2 * (step - 1))
        assert found.prices[1] == pytest.approx(grid[mutual[0]], rel=2 * (step - 1))


def test_an_equilibrium_reads_as_a_table_and_escapes_names():
    market = logit_market([2.0, 1.0], -1.0, [1.0, 1.0], products=["<b>", "other"])
    found = equilibrium_prices(market)
    frame = found.to_frame()
    assert frame["markup"].to_numpy() == pytest.approx(-1 / frame["own_price_elasticity"])
    assert "<b>" not in found._repr_html_()


REFUSED = [
    (lambda: logit_market([1, 1], 0.5, [1, 1]), ValueError, "not a demand curve"),
    (lambda: logit_market([1, np.nan], -1, [1, 1]), ValueError, "finite utilities"),
    (lambda: logit_market([1, 1], -1, [1, 1, 1]), ValueError, "one is needed for each"),
    (lambda: logit_market([1, 1], -1, [1, -1]), ValueError, "'product 2' must be 0 or above"),
    (lambda: logit_market([1, 1], -1, [1, 1], nesting=1.0), ValueError, "below 1"),
    (lambda: logit_market([1, 1], -1, [1, 1], products=["a", "a"]), ValueError, "name of its own"),
    (lambda: logit_market([1, 1], -1, [1, 1], firms=["a"]), ValueError, "1 owners for 2"),
    (lambda: logit_market([1, 1], [-1, -2], [1, 1]), ValueError, "2 numbers for 1 segments"),
    (lambda: linear_duopoly(100, -2, 1, 10), ValueError, "not a demand curve"),
    (lambda: linear_duopoly(100, 2, 2, 10), NoOptimalPrice, "rise without end"),
    (
        lambda: constant_elasticity_market([1, 1], [[-0.8, 0], [0, -2]], [1, 1]),
        NoOptimalPrice,
        "-0.8 of 'product 1' is not below -1",
    ),
    (
        lambda: joint_prices(constant_elasticity_market([1, 1], [[-2, 1.5], [1.5, -2]], [1, 1])),
        RuntimeError,
        "without end",
    ),
    (
        lambda: equilibrium_prices(linear_market([100, 1], [[-2, 0], [0, -1]], [1, 5])),
        ValueError,
        "'product 2' does not sell",
    ),
    (
        lambda: equilibrium_prices(linear_duopoly(100, 2, 1, 10), floor={"nobody": 0.1}),
        KeyError,
        "no firm 'nobody'; there is: we, rival",
    ),
    (
        lambda: equilibrium_prices(linear_duopoly(100, 2, 1, 10), floor=np.nan),
        ValueError,
        "share of the cost",
    ),
    (lambda: logit_market([], -1, []), ValueError, "needs at least one"),
    (lambda: logit_market([1, 1], -1, [1, 1], firms=["a", None]), ValueError, "without an owner"),
    (lambda: equilibrium_prices(3), TypeError, "market=int"),
    (
        lambda: equilibrium_prices(logit_market([1, 1], -1, [1, 1]), floor=[0.1]),
        ValueError,
        "floor",
    ),
    (lambda: equilibrium_prices(logit_market([2, 2], -1, [1, 9e8])), ValueError, "nobody buys it"),
    (lambda: implied_costs(linear_duopoly(100, 2, 1, 10), [1.0]), ValueError, "one is needed for"),
    (lambda: reply_slopes(linear_duopoly(100, 2, 1, 10), [1.0, -1.0]), ValueError, "above 0"),
    (
        lambda: merger_effect(
            logit_market([1, 1], -1, [1, 1], firms=[1.0, 2.0]), ["1", "2"], cost_change=np.nan
        ),
        ValueError,
        "a share of unit cost above -1",
    ),
    (
        lambda: price_war(linear_duopoly(100, 2, 1, 10).joined()),
        ValueError,
        "two owners are needed",
    ),
    (
        lambda: critical_discount_factor(linear_duopoly(100, 2, 1, 10).joined()),
        ValueError,
        "two owners are needed",
    ),
    (lambda: calibrated_market([2, 2], [0.6, 0.4], -1), ValueError, "larger market size"),
    (lambda: calibrated_market([2, 2], [0.2, 0.0], -1), ValueError, "above 0"),
    (lambda: calibrated_market([2, 2], [0.2, 0.3], -0.1), ValueError, "less than nothing"),
    (lambda: calibrated_market([2, 2], [0.2, 0.3], 0.1), ValueError, "not a demand curve"),
    (
        lambda: three_markets()[0].residual_demand("product 1", [1, 1, 1]),
        ValueError,
        "one segment without nesting",
    ),
]


def test_owners_that_are_whole_numbers_have_no_decimal_point():
    market = logit_market([1, 1], -1, [1, 1], firms=[1.0, 2.0], products=[7.0, "b"])
    assert market.firms == ("1", "2") and market.products == ("7", "b")


@pytest.mark.parametrize(("make", "error", "said"), REFUSED)
def test_what_makes_no_market_is_refused_with_its_reason(make, error, said):
    with pytest.raises(error, match=said):
        make()

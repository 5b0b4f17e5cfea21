"""Economic value to the customer: closed forms of sums of laws, shares, prices and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.pricing import EconomicValue, economic_value
from keycustomer.stats import Estimate

EXACT = 1e-12
DRAWN = 0.03  # quantiles and moments of 20,000 draws, in standard deviations
GREEN = Estimate(5.0, 5.0 - 1.959964, 5.0 + 1.959964, "EUR", 100, "logit", 0.95)


@pytest.fixture(scope="module")
def value() -> EconomicValue:
    items = {"service": (10, 20, 40), "risk of changing": (-10, -2), "green": GREEN, "training": -3}
    return economic_value(60, items, unit_cost=40, price=70, currency="EUR")


def test_mean_and_spread_in_closed_form(value):
    """Triangle (a + b + c)/3, uniform (a + b)/2; variances add up."""
    mean = 60 + 70 / 3 - 6 + 5 - 3
    triangle = (10**2 + 20**2 + 40**2 - 10 * 20 - 10 * 40 - 20 * 40) / 18
    variance = triangle + 8**2 / 12 + 1.0
    assert value.value.estimate == pytest.approx(mean, rel=EXACT)
    assert value.draws.mean() == pytest.approx(mean, abs=DRAWN * variance**0.5)
    assert value.draws.std() == pytest.approx(variance**0.5, rel=DRAWN)
    shares = value.frame.set_index("item")["share_of_variance"]
    assert shares["service"] == pytest.approx(triangle / variance)
    assert shares.sum() == pytest.approx(1.0)


def test_single_items_have_their_own_quantiles():
    """Interval of one uniform item: the quantiles of that law; of a triangle by its own formula."""
    one = economic_value(100, {"a": (0, 10)}, level=0.9)
    assert (one.value.lower, one.value.upper) == pytest.approx((100.5, 109.5), abs=0.15)
    assert one.frame.loc[1, ["lower", "upper"]].tolist() == pytest.approx([0.5, 9.5])
    other = economic_value(100, {"a": (0, 3, 10)}, level=0.9)
    # F(x) = x^2 / 30 below 3, 1 - (10 - x)^2 / 70 above
    ends = [np.sqrt(30 * 0.05), 10 - np.sqrt(70 * 0.05)]
    assert other.frame.loc[1, ["lower", "upper"]].tolist() == pytest.approx(ends)


def test_normal_items_add_as_normals():
    two = economic_value(0, {"a": GREEN, "b": GREEN})
    reach = 1.959964 * 2**0.5
    assert two.value.upper - 10 == pytest.approx(reach, abs=0.1)
    together = economic_value(0, {"a": GREEN, "b": GREEN}, correlation=0.999)
    assert together.value.upper - 10 == pytest.approx(2 * 1.959964, abs=0.12)


def test_prices_share_the_value_created(value):
    created = value.value.estimate - 40
    assert value.left_to_customer == pytest.approx((value.value.estimate - 70) / created)
    assert value.price_for_share(0.0) == pytest.approx(value.value.estimate)
    assert value.price_for_share(1.0) == pytest.approx(40)
    assert value.customer_share(value.price_for_share(0.3)) == pytest.approx(0.3)
    assert value.differentiation_value == pytest.approx(value.value.estimate - 60)
    assert "leaves the customer" in value.sentence and "Items" in value._repr_html_()


def test_the_customer_gains_with_the_probability_asked_for(value):
    for probability in (0.5, 0.9):
        price = value.sure_price(probability)
        assert value.probability_of_gain(price) == pytest.approx(probability, abs=1e-3)
    assert value.probability_of_gain(0) == 1.0


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(0.1, 50)), min_size=1, max_size=4),
    st.floats(1, 200),
)
def test_value_is_the_sum_and_lies_in_its_interval(ranges, reference):
    items = {str(n): (low, low + wide) for n, (low, wide) in enumerate(ranges)}
    found = economic_value(reference, items, draws=2000)
    middle = reference + sum(low + wide / 2 for low, wide in ranges)
    assert found.value.estimate == pytest.approx(middle)
    assert found.value.lower < found.value.estimate < found.value.upper


def test_numbers_only_have_no_spread():
    found = economic_value(60, {"a": 5.0})
    assert found.value.lower == found.value.upper == 65.0 and not found.notes
    assert np.isnan(found.left_to_customer)
    assert "5.00 more than the next best costs" in found.sentence


def test_what_does_not_pay_is_told():
    dear = economic_value(60, {"a": (0, 10)}, unit_cost=80, price=70)
    assert "no price suits both sides" in dear.notes[0]
    assert "below cost" in " ".join(dear.notes) and "above the value" in " ".join(dear.notes)
    with pytest.raises(ValueError, match="no price suits both sides"):
        dear.price_for_share(0.5)
    with pytest.raises(ValueError, match="no unit_cost was given"):
        economic_value(60, {"a": 5.0}).price_for_share(0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"items": {}}, "items is empty"),
        ({"items": {"a": (2, 1)}}, "item 'a': give .* in order"),
        ({"items": {"a": (1, 5, 3)}}, "in order"),
        ({"items": {"a": (1, 1)}}, "not all the same"),
        ({"items": {"a": (1, 2, 3, 4)}}, "low, high"),
        ({"items": {"a": float("nan")}}, "a number"),
        ({"items": {"a": "much"}}, "give a number, in order, got 'much'"),
        ({"items": {"a": None}}, "item 'a': give a number, in order, got None"),
        ({"items": {"a": (-1e200, 1e200)}}, "item 'a': give"),
        ({"items": {"a": 1 + 0j}}, "item 'a': give a number"),
        ({"price": "9"}, "price='9': give a number"),
        ({"unit_cost": True}, "unit_cost=True"),
        ({"correlation": "x"}, "correlation='x'"),
        ({"items": {"reference price": 1.0}}, "rename it"),
        ({"unit_cost": -1.0}, "unit_cost=-1.0"),
        ({"price": float("inf")}, "price=inf"),
        ({"correlation": 1.0}, "correlation=1.0"),
        ({"draws": 10}, "draws=10"),
        ({"level": 2}, "level"),
    ],
)
def test_values_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        economic_value(60, **{"items": {"a": 5.0}, **arguments})


def test_shares_and_odds_that_cannot_be(value):
    with pytest.raises(ValueError, match="share=2"):
        value.price_for_share(2)
    with pytest.raises(ValueError, match="probability=1"):
        value.sure_price(1)


def test_a_next_best_that_pays_the_customer_is_no_reference():
    with pytest.raises(ValueError, match="reference_price=-5: give a price of at least 0"):
        economic_value(-5, {"a": 1.0})

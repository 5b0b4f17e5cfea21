"""Equivalent discount: ratios near zero, control function against known truth, refusals."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import (
    DiscountMonths,
    equivalent_discount,
    equivalent_over_companies,
    retention_response,
    true_equivalent_discount,
)
from keycustomer.pricing.discounts.discount_months import discount_months
from keycustomer.pricing.discounts.ratios import ratio_interval
from keycustomer.pricing.discounts.true_equivalent import first_reach
from keycustomer.relationships import customer_months
from keycustomer.simulate import Policy, compare_policies, simulate_company

EXACT = 1e-9

COSTS = (2.0, 6.0, 20.0, 72.0, 250.0)

LEVEL, PRICE = -0.3, 4.0
"""True log-odds of the synthetic panel."""

SEEDS = 40

LEAST_HELD = 34
"""Of 40 intervals at 95 %: fewer would come by chance less than once in a hundred times."""


@cache
def company():
    return simulate_company(700, 36, 4)


@cache
def months():
    return customer_months(company())


@cache
def response():
    return retention_response(company())


def synthetic(seed, customers=300, span=16, seen=("cost shocks", "managers' habits")):
    """Make customer-months in which discounts answer to a risk that the data do not show."""
    draws = np.random.default_rng(seed)
    n = customers * span
    customer, number = (
        np.repeat(np.arange(customers), span),
        np.tile(np.arange(span), customers),
    )
    manager = draws.integers(0, 25, customers)
    habit, hidden = draws.normal(0, 0.04, 25), draws.normal(0, 1, customers)
    shock = draws.normal(0, 0.10, (5, span))[customer % 5, number]
    level = draws.integers(0, 5, customers)[customer]
    discount = 0.15 + habit[manager][customer] - 0.3 * shock + 0.03 * hidden[customer]
    discount = np.clip(discount + draws.normal(0, 0.01, n), 0, 0.6)
    odds = -2.2 + LEVEL * (level - 2) + PRICE * np.log1p(-discount) + 0.5 * hidden[customer]
    left = draws.random(n) < 1 / (1 + np.exp(-odds))
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in customer],
            "left": left,
            "level": level,
            "discount": discount,
            "number": number,
            "tenure": 1 + number / 12,
            "contract_left": 0,
            "manager": [f"m{k}" for k in manager[customer]],
            "cost_shock": shock,
            "staff": draws.normal(0, 1, customers)[customer],
        }
    )
    # who has left is there no more
    before = frame.groupby("customer_id")["left"].cumsum() - frame["left"]
    kept = frame[before == 0].reset_index(drop=True)
    none = pd.DataFrame({"reason": [], "rows": []})
    return DiscountMonths(kept, ("staff",), months(), tuple(seen), none)


def test_control_function_recovers_what_the_plain_regression_gets_wrong():
    held = dict.fromkeys(("control function", "naive"), 0)
    means = {name: [] for name in held}
    for seed in range(SEEDS):
        data = synthetic(seed)
        for method in held:
            row = retention_response(data, method=method).frame.iloc[1]
            held[method] += row["lower"] <= PRICE <= row["upper"]
            means[method].append(row["log_odds"])
    assert held["control function"] >= LEAST_HELD
    assert held["naive"] < SEEDS / 2
    error = np.std(means["control function"], ddof=1) / np.sqrt(SEEDS)
    # unseen risk spreads the odds, which shrinks all log-odds by a few per cent
    assert abs(np.mean(means["control function"]) - PRICE) < 3 * error + 0.05 * PRICE
    assert np.mean(means["naive"]) < PRICE - 1


def test_equivalent_discount_solves_its_equation():
    known = replace(
        response(),
        frame=response().frame.assign(log_odds=[-0.2, 4.0]),
        covariance=np.diag([1e-4, 1e-2]),
    )
    found = equivalent_discount(known, COSTS)
    d, x = found.present_discount, found.discount.estimate
    assert 4.0 * np.log((1 - d - x) / (1 - d)) == pytest.approx(-0.2, abs=EXACT)
    assert found.discount.lower < x < found.discount.upper
    rows = found.by_level
    assert rows["customers"].sum() == found.customers
    mean = np.average(rows["level_cost"], weights=rows["customers"])
    assert mean == pytest.approx(found.level_cost.estimate, rel=EXACT)
    mean = np.average(rows["discount_cost"], weights=rows["customers"])
    assert mean == pytest.approx(found.discount_cost.estimate, rel=EXACT)
    # what the discount hands out, where usage does not answer
    revenue = found.by_size["yearly_revenue"] @ found.by_size["customers"] / found.customers
    assert found.discount_cost.estimate == pytest.approx(x * revenue / (1 - d), rel=EXACT)
    elastic = equivalent_discount(known, COSTS, elasticity=-0.8)
    assert elastic.discount_cost.estimate < found.discount_cost.estimate


def test_break_even_revenue_is_where_both_cost_the_same():
    rows = equivalent_discount(response(), COSTS, cost_per_size=0.3).by_level
    assert (np.sign(rows["saving"]) == np.sign(rows["discount_cost"] - rows["level_cost"])).all()
    # dearer steps pay with larger customers only
    assert (rows["break_even_revenue"].diff().dropna() > 0).all()


def test_a_price_response_of_the_wrong_sign_has_no_equivalent_discount():
    wrong = replace(response(), frame=response().frame.assign(log_odds=[-0.2, -1.0]))
    found = equivalent_discount(wrong, COSTS)
    assert np.isnan(found.discount.estimate)
    assert "no discount keeps as many" in found.discount.method
    assert found.verdict() == "undecided"
    assert found.by_level["saving"].isna().all()


def test_fieller_interval_is_the_set_of_ratios_not_rejected():
    covariance = np.array([[0.002, 0.004], [0.004, 0.6]])
    ratio, low, high = ratio_interval(
        np.array([-0.25, 3.5]), covariance, np.zeros((2, 2)), "fieller"
    )
    assert ratio == pytest.approx(0.25 / 3.5, rel=EXACT)
    for end in (low, high):
        off = 0.25 - end * 3.5
        spread = covariance[0, 0] + 2 * end * covariance[0, 1] + end**2 * covariance[1, 1]
        assert off**2 / spread == pytest.approx(1.959963984540054**2, rel=1e-6)


@pytest.mark.parametrize(
    ("coefficients", "expected"),
    [
        ((-0.3, 1.0), (0.09, np.inf)),  # no effect of the price cannot be ruled out: open above
        ((-0.3, -0.5), (0.09, np.inf)),
        ((-0.3, -9.0), (np.inf, np.inf)),  # surely none does
        ((-0.01, 0.1), (np.nan, np.nan)),  # nothing is ruled out
    ],
)
def test_intervals_open_where_the_price_may_do_nothing(coefficients, expected):
    covariance = np.diag([0.0025, 1.0])
    _, low, high = ratio_interval(np.array(coefficients), covariance, np.zeros((2, 2)), "fieller")
    assert np.isnan(high) if np.isnan(expected[1]) else high == expected[1]
    assert np.isnan(low) if np.isnan(expected[0]) else low >= expected[0]


def test_three_intervals_agree_where_the_price_response_is_sure():
    draws = np.random.default_rng(0)
    influence = draws.normal(0, 1, (400, 2)) * [0.001, 0.004]
    influence -= influence.mean(axis=0)
    covariance = 400 / 399 * influence.T @ influence
    ends = [
        ratio_interval(np.array([-0.3, 4.0]), covariance, influence, one)
        for one in ("fieller", "delta", "bootstrap")
    ]
    # a tenth of the interval's length: what a thousand draws leave open
    np.testing.assert_allclose(ends[0], ends[1], atol=0.1 * (ends[1][2] - ends[1][1]))
    np.testing.assert_allclose(ends[2], ends[1], atol=0.1 * (ends[1][2] - ends[1][1]))


def test_simulated_company_naive_has_the_wrong_sign_and_truth_is_held():
    naive = retention_response(company(), method="naive")
    assert naive.coefficients[1] < response().coefficients[1]
    assert response().first_stage_f > 100
    found = equivalent_discount(response(), COSTS)
    truth = true_equivalent_discount(company())
    assert found.discount.lower < truth.discount < found.discount.upper
    assert found.simulated and "Simulated" in found._repr_html_()


def test_true_equivalent_keeps_as_many_as_one_level_more():
    truth = true_equivalent_discount(company())
    frame = truth.frame.set_index(["by", "group"])
    assert frame.loc["size", "customers"].sum() == frame.loc[("all", "all"), "customers"]
    assert frame.loc["level", "customers"].sum() == frame.loc[("all", "all"), "customers"]
    one = company()
    below = one.accounts.level < 4
    policies = [Policy("usual"), Policy("more", discount=np.where(below, truth.discount, 0.0))]
    compared = compare_policies(policies, 700, 36, 4, ahead=12)
    here = below & (compared.outcomes["usual"].expected_months > 0)
    kept = compared.difference("more")["survival"].to_numpy()[here].mean()
    # straight lines between the discounts tried
    assert kept == pytest.approx(frame.loc[("all", "all"), "retention_gain"], abs=2e-4)


def test_crossings():
    grid, reached = np.array([0.0, 0.1, 0.2]), np.array([0.0, 0.02, 0.03])
    assert first_reach(grid, reached, 0.01) == pytest.approx(0.05)
    assert first_reach(grid, reached, 0.03) == pytest.approx(0.2)
    assert np.isnan(first_reach(grid, reached, 0.04))
    assert first_reach(grid, reached, -0.01) == 0.0


def test_over_companies():
    result = equivalent_over_companies(2, 300, 30, first_seed=11)
    assert result.companies == 2 and len(result.frame) == 4
    table = result.to_frame()
    assert list(table["method"]) == ["control function", "naive"]
    assert result.verdict() in ("supported", "not supported", "undecided")
    assert set(result.by_group()["by"]) == {"all", "size", "level"}
    with pytest.raises(KeyError, match="no group 'huge'"):
        result.saving("huge")


def test_a_base_and_its_company_tell_the_same(telecom_base):
    size = dict(telecom_base.simulation)
    base = discount_months(telecom_base)
    own = discount_months(simulate_company(size["accounts"], size["months"], size["seed"]))
    assert base.instruments == own.instruments == ("cost shocks", "managers' habits")
    for name in ("discount", "cost_shock", "level"):
        # a base keeps money in 1/10,000
        np.testing.assert_allclose(base.frame[name], own.frame[name], atol=1e-3)


def test_refusals():
    with pytest.raises(ValueError, match="method='iv': choose one of"):
        retention_response(synthetic(0, 40), method="iv")
    with pytest.raises(ValueError, match="neither cost shocks"):
        retention_response(synthetic(0, seen=()))
    with pytest.raises(ValueError, match="and 30 are needed"):
        retention_response(synthetic(0, 10, 2))
    with pytest.raises(ValueError, match="five amounts"):
        equivalent_discount(response(), (1, 2, 3))
    with pytest.raises(ValueError, match="no demand curve"):
        equivalent_discount(response(), COSTS, elasticity=0.4)
    with pytest.raises(ValueError, match="interval='exact'"):
        equivalent_discount(response(), COSTS, interval="exact")
    data = synthetic(1)
    flat = replace(data, frame=data.frame.assign(discount=0.1))
    with pytest.raises(ValueError, match=r"discount: all customer-months have the discount .*0\.1"):
        retention_response(flat)
    with pytest.raises(ValueError, match="whose retention with and without a level nobody knows"):
        true_equivalent_discount(pd.DataFrame())

"""Prices over the lifetime: closed forms, corridors, slider curves, and the truth of a company."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer.pricing import (
    NoOptimalPrice,
    customers_at_prices,
    judge_prices,
    lifetime_optimal_price,
    plan_prices,
    price_corridor,
    price_curve,
    price_differentiation,
    revenue_tiers,
    tier_prices,
    true_price_curve,
)
from keycustomer.pricing.optimal.price_responses import read_responses
from keycustomer.simulate import simulate_company
from keycustomer.simulate.columns import customer_ids
from keycustomer.stats import Estimate

EXACT = 1e-9
"""Rounding of sums."""

SEARCHED = 1e-6
"""A top is flat: halving rounding errors of profit gives half the digits of its place."""

FLAT_LOSS = 0.04
"""Share of the best true profit that may be lost at the price computed from true responses: the
truth also holds growth and what a dearer offer does to loyalty."""


def book(n=40, seed=1):
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "customer_id": [f"K{k}" for k in range(n)],
            "revenue": generator.lognormal(5, 1, n),
            "churn": generator.uniform(0.005, 0.03, n),
            "tier": generator.choice(list("ABC"), n),
        }
    )
    return frame.assign(goods_cost=frame["revenue"] * generator.uniform(0.4, 0.7, n))


def summed(row, own, response, factor, horizon, rate):
    """Lifetime profit month by month, as it is written down."""
    odds = row["churn"] / (1 - row["churn"]) * factor**response
    leave = odds / (1 + odds)
    used = factor**own
    margin = row["revenue"] * factor * used - row["goods_cost"] * used
    month = (1 + rate) ** (-1 / 12)
    return sum(month**k * (1 - leave) ** (k - 1) * margin for k in range(1, horizon + 1))


@pytest.mark.parametrize(("horizon", "rate"), [(1, 0.0), (36, 0.1), (24, 0.0)])
def test_lifetime_profit_is_the_sum_over_months(horizon, rate):
    frame = book(3)
    responses = read_responses(frame, -0.8, 3.5, horizon=horizon, discount_rate=rate)
    for factor in (0.8, 1.0, 1.3):
        told = responses.lifetime_profit(np.full(3, factor))
        expected = [
            summed(row, -0.8, 3.5, factor, horizon, rate) for row in frame.to_dict("records")
        ]
        assert told == pytest.approx(expected, rel=EXACT)


def test_nobody_leaving_gives_the_static_price():
    """Without churn the horizon does not matter: Lerner's price."""
    frame = book().assign(churn=0.0, goods_cost=lambda one: 0.6 * one["revenue"])
    found = lifetime_optimal_price(frame, -3.0, 4.0)
    assert found.frame["price"].item() == pytest.approx(0.6 * 3 / 2, rel=SEARCHED)
    assert found.frame["static_price"].item() == pytest.approx(0.9, rel=SEARCHED)


def test_the_static_price_does_not_exist_where_the_lifetime_one_does():
    found = lifetime_optimal_price(book(), -0.8, 5.0)
    row = found.frame.iloc[0]
    assert np.isinf(row["static_price"]) and not row["at_edge"]
    assert "without end" in found.notes[0]
    assert found.gain > 0 and row["profit"] > row["profit_today"]
    assert found.curve().best == pytest.approx(row["price"], rel=0.02)


def test_the_price_falls_with_both_responses_and_the_horizon():
    frame = book()

    def price(own=-0.8, response=4.0, horizon=36):
        found = lifetime_optimal_price(frame, own, response, horizon=horizon, within=(0.4, 4.0))
        return found.frame["price"].item()

    assert price(own=-1.2) < price() < price(own=-0.5)
    assert price(response=6.0) < price() < price(response=2.5)
    assert price(horizon=60) < price() < price(horizon=12)


def test_finer_groups_never_bring_less_and_floors_hold_for_everybody():
    frame = book()
    own = pd.Series(np.linspace(-1.8, -0.4, len(frame)), frame["customer_id"])
    plans = [
        lifetime_optimal_price(frame, own, 4.0, by=by, floor=0.5)
        for by in (None, "tier", "customer_id")
    ]
    assert plans[0].profit <= plans[1].profit * (1 + EXACT) <= plans[2].profit * (1 + 2 * EXACT)
    for plan in plans:
        lowest = plan.responses.floor_price(0.5)
        assert (plan.prices.to_numpy() >= lowest * (1 - EXACT)).all()
    assert plans[0].frame["lifted"].item() > 0 and "floor price" in " ".join(plans[0].notes)


def test_each_customers_price_is_a_top_of_its_own():
    plan = lifetime_optimal_price(book(), -0.9, 4.0, by="customer_id")
    best = plan.responses.lifetime_profit(plan.prices.to_numpy())
    inside = ~plan.frame.set_index("group")["at_edge"].reindex(plan.prices.index).to_numpy()
    assert inside.sum() > 20
    for factor in (0.99, 1.01):
        near = plan.responses.lifetime_profit(plan.prices.to_numpy() * factor)
        assert (near <= best + EXACT * np.abs(best))[inside].all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"own": 0.3}, "not a demand curve"),
        ({"response": -2.0}, "discounts followed risk"),
        ({"own": pd.Series({"K0": -1.0})}, "none for"),
        ({"own": 0.0, "response": 0.0}, "nothing speaks against any price"),
        ({"churn": 1.4}, r"customers\['churn'\]: 1.4 \('K0'\)"),
        ({"revenue": 0.0}, "above 0"),
        ({"by": "segment"}, "no such column"),
        ({"by": pd.Series({"K0": "A"})}, "no group for"),
        ({"within": (1.2, 0.8)}, "two rising multiples"),
        ({"horizon": 0}, "horizon"),
    ],
)
def test_what_cannot_be_priced_is_refused(change, message):
    frame = book(5)
    for name in ("churn", "revenue"):
        if name in change:
            frame.loc[0, name] = change.pop(name)
    own, response = change.pop("own", -0.9), change.pop("response", 4.0)
    with pytest.raises((ValueError, KeyError), match=message) as raised:
        lifetime_optimal_price(frame, own, response, **change)
    if "nothing speaks" in message:
        assert isinstance(raised.value, NoOptimalPrice)


def test_a_slider_curve_tells_any_price_on_it():
    curve = price_curve(-0.9, 0.6, 1.0, 100.0, churn=0.0125, retention_response=3.5, floor=0.2)
    assert curve.measure == "lifetime_profit"
    assert curve.frame["price"].min() >= curve.floor_price == pytest.approx(0.72)
    row = curve.at(1.1)
    assert row["quantity"] == pytest.approx(100 * 1.1**-0.9, rel=EXACT)
    assert row["profit"] == pytest.approx(row["quantity"] * 0.5, rel=EXACT)
    assert curve.at(1.0)["retention"] == pytest.approx((1 - 0.0125) ** 12, rel=EXACT)
    assert curve.frame["retention"].is_monotonic_decreasing
    assert not curve.at_edge and curve.at(curve.best)["lifetime_profit"] >= row["lifetime_profit"]
    with pytest.raises(ValueError, match="must be from"):
        curve.at(5.0)


def test_without_leaving_the_curve_shows_one_period():
    curve = price_curve(-2.5, 6.0, 10.0, 100.0, prices=np.linspace(6, 20, 141))
    assert curve.best == pytest.approx(10.0) and "retention" not in curve.frame
    assert price_curve(-0.5, 6.0, 10.0).at_edge
    with pytest.raises(ValueError, match="give both, or none"):
        price_curve(-2.0, 6.0, 10.0, churn=0.01)
    with pytest.raises(ValueError, match="at or above the floor"):
        price_curve(-2.0, 6.0, 10.0, prices=[1.0, 2.0])


def tiers(**changes):
    columns = {
        "tier": ["A", "B", "C"],
        "list_price": 10.0,
        "price": [8.0, 9.0, 5.0],
        "unit_cost": [5.0, 5.0, 6.0],
        "cost_to_serve": [0.5, 1.0, 3.0],
    }
    return pd.DataFrame(columns | changes)


def test_a_corridor_runs_from_the_floor_to_the_lower_worth():
    found = price_corridor(
        tiers(),
        floor=0.2,
        best_price={"A": np.inf, "B": 5.0, "C": 8.0},
        willingness_to_pay={"A": np.linspace(8, 13, 101), "B": 12.0, "C": 9.0},
        reference_price=9.0,
        differentiation_value={"A": 2.0, "B": 1.0, "C": -2.5},
    )
    frame = found.frame.set_index("tier")
    assert frame["floor_price"].tolist() == pytest.approx([6.0, 6.0, 7.2])
    assert frame["highest_price"].tolist() == pytest.approx([9.0, 10.0, 6.5])
    assert frame["recommended_price"].tolist()[:2] == pytest.approx([9.0, 6.0])
    assert np.isnan(frame.loc["C", "recommended_price"]) and not frame.loc["C", "open"]
    assert frame["held_by"].tolist() == ["worth", "floor", "worth"]
    assert frame["permitted_discount"].tolist() == pytest.approx([0.4, 0.4, 0.28])
    told = " ".join(found.notes)
    assert "No corridor for C" in told and "price of C breaks the floor" in told


def test_without_a_best_price_todays_is_kept_within_the_corridor():
    found = price_corridor(tiers(), floor=0.1).frame
    assert found["recommended_price"].tolist() == pytest.approx([8.0, 9.0, 6.6])
    assert found["held_by"].tolist() == ["today", "today", "floor"]
    endless = price_corridor(tiers(), best_price=np.inf)
    assert endless.frame["recommended_price"].isna().all() and "nothing is" in endless.notes[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tiers": tiers(unit_cost=[-1.0, 5, 5])}, r"\['A'\] must be finite"),
        ({"tiers": tiers(tier=["A", "A", "B"])}, "one row a tier"),
        ({"tiers": tiers().drop(columns="price")}, "no column price"),
        ({"best_price": {"A": 9.0}}, "no entry for the tier 'B'"),
        ({"keeping": 80}, "keeping=0.8"),
        ({"willingness_to_pay": {"A": [np.nan], "B": [1.0], "C": [1.0]}}, "nobody's is known"),
    ],
)
def test_corridors_of_nothing_are_refused(change, message):
    arguments = {"tiers": tiers()} | change
    with pytest.raises((ValueError, KeyError), match=message):
        price_corridor(arguments.pop("tiers"), **arguments)


@cache
def company():
    return simulate_company(400, 36, 7)


@cache
def customers():
    return customers_at_prices(company(), revenue_tiers(company()))


def test_tiers_are_cut_by_revenue():
    told = revenue_tiers(company())
    spent = np.nansum(company().panel.revenue[-12:], axis=0)
    shares = [spent[(told == tier).to_numpy()].sum() / spent.sum() for tier in "ABC"]
    assert 0.8 <= shares[0] < 0.85 and shares[0] + shares[1] >= 0.95
    assert (told.value_counts().sort_index() > 0).all()


def test_customers_today_are_those_who_are_there():
    read = customers().frame
    active = company().panel.active[-1] & (company().panel.left > 35)
    ids = set(np.asarray(customer_ids(company().accounts.number))[active])
    assert set(read["customer_id"]) <= ids and len(read) > 0.9 * len(ids)
    added = tier_prices(read)
    assert added["price"].between(0.6, 1.0).all()
    assert (added["unit_cost"] < added["price"]).all()


def test_the_response_taken_for_prices_is_above_zero_however_vague_the_estimate():
    from dataclasses import replace

    vague = Estimate(-2.0, -2.0 - 1.96 * 3, -2.0 + 1.96 * 3, "", 100, "", 0.95)
    drawn = np.random.default_rng(1).normal(-2.0, 3.0, 400_000)
    told = replace(customers(), retention_response=vague).response_used
    # three standard errors of the mean of the draws above 0
    above = drawn[drawn > 0]
    assert told == pytest.approx(above.mean(), abs=3 * above.std() / np.sqrt(len(above)))
    hopeless = Estimate(-50.0, -50 - 1.96, -50 + 1.96, "", 100, "", 0.95)
    assert 0 < replace(customers(), retention_response=hopeless).response_used < 0.03


def test_plans_share_estimates_floor_and_range():
    plans = plan_prices(customers(), floor=0.1, within=(0.8, 1.3))
    assert list(plans) == ["one price for all", "price by tier", "price by customer"]
    for plan in plans.values():
        assert plan.simulated and plan.floor == 0.1
        change = plan.frame["price"] / plan.frame["price_today"]
        assert change.between(0.8 * (1 - EXACT), 1.3 * (1 + EXACT)).all()
        assert (plan.prices >= plan.responses.floor_price(0.1) * (1 - EXACT)).all()


def test_judging_needs_plans_of_the_same_terms():
    plans = plan_prices(customers())
    other = plan_prices(customers(), horizon=12)
    with pytest.raises(ValueError, match="different"):
        judge_prices(
            company(), {"a": plans["price by tier"], "b": other["price by tier"]}, customers()
        )


def test_the_price_from_true_responses_is_near_the_true_best_one():
    """Given the true responses, the model's best price costs little against the truth's own."""
    accounts, ids = company().accounts, pd.Index(customer_ids(company().accounts.number))
    read = customers().frame
    leave = pd.Series(company().panel.hazard[-1], ids)
    known = read.assign(churn=leave.reindex(read["customer_id"]).to_numpy())
    plan = lifetime_optimal_price(
        known[known["churn"] > 0],
        pd.Series(accounts.elasticity, ids),
        pd.Series(accounts.discount_response, ids),
    )
    change = plan.frame["change"].item()
    truth = true_price_curve(company(), (-0.1, 0.1, 0.2, 0.3, change)).set_index("change")
    assert truth.loc[change, "profit"] >= (1 - FLAT_LOSS) * truth["profit"].max()
    assert truth.loc[change, "profit_change"] > 0.02
    assert truth["retention"].is_monotonic_decreasing


def test_differentiated_prices_are_judged_by_the_truth():
    found = price_differentiation(2, 300, 24, horizon=12)
    frame = found.frame
    assert set(frame["plan"]) == {
        "today's habit",
        "one price for all",
        "price by tier",
        "price by customer",
    }
    assert (frame.loc[frame["plan"] == "one price for all", "gain"] == 0).all()
    assert found.verdict == "undecided" and "too few" in found.notes[0]
    assert found.estimates["true_elasticity"].between(-1.3, -0.8).all()
    assert "Simulated" in found._repr_html_()
    with pytest.raises(KeyError, match="no plan"):
        found.gain("x")


def test_a_company_that_tells_too_little_is_named():
    with pytest.raises(ValueError, match="customers left") as raised:
        price_differentiation(1, 60, 6, horizon=6)
    assert "seed 1" in raised.value.__notes__[0]


def test_customers_without_a_group_or_a_number_are_named():
    rows = pd.DataFrame(
        {"customer_id": ["a", "b"], "revenue": [9.0, 8.0], "goods_cost": [1, 1], "churn": 0.1}
    ).assign(cost_to_serve=1.0, tier=["A", None])
    with pytest.raises(KeyError, match=r"by: no group for \['b'\]"):
        lifetime_optimal_price(rows, -0.8, 3.0, by="tier")
    with pytest.raises(ValueError, match=r"\['revenue'\] holds 1 value .*\['b'\]: 'x'"):
        lifetime_optimal_price(rows.assign(revenue=[9, "x"]), -0.8, 3.0)

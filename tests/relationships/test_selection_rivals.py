"""Rules of thumb, plans by segment and what they attain."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.relationships import (
    attainable_gain_share,
    compare_over_budgets,
    compare_plans,
    plan_by_table,
    plan_churn_risk_first,
    plan_in_order,
    plan_largest_first,
    plan_uniform,
    select_by_segment,
    select_levels,
)
from level_instances import best_by_trying, random_instance, retention_case

ROUNDING = 1e-9
"""Sums of a hundred numbers around 1, added in other orders."""

THREE = ([[0.0, 1, 2], [0, 3, 4], [0, 5, 9]], [[0.0, 2, 5]] * 3)
"""Three customers, the last one the largest."""


def test_largest_first_until_the_money_is_gone():
    size = [1, 2, 3]
    for budget, levels in ((15, [2, 2, 2]), (12, [1, 2, 2]), (11, [0, 2, 2]), (7, [0, 1, 2])):
        plan = plan_largest_first(*THREE, budget, size=size)
        assert plan.levels.tolist() == levels, budget
        assert plan.within_budget
    assert plan_largest_first(*THREE, 4, size=size).levels.tolist() == [0, 1, 1]
    assert plan_largest_first(*THREE, 0, size=size).levels.tolist() == [0, 0, 0]


def test_another_level_may_be_given():
    plan = plan_largest_first(*THREE, 6, size=[1, 2, 3], level=1)
    assert plan.levels.tolist() == [1, 1, 1]
    best = plan_largest_first(*THREE, 6, size=[1, 2, 3], level="best")
    # two at level 1 and nobody else, or one at level 2: 5 + 3 + 1 against 9
    assert best.value == 9


def test_scores_are_read_by_customer():
    value = pd.DataFrame(THREE[0], index=["a", "b", "c"])
    cost = pd.DataFrame(THREE[1], index=["a", "b", "c"])
    risk = pd.Series({"c": 0.1, "a": 0.9, "b": 0.5})
    plan = plan_churn_risk_first(value, cost, 5, risk=risk)
    assert plan.codes().to_dict() == {"a": 2, "b": 0, "c": 0}
    with pytest.raises(ValueError, match="no entry for 'b'"):
        plan_churn_risk_first(value, cost, 5, risk=risk.drop("b"))
    with pytest.raises(ValueError, match="not known"):
        plan_in_order(value, cost, 5, score=[1, np.nan, 2])


def test_uniform_is_the_best_level_that_all_can_have():
    assert plan_uniform(*THREE, 15).levels.tolist() == [2, 2, 2]
    assert plan_uniform(*THREE, 14.9, seed=None).levels.tolist() == [1, 1, 1]
    assert plan_uniform([[5.0, 1]], [[0.0, 1]], 9).levels.tolist() == [0]


def test_money_left_when_all_have_one_level_is_spread_by_lot():
    rest = [plan_uniform(*THREE, 14.9, seed=seed) for seed in range(30)]
    assert all(sorted(plan.levels.tolist()) == [1, 2, 2] for plan in rest)
    # each of the three is left out at times, whatever its size
    assert {int(plan.levels.argmin()) for plan in rest} == {0, 1, 2}
    again = plan_uniform(*THREE, 14.9).levels
    np.testing.assert_array_equal(again, plan_uniform(*THREE, 14.9, seed=0).levels)
    value, cost, budget = retention_case(200, 1)
    spent = plan_uniform(value, cost, budget)
    assert budget - spent.cost < np.diff(cost, axis=1).max()
    assert spent.value >= plan_uniform(value, cost, budget, seed=None).value


def test_table_as_far_as_the_money_reaches():
    whole = plan_by_table(*THREE, 9, codes=[1, 1, 2])
    assert whole.levels.tolist() == [1, 1, 2] and whole.notes == ()
    part = plan_by_table(*THREE, 7, codes=["level 1", "level 1", "level 2"])
    assert part.levels.tolist() == [1, 0, 2]
    assert "asks for 9; the money did not reach for 1 customers" in part.notes[0]
    assert plan_by_table(*THREE, 4, codes=[1, 1, 2], score=[3, 2, 1]).levels.tolist() == [1, 1, 0]
    with pytest.raises(ValueError, match=r"customer 2 has the level 3, which is none \(1 such\)"):
        plan_by_table(*THREE, 9, codes=[0, 1, 3])


def test_rules_need_the_zero_level():
    with pytest.raises(ValueError, match="misses 2 to the zero level of everybody, which costs 4"):
        plan_largest_first([[0.0, 1]] * 2, [[2.0, 3]] * 2, 2, size=[1, 2])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_no_rule_beats_the_bound(seed):
    value, cost, _ = random_instance(seed)
    budget = float(cost[:, 0].sum() + np.random.default_rng(seed).random() * cost.sum())
    size = value[:, 0]
    best = select_levels(value, cost, budget)
    for plan in (
        plan_largest_first(value, cost, budget, size=size),
        plan_largest_first(value, cost, budget, size=size, level="best"),
        plan_churn_risk_first(value, cost, budget, risk=-size),
        plan_uniform(value, cost, budget),
        plan_by_table(value, cost, budget, codes=value.argmax(axis=1)),
    ):
        assert plan.cost <= budget + ROUNDING
        assert plan.value <= best.bound + ROUNDING
        share = attainable_gain_share(plan, value, cost, budget)
        assert np.isnan(share) == (best.gain <= 0)


def test_share_of_the_zero_plan_and_of_the_best_one():
    value, cost, budget = retention_case(200, 1)
    best = select_levels(value, cost, budget)
    assert attainable_gain_share(best, value, cost, budget) == 1
    assert attainable_gain_share(np.zeros(200, int), value, cost, budget) == 0
    half = np.where(np.arange(200) < 100, best.levels, 0)
    by_hand = (value[np.arange(200), half] - value[:, 0]).sum() / best.gain
    assert attainable_gain_share(half, value, cost, budget, best=best) == pytest.approx(by_hand)


def test_plans_side_by_side():
    value, cost, budget = retention_case(200, 2)
    plans = {
        "largest": plan_largest_first(value, cost, budget, size=value[:, 0]),
        "all at the top": np.full(200, 4),
    }
    compared = compare_plans(plans, value, cost, budget)
    table = compared.to_frame().set_index("plan")
    assert table.loc["best plan", "attainable_gain_share"] == 1
    assert (
        table.loc["largest", "within_budget"] and not table.loc["all at the top", "within_budget"]
    )
    assert table.loc["all at the top", "partnership"] == 200
    assert "best one is within" in compared._repr_html_()


def test_ways_to_plan_over_budgets():
    value, cost, budget = retention_case(100, 3)
    table = compare_over_budgets(
        {"largest": lambda money: plan_largest_first(value, cost, money, size=value[:, 0])},
        value,
        cost,
        [0, budget / 2, budget],
    )
    assert table["budget"].tolist() == [0, 0, budget / 2, budget / 2, budget, budget]
    assert table.groupby("plan")["gain"].apply(lambda gain: gain.is_monotonic_increasing).all()
    with pytest.raises(ValueError, match="budgets is empty"):
        compare_over_budgets({}, value, cost)


def test_segments_by_trying():
    value, cost, _ = retention_case(12, 4)
    segment = np.arange(12) % 3
    for share in (0.02, 0.1, 0.4):
        budget = share * cost[:, 4].sum()
        made = select_by_segment(value, cost, budget, segments=segment)
        added = [np.array([m[segment == s].sum(axis=0) for s in range(3)]) for m in (value, cost)]
        assert made.plan.value == pytest.approx(best_by_trying(*added, budget))
        assert made.plan.within_budget
        assert all(len(set(made.plan.levels[segment == s])) == 1 for s in range(3))


def test_a_segment_for_each_customer_loses_nothing():
    value, cost, budget = retention_case(40, 5)
    each = select_by_segment(value, cost, budget, segments=np.arange(40))
    whole = select_levels(value, cost, budget, method="exact")
    assert each.plan.value == pytest.approx(whole.value)
    one = select_by_segment(value, cost, budget, segments=["all"] * 40)
    assert one.plan.value == plan_uniform(value, cost, budget, seed=None).value
    assert 0 <= one.kept_gain < each.kept_gain


def test_segment_table_and_missing_segments():
    value, cost, budget = retention_case(6, 6)
    made = select_by_segment(value, cost, budget, segments=list("aabbbb"))
    assert made.frame["customers"].tolist() == [2, 4]
    assert made.frame["gain"].sum() == pytest.approx(made.plan.gain)
    assert made.frame["single_gain"].sum() == pytest.approx(made.single.gain)
    assert made.codes().shape == (6,)
    with pytest.raises(ValueError, match="segments: 1 customers have none, first 5"):
        select_by_segment(value, cost, budget, segments=[*"aabbb", None])


def test_every_order_is_one_of_the_orders():
    # the plan in order is the one that a loop over customers makes
    value, cost, budget = retention_case(6, 7)
    for order in itertools.islice(itertools.permutations(range(6)), 0, 720, 90):
        score = -np.argsort(order)
        codes, left, level = np.zeros(6, int), budget - cost[:, 0].sum(), 4
        for one in order:
            while level and cost[one, level] - cost[one, 0] > left:
                level -= 1
            codes[one] = level
            left -= cost[one, level] - cost[one, 0]
        plan = plan_in_order(value, cost, budget, score=score)
        assert plan.levels.tolist() == codes.tolist()

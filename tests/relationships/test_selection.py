"""Selection of levels under a budget: against HiGHS, by trying, and on degenerate input."""

import math
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.relationships import (
    LEVELS,
    budget_curve,
    budget_sensitivity,
    read_alternatives,
    select_levels,
)
from level_instances import best_by_trying, best_value, random_instance, retention_case

SOLVER = 1e-6
"""HiGHS keeps its limits and proves its optimum up to this."""

ROUNDING = 1e-9
"""Sums of a hundred numbers around 1, added in other orders."""

INSTANCES = range(300)


@cache
def solved_by_highs(seed):
    return best_value(*random_instance(seed))


@pytest.mark.parametrize("block", np.array_split(INSTANCES, 6), ids=lambda block: str(block[0]))
def test_greedy_is_within_its_gap_of_highs(block):
    for seed in block.tolist():
        value, cost, budget = random_instance(seed)
        plan = select_levels(value, cost, budget)
        best = solved_by_highs(seed)
        assert plan.cost <= budget + ROUNDING, seed
        assert plan.value <= best + SOLVER, seed
        assert plan.bound >= best - SOLVER, seed
        assert plan.value >= best - plan.gap * abs(plan.bound) - SOLVER, seed


def test_greedy_mostly_finds_the_best_of_few_customers():
    values = [select_levels(*random_instance(seed)).value for seed in range(100)]
    found = sum(value >= solved_by_highs(seed) - SOLVER for seed, value in enumerate(values))
    assert found > 75


@pytest.mark.parametrize("seed", range(40))
def test_exact_equals_highs(seed):
    value, cost, budget = random_instance(seed)
    plan = select_levels(value, cost, budget, method="exact")
    assert plan.value == pytest.approx(solved_by_highs(seed), abs=SOLVER)
    assert plan.cost <= budget + ROUNDING
    assert plan.bound == pytest.approx(plan.value, abs=SOLVER)
    assert plan.notes == ()


whole = st.integers(-4, 6)


@st.composite
def small_choices(draw):
    n, levels = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    matrix = st.lists(st.lists(whole, min_size=levels, max_size=levels), min_size=n, max_size=n)
    value, cost = np.array(draw(matrix), float), np.array(draw(matrix), float)
    return value, cost, float(cost.min(axis=1).sum() + draw(st.integers(0, 12)))


@settings(max_examples=150, deadline=None)
@given(small_choices())
def test_by_trying_every_plan(choice):
    value, cost, budget = choice
    best = best_by_trying(value, cost, budget)
    plan = select_levels(value, cost, budget)
    assert plan.cost <= budget + ROUNDING
    assert best <= plan.bound + ROUNDING
    assert plan.value <= best + ROUNDING
    assert plan.value >= best - plan.gap * abs(plan.bound) - ROUNDING


@settings(max_examples=40, deadline=None)
@given(small_choices())
def test_exact_by_trying_every_plan(choice):
    plan = select_levels(*choice, method="exact")
    assert plan.value == pytest.approx(best_by_trying(*choice), abs=ROUNDING)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_more_money_is_never_worse(seed, shares):
    value, cost, _ = random_instance(seed)
    low, high = cost.min(axis=1).sum(), cost.max(axis=1).sum()
    plans = [select_levels(value, cost, low + share * (high - low)) for share in sorted(shares)]
    assert (np.diff([plan.value for plan in plans]) >= -ROUNDING).all()
    assert (np.diff([plan.bound for plan in plans]) >= -ROUNDING).all()
    assert (np.diff([plan.shadow_price for plan in plans]) <= ROUNDING).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_customers_and_levels_does_not_matter(seed):
    value, cost, budget = random_instance(seed)
    generator = np.random.default_rng(seed)
    rows, columns = (generator.permutation(size) for size in value.shape)
    plan = select_levels(value, cost, budget)
    other = select_levels(value[rows][:, columns], cost[rows][:, columns], budget)
    assert other.bound == pytest.approx(plan.bound, abs=ROUNDING)
    assert other.shadow_price == pytest.approx(plan.shadow_price, rel=ROUNDING)


@pytest.mark.parametrize(("n", "gap"), [(100, 1e-3), (1_000, 2e-5), (20_000, 1e-7)])
def test_gap_shrinks_with_customers(n, gap):
    assert select_levels(*retention_case(n, 1)).gap < gap


def test_exact_of_a_thousand_customers_closes_the_gap():
    value, cost, budget = retention_case(1_000, 2)
    greedy, exact = (select_levels(value, cost, budget, method=m) for m in ("greedy", "exact"))
    assert exact.gap < 1e-12
    assert greedy.value <= exact.value <= greedy.bound


def test_time_limit_is_told():
    value, cost, budget = retention_case(3_000, 3)
    plan = select_levels(value, cost, budget, method="exact", time_limit=1e-3)
    assert plan.value <= plan.bound
    assert "could not prove within 0.001 seconds" in plan.notes[0]
    assert plan.cost <= budget * (1 + ROUNDING)


def test_one_account():
    value, cost = [[0.0, 8, 9, 20, 21]], [[0.0, 4, 5, 9, 30]]
    for budget, level in ((0, 0), (4, 1), (5, 2), (8.9, 2), (9, 3), (29, 3), (30, 4), (1e9, 4)):
        assert select_levels(value, cost, budget).levels.tolist() == [level], budget
    assert select_levels(value, cost, 9).shadow_price == pytest.approx(1 / 21)


def test_zero_budget_gives_the_zero_level():
    value, cost, _ = retention_case(50, 0)
    plan = select_levels(value, cost, 0)
    assert set(plan.to_frame()["level"]) == {LEVELS[0]}
    assert plan.gain == 0 and plan.gap <= ROUNDING
    assert plan.shadow_price > 0


def test_equal_levels_stay_at_the_zero_level():
    plan = select_levels(np.full((4, 5), 7.0), np.full((4, 5), 3.0), 12)
    assert plan.levels.tolist() == [0] * 4
    assert (plan.value, plan.bound, plan.shadow_price, plan.gap) == (28, 28, 0, 0)


def test_negative_uplifts_are_not_bought():
    plan = select_levels([[5, 4, 3], [5, -1, 6]], [[0, 1, 2], [0, 1, 2]], 100)
    assert plan.levels.tolist() == [0, 2]


def test_costs_of_zero_take_the_most_value():
    plan = select_levels([[1, 9, 4], [2, 0, 1]], np.zeros((2, 3)), 0)
    assert plan.levels.tolist() == [1, 0]
    assert plan.gap == 0


def test_levels_that_save_money_are_taken():
    # the higher level costs less, since complaints become rarer
    plan = select_levels([[5, 5.5], [5, 9]], [[4, 3], [4, 6]], 9)
    assert plan.levels.tolist() == [1, 1]


def test_the_cost_of_a_plan_is_enough_for_it_whatever_the_order_of_sums():
    value, cost, _ = retention_case(5_000, 4)
    full = select_levels(value, cost, float(cost.sum()))
    spent = np.sort(full.to_frame()["cost"].to_numpy())
    for budget in (spent.sum(), spent[::-1].cumsum()[-1], math.fsum(spent)):
        plan = select_levels(value, cost, float(budget))
        assert (plan.levels == full.levels).all() and plan.shadow_price == 0


def test_frames_name_customers_and_levels():
    names = dict(index=["b", "a"], columns=["none", "some"])
    value = pd.DataFrame([[0, 5], [0, 7]], **names)
    plan = select_levels(value, pd.DataFrame([[0, 2], [0, 2]], **names), 2)
    assert plan.to_frame().to_dict("list") == {
        "customer_id": ["b", "a"],
        "level": ["none", "some"],
        "value": [0, 7],
        "cost": [0, 2],
        "gain": [0, 7],
    }
    assert plan.codes().to_dict() == {"b": 0, "a": 1}
    shares = plan.level_shares()
    assert shares["customers"].tolist() == [1, 1] and shares["share"].tolist() == [0.5, 0.5]
    assert "some" in plan._repr_html_()


def test_names_are_escaped():
    plan = select_levels([[0, 1]], [[0, 1]], 1, levels=["a", "<b>"])
    assert "<b>" not in plan._repr_html_() and "&lt;b&gt;" in plan._repr_html_()


def test_a_result_with_both_is_read():
    both = SimpleNamespace(
        value=np.array([[0.0, 3]]),
        cost=np.array([[0.0, 1]]),
        customers=pd.Index(["x"]),
        levels=("low", "high"),
    )
    plan = select_levels(both, budget=1)
    assert plan.to_frame()[["customer_id", "level"]].values.tolist() == [["x", "high"]]


def test_inputs_are_not_changed():
    value, cost, budget = retention_case(30, 5)
    before = value.copy(), cost.copy()
    select_levels(value, cost, budget, method="exact")
    assert (value == before[0]).all() and (cost == before[1]).all()


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, NAN]], [[0, 1]], 1), "value: 1 entries are not known .* customer 0 at level"),
        (([[0, 1]], [[0, INF]], 1), "cost: 1 entries are infinite"),
        (([[0, NAN]], [[0, INF]], 1), "value: 1 .*cost: 1"),
        (([[0, 1]], [[0, 1, 2]], 1), r"value has shape \(1, 2\) and cost \(1, 3\)"),
        (([0, 1], [0, 1], 1), "a row a customer and a column a level"),
        ((np.empty((0, 5)), np.empty((0, 5)), 1), "at least one of each"),
        (([[0, 1]], [[2, 3]], 1), "cheapest level of everybody, which costs 2"),
        (([[0, 1]], [[0, 1]], NAN), "one finite amount"),
        (([[0, 1]], [[0, 1]], INF), "one finite amount"),
        (([[0, 1]], [[0, 1]], "7"), "one finite amount"),
        (([[0, 1]], [[0, 1]]), "budget=None"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        select_levels(*arguments)


def test_missing_cost_and_text_are_refused():
    with pytest.raises(TypeError, match="cost is missing"):
        select_levels([[0, 1]], budget=1)
    with pytest.raises(TypeError, match="value holds what is no number"):
        select_levels([["a", "b"]], [[0, 1]], 1)


def test_names_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="'a' come more than once"):
        read_alternatives([[0], [0]], [[0], [0]], customers=["a", "a"])
    with pytest.raises(ValueError, match=r"customers: 7 come more than once"):
        read_alternatives([[0], [0]], [[0], [0]], customers=np.array([7, 7]))
    with pytest.raises(ValueError, match="3 names for 2 rows"):
        read_alternatives([[0], [0]], [[0], [0]], customers=list("abc"))
    with pytest.raises(ValueError, match="2 different names"):
        read_alternatives([[0, 1]], [[0, 1]], levels=["a", "a"])
    value = pd.DataFrame([[0, 1], [2, 3]], index=["a", "b"])
    with pytest.raises(ValueError, match="same customers in the same order"):
        read_alternatives(value, value.iloc[::-1])
    with pytest.raises(ValueError, match=r"'fast'.*'greedy', 'exact'"):
        select_levels([[0, 1]], [[0, 1]], 1, method="fast")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_curve_is_the_bound_and_price_of_every_budget(seed, share):
    value, cost, _ = random_instance(seed)
    curve = budget_curve(value, cost)
    budget = curve.spent[0] + share * (curve.spent[-1] - curve.spent[0])
    plan = select_levels(value, cost, float(budget))
    assert plan.bound == pytest.approx(float(curve.bound(budget)), abs=ROUNDING)
    assert (np.diff(curve.efficiency) <= 0).all()


def test_curve_lists_plans():
    value, cost, _ = retention_case(300, 6)
    curve = budget_curve(value, cost, points=50)
    assert len(curve.frame) <= 50 and np.isnan(curve.bound(-1.0))
    for row in curve.frame.iloc[::7].to_dict("records"):
        plan = select_levels(value, cost, row["budget"] * (1 + ROUNDING))
        assert plan.value == pytest.approx(row["value"], rel=ROUNDING)
        assert np.bincount(plan.levels, minlength=5).tolist() == [row[name] for name in LEVELS]
        assert plan.shadow_price == pytest.approx(row["shadow_price"])


def test_best_budget_is_that_of_most_value_less_cost():
    value, cost, _ = retention_case(300, 7)
    alone = (value - cost).argmax(axis=1)
    best = budget_curve(value, cost).best_budget
    assert best == pytest.approx(cost[np.arange(300), alone].sum(), rel=ROUNDING)


def test_sensitivity_to_the_budget():
    value, cost, budget = retention_case(300, 8)
    table = budget_sensitivity(value, cost, budget).set_index("change")
    assert table.loc[0.0, ["gain_change", "higher", "lower"]].tolist() == [0, 0, 0]
    assert table["shadow_price"].is_monotonic_decreasing and table["gain"].is_monotonic_increasing
    # a little more money brings its amount times a price between those before and after
    more = table.loc[0.1, "gain_change"] / (table.loc[0.1, "budget"] - budget)
    assert table.loc[0.1, "shadow_price"] <= more * 1.01 and more <= table.loc[0.0, "shadow_price"]

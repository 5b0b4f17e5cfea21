"""Capacities of levels and managers: against HiGHS, bound valid, and told what is short."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import (
    LEVELS,
    Capacity,
    level_capacity,
    manager_hours,
    select_levels,
)
from level_instances import best_value, retention_case

SOLVER = 1e-6
"""HiGHS keeps its limits and proves its optimum up to this."""

NEAR = 1e-6
"""Distance of the smoothed bound to that of the linear relaxation, relative."""

HOURS = {"reactive": 0.5, "accountable": 2.0, "proactive": 6.0, "partnership": 20.0}
PER_LEVEL = np.array([0.0, 0.5, 2.0, 6.0, 20.0])


def managed_case(seed):
    """Some customers of two to four managers, with hours and places short, and HiGHS' answer."""
    generator = np.random.default_rng(seed)
    n, managers = int(generator.integers(4, 40)), int(generator.integers(2, 5))
    value, cost, budget = retention_case(n, seed)
    budget *= generator.uniform(0.2, 1.5)
    manager = generator.integers(0, managers, n)
    free = select_levels(value, cost, budget)
    used = np.bincount(manager, weights=PER_LEVEL[free.levels], minlength=managers)
    available = dict(enumerate((used * generator.uniform(0.4, 1.1, managers)).tolist()))
    places = int(generator.integers(0, 4))
    capacities = [level_capacity("partnership", places), manager_hours(manager, HOURS, available)]
    rows = [np.tile(np.arange(5) == 4, (n, 1)).astype(float)]
    rows += [(manager == one)[:, None] * PER_LEVEL for one in available]
    best = best_value(value, cost, budget, rows=rows, limits=[places, *available.values()])
    return (value, cost, budget), capacities, (manager, available, places), best


@pytest.mark.parametrize("seed", range(40))
def test_greedy_and_exact_against_highs(seed):
    arguments, capacities, (manager, available, places), best = managed_case(seed)
    greedy = select_levels(*arguments, capacities=capacities)
    exact = select_levels(*arguments, capacities=capacities, method="exact")
    scale = abs(best)
    assert exact.value == pytest.approx(best, abs=SOLVER * scale)
    assert greedy.value <= best + SOLVER * scale
    assert best <= greedy.bound + SOLVER * scale
    for plan in (greedy, exact):
        assert plan.within_budget
        assert (plan.levels == 4).sum() <= places
        hours = np.bincount(manager, weights=PER_LEVEL[plan.levels], minlength=len(available))
        assert (hours <= np.array(list(available.values())) + 1e-9).all()


def test_bound_is_that_of_the_linear_relaxation():
    from scipy import sparse
    from scipy.optimize import linprog

    value, cost, budget = retention_case(400, 1)
    manager = np.arange(400) % 8
    free = select_levels(value, cost, budget)
    hours = 0.9 * PER_LEVEL[free.levels].sum() / 8
    plan = select_levels(value, cost, budget, capacities=manager_hours(manager, HOURS, hours))
    uses = [cost.ravel()] + [((manager == m)[:, None] * PER_LEVEL).ravel() for m in range(8)]
    relaxed = linprog(
        -value.ravel(),
        A_ub=np.array(uses),
        b_ub=[budget] + [hours] * 8,
        A_eq=sparse.kron(sparse.eye(400), np.ones((1, 5)), format="csr"),
        b_eq=np.ones(400),
        bounds=(0, 1),
    )
    assert -relaxed.fun <= plan.bound <= -relaxed.fun * (1 + NEAR)
    # where the smooth bound is flat, prices are not unique; here they are, up to the smoothing
    expected = -relaxed.ineqlin.marginals
    found = [plan.shadow_price, *plan.capacities["shadow_price"]]
    assert found == pytest.approx(expected.tolist(), rel=0.05, abs=0.02)


def test_capacities_that_do_not_bind_change_little():
    value, cost, budget = retention_case(200, 2)
    free = select_levels(value, cost, budget)
    wide = select_levels(value, cost, budget, capacities={"partnership": np.inf, "proactive": 1e9})
    assert wide.bound == pytest.approx(free.bound)
    assert wide.value == pytest.approx(free.value, rel=1e-3)
    assert wide.capacities["shadow_price"].tolist() == pytest.approx([0, 0], abs=1e-6)


def test_no_place_at_any_level_leaves_the_zero_level():
    value, cost, budget = retention_case(30, 3)
    for method in ("greedy", "exact"):
        plan = select_levels(
            value, cost, budget, capacities=dict.fromkeys(LEVELS[1:], 0), method=method
        )
        assert (plan.levels == 0).all()
        assert plan.bound == pytest.approx(plan.value, rel=1e-5)


def test_table_of_capacities():
    value, cost, budget = retention_case(60, 4)
    manager = pd.Series(["Ann", "Bob", None] * 20, index=[f"c{n}" for n in range(60)])
    plan = select_levels(
        value,
        cost,
        budget,
        customers=manager.index,
        capacities=[
            manager_hours(manager, HOURS, {"Ann": 3.0, "Bob": 1e6}),
            level_capacity(4, 1.9),
        ],
    )
    table = plan.capacities
    assert table["group"].tolist() == ["Ann", "Bob", "all customers"]
    assert table["limit"].tolist() == [3.0, 1e6, 1.0]
    assert (table["used"] <= table["limit"]).all()
    assert table["shadow_price"].iloc[0] > 0 and table["shadow_price"].iloc[1] < 1e-3
    # customers of nobody are limited by money alone
    assert (plan.codes()[manager.isna()] > 0).any()


def test_hours_by_customer_and_level():
    value = np.array([[0.0, 10], [0, 10]])
    use = np.array([[0.0, 5], [0, 1]])
    plan = select_levels(
        value, np.zeros((2, 2)), 0, capacities=Capacity("hours", use, 3.0), method="exact"
    )
    assert plan.levels.tolist() == [0, 1]


TWO = ([[0.0, 1], [0, 1]], [[0.0, 1], [0, 1]], 2)


@pytest.mark.parametrize(
    ("capacities", "message"),
    [
        ({0: 1}, "0 is the zero level, which is always available"),
        ({"gold": 1}, "level 'gold': there is no such level"),
        ({1: -1}, "the limit for 'all customers' must be a number of at least 0"),
        ({1: float("nan")}, "the limit for 'all customers'"),
        (Capacity("hours", [0, -1], 1), "finite and at least 0"),
        (Capacity("hours", [0, 1, 2], 1), r"use has shape \(3,\)"),
        (Capacity("hours", [2, 3], 3), "take 4 at the zero level 'level 0' already"),
        (manager_hours(["a"], [0, 1], 1), "one entry for each of the 2 customers"),
        (manager_hours(["a", "b"], [0, 1], {"a": 1}), "no limit for 'b'"),
        (manager_hours(pd.Series(["a"], index=[7]), [0, 1], 1), "read by its index"),
    ],
)
def test_capacities_that_make_no_sense_are_refused(capacities, message):
    with pytest.raises(ValueError, match=message):
        select_levels(*TWO, capacities=capacities)


def test_no_capacity_is_refused():
    with pytest.raises(TypeError, match="is no capacity"):
        select_levels(*TWO, capacities=[3])


def test_with_capacities_the_budget_must_reach_for_the_zero_level():
    with pytest.raises(ValueError, match="zero level 'level 0' of everybody, which costs 4"):
        select_levels([[0.0, 1]] * 2, [[2.0, 1]] * 2, 3, capacities={1: 1})

"""Figures of relationship economics: what they say, and that it stays legible."""

from functools import cache

import numpy as np
import pytest
from keycustomer import plots
from keycustomer.lifetime import CustomerChain, recency_chain
from keycustomer.relationships import (
    best_spending,
    calibrate_response,
    cost_by_level,
    level_worth,
    policy_value,
    spending_plan,
)
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "the relationship level with a visit every month and a call each week, $x^_1"


@cache
def results(case):
    """Make a plan with its best, costs by level, worths by level, a policy; plain or hostile."""
    winning = calibrate_response(5, 0.20, 0.40)
    keeping = calibrate_response(10, 0.85, 0.95, floor=0.75)
    if case == "hostile":
        plan = spending_plan(1e6, winning, keeping, acquisition_spending=80, retention_spending=0)
        labels = (LONG, "<b>", "电话", "\\frac$", LONG + " again")
        cost, kept = np.full((3, 5), 2.0), np.full((3, 5), 0.5)
        worth = level_worth([1e-3], np.full(5, 0.5), np.arange(5.0), labels=labels)
        states = (LONG, "<i>", LONG + " again")
        policy = policy_value(CustomerChain(states, np.eye(3), np.zeros(3)), 0.1)
    else:
        plan = spending_plan(100, winning, keeping, acquisition_spending=5, retention_spending=10)
        labels = ("basic", "reactive", "accountable", "proactive", "partnership")
        generator = np.random.default_rng(1)
        cost = np.array([70, 210, 700, 2_500, 9_000]) * generator.gamma(4, 0.25, (200, 1))
        kept = np.array([0.70, 0.74, 0.78, 0.80, 0.81]) * generator.beta(30, 1, (200, 1))
        worth = level_worth([1_000.0], [0.980, 0.982, 0.985, 0.988, 0.990], [2, 6, 20, 72, 250])
        policy = policy_value(recency_chain([0.3, 0.2, 0.15, 0.05], 40.0, 4.0), 0.2)
    best = best_spending(plan.margin, winning, keeping)
    return plan, best, cost_by_level(cost, kept, labels=labels, draws=50), worth, policy


def figure_of(case, name, ax=None):
    plan, best, costs, worth, policy = results(case)
    match name:
        case "next_customer_curves":
            return plots.next_customer_curves(plan, ax, best=best, unit="$")
        case "level_cost_dots":
            return plots.level_cost_dots(costs, ax, unit="EUR")
        case "break_even_bars":
            return plots.break_even_bars(worth, ax)
    return plots.policy_dots(policy, ax, unit="EUR")


NAMES = ("next_customer_curves", "level_cost_dots", "break_even_bars", "policy_dots")


@pytest.mark.parametrize("case", ["plain", "hostile"])
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_finding_a_description_and_stays_within_its_edges(case, name):
    check_figure(figure_of(case, name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("plain", name, ax), monkeypatch)


@pytest.mark.parametrize(
    ("case", "name", "said"),
    [
        ("plain", "next_customer_curves", "36.1 to win, 144 to keep: the next money belongs to w"),
        ("plain", "level_cost_dots", "At partnership a customer kept costs"),
        ("hostile", "level_cost_dots", "and no more are kept than before"),
        ("plain", "break_even_bars", "Proactive pays for itself, partnership does not"),
        ("hostile", "break_even_bars", "No level keeps the customer enough better"),
        ("plain", "policy_dots", "'recency 4' is worth 1.82 more under the best policy"),
        ("hostile", "policy_dots", "The policy is the best there is in every state"),
    ],
)
def test_titles_say_what_was_found(case, name, said):
    assert said in title(figure_of(case, name))


def test_the_best_spending_costs_the_same_both_ways():
    best = results("plain")[1]
    assert "costs the same to win and to keep, 459" in title(plots.next_customer_curves(best))
    winning = calibrate_response(5, 0.2, 0.4)
    dear = spending_plan(10, winning, winning, acquisition_spending=30, retention_spending=40)
    assert "and is worth" in title(plots.next_customer_curves(dear))


def test_levels_that_all_pay_are_told():
    worth = level_worth([5_000.0], [0.9, 0.95], [1.0, 2.0], labels=("low", "high"))
    assert "Every level keeps" in title(check_and_give(plots.break_even_bars(worth)))
    saving = level_worth([10.0], [0.9, 0.1], [9.0, 0.0], labels=("dear", "cheap"))
    check_figure(plots.break_even_bars(saving))
    with pytest.raises(IndexError, match="customer=3: there are 0 to 0"):
        plots.break_even_bars(worth, customer=3)


def check_and_give(ax):
    check_figure(ax)
    return ax

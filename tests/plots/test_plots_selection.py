"""Figures of the selection of levels: what they say, and that it stays legible."""

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer import relationships as levels
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

LONG = "churn risk first, whatever the customers are worth to us in $$ and in the years to come"


def choice(case):
    """Values, costs and a budget: two hundred customers, one, or nothing to gain."""
    if case == "one":
        return levels.read_alternatives([[0.0, 1]], [[0.0, 1]]), 0.5
    if case == "nothing":
        return levels.read_alternatives([[1.0, 1]], [[1.0, 1]]), 1.0
    generator = np.random.default_rng(0)
    margin = generator.lognormal(4, 1.2, (200, 1))
    uplift = np.cumsum(generator.gamma(2, 0.1, (200, 5)), axis=1)
    cost = np.array([0.0, 2, 8, 30, 120]) * np.ones((200, 1))
    return levels.read_alternatives(margin * (5 + uplift), cost), 0.1 * float(cost[:, 4].sum())


def rules(alternatives):
    size = alternatives.value[:, 0]
    return {
        "largest first": lambda money: levels.plan_largest_first(
            alternatives, budget=money, size=size
        ),
        LONG: lambda money: levels.plan_churn_risk_first(alternatives, budget=money, risk=-size),
        "the same for everybody": lambda money: levels.plan_uniform(alternatives, budget=money),
    }


def figure_of(case, name, ax=None):
    alternatives, budget = choice(case)
    curve = levels.budget_curve(alternatives)
    plans = {rule: make(budget) for rule, make in rules(alternatives).items()}
    match name:
        case "budget_curve":
            budgets = np.linspace(alternatives.zero_cost, 2 * budget, 5)
            rivals = levels.compare_over_budgets(rules(alternatives), alternatives, budgets=budgets)
            return plots.budget_curve(curve, ax, budget=budget, rivals=rivals, unit="EUR")
        case "budget_curve alone":
            return plots.budget_curve(curve, ax)
        case "shadow_price_curve":
            return plots.shadow_price_curve(curve, ax, budget=budget, unit="EUR")
        case "plan_bars":
            top = np.full(len(alternatives), len(alternatives.levels) - 1)
            return plots.plan_bars(
                levels.compare_plans(plans | {"all at the top": top}, alternatives, budget=budget),
                ax,
            )
        case "levels_by_value":
            return plots.levels_by_value(levels.select_levels(alternatives, budget=budget), ax)
        case "promise_bars":
            more = alternatives.value + np.arange(len(alternatives.levels))
            promising = levels.select_levels(more, alternatives.cost, budget)
            return plots.promise_bars(
                levels.promised_delivered(
                    {"best by the estimates": promising} | plans, alternatives, budget=budget
                ),
                ax,
                unit="EUR",
            )


NAMES = (
    "budget_curve",
    "budget_curve alone",
    "shadow_price_curve",
    "plan_bars",
    "levels_by_value",
    "promise_bars",
)


@pytest.mark.parametrize("case", ["many", "one", "nothing"])
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_says_what_it_found_and_stays_within(case, name):
    check_figure(figure_of(case, name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("many", name, ax), monkeypatch)


def test_curve_names_the_best_rule_and_the_price():
    alternatives, budget = choice("many")
    curve = levels.budget_curve(alternatives)
    price = levels.select_levels(alternatives, budget=budget).shadow_price
    ax = drawn(figure_of("many", "budget_curve"))
    assert f"{price:.3g}" in plots.description(ax)
    assert "the best rule of thumb attains" in title(ax)
    alone = drawn(plots.budget_curve(curve, budget=budget))
    assert f"one more unit of money buys {price:.2g}" in title(alone)
    below = plots.budget_curve(curve, budget=-1.0)
    assert "does not reach for the cheapest level" in title(below)


def test_shadow_price_names_the_best_budget():
    curve = levels.budget_curve(choice("many")[0])
    ax = plots.shadow_price_curve(curve)
    assert plots.compact_number(curve.best_budget) in title(ax)
    assert "No level above the cheapest" in title(figure_of("nothing", "shadow_price_curve"))


def test_bars_name_the_best_rule_within_the_budget():
    alternatives, budget = choice("many")
    plans = {"a": np.zeros(200, int), "b": levels.plan_uniform(alternatives, budget=budget)}
    compared = levels.compare_plans(plans | {"c": np.full(200, 4)}, alternatives, budget=budget)
    share = compared.frame.set_index("plan").loc["b", "attainable_gain_share"]
    ax = drawn(plots.plan_bars(compared))
    assert f"“b” attains {plots.percent(share, 0)}" in title(ax)
    assert any("over budget" in text.get_text() for text in ax.texts)


def test_promises_kept_and_broken():
    plan = levels.select_levels([[0, 8]], [[0, 1]], 1)
    for delivered, said in ((4, "50 % of the gain"), (9, "all it promised"), (-1, "nothing of")):
        kept = levels.promised_delivered({"x": plan}, [[0, delivered]], [[0, 1]], 1)
        assert said in title(plots.promise_bars(kept))


def test_levels_by_another_size():
    alternatives, budget = choice("many")
    plan = levels.select_levels(alternatives, budget=budget)
    size = pd.Series(np.arange(200.0), alternatives.customers)
    ax = drawn(plots.levels_by_value(plan, by=size, groups=4, what="revenue of last year"))
    assert len(ax.get_xticks()) == 4
    assert "Revenue of last year" in ax.get_xlabel()
    top = np.mean(plan.levels[-50:] > 0)
    assert plots.percent(top, 0) in title(ax)

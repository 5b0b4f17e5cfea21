"""Figures of discounts and their equivalents: what they say, and that it stays legible."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.pricing import (
    DiscountPilotSettings,
    EquivalentOverCompanies,
    JudgedDiscounts,
    discount_plans,
    equivalent_discount,
    read_discount_options,
    true_equivalent_discount,
)
from keycustomer.simulate import simulate_company
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "the plan that the board agreed upon before the last price war, $x^_1"
PLANS = ("uplift x value", "most at risk first, deepest", "true optimum")
NAMES = (
    "discount_gain_bars",
    "discounts_by_risk",
    "equivalent_costs",
    "equivalent_curve",
    "equivalent_dots",
)


def judged(apart):
    """Give plans in four companies, the first one better by so much, the last one much better."""
    gains = np.array([[100 + apart, 100, 400]] * 4) + np.arange(4)[:, None] * [2.0, 1.0, 5.0]
    rows = [
        {"company": k, "customers": 50, "plan": plan, "budget": 100.0, "discounted": 5}
        | {"promised": 120.0, "gain": gains[k, j], "spent": 80.0}
        | {"attained": gains[k, j] / gains[k, 2], "below_floor": 0}
        for k in range(4)
        for j, plan in enumerate(PLANS)
    ]
    pilots = pd.DataFrame({"company": range(4), "log_price": 4.0})
    return JudgedDiscounts(pd.DataFrame(rows), pilots, DiscountPilotSettings(), 0.03)


@cache
def company():
    return simulate_company(500, 36, 4)


def over_companies(hostile):
    ends = (np.nan, np.inf) if hostile else (0.02, 0.09)
    rows = [
        {"company": k, "method": method, "discount": ends[0] if k else 0.05}
        | {"lower": ends[0], "upper": ends[1], "truth": 0.05, "held": not hostile}
        for k in range(3)
        for method in ("control function", "naive")
    ]
    return EquivalentOverCompanies(pd.DataFrame(rows), pd.DataFrame(), 100, 12)


def plans(hostile):
    n = 3 if hostile else 60
    draws = np.random.default_rng(0)
    gain, risk = draws.uniform(0, 9, (n, 2)), draws.uniform(0, 1, n)
    made = discount_plans(read_discount_options(gain, gain / 2, (0.1, 0.2), risk=risk), 3.0 * n)
    return {LONG: made["uplift x value"]} if hostile else made


def result_of(name, hostile):
    if name == "discount_gain_bars":
        return judged(-30 if hostile else 50)
    if name == "discounts_by_risk":
        return plans(hostile)
    if name == "equivalent_dots":
        return over_companies(hostile)
    if name == "equivalent_curve":
        truth = true_equivalent_discount(company(), discounts=(0.001,) if hostile else (0.05, 0.1))
        return truth
    found = equivalent_discount(company(), (2, 6, 20, 72, 250))
    nothing = found.by_level.assign(saving=np.nan, discount_cost=np.nan)
    return replace(found, by_level=nothing) if hostile else found


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_finding_a_description_and_stays_within_its_edges(name, hostile):
    check_figure(getattr(plots, name)(result_of(name, hostile)))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    result = result_of(name, False)
    check_given_axes(lambda ax: getattr(plots, name)(result, ax), monkeypatch)


@pytest.mark.parametrize(
    ("apart", "said"), [(50, "gain more than"), (-30, "gain no more"), (-1, "not surely")]
)
def test_titles_follow_the_verdict(apart, said):
    assert said in title(plots.discount_gain_bars(judged(apart)))


def test_titles_say_when_no_discount_does():
    assert "No discount tried" in title(plots.equivalent_curve(result_of("equivalent_curve", True)))
    assert "No discount keeps" in title(plots.equivalent_costs(result_of("equivalent_costs", True)))


def test_plans_without_risks_or_discounts_are_refused():
    with pytest.raises(ValueError, match="0 of them discount anybody"):
        plots.discounts_by_risk({"none": plans(False)["none"]})

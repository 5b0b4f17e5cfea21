"""Figures of stated willingness to pay: what they say, and that they stay legible."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.pricing import (
    bdm_demand,
    gabor_granger,
    judge_price_points,
    newton_miller_smith,
    price_sensitivity,
)
from keycustomer.pricing.stated.price_answers import QUESTIONS
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "the price that the head of sales proposed in the last round, $x^_1"


def answers(n, seed):
    generator = np.random.default_rng(seed)
    worth = 110 * np.exp(0.3 * generator.standard_normal((n, 1)))
    parts = np.array([0.42, 0.62, 0.86, 1.0])
    prices = worth * parts * np.exp(0.1 * generator.standard_normal((n, 4)))
    return pd.DataFrame(prices, columns=list(QUESTIONS)).round(0)


@cache
def results(case):
    """Make a meter, demand, reach and judged prices; plain or hostile."""
    worth = 110 * np.exp(0.3 * np.random.default_rng(5).standard_normal(400))
    if case == "hostile":
        few = answers(14, 2) * 1e5
        meter = price_sensitivity(few, validate=False, convention="narrower", draws=20)
        demand = bdm_demand(worth * 1e-3, unit_cost=0.09, draws=20, currency="$")
        reach = newton_miller_smith(answers(30, 3) * 1e5, 0.2, 0.9, draws=20)
        named = {LONG: 60.0, LONG + " again": 61.0, "<b>": 62.0, "价格": 200.0}
        judged = judge_price_points(named, worth, unit_cost=20, currency="$")
    else:
        meter = price_sensitivity(answers(200, 1), draws=50)
        dearest = np.repeat([0, 1000, 1500, 2000, 2500, 3000], [1, 14, 11, 9, 12, 8])
        demand = gabor_granger(dearest, draws=50, currency="EUR")
        reach = newton_miller_smith(answers(200, 1), 0.7, 0.3, unit_cost=50, draws=50)
        judged = judge_price_points(meter, worth, unit_cost=50)
    return {"meter": meter, "demand": demand, "reach": reach, "judged": judged}


DRAW = {
    "meter": plots.price_meter_curves,
    "demand": plots.stated_demand_curve,
    "reach": plots.reach_curves,
    "judged": plots.judged_price_curve,
}


@pytest.mark.parametrize("case", ["plain", "hostile"])
@pytest.mark.parametrize("name", DRAW)
def test_every_figure_has_a_finding_a_description_and_stays_within_its_edges(case, name):
    check_figure(DRAW[name](results(case)[name]))


@pytest.mark.parametrize("name", DRAW)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: DRAW[name](results("plain")[name], ax), monkeypatch)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("meter", "are acceptable; as many find"),
        ("demand", "At 1,500 EUR the profit is largest, and 73 % accept"),
        ("reach", "Largest reach at"),
        ("judged", "Simulated: PMC brings"),
    ],
)
def test_titles_say_what_was_found(name, said):
    assert said in title(DRAW[name](results("plain")[name]))


def test_curves_that_never_cross_and_prices_that_are_all_good_are_told():
    meter = results("plain")["meter"]
    apart = {**meter.points}
    none = price_sensitivity(answers(200, 1), draws=5)
    object.__setattr__(none, "points", {n: type(e)(np.nan, np.nan, np.nan, "", 1, "")
                                        for n, e in apart.items()})  # fmt: skip
    assert "no acceptable range" in title(plots.price_meter_curves(none))
    worth = np.linspace(50, 150, 400)
    good = judge_price_points({"asked": 75.0}, worth, unit_cost=0.0)
    assert "every recommended price brings nearly" in title(plots.judged_price_curve(good))
    revenue = plots.stated_demand_curve(results("plain")["demand"], profit=False)
    assert "the revenue is largest" in title(revenue)

"""Figures of best prices: what they say, and that it stays legible."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.pricing import (
    PriceDifferentiation,
    price_corridor,
    price_curve,
    uncertain_price,
)
from keycustomer.stats import Estimate
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "the tier of the customers with a visit every month and a call each week, $x^_1"
NAMES = ("profit_by_price", "uncertain_price_band", "corridor_bars", "differentiation_dots")


def elasticity(value, error):
    return Estimate(value, value - 2 * error, value + 2 * error, "elasticity", 100, "known")


def differentiation(companies):
    """Plans judged in so many companies; made up, since only the figure is looked at."""
    generator = np.random.default_rng(2)
    plans = {
        "today's habit": (-0.08, 0.1),
        "one price for all": (0.0, 0.0),
        "price by tier": (0.03, 0.02),
        "price by customer": (0.1, 0.05),
    }
    frame = pd.concat(
        pd.DataFrame(
            {
                "company": np.arange(companies),
                "plan": plan,
                "gain": generator.normal(mean, spread, companies),
                "retention": 0.4,
            }
        )
        for plan, (mean, spread) in plans.items()
    )
    return PriceDifferentiation(frame, pd.DataFrame(), companies, 300, 36, 36, 0.1)


@cache
def results(case):
    if case == "hostile":
        curve = price_curve(-0.6, 9e5, 1e6, 3.0, prices=[1e6, 1.1e6], floor=0.1)
        tiers = pd.DataFrame(
            {
                "tier": [LONG, LONG + " again", "<b>", "电话"],
                "list_price": 10.0,
                "price": [9.0, 8.0, 4.0, 10.0],
                "unit_cost": [5.0, 12.0, 6.0, 10.0],
            }
        )
        worth = dict(zip(tiers["tier"], [8.0, 9.0, np.inf, 11.0], strict=True))
        corridor = price_corridor(tiers, willingness_to_pay=worth, best_price=np.inf)
        return curve, uncertain_price(elasticity(-0.7, 0.1), 6e6, 1e7), corridor, differentiation(1)
    curve = price_curve(-0.9, 0.6, 1.0, 1000.0, churn=0.0125, retention_response=3.5, floor=0.1)
    tiers = pd.DataFrame(
        {
            "tier": list("ABC"),
            "list_price": [0.94, 0.94, 0.94],
            "price": [0.82, 0.82, 0.84],
            "unit_cost": [0.52, 0.51, 0.5],
            "cost_to_serve": [0.02, 0.07, 0.17],
        }
    )
    corridor = price_corridor(tiers, best_price={"A": 0.87, "B": 0.98, "C": 1.1})
    return (
        curve,
        uncertain_price(elasticity(-2.5, 0.3), 6.0, 10.0, 1000.0),
        corridor,
        differentiation(20),
    )


def figure_of(case, name, ax=None):
    curve, uncertain, corridor, differences = results(case)
    match name:
        case "profit_by_price":
            return plots.profit_by_price(curve, curve.frame["price"].iloc[-1], ax, unit="EUR")
        case "uncertain_price_band":
            return plots.uncertain_price_band(uncertain, ax, unit="EUR")
        case "corridor_bars":
            return plots.corridor_bars(corridor, ax)
    return plots.differentiation_dots(differences, ax)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", ["plain", "hostile"])
def test_figure_says_its_finding_and_stays_legible(case, name):
    check_figure(figure_of(case, name))


@pytest.mark.parametrize("name", NAMES)
def test_figure_draws_into_the_axes_given(name, monkeypatch):
    check_given_axes(lambda ax: figure_of("plain", name, ax), monkeypatch)


def test_slider_figure_tells_of_the_chosen_price():
    curve = results("plain")[0]
    assert "+40.0 %" in title(plots.profit_by_price(curve, 1.4))
    assert "stay a year" in title(plots.profit_by_price(curve, 1.4))
    assert "more profit than today" in title(plots.profit_by_price(curve))
    best = price_curve(-2.5, 6.0, 10.0, prices=[8.0, 10.0, 12.0])
    assert title(plots.profit_by_price(best)) == "Today's price of 10 is the best one"
    rising = price_curve(-0.5, 6.0, 10.0)
    assert "still rises" in title(plots.profit_by_price(rising))


def test_uncertain_figure_says_where_the_price_has_no_end():
    unbounded = uncertain_price(elasticity(-1.6, 0.4), 6.0, 10.0)
    assert "no upper end" in title(plots.uncertain_price_band(unbounded))
    inelastic = results("hostile")[1]
    assert "no price is the best one" in title(plots.uncertain_price_band(inelastic))
    assert "between" in title(plots.uncertain_price_band(results("plain")[1]))


def test_corridor_figure_names_the_tiers_without_one():
    assert "No corridor for" in title(figure_of("hostile", "corridor_bars"))
    assert "keep the floor" in title(figure_of("plain", "corridor_bars"))


def test_differentiation_figure_tells_the_verdict():
    assert "more than one price for all: supported" in title(figure_of("plain", NAMES[-1]))
    assert "undecided" in title(figure_of("hostile", NAMES[-1]))

"""Figures of retention offers: what they say and that they stay legible."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.relationships import (
    PilotSettings,
    cross_fit_uplift,
    profit_curves,
    profits_by_tie,
    qini_curves,
    retention_pilot,
    simulate_trial,
    targeting_profits,
    targeting_rules,
)
from keycustomer.relationships.targeting.over_companies import PilotsOverCompanies
from keycustomer.stats import Estimate
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401

NAMES = (
    "gain_by_depth",
    "profit_by_tie_lines",
    "risk_uplift_map",
    "targeting_dots",
    "targeting_over_companies",
)
LONG = "how long the customer has not called $ 联系频率 and what it asked"


@pytest.fixture(scope="module")
def known():
    return simulate_trial(1_000, 1, tie=-0.8)


@pytest.fixture(scope="module")
def fitted(known):
    return cross_fit_uplift(known.trial, folds=2)


@pytest.fixture(scope="module")
def qini(known, fitted):
    rules = targeting_rules(known.trial, fitted, "outcome")
    return qini_curves(known.trial, rules, fitted, draws=50)


@pytest.fixture(scope="module")
def profits(known, fitted):
    return targeting_profits(known.trial, fitted, targeting_rules(known.trial, fitted), draws=50)


@pytest.fixture(scope="module")
def pilot():
    return retention_pilot(1, PilotSettings(accounts=400), draws=20)


def companies(pilot, number: int = 20) -> PilotsOverCompanies:
    """Results over companies as one pilot would give them with some luck."""
    generator = np.random.default_rng(0)
    rows = [
        pilot.to_frame().assign(seed=seed, truth=lambda f: f["truth"] + generator.normal(0, 9))
        for seed in range(number)
    ]
    told = pd.DataFrame({"seed": range(number), "attainable": 60.0, "everybody": -200.0})
    told = told.assign(risk_and_uplift=0.8)
    return PilotsOverCompanies(pilot.settings, 0.2, told, pd.concat(rows, ignore_index=True))


def test_names_are_public() -> None:
    assert set(NAMES) <= set(plots.__all__)


def test_curves_tell_better_and_worse_orders(qini) -> None:
    ax = plots.gain_by_depth(qini)
    check_figure(ax)
    assert title(ax).startswith("Compared with random order, more is gained by uplift (T)")
    assert title(ax).endswith("less is gained by churn risk")
    assert ax.get_ylabel() == "Gained of 1,000 customers"


def test_curves_claim_nothing_that_the_interval_does_not_hold(qini) -> None:
    none = {rule: Estimate(0.0, -0.1, 0.1, "", 10, "") for rule in qini.area}
    ax = plots.gain_by_depth(replace(qini, area=none))
    assert title(ax) == "No order is shown to gain more or less than choosing at random"


@pytest.mark.parametrize(
    ("gain", "lower", "said"),
    [
        (1.0, -1.0, "No order is shown to earn money with the offer; most with the first"),
        (1.0, 0.1, "Most is earned with the first"),
        (-1.0, -2.0, "The offer earns nothing, whoever gets it first"),
    ],
)
def test_profit_curves_say_where_most_is_earned(known, fitted, gain, lower, said) -> None:
    rules = targeting_rules(known.trial, fitted)
    found = profit_curves(known.trial, rules, fitted, points=5, draws=20)
    depth = found.curves["depth"]
    made = found.curves.assign(gain=gain * depth, lower=lower * depth, upper=2 * depth)
    ax = plots.gain_by_depth(replace(found, curves=made))
    check_figure(ax)
    assert title(ax).startswith(said)


def test_many_rules_with_long_names_stay_legible(known, fitted) -> None:
    rules = targeting_rules(known.trial, fitted).assign(
        **{f"{LONG} {k}": known.trial.features["tenure"] * k for k in (1.0, -1.0)}
    )
    check_figure(plots.gain_by_depth(qini_curves(known.trial, rules, draws=20)))
    check_figure(plots.targeting_dots(targeting_profits(known.trial, fitted, rules, draws=20)))


def test_dots_name_rules_that_beat_churn_risk(profits) -> None:
    ax = plots.targeting_dots(profits)
    check_figure(ax)
    assert "more than churn risk" in title(ax) and "no rule is shown" not in title(ax)
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[-1] == "uplift x value (T), first 20 %" and labels[0] == "random, first 20 %"
    both = plots.targeting_dots(profits, stops=("fixed depth", "best depth", "gain above 0"))
    check_figure(both)
    assert len(both.get_yticks()) == 14
    with pytest.raises(ValueError, match="no rule stops there; use fixed depth"):
        plots.targeting_dots(profits, stops=("never",))


def test_dots_of_a_pilot_show_the_truth(pilot) -> None:
    ax = plots.targeting_dots(pilot)
    check_figure(ax)
    assert "simulated" in ax.get_xlabel() and "truly" in plots.description(ax)


def test_the_map_of_risk_and_uplift(known, pilot) -> None:
    ax = plots.risk_uplift_map(known)
    check_figure(ax)
    assert title(ax).startswith("Simulated: the offer moves the fifth at highest risk by \u2212")
    check_figure(plots.risk_uplift_map(pilot))


def test_companies_are_drawn_one_by_one(pilot) -> None:
    ax = plots.targeting_over_companies(companies(pilot))
    check_figure(ax)
    assert "of 20 companies" in title(ax)
    assert sum(len(line.get_xdata()) == 20 for line in ax.lines) == len(ax.get_yticks())
    check_figure(plots.targeting_over_companies(companies(pilot, 1), stops=("best depth",)))


def test_lines_by_tie_say_where_risk_is_worse_than_random() -> None:
    study = profits_by_tie((-0.8, 0.8), repeats=2, customers=300, folds=2)
    ax = plots.profit_by_tie_lines(study)
    check_figure(ax)
    assert "(correlation \u22120.8)" in title(ax)
    only = plots.profit_by_tie_lines(replace(study, profits=study.profits.query("tie > 0")))
    assert "beats choosing at random at every correlation" in title(only)


def test_figures_are_drawn_into_given_axes(qini, profits, known, pilot, monkeypatch) -> None:
    study = profits_by_tie((-0.8,), repeats=1, customers=200, folds=2)
    for draw in (
        lambda ax: plots.gain_by_depth(qini, ax),
        lambda ax: plots.targeting_dots(profits, ax),
        lambda ax: plots.risk_uplift_map(known, ax),
        lambda ax: plots.targeting_over_companies(companies(pilot), ax),
        lambda ax: plots.profit_by_tie_lines(study, ax),
    ):
        check_given_axes(draw, monkeypatch)
        plots.style.plt.close("all")

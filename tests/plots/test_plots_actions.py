"""Figures of actions: what they say, and that it stays legible."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.stats import Estimate
from keycustomer.strategy import JudgedAccountPlans, PlanDelivered
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "the largest account of the northern region since the merger, <b>$x^_1</b> \\frac 电话"
ACTIONS = ("relationship level", "discount", "contacts", "complaint process", "next need")


def weighed(name="K1", values=(900.0, 300.0, 20.0, -5.0, -400.0)):
    """Actions of one account with given values."""
    rows = [
        {"customer_id": name, "action": action, "setting": "offer " + "a long setting " * 3}
        | {"value": value, "lower": value - 200, "upper": value + 250}
        for action, value in zip(ACTIONS, values, strict=False)
    ]

    def row(asked):
        if asked != name:
            raise KeyError(f"no account {asked!r}")

    frame = pd.DataFrame(
        rows, columns=["customer_id", "action", "setting", "value", "lower", "upper"]
    )
    return SimpleNamespace(frame=frame, row=row, simulated=True, horizon=36, currency="EUR")


def delivered(count=6, names=None):
    generator = np.random.default_rng(1)
    promised = generator.uniform(-2e3, 2e5, count)
    frame = pd.DataFrame(
        {
            "customer_id": names or [f"K{k:07d}" for k in range(count)],
            "actions": "discount",
            "promised": promised,
            "lower": promised - 3e4,
            "upper": promised + 4e4,
            "delivered": promised * generator.uniform(-0.5, 1.5, count),
        }
    )
    table = pd.DataFrame(
        {"action": ACTIONS, "accounts": 3, "promised": 1e4, "delivered": 8e3, "kept": 0.8}
    )
    total = Estimate(float(promised.sum()), -1.0, 3e6, "EUR", count, "draws")
    came = float(frame["delivered"].sum())
    return PlanDelivered(frame, frame, table, total, came, 5e4, 4e4, 36, "EUR")


def judged(count=20, lead=200.0):
    generator = np.random.default_rng(2)
    common = generator.uniform(-500, 9000, count)
    own = common + lead + generator.normal(0, 50, count)
    rows = [
        {"company": k, "plan": plan, "accounts": 10, "worse": 1}
        | {"promised": 1.3 * value, "delivered": value, "today": 2e4}
        for plan, values in (("own plans", own), ("common plan", common))
        for k, value in enumerate(values)
    ]
    return JudgedAccountPlans(pd.DataFrame(rows), pd.DataFrame(), 300, 36, 36, 3)


@pytest.mark.parametrize("name", ["K1", LONG])
def test_actions_of_an_account_name_the_best(name):
    ax = plots.account_action_dots(weighed(name), name)
    check_figure(ax)
    assert "relationship level promises most, 900" in title(ax)
    assert "discount" in plots.description(ax)
    assert "simulated" in ax.get_xlabel()


def test_a_best_action_that_may_lose_says_so_and_none_that_pays_too():
    assert "may bring a loss" in title(plots.account_action_dots(weighed(values=(150.0,)), "K1"))
    ax = plots.account_action_dots(weighed(values=(-10.0, -20.0)), "K1", label="the mill")
    check_figure(ax)
    assert title(ax).startswith("Nothing that can be done for the mill")
    check_figure(plots.account_action_dots(weighed(values=()), "K1"))


def test_an_account_that_was_not_weighed_is_refused():
    with pytest.raises(KeyError, match="K2"):
        plots.account_action_dots(weighed(), "K2")


@pytest.mark.parametrize("count", [1, 6, 40])
def test_promised_and_delivered_by_account(count):
    result = delivered(count)
    ax = plots.promised_delivered_dots(result)
    check_figure(ax)
    assert title(ax).startswith("Simulated: the plan promised")
    assert ("largest promises of 40" in plots.description(ax)) == (count == 40)


def test_promised_and_delivered_by_action_and_with_long_names():
    ax = plots.promised_delivered_dots(delivered(), by="action")
    check_figure(ax)
    assert "promised 50 k and delivered 40 k (80 %)" in title(ax)
    check_figure(plots.promised_delivered_dots(delivered(2, [LONG, LONG + " again"])))
    with pytest.raises(ValueError, match="by='month'"):
        plots.promised_delivered_dots(delivered(), by="month")


def test_a_plan_that_promised_nothing_says_so():
    nothing = replace(delivered(), promised=Estimate(0.0, 0.0, 0.0, "EUR", 6, "draws"))
    assert "promised nothing" in title(plots.promised_delivered_dots(nothing))


@pytest.mark.parametrize(
    ("lead", "said"),
    [(200.0, "an account more than"), (-200.0, "an account less than"), (0.0, "undecided")],
)
def test_judged_plans_tell_the_verdict(lead, said):
    ax = plots.account_plan_dots(judged(lead=lead))
    check_figure(ax)
    assert said in title(ax)


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.account_action_dots(weighed(), "K1", ax),
        lambda ax: plots.promised_delivered_dots(delivered(), ax),
        lambda ax: plots.account_plan_dots(judged(2), ax),
    ],
)
def test_figures_go_into_the_axes_given(draw, monkeypatch):
    check_given_axes(draw, monkeypatch)

"""Figures of deal-proneness and next needs: what they say and that they stay legible."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.dimensions.behaviour.needs_check import NextNeedCheck
from keycustomer.dimensions.behaviour.proneness import DealProneness
from keycustomer.dimensions.behaviour.proneness_check import METHODS, DealCheck
from keycustomer.stats import Estimate
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

NAMES = ("proneness_map", "later_deals", "deal_answers", "deal_errors", "next_need_bars")


def estimate(value, half=0.1):
    return Estimate(value, value - half, value + half, "", 100, "bootstrap")


def proneness(n=500):
    rng = np.random.default_rng(0)
    lines = np.maximum(rng.lognormal(5, 1.5, n).astype(int), 1)
    lean = np.sort(rng.normal(0, 0.3, n))[::-1]
    frame = pd.DataFrame({"lines": lines, "excess": lean / 4, "proneness": lean})
    frame = frame.assign(lower=lean - 0.3, upper=lean + 0.3, price_driven=lean - 0.3 > 0)
    nothing = pd.DataFrame({"reason": [], "lines": []})
    return DealProneness(frame, 0.0, 0.3, 1.2, estimate(0.8), nothing, None, None, 0.95, ("note",))


def check(groups=5, gap=0.1, answer="coupon redemption"):
    later = np.linspace(0.5 - gap, 0.5 + gap, groups)
    frame = pd.DataFrame(
        {
            "group": range(1, groups + 1),
            "customers": 100,
            "proneness": np.linspace(-1, 1, groups),
            "later_share": later,
            "expected_share": 0.5,
        }
    )
    if answer:
        share = np.linspace(0.1, 0.3, groups)
        frame = frame.assign(
            offered=1200, answered=(1200 * share).astype(int), answer_share=share,
            lower=share - 0.05, upper=share + 0.05,
        )  # fmt: skip
    error = np.array([0.12, 0.11, 0.09, 0.07])
    prediction = pd.DataFrame({"method": METHODS, "error": error})
    prediction = prediction.assign(
        lower=error - 0.005, upper=error + 0.005, saved=error[2] - error,
        saved_lower=error[2] - error - 0.01, saved_upper=error[2] - error + 0.01,
    )  # fmt: skip
    scores = pd.DataFrame({"score": ["own", "equals"], "auc": [0.6, 0.6]})
    return DealCheck(
        split=dt.date(2017, 6, 30),
        customers=500,
        gone=10,
        correlation=estimate(0.6),
        slope=estimate(0.8),
        raw_slope=estimate(0.4),
        prediction=prediction,
        groups=frame,
        answer_auc=scores.assign(lower=0.55, upper=0.65),
        answer=answer,
    )


def needs(hits=(1, 3, 5)):
    names = [*(f"hit rate at {k}" for k in hits), "which category", "which customer"]
    frame = pd.DataFrame({"measure": names})
    for whose, value in {"model": 0.6, "baseline": 0.5, "difference": 0.1}.items():
        frame = frame.assign(
            **{whose: value, f"{whose}_lower": value - 0.02, f"{whose}_upper": value + 0.02}
        )
    day = dt.date(2017, 9, 30)
    return NextNeedCheck(frame, pd.DataFrame(), day, 91, 2000, 1800, 229, 40, 0.95)


def figure_of(name, ax=None):
    shown = {"proneness_map": proneness, "next_need_bars": needs}
    return getattr(plots, name)(shown.get(name, check)(), ax)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_says_what_it_found_and_stays_within_its_edges(name):
    check_figure(figure_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of(name, ax), monkeypatch)


def test_titles_follow_the_result():
    assert "10.0 points more of its lines on deal" in title(plots.later_deals(check()))
    assert title(plots.later_deals(check(gap=-0.1))).startswith("Earlier deal-proneness does not")
    assert title(plots.deal_errors(check())).startswith("Proneness adds to what the basket")
    vain = check()
    vain = replace(vain, prediction=vain.prediction.assign(saved_lower=-0.1))
    assert title(plots.deal_errors(vain)).startswith("Proneness adds nothing established")
    equal = replace(check(), answer_auc=check().answer_auc.assign(lower=0.4))
    assert title(plots.deal_answers(equal)).endswith("no more than chance among equal buyers")
    assert title(plots.next_need_bars(needs())).startswith("The first suggestion is taken up by 60")
    assert title(plots.next_need_bars(needs((3,)))).startswith("Hit rate at 3: 60 % against 50 %")


def test_of_very_many_customers_some_are_drawn(monkeypatch):
    monkeypatch.setattr("keycustomer.plots.behaviour.MOST_POINTS", 50)
    ax = plots.proneness_map(proneness())
    assert sum(len(part.get_offsets()) for part in ax.collections) == 50
    assert "Each of 500 customers" in plots.description(ax)


def test_nothing_to_draw_is_said():
    with pytest.raises(ValueError, match="the check knows no answers; give check_deal_proneness"):
        plots.deal_answers(check(answer=""))
    few = replace(check(), prediction=pd.DataFrame({"method": METHODS}))
    with pytest.raises(ValueError, match="fewer than 3 customers bought enough later"):
        plots.deal_errors(few)

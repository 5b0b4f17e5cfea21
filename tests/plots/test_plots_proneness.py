"""Figures of proneness against price response and coupons."""

import datetime as dt
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.pricing.proneness.check import SCORES, PronenessCheck
from keycustomer.pricing.proneness.redemptions import redemptions
from keycustomer.stats import Estimate
from legible import check_figure, check_given_axes, drawn, fresh_figures, title  # noqa: F401


def made_check(groups=5, at=0.3, answers=True, simulated=False):
    middle = np.linspace(0.4, -0.7, groups)
    frame = pd.DataFrame(
        {
            "group": np.arange(groups) + 1,
            "customers": 100,
            "proneness": np.linspace(-0.4, 0.4, groups),
            "relative_elasticity": middle,
            "lower": middle - 0.1,
            "upper": middle + 0.1,
        }
    )
    generator = np.random.default_rng(0)
    scores = pd.DataFrame(generator.normal(size=(400, 4)), columns=SCORES)
    answered = generator.random(400) < 1 / (1 + np.exp(-scores[SCORES[0]]))
    told = redemptions(
        scores, answered.to_numpy(), spending=SCORES[2], groups=5, level=0.95, draws=50, seed=0
    )
    correlation = Estimate(at, at - 0.1, at + 0.1, "correlation", 100 * groups, "bootstrap")
    return PronenessCheck(
        split=dt.date(2017, 6, 30),
        customers=100 * groups,
        correlation=correlation,
        true_correlation=correlation,
        spread=0.7,
        groups=frame,
        redemptions=told if answers else None,
        level=0.95,
        simulated=simulated,
        notes=(),
    )


@pytest.mark.parametrize("groups", [2, 5, 10])
@pytest.mark.parametrize("draw", [plots.response_by_proneness, plots.redemption_dots])
def test_figures_are_legible(groups, draw):
    check_figure(draw(made_check(groups)))


def test_numbers_of_many_groups_do_not_run_into_each_other():
    ax = drawn(plots.response_by_proneness(made_check(60)))
    names = [one for one in ax.get_xticklabels() if one.get_text()]
    boxes = [one.get_window_extent() for one in names]
    assert all(one.x1 < two.x0 for one, two in itertools.pairwise(boxes))
    assert "most prone" in names[-1].get_text()


@pytest.mark.parametrize("draw", [plots.response_by_proneness, plots.redemption_dots])
def test_given_axes(draw, monkeypatch):
    check_given_axes(lambda ax: draw(made_check(), ax), monkeypatch)


@pytest.mark.parametrize(
    ("at", "said"),
    [(0.3, "follows prices more"), (-0.3, "follows prices less"), (0.0, "is undecided")],
)
def test_findings(at, said):
    assert said in title(plots.response_by_proneness(made_check(at=at)))


def test_simulated_is_said_and_answers_are_needed():
    assert title(plots.redemption_dots(made_check(simulated=True))).startswith("Simulated: ")
    with pytest.raises(ValueError, match="give proneness_check an offer and an answer"):
        plots.redemption_dots(made_check(answers=False))


@pytest.mark.parametrize(
    ("at", "verdict"), [(0.3, "supported"), (0.05, "undecided"), (-0.3, "not supported")]
)
def test_verdict(at, verdict):
    assert made_check(at=at).verdict == verdict
    alone = made_check(at=at, answers=False)
    assert alone.verdict == verdict
    assert "supported" in alone._repr_html_() or verdict == "undecided"
    unlucky = replace(
        made_check(at=0.3).redemptions, among_alike=Estimate(0.4, 0.3, 0.45, "", 9, "")
    )
    assert replace(made_check(at=at), redemptions=unlucky).verdict == "not supported"

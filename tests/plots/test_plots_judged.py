"""Figures of judged plans: what they say, and that it stays legible."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer import plots
from keycustomer.relationships import judge_over_companies, judge_plans, level_truth, select_levels
from legible import check_figure, check_given_axes, fresh_figures, title  # noqa: F401

LONG = "the plan that the board agreed upon before the last price war, $x^_1"
SMALL = {"accounts": 60, "months": 12}
PLAIN = ("chosen", "everybody", "none")
HOSTILE = (LONG, "<b>电话</b> \\frac$", LONG + " again")


def noisy_plan(truth, share, seed):
    own, generator = truth.alternatives, np.random.default_rng(seed)
    value = own.value * np.exp(0.3 * generator.standard_normal(own.value.shape))
    budget = truth.budget(share)
    return select_levels(value, own.cost, budget, customers=own.customers, levels=own.levels)


@cache
def one_company():
    truth = level_truth(SMALL | {"seed": 2}, horizon=12)
    everybody = np.full(len(truth.customers), 4)
    plans = dict(zip(PLAIN, (noisy_plan(truth, 1, 0), everybody, 0 * everybody), strict=True))
    return judge_plans(plans, truth)


@cache
def companies(count):
    def make(months, share):
        seed = len(months.frame)  # any number of the company's own
        truth = level_truth(months_source[seed], horizon=12)
        present = pd.Series(4, months.present)
        return dict(zip(PLAIN, (noisy_plan(truth, share, 1), present, 0 * present), strict=True))

    from keycustomer.relationships import customer_months
    from keycustomer.simulate import simulate_company

    settings = [SMALL | {"seed": seed} for seed in range(1, count + 1)]
    months_source = {len(customer_months(simulate_company(**one)).frame): one for one in settings}
    return judge_over_companies(make, count, **SMALL, horizon=12)


def renamed(result):
    """Give the same result with names that are hard to draw."""
    names = dict(zip(PLAIN, HOSTILE, strict=True))
    changed = {"frame": result.frame.assign(plan=result.frame["plan"].replace(names))}
    if hasattr(result, "codes"):
        changed["codes"] = result.codes.rename(columns=names)
    else:
        changed["levels"] = result.levels.assign(plan=result.levels["plan"].replace(names))
    return replace(result, **changed)


def figure_of(case, name, ax=None):
    result = one_company() if name in ("judged_bars", "plan_level_bars") else companies(3)
    if name == "overrating_dots":
        return plots.overrating_dots(renamed(result) if case else result, ax, against=None)
    return getattr(plots, name)(renamed(result) if case else result, ax)


NAMES = ("judged_bars", "plan_level_bars", "company_dots", "overrating_dots")


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_finding_a_description_and_stays_within_its_edges(hostile, name):
    check_figure(figure_of(hostile, name))


@pytest.mark.parametrize("name", NAMES)
def test_figures_draw_into_the_axes_they_are_given_and_show_nothing(name, monkeypatch):
    check_given_axes(lambda ax: figure_of(False, name, ax), monkeypatch)


def test_titles_and_descriptions_tell_the_numbers():
    bars = figure_of(False, "judged_bars")
    best = one_company().of("chosen")["attainable_gain_share"]
    assert title(bars) == f"Chosen attains {plots.percent(best, 0)} of the gain there was"
    assert "promised" in plots.description(bars)
    dots = figure_of(False, "company_dots")
    assert "Chosen attains" in title(dots) and "in 3 of 3 companies" in title(dots)
    # partnership for everybody overspends so much that it lies beyond the figure, which says so
    assert any("mean" in text.get_text() for text in dots.texts)
    assert "leaves" in title(figure_of(False, "plan_level_bars"))
    over = figure_of(False, "overrating_dots")
    assert "Chosen was overrated by" in title(over)


def test_means_over_companies_and_one_company_alone_are_drawn():
    check_figure(plots.plan_level_bars(companies(3)))
    check_figure(plots.company_dots(companies(1)))
    check_figure(plots.overrating_dots(companies(1), against=None))


def test_plans_without_promises_are_told():
    result = companies(3)
    silent = replace(result, frame=result.frame.assign(promised_gain=np.nan))
    with pytest.raises(ValueError, match="no plan promised anything"):
        plots.overrating_dots(silent)
    check_figure(plots.judged_bars(judge_plans({}, one_company().truth)))

"""Levers tried and mixes judged in small simulated companies."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from keycustomer.simulate import Parameters, Policy, Settings, compare_policies
from keycustomer.strategy import (
    BUDGET_LEVERS,
    JudgedMixes,
    LeverTrial,
    fit_lever_curves,
    judge_mixes,
    lever_trial,
)
from keycustomer.strategy.levers.months_ahead import ObservedCompanies, observed_companies
from keycustomer.strategy.levers.rules import bottom_of_quality, lever_policy
from keycustomer.strategy.levers.trial import mix_policies

SAME = 1e-9
"""Relative difference of the same sums in another order."""

DIALS = {
    "product quality": 9.0,
    "service": 0.7,
    "communication": 0.4,
    "price": 0.08,
    "channel": 1.4,
}

ORDER = ("quality", "service", "price", "ordering", "hotline", "portal", "affinity")

PARAMETERS = Parameters()


@pytest.fixture(scope="module")
def trial() -> LeverTrial:
    """Try the levers in six small companies."""
    return lever_trial(6, 60, 12, ahead=12)


@pytest.fixture(scope="module")
def judged(trial: LeverTrial) -> JudgedMixes:
    """Judge mixes in five small companies."""
    return judge_mixes(trial, companies=5, accounts=60, shares=(1.0,))


def observed(parameters: Parameters = PARAMETERS) -> ObservedCompanies:
    """Observe two small companies for a year."""
    each = [Settings(50, 12, seed, ahead=12, discount_rate=0.1) for seed in (3, 4)]
    (both,) = observed_companies(each, parameters)
    return both


def test_months_ahead_are_those_of_the_comparison_of_policies() -> None:
    """Profit and revenue are the totals of each company run by itself under the same policy."""
    both = observed()
    (policy,) = mix_policies([both], DIALS, ORDER)
    for chosen in (Policy(), policy):
        found = both.look_ahead(chosen)
        for place, seed in enumerate((3, 4)):
            mine = chosen.for_block(50 * place, 50 * place + 50, 100)
            outcome = compare_policies([mine], 50, 12, seed, ahead=12, discount_rate=0.1).outcomes[
                mine.name
            ]
            present = both.present[50 * place : 50 * place + 50].sum()
            profit = outcome.expected_profit.sum() / present
            assert found.profit[place] == pytest.approx(profit, rel=SAME)
            revenue = outcome.expected_revenue.sum() / present
            assert found.revenue[place] == pytest.approx(revenue, rel=SAME)
            survival = outcome.survival.sum() / present
            assert found.survival[place] == pytest.approx(survival, rel=SAME)


@pytest.mark.parametrize(
    ("lever", "free"),
    [
        ("service", {"costs.level": PARAMETERS.costs.level[0]}),
        ("communication", {"costs.visit": 0.0, "costs.call": 0.0}),
        ("channel", {"costs.commission": 0.0, "costs.bonus": 0.0}),
        ("product quality", {"costs.quality": 0.0}),
    ],
)
def test_spending_is_what_profit_rises_by_where_the_lever_is_free(
    lever: str, free: dict[str, float]
) -> None:
    """Costs move nothing else, so the same months with a lever for nothing tell what it cost."""
    both, cheap = observed(), observed(PARAMETERS.but(free))
    (policy,) = mix_policies([both], DIALS, ORDER)
    paid, unpaid = both.look_ahead(policy), cheap.look_ahead(policy)
    spent = paid.spending[:, BUDGET_LEVERS.index(lever)]
    if lever == "product quality":
        # spending is counted from the bottom of the attributes, where costs are below today's
        spent = spent + PARAMETERS.costs.quality * bottom_of_quality() * paid.revenue
    np.testing.assert_allclose(unpaid.profit - paid.profit, spent, rtol=1e-8, atol=1e-8)


def test_discounts_are_spending_at_the_usage_they_bring() -> None:
    """One discount for all costs revenue x d / (1 - d); levers at 0 cost nothing."""
    both = observed()
    (policy,) = mix_policies([both], dict.fromkeys(BUDGET_LEVERS, 0.0), ORDER)
    order = (*ORDER, "recognition", "community", "brand", "customisation", "expression")
    bottom = lever_policy(dict.fromkeys(BUDGET_LEVERS, 0.0), both.known, order, PARAMETERS)
    np.testing.assert_allclose(both.look_ahead(bottom).spending, 0, atol=1e-9)
    discounted = both.look_ahead(replace(policy, discount=0.05))
    spent = discounted.spending[:, BUDGET_LEVERS.index("price")]
    np.testing.assert_allclose(spent, discounted.revenue * 0.05 / 0.95, rtol=1e-6)


def test_rules_follow_value_and_keep_planned_contacts() -> None:
    """Higher dials never lower a level; service alone leaves the contacts planned as they were."""
    both = observed()
    known, plans = both.known, PARAMETERS.service
    low, high = (
        np.asarray(lever_policy({"service": dial}, known, ORDER, PARAMETERS).levels)
        for dial in (0.3, 2.0)
    )
    assert (low <= high).all() and (low < high).any()
    alone = lever_policy({"service": 2.0}, known, ORDER, PARAMETERS)
    visits = np.asarray(plans.visits)
    np.testing.assert_allclose(visits[high] * np.asarray(alone.visits), visits[known.level])
    talk = lever_policy({"communication": 0.3}, known, ORDER, PARAMETERS)
    planned = visits[known.level] * np.asarray(talk.visits)
    np.testing.assert_allclose(planned, visits[low] * (low > 0))
    raised = lever_policy({"product quality": 3.5}, known, ORDER, PARAMETERS).quality
    assert list(raised.values()) == [1.0, 0.5, -1.0, -1.0, -1.0, -1.0, -1.0]


def test_a_trial_starts_at_nothing_and_costs_more_with_every_setting(trial: LeverTrial) -> None:
    """Spending and gain are 0 at the bottom; dials and spending are inverse to each other."""
    bottom = trial.frame.query("dial == 0")
    np.testing.assert_allclose(bottom[["spending", "gain"]], 0, atol=1e-9)
    assert set(trial.frame["lever"]) == set(BUDGET_LEVERS) and trial.companies == 6
    for lever, rows in trial.means.groupby("lever"):
        assert (np.diff(rows["spending"]) > 0).all()
        for dial, spent in zip(rows["dial"], rows["spending"], strict=True):
            assert trial.dials({str(lever): spent})[str(lever)] == pytest.approx(dial, rel=SAME)
    profit = trial.means["profit"] + trial.means["spending"] - trial.means["gain"]
    expected = trial.means["lever"].map(trial.bottom_profit)
    np.testing.assert_allclose(profit, expected, rtol=SAME)
    assert trial.attributes["profit"].is_monotonic_decreasing and len(trial.attributes) == 12
    assert trial.sentence.startswith("Simulated, 6 companies")
    with pytest.raises(ValueError, match=r"price: 99,999\.00 a year is more than was tried"):
        trial.dials({"price": 99_999})


def test_a_judgement_adds_up(trial: LeverTrial, judged: JudgedMixes) -> None:
    """Plans of one share cost the same on paper, and differences are those of their profits."""
    plans = judged.plans.dropna(subset="share")
    on_paper = plans[list(BUDGET_LEVERS)].sum(axis=1)
    np.testing.assert_allclose(on_paper, plans["budget"], rtol=1e-6)
    np.testing.assert_allclose(judged.frame[list(BUDGET_LEVERS)].sum(axis=1), judged.frame["spent"])
    assert sorted(plans["share"].unique()) == [0.8, 1.0]
    gain = judged.profit("best mix") - judged.profit("proportional")
    assert judged.gain.estimate == pytest.approx(gain.mean(), rel=SAME)
    frame = judged.to_frame().set_index(["plan", "share"])
    assert frame.loc[("best mix", 0.8), "gain"] == pytest.approx(gain.mean(), rel=SAME)
    assert frame["gain"].notna().sum() == 2
    assert "Only 5 companies" in judged.sentence and "<table" in judged._repr_html_()
    # each promise starts from today's profit and adds what each lever alone changes
    best = plans.iloc[0]
    alone = [
        trial.bottom_profit[one] + float(judged.curves[one].gain(best[one])) - best[one]
        for one in BUDGET_LEVERS
    ]
    by_hand = trial.today_profit + sum(profit - trial.today_profit for profit in alone)
    assert best["promised"] == pytest.approx(by_hand, rel=SAME)
    with pytest.raises(KeyError, match=r"best mix.* at share 0\.3"):
        judged.profit("best mix", 0.3)


def test_worth_to_even_is_the_profit_for_the_customers_lost(judged: JudgedMixes) -> None:
    """What is earned over the years, over the share of customers lost, or nothing to weigh."""
    frame = judged.to_frame().set_index("plan")
    one, other = frame.loc["pays back"], frame.loc["today's habits"]
    earned, lost = one["profit"] - other["profit"], other["survival"] - one["survival"]
    found = judged.worth_to_even("pays back", "today's habits")
    if earned * lost > 0:
        assert found == pytest.approx(earned / lost, rel=SAME)
    else:
        assert np.isnan(found)
    assert np.isnan(judged.worth_to_even("pays back", "pays back"))


def test_a_bad_mix_is_not_supported(trial: LeverTrial) -> None:
    """Curves that tell the contrary of the truth give a mix that loses to equal cuts."""
    upside = trial.frame.copy()
    worth = {"service": 9.0, "communication": 8.0, "product quality": 0.01}
    upside["gain"] = upside["spending"] * upside["lever"].map(worth).fillna(0.02)
    curves = fit_lever_curves(replace(trial, frame=upside), draws=0)
    judged = judge_mixes(trial, curves, companies=5, accounts=60, shares=(0.8,))
    assert judged.gain.estimate < 0 and judged.verdict == "not supported"


def test_complaints_name_what_is_wrong(trial: LeverTrial) -> None:
    """Companies seen before, unknown levers, settings and shares that make no sense."""
    with pytest.raises(ValueError, match="company 5 was in the trial; take seeds from 7 on"):
        judge_mixes(trial, companies=2, first_seed=5)
    with pytest.raises(ValueError, match="shares of today's money must be above 0"):
        judge_mixes(trial, shares=(0.5, -1))
    with pytest.raises(ValueError, match="is more than was tried"):
        judge_mixes(trial, shares=(30.0,))
    with pytest.raises(ValueError, match="settings: no lever 'prices'; there is: 'product qual"):
        lever_trial(1, 20, settings={"prices": (0, 1, 2)})
    with pytest.raises(ValueError, match=r"settings\['price'\]=\(0.1, 0.2, 0.3\): at least three"):
        lever_trial(1, 20, settings={"price": (0.1, 0.2, 0.3)})
    with pytest.raises(ValueError, match="companies=0: a whole number of companies of at least 1"):
        lever_trial(0)
    with pytest.raises(ValueError, match="ahead=0: give the months"):
        lever_trial(1, 20, ahead=0)
    with pytest.raises(ValueError, match="nobody is left at the end of the window with seed 1"):
        lever_trial(1, 1, 60, parameters=PARAMETERS.but({"churn.base": 9.0}))


def test_the_same_seeds_give_the_same_trial(trial: LeverTrial) -> None:
    """A trial depends on its companies' seeds alone, whatever stands beside them."""
    one = lever_trial(1, 60, 12, ahead=12, first_seed=4)
    same = trial.frame[(trial.frame["company"] == 4) & (trial.frame["lever"] != "product quality")]
    own = one.frame[one.frame["lever"] != "product quality"]
    pd.testing.assert_frame_equal(
        same.reset_index(drop=True), own.reset_index(drop=True), rtol=1e-8, atol=1e-8
    )

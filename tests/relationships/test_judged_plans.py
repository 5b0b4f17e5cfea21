"""Plans judged in the simulated company, in one and over several, against hand and the process."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import (
    LEVELS,
    budget_like_today,
    customer_months,
    judge_over_companies,
    judge_plans,
    level_truth,
    level_values,
    plan_by_best_table,
    plan_uniform,
    planner,
    select_levels,
    usual_plans,
)
from keycustomer.simulate import Parameters, Policy, compare_policies, simulate_company
from keycustomer.stats.bootstrap import bootstrap_counts

ROUNDING = 1e-9
SIZE = {"accounts": 300, "months": 30, "seed": 4}
AHEAD = {"horizon": 24, "discount_rate": 0.1}
COSTS = (2.0, 6.0, 20.0, 72.0, 250.0)


@cache
def truth():
    return level_truth(SIZE, **AHEAD)


@cache
def company():
    return simulate_company(**SIZE)


@cache
def values():
    return level_values(customer_months(company()), COSTS, cost_per_size=0.3, **AHEAD)


def uniform(code):
    return pd.Series(code, truth().customers)


# -- the truth ---------------------------------------------------------------------------------


def test_a_mixed_plan_brings_what_the_process_says():
    """Sums over customers are those of a run in which each has its own level."""
    codes = np.random.default_rng(1).integers(0, 5, SIZE["accounts"])
    run = compare_policies(
        [Policy("mixed", levels=codes)], **SIZE, ahead=24, discount_rate=0.1
    ).outcomes["mixed"]
    ids = [f"K{n + 1:07d}" for n in range(SIZE["accounts"])]
    judged = judge_plans({"mixed": pd.Series(codes, ids)}, truth()).of("mixed")
    assert judged["value"] == pytest.approx(run.expected_margin.sum(), rel=ROUNDING)
    assert judged["profit"] == pytest.approx(run.expected_profit.sum(), rel=ROUNDING)


def test_doing_nothing_brings_what_business_as_usual_does():
    own = truth()
    assert own.alternatives.totals(own.today)[0] == pytest.approx(own.today_value, rel=ROUNDING)
    assert own.alternatives.totals(own.today)[1] == pytest.approx(own.today_cost, rel=ROUNDING)


def test_base_company_and_settings_give_one_truth():
    from_company = level_truth(company(), **AHEAD)
    assert (from_company.alternatives.value == truth().alternatives.value).all()
    months = customer_months(company())
    assert sorted(truth().customers) == sorted(months.present)
    panel = company().panel
    here = panel.active[-1] & (panel.left > 29)
    assert (from_company.today == panel.level[-1][here]).all()


def test_other_coefficients_make_another_truth():
    same = {f"service.level_{of}": 0.0 for of in ("hazard", "functional", "convenience")}
    same |= {f"service.level_{of}": 0.0 for of in ("social", "experiential", "complaints")}
    same |= {"service.visits": 0.1, "service.calls": 0.2, "service.first_contact_level": 0.0}
    flat = level_truth(SIZE, **AHEAD, parameters=Parameters().but(same))
    # levels that do nothing are worth the same
    value = flat.alternatives.value
    assert value == pytest.approx(np.repeat(value[:, :1], 5, axis=1), rel=ROUNDING)
    assert np.median(truth().survival[:, -1] / truth().survival[:, 0]) > 1.1


def test_the_largest_profit_has_its_budget():
    own = truth()
    best = (own.alternatives.value - own.alternatives.cost).max(axis=1).sum()
    at_best = select_levels(own.alternatives, budget=own.best_budget)
    assert at_best.value - at_best.cost == pytest.approx(best, rel=1e-6)
    assert own.budget(0) == pytest.approx(own.alternatives.zero_cost)
    assert own.budget(1) == pytest.approx(own.today_cost)
    assert own.to_frame().shape == (5 * len(own.customers), 6)
    assert "Profit would be largest" in own._repr_html_()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: level_truth({"accounts": 5, "size": 3}), ValueError, "'size' is no setting"),
        (lambda: level_truth(3), TypeError, "source=int: a simulated CustomerBase or Company"),
        (lambda: level_truth(SIZE, horizon=0), ValueError, "horizon=0: a whole number of months"),
        (lambda: level_truth(company(), parameters=Parameters()), TypeError, "has its own"),
        (
            lambda: level_truth(replace(company(), policy=Policy("all", levels=3))),
            ValueError,
            r"under the policy 'all' \(levels differ\)",
        ),
        (
            lambda: level_truth(SIZE, parameters=Parameters().but({"churn.base": 30.0})),
            ValueError,
            "no customer is left",
        ),
        (lambda: truth().budget(-1), ValueError, "share=-1"),
    ],
)
def test_what_has_no_truth_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_real_data_have_no_truth(cdnow_base):
    with pytest.raises(ValueError, match=r"holds real data: .*judge plans in the simulated"):
        level_truth(cdnow_base)


# -- judging -----------------------------------------------------------------------------------


def test_shares_by_hand():
    judged = judge_plans({"basic": uniform(0), "all best": uniform("partnership")}, truth())
    rows = judged.frame.set_index("plan")
    alternatives = truth().alternatives
    assert rows.loc["basic", "attainable_gain_share"] == 0
    assert rows.loc["true optimum", "attainable_gain_share"] == 1
    dear = rows.loc["all best"]
    assert dear["gain"] == pytest.approx(np.diff(alternatives.value[:, [0, 4]], axis=1).sum())
    assert dear["overspent"] == pytest.approx(alternatives.cost[:, 4].sum() - judged.budget)
    paid = dear["gain"] - judged.shadow_price * dear["overspent"]
    assert dear["attainable_gain_share"] == pytest.approx(paid / judged.optimum.gain)
    assert rows.loc["today", "overspent"] == pytest.approx(0, abs=1e-6)
    assert judged.frame["plan"].tolist() == ["today", "basic", "all best", "true optimum"]
    assert "the last unit of it brings" in judged._repr_html_()


def test_no_plan_attains_more_than_all_however_much_it_spends():
    generator = np.random.default_rng(2)
    n = len(truth().customers)
    plans = {f"p{k}": generator.integers(0, 5, n) for k in range(30)}
    # the best plans for other budgets are the hardest to bound
    for share in (0.2, 0.6, 1.5, 3.0):
        plans[f"best at {share}"] = select_levels(
            truth().alternatives, budget=truth().budget(share)
        )
    judged = judge_plans(plans, truth(), budget=truth().budget(0.8))
    slack = judged.optimum.gap * judged.optimum.bound / judged.optimum.gain
    assert judged.frame["attainable_gain_share"].max() <= 1 + slack + ROUNDING
    assert judged.of("best at 0.6")["attainable_gain_share"] > 0.8


def test_a_promise_is_what_the_estimates_said():
    noisy = truth().alternatives.value * np.exp(
        0.5 * np.random.default_rng(3).standard_normal(truth().survival.shape)
    )
    own = truth()
    plan = select_levels(
        noisy, own.alternatives.cost, own.today_cost, customers=own.customers, levels=LEVELS
    )
    judged = judge_plans({"chosen": plan, "plain": uniform(1)}, own)
    row = judged.of("chosen")
    assert row["promised_value"] == pytest.approx(plan.value)
    assert row["promised_profit"] == pytest.approx(plan.value - plan.cost)
    assert row["delivered_share"] == pytest.approx(row["gain"] / row["promised_gain"])
    assert row["promised_gain"] > 1.5 * row["gain"]  # chosen for being overrated
    assert np.isnan(judged.of("plain")["promised_gain"])
    told = judge_plans({"plain": uniform(1)}, own, estimates=plan.alternatives).of("plain")
    assert told["promised_value"] == pytest.approx(noisy[:, 1].sum())


def test_estimates_in_another_order_are_put_in_order():
    own = truth()
    back = own.customers[::-1]
    plan = select_levels(
        own.alternatives.value[::-1], own.alternatives.cost[::-1], own.today_cost, customers=back
    )
    judged = judge_plans({"turned": plan}, own, estimates=plan.alternatives)
    row = judged.of("turned")
    assert row["attainable_gain_share"] == pytest.approx(1, abs=1e-4)
    assert row["promised_value"] == pytest.approx(row["value"], rel=ROUNDING)
    assert judged.of("today")["promised_cost"] == pytest.approx(own.today_cost, rel=ROUNDING)


def test_who_got_what_adds_up():
    judged = judge_plans({"basic": uniform(0)}, truth())
    shares = judged.level_shares()
    sums = shares.groupby("plan")[["customers", "share", "cost_share"]].sum()
    assert (sums["customers"] == len(truth().customers)).all()
    assert sums[["share", "cost_share"]].to_numpy() == pytest.approx(1)
    size = pd.qcut(truth().alternatives.value[:, 0], 3, labels=["small", "middle", "large"])
    groups = pd.Series(size, truth().customers).astype(str)
    table = judged.by_group(groups)
    assert table.groupby("plan")["value"].sum()["basic"] == pytest.approx(
        judged.of("basic")["value"]
    )
    assert set(table["group"]) == {"small", "middle", "large"}
    with pytest.raises(ValueError, match=r"groups: 1 of .* customers have none"):
        judged.by_group(groups.iloc[1:])


@pytest.mark.parametrize(
    ("plans", "change", "error", "message"),
    [
        ([1], {}, TypeError, "plans=list: a mapping of names to plans"),
        ({"true optimum": 1}, {}, ValueError, "is taken by the plan that knows"),
        ({"p": np.zeros(3, int)}, {}, ValueError, "p has shape"),
        ({"p": np.full(9_999, 7)}, {}, ValueError, "p has shape"),
        ({}, {"budget": 1.0}, ValueError, "does not reach for the cheapest"),
        ({}, {"budget": float("nan")}, ValueError, "budget=nan"),
    ],
)
def test_plans_that_cannot_be_judged_are_refused(plans, change, error, message):
    with pytest.raises(error, match=message):
        judge_plans(plans, truth(), **change)


def test_a_plan_without_some_customers_is_refused():
    with pytest.raises(ValueError, match="short: no entry for"):
        judge_plans({"short": uniform(1).iloc[5:]}, truth())
    with pytest.raises(ValueError, match=r"estimates: 1 of .* present customers have none"):
        fewer = truth().alternatives
        fewer = replace(
            fewer, value=fewer.value[1:], cost=fewer.cost[1:], customers=fewer.customers[1:]
        )
        judge_plans({}, truth(), estimates=fewer)
    with pytest.raises(KeyError, match="no plan 'x'; judged were: today, true optimum"):
        judge_plans({}, truth()).of("x")


# -- the usual plans ---------------------------------------------------------------------------


def test_usual_plans_keep_to_the_budget_they_are_given():
    for share in (0.3, 1.0):
        budget = budget_like_today(values(), share)
        plans = usual_plans(values(), budget, draws=10)
        for name, plan in plans.items():
            assert plan.cost <= budget * (1 + ROUNDING) or name == "today"
        best = plans["optimised"]
        assert best.value >= max(
            plan.value for name, plan in plans.items() if name not in ("today", "optimised, shrunk")
        ) * (1 - ROUNDING)
    assert plans["today"].cost == pytest.approx(budget, rel=ROUNDING)  # all of today's money


def test_the_table_gets_the_cut_offs_that_suit_it():
    budget = budget_like_today(values(), 0.4)
    margin = values().yearly_margin
    best = plan_by_best_table(values(), budget=budget, margin=margin)
    from keycustomer.relationships import kotler_levels, plan_by_table

    table = pd.DataFrame({"customer_id": values().customers, "margin": margin})
    usual = plan_by_table(values(), budget=budget, codes=kotler_levels(table).codes, score=margin)
    assert best.value >= usual.value and best.within_budget


def test_segments_of_ones_own_are_taken():
    budget = budget_like_today(values())
    one = pd.Series("all", values().customers)
    plans = usual_plans(values(), budget, segments=one, draws=5)
    assert len(set(plans["by segment"].levels)) == 1
    same = plan_uniform(values(), budget=budget, seed=None)
    assert plans["by segment"].value == pytest.approx(same.value)


def test_an_unknown_level_today_is_told():
    gap = replace(values(), present_level=np.full(len(values()), -1))
    with pytest.raises(ValueError, match="today's level is not known for"):
        budget_like_today(gap)
    with pytest.raises(ValueError, match="share=True"):
        budget_like_today(values(), True)


# -- over companies ----------------------------------------------------------------------------


def by_size(months, share):
    """Partnership for the larger half, and nothing for the others."""
    last = months.frame.groupby("customer_id")["last_year_margin"].last()
    present = last.reindex(months.present).fillna(0.0)
    return {"larger half": (4 * (present > present.median())).astype(int)}


@cache
def judged():
    small = {"accounts": 120, "months": 18, "horizon": 12}
    return judge_over_companies(by_size, 5, budget_share=0.5, **small)


def test_companies_differ_and_are_told_apart():
    result = judged()
    assert result.companies == 5
    assert result.plans == ("today", "larger half", "true optimum")
    assert result.frame["shadow_price"].nunique() == 5
    one = result.frame[result.frame["company"] == 3].set_index("plan")
    own = level_truth({"accounts": 120, "months": 18, "seed": 3}, horizon=12)
    alone = judge_plans({}, own, budget=own.budget(0.5)).of("today")
    share = "attainable_gain_share"
    assert one.loc["today", share] == pytest.approx(alone[share])
    assert result.notes[0].startswith("Fewer than 20 companies")
    assert "5 companies of 120 accounts" in result._repr_html_()


def test_summaries_are_means_over_companies():
    result = judged()
    table = result.table()
    summary = result.summary().set_index("plan")
    assert summary["mean"].to_dict() == pytest.approx(table.mean().to_dict())
    assert summary.index[0] == "true optimum" and np.isnan(summary.loc["true optimum", "wins"])
    assert summary["wins"].sum() == pytest.approx(1)
    apart = result.difference("today", "larger half")
    assert apart.estimate == pytest.approx((table["today"] - table["larger half"]).mean())
    assert result.better("today", "larger half") == "supported"
    assert result.better("larger half", "today") == "not supported"
    drawn = [(counts @ table["today"].to_numpy()) / 5 for counts in bootstrap_counts(5, 1_000, 0)]
    spread = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    own = result.estimate("today")
    assert [own.lower, own.upper] == pytest.approx(spread, abs=0.03)
    shares = result.level_shares().groupby("plan")["share"].sum()
    assert shares.to_numpy() == pytest.approx(1)


def test_the_usual_plans_do_better_than_nothing_and_keep_their_promises_in_view():
    result = judge_over_companies(
        planner(COSTS, horizon=24, cost_per_size=0.3, serving_share=0.055),
        2,
        300,
        horizon=24,
    )
    best = result.summary().set_index("plan")["mean"]
    assert best["optimised"] > best["largest first"] > best["churn risk first"]
    promises = result.promises().set_index("plan")
    assert promises.loc["today", "beyond"] == 0
    whole = result.promises(None).set_index("plan")
    assert whole["beyond"].to_dict() == pytest.approx(promises["overrated"].to_dict())
    rows = result.frame.query("plan == 'optimised'")
    assert promises.loc["optimised", "promised_gain"] == pytest.approx(rows["promised_gain"].mean())
    with pytest.raises(KeyError, match="no plan 'x'"):
        result.promises("x")
    with pytest.raises(KeyError, match="no column 'x'"):
        result.table("x")
    with pytest.raises(KeyError, match="no plan 'x'"):
        result.estimate("x")


def test_one_company_has_no_interval():
    result = judge_over_companies(by_size, 1, accounts=60, months=12, horizon=6)
    assert np.isnan(result.summary()["lower"]).all() and np.isnan(result.summary()["sd"]).all()
    assert result.better("today", "larger half") == "undecided"


def test_a_complaint_names_the_company():
    def wrong(months, share):
        raise ValueError("no such plan")

    with pytest.raises(ValueError, match="no such plan") as caught:
        judge_over_companies(wrong, 2, accounts=60, months=12, horizon=6, first_seed=7)
    assert "seed 7" in caught.value.__notes__[0]

    calls = []

    def changing(months, share):
        calls.append(share)
        return {f"plan {len(calls)}": pd.Series(0, months.present)}

    with pytest.raises(ValueError, match="plans in company 2 are today, plan 2"):
        judge_over_companies(changing, 2, accounts=60, months=12, horizon=6, budget_share=0.7)
    assert calls == [0.7, 0.7]
    with pytest.raises(ValueError, match="companies=0"):
        judge_over_companies(by_size, 0)

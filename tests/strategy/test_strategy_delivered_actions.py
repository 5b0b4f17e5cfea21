"""Plans put into practice: the same as the whole company run on, and judged over companies."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.simulate import (
    Dossier,
    Parameters,
    Policy,
    ServiceProcess,
    compare_policies,
    simulate_company,
)
from keycustomer.strategy import (
    JudgedAccountPlans,
    account_actions,
    deliver_plan,
    judge_account_plans,
)
from keycustomer.strategy.actions.delivering import Ahead
from keycustomer.strategy.actions.levers import Doing

ROUNDING = 1e-9
"""Sums over another number of accounts at once differ in the last digits."""

SIZE = {"accounts": 160, "months": 36, "seed": 4}
COSTS = {"level_costs": (2, 6, 20, 72, 250), "visit_cost": 90, "call_cost": 9}


@pytest.fixture(scope="module")
def company():
    return simulate_company(**SIZE)


@pytest.fixture(scope="module")
def actions(company):
    revenue = np.where(company.panel.left > 35, company.panel.revenue[-12:].sum(axis=0), -1)
    names = [f"K{k + 1:07d}" for k in np.argsort(-revenue)[:6]]
    return account_actions(company, names, horizon=12, draws=30, **COSTS)


@pytest.fixture(scope="module")
def delivered(actions, company):
    return deliver_plan(actions, company)


def whole_company(**levers):
    policies = {"today": Policy(), "done": Policy(**levers)}
    found = compare_policies(policies, **SIZE, ahead=12, discount_rate=0.1).outcomes
    return found["done"].expected_profit - found["today"].expected_profit


@pytest.mark.parametrize(
    ("doing", "levers"),
    [
        (Doing(level=3), {"levels": 3}),
        (Doing(discount=-0.04), {"discount": -0.04}),
        (Doing(manager=True), {"channel": "manager"}),
        (Doing(process=True), {"service": ServiceProcess(answer=0.0)}),
        (Doing(dossier=True), {"dossier": Dossier(fit=0.0)}),
        (Doing(), {}),
    ],
)
def test_what_is_done_for_one_is_what_it_would_be_for_all(company, doing, levers):
    names = ["K0000003", "K0000031"]
    cases = [(0, name, done) for done in (Doing(), doing) for name in names]
    today, after = Ahead.of([company], 12, 0.1).profits(cases).reshape(2, 2)
    expected = whole_company(**levers)[[2, 30]]
    np.testing.assert_allclose(after - today, expected, rtol=ROUNDING, atol=ROUNDING)


def test_added_contacts_come_on_top_of_the_plan_of_the_new_level(company):
    plan = Parameters().service
    level = 4
    doing = Doing(level=level, first_contacts=plan.visits[level], other_contacts=0.0)
    cases = [(0, "K0000003", Doing()), (0, "K0000003", doing)]
    today, after = Ahead.of([company], 12, 0.1).profits(cases)
    expected = whole_company(levels=level, visits=2.0)[2]
    assert after - today == pytest.approx(expected, rel=ROUNDING)


def test_promised_and_delivered_stand_side_by_side(delivered, actions):
    promise = actions.promise()
    frame = delivered.frame
    np.testing.assert_allclose(frame["promised"], promise.frame["joint"])
    assert delivered.promised == promise.joint
    assert delivered.delivered == pytest.approx(frame["delivered"].sum())
    assert delivered.delivered_alone == pytest.approx(delivered.by_action["delivered"].sum())
    assert delivered.plain == pytest.approx(delivered.actions["promised"].sum(), rel=1e-6)
    assert delivered.by_action["accounts"].sum() == len(delivered.actions)
    today = actions.today.set_index("customer_id")["value"]
    np.testing.assert_allclose(frame["today_promised"], today[frame["customer_id"]])
    assert f"{delivered.delivered:,.0f}" in delivered.sentence
    assert "overrated" in delivered._repr_html_()


def test_a_plan_of_nothing_delivers_nothing(actions, company):
    nothing = deliver_plan(actions, company, [])
    assert nothing.delivered == 0
    assert np.isnan(nothing.kept)


def test_real_data_have_no_delivery(actions, hand_made_base):
    rows = [(1, "a", "1", "2024-01-01", None, 1, 10, None, 4, None)]
    base = hand_made_base({"transactions": rows}, simulated="false")
    with pytest.raises(ValueError, match="holds real data"):
        deliver_plan(actions, base)


def judged(own, common, promised=None):
    """Plans with what they deliver in each company, an account."""
    rows = [
        {"company": k, "plan": plan, "accounts": 10, "worse": 2, "promised": said}
        | {"delivered": came, "today": 1000.0}
        for plan, values in (("own plans", own), ("common plan", common))
        for k, (came, said) in enumerate(zip(values, promised or values, strict=True))
    ]
    counts = [{"company": 0, "plan": "own plans", "action": "discount", "accounts": 10}]
    return JudgedAccountPlans(pd.DataFrame(rows), pd.DataFrame(counts), 300, 36, 36, 3)


@pytest.mark.parametrize(
    ("lead", "noise", "verdict"),
    [(50, 5, "supported"), (-50, 5, "not supported"), (0, 60, "undecided")],
)
def test_the_verdict_follows_what_is_delivered_and_no_promise(lead, noise, verdict):
    chance = np.random.default_rng(3).normal(0, noise, 20)
    common = np.linspace(100, 300, 20)
    own = common + lead + chance - chance.mean()
    found = judged(own.tolist(), common.tolist(), promised=[1e6] * 20)
    assert found.verdict == verdict
    assert found.gap.estimate == pytest.approx(lead, abs=ROUNDING)
    assert verdict in found.sentence


def test_summaries_are_those_of_the_rows():
    found = judged([100.0, 300.0, -40.0], [50.0, 60.0, 70.0], promised=[200.0, 400.0, 300.0])
    table = found.summary().set_index("plan")
    assert table.loc["own plans", "delivered"] == pytest.approx(120)
    assert table.loc["own plans", "kept"] == pytest.approx(360 / 900)
    assert table.loc["own plans", "share"] == pytest.approx(360 / 3000)
    assert table.loc["own plans", "losses"] == 1
    assert table.loc["common plan", "worse"] == pytest.approx(0.2)
    assert found.overrated().estimate == pytest.approx(180)
    assert found.action_shares()["share"].tolist() == pytest.approx([10 / 30])
    with pytest.raises(KeyError, match="plans: own plans, common plan"):
        found.values("third plan")


@pytest.fixture(scope="module")
def three():
    return judge_account_plans(3, 150, top=4, n=2, horizon=12, draws=20, first_seed=2)


def test_companies_are_judged_by_what_their_plans_deliver(three):
    assert three.frame.groupby("plan")["company"].apply(list).to_dict() == {
        "own plans": [2, 3, 4],
        "common plan": [2, 3, 4],
    }
    assert (three.frame["accounts"] == 4).all()
    assert (three.values("own plans", "promised") >= 0).all()
    assert (three.values("own plans", "today") == three.values("common plan", "today")).all()
    assert three.actions["accounts"].between(1, 4).all()
    assert "anecdote" in three._repr_html_()


def test_one_company_of_them_is_judged_as_its_plan_is_delivered(three):
    company = simulate_company(150, 36, 3)
    revenue = np.where(company.panel.left > 35, company.panel.revenue[-12:].sum(axis=0), -1)
    names = [f"K{k + 1:07d}" for k in np.argsort(-revenue)[:4]]
    found = account_actions(company, names, horizon=12, draws=20, **COSTS)
    plan = deliver_plan(found, company, n=2)
    own = three.frame.query("company == 3 and plan == 'own plans'").iloc[0]
    assert own["delivered"] == pytest.approx(plan.delivered / 4, rel=1e-6)
    assert own["promised"] == pytest.approx(plan.promised.estimate / 4, rel=1e-6)


@pytest.mark.parametrize(("name", "value"), [("companies", 0), ("top", 0), ("n", 0)])
def test_numbers_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        judge_account_plans(**({"companies": 1, "accounts": 60, "months": 12} | {name: value}))


def test_a_plan_is_delivered_where_it_was_weighed(actions):
    with pytest.raises(ValueError, match=r"weighed in the company of .*seed 4, base is .*seed 5"):
        deliver_plan(actions, simulate_company(160, 36, 5))


def test_an_account_named_twice_is_delivered_once(actions, company):
    name = actions.customers[0]
    once, twice = (deliver_plan(actions, company, [name] * times) for times in (1, 2))
    assert twice.delivered == pytest.approx(once.delivered, rel=ROUNDING)
    assert twice.frame["customer_id"].tolist() == [name]

"""Channels: overlaps by hand and against the truth, like with like, workloads, one in charge."""

import numpy as np
import pandas as pd
import pytest
from contract_bases import contract_base, contracts
from keycustomer.relationships import (
    channel_overlap,
    compare_channels,
    manager_workloads,
    responsibility_effect,
)
from keycustomer.relationships.channels.comparison import _Study
from keycustomer.relationships.channels.responsibility import RULES
from keycustomer.simulate import ChannelRule, Parameters, simulate_company
from keycustomer.stats import bootstrap

YEAR = {"start": "2024-01-01", "end": "2024-12-31"}


def lines_of(rows):
    """Order lines of (customer, day, revenue, channel), margin 40 %."""
    table = pd.DataFrame(rows, columns=["customer_id", "date", "revenue", "channel"])
    table["date"] = pd.to_datetime(table["date"]).astype("datetime64[s]")
    return table.assign(
        line=range(len(table)), order_id=None, product_id="v", quantity=1.0, discount=0.0,
        cost=0.6 * table["revenue"],
    )  # fmt: skip


def staff_of(rows):
    return pd.DataFrame(rows, columns=["customer_id", "manager", "agent"]).astype("str")


def base_of(folder, tables, **facts):
    return contract_base(
        folder / f"b{len(list(folder.iterdir()))}.duckdb", tables, **(YEAR | facts)
    )


@pytest.fixture
def small(tmp_path):
    sales = [
        ("both", "2024-01-10", 100.0, "manager"),
        ("sold", "2024-01-10", 30.0, "agent"),
        ("sold", "2024-03-10", 50.0, "inside sales"),  # the same quarter
        ("turns", "2024-01-10", 5.0, "agent"),
        ("turns", "2024-07-10", 5.0, "manager"),  # another quarter
        ("own", "2024-05-10", 10.0, "manager"),
    ]
    staff = [
        ("both", "Ann", "Bob"),
        ("sold", "Ann", None),
        ("own", "Eve", None),
        ("shelf", None, "Bob"),
        ("nobody", None, None),
    ]
    return base_of(tmp_path, {"transactions": lines_of(sales), "customers": staff_of(staff)})


def test_conflicts_by_hand(small):
    found = channel_overlap(small)
    frame = found.frame.set_index("customer_id")
    assert set(frame.index) == {"both", "sold", "turns", "own", "shelf"}
    assert frame["reason"].to_dict() == {
        "both": "both in charge",
        "sold": "both sold",
        "turns": "",
        "own": "",
        "shelf": "",
    }
    assert found.conflicts["customer_id"].tolist() == ["both", "sold"]
    assert found.conflict_accounts == 2 and found.revenue_share == pytest.approx(180 / 200)
    assert frame.loc["sold", "channel"] == "inside sales"
    assert found.matrix.loc["Bob", "Ann"] == 1
    bob = found.agents.iloc[0]
    assert (bob["customers"], bob["shared"], bob["managers"]) == (2, 1, 1)
    assert found.groups.set_index("group")["customers"].to_dict() == {
        "nobody": 1,
        "manager": 2,
        "agent": 1,
        "agent and manager": 1,
    }


def test_a_longer_period_finds_more_conflicts(small):
    counts = [
        channel_overlap(small, every=one).conflict_accounts for one in ("month", "quarter", "year")
    ]
    assert counts == [1, 2, 3]


def test_conflicts_are_those_of_the_simulated_company(telecom_base):
    company = simulate_company(**telecom_base.simulation)
    accounts = company.accounts
    true = (accounts.manager >= 0) & (accounts.agent >= 0)
    found = channel_overlap(telecom_base)
    named = found.frame.set_index("customer_id")["conflict"].sort_index()
    assert named.to_numpy().tolist() == true.tolist()
    assert found.conflict_accounts == true.sum()


def test_channels_the_library_does_not_know_must_be_named(tmp_path):
    sales = [("a", "2024-01-10", 1.0, "web"), ("a", "2024-01-11", 1.0, "dealer")]
    base = base_of(tmp_path, {"transactions": lines_of(sales)})
    with pytest.raises(ValueError, match=r"channels 'dealer', 'web' .*kinds=\{'dealer': 'agent'\}"):
        channel_overlap(base)
    found = channel_overlap(base, kinds={"web": "own", "dealer": "agent"})
    assert found.conflict_accounts == 1
    assert "not both on file" in found.notes[0]
    with pytest.raises(ValueError, match="'theirs' is no kind of channel"):
        channel_overlap(base, kinds={"web": "theirs"})


def test_a_base_without_staff_and_channels_is_refused(hand_made_base):
    rows = [(1, "a", "o", "2024-01-10", "v", 1, 5, 0, 3, None)]
    with pytest.raises(ValueError, match="map them in the case file"):
        channel_overlap(hand_made_base({"transactions": rows}))


def confounded(folder, effect, n=600, seed=4):
    """Agents get the small customers; what a channel costs beyond size is known."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(3, 1, n))
    agent = rng.random(n) < 1 / (1 + np.exp(1.5 * (np.log(size) - 3)))
    ids = [f"c{k:04d}" for k in range(n)]
    sales = [
        (c, day, s, "agent" if a else "manager")
        for c, s, a in zip(ids, size, agent, strict=True)
        for day in ("2023-06-01", "2024-06-01")
    ]
    cost = 20 + 0.1 * size + effect * agent
    contacts = pd.DataFrame({"customer_id": ids, "date": "2024-05-01", "kind": "call"})
    contacts["date"] = pd.to_datetime(contacts["date"]).astype("datetime64[s]")
    contacts = contacts.assign(
        phase="after", resolved_on=contacts["date"], first_contact_resolution=None, cost=cost
    )
    tables = {"transactions": lines_of(sales), "interactions": contacts}
    return base_of(folder, tables, start="2023-01-01"), size, agent


BINS = 20
"""Groups fine enough that customers of a group hardly differ in size."""


def test_like_with_like_finds_the_cost_that_the_plain_figures_hide(tmp_path):
    """Agents cost 5 more at any size; plainly they look cheap, since they serve the small."""
    base, size, _ = confounded(tmp_path, 5.0)
    found = compare_channels(base, bins=BINS, draws=200)
    plain, alike = (
        found.of("agent", "cost_to_serve", way).estimate
        - found.of("manager", "cost_to_serve", way).estimate
        for way in ("as they stand", "like with like")
    )
    assert plain < 3
    left = 0.1 * np.diff(np.quantile(size, np.linspace(0.05, 0.95, BINS))).max()
    assert alike == pytest.approx(5, abs=left)
    excluded = found.excluded["customers in groups that not every channel has"]
    assert excluded == found.groups.loc[~found.groups["compared"], ["agent", "manager"]].sum().sum()


def test_standardised_means_are_those_of_pandas(tmp_path):
    base, size, agent = confounded(tmp_path, 0.0)
    found = compare_channels(base, draws=20, commissions={"agent": 0.1})
    table = pd.DataFrame({"cost": 20 + 0.1 * size + 0.1 * size * agent, "agent": agent})
    table["group"] = np.ceil(pd.Series(size).rank(pct=True) * 5)
    means = table.pivot_table(index="group", columns="agent", values="cost")
    mix = table["group"].value_counts(normalize=True).sort_index()
    expected = (means.mul(mix, axis=0)).sum()
    assert found.of("agent", "cost_to_serve").estimate == pytest.approx(expected[True])
    assert found.of("manager", "cost_to_serve").estimate == pytest.approx(expected[False])
    plain = table[table["agent"]]["cost"].mean()
    assert found.of("agent", "cost_to_serve", "as they stand").estimate == pytest.approx(plain)
    profit = found.of("agent", "profit").estimate
    both = [found.of("agent", m).estimate for m in ("margin", "cost_to_serve")]
    assert profit == pytest.approx(both[0] - both[1])
    assert "assumed commissions, of revenue: agent 10.0 %" in found.notes[-1]


SAMPLES = 60

LEAST_HELD = 51
"""Of 60 intervals at 95 % fewer than 51 hold the truth with a chance of less than .003."""


def test_intervals_of_like_with_like_hold_the_truth():
    """Cost by channel in two groups of known mix and means; customers drawn anew each time."""
    rng = np.random.default_rng(8)
    n, held = 400, 0
    for _ in range(SAMPLES):
        group = rng.random(n) < 0.4
        agent = rng.random(n) < np.where(group, 0.7, 0.2)
        cost = np.where(group, 10.0, 2.0) + 3 * agent + rng.exponential(2, n)
        table = pd.DataFrame({"channel": np.where(agent, "agent", "own"), "years": 1.0})
        table = table.assign(revenue=1.0, margin=1.0, cost_to_serve=cost, profit=1 - cost)
        study = _Study(table, pd.Series(group.astype(str)))
        drawn = bootstrap(study.figures, np.ones(n), draws=200, seed=rng)
        frame = study.table(study.figures(np.ones((1, n)))[0], drawn, 0.95)
        row = frame.query(
            "way == 'like with like' and channel == 'agent' and measure == 'cost_to_serve'"
        ).iloc[0]
        held += row["lower"] <= 0.4 * 10 + 0.6 * 2 + 3 + 2 <= row["upper"]
    assert held >= LEAST_HELD


def test_customers_may_be_alike_in_columns_of_their_file(telecom_base):
    found = compare_channels(telecom_base, alike=("region", "employees"), bins=2, draws=50)
    assert len(found.groups) == 10 and set(found.channels) == {
        "agent",
        "agent and manager",
        "inside sales",
        "manager",
    }
    ends = found.frame[["lower", "upper"]].to_numpy()
    assert np.isfinite(ends).all()


def test_comparisons_that_make_no_sense_are_refused(small, telecom_base):
    with pytest.raises(ValueError, match="nothing is known before"):
        compare_channels(small)
    with pytest.raises(KeyError, match=r"no column 'employes'.*did you mean 'employees'"):
        compare_channels(telecom_base, alike=("employes",))
    with pytest.raises(ValueError, match=r"no channel 'agents'; .*did you mean 'agent'"):
        compare_channels(telecom_base, commissions={"agents": 0.1})
    with pytest.raises(ValueError, match=r"commissions.*5: a share of revenue"):
        compare_channels(telecom_base, commissions={"agent": 5})
    with pytest.raises(ValueError, match="name fewer columns"):
        compare_channels(telecom_base, alike=("name",))


def test_workloads_by_hand(tmp_path):
    kinds = [("a", "visit"), ("a", "call"), ("b", "call"), ("b", "complaint"), ("c", "visit")]
    contacts = pd.DataFrame(kinds, columns=["customer_id", "kind"])
    contacts["date"] = pd.Timestamp("2024-03-01").as_unit("s")
    contacts = contacts.assign(
        phase="after", resolved_on=contacts["date"], first_contact_resolution=True, cost=1.0
    )
    agreed = [(c, "2020-01-01", None, "basic", "monthly") for c in "abcd"]
    staff = [("a", "Ann", "Bob"), ("b", "Ann", None), ("c", "Eve", None), ("d", None, None)]
    tables = {
        "interactions": contacts,
        "contracts": contracts(*agreed),
        "customers": staff_of(staff),
        "transactions": lines_of([("a", "2024-02-01", 10.0, "manager")]),
    }
    base = base_of(tmp_path, tables)
    hours = {"visits": 4, "calls": 0.5, "complaints": 1.5, "account": 6}
    found = manager_workloads(base, hours=hours, capacity=15)
    frame = found.frame.set_index("manager")
    assert frame["hours"].to_dict() == {"Ann": 4 + 2 * 0.5 + 1.5 + 2 * 6, "Eve": 4 + 6}
    assert frame["shared"].to_dict() == {"Ann": 1, "Eve": 0}
    assert frame.loc["Ann", "contacts_per_customer"] == pytest.approx(1.5)
    assert frame["overloaded"].to_dict() == {"Ann": True, "Eve": False}
    assert found.unmanaged == 1 and frame.loc["Ann", "revenue"] == 10.0
    calm = manager_workloads(base, hours=hours, capacity=100, multiple=2)
    assert not calm.frame["overloaded"].any()
    with pytest.raises(ValueError, match=r"(?s)no kind of work 'lunch'.*capacity=0"):
        manager_workloads(base, hours={"lunch": 1}, capacity=0)


def test_workloads_need_staff_on_file(cdnow_base):
    with pytest.raises(ValueError, match=r"no customers.manager; workloads cannot"):
        manager_workloads(cdnow_base)


SMALL = {"accounts": 80, "months": 12}


TOLD = []


@pytest.fixture(scope="module")
def effect():
    return responsibility_effect(**SMALL, progress=lambda *done: TOLD.append(done))


def test_one_in_charge_is_worth_something_in_every_company(effect):
    for rule in ("manager keeps them", "agent keeps them", "larger to the manager"):
        assert effect.of(rule, "survival").lower > 0
        assert effect.verdict(rule) == "supported"
    own = effect.companies[effect.companies["rule"] == "manager keeps them"]
    np.testing.assert_allclose(own["moved"], own["conflict_share"])
    assert len(own) == 20 and own["seed"].nunique() == 20
    assert TOLD == [(done, 20) for done in range(1, 21)]


def test_one_channel_for_all_is_the_yardstick(effect):
    """Any one channel beats two at odds; commission makes the agents the dearest of the three."""
    gains = {rule: effect.of(rule).estimate for rule in RULES}
    assert all(effect.of(rule, "survival").lower > 0 for rule in RULES)
    assert gains["agents for all"] < gains["managers for all"] < gains["inside sales for all"]


def test_the_true_difference_is_steadier_than_what_one_company_shows(effect):
    """The sample difference of leaving scatters by chance; the true one hardly does."""
    spread = effect.naive[["difference", "true_difference"]].std()
    assert spread["true_difference"] < spread["difference"] / 3
    assert (effect.naive["true_difference"] > 0).all()


def test_without_harm_and_commission_one_in_charge_changes_nothing():
    """A conflict that does no harm, with a commission of 0, is the manager's account exactly."""
    harmless = Parameters().but(
        {"service.conflict_effort": 0, "churn.conflict": 0, "costs.commission": 0}
    )
    found = responsibility_effect(**SMALL, parameters=harmless)
    profit = found.companies.loc[found.companies["rule"] == "manager keeps them", "profit"]
    np.testing.assert_allclose(profit, 0, atol=1e-6)
    assert found.verdict("manager keeps them") != "supported"


def test_profit_rises_by_saved_commissions_and_staying_by_conflict_alone():
    harmless = Parameters().but({"service.conflict_effort": 0, "churn.conflict": 0})
    found = responsibility_effect(**SMALL, parameters=harmless)
    for rule in ("manager keeps them", "larger to the manager"):
        assert found.verdict(rule) == "supported"
        assert found.verdict(rule, "survival") == "not supported"


def test_a_rule_without_limits_gives_all_to_the_manager():
    """By revenue from 0 and the manager for everybody are the same policy, run either way."""
    from keycustomer.simulate import Policy, compare_policies

    found = responsibility_effect(**SMALL, rule=ChannelRule(0, 0), ahead=6, discount_rate=0.1)
    gains = found.companies.pivot(index="seed", columns="rule", values="profit")
    np.testing.assert_allclose(gains["by revenue"], gains["managers for all"])
    run = compare_policies(
        [Policy(), Policy("m", channel="manager")], 80, 12, 1, ahead=6, discount_rate=0.1
    )
    there = run.outcomes["business as usual"].expected_months > 0
    gain = (run.outcomes["m"].expected_profit - run.outcomes["business as usual"].expected_profit)[
        there
    ].mean()
    own = found.companies.query("seed == 1 and rule == 'by revenue'")["profit"].iloc[0]
    assert own == pytest.approx(gain)


def test_few_companies_are_refused():
    with pytest.raises(ValueError, match="companies=5"):
        responsibility_effect(companies=5)
    with pytest.raises(ValueError, match="larger_share=2"):
        responsibility_effect(larger_share=2)

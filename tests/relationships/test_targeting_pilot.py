"""The pilot in the simulated company: nobody knows ahead, and the truth is of the same thing."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import (
    PilotSettings,
    customer_months,
    pilots_over_companies,
    retention_pilot,
    targeting_value,
)
from keycustomer.relationships.targeting.pilot_customers import known_of
from keycustomer.simulate import NEVER, Policy, compare_policies, simulate_company

SMALL = PilotSettings(accounts=1_000)
FEW = 10  # draws where intervals are not looked at
ROUNDED = 0.02  # the tables hold rounded units, prices and discounts
EXACT = 1e-6  # single precision of the panel, on amounts of thousands


@pytest.fixture(scope="module")
def pilot():
    return retention_pilot(1, SMALL, draws=FEW)


@pytest.fixture(scope="module")
def company():
    return simulate_company(1_000, 24, 1)


def test_customers_are_those_there_at_the_end(pilot, company) -> None:
    features, amounts = known_of(company)
    assert set(features.index) == set(customer_months(company).present)
    there = (company.panel.left == NEVER) & company.panel.active[-1]
    assert sorted(amounts["account"]) == np.flatnonzero(there).tolist()
    largest = amounts["revenue"].nlargest(int(0.02 * len(amounts))).index
    assert set(pilot.trial.customers) == set(features.index) - set(largest)
    assert pilot.notes == (
        f"{len(largest)} largest customers were left out of the pilot: each is a case of its own.",
    )


def test_last_year_is_counted_from_the_panel(company) -> None:
    features, amounts = known_of(company)
    account = amounts["account"].to_numpy()
    there = company.panel.active[-12:, account].sum(axis=0)
    for name in ("revenue", "profit"):
        monthly = getattr(company.panel, name)[-12:, account].sum(axis=0) / there
        assert amounts[name].to_numpy() == pytest.approx(12 * monthly, rel=ROUNDED)
    offers = company.panel.offer[-12:, account].sum(axis=0) / there
    assert features["competitor_offer"].to_numpy() == pytest.approx(offers)
    assert features["level"].to_numpy() == pytest.approx(company.panel.level[-1, account])


def test_what_happened_is_the_process_under_the_lot(pilot, company) -> None:
    _, amounts = known_of(company)
    some = amounts.loc[pilot.trial.customers]
    account = some["account"].to_numpy()
    offered = np.zeros(1_000)
    offered[account] = pilot.trial.treated * SMALL.discount
    after = simulate_company(1_000, 36, 1, policy=Policy("pilot", start=24, discount=offered))
    stayed = after.panel.left[account] == NEVER
    assert (pilot.trial.outcome == stayed).all()
    follows = stayed * SMALL.worth_of_staying * some["profit"]
    year = after.panel.profit[24:, account].sum(axis=0)
    worth = year + follows - SMALL.contact_cost * pilot.trial.treated
    assert pilot.trial.money == pytest.approx(worth.to_numpy(), rel=1e-5, abs=0.01)


def test_truth_is_the_expectation_of_what_is_estimated(pilot, company) -> None:
    compared = compare_policies(
        {"usual": Policy(), "offer": Policy(discount=SMALL.discount)},
        1_000,
        24,
        1,
        ahead=12,
    ).difference("offer")
    _, amounts = known_of(company)
    some = amounts.loc[pilot.trial.customers]
    changed = compared.iloc[some["account"].to_numpy()].reset_index(drop=True)
    assert pilot.true_uplift == pytest.approx(changed["survival"].to_numpy(), abs=EXACT)
    follows = SMALL.worth_of_staying * some["profit"].to_numpy() * changed["survival"]
    gain = changed["profit"] + follows - SMALL.contact_cost
    assert pilot.true_gain == pytest.approx(gain.to_numpy(), abs=0.01)
    assert pilot.attainable >= pilot.true_gain.mean()
    # staying as it happened against the probabilities, without the offer
    usual = ~pilot.trial.treated
    left = 1 - pilot.trial.outcome[usual]
    expected = pilot.true_risk[usual]
    error = np.sqrt((expected * (1 - expected)).sum())
    assert abs(left.sum() - expected.sum()) < 4 * error


def test_a_step_of_the_level_is_offered_to_all_but_partners() -> None:
    settings = PilotSettings(accounts=500, offer="level", apart=0.0)
    found = retention_pilot(3, settings, draws=FEW)
    assert found.trial.features["level"].max() == 3
    assert "partners already" in found.notes[0]
    assert settings.told == "one more step of the relationship level for 12 months"
    # staff time of the step by the stated levels, a year of it, and what contacts cost on top
    staff = 12 * np.diff([2, 6, 20, 72, 250])[found.trial.features["level"].astype(int)]
    assert (found.trial.offer_cost >= staff * 0.8).all()
    assert (found.true_uplift > -0.01).all() and found.true_uplift.mean() > 0


def test_the_pilot_reads_as_one_table(pilot) -> None:
    frame = pilot.to_frame()
    assert list(frame["rule"].unique()) == [
        "uplift x value (T)",
        "uplift x value (DR)",
        "uplift x value (by risk)",
        "risk x value",
        "value",
        "churn risk",
        "random",
    ]
    assert frame["attained"].max() <= 1
    measures = pilot.measures().set_index("group")
    assert list(measures.index) == ["uplift x value", "churn risk", "value", "random", "everybody"]
    assert measures.loc["everybody", "truth"] == pytest.approx(pilot.true_gain.mean())
    everybody = targeting_value(pilot.trial, np.ones(len(pilot.trial), bool), pilot.fitted)
    assert measures.loc["everybody", "estimate"] == pytest.approx(everybody.estimate)
    html = pilot._repr_html_()
    assert "Simulated company (seed 1): 10 points of discount for 12 months" in html


def test_an_offer_of_nothing_does_nothing() -> None:
    settings = PilotSettings(accounts=300, discount=0.0, contact_cost=0.0)
    found = retention_pilot(2, settings, draws=FEW)
    assert (found.true_uplift == 0).all() and (found.true_gain == 0).all()
    assert found.attainable == 0
    assert found.to_frame()["attained"].isna().all()


def test_companies_are_repeated_and_compared() -> None:
    told = []
    found = pilots_over_companies(
        PilotSettings(accounts=300, offer="level"),
        companies=3,
        first_seed=5,
        draws=FEW,
        progress=lambda done, of: told.append((done, of)),
    )
    assert found.companies == 3 and found.pilots["seed"].tolist() == [5, 6, 7]
    table = found.to_frame().set_index(["rule", "stop"])
    # a step for anybody costs more than it brings: choosing at random loses in every company
    assert table.loc[("random", "fixed depth"), "gains"] == 0
    assert table.loc[("random", "fixed depth"), "most"] < 0
    truths = found.truths("churn risk")
    assert table.loc[("churn risk", "fixed depth"), "truth"] == pytest.approx(truths.mean())
    gap = found.gap("uplift x value (DR)", "random")
    apart = found.truths("uplift x value (DR)") - found.truths("random")
    assert gap.estimate == pytest.approx(apart.mean()) and gap.n == 3
    assert found.verdict("random", "uplift x value (DR)") == "not supported"
    with pytest.raises(KeyError, match="no rule 'random' at 'gain above 0'; there is: 'uplift x"):
        found.truths("random", "gain above 0")
    assert "in 3 companies" in found._repr_html_()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"offer": "gift"}, "offer='gift' must be one of 'discount', 'level'"),
        ({"discount": 10}, r"discount=10 must be a share.*10 % is discount=0.1"),
        ({"share": 1.0}, r"share=1.0 must lie above 0 and below 1"),
        ({"months": 6}, "months"),
        ({"contact_cost": -1.0}, "contact_cost=-1.0 must be an amount"),
    ],
)
def test_settings_are_checked(given, message) -> None:
    with pytest.raises(ValueError, match=message):
        PilotSettings(**given)


def test_too_small_a_company_has_no_pilot() -> None:
    with pytest.raises(ValueError, match="at least 20 of each are needed"):
        retention_pilot(1, PilotSettings(accounts=40), draws=FEW)


def test_frames_are_tidy(pilot) -> None:
    assert pilot.rules.index.equals(pilot.trial.customers)
    assert isinstance(pilot.fitted.to_frame(), pd.DataFrame)
    assert pilot.fitted.to_frame().notna().all(axis=None)

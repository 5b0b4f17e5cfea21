"""Service indicators by tier: counted by hand, known truth, and verdicts on hardly differing."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.relationships import (
    INDICATORS,
    MARGINS,
    read_service,
    service_indicators,
    tier_differences,
)
from keycustomer.relationships.service.indicators import equality_verdict, holm
from keycustomer.simulate import Parameters, simulate_company
from service_records import months_of, record_of

ROUNDING = 1e-12
EQUAL = 0.2
"""Least p-value asked of a difference that is not there (fails once in five at random; seeded)."""


def complaint(number, day, days=None, *, first=False, customer=0):
    opened = pd.Timestamp("2024-01-01") + pd.DateOffset(months=number) + pd.Timedelta(days=day - 1)
    resolved = opened + pd.Timedelta(days=days) if days is not None else pd.NaT
    return (customer, number, day, "complaint", {"resolved_on": resolved, "first": first,
                                                 "cost": 45.0})  # fmt: skip


@pytest.fixture(scope="module")
def by_hand():
    """Two customers over six months: one with trouble, one with a visit alone."""
    contacts = [
        (0, 0, 3, "visit", {"cost": 90.0}),
        (0, 1, 3, "call", {"cost": 9.0}),
        complaint(0, 5, 0, first=True),
        complaint(1, 1, 10),
        complaint(3, 2, 20),
        complaint(5, 25),
        (1, 2, 2, "visit", {"cost": 90.0}),
    ]
    return record_of(months_of(2, 6), contacts)


def test_indicators_are_those_counted_by_hand(by_hand):
    found = service_indicators(by_hand, {"C000000": "A", "C000001": "B"}, draws=20)
    told = {name: found.of(name, "A").estimate for name in INDICATORS}
    assert told == pytest.approx(
        {
            "contacts_a_year": 4.0,
            "complaints_a_year": 8.0,
            "first_contact_resolution": 0.25,
            "resolved_in_time": 2 / 3,  # the fourth is too new to tell
            "days_to_resolve": 15.0,
            "repeat_complaints": 1 / 3,  # the first was followed after 27 days
            "service_cost_a_year": 2 * (99 + 4 * 45),
            "service_cost_per_100": 100 * 279 / 240,
        }
    )
    assert found.pending == 1 and found.customers == {"A": 1, "B": 1}
    assert np.isnan(found.of("first_contact_resolution", "B").estimate)
    assert found.of("contacts_a_year").estimate == pytest.approx(3.0)


def test_first_contact_is_told_by_the_flag_or_by_the_day(by_hand):
    same_day = record_of(months_of(2, 6), [complaint(0, 5, 0, first=None)])
    said_no = record_of(months_of(2, 6), [complaint(0, 5, 0, first=False)])
    flags = [service_indicators(r, draws=5).of("first_contact_resolution").estimate
             for r in (same_day, said_no)]  # fmt: skip
    assert flags == [1.0, 0.0]


def tiered(company, record):
    """Tiers by size: the largest fifth, the rest."""
    size = pd.Series(company.accounts.size, index=[f"K{k + 1:07d}" for k in range(len(
        company.accounts))])  # fmt: skip
    return pd.Series(np.where(size > size.quantile(0.8), "A", "C"), index=size.index)


@pytest.fixture(scope="module")
def simulated():
    company = simulate_company(700, 24, seed=3)
    return company, read_service(company)


def test_intervals_hold_the_expected_contacts_of_the_process(simulated):
    company, record = simulated
    found = service_indicators(record, tiered(company, record), draws=300)
    service, panel = Parameters().service, company.panel
    planned = np.take(np.add(service.visits, service.calls), np.maximum(panel.level, 0))
    for tier, own in (("A", True), ("C", False)):
        mine = panel.active & ((tiered(company, record) == "A").to_numpy() == own)
        truth = 12 * planned[mine].mean()
        one = found.of("contacts_a_year", tier)
        assert one.lower < truth < one.upper
    first = found.of("first_contact_resolution")
    level = np.maximum(panel.level, 0)
    odds = service.first_contact + service.first_contact_level * level
    chance = np.average(1 / (1 + np.exp(-odds)), weights=panel.complaints)
    assert first.lower < chance < first.upper


def test_resolution_hardly_differs_by_tier_and_complaints_do(simulated):
    company, record = simulated
    found = service_indicators(record, tiered(company, record), draws=300)
    result = tier_differences(found, permutations=199)
    said = result.frame.set_index("indicator")
    assert said.loc["first_contact_resolution", "verdict"] == "supported"
    assert said.loc["first_contact_resolution", "p_value"] > EQUAL
    assert said.loc["complaints_a_year", "verdict"] == "not supported"
    assert said.loc["complaints_a_year", "p_holm"] < 0.05
    assert (said["p_holm"] >= said["p_value"]).all()
    assert result.verdict in ("supported", "not supported", "undecided")
    assert "service hardly differs by tier" in result._repr_html_()
    assert "Service by tier" in found._repr_html_()


def test_tiers_dealt_at_random_give_uniform_p_values(simulated):
    record, rng = simulated[1], np.random.default_rng(5)
    names = record.months.customers["customer_id"]
    p_values = []
    for _ in range(20):
        tiers = pd.Series(rng.choice(["A", "B"], len(names)), index=names)
        found = service_indicators(record, tiers, draws=2)
        frame = tier_differences(found, permutations=39).frame.set_index("indicator")
        p_values.append(frame.loc["contacts_a_year", "p_value"])
    # of 20 uniform numbers fewer than 4 or more than 16 lie below a half once in 400
    assert 4 <= np.sum(np.array(p_values) <= 0.5) <= 16
    assert min(p_values) >= 1 / 40


@pytest.mark.parametrize(
    ("narrow", "wide", "said"),
    [
        ((0.9, 1.1), (0.88, 1.12), "supported"),
        ((0.9, 1.3), (0.88, 1.32), "undecided"),
        ((1.3, 1.5), (1.28, 1.52), "not supported"),
        ((1.3, 1.5), (1.24, 1.56), "undecided"),
        ((0.5, 0.7), (0.45, 0.75), "not supported"),
        ((np.nan, 1), (0, 1), "undecided"),
    ],
)
def test_verdicts_rest_on_the_intervals_and_the_margin(narrow, wide, said):
    assert equality_verdict(narrow, wide, (0.8, 1.25)) == said


def test_holm_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.array([0.01, 0.2, 0.03, 0.04])
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=ROUNDING)
    assert np.isnan(holm(np.array([np.nan, 0.5]))[0])


def test_tiers_keep_their_order_and_customers_without_one_are_counted(simulated):
    company, record = simulated
    tiers = tiered(company, record).iloc[:-5]
    ordered = tiers.astype(pd.CategoricalDtype(["C", "A", "Z"], ordered=True))
    found = service_indicators(record, ordered, draws=2)
    assert found.tiers == ("C", "A")
    missing = set(record.months.customers["customer_id"]) - set(tiers.index)
    assert found.without_tier == len(missing)


def test_what_cannot_be_compared_is_said(simulated):
    record = simulated[1]
    with pytest.raises(TypeError, match="Series or mapping"):
        service_indicators(record, ["A", "B"])
    with pytest.raises(ValueError, match="none of its 1 customers"):
        service_indicators(record, {"nobody": "A"})
    twice = pd.Series(["A", "B"], index=["K0000001", "K0000001"])
    with pytest.raises(ValueError, match="named twice"):
        service_indicators(record, twice)
    everybody = service_indicators(record, draws=2)
    with pytest.raises(ValueError, match="two tiers are needed"):
        tier_differences(everybody)
    with pytest.raises(KeyError, match="indicators: contacts_a_year"):
        everybody.of("contacts")
    pair = service_indicators(record, tiered(*simulated), draws=2)
    with pytest.raises(ValueError, match="contacts_a_year \\(a ratio above 1\\)"):
        tier_differences(pair, margins=MARGINS | {"contacts_a_year": 0.1})
    with pytest.raises(ValueError, match="permutations=0"):
        tier_differences(pair, permutations=0)

"""Service-level rules: what a promise costs, and a year of records held against it by hand."""

import math

import pandas as pd
import pytest
from contract_bases import contract_base, contracts
from keycustomer.relationships import (
    LEVELS,
    SERVICE_RULES,
    ServiceRule,
    check_service_rules,
    service_rule_table,
)
from keycustomer.stats.proportion import wilson_interval

RULES = {"A": ServiceRule(5, 2, 4, "manager", 10.0), "B": ServiceRule(10, 0, 1, "anybody", 1.0)}
YEAR = {"start": "2024-01-01", "end": "2024-12-31"}


def contact(customer, date, kind, resolved=None, first=None, cost=None):
    return customer, date, kind, resolved, first, cost


def base_of(folder, contacts, agreed, staff=(), **facts):
    columns = ["customer_id", "date", "kind", "resolved_on", "first_contact_resolution", "cost"]
    rows = pd.DataFrame(contacts, columns=columns)
    for name in ("date", "resolved_on"):
        rows[name] = pd.to_datetime(rows[name]).astype("datetime64[s]")
    rows["first_contact_resolution"] = rows["first_contact_resolution"].astype("boolean")
    tables = {
        "interactions": rows.assign(phase="after", cost=rows["cost"].astype(float)),
        "contracts": contracts(*agreed),
        "customers": pd.DataFrame(staff, columns=["customer_id", "manager", "agent"]).astype("str"),
    }
    return contract_base(folder / f"b{len(list(folder.iterdir()))}.duckdb", tables, **YEAR, **facts)


@pytest.fixture
def year(tmp_path):
    agreed = [
        ("full", "2020-01-01", None, "A", "monthly"),
        ("half", "2020-01-01", "2024-06-30", "A", "monthly"),
        ("new", "2024-07-02", None, "B", "monthly"),
        ("gone", "2019-01-01", "2023-12-31", "A", "monthly"),
        ("other", "2020-01-01", None, "C", "monthly"),
    ]
    contacts = [
        contact("full", "2024-02-01", "visit", cost=80),
        contact("full", "2024-03-01", "visit", cost=100),
        *(contact("full", f"2024-0{m}-05", "call", cost=8) for m in (1, 2, 3)),
        contact("half", "2024-02-01", "visit", cost=90),
        contact("half", "2024-02-03", "call", cost=8),
        contact("half", "2024-02-04", "call", cost=8),
        contact("full", "2024-05-01", "complaint", "2024-05-06", False),  # 5 days: in time
        contact("full", "2024-06-01", "complaint", "2024-06-07", False),  # 6 days: late
        contact("half", "2024-03-01", "complaint", "2024-03-01", True),
        contact("new", "2024-08-01", "complaint", None, False),  # never: late
        contact("new", "2024-12-29", "complaint", None, False),  # ten days are not up
        contact("full", "2023-12-31", "visit", cost=90),  # before
    ]
    staff = [("full", "Ann", None), ("half", None, "Bob"), ("new", None, "Bob")]
    return base_of(tmp_path, contacts, agreed, [(c, m, a) for c, m, a in staff])


def test_what_a_rule_costs():
    table = service_rule_table(RULES, visit_cost=100, call_cost=10).set_index("tier")
    assert table["contact_cost"].to_dict() == {"A": 240.0, "B": 10.0}
    assert table["cost"].to_dict() == {"A": 360.0, "B": 22.0}


def test_the_levels_have_rules_that_rise():
    assert tuple(SERVICE_RULES) == LEVELS
    table = service_rule_table()
    assert table["cost"].is_monotonic_increasing
    assert table["response_days"].is_monotonic_decreasing
    assert table["care"].tolist() == [2, 6, 20, 72, 250]


def test_a_year_by_hand(year):
    found = check_service_rules(year, RULES, draws=50)
    kept = found.frame.set_index(["tier", "promise"])[["kept", "cases"]]
    assert kept.loc[("A", "answered in time")].tolist() == [2, 3]
    # half a year is due one visit and two calls (182 of 366 days, fractions dropped: 0 and 1)
    assert kept.loc[("A", "visited as promised")].tolist() == [2, 2]
    assert kept.loc[("A", "called as promised")].tolist() == [1, 2]
    assert kept.loc[("A", "person in charge")].tolist() == [1, 2]
    assert kept.loc[("B", "answered in time")].tolist() == [0, 1]
    assert ("B", "visited as promised") not in kept.index  # nothing was promised
    assert kept.loc[("B", "person in charge")].tolist() == [1, 1]
    assert found.excluded == {
        "customers without a tier or rule": 1,
        "complaints still open whose time is not up": 1,
    }


def test_costs_by_hand(year):
    found = check_service_rules(year, RULES, draws=50)
    costs = found.costs.set_index("tier")
    visit, call = 90.0, 8.0  # means of what is on record
    there = 1 + 182 / 366
    assert costs.loc["A", "contact_cost"] == pytest.approx(there * (2 * visit + 4 * call))
    assert costs.loc["A", "promised_cost"] == pytest.approx(
        there * (2 * visit + 4 * call + 12 * 10)
    )
    assert costs.loc["A", "made_cost"] == pytest.approx(80 + 100 + 90 + 5 * 8)
    assert costs.loc["A", "missing_cost"] == pytest.approx(1 * call)  # of four calls three


def test_shares_of_customers_have_wilson_intervals_and_of_complaints_draw_customers(telecom_base):
    found = check_service_rules(telecom_base, draws=200)
    visits = found.of("partnership", "visited as promised")
    hits = round(visits.estimate * visits.n)
    assert (visits.lower, visits.upper) == tuple(map(float, wilson_interval(hits, visits.n)))
    answered = found.of("partnership", "answered in time")
    assert "bootstrap of customers" in answered.method
    assert answered.lower < answered.estimate < answered.upper


def test_the_simulated_operator_plans_contacts_by_level(telecom_base):
    """Calls are planned as Poisson numbers of 1.10 a month at the proactive level, 13.2 a year."""
    from scipy.stats import poisson

    found = check_service_rules(telecom_base, draws=50)
    whole = found.customers[found.customers["years"] > 0.999]
    calls = whole.loc[whole["tier"] == "proactive", "calls"]
    expected = poisson.sf(11, 13.2)
    own = (calls >= 12).mean()
    assert own == pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / len(calls)))


def test_all_kept_is_not_certain(tmp_path):
    agreed = [(f"c{k}", "2020-01-01", None, "A", "x") for k in range(4)]
    made = [contact(f"c{k}", "2024-03-01", "complaint", "2024-03-02", False) for k in range(4)]
    base = base_of(tmp_path, made, agreed)
    found = check_service_rules(base, {"A": ServiceRule(3, 0, 0)}, draws=20)
    share = found.of("A", "answered in time")
    assert share.estimate == 1.0 and share.lower == pytest.approx(float(wilson_interval(4, 4)[0]))
    assert any("who is in charge is not known" in note for note in found.notes)


def test_tiers_may_come_from_elsewhere(year):
    tiers = pd.Series({"full": "gold", "half": "gold"})
    found = check_service_rules(year, {"gold": ServiceRule(30, 1, 1)}, tiers, draws=20)
    assert found.excluded["customers without a tier or rule"] == 2
    assert found.of("gold", "answered in time").estimate == 1.0


def test_what_makes_no_sense_is_refused(year, hand_made_base):
    with pytest.raises(ValueError, match=r"(?s)response_days=-1.*person='boss'"):
        ServiceRule(-1, 0, 0, "boss")
    with pytest.raises(ValueError, match="no customer's tier has a rule; tiers are 'A', 'B', 'C'"):
        check_service_rules(year, {"gold": RULES["A"]})
    with pytest.raises(TypeError, match="'A' has 5"):
        check_service_rules(year, {"A": 5})
    with pytest.raises(TypeError, match="must be a series customer_id -> tier"):
        check_service_rules(year, RULES, {"full": "A"})
    with pytest.raises(ValueError, match="must lie in this order within"):
        check_service_rules(year, RULES, end="2025-06-30")
    with pytest.raises(ValueError, match="no table interactions"):
        check_service_rules(hand_made_base({"customers": [("a", "Ann")]}), RULES)
    with pytest.raises(KeyError, match="no promise 'smiles' to tier 'A'"):
        check_service_rules(year, RULES, draws=5).of("A", "smiles")

"""Leaving in whole months: contracts that end within a month must not look like service at work."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from contract_bases import contract_base
from keycustomer.relationships import (
    complaint_effects,
    contact_response,
    phase_effects,
    read_service,
)
from keycustomer.relationships.service.complaints import CONTRASTS, KINDS
from keycustomer.relationships.service.outcomes import outcome_rows
from keycustomer.simulate import simulate_company
from service_records import months_of, record_of

DAYS = 366
CUT = "customer-months cut short, since the customer left before their last day (it counts as "
CUT += "leaving a month earlier)"
ALONE = "customers who left so without a month before it"


def day(number):
    return pd.Timestamp("2024-01-01") + pd.to_timedelta(number, "D")


def events(rng, stop, rate, kind):
    """Interactions that come by chance, on any day the customer is there."""
    who = np.repeat(np.arange(len(stop)), rng.poisson(12 * rate, len(stop)))
    when = rng.integers(0, DAYS, len(who))
    there = when <= stop[who]
    return pd.DataFrame({"who": who[there], "day": when[there], "kind": kind})


def null_base(path, customers=1500, seed=0):
    """Base in which nothing acts on leaving, and contracts end on any day of the year."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"C{k:06d}" for k in range(customers)])
    stop = rng.exponential(400, customers).astype(int)
    rows = pd.concat([events(rng, stop, 1.0, "visit"), events(rng, stop, 0.3, "complaint")])
    first = rng.random(len(rows)) < 0.3
    solved = rows["day"] + np.where(first, 0, 1 + rng.exponential(12, len(rows)).astype(int))
    # what is open when the customer leaves stays so
    solved = solved.where(solved <= np.minimum(stop, DAYS - 1)[rows["who"]])
    interactions = pd.DataFrame(
        {
            "customer_id": ids[rows["who"]],
            "date": day(rows["day"].to_numpy()),
            "kind": rows["kind"].to_numpy(),
            "phase": rng.choice(["pre", "during", "after"], len(rows)),
            "resolved_on": day(solved.to_numpy()).astype("datetime64[s]"),
            "first_contact_resolution": pd.array(first, dtype="boolean"),
            "cost": 5.0,
        }
    )
    ends = pd.Series(day(np.minimum(stop, DAYS))).where(stop < DAYS).astype("datetime64[s]")
    contracts = pd.DataFrame({"customer_id": ids, "start": pd.Timestamp("2023-06-01"), "end": ends})
    tables = {
        "contracts": contracts.assign(relationship_level="basic"),
        "customers": pd.DataFrame({"customer_id": ids, "name": ids}),
        "interactions": interactions,
    }
    return contract_base(path, tables, start="2024-01-01", end="2024-12-31")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return read_service(null_base(tmp_path_factory.mktemp("whole") / "null.duckdb"))


@pytest.fixture(scope="module")
def months_as_they_are(record):
    return replace(record, last_days=record.last_days.iloc[:0])


def holds_none(one):
    return one.lower < 0 < one.upper


def test_contacts_that_do_nothing_are_not_said_to_keep(record, months_as_they_are):
    whole = contact_response(record, burn_in=2, folds=2)
    cut = contact_response(months_as_they_are, burn_in=2, folds=2)
    assert holds_none(whole.slope) and holds_none(whole.naive_slope)
    assert cut.slope.upper < -0.2
    assert whole.excluded[CUT] > 500 and cut.excluded[CUT] == 0
    assert "cut short" in whole._repr_html_() and "cut short" not in cut._repr_html_()


def test_phases_that_do_nothing_are_not_said_to_keep(record, months_as_they_are):
    whole = phase_effects(record, "left", burn_in=2)
    cut = phase_effects(months_as_they_are, "left", burn_in=2)
    assert all(holds_none(one) for one in whole.slopes.values())
    assert not any(holds_none(one) for one in cut.slopes.values())
    assert "cut short" in whole._repr_html_()


def test_complaints_that_do_nothing_have_no_effect(record, months_as_they_are):
    whole = complaint_effects(record, burn_in=2)
    cut = complaint_effects(months_as_they_are, burn_in=2)
    for name in CONTRASTS:
        assert holds_none(whole.effects[name, "adjusted"]), name
    assert all(holds_none(whole.each[kind, "adjusted"]) for kind in KINDS)
    assert cut.effects["no complaints", "adjusted"].lower > 0
    left_out = sum(n for why, n in whole.excluded.items() if why.startswith("customer-months"))
    assert whole.rows + left_out == len(record.months.frame)


def test_who_leaves_within_a_month_leaves_with_the_month_before():
    months = months_of(4, 6, [3, 3, 0, -1])
    stops = {"C000000": "2024-04-10", "C000001": "2024-04-30", "C000002": "2024-01-20"}
    last_days = pd.to_datetime(pd.Series(stops))
    record = replace(record_of(months), last_days=last_days)
    assert np.flatnonzero(record.cut_short).tolist() == [3, 8]
    told = record.leaving
    assert told[:4].tolist()[:3] == [0, 0, 1] and np.isnan(told[3])
    assert told[4:8].tolist() == [0, 0, 0, 1]
    assert np.isnan(told[8]) and (told[9:] == 0).all()
    assert list(record.not_whole(0).values()) == [2, 1]
    assert list(record.not_whole(1).values()) == [1, 0]
    known = outcome_rows(record, "left", 0)
    assert known.rows.tolist() == [0, 1, 2, 4, 5, 6, 7, *range(9, 15)]
    assert known.values.sum() == 2 and known.excluded == {CUT: 2, ALONE: 1}


def test_contracts_that_end_with_the_month_are_read_as_they_are():
    simulated = read_service(simulate_company(100, 24, seed=3))
    left = simulated.months.frame["left"].to_numpy(dtype=float)
    assert left.sum() and not simulated.cut_short.any()
    np.testing.assert_array_equal(simulated.leaving, left)
    assert set(simulated.not_whole(0).values()) == {0}

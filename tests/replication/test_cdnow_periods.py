"""CDNOW over time: numbers computed for this project's design by independent programs.

Whole set, 23,570 customers, 78 weeks from 1997-01-01; a half is 39 weeks (273 days).  They are
stated to a tenth of a percent, so half a tenth is the tolerance.
"""

import pandas as pd
import pytest
from keycustomer.pareto.audit import decompose_change, revenue_bridge
from keycustomer.pareto.cohorts import build_cohorts
from keycustomer.pareto.migration import ABC_CUTS, class_migration, retained_top
from keycustomer.pareto.persistence import regression_to_mean
from keycustomer.pareto.windows import pareto_by_period, pareto_by_window
from period_tables import cdnow_lines, cdnow_periods

TENTH_OF_A_PERCENT = 0.0005
HALF = 273


@pytest.fixture(scope="module")
def halves():
    return cdnow_periods(HALF)


@pytest.fixture(scope="module")
def months():
    return cdnow_periods()


@pytest.fixture(scope="module")
def retained(halves):
    return retained_top(halves, draws=100)


def test_the_first_half_and_the_whole(halves):
    shares = pareto_by_window(halves, draws=20).of("buyers")
    assert shares["share"].tolist() == pytest.approx([0.628, 0.677], abs=TENTH_OF_A_PERCENT)
    assert shares["customers"].tolist() == [23_500, 23_502]


def test_april_1997(months):
    shares = pareto_by_period(months, draws=5).of("buyers").set_index("start")
    assert shares.loc["1997-04-01", "share"] == pytest.approx(0.527, abs=TENTH_OF_A_PERCENT)


def test_orders_and_periods_give_the_same_windows(halves):
    lines = pareto_by_window(
        cdnow_lines(),
        ends=["1997-09-30", "1998-06-30"],
        period="date",
        repeated=True,
        draws=5,
    )
    by_half = pareto_by_window(halves, draws=5)
    columns = ["population", "customers", "share", "lower", "upper"]
    pd.testing.assert_frame_equal(lines.frame[columns], by_half.frame[columns])


@pytest.mark.parametrize(
    ("measure", "percent"), [("still_top", 50.5), ("buying", 59.9), ("value_share", 66.1)]
)
def test_the_top_fifth_of_the_first_half_in_the_second(retained, measure, percent):
    estimate = getattr(retained, measure)
    assert retained.customers == 4714
    assert 100 * estimate.estimate == pytest.approx(percent, abs=100 * TENTH_OF_A_PERCENT)
    assert estimate.lower < estimate.estimate < estimate.upper


def test_a_migration_of_everybody(halves):
    counts = class_migration(halves, classes=ABC_CUTS).counts
    assert counts.to_numpy().sum() == 23_570
    assert counts["gone"].sum() == 23_570 - 7_058
    assert counts.loc["new"].sum() == 0
    assert counts.sum(axis=1)[:3].tolist() == [1_179, 3_535, 18_856]


def test_the_bridge_from_half_to_half(halves):
    lines = cdnow_lines()
    first = lines["date"] < pd.Timestamp("1997-10-01")
    totals = lines.groupby(first)["revenue"].sum().round(2)
    bridge = revenue_bridge(halves)
    assert bridge.frame["amount"].iloc[[0, -1]].tolist() == [totals[True], totals[False]]
    assert bridge.frame["amount"].iloc[:-1].sum() == pytest.approx(totals[False], abs=1e-6)
    parts = decompose_change(halves).frame["contribution"].sum()
    assert parts == pytest.approx(totals[False] - totals[True], abs=1e-6)


def test_every_customer_was_won_in_the_first_quarter(months):
    cohorts = build_cohorts(months, end="1998-06-30")
    assert cohorts.sizes.sum() == 23_570
    assert [f"{day:%Y-%m}" for day in cohorts.sizes.index] == ["1997-01", "1997-02", "1997-03"]
    whole = cohorts.layers().sum(axis=1)
    pd.testing.assert_series_equal(
        whole, months.groupby("period")["revenue"].sum(), check_names=False, check_freq=False
    )


def test_most_of_the_fall_of_the_best_tenth_is_luck(months):
    result = regression_to_mean(
        months,
        ("1997-04-01", "1997-12-01"),
        ("1998-01-01", "1998-06-01"),
        population="known",
        draws=200,
    )
    best = result.frame.iloc[0]
    # an independent computation: the best 2,357 customers of April to December 1997
    lines = cdnow_lines()
    first = lines["date"].between("1997-04-01", "1997-12-31")
    before, after = (
        lines[chosen].groupby("customer_id")["revenue"].sum()
        for chosen in (first, lines["date"] >= "1998-01-01")
    )
    top = before.round(4).nlargest(2_357).index
    assert best["first"] == pytest.approx(before[top].mean())
    assert best["second"] == pytest.approx(after.reindex(top, fill_value=0).mean())
    assert result.luck_share.lower > 0.5

import numpy as np
import pandas as pd
import pytest
from keycustomer.pareto.cohorts import build_cohorts
from period_tables import MONTHS, for_all, panels, shuffled, table

ROWS = [
    ("a", MONTHS[0], 1, 10.0),
    ("b", MONTHS[0], 2, 20.0),
    ("a", MONTHS[1], 1, 5.0),
    ("c", MONTHS[1], 1, 7.0),
    ("a", MONTHS[3], 3, 9.0),
    ("c", MONTHS[3], 1, 1.0),
]


def test_a_triangle_by_hand_with_a_month_without_sales():
    cohorts = build_cohorts(table(ROWS))
    nan = np.nan
    np.testing.assert_array_equal(cohorts.triangle("retention"), [[1, 0.5, 0, 0.5], [1, 0, 1, nan]])
    np.testing.assert_array_equal(cohorts.triangle("value"), [[30, 5, 0, 9], [7, 0, 1, nan]])
    np.testing.assert_array_equal(
        cohorts.triangle("value", by="period"), [[30, 5, 0, 9], [nan, 7, 0, 1]]
    )
    np.testing.assert_array_equal(
        cohorts.triangle("cumulative_value_per_customer"), [[15, 17.5, 17.5, 22], [7, 7, 8, nan]]
    )
    np.testing.assert_array_equal(
        cohorts.triangle("orders_per_active"), [[1.5, 1, nan, 3], [1, nan, 1, nan]]
    )
    assert cohorts.sizes.tolist() == [2, 1]


def test_what_lies_beyond_the_end_of_observation_is_missing_never_zero():
    cohorts = build_cohorts(table(ROWS), end="2024-06-15")
    triangle = cohorts.triangle("value")
    # May is over and nobody bought: zero.  June is not over: missing.
    np.testing.assert_array_equal(triangle, [[30, 5, 0, 9, 0], [7, 0, 1, 0, np.nan]])
    layers = cohorts.layers()
    assert layers.index[-1] == pd.Timestamp("2024-06-01")
    assert not cohorts.frame[cohorts.frame["period"] == "2024-06-01"]["complete"].any()
    assert build_cohorts(table(ROWS), end="2024-06-30").triangle().shape == (2, 6)


@for_all(panels())
def test_every_period_adds_up_to_its_value_and_buyers(frame):
    cohorts = build_cohorts(frame, every="month")
    layers, whole = cohorts.layers(), cohorts.whole().set_index("period")
    for month, rows in frame.groupby("period"):
        assert layers.loc[month].sum() == pytest.approx(rows["revenue"].sum(), abs=1e-9)
        assert whole.loc[month, "active"] == (rows["orders"] > 0).sum()
    assert cohorts.sizes.sum() == frame["customer_id"].nunique()


@for_all(panels())
def test_no_cohort_has_a_cell_before_it_begins_or_after_the_last_period(frame):
    cells = build_cohorts(frame, every="month").frame
    assert (cells["age"] >= 0).all()
    last = frame["period"].max()
    expected = sum(len(pd.period_range(day, last, freq="M")) for day in cells["cohort"].unique())
    assert len(cells) == expected
    rates = cells["active"] / cells["size"]
    assert (cells["lower"] <= rates + 1e-12).all()
    assert (rates <= cells["upper"] + 1e-12).all()


@for_all(panels())
def test_the_order_of_rows_does_not_matter(frame):
    one, two = (build_cohorts(f, every="month").frame for f in (frame, shuffled(frame)))
    pd.testing.assert_frame_equal(one, two)


def test_one_cohort_and_cohorts_compared():
    cohorts = build_cohorts(table(ROWS))
    one = cohorts.one("2024-01-01")
    assert one["value_per_customer"].tolist() == [15.0, 2.5, 0.0, 4.5]
    assert cohorts.one()["cohort"].unique().tolist() == [pd.Timestamp("2024-01-01")]
    compared = cohorts.compare(3)
    np.testing.assert_array_equal(compared["cumulative_value_per_customer"], [22, np.nan])
    np.testing.assert_array_equal(cohorts.compare(2)["retention"], [0, 1])


def test_new_customers_share_of_value():
    whole = build_cohorts(table(ROWS)).whole()
    np.testing.assert_allclose(whole["new_share"], [1, 7 / 12, np.nan, 0])


def test_weeks_and_other_lengths():
    days = pd.to_datetime(["2024-01-01", "2024-01-15", "2024-01-29"])
    rows = [("a", day, 1, 1.0) for day in days]
    cohorts = build_cohorts(table(rows), every="week")
    assert cohorts.every == "week"
    assert cohorts.triangle().to_numpy().tolist() == [[1, 0, 1, 0, 1]]
    assert build_cohorts(table(rows)).triangle().to_numpy().tolist() == [[1, 1, 1]]


def test_one_customer_in_one_period():
    cohorts = build_cohorts(table([("a", MONTHS[0], 1, 5.0)]), every="month")
    assert cohorts.triangle().to_numpy().tolist() == [[1.0]]
    assert "<table" in cohorts._repr_html_()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"end": "2024-03-31"},
            "end='2024-03-31': the table has purchases in the period from 2024-04-01, after the "
            "end of observation",
        ),
        ({"every": "2 days"}, "every='2 days': 2 of 3 periods do not begin one counted from"),
        ({"value": "profit"}, "periods: column 'profit' is missing"),
    ],
)
def test_arguments_that_cannot_be_used(options, text):
    with pytest.raises(ValueError) as raised:
        build_cohorts(table(ROWS), **options)
    assert str(raised.value).startswith(text)


def test_nobody_ordered():
    with pytest.raises(ValueError) as raised:
        build_cohorts(table([("a", MONTHS[0], 0, -1.0)]), every="month")
    assert str(raised.value) == "periods: nobody ordered in any period, so there are no cohorts"


def test_cells_and_cohorts_that_do_not_exist():
    cohorts = build_cohorts(table(ROWS))
    with pytest.raises(ValueError, match="of is one of retention, active"):
        cohorts.triangle("churn")
    with pytest.raises(ValueError, match=r"the first cohorts are 2024-01-01, 2024-02-01"):
        cohorts.one("2024-03-01")
    with pytest.raises(ValueError, match="age=9: between 0 and 3, the oldest cohort's age"):
        cohorts.compare(9)

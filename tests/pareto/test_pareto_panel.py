import numpy as np
import pandas as pd
import pytest
from keycustomer.pareto.calendar import read_calendar
from keycustomer.pareto.panel import (
    choose_span,
    read_panel,
    side,
    side_by_side,
    totals,
    two_spans,
)
from period_tables import MONTHS, for_all, panels, shuffled, table

ROWS = [
    ("b", "2024-02-01", 1, 5.0),
    ("a", "2024-01-01", 2, 10.5),
    ("a", "2024-02-01", 1, 0.1),
    ("a", "2024-03-01", 1, 0.2),
]


def message(frame, **options):
    with pytest.raises(ValueError) as raised:
        read_panel(frame, **options)
    return str(raised.value)


def test_rows_are_sorted_and_money_is_whole_ten_thousandths():
    panel = read_panel(table(ROWS))
    assert panel["customer_id"].tolist() == ["a", "a", "a", "b"]
    assert panel["revenue"].tolist() == [105_000, 1_000, 2_000, 50_000]
    assert panel["revenue"].dtype == np.int64


def test_the_table_handed_in_is_left_alone():
    frame = table(ROWS)
    before = frame.copy()
    read_panel(frame)
    pd.testing.assert_frame_equal(frame, before)


@for_all(panels())
def test_the_order_of_rows_does_not_matter(frame):
    pd.testing.assert_frame_equal(read_panel(frame), read_panel(shuffled(frame)))


@for_all(panels())
def test_totals_are_exact(frame):
    expected = {}
    for row in frame.itertuples():
        ticks = expected.get(row.customer_id, 0) + round(row.revenue * 10_000)
        expected[row.customer_id] = ticks
    assert totals(read_panel(frame))["revenue"].to_dict() == expected


def test_ids_keep_their_zeros():
    frame = table([("007", "2024-01-01", 1, 1.0), ("7", "2024-01-01", 1, 2.0)])
    assert totals(read_panel(frame)).index.tolist() == ["007", "7"]


def test_without_orders_a_positive_amount_is_one():
    frame = table([("a", "2024-01-01", 9, 1.0), ("b", "2024-01-01", 9, 0.0)])
    assert read_panel(frame, orders=None)["orders"].tolist() == [1, 0]


def test_other_column_names():
    frame = table(ROWS).rename(
        columns={"customer_id": "id", "period": "m", "orders": "n", "revenue": "eur"}
    )
    panel = read_panel(frame, amounts=("eur",), customer_id="id", period="m", orders="n")
    assert panel.columns.tolist() == ["customer_id", "period", "orders", "eur"]


def test_missing_columns_are_named_together_with_a_near_one():
    frame = table(ROWS).rename(columns={"revenue": "revenues", "orders": "n"})
    assert message(frame) == (
        "periods: column 'orders' is missing; columns found: customer_id, period, n, revenues\n"
        "periods: column 'revenue' is missing; columns found: customer_id, period, n, revenues; "
        "did you mean 'revenues'?"
    )


def test_an_empty_table():
    assert message(table(ROWS).head(0)) == "periods: the table has no rows"


def test_repeated_keys():
    frame = table([*ROWS, ("a", "2024-01-01", 1, 1.0)])
    assert message(frame) == (
        "periods: 2 rows (first: 1, 4) repeat 'customer_id', 'period'; one row each is needed: "
        "frame.groupby(['customer_id', 'period'], as_index=False).sum(numeric_only=True)"
    )
    assert totals(read_panel(frame, repeated=True)).loc["a", "revenue"] == 118_000


def test_every_complaint_about_values_is_shown_at_once():
    frame = table(ROWS)
    frame.loc[0, "customer_id"] = None
    frame["period"] = frame["period"].dt.strftime("%Y-%m-%d")
    frame["orders"] = ["1", "2", "1", "1"]
    frame.loc[[1, 2], "revenue"] = [np.nan, np.inf]
    text = message(frame)
    assert text.splitlines()[0] == (
        "periods: column 'customer_id' is empty in row 0; drop or complete these rows"
    )
    assert "dates are needed (pandas.to_datetime)" in text
    assert "column 'orders' holds" in text
    assert text.splitlines()[-1] == (
        "periods: column 'revenue' is not a finite number in 2 rows (first: 1, 2)"
    )


def test_ids_that_are_fractions_are_refused():
    frame = table(ROWS).assign(customer_id=[1.5, 2.0, 2.0, 2.0])
    assert message(frame) == (
        "periods: column 'customer_id' holds floating values; customer ids are text "
        "(frame['customer_id'].astype(str))"
    )


def test_sums_beyond_exactness_are_refused():
    frame = table([("a", "2024-01-01", 1, 8e14), ("b", "2024-01-01", 1, -8e14)])
    assert message(frame) == (
        "periods: column 'revenue' adds up to more than 9e+14; state it in thousands or millions"
    )


def test_something_that_is_no_table():
    with pytest.raises(TypeError, match=r"^periods: a pandas DataFrame is needed, got list$"):
        read_panel([1, 2])


def test_an_empty_period_is_refused_with_those_there_are():
    panel = read_panel(table(ROWS))
    with pytest.raises(ValueError) as raised:
        choose_span(panel, "2024-05-01", "first")
    assert str(raised.value) == (
        "first: nobody bought in the period 2024-05; the table has 3 periods: "
        "2024-01-01, 2024-02-01, 2024-03-01"
    )


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (None, None, "first, second: name the two periods to compare"),
        ("2024-02-01", "2024-01-01", r"first, second: the first period \(2024-02\) must end"),
        ("2024-01-01", ("2024-01-01", "2024-02-01"), "must end before the second"),
        ("tomorrow?", "2024-02-01", "first: 'tomorrow\\?' is not a date"),
        (("2024-01-01",) * 3, "2024-02-01", "a period or a pair"),
    ],
)
def test_periods_that_cannot_be_compared(first, second, text):
    with pytest.raises(ValueError, match=text):
        two_spans(read_panel(table(ROWS)), first, second)


def test_two_periods_need_no_names():
    spans = two_spans(read_panel(table(ROWS[:3])), None, None)
    assert [str(span) for span in spans] == ["2024-01", "2024-02"]


def test_side_by_side_holds_zeros_where_nobody_bought():
    panel = read_panel(table(ROWS))
    both = side_by_side(panel, *two_spans(panel, "2024-01-01", ("2024-02-01", "2024-03-01")))
    assert side(both, 0)["revenue"].to_dict() == {"a": 105_000, "b": 0}
    assert side(both, 1)["orders"].to_dict() == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("days", "name", "after"),
    [
        (MONTHS[[0, 1, 3]], "month", "2024-02-01"),
        (MONTHS[[0, 3]], "quarter", "2024-04-01"),
        (pd.DatetimeIndex(["2022-01-01", "2024-01-01"]), "24 months", "2024-01-01"),
        (pd.DatetimeIndex(["2024-01-08", "2024-01-01", "2024-01-22"]), "week", "2024-01-08"),
        (pd.DatetimeIndex(["2024-01-03", "2024-01-01"]), "2 days", "2024-01-03"),
    ],
)
def test_the_length_of_periods_is_inferred(days, name, after):
    calendar = read_calendar(days)
    assert str(calendar) == name
    assert calendar.start(1) == pd.Timestamp(after)
    assert calendar.numbers(calendar.starts(5)).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("every", "text"),
    [
        (None, "every: the table has one period only"),
        ("fortnight", "every='fortnight': week, month, quarter, year or 'N days' is needed"),
        ("0 days", "every='0 days'"),
    ],
)
def test_lengths_that_cannot_be_used(every, text):
    with pytest.raises(ValueError, match=text):
        read_calendar(MONTHS[:1], every)


def test_periods_beside_the_calendar_are_named():
    with pytest.raises(ValueError) as raised:
        read_calendar(pd.DatetimeIndex(["2024-01-01", "2024-01-10"]), "week")
    assert str(raised.value) == (
        "every='week': 1 of 2 periods do not begin one counted from 2024-01-01 (first: 2024-01-10)"
    )

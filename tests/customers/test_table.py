"""The customer table: hand-computed rows, and an independent computation in pandas."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keycustomer.customers.table import (
    customer_categories,
    customer_histories,
    customer_periods,
    customer_table,
    purchase_days,
)


def line(number, customer, order, day, product, quantity, revenue, discount=None, cost=None):
    return (number, customer, order, day, product, quantity, revenue, discount, cost, None)


LINES = [
    line(1, "007", "a", "2024-01-10", "p", 1, "10.00", "0.00", "6.00"),
    line(2, "007", "a", "2024-01-10", "q", 2, "20.00", "5.00", "12.00"),
    line(3, "007", "b", "2024-01-10", "p", 1, "10.00", "0.00", "6.00"),
    line(4, "007", "c", "2024-03-01", "p", 1, "30.00", "0.00", "6.00"),
    line(5, "007", "d", "2024-04-01", "p", -1, "-10.00", "0.00", "-6.00"),
    line(6, "7", "e", "2024-12-31", "r", 1, "0.10", "0.00", None),
]
ROWS = {
    "transactions": LINES,
    "customers": [("007", "Ann"), ("lead", "Bob")],
    "interactions": [("007", "2024-02-01", "complaint", "4.00"), ("x", "2024-02-01", "call", "1")],
    "products": [("p", "food"), ("q", "food"), ("r", None)],
}


def test_hand_computed_rows(hand_made_base):
    table = customer_table(hand_made_base(ROWS)).set_index("customer_id")
    assert list(table.index) == ["007", "7", "lead"]
    ann = table.loc["007"]
    assert (ann["frequency"], ann["recency"], ann["T"]) == (1, 51, 356)
    assert ann["monetary_value"] == 30.0
    assert (ann["orders"], ann["units"], ann["products"]) == (3, 4, 2)
    assert (ann["revenue"], ann["discount"], ann["margin"]) == (60.0, 5.0, 36.0)
    assert (ann["cost_to_serve"], ann["profit"], ann["returns"]) == (4.0, 32.0, 10.0)
    assert ann["deal_share"] == pytest.approx(20 / 70, abs=1e-15)
    assert (ann["first_order"], ann["last_order"]) == (
        pd.Timestamp("2024-01-10"),
        pd.Timestamp("2024-03-01"),
    )
    assert bool(ann["on_file"])
    seven = table.loc["7"]
    assert (seven["frequency"], seven["recency"], seven["T"]) == (0, 0, 0)
    assert math.isnan(seven["monetary_value"]) and math.isnan(seven["margin"])
    assert not seven["on_file"]
    lead = table.loc["lead"]
    assert (lead["orders"], lead["revenue"], lead["margin"]) == (0, 0, 0)
    assert pd.isna(lead["first_order"]) and math.isnan(lead["T"])


def test_assumed_margin_is_a_share_of_list_value_and_recorded_cost_goes_first(hand_made_base):
    rows = {
        "transactions": [
            line(1, "a", None, "2024-01-01", "p", 1, "80.00", "20.00"),
            line(2, "a", None, "2024-01-02", "p", 1, "50.00", "0.00", "10.00"),
        ]
    }
    base = hand_made_base(rows)
    table = customer_table(base, margin=0.25, cost_per_order=3.0)
    assert table["margin"].item() == pytest.approx(80 - 0.75 * 100 + 50 - 10)
    assert table["cost_to_serve"].item() == 6.0
    assert table["profit"].item() == pytest.approx(45 - 6)
    assert customer_table(base)["margin"].isna().all()
    assert customer_table(base)["cost_to_serve"].isna().all()


def test_window_cuts_orders_and_moves_the_end_of_observation(hand_made_base):
    table = customer_table(hand_made_base(ROWS), start="2024-01-01", end="2024-02-29")
    ann = table.set_index("customer_id").loc["007"]
    assert (ann["frequency"], ann["orders"], ann["revenue"], ann["T"]) == (0, 2, 40.0, 50)


def test_orders_without_an_id_are_customer_days(hand_made_base):
    lines = [(n, c, None, *rest) for n, c, _, *rest in LINES]
    table = customer_table(hand_made_base({"transactions": lines})).set_index("customer_id")
    assert table["orders"].to_dict() == {"007": 2, "7": 1}


def test_exact_money_keeps_ties(hand_made_base):
    tenth = [line(n, "many", None, "2024-01-01", "p", 1, "0.10") for n in range(30)]
    whole = [line(99, "once", None, "2024-01-01", "p", 1, "3.00")]
    table = customer_table(hand_made_base({"transactions": tenth + whole}))
    assert table["revenue"].tolist() == [3.0, 3.0]


def test_money_is_a_64_bit_integer_in_ten_thousandths(hand_made_base):
    base = hand_made_base({"transactions": [line(1, "a", None, "2024-01-01", "p", 1, "0.0001")]})
    kinds = base.query("select typeof(revenue) as kind from transactions")["kind"]
    assert kinds.tolist() == ["DECIMAL(18,4)"]
    assert customer_table(base)["revenue"].item() == 0.0001


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": "2024-02-30"}, "start is a day such as '2017-12-31', got '2024-02-30'"),
        ({"start": "2024-03-01", "end": "2024-02-01"}, "start 2024-03-01 lies after end"),
        ({"margin": 25}, "margin is a share of list value in 0..1, got 25"),
        ({"cost_per_order": -1.0}, "cost_per_order is an amount of at least 0, got -1.0"),
    ],
)
def test_arguments_out_of_range_are_named(hand_made_base, arguments, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        customer_table(hand_made_base(ROWS), **arguments)


def test_a_base_without_transactions_says_so(hand_made_base):
    with pytest.raises(ValueError, match="Hand-made: the base has no transactions table"):
        customer_table(hand_made_base({"customers": [("a", "Ann")]}))


def test_purchase_days_merge_orders_of_a_day_and_leave_out_returns(hand_made_base):
    days = purchase_days(hand_made_base(ROWS))
    assert list(days.itertuples(index=False, name=None)) == [
        ("007", pd.Timestamp("2024-01-10"), 40.0),
        ("007", pd.Timestamp("2024-03-01"), 30.0),
        ("7", pd.Timestamp("2024-12-31"), 0.1),
    ]


def test_histories_count_the_customers_of_the_table(hand_made_base):
    base = hand_made_base(ROWS)
    counted = customer_histories(base)
    assert list(counted.itertuples(index=False, name=None)) == [(0, 0, 0, 1), (1, 51, 356, 1)]
    assert customer_histories(base, end="2024-02-01").to_numpy().tolist() == [[0, 0, 22, 1]]


def test_purchase_days_and_histories_agree_with_the_customer_table(cdnow_base):
    half = {"start": "1997-01-01", "end": "1997-09-30"}
    table = customer_table(cdnow_base, **half).dropna(subset="T")
    by_customer = purchase_days(cdnow_base, **half).groupby("customer_id")
    days = by_customer["date"].agg(["size", "min", "max"])
    assert (days["size"].to_numpy() - 1 == table["frequency"]).all()
    assert ((days["max"] - days["min"]).dt.days.to_numpy() == table["recency"]).all()
    keys = ["frequency", "recency", "T"]
    counted = table.groupby(keys).size().rename("customers").reset_index()
    pd.testing.assert_frame_equal(
        customer_histories(cdnow_base, **half).astype(float), counted.astype(float)
    )


@pytest.mark.parametrize("function", [purchase_days, customer_histories])
def test_days_in_the_wrong_order_are_refused(hand_made_base, function):
    with pytest.raises(ValueError, match="start 2024-06-01 lies after end 2024-05-01"):
        function(hand_made_base(ROWS), start="2024-06-01", end="2024-05-01")


def test_periods_add_up_to_the_customer_table(hand_made_base):
    base = hand_made_base(ROWS)
    table = customer_table(base).set_index("customer_id")
    for every in ("week", "month", "quarter", "year", "17 days"):
        periods = customer_periods(base, every)
        assert not periods.duplicated(["customer_id", "period"]).any()
        sums = periods.groupby("customer_id")[["orders", "units", "revenue"]].sum()
        pd.testing.assert_frame_equal(
            sums,
            table.loc[sums.index, ["orders", "units", "revenue"]],
            check_dtype=False,
        )
        profit = periods.groupby("customer_id")["profit"].sum(min_count=1)["007"]
        contacts_without_lines = 4.0 if every in ("week", "month", "17 days") else 0.0
        assert profit == table["profit"]["007"] + contacts_without_lines


def test_windows_of_days_count_from_the_start(hand_made_base):
    periods = customer_periods(hand_made_base(ROWS), "30 days", start="2024-01-10")
    assert periods["period"].min() == pd.Timestamp("2024-01-10")
    assert ((periods["period"] - pd.Timestamp("2024-01-10")).dt.days % 30 == 0).all()


def test_an_unknown_period_is_refused(hand_made_base):
    with pytest.raises(ValueError, match=r"every is 'week', .* got 'fortnight'"):
        customer_periods(hand_made_base(ROWS), "fortnight")


def test_categories(hand_made_base):
    frame = customer_categories(hand_made_base(ROWS))
    assert frame.to_dict("records") == [
        {
            "customer_id": "007",
            "category": "food",
            "first_date": pd.Timestamp("2024-01-10"),
            "orders": 3,
            "revenue": 60.0,
        }
    ]
    products = customer_categories(hand_made_base(ROWS), level="product")
    assert products["category"].tolist() == ["p", "q", "r"]


def test_categories_name_what_is_missing(hand_made_base):
    base = hand_made_base({"transactions": LINES})
    with pytest.raises(ValueError, match=r"the base has no products\.category; map it"):
        customer_categories(base)


days = st.dates(dt.date(2024, 1, 1), dt.date(2024, 12, 31))
line_values = st.tuples(
    st.sampled_from(["1", "01", "A", "a", "é", "客户"]),
    days,
    st.integers(-3, 9),
    st.integers(-50_000, 900_000),
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(line_values, min_size=1, max_size=40))
def test_agrees_with_pandas(hand_made_base, values):
    rows = [
        line(n, c, None, d, "p", q, f"{money / 10_000:.4f}")
        for n, (c, d, q, money) in enumerate(values)
    ]
    table = customer_table(hand_made_base({"transactions": rows})).set_index("customer_id")
    frame = pd.DataFrame(values, columns=["customer_id", "date", "units", "money"])
    revenue = frame.groupby("customer_id")["money"].sum() / 10_000
    np.testing.assert_array_equal(table["revenue"].to_numpy(), revenue.to_numpy())
    bought = frame[(frame["units"] > 0) & (frame["money"] >= 0)]
    purchase_days = bought.groupby("customer_id")["date"].nunique().reindex(table.index).fillna(0)
    assert table["frequency"].tolist() == (purchase_days - 1).clip(lower=0).astype(int).tolist()
    assert table["orders"].tolist() == purchase_days.astype(int).tolist()
    first = bought.groupby("customer_id")["date"].transform("min")
    repeat = bought[bought["date"] > first].groupby("customer_id")["money"].sum() / 10_000
    expected = (repeat / (purchase_days - 1)).reindex(table.index)
    np.testing.assert_allclose(table["monetary_value"], expected, rtol=1e-12)

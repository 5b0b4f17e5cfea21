import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from keycustomer.pareto.concentration import concentration, pareto_share
from keycustomer.pareto.windows import pareto_by_period, pareto_by_window
from period_tables import MONTHS, for_all, panels, shuffled, table
from scipy.stats import poisson

POSITIVE = st.integers(1, 10**7).map(lambda t: t / 10_000)
ROWS = [
    ("a", MONTHS[0], 1, 8.0),
    ("b", MONTHS[0], 1, 2.0),
    ("a", MONTHS[1], 1, 2.0),
    ("c", MONTHS[1], 1, 18.0),
    ("d", MONTHS[2], 1, 10.0),
]


def test_growing_windows_by_hand():
    result = pareto_by_window(table(ROWS), top=0.5, draws=20)
    assert result.of("buyers")["customers"].tolist() == [2, 3, 4]
    # 8 of 10; c and half of a's 10 of 30 (1.5 customers); c and a of 40
    np.testing.assert_allclose(result.of("buyers")["share"], [0.8, 23 / 30, 28 / 40])
    np.testing.assert_allclose(result.of("all")["share"], [1, 28 / 30, 28 / 40])
    assert result.of("buyers")["days"].tolist() == [31, 60, 91]


def test_single_periods_by_hand():
    result = pareto_by_period(table(ROWS), top=0.5, draws=20)
    np.testing.assert_allclose(result.of("buyers")["share"], [0.8, 0.9, 0.5])
    assert result.of("all")["customers"].tolist() == [4, 4, 4]


@for_all(panels(money=POSITIVE))
def test_shares_are_those_of_the_summed_values(frame):
    result = pareto_by_window(frame, draws=2, every="month")
    for row in result.of("all").itertuples():
        inside = frame[frame["period"] <= row.end]
        sums = inside.groupby("customer_id")["revenue"].sum()
        everybody = sums.reindex(frame["customer_id"].unique(), fill_value=0.0)
        assert row.share == pytest.approx(pareto_share(everybody), rel=1e-9)
    buyers = result.of("buyers")
    assert (buyers["share"] <= result.of("all")["share"] + 1e-12).all()


@for_all(panels(money=POSITIVE))
def test_the_order_of_rows_does_not_matter(frame):
    one, two = (pareto_by_period(f, draws=5, every="month") for f in (frame, shuffled(frame)))
    pd.testing.assert_frame_equal(one.frame, two.frame)


def test_a_table_of_orders_gives_the_same_as_one_of_periods():
    frame = table(ROWS)
    split = pd.concat([frame.assign(revenue=frame["revenue"] / 2)] * 2)
    split = split.rename(columns={"period": "date"}).drop(columns="orders")
    one = pareto_by_window(split, period="date", repeated=True, every="month", draws=10)
    pd.testing.assert_frame_equal(one.frame, pareto_by_window(frame, draws=10).frame)


def test_customers_on_file_who_never_bought_raise_the_share():
    few = pareto_by_window(table(ROWS), draws=5).of("all")["share"]
    many = pareto_by_window(table(ROWS), draws=5, on_file=400).of("all")["share"]
    assert (many == 1).all()
    assert few.iloc[-1] < 1


def test_every_window_has_the_interval_it_would_have_alone():
    generator = np.random.default_rng(5)
    frame = table(
        [(f"c{k}", MONTHS[k % 3], 1, round(1 + generator.pareto(1.2), 2)) for k in range(60)]
    )
    result = pareto_by_window(frame, draws=100, seed=3)
    for row in result.frame.itertuples():
        inside = frame[frame["period"] <= row.end]
        sums = inside.groupby("customer_id")["revenue"].sum()
        if row.population == "all":
            sums = sums.reindex(frame["customer_id"], fill_value=0.0)
        alone = concentration(sums, tops=[0.2], draws=100, seed=3).top[0.2]
        assert (row.lower, row.upper) == pytest.approx((alone.lower, alone.upper), rel=1e-9)


def test_windows_can_begin_later_and_end_where_one_says():
    result = pareto_by_window(table(ROWS), start=MONTHS[1], ends=[MONTHS[2]], draws=5)
    assert result.of("buyers")["customers"].tolist() == [3]
    assert result.frame["start"].unique().tolist() == [MONTHS[1]]


def test_at_most_twelve_windows_unless_named():
    days = pd.date_range("2024-01-01", periods=40)
    rows = [(id_, day, 1, 1.0) for day in days for id_ in "ab"]
    assert len(pareto_by_window(table(rows), draws=2).of("all")) == 12


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"top": 20}, "top=20 must be a share between 0 and 1; 20 % is top=0.2"),
        ({"on_file": 3}, "on_file=3: the table itself holds 4 customers"),
        ({"start": "2025-01-01"}, "start='2025-01-01': nobody bought from then on; the table has"),
        ({"ends": ["2023-01-01"]}, "ends: nobody bought in the period"),
        ({"value": "x"}, "periods: column 'x' is missing; columns found: customer_id, period"),
    ],
)
def test_arguments_that_cannot_be_used(options, text):
    with pytest.raises(ValueError) as raised:
        pareto_by_window(table(ROWS), draws=2, **options)
    assert str(raised.value).startswith(text)


def test_a_window_in_which_nothing_was_sold():
    rows = [("a", MONTHS[0], 1, 0.0), ("b", MONTHS[1], 1, 5.0)]
    with pytest.raises(ValueError) as raised:
        pareto_by_period(table(rows), draws=2)
    assert str(raised.value) == (
        "the customers' values in the window 2024-01 add up to 0: a share of nothing has no "
        "meaning; the table has 2 periods: 2024-01-01, 2024-02-01"
    )


def test_what_luck_alone_concentrates_goes_with_the_length_of_the_window():
    # customers who all have the same rate: in 60 days orders are Poisson with mean 6
    rng = np.random.default_rng(4)
    days = pd.date_range("2024-01-01", periods=60)
    orders = rng.poisson(0.1, (2000, 60))
    rows = [
        (f"{n:04d}", day, int(k), float(k))
        for n, row in enumerate(orders)
        for day, k in zip(days, row, strict=True)
        if k
    ]
    shares = pareto_by_window(table(rows), draws=20).of("all")["share"]
    assert shares.iloc[0] == 1
    assert shares.is_monotonic_decreasing
    falling = np.arange(60)[::-1]
    reached = np.append(0, np.cumsum(poisson.pmf(falling, 6)))
    value = np.append(0, np.cumsum(falling * poisson.pmf(falling, 6))) / 6
    # 2,000 customers leave a sampling error of about .004
    assert shares.iloc[-1] == pytest.approx(np.interp(0.2, reached, value), abs=0.012)

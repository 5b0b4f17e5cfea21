"""Calibration and holdout: against the engine, against counts by hand, on hostile tables."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import customers, lifetime
from period_tables import cdnow_lines

SPLIT = "1997-09-30"
DAY_ONE = dt.date(2024, 1, 1)

# The engine adds up money exactly, numpy in floating point.
ROUNDING = 1e-12


def log(*rows):
    """Make a purchase log of rows such as ("a", 0, 5.0): customer, days after the first, amount."""
    frame = pd.DataFrame(list(rows), columns=["customer_id", "date", "revenue"])
    frame["date"] = pd.Timestamp(DAY_ONE) + pd.to_timedelta(frame["date"], unit="D")
    return frame


HAND = log(
    ("b", 9, 2.0),
    ("a", 0, 5.0),
    ("a", 4, 3.0),
    ("a", 4, 4.0),
    ("a", 8, 1.0),
    ("b", 2, 6.0),
    ("b", 5, 6.5),
    ("late", 7, 50.0),
    ("one", 5, 8.0),
)


@pytest.mark.parametrize(
    ("base", "day"), [("cdnow_base", SPLIT), ("complete_journey_base", "2017-06-30")]
)
def test_the_calibration_table_is_the_customer_table_of_the_engine(base, day, request):
    base = request.getfixturevalue(base)
    split = lifetime.split_holdout(base, day)
    table = customers.customer_table(base, end=day)
    table = table[table["T"].notna()].reset_index(drop=True)
    shared = ["customer_id", "frequency", "recency", "T", "monetary_value"]
    shared += ["first_order", "last_order"]
    pd.testing.assert_frame_equal(
        split.calibration[shared], table[shared], check_dtype=False, rtol=ROUNDING
    )


def test_the_holdout_is_counted_as_pandas_counts_it(cdnow_base):
    split = lifetime.split_holdout(cdnow_base, SPLIT)
    after = cdnow_lines().query("date > @SPLIT").groupby("customer_id")
    ids = split.calibration["customer_id"]
    np.testing.assert_array_equal(
        split.purchases, after["date"].nunique().reindex(ids, fill_value=0)
    )
    np.testing.assert_allclose(split.revenue, after["revenue"].sum().reindex(ids, fill_value=0.0))
    assert (split.customers, split.won_later) == (23_570, 0)
    assert (split.calibration_days, split.holdout_days, split.horizon()) == (273, 273, 39)


def test_a_base_and_its_purchase_days_give_the_same(complete_journey_base):
    base = complete_journey_base
    one = lifetime.split_holdout(base, "2017-06-30")
    days = customers.purchase_days(base).sample(frac=1, random_state=1)
    other = lifetime.split_holdout(days, "2017-06-30", start=base.start, end=base.end)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    pd.testing.assert_frame_equal(one.daily, other.daily)
    assert one.won_later == other.won_later == 78


def test_a_split_by_hand():
    before = HAND.copy()
    split = lifetime.split_holdout(HAND, "2024-01-06")
    pd.testing.assert_frame_equal(HAND, before)
    table = split.to_frame()
    assert table["customer_id"].tolist() == ["a", "b", "one"]
    assert table["frequency"].tolist() == [1, 1, 0]
    assert table["recency"].tolist() == [4, 3, 0]
    assert table["T"].tolist() == [5, 3, 0]
    np.testing.assert_array_equal(table["monetary_value"], [7, 6.5, np.nan])
    assert table["revenue"].tolist() == [12, 12.5, 8]
    assert table["holdout_purchases"].tolist() == [1, 1, 0]
    assert table["holdout_revenue"].tolist() == [1, 2, 0]
    assert (split.start, split.end) == (DAY_ONE, dt.date(2024, 1, 10))
    assert (split.calibration_days, split.holdout_days, split.won_later) == (6, 4, 1)
    assert split.daily["won"].tolist() == [1, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    assert split.daily["repeats"].tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 1, 1]


def test_a_later_start_forgets_what_was_before():
    split = lifetime.split_holdout(HAND, "2024-01-06", start="2024-01-03", end="2024-01-09")
    table = split.to_frame()
    assert table["customer_id"].tolist() == ["a", "b", "one"]
    assert table["frequency"].tolist() == [0, 1, 0]
    assert table["holdout_purchases"].tolist() == [1, 0, 0]
    assert split.horizon("day") == 3


def test_columns_may_have_other_names_and_no_amounts():
    renamed = HAND.rename(columns={"customer_id": "who", "date": "when"}).drop(columns="revenue")
    split = lifetime.split_holdout(
        renamed, "2024-01-06", customer_id="who", date="when", revenue=None
    )
    assert split.to_frame()["holdout_purchases"].tolist() == [1, 1, 0]
    assert np.isnan(split.revenue).all()
    assert split.calibration["monetary_value"].isna().all()


def test_hours_and_time_zones_are_days_where_the_customer_was():
    zoned = HAND.assign(
        date=(HAND["date"] + pd.Timedelta(hours=23)).dt.tz_localize("Asia/Shanghai")
    )
    one = lifetime.split_holdout(zoned, "2024-01-06").to_frame()
    pd.testing.assert_frame_equal(one, lifetime.split_holdout(HAND, "2024-01-06").to_frame())


ENTRIES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 12), st.integers(0, 900)), min_size=1
)


@settings(max_examples=40)
@given(entries=ENTRIES, border=st.integers(0, 11))
def test_counting_agrees_with_dictionaries(entries, border):
    rows = [("a", 0, 1.0), *((who, day, cents / 100) for who, day, cents in entries)]
    day = DAY_ONE + dt.timedelta(days=border)
    split = lifetime.split_holdout(log(*rows), day, end=DAY_ONE + dt.timedelta(days=12))
    days = {who: sorted({d for w, d, _ in rows if w == who}) for who, _, _ in rows}
    known = {who: found for who, found in sorted(days.items()) if found[0] <= border}
    early = {who: [d for d in found if d <= border] for who, found in known.items()}
    table = split.to_frame()
    assert table["customer_id"].tolist() == list(known)
    assert table["frequency"].tolist() == [len(found) - 1 for found in early.values()]
    assert table["recency"].tolist() == [found[-1] - found[0] for found in early.values()]
    assert table["T"].tolist() == [border - found[0] for found in early.values()]
    later = [len(found) - len(early[who]) for who, found in known.items()]
    assert table["holdout_purchases"].tolist() == later
    assert split.won_later == len(days) - len(known)
    total = sum(amount for who, _, amount in rows if who in known)
    assert table[["revenue", "holdout_revenue"]].to_numpy().sum() == pytest.approx(total)
    assert split.daily["won"].sum() == len(known)
    assert split.daily["repeats"].sum() == table[["frequency", "holdout_purchases"]].sum().sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="date"), "'date' is missing; columns found: customer_id, rev"),
        (lambda t: t.drop(columns="revenue"), "'revenue' is missing.*without amounts: revenue=No"),
        (lambda t: t.assign(date=t["date"].astype(str)), "'date' holds no dates.*to_datetime"),
        (lambda t: t.assign(date=t["date"].where(t.index > 0)), "'date' is not known in 1 rows"),
        (lambda t: t.assign(customer_id=t["customer_id"].where(t.index > 1)), "'customer_id' is n"),
        (lambda t: t.assign(revenue=t["revenue"].astype(str)), "'revenue' holds no numbers"),
        (lambda t: t.assign(revenue=-t["revenue"]), "negative, which is a return .* in 9 rows"),
        (lambda t: t.assign(revenue=np.inf), "'revenue' is not a finite number in 9 rows"),
        (lambda t: t.iloc[:0], "no rows"),
    ],
)
def test_a_broken_table_is_refused_with_the_cure(change, message):
    with pytest.raises(ValueError, match=message):
        lifetime.split_holdout(change(HAND), "2024-01-06")


def test_all_complaints_come_at_once():
    broken = HAND.assign(revenue=-1.0, customer_id=None)
    with pytest.raises(ValueError, match=r"(?s)'customer_id' is not known.*'revenue' is negative"):
        lifetime.split_holdout(broken, "2024-01-06")


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ({"split": "2024-01-10"}, "from 2024-01-01 on and before 2024-01-10 is needed.*observed"),
        ({"split": "2023-12-31"}, "split='2023-12-31'"),
        ({"split": "soon"}, "split is a day such as '2017-06-30', got 'soon'"),
        ({"split": None}, "split: the last day of the calibration period is needed"),
        ({"split": "2024-01-02", "start": "2024-01-02"}, "nobody bought between 2024-01-02 and"),
        ({"split": "2024-01-02", "end": float("nan")}, "end is a day"),
    ],
)
def test_days_without_sense_are_refused(days, message):
    with pytest.raises(ValueError, match=message):
        lifetime.split_holdout(HAND, **days)


def test_what_is_no_table_is_refused():
    with pytest.raises(TypeError, match=r"a prepared base or a table .* got list"):
        lifetime.split_holdout([1, 2], "2024-01-06")


def test_ids_are_shown_as_they_stand():
    hostile = HAND.replace({"customer_id": {"a": "<b>&"}})
    shown = lifetime.split_holdout(hostile, "2024-01-06")._repr_html_()
    assert "&lt;b&gt;&amp;" in shown
    assert "<b>" not in shown

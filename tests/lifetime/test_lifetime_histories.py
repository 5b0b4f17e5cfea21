"""Purchase histories: compression, units, the engine's count, every complaint at once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.customers import customer_table
from keycustomer.lifetime import histories as module
from keycustomer.lifetime.histories import Histories, count_histories, read_histories

ROUNDING = 1e-14  # relative error of one multiplication of times


@st.composite
def tables(draw):
    """Draw customer tables with equal rows and customers who never bought."""
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 4), st.integers(1, 9), st.integers(0, 9), st.booleans()),
            min_size=1,
            max_size=30,
        )
    )
    frame = pd.DataFrame(
        [(x, t if x else 0, t + more if x else more) for x, t, more, _ in rows],
        columns=["frequency", "recency", "T"],
    ).astype(float)
    never = [never for *_, never in rows]
    frame.loc[never, ["recency", "T"]] = np.nan
    frame.loc[never, "frequency"] = 0.0
    return frame if frame["T"].notna().any() else frame.fillna(0).assign(frequency=0)


@settings(max_examples=30)
@given(tables(), st.booleans())
def test_rows_are_the_different_histories(frame, fractional):
    frame = frame / ([1, 7, 7] if fractional else [1, 1, 1])
    known = read_histories(frame, unit="day", keep_customers=True)
    bought = frame.dropna()
    counted = bought.groupby(["frequency", "recency", "T"]).size()
    assert known.rows == len(counted)
    assert known.weights.tolist() == counted.tolist()
    columns = np.stack([known.frequency, known.recency, known.T], axis=1)
    assert columns == pytest.approx(np.array(counted.index.tolist()), rel=ROUNDING)
    for values, name in zip(columns.T, bought.columns, strict=True):
        spread = known.per_customer(values)
        assert spread[bought.index] == pytest.approx(bought[name].to_numpy(), rel=ROUNDING)
        assert np.isnan(np.delete(spread, bought.index)).all()
    assert known.never_bought == len(frame) - len(bought)
    assert known.customers == len(bought)


@settings(max_examples=10)
@given(tables())
def test_customers_kept_or_not_give_the_same_rows(frame):
    one, other = (read_histories(frame, keep_customers=keep) for keep in (True, False))
    for name in ("frequency", "recency", "T", "weights"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert other.row_of_customer is None
    assert other.per_customer(other.T) is other.T


def test_numbers_too_large_for_one_key_are_compressed_alike(monkeypatch):
    frame = pd.DataFrame({"frequency": [2, 0, 2], "recency": [5, 0, 5], "T": [9, 9, 9]})
    usual = read_histories(frame, keep_customers=True)
    monkeypatch.setattr(module, "LARGEST_KEY", 1)
    other = read_histories(frame, keep_customers=True)
    assert other.weights.tolist() == usual.weights.tolist() == [1, 2]
    assert other.row_of_customer.tolist() == usual.row_of_customer.tolist() == [1, 0, 1]


def test_the_engine_counts_the_same_histories(cdnow_base):
    days = {"start": "1997-01-01", "end": "1997-09-30"}
    counted = count_histories(cdnow_base, **days)
    read = read_histories(customer_table(cdnow_base, **days))
    for name in ("frequency", "recency", "T", "weights"):
        assert np.array_equal(getattr(counted, name), getattr(read, name))
    assert (read.customers, read.never_bought) == (23_570, 0)


def test_nobody_in_the_window_is_said(cdnow_base):
    with pytest.raises(ValueError, match="nobody bought between 1996-01-01 and 1996-02-01"):
        count_histories(cdnow_base, start="1996-01-01", end="1996-02-01")


# -- units and sums --------------------------------------------------------------------------------


def test_times_are_counted_in_the_unit_asked_for():
    frame = pd.DataFrame({"frequency": [1], "recency": [14], "T": [70]})
    weeks = read_histories(frame)
    assert (weeks.unit, weeks.recency[0], weeks.T[0]) == ("week", 2, 10)
    months = read_histories(weeks, unit="month")
    assert months.T == pytest.approx([70 / 30.4375], rel=ROUNDING)
    assert read_histories(weeks) is weeks
    as_weeks = read_histories(frame, recorded_in="week", unit="day")
    assert as_weeks.T == pytest.approx([490], rel=ROUNDING)


def test_sums_by_frequency_and_means():
    known = Histories(
        np.array([0.0, 2.0, 2.0, 7.0]),
        np.zeros(4),
        np.ones(4),
        np.array([5.0, 1.0, 1.0, 3.0]),
        "day",
    )
    assert known.frequencies.tolist() == [0, 2, 7]
    assert known.frequency_index.tolist() == [0, 1, 1, 2]
    assert known.by_frequency(known.weights).tolist() == [5, 2, 3]
    assert known.mean(known.frequency) == pytest.approx(25 / 10, rel=ROUNDING)


def test_rows_of_no_customers_are_left_out():
    known = Histories(np.arange(3.0), np.arange(3.0), np.full(3, 9.0), np.ones(3), "week")
    drawn = known.reweighted(np.array([2.0, 0.0, 1.0]))
    assert drawn.frequency.tolist() == [0, 2]
    assert (drawn.customers, drawn.unit) == (3, "week")
    assert known.weights.tolist() == [1, 1, 1]


def test_other_column_names():
    frame = pd.DataFrame({"x": [1], "tx": [7], "age": [14]})
    assert read_histories(frame, frequency="x", recency="tx", T="age").T.tolist() == [2]


def test_nullable_columns_are_read():
    frame = pd.DataFrame({"frequency": [1, 0], "recency": [7, 0], "T": [14, None]}, dtype="Int64")
    assert read_histories(frame).never_bought == 1


# -- hostile input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((-1, 0, 9), r"'frequency' is not a whole number of at least 0 in 1 rows \(row 'b'"),
        ((1.5, 3, 9), r"'frequency' is not a whole number"),
        ((np.nan, 0, 9), r"'frequency' is not a finite number"),
        ((1, np.nan, 9), r"'recency' is not a finite number"),
        ((1, 3, np.inf), r"'T' is not a finite number"),
        ((1, -3, 9), r"'recency' is negative"),
        ((1, 10, 9), r"'recency' exceeds 'T' in 1 rows .*recency=10, T=9\); correct or drop"),
        ((1, 0, 9), r"'recency' is 0 although 'frequency' is not"),
        ((0, 3, 9), r"'frequency' is 0 although 'recency' is not"),
        ((2, 5, np.nan), r"'T' is not known although 'frequency' or 'recency' is above 0 in 1"),
    ],
)
def test_refused_rows(row, message):
    frame = pd.DataFrame([(2, 5, 9), row], columns=["frequency", "recency", "T"], index=["a", "b"])
    with pytest.raises(ValueError, match=message):
        read_histories(frame)


def test_all_complaints_come_at_once():
    frame = pd.DataFrame({"frequency": [-1, 2], "recency": [0, 12], "T": [9, 9]})
    with pytest.raises(ValueError, match="frequency") as caught:
        read_histories(frame)
    assert "exceeds" in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        ([1, 2], TypeError, r"a customer table \(DataFrame\) or Histories is needed, got list"),
        (
            pd.DataFrame({"frequency": [1]}),
            ValueError,
            "column 'recency', 'T' is missing; columns found: frequency",
        ),
        (
            pd.DataFrame({"frequency": ["1"], "recency": [1], "T": [2]}),
            ValueError,
            "column 'frequency' holds no numbers",
        ),
        (
            pd.DataFrame({"frequency": [True], "recency": [1], "T": [2]}),
            ValueError,
            r"column 'frequency' holds no numbers.*\(held: bool\)",
        ),
        (
            pd.DataFrame([[1, 1, 1, 2]], columns=["frequency", "frequency", "recency", "T"]),
            ValueError,
            "column 'frequency' stands in the table more than once",
        ),
        (
            pd.DataFrame({"frequency": [0.0], "recency": [0.0], "T": [np.nan]}),
            ValueError,
            "nobody has a purchase",
        ),
    ],
)
def test_refused_tables(frame, error, message):
    with pytest.raises(error, match=message):
        read_histories(frame)


def histories(**changed):
    columns = {"frequency": [3.0, 0.0], "recency": [2.0, 0.0], "T": [4.0, 5.0], "weights": [1.0, 2]}
    arrays = {name: np.array(values) for name, values in columns.items()}
    return Histories(**{**arrays, "unit": "week", **changed})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weights": np.zeros(2)}, "weights are numbers of customers, finite and at least 0, some"),
        ({"weights": np.array([-1.0, 2.0])}, "weights are numbers of customers"),
        ({"weights": np.array([np.nan, 2.0])}, "weights are numbers of customers"),
        ({"T": np.array([1.0, 5.0])}, r"'recency' exceeds 'T' in 1 rows \(row 0"),
        ({"recency": np.array([np.nan, 0.0])}, "'recency' is not a finite number"),
        ({"T": [4.0, 5.0]}, r"arrays of one length, got .* list of shape \(2,\)"),
        ({"T": np.array([4.0])}, "arrays of one length"),
        ({"unit": "weeks"}, "unit='weeks': one of 'day'"),
    ],
)
def test_histories_made_by_hand_are_checked(changed, message):
    assert read_histories(histories()).customers == 3
    with pytest.raises(ValueError, match=message):
        read_histories(histories(**changed))


def test_unknown_units_are_refused():
    frame = pd.DataFrame({"frequency": [0], "recency": [0], "T": [2]})
    with pytest.raises(ValueError, match="unit='fortnight'"):
        read_histories(frame, unit="fortnight")
    with pytest.raises(ValueError, match="recorded_in='hour'"):
        read_histories(frame, recorded_in="hour")


def test_tables_stay_as_they_were():
    frame = pd.DataFrame({"frequency": [2, 1], "recency": [5, 3], "T": [9, 9]})
    before = frame.copy(deep=True)
    read_histories(frame)
    read_histories(frame, keep_customers=True)
    pd.testing.assert_frame_equal(frame, before)

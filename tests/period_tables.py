"""Tables of customers by period for the tests: CDNOW, small ones by hand, random ones."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

DAY_ONE = pd.Timestamp("1997-01-01")
MONTHS = pd.date_range("2024-01-01", periods=6, freq="MS")


@cache
def cdnow_lines() -> pd.DataFrame:
    """Read the whole CDNOW set: customer_id as text, date, revenue."""
    folder = Path(find_spec("lifetimes").origin).parent / "datasets"
    lines = pd.read_csv(
        folder / "CDNOW_master.txt", sep=r"\s+", dtype={"customer_id": str, "date": str}
    )
    lines["date"] = pd.to_datetime(lines["date"], format="%Y%m%d")
    return lines.rename(columns={"dollar_value": "revenue"})


@cache
def cdnow_periods(days: int | None = None) -> pd.DataFrame:
    """CDNOW by month, or by a number of days from the first; an order is a customer-day."""
    lines = cdnow_lines()
    if days is None:
        period = lines["date"].dt.to_period("M").dt.start_time
    else:
        number = (lines["date"] - DAY_ONE).dt.days // days
        period = DAY_ONE + pd.to_timedelta(number * days, unit="D")
    grouped = lines.assign(period=period).groupby(["customer_id", "period"], as_index=False)
    return grouped.agg(orders=("date", "nunique"), revenue=("revenue", "sum"))


def table(rows, columns=("customer_id", "period", "orders", "revenue")) -> pd.DataFrame:
    """Make a table of periods from rows such as ("a", "2024-01-01", 1, 10.0)."""
    frame = pd.DataFrame(rows, columns=list(columns))
    frame["period"] = pd.to_datetime(frame["period"])
    return frame


def shuffled(frame: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=seed, ignore_index=True)


MONEY = st.integers(-200_000, 5_000_000).map(lambda ticks: ticks / 10_000)
"""Amounts as the engine holds them: ten-thousandths, sometimes a net return."""


@st.composite
def panels(draw, most=8, months=4, money=MONEY):
    """Random tables of periods in which the first two months have at least one buyer."""
    ids = [f"{n:02d}" for n in range(draw(st.integers(1, most)))]
    keys = st.tuples(st.sampled_from(ids), st.sampled_from(list(MONTHS[:months])))
    cells = draw(st.lists(keys, unique=True, max_size=20))
    anchors = [(ids[0], MONTHS[0]), (ids[-1], MONTHS[1])]
    rows = []
    for key in dict.fromkeys([*anchors, *cells]):
        orders = draw(st.integers(1 if key in anchors else 0, 5))
        rows.append((*key, orders, draw(money)))
    return table(rows)


def for_all(*strategies, examples=30):
    """Check a property on random examples, without a clock: a busy machine is no failure."""
    return lambda test: settings(deadline=None, max_examples=examples)(given(*strategies)(test))

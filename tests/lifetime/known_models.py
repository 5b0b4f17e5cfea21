"""Models of known answers, small tables, and the sample of CDNOW, for the tests of lifetime."""

from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from keycustomer import lifetime
from keycustomer.lifetime.histories import Histories
from period_tables import cdnow_lines

SPLIT = "1997-09-30"
FIRST, LAST = "1997-01-01", "1998-06-30"


@cache
def sample_days() -> pd.DataFrame:
    """Purchases of the 2,357 customers of the 1/10 sample of CDNOW."""
    path = Path(find_spec("lifetimes").origin).parent / "datasets" / "CDNOW_sample.txt"
    ids = set(pd.read_csv(path, sep=r"\s+", header=None, dtype=str)[0])
    lines = cdnow_lines()
    return lines[lines["customer_id"].isin(ids)].reset_index(drop=True)


@cache
def sample_summary() -> pd.DataFrame:
    """The sample's histories over 39 weeks as `lifetimes` ships them, times in whole days."""
    path = Path(find_spec("lifetimes").origin).parent / "datasets/cdnow_customers_summary.csv"
    weeks = pd.read_csv(path)
    return weeks.assign(recency=(weeks["recency"] * 7).round(), T=(weeks["T"] * 7).round())


def history_table(rows: list[tuple[float, float, float]]) -> pd.DataFrame:
    """Make a customer table of (frequency, recency, T), times in days."""
    return pd.DataFrame(rows, columns=["frequency", "recency", "T"])


@cache
def sample_split() -> lifetime.HoldoutSplit:
    """The sample at the end of its 39th week."""
    return lifetime.split_holdout(sample_days(), SPLIT, start=FIRST, end=LAST)


@cache
def sample_models() -> tuple:
    """BG/NBD and Pareto/NBD of the sample."""
    table = sample_split().calibration
    return lifetime.fit_bgnbd(table), lifetime.fit_paretonbd(table)


@dataclass(frozen=True)
class Steady:
    """Every customer buys at one rate for ever: what is expected needs no formula."""

    rate: float
    model: str = "steady"
    unit: str = "day"
    histories: Histories | None = field(default=None, repr=False)

    def expected_purchases(self, horizon, customers):
        return np.full(len(customers), self.rate * horizon)

    def expected_purchases_new(self, horizon):
        return self.rate * np.asarray(horizon, dtype=float)


def toy_split(customers=40, days=60, border=30, seed=0) -> lifetime.HoldoutSplit:
    """Customers who buy on random days; all are won on the first five days."""
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        first = int(generator.integers(0, 5))
        later = generator.choice(np.arange(first + 1, days), generator.integers(0, 9), False)
        rows += [(f"{number:03d}", day, 1.0) for day in [first, *later]]
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "revenue"])
    origin = pd.Timestamp("2024-01-01")
    frame["date"] = origin + pd.to_timedelta(frame["date"], unit="D")
    last = origin + pd.Timedelta(days=days - 1)
    return lifetime.split_holdout(
        frame, origin + pd.Timedelta(days=border - 1), start=origin, end=last
    )

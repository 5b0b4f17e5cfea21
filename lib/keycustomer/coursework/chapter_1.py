"""Exercises of chapter 1, Pareto analysis: shares, classes, stability, decisions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from keycustomer.coursework.registry import CaseData, exercise
from keycustomer.customers import customer_periods
from keycustomer.customers.answers import ranked, whole_customers
from keycustomer.pareto import concentration, customers_for, pareto_share
from keycustomer.stats import verdict_at_least


@exercise("1.1", "choice")
def share_when_everybody_doubles(case: CaseData) -> str:
    """Say what the top fifth's share does when every customer spends twice as much."""
    before = pareto_share(case.buyers["revenue"], 0.2)
    after = pareto_share(2 * case.buyers["revenue"], 0.2)
    return "stays" if math.isclose(before, after) else "rises" if after > before else "falls"


@exercise("1.2", "share")
def top_tenth(case: CaseData) -> float:
    """Share of revenue that comes from the top tenth of the buyers."""
    return pareto_share(case.buyers["revenue"], 0.1)


@top_tenth.trap("that is the top fifth; the question is about the top tenth")
def _top_fifth_share(case: CaseData) -> float:
    return pareto_share(case.buyers["revenue"], 0.2)


@top_tenth.trap("that ranks customers by orders; rank them by revenue")
def _by_orders(case: CaseData) -> float:
    order = np.argsort(-case.buyers["orders"].to_numpy(), kind="stable")
    revenue = case.buyers["revenue"].to_numpy()[order]
    return float(revenue[: round(0.1 * len(revenue))].sum() / revenue.sum())


@top_tenth.trap("that is their share of the orders, not of the revenue")
def _share_of_orders(case: CaseData) -> float:
    return pareto_share(case.buyers["orders"].astype(float), 0.1)


@top_tenth.trap("the population is everybody on file; the question means buyers with revenue")
def _of_all_customers(case: CaseData) -> float:
    return pareto_share(case.table["revenue"].clip(lower=0), 0.1)


@exercise("1.3", "count")
def customers_for_half(case: CaseData) -> int:
    """How many of the largest customers it takes to reach half of the revenue."""
    return _customers_to_reach(case, 0.5)


@customers_for_half.trap("that is how many make 80 %; the question is about half")
def _for_four_fifths(case: CaseData) -> int:
    return _customers_to_reach(case, 0.8)


@customers_for_half.trap("that counts from the smallest customers upwards; begin with the largest")
def _from_below(case: CaseData) -> int:
    rising = np.sort(case.buyers["revenue"].to_numpy())
    return int(np.searchsorted(np.cumsum(rising), 0.5 * rising.sum()) + 1)


@customers_for_half.trap("half of the customers is not half of the revenue")
def _half_of_customers(case: CaseData) -> int:
    return math.ceil(len(case.buyers) / 2)


@exercise("1.4", "share")
def still_at_the_top(case: CaseData) -> float:
    """Of the first half's top fifth of buyers by revenue, who buys at all in the second half."""
    first, second = _halves(case)
    top = _top_fifth(first)
    return float(np.mean([one in second.index for one in top]))


@still_at_the_top.trap("that is the share still in the top fifth; buying at all is asked for")
def _in_top_again(case: CaseData) -> float:
    first, second = _halves(case)
    return len(_top_fifth(first) & _top_fifth(second)) / len(_top_fifth(first))


@still_at_the_top.trap("that is the share of all buyers; only the first half's top fifth counts")
def _of_all_buyers(case: CaseData) -> float:
    first, second = _halves(case)
    return float(np.mean([one in second.index for one in first.index]))


@exercise("1.5", "customers")
def first_ten_visits(case: CaseData) -> list[str]:
    """Find the ten largest of the first half's top fifth without revenue in the second half."""
    first, second = _halves(case)
    lapsed = first[first.index.isin(_top_fifth(first)) & ~first.index.isin(second.index)]
    return _by_size(lapsed)[:10]


@first_ten_visits.trap("these are the ten largest of the first half; some of them still buy")
def _largest_of_first_half(case: CaseData) -> list[str]:
    return _by_size(_halves(case)[0])[:10]


@first_ten_visits.trap("these lapsed as well, but they are the smallest of the top fifth")
def _smallest_lapsed(case: CaseData) -> list[str]:
    first, second = _halves(case)
    lapsed = first[first.index.isin(_top_fifth(first)) & ~first.index.isin(second.index)]
    return _by_size(lapsed)[-10:]


@exercise("1.6", "choice")
def verdict_on_the_claim(case: CaseData) -> str:
    """Return the ledger's verdict on 80/20 for this case, by the chapter's own settings."""
    chosen = {name: case.parameters[name] for name in ("population", "draws", "seed")}
    measured = concentration(case.table["revenue"].clip(lower=0), **chosen)
    return verdict_at_least(measured.top[0.2], 0.80)


def _customers_to_reach(case: CaseData, share: float) -> int:
    buyers = case.buyers["revenue"]
    # A hair is taken off so that an exact border does not become one more customer by rounding.
    return math.ceil(customers_for(buyers, share) * len(buyers) - 1e-6)


def _halves(case: CaseData) -> tuple[pd.Series, pd.Series]:
    """Revenue of the customers with orders and positive revenue, by half of the window."""
    width = math.ceil(case.base.days / 2)
    periods = customer_periods(case.base, f"{width} days")
    periods = periods[(periods["orders"] > 0) & (periods["revenue"] > 0)]
    starts = [pd.Timestamp(case.base.start) + pd.Timedelta(days=width * k) for k in (0, 1)]
    first, second = (
        periods[periods["period"] == start].set_index("customer_id")["revenue"] for start in starts
    )
    return first, second


def _by_size(revenue: pd.Series) -> list[str]:
    frame = revenue.rename("revenue").rename_axis("customer_id").reset_index()
    return ranked(frame, "revenue")["customer_id"].tolist()


def _top_fifth(revenue: pd.Series) -> set[str]:
    return set(_by_size(revenue)[: whole_customers(0.2, len(revenue))])

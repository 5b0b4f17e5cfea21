"""CDNOW, 23,570 customers, 78 weeks: the concentration figures of the design's methods.

The figures were obtained by an independent program on the same file and are pinned to the last
printed digit.
"""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest
from keycustomer import pareto

HALF_A_PERMILLE = 0.0005
"""Shares are printed in percent with one digit."""


@pytest.fixture(scope="module")
def lines():
    found = importlib.util.find_spec("lifetimes")
    folder = Path(found.origin).parent / "datasets"
    names = ["customer_id", "date", "quantity", "revenue"]
    return pd.read_csv(
        folder / "CDNOW_master.txt",
        sep=r"\s+",
        header=0,
        names=names,
        dtype={"customer_id": str},
        parse_dates=["date"],
    )


@pytest.fixture(scope="module")
def revenue(lines):
    return lines.groupby("customer_id")["revenue"].sum()


@pytest.fixture(scope="module")
def result(revenue):
    return pareto.concentration(revenue, quantity="revenue", population="buyers", draws=200)


def test_customers_and_buyers(lines, revenue, result):
    assert (len(lines), len(revenue)) == (69_659, 23_570)
    assert (result.customers, result.left_out) == (23_502, 68)


@pytest.mark.parametrize(("top", "share"), [(0.2, 0.677), (0.1, 0.509), (0.01, 0.158)])
def test_pareto_share(result, top, share):
    # the top 1 % is printed as 15.9 % among all customers, 15.8 % among buyers
    assert result.top[top].estimate == pytest.approx(share, abs=HALF_A_PERMILLE)


def test_pareto_share_of_all_customers(revenue):
    assert pareto.pareto_share(revenue, 0.01) == pytest.approx(0.159, abs=HALF_A_PERMILLE)
    assert pareto.pareto_share(revenue, 0.1) == pytest.approx(0.509, abs=HALF_A_PERMILLE)


def test_customers_for_80_percent(result):
    assert result.needed[0.8].estimate == pytest.approx(0.327, abs=HALF_A_PERMILLE)


def test_gini_and_hhi(result):
    assert result.gini.estimate == pytest.approx(0.6335, abs=0.00005)
    assert result.hhi.estimate == pytest.approx(0.000261, abs=0.0000005)


def test_one_month_and_39_weeks(lines):
    april = lines[lines["date"].dt.to_period("M") == "1997-04"]
    first = lines[lines["date"] < pd.Timestamp("1997-01-01") + pd.Timedelta(weeks=39)]
    for window, share in ((april, 0.527), (first, 0.628)):
        spent = window.groupby("customer_id")["revenue"].sum()
        measured = pareto.pareto_share(spent, population="buyers")
        assert measured == pytest.approx(share, abs=HALF_A_PERMILLE)


def test_the_interval_excludes_80_percent(result):
    top = result.top[0.2]
    assert top.method == "BCa bootstrap of customers, 200 draws"
    assert 0.66 < top.lower < 0.677 < top.upper < 0.70


def test_intervals_catch_the_whole_base_from_a_tenth_of_it(revenue):
    # the whole base is the truth here; .92 were caught over 300 samples, 60 must catch 48
    truth = pareto.pareto_share(revenue)
    caught = 0
    for seed in range(60):
        sample = revenue.sample(2357, random_state=seed)
        top = pareto.concentration(sample, tops=(0.2,), draws=200, seed=seed).top[0.2]
        caught += top.lower <= truth <= top.upper
    assert caught >= 48

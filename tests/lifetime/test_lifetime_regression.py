"""The foreseen fall of the best: against chapter 1, by hand, on simulated customers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from keycustomer import customers, lifetime, pareto

SPLIT = "1997-09-30"
SAME = 1e-9  # sums of money in another order
CHANCE = 1.0  # width of a 95 % interval: four standard errors


@pytest.fixture(scope="module")
def split(cdnow_base):
    """Half a year and the next of all of CDNOW."""
    return lifetime.split_holdout(cdnow_base, SPLIT)


@pytest.fixture(scope="module")
def fits(split):
    return (
        lifetime.fit_paretonbd(split.calibration),
        lifetime.fit_gammagamma(split.calibration),
    )


def test_groups_are_those_of_chapter_1(cdnow_base, split, fits):
    model, spend = fits
    result = lifetime.foreseen_fall(model, split, spend=spend, draws=10)
    months = customers.customer_periods(cdnow_base)
    spans = ("1997-01-01", "1997-09-01"), ("1997-10-01", "1998-06-01")
    known = pareto.regression_to_mean(months, *spans, draws=10)
    shared = ["group", "customers", "first", "second", "full_persistence", "no_persistence"]
    pd.testing.assert_frame_equal(result.frame[shared], known.frame[shared], rtol=SAME)


def test_groups_hold_all_that_is_expected(split, fits):
    model, _ = fits
    frame = lifetime.foreseen_fall(model, split, groups=7, draws=10).frame
    horizon = split.horizon()
    expected = model.expected_purchases(horizon, split.calibration)
    size = split.customers / 7
    assert frame["expected"].sum() * size == pytest.approx(expected.sum(), rel=SAME)
    assert frame["second"].sum() * size == pytest.approx(split.purchases.sum(), rel=SAME)
    firsts = (split.calibration["frequency"] + 1).sum()
    assert frame["first"].sum() * size == pytest.approx(firsts, rel=SAME)
    assert (frame["expected"] <= frame["if_alive"]).all()
    assert (frame["first"].diff().dropna() < SAME).all()
    # as many days after the split as before it
    np.testing.assert_allclose(frame["same_again"], frame["first"], rtol=SAME)


def test_parts_add_up_to_the_fall(split, fits):
    model, _ = fits
    result = lifetime.foreseen_fall(model, split, draws=10)
    parts = result.parts()
    named = parts[["not_repeated", "left", "not_foreseen"]].sum(axis=1)
    np.testing.assert_allclose(named, parts["fall"], atol=SAME)
    best = parts.iloc[0]
    foreseen = (best["not_repeated"] + best["left"]) / best["fall"]
    assert result.foreseen.estimate == pytest.approx(foreseen, rel=SAME)
    assert result.foreseen.lower < foreseen < result.foreseen.upper


def test_the_fall_of_simulated_customers_is_foreseen():
    laws = lifetime.GammaLaw(0.8, 8.0), lifetime.BetaLaw(1.0, 4.0)
    drawn = lifetime.simulate_customers(
        "BG/NBD", *laws, 26.0, customers=20_000, horizon=26.0, seed=4
    )
    split = _split_of(drawn, 26)
    model = lifetime.fit_bgnbd(drawn)
    frame = lifetime.foreseen_fall(model, split, groups=5, draws=200).frame
    # an interval of 95 % is four standard errors wide
    away = (frame["expected"] - frame["second"]).abs()
    assert (away < CHANCE * (frame["upper"] - frame["lower"])).all()
    assert frame["second"][0] < 0.75 * frame["same_again"][0]


def _split_of(drawn, weeks):
    """Customers won on the first day, observed for some weeks after it, and as many again."""
    days = pd.Timedelta(days=7 * weeks)
    start = pd.Timestamp("2024-01-01")
    return lifetime.HoldoutSplit(
        drawn,
        drawn["future_purchases"].to_numpy(float),
        np.full(len(drawn), np.nan),
        pd.DataFrame(),
        start.date(),
        (start + days).date(),
        (start + 2 * days).date(),
        0,
    )


@dataclass(frozen=True)
class Twice:
    """Expect of everybody twice what the first number of its history says."""

    model: str = "twice"
    unit: str = "day"

    def expected_purchases(self, horizon, customers):
        return 2.0 * customers["frequency"].to_numpy(float)

    def _purchases_if_alive(self, horizon, x, T):
        return 3.0 * x


def hand_made(frequency, second):
    table = pd.DataFrame(
        {
            "customer_id": [f"c{n}" for n in range(len(frequency))],
            "frequency": frequency,
            "recency": [5.0 if x else 0.0 for x in frequency],
            "T": 9.0,
        }
    )
    return _split_of(table.assign(future_purchases=second, revenue=1.0), 1)


def test_groups_by_hand_share_equal_customers():
    split = hand_made([4, 1, 1, 0], [2, 5, 0, 1])
    result = lifetime.foreseen_fall(Twice(), split, groups=4, draws=20)
    # the second and third customer are equal, so each group has half of both
    np.testing.assert_allclose(result.frame["first"], [5, 2, 2, 1])
    np.testing.assert_allclose(result.frame["same_again"], [35 / 8, 14 / 8, 14 / 8, 7 / 8])
    np.testing.assert_allclose(result.frame["second"], [2, 2.5, 2.5, 1])
    np.testing.assert_allclose(result.frame["expected"], [8, 2, 2, 0])
    np.testing.assert_allclose(result.frame["if_alive"], [12, 3, 3, 0])
    assert result.foreseen.estimate == pytest.approx((5 * 7 / 8 - 8) / (5 * 7 / 8 - 2))
    turned = hand_made([0, 1, 1, 4], [1, 0, 5, 2])
    again = lifetime.foreseen_fall(Twice(), turned, groups=4, draws=20)
    shown = ["first", "second", "expected", "if_alive"]
    pd.testing.assert_frame_equal(result.frame[shown], again.frame[shown])


def test_who_did_not_fall_has_no_foreseen_share():
    result = lifetime.foreseen_fall(Twice(), hand_made([3, 0], [9, 0]), groups=2, draws=20)
    assert np.isnan(result.foreseen.estimate)
    assert "no interval" in result.foreseen.method


def test_a_table_reads_well(split, fits):
    html = lifetime.foreseen_fall(fits[0], split, draws=10)._repr_html_()
    assert "1997-01-01 to 1997-09-30" in html and "1997-10-01 to 1998-06-30" in html


def test_what_makes_no_sense_is_refused(cdnow_base, split, fits):
    model, spend = fits
    with pytest.raises(ValueError, match="groups=1: between 2 and the number of customers"):
        lifetime.foreseen_fall(model, split, groups=1)
    whole = lifetime.fit_bgnbd(customers.customer_table(cdnow_base))
    with pytest.raises(ValueError, match="it has seen the holdout period"):
        lifetime.foreseen_fall(whole, split)
    with pytest.raises(ValueError, match="the split knows no revenue"):
        table = split.calibration.head(50).assign(future_purchases=1.0)
        lifetime.foreseen_fall(Twice(), _split_of(table, 39), spend=spend)

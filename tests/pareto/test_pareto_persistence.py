import numpy as np
import pandas as pd
import pytest
from keycustomer.pareto.persistence import regression_to_mean
from period_tables import MONTHS, for_all, panels, shuffled, table

FIRST, SECOND = (MONTHS[0], MONTHS[3]), MONTHS[4]


def from_months(values, months=MONTHS[:5]):
    """Table of periods from an array (customers, months)."""
    rows = [
        (f"{n:04d}", month, 1, value)
        for n, row in enumerate(values)
        for month, value in zip(months, row, strict=True)
    ]
    return table(rows)


def test_groups_by_hand_with_a_tie_across_the_border():
    rows = [(id_, MONTHS[0], 1, v) for id_, v in zip("abcd", [9.0, 5.0, 5.0, 1.0], strict=True)]
    rows += [(id_, MONTHS[1], 1, v) for id_, v in zip("abcd", [8.0, 6.0, 2.0, 4.0], strict=True)]
    frame = regression_to_mean(table(rows), groups=2, draws=10).frame
    # b and c are equal and share both groups: half of (6 + 2) / 2 goes to each
    assert frame["first"].tolist() == [7.0, 3.0]
    assert frame["second"].tolist() == [6.0, 4.0]
    assert frame["no_persistence"].tolist() == [5.0, 5.0]
    np.testing.assert_allclose(frame["full_persistence"], [7.0, 3.0])


def test_the_reliability_is_cronbachs_alpha():
    # the same six persons and four items, computed with the plain formula
    values = np.array(
        [[2, 3, 3, 2], [4, 4, 5, 4], [1, 2, 1, 1], [5, 4, 4, 5], [3, 3, 2, 3], [4, 5, 4, 4]]
    )
    alpha = 4 / 3 * (1 - values.var(axis=0, ddof=1).sum() / values.sum(axis=1).var(ddof=1))
    frame = from_months(np.column_stack([values, np.ones(6)]))
    result = regression_to_mean(frame, FIRST, SECOND, groups=2, draws=10)
    assert result.reliability.estimate == pytest.approx(alpha, rel=1e-12)


def test_alpha_of_two_periods_is_the_guttman_split_half():
    rng = np.random.default_rng(5)
    values = rng.gamma(1, 10, (80, 1)) + rng.gamma(1, 5, (80, 3))
    frame = from_months(values.round(4), MONTHS[:3])
    ticks = values.round(4)
    result = regression_to_mean(frame, (MONTHS[0], MONTHS[1]), MONTHS[2], groups=4, draws=10)
    halves = np.cov(ticks[:, 0], ticks[:, 1])
    assert result.reliability.estimate == pytest.approx(4 * halves[0, 1] / halves.sum(), rel=1e-9)


def test_unchanged_customers_fall_as_luck_alone_predicts():
    # each customer has a fixed rate, orders are Poisson: only luck moves anyone
    rng = np.random.default_rng(1)
    rates = rng.gamma(0.8, 4, 20_000)
    frame = from_months(rng.poisson(rates[:, None], (20_000, 8)).astype(float), DAYS)
    result = regression_to_mean(frame, (DAYS[0], DAYS[3]), (DAYS[4], DAYS[7]), draws=100)
    best = result.frame.iloc[0]
    # gamma-Poisson: the expectation is exactly linear in the value, so the rule has no bias
    assert best["lower"] < best["luck_only"] < best["upper"]
    assert best["second"] < 0.97 * best["full_persistence"]
    assert result.luck_share.lower < 1 < result.luck_share.upper


DAYS = pd.date_range("2024-01-01", periods=8)


def test_customers_who_really_change_fall_further_than_luck():
    rng = np.random.default_rng(2)
    rates = rng.gamma(0.8, 4, 8_000)
    before = rng.poisson(rates[:, None], (8_000, 4))
    redrawn = np.where(rng.random(8_000) < 0.5, rng.gamma(0.8, 4, 8_000), rates)
    after = rng.poisson(redrawn[:, None], (8_000, 4))
    frame = from_months(np.hstack([before, after]).astype(float), DAYS)
    result = regression_to_mean(frame, (DAYS[0], DAYS[3]), (DAYS[4], DAYS[7]), draws=100)
    assert result.frame.iloc[0]["upper"] < result.frame.iloc[0]["luck_only"]
    assert result.luck_share.upper < 0.6


def test_identical_periods_are_fully_reliable():
    frame = from_months(np.outer([1.0, 2.0, 5.0, 9.0], np.ones(5)))
    result = regression_to_mean(frame, FIRST, SECOND, groups=2, draws=10)
    assert result.reliability.estimate == pytest.approx(1)
    assert result.rank_correlation == pytest.approx(1)
    np.testing.assert_allclose(result.frame["luck_only"], result.frame["second"])
    assert np.isnan(result.luck_share.estimate)


def test_a_single_first_period_has_no_reliability_and_says_so():
    result = regression_to_mean(
        from_months([[3.0, 1.0], [1.0, 2.0]], MONTHS[:2]), groups=2, draws=10
    )
    assert np.isnan(result.reliability.estimate)
    assert result.frame["luck_only"].isna().all()
    assert "nan" in result._repr_html_()


@for_all(panels())
def test_groups_keep_the_totals_and_the_order_of_rows_does_not_matter(frame):
    buyers = frame[(frame["period"] == MONTHS[0]) & (frame["orders"] > 0)]["customer_id"]
    if len(buyers) < 2:
        return
    one, two = (
        regression_to_mean(f, MONTHS[0], MONTHS[1], groups=2, draws=5)
        for f in (frame, shuffled(frame))
    )
    pd.testing.assert_frame_equal(one.frame, two.frame)
    for name, month in (("first", MONTHS[0]), ("second", MONTHS[1])):
        rows = frame[(frame["period"] == month) & frame["customer_id"].isin(buyers)]
        total = (one.frame[name] * one.frame["customers"]).sum()
        assert total == pytest.approx(rows["revenue"].sum(), abs=1e-6)


def test_known_customers_include_those_who_paused():
    rows = [(id_, MONTHS[0], 1, 1.0) for id_ in "abcd"]
    rows += [("a", MONTHS[1], 1, 4.0), ("e", MONTHS[1], 1, 9.0), ("b", MONTHS[2], 1, 2.0)]
    result = regression_to_mean(
        table(rows), MONTHS[1], MONTHS[2], groups=2, population="known", draws=10
    )
    assert result.customers == 4
    # b, c and d have equal first values: the 2 of b is spread over all three
    np.testing.assert_allclose(result.frame["second"], [1 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"groups": 1}, r"groups=1: between 2 and the number of customers followed \(4"),
        ({"groups": 5}, r"customers followed \(4, population='buyers'\) are needed"),
        ({"population": "all"}, "population='all': one of 'buyers', 'known'"),
        ({"value": "margin"}, "column 'margin' is missing"),
    ],
)
def test_arguments_that_cannot_be_used(options, text):
    frame = from_months(np.ones((4, 2)), MONTHS[:2])
    with pytest.raises(ValueError, match=text):
        regression_to_mean(frame, draws=5, **options)

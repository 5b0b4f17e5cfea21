"""The whale curve: peak, loss-makers, erosion, intervals, totals that are not positive."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import pareto
from keycustomer.stats import acceleration, bca_interval, bootstrap_counts

profits = st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=40).filter(any)


def test_measures_of_a_small_base():
    result = pareto.whale_curve([10, 5, 0, -2, -3], draws=50)
    assert (result.customers, result.gainers, result.losers) == (5, 2, 2)
    assert (result.total, result.gains, result.losses) == (10, 15, 5)
    assert result.peak_height.estimate == 1.5
    assert result.peak_position.estimate == 0.4
    assert result.loss_makers.estimate == 0.4
    assert result.erosion.estimate == pytest.approx(1 / 3)


@given(profits)
@settings(max_examples=60, deadline=None)
def test_the_curve_peaks_where_the_measures_say(values):
    result = pareto.whale_curve(values, draws=2)
    curve = result.curve
    assert curve["value"].max() == pytest.approx(max(result.gains, 0))
    at_peak = curve.loc[curve["value"].idxmax(), "customers"]
    assert at_peak == pytest.approx(result.peak_position.estimate)
    assert curve["value"].iloc[-1] == pytest.approx(sum(values))
    assert result.gains - result.losses == pytest.approx(result.total)


def erosion(values):
    return -values[values < 0].sum() / values[values > 0].sum()


def test_the_interval_equals_a_plain_loop():
    values = np.random.default_rng(1).normal(1, 2, 50)
    falling = np.sort(values)[::-1]
    rows = np.vstack(list(bootstrap_counts(50, 200, 5)))
    loop = [erosion(np.repeat(falling, row)) for row in rows]
    left_out = [erosion(np.delete(falling, i)) for i in range(50)]
    expected = bca_interval(erosion(falling), loop, acceleration(left_out, np.ones(50)))
    result = pareto.whale_curve(values, draws=200, seed=5).erosion
    assert (result.lower, result.upper) == pytest.approx(expected, rel=1e-9)


def test_intervals_do_not_depend_on_order_or_currency():
    values = np.random.default_rng(2).normal(1, 2, 100)
    one = pareto.whale_curve(values, draws=100).to_frame()
    two = pareto.whale_curve(values[::-1] * 7, draws=100).to_frame()
    numbers = ["estimate", "lower", "upper"]
    np.testing.assert_allclose(one[numbers], two[numbers])


def test_without_losses_nothing_is_eroded():
    result = pareto.whale_curve([3, 2, 1], draws=20)
    assert (result.peak_height.estimate, result.erosion.estimate) == (1, 0)
    assert result.loss_makers.estimate == 0


def test_a_total_that_is_not_positive_has_no_relative_height():
    result = pareto.whale_curve([3, -5], draws=20)
    assert math.isnan(result.peak_height.estimate)
    assert result.erosion.estimate == pytest.approx(5 / 3)
    assert result.curve["share"].isna().all()
    assert "not defined" in result.peak_height.method


def test_a_large_base_keeps_a_short_curve():
    result = pareto.whale_curve(np.random.default_rng(0).normal(1, 3, 20_000), draws=5)
    assert len(result.curve) <= 403


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="all 3 values are zero: there is no curve to draw"):
        pareto.whale_curve([0, 0, 0])
    with pytest.raises(ValueError, match="values cannot be measured: 1 value is not known"):
        pareto.whale_curve([1, math.nan])


def test_measures_carry_the_names_of_the_case_output():
    names = [name for name, _, _ in pareto.whale_curve([3, -1], draws=5).estimates()]
    assert names[0] == "whale_peak"
    assert "loss_making_share" in names

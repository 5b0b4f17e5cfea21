"""The customer bootstrap: weights, intervals against scipy, degenerate draws, progress."""

import math
import sys

import numpy as np
import pandas as pd
import pytest
from keycustomer.stats import (
    acceleration,
    bca_interval,
    bootstrap,
    bootstrap_counts,
    bootstrap_estimate,
    finite_values,
    percentile_interval,
)
from scipy import stats

module = sys.modules["keycustomer.stats.bootstrap"]


def all_counts(n, draws, seed):
    return np.vstack(list(bootstrap_counts(n, draws, seed)))


@pytest.mark.parametrize("n", [1, 2, 100, 70_000])
def test_every_resample_has_n_customers(n):
    counts = all_counts(n, 5, 0)
    assert counts.shape == (5, n)
    assert (counts.sum(axis=1) == n).all()
    assert (counts >= 0).all()


def test_groups_of_nobody_are_never_drawn():
    weights = bootstrap(lambda drawn: drawn, [0, 2, 0, 0, 3, 0], draws=50)
    assert (weights.sum(axis=1) == 5).all()
    assert not weights[:, [0, 2, 3, 5]].any()


@pytest.mark.parametrize("sizes", [[1.5, 2], [-1, 2], [np.nan, 1], [np.inf]])
def test_only_whole_customers_are_drawn(sizes):
    with pytest.raises(ValueError, match=r"whole numbers of customers .* got \["):
        bootstrap(lambda drawn: drawn, sizes, draws=2)


@pytest.mark.parametrize("draws", [2.5, True, "200"])
def test_draws_are_a_whole_number(draws):
    with pytest.raises(ValueError, match=r"draws=.*: a whole number of at least 1"):
        all_counts(3, draws, 0)


def test_counts_have_the_moments_of_the_multinomial():
    n, draws = 4, 20_000
    counts = all_counts(n, draws, 3)
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=5 / math.sqrt(draws))
    expected = np.full((n, n), -1 / n) + np.eye(n)
    np.testing.assert_allclose(np.cov(counts.T), expected, atol=8 / math.sqrt(draws))


def test_blocks_do_not_change_the_law(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 3)
    counts = all_counts(8, 20_000, 3)
    expected = np.full((8, 8), -1 / 8) + np.eye(8)
    np.testing.assert_allclose(np.cov(counts.T), expected, atol=0.06)


def test_chunks_do_not_change_the_draws(monkeypatch):
    whole = all_counts(50, 40, 7)
    monkeypatch.setattr(module, "CELLS", 150)
    assert [len(chunk) for chunk in bootstrap_counts(50, 7, 7)] == [3, 3, 1]
    np.testing.assert_array_equal(all_counts(50, 40, 7), whole)


def test_a_generator_is_a_seed():
    one = all_counts(10, 5, np.random.default_rng(4))
    np.testing.assert_array_equal(one, all_counts(10, 5, 4))
    assert (one != all_counts(10, 5, 5)).any()


def test_a_chunk_of_a_million_customers_is_one_draw():
    chunks = bootstrap_counts(1_000_000, 1_000, 0)
    assert next(chunks).shape == (1, 1_000_000)


def test_equal_customers_are_counted_together():
    sizes = [3, 1, 2]
    grouped = bootstrap(lambda weights: weights, sizes, draws=6, seed=2)
    counts = all_counts(6, 6, 2)
    expected = np.column_stack([counts[:, :3].sum(1), counts[:, 3], counts[:, 4:].sum(1)])
    np.testing.assert_array_equal(grouped, expected)


@pytest.mark.parametrize(("n", "draws"), [(0, 10), (10, 0)])
def test_nothing_to_draw_is_refused(n, draws):
    with pytest.raises(ValueError, match=rf"n={n} customers in draws={draws}: both must be at"):
        next(bootstrap_counts(n, draws, 0))


def test_bca_agrees_with_scipy():
    values = np.random.default_rng(8).lognormal(0, 1, 60)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="BCa", rng=np.random.default_rng(1)
    )
    drawn = theirs.bootstrap_distribution
    left_out = (values.sum() - values) / (values.size - 1)
    ours = bca_interval(values.mean(), drawn, acceleration(left_out, np.ones(60)))
    assert ours == pytest.approx(tuple(theirs.confidence_interval), rel=1e-3)
    assert percentile_interval(drawn) == pytest.approx(np.quantile(drawn, [0.025, 0.975]))


def test_acceleration_of_a_mean_is_a_sixth_of_its_skewness():
    values = np.array([1.0, 1, 1, 2, 2, 9])
    distinct, sizes = np.unique(values, return_counts=True)
    expected = stats.skew(values) / (6 * math.sqrt(values.size))
    assert acceleration((values.sum() - distinct) / 5, sizes) == pytest.approx(expected)
    assert acceleration([2.0, 2.0], [1, 1]) == 0


def test_without_bias_and_skewness_bca_is_the_percentile_interval():
    drawn = np.linspace(-1, 1, 1001)
    assert bca_interval(0.0, drawn, 0.0) == pytest.approx(percentile_interval(drawn))


def test_estimates_name_their_interval():
    drawn, options = np.linspace(0, 1, 101), {"unit": "share", "n": 5}
    left_out = [0.4, 0.5, 0.5, 0.5, 0.6]
    bca = bootstrap_estimate(0.5, drawn, leave_one_out=left_out, **options)
    assert bca.method == "BCa bootstrap of customers, 101 draws"
    plain = bootstrap_estimate(0.5, drawn, **options)
    assert plain.method == "percentile bootstrap of customers, 101 draws"
    assert (plain.lower, plain.upper) == pytest.approx((0.025, 0.975))
    one_sided = bootstrap_estimate(2.0, drawn, leave_one_out=left_out, **options)
    assert one_sided.method.startswith("percentile")


def test_missing_draws_give_no_interval():
    estimate = bootstrap_estimate(0.5, [0.1, math.nan, 0.4], unit="share", n=5)
    assert (math.isnan(estimate.lower), math.isnan(estimate.upper)) == (True, True)
    assert estimate.method == "no interval: not defined in 1 of 3 resamples"
    assert math.isnan(percentile_interval([0.1, math.nan])[0])


def test_a_percentage_as_level_is_refused():
    with pytest.raises(
        ValueError, match=r"level=95 must be a share between 0 and 1; 95 % is level"
    ):
        percentile_interval([1, 2], 95)


def test_short_work_is_silent_and_long_work_reports(monkeypatch):
    seen = []
    run = {"multiplicities": np.ones(5, dtype=int), "draws": 10, "seed": 0}
    bootstrap(lambda w: w, progress=lambda *step: seen.append(step), **run)
    assert seen == []
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    bootstrap(lambda w: w, progress=lambda *step: seen.append(step), **run)
    assert seen == [(10, 10)]


def test_finite_values_are_a_copy() -> None:
    given = pd.Series([1.0, 2.0])
    finite_values(given)[0] = 9.0
    assert given.tolist() == [1.0, 2.0]
    own = np.array([1.0, 2.0])
    assert not np.shares_memory(finite_values(own), own)

"""Covariances of weighted respondents are those of the respondents repeated."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions.measurement.coefficients import cronbach_alpha, rho_a
from keycustomer.dimensions.measurement.intervals import drawn_estimate, interval_table, readable
from keycustomer.dimensions.measurement.moments import (
    ItemMoments,
    collinear_item,
    correlations_of,
)

ROUNDING = 1e-10
"""Sums in another order, of answers that may lie far from zero."""


@given(
    seed=st.integers(0, 10_000),
    shift=st.floats(-1e4, 1e4),
    holes=st.sampled_from([0.0, 0.2]),
)
@settings(max_examples=25, deadline=None)
def test_counts_stand_for_repeated_rows(seed, shift, holes) -> None:
    rng = np.random.default_rng(seed)
    values = shift + rng.normal(size=(30, 4)) @ rng.normal(size=(4, 4))
    values[rng.random(values.shape) < holes] = np.nan
    counts = rng.multinomial(30, np.full(30, 1 / 30), size=3)
    means, covariances = ItemMoments(values).weighted(counts.astype(float))
    for draw, row in enumerate(counts):
        rows = np.repeat(values, row, axis=0)
        filled = np.where(np.isnan(rows), np.nanmean(rows, axis=0), rows)
        assert means[draw] == pytest.approx(filled.mean(axis=0), rel=ROUNDING, abs=1e-9)
        scale = np.abs(np.cov(filled.T)).max()
        assert covariances[draw] == pytest.approx(np.cov(filled.T), abs=1e-9 * scale)


def test_the_sample_is_the_draw_of_everybody_once() -> None:
    values = np.random.default_rng(0).normal(size=(20, 3))
    means, covariances = ItemMoments(values).sample()
    assert means[0] == pytest.approx(values.mean(axis=0), abs=ROUNDING)
    assert covariances[0] == pytest.approx(np.cov(values.T), abs=ROUNDING)


def test_units_far_apart_do_not_make_an_item_constant() -> None:
    values = np.random.default_rng(0).normal(size=(30, 2)) * [1e-6, 1e6] + [3.0, 1e7]
    counts = np.zeros((2, 30))
    counts[0, :15], counts[1, 4] = 2, 30  # one resample of a single respondent
    told = correlations_of(ItemMoments(values).weighted(counts)[1])
    rows = np.repeat(values[:15], 2, axis=0)
    assert told[0] == pytest.approx(np.corrcoef(rows.T), abs=1e-6)  # digits left after 3.0
    assert np.isnan(told[1]).all()


def test_correlations_have_ones_and_tell_constant_items() -> None:
    covariances = np.array([[[4.0, 2.0, 0.0], [2.0, 9.0, 0.0], [0.0, 0.0, 0.0]]])
    told = correlations_of(covariances)[0]
    assert told[0, 1] == pytest.approx(2 / 6)
    assert told[0, 0] == 1.0
    assert np.isnan(told[2]).all()


def test_an_item_that_others_determine_is_found() -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    sums = np.column_stack([x, x @ [1, -2, 0.5]])
    assert collinear_item(np.corrcoef(sums.T)) == 3
    assert collinear_item(np.corrcoef(x.T)) is None
    assert collinear_item(np.ones((2, 2))) == 1


def test_draws_without_solution_widen_the_interval() -> None:
    draws = np.arange(1000.0)
    whole = drawn_estimate(500.0, draws, unit="points", n=9)
    some = draws.copy()
    some[400:410] = np.nan
    wider = drawn_estimate(500.0, some, unit="points", n=9)
    assert wider.lower < whole.lower < whole.upper < wider.upper
    assert "of which 10 without solution count beyond both ends" in wider.method
    some[:30] = np.nan
    none = drawn_estimate(500.0, some, unit="points", n=9)
    assert np.isnan(none.lower)
    assert none.method == "no interval: not defined in 40 of 1,000 resamples"
    table = interval_table(
        pd.DataFrame({"x": [1, 2]}), [wider, none], np.column_stack([some, some])
    )
    assert table["standard_error"].notna().tolist() == [True, False]


def test_coefficients_in_closed_form() -> None:
    equal = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    assert cronbach_alpha(equal) == pytest.approx(4 * 0.5 / (1 + 3 * 0.5))  # Spearman-Brown
    assert np.isnan(cronbach_alpha(np.ones((1, 1))))
    weights = np.full(4, 1 / np.sqrt(equal.sum()))
    assert rho_a(equal, weights) == pytest.approx(0.8)


def test_tables_are_written_for_readers() -> None:
    table = pd.DataFrame(
        {
            "construct": ["A", "B"],
            "importance": [0.25, -1.0],
            "importance_lower": [0.1, np.nan],
            "importance_upper": [0.4, np.nan],
            "n": [10, 10],
            "holds": [True, False],
        }
    )
    assert readable(table).to_dict("list") == {
        "construct": ["A", "B"],
        "importance": ["0.250", "\N{MINUS SIGN}1.000"],
        "importance_interval": ["[0.100, 0.400]", ""],
        "holds": [True, False],
    }

"""The number of segments: recovered where there are some, refused where there are none."""

import os
import subprocess
import sys
from functools import cache

import numpy as np
import pandas as pd
import pytest
from keycustomer.dimensions import read_variables, segment_numbers
from keycustomer.dimensions.segments.structureless import structureless
from segment_customers_made import KINDS, LOGGED, blobs, cloud, company, yes_and_no

# Correlations of 4,000 structureless customers: their own sampling error is about .015.
CORRELATION = 0.05


@cache
def answers():
    frame, _ = yes_and_no(1453)
    variables = read_variables(frame, {"answers": list(frame)})
    return segment_numbers(variables, range(2, 7), method="latent class", pairs=8)


def test_bic_keeps_falling_while_only_two_numbers_are_stable():
    """The lesson of the McDonald's survey: 2 and 4 are stable, BIC falls to 6."""
    result = answers()
    assert (np.diff(result.frame["bic"]) < 0).all()
    assert result.best_fit == 6
    assert result.stable == [2, 4]
    assert result.suggested == 4
    assert "4 segments are natural" in result.sentence


def test_segments_too_many_are_told_one_by_one():
    each = answers().each
    four, six = (each[each["segments"] == k] for k in (4, 6))
    assert (four["verdict"] == "stable").all()
    assert (six["verdict"] == "not stable").any()
    assert four["share"].is_monotonic_decreasing
    assert four["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize("method", ["k-means", "mixture"])
def test_round_segments_are_found(method):
    frame, _ = blobs(400)
    variables = read_variables(frame, {"place": ["x", "y"]})
    result = segment_numbers(variables, range(2, 7), method=method, pairs=8)
    assert result.suggested == 4
    assert result.of(4)["rand"] > 0.95
    assert result.of(4)["chance"] == 1 / 40


def test_a_single_cloud_has_no_structure_though_halves_of_it_come_again():
    frame = cloud(600)
    result = segment_numbers(
        read_variables(frame, {"x": list(frame)}), range(2, 6), pairs=10, references=19
    )
    assert result.suggested == 1
    assert result.stable[0] == 2
    assert result.of(2)["rand"] > 0.8
    assert result.of(2)["structureless_rand"] > 0.8
    assert result.sentence.startswith("No structure")


def test_independent_noise_has_no_structure_and_nothing_comes_again():
    frame = pd.DataFrame(np.random.default_rng(5).normal(size=(300, 5)), columns=list("abcde"))
    result = segment_numbers(
        read_variables(frame, {"x": list(frame)}), (3, 4, 5), pairs=8, references=19
    )
    assert (result.suggested, result.stable) == (1, [])
    assert result.sentence == ("No structure: no number of segments comes again in another sample")


def test_the_same_seed_gives_the_same_figures_and_more_pairs_can_be_asked_for():
    frame, _ = blobs(100)
    variables = read_variables(frame, {"place": ["x", "y"]})
    one, other = (
        segment_numbers(variables, (3,), pairs=3, references=19, seed=7) for _ in range(2)
    )
    pd.testing.assert_frame_equal(one.frame, other.frame)
    estimate = one.estimate(3)
    assert estimate.lower <= estimate.estimate <= estimate.upper
    assert (estimate.unit, estimate.n) == ("adjusted Rand index", 100)


def test_a_large_base_is_measured_on_a_sample_and_says_so():
    frame, _ = company(12_000)
    variables = read_variables(frame, KINDS, logged=LOGGED)
    done = []
    result = segment_numbers(
        variables,
        (4,),
        method="mixture",
        pairs=3,
        references=19,
        progress=lambda *seen: done.append(seen),
    )
    assert (result.customers, result.measured_on) == (12_000, 1000)
    assert "Measured on 1,000 of 12,000 customers" in result._repr_html_()
    assert result.of(4)["rand"] > 0.9
    assert done == [(1, 1)]


def test_structureless_data_have_spread_levels_and_correlations_of_the_real():
    frame, _ = company(4000)
    rated = np.clip(np.round(4 + frame["innovativeness"] + frame["price orientation"]), 1, 7)
    frame = frame.assign(rated=rated)
    kinds = {"a": ["price orientation", "rated", "employees", "industry"]}
    variables = read_variables(frame, kinds, logged=["employees"])
    drawn = structureless(variables, np.random.default_rng(1)).draw(np.random.default_rng(2))
    real = variables.plain
    np.testing.assert_allclose(drawn.mean(axis=0), real.mean(axis=0), atol=CORRELATION)
    np.testing.assert_allclose(drawn.std(axis=0), real.std(axis=0), atol=CORRELATION)
    numbers = slice(0, 3)
    np.testing.assert_allclose(
        np.corrcoef(drawn[:, numbers].T), np.corrcoef(real[:, numbers].T), atol=CORRELATION
    )
    assert set(drawn[:, 3:].sum(axis=1)) == {1.0}
    assert set(np.round(np.unique(drawn[:, 1]), 6)) <= set(np.round(np.unique(real[:, 1]), 6))


def test_weights_of_kinds_have_no_hold_on_a_likelihood():
    frame, _ = company(100)
    weights = {"psychographic": 3, "firmographic": 1, "value": 1, "geographic": 1}
    variables = read_variables(frame, KINDS, weights=weights, logged=LOGGED)
    with pytest.raises(ValueError, match="pays no heed to weights of kinds"):
        segment_numbers(variables, method="mixture")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"numbers": [1, 2]}, r"numbers=\[1, 2\]: whole numbers from 2 to 20"),
        ({"numbers": [21]}, r"from 2 to 20 are needed with 100 customers \(five a segment\)"),
        ({"numbers": []}, "whole numbers from 2"),
        ({"method": "ward"}, "method='ward': one of k-means, mixture, latent class"),
        ({"pairs": 1}, "pairs=1"),
        ({"references": 5}, "references=5: a whole number of at least 19"),
    ],
)
def test_wrong_calls_name_argument_value_and_cure(arguments, said):
    frame, _ = blobs(100)
    with pytest.raises(ValueError, match=said):
        segment_numbers(read_variables(frame, {"place": ["x", "y"]}), **arguments)


def test_k_means_keeps_to_one_thread_from_the_first_call_on():
    script = (
        "from keycustomer.dimensions.segments.numbers import one_thread\n"
        "with one_thread():\n"
        "    from sklearn.utils._openmp_helpers import _openmp_effective_n_threads\n"
        "    print(_openmp_effective_n_threads())"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout.strip() == "1"

"""Random numbers: one stream for every purpose and month, the same for every block and policy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.simulate.streams import Draws, poisson_counts, stream
from scipy.special import ndtri
from scipy.stats import poisson

# PCG64 seeded by SeedSequence is fixed by numpy's compatibility policy, so these are exact.
FIRST_NUMBERS = ["0x1.5ebff3f366c14p-2", "0x1.4a5bf8741d990p-1", "0x1.e8a051ef731d9p-1"]


def test_the_numbers_are_the_same_bits_on_every_platform():
    assert [float(number).hex() for number in stream(1, "leaving", 0).random(3)] == FIRST_NUMBERS
    assert [number.hex() for number in Draws(1, 0, 3).uniform("leaving", 0)] == FIRST_NUMBERS


def test_the_same_purpose_and_month_give_the_same_numbers():
    first, again = stream(7, "leaving", 3).random(5), stream(7, "leaving", 3).random(5)
    assert first.tolist() == again.tolist()


@pytest.mark.parametrize("other", [(8, "leaving", 3), (7, "offers", 3), (7, "leaving", 4)])
def test_seed_purpose_and_month_each_give_other_numbers(other):
    assert not np.isin(stream(7, "leaving", 3).random(1_000), stream(*other).random(1_000)).any()


def test_streams_of_neighbours_are_unrelated():
    numbers = np.array([stream(1, "leaving", month).random(4_000) for month in range(12)])
    apart = np.corrcoef(numbers)[np.triu_indices(12, 1)]
    # 66 correlations of 4,000 pairs: the largest is beyond 4.2 / sqrt(n) once in 600 such tests
    assert abs(apart).max() < 4.2 / np.sqrt(4_000)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 300), st.integers(1, 200), st.integers(1, 4), st.booleans())
def test_a_block_draws_what_all_accounts_draw(start, size, columns, normal):
    def drawn(draws):
        method = draws.normal if normal else draws.uniform
        return method("mood", 5, columns=columns)

    whole = drawn(Draws(3, 0, 500))
    assert np.array_equal(drawn(Draws(3, start, start + size)), whole[start : start + size])


def test_normal_numbers_are_the_quantiles_of_the_uniform_ones():
    draws = Draws(1, 0, 1_000)
    assert np.array_equal(draws.normal("usage", 0), ndtri(draws.uniform("usage", 0)))


def test_remembered_numbers_are_the_same_and_cannot_be_spoiled():
    kept = Draws(1, 10, 20, remember=True)
    first = kept.uniform("calls", 2)
    assert kept.uniform("calls", 2) is first
    assert np.array_equal(first, Draws(1, 10, 20).uniform("calls", 2))
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 30), st.integers(0, 10_000))
def test_poisson_counts_are_the_quantiles_of_the_distribution(mean, seed):
    uniform = np.random.default_rng(seed).random(200)
    counts = poisson_counts(uniform, np.full(200, mean))
    assert counts.tolist() == poisson.ppf(uniform, mean).tolist()


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 20), st.floats(0, 20), st.integers(0, 10_000))
def test_counts_never_fall_when_their_mean_rises(one, other, seed):
    uniform = np.random.default_rng(seed).random(200)
    low, high = sorted((one, other))
    fewer = poisson_counts(uniform, np.full(200, low))
    assert (fewer <= poisson_counts(uniform, np.full(200, high))).all()

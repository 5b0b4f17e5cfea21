"""The search for a maximum: known maxima, exact ends, likelihoods without one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.lifetime.newton import maximise

ROUNDING = 1e-12  # relative error of the place once the step is below measuring
COVARIANCE = 1e-5  # the covariance is taken one unmeasurable step before the end


def gamma_mean(shape, rate, n=1_000.0):
    """Log-likelihood of n exponential waiting times of mean shape / rate, without constant."""

    def objective(parameters):
        (value,) = parameters
        ll = n * (shape * np.log(value) - rate * value)
        return ll, np.array([n * (shape / value - rate)]), np.array([[-n * shape / value**2]])

    return objective


@settings(max_examples=30)
@given(shape=st.floats(0.01, 100), rate=st.floats(0.01, 100), start=st.floats(1e-4, 1e4))
def test_known_maximum_from_any_start(shape, rate, start):
    found = maximise(gamma_mean(shape, rate), [start])
    assert found.inner
    assert found.parameters == pytest.approx([shape / rate], rel=ROUNDING)
    assert found.covariance[0, 0] == pytest.approx(shape / rate**2 / 1_000, rel=COVARIANCE)


def test_parameters_of_both_signs():
    # A normal law: the mean may be negative, the standard deviation may not.
    data = np.random.default_rng(0).normal(-3, 2, 500)

    def objective(parameters):
        mean, spread = parameters
        gap = data - mean
        square = gap @ gap
        ll = -data.size * np.log(spread) - square / 2 / spread**2
        score = [gap.sum() / spread**2, -data.size / spread + square / spread**3]
        hessian = [
            [-data.size / spread**2, -2 * gap.sum() / spread**3],
            [-2 * gap.sum() / spread**3, data.size / spread**2 - 3 * square / spread**4],
        ]
        return ll, np.array(score), np.array(hessian)

    for start in ([50.0, 0.1], [-3.0, 90.0], [0.0, 1.0]):
        found = maximise(objective, start, positive=[False, True])
        assert found.inner
        assert found.parameters == pytest.approx([data.mean(), data.std()], rel=1e-9)
        errors = np.sqrt(np.diag(found.covariance))
        root = data.size**0.5
        assert errors == pytest.approx([data.std() / root, data.std() / root / 2**0.5], rel=1e-6)


def test_a_valley_is_left_uphill():
    # Between two maxima the curvature is of the wrong sign; the step must go up all the same.
    def objective(parameters):
        (z,) = np.log(parameters)
        x = parameters[0]
        slope, bend = 4 * z * (1 - z**2), 4 - 12 * z**2
        return (
            1000 * (2 * z**2 - z**4),
            np.array([1000 * slope / x]),
            np.array([[1000 * (bend - slope) / x**2]]),
        )

    for start, end in ((1.001, np.e), (0.999, 1 / np.e)):
        found = maximise(objective, [start])
        assert found.inner
        assert found.parameters == pytest.approx([end], rel=1e-9)
        assert found.log_likelihood == pytest.approx(1000, rel=ROUNDING)


def test_running_to_infinity_is_no_inner_maximum():
    found = maximise(
        lambda p: (-1 / p[0], np.array([1 / p[0] ** 2]), np.array([[-2 / p[0] ** 3]])), [1.0]
    )
    assert not found.inner
    assert np.isnan(found.covariance).all()


def test_a_maximum_beyond_a_million_counts_as_one_at_infinity():
    found = maximise(gamma_mean(2.0, 1e-8), [1.0])
    assert not found.inner


def test_a_flat_direction_is_no_inner_maximum():
    # Only the product of the two is told by the data.
    def objective(parameters):
        a, b = parameters
        z = np.log(a * b)
        score = np.array([-2 * z / a, -2 * z / b]) * 100
        hessian = 100 * np.array(
            [[(2 * z - 2) / a**2, -2 / (a * b)], [-2 / (a * b), (2 * z - 2) / b**2]]
        )
        return -100 * z**2, score, hessian

    found = maximise(objective, [3.0, 5.0])
    assert not found.inner
    assert np.prod(found.parameters) == pytest.approx(1, rel=1e-6)


def test_places_that_cannot_be_computed_are_avoided():
    base = gamma_mean(2.0, 4.0)

    def objective(parameters):
        value, score, hessian = base(parameters)
        return (np.nan if parameters[0] > 0.9 else value), score, hessian

    found = maximise(objective, [1e-3])
    assert found.inner
    assert found.parameters == pytest.approx([0.5], rel=ROUNDING)


def test_a_wrong_score_ends_without_exception():
    def objective(parameters):
        value, score, hessian = gamma_mean(2.0, 4.0)(parameters)
        return value, -score, hessian

    found = maximise(objective, [3.0])
    assert not found.inner


def test_giving_up_is_no_inner_maximum():
    found = maximise(gamma_mean(2.0, 4.0), [1e4], most_steps=2)
    assert not found.inner
    assert found.evaluations >= 3


def test_what_is_known_at_the_start_is_not_computed_again():
    asked = []
    objective = gamma_mean(2.0, 4.0)

    def counted(parameters):
        asked.append(parameters)
        return objective(parameters)

    start = np.array([0.6])
    found = maximise(counted, start, at_start=objective(start))
    assert len(asked) == found.evaluations
    assert all(place[0] != 0.6 for place in asked)
    assert found.parameters == pytest.approx(maximise(objective, start).parameters, rel=ROUNDING)

"""Mixtures by EM against scikit-learn and StepMix, and stability measures by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.dimensions import jaccard, rand_index, read_variables
from keycustomer.dimensions.segments.partitions import Drawn, fit_partitions
from segment_customers_made import blobs, yes_and_no
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from stepmix import StepMix

# Both stop by the gain of a step; what is left of the likelihood then is below this, per customer.
LIKELIHOOD = 1e-5
# Counts in the same order.
EXACT = 1e-12

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=60)


def fitted(frame, method, segments, weights=None, fine=True):
    variables = read_variables(frame, {"all": list(frame)})
    drawn = Drawn.of(variables, method)
    once = np.ones((1, len(drawn))) if weights is None else weights
    rng = np.random.default_rng(3)
    return (
        variables,
        drawn,
        fit_partitions(drawn, segments, once, starts=10, generator=rng, fine=fine),
    )


def test_a_mixture_of_numbers_has_the_likelihood_of_scikit_learn():
    frame, _ = blobs(400, gap=3.0)
    variables, drawn, (found,) = fitted(frame, "mixture", 4)
    peer = GaussianMixture(4, covariance_type="diag", n_init=10, tol=1e-9, max_iter=2000)
    peer.set_params(random_state=0).fit(variables.plain)
    assert found.fit / 400 == pytest.approx(peer.score(variables.plain), abs=LIKELIHOOD)
    assert adjusted_rand_score(found.labels(drawn), peer.predict(variables.plain)) > 0.99
    assert found.mixture.design.parameters(4) == peer._n_parameters()


def test_latent_classes_have_the_likelihood_of_stepmix():
    frame, _ = yes_and_no(300)
    _, drawn, (found,) = fitted(frame, "latent class", 3)
    peer = StepMix(
        3, measurement="binary", n_init=4, abs_tol=1e-7, random_state=1, progress_bar=0, verbose=0
    ).fit(frame)
    assert found.fit / 300 == pytest.approx(peer.score(frame), abs=LIKELIHOOD)
    assert found.mixture.design.parameters(3) == peer.n_parameters
    assert adjusted_rand_score(found.labels(drawn), peer.predict(frame)) > 0.98


def test_a_mixture_takes_numbers_and_categories_together():
    frame, group = blobs(600)
    frame["where"] = np.array(["n", "s", "e", "w"])[group]
    frame = frame.drop(columns="y")
    _, drawn, (found,) = fitted(frame, "mixture", 4)
    assert rand_index(found.labels(drawn), group) == 1.0
    assert found.certainty(drawn).min() > 0.9


@pytest.mark.parametrize("method", ["k-means", "mixture", "latent class"])
def test_a_weight_of_two_is_a_customer_twice(method):
    frame, _ = yes_and_no(80)
    twice = np.ones((1, 80))
    twice[0, :20] = 2
    _, drawn, (weighed,) = fitted(frame, method, 2, twice)
    rows = np.r_[np.arange(80), np.arange(20)]
    copied = Drawn(method, drawn.rows[rows], drawn.coded[rows], drawn.design)
    rng = np.random.default_rng(0)
    (other,) = fit_partitions(copied, 2, np.ones((1, 100)), starts=10, generator=rng, fine=True)
    assert weighed.fit == pytest.approx(other.fit, rel=1e-5)


def test_half_the_digits_give_the_same_segments():
    frame, _ = blobs(300)
    _, drawn, (fine,) = fitted(frame, "mixture", 4)
    _, _, (quick,) = fitted(frame, "mixture", 4, fine=False)
    assert rand_index(fine.labels(drawn), quick.labels(drawn)) > 0.98


def test_a_class_cannot_shrink_to_a_single_value():
    frame = pd.DataFrame({"x": np.r_[np.zeros(50), np.random.default_rng(0).normal(5, 1, 50)]})
    _, drawn, (found,) = fitted(frame, "mixture", 3)
    assert np.isfinite(found.fit) and np.isfinite(found.scores(drawn)).all()


@settings(max_examples=40)
@given(LABELS)
def test_the_rand_index_is_that_of_scikit_learn(pairs):
    one, other = np.array(pairs).T
    assert rand_index(one, other) == pytest.approx(adjusted_rand_score(one, other), abs=EXACT)


def test_jaccard_by_hand():
    segments = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    other = np.array([1, 1, 1, 0, 0, 0, 2, 2, 2])
    np.testing.assert_allclose(jaccard(segments, other), [3 / 4, 2 / 3, 1.0])

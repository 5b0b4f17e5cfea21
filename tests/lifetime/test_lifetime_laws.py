"""The laws of how customers differ: against SciPy's distributions, and their limits."""

import numpy as np
import pytest
from keycustomer.lifetime import BetaLaw, GammaLaw, PointLaw, SplitLaw
from scipy import stats

ROUNDING = 1e-12
"""Both compute the same special functions; powers cost a few digits."""

SHARES = (0.001, 0.2, 0.5, 0.8, 0.999)
LAWS = {
    "many differ": (GammaLaw(0.24, 4.4), stats.gamma(0.24, scale=1 / 4.4)),
    "few differ": (GammaLaw(30.0, 2.0), stats.gamma(30.0, scale=1 / 2.0)),
    "exponential": (GammaLaw(1.0, 3.0), stats.gamma(1.0, scale=1 / 3.0)),
    "leavers and stayers": (BetaLaw(0.5, 0.9), stats.beta(0.5, 0.9)),
    "bell": (BetaLaw(8.0, 20.0), stats.beta(8.0, 20.0)),
    "even": (BetaLaw(1.0, 1.0), stats.beta(1.0, 1.0)),
}


@pytest.mark.parametrize("name", LAWS)
def test_laws_are_scipys(name):
    law, known = LAWS[name]
    assert law.mean == pytest.approx(known.mean(), rel=ROUNDING)
    assert law.variance == pytest.approx(known.var(), rel=ROUNDING)
    places = np.array([law.quantile(share) for share in SHARES])
    np.testing.assert_allclose(law.share_below(places), SHARES, rtol=ROUNDING)
    np.testing.assert_allclose(places, known.ppf(SHARES), rtol=ROUNDING)
    np.testing.assert_allclose(law.density(places), known.pdf(places), rtol=ROUNDING)


@pytest.mark.parametrize("name", LAWS)
def test_nobody_lies_outside(name):
    law, _ = LAWS[name]
    outside = np.array([-1.0, np.inf])
    np.testing.assert_array_equal(law.density(outside), [0, 0])
    np.testing.assert_array_equal(law.share_below(outside), [0, 1])


@pytest.mark.parametrize("name", LAWS)
def test_draws_follow_the_law(name):
    law, known = LAWS[name]
    drawn = law.sample(4_000, np.random.default_rng(7))
    assert stats.kstest(drawn, known.cdf).pvalue > 0.01


def test_limits_hold_masses():
    at = np.array([-0.1, 0.0, 0.29, 0.3, 0.99, 1.0])
    np.testing.assert_array_equal(PointLaw(0.3).share_below(at), [0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(SplitLaw(0.3).share_below(at), [0, 0.7, 0.7, 0.7, 0.7, 1])
    assert [SplitLaw(0.3).quantile(share) for share in (0.69, 0.71)] == [0.0, 1.0]
    assert PointLaw(0.3).quantile(0.9) == 0.3
    generator = np.random.default_rng(1)
    assert set(SplitLaw(0.3).sample(50, generator)) == {0.0, 1.0}
    assert set(PointLaw(0.3).sample(5, generator)) == {0.3}


@pytest.mark.parametrize(
    ("wide", "limit"),
    [
        (GammaLaw(1e9, 2e9), PointLaw(0.5)),
        (BetaLaw(3e9, 7e9), PointLaw(0.3)),
        (BetaLaw(3e-9, 7e-9), SplitLaw(0.3)),
    ],
)
def test_laws_tend_to_their_limits(wide, limit):
    at = np.array([0.01, 0.25, 0.4, 0.6, 0.99])
    np.testing.assert_allclose(wide.share_below(at), limit.share_below(at), atol=1e-6)
    assert wide.mean == pytest.approx(limit.mean, rel=ROUNDING)
    assert wide.variance == pytest.approx(limit.variance, abs=1e-8)

"""Shrinkage against Stein's estimator in baseball, published twice."""

import numpy as np
import pytest
from keycustomer.relationships import shrink_values

AT_BATS = 45

HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
"""Hits of 18 players in their first 45 times at bat in 1970, Clemente first."""

ESTIMATES_1975 = """
.290 .286 .281 .277 .273 .273 .268 .264 .259 .259 .254 .254 .254 .254 .254 .249 .244 .239
"""
"""Efron & Morris (1975), JASA 70, table 1, column of the estimator, by the arcsine of the rates."""

DIGITS = 0.0005
"""Half of the last digit printed."""


def shrunk(estimates, error):
    value = np.column_stack([np.zeros(estimates.size), estimates])
    return shrink_values(value, 0 * value, standard_error=np.full(value.shape, error))


def test_efron_and_morris_1975():
    arcsine = np.sqrt(AT_BATS) * np.arcsin(2 * HITS / AT_BATS - 1)
    result = shrunk(arcsine, 1.0).value[:, 1]
    rates = (np.sin(result / np.sqrt(AT_BATS)) + 1) / 2
    published = np.array(ESTIMATES_1975.split(), float)
    assert rates == pytest.approx(published, abs=DIGITS + 1e-9)


def test_efron_and_morris_1977():
    # Scientific American 236: a shrinking factor of .212 makes .294 of Clemente's .400
    rates = HITS / AT_BATS
    result = shrunk(rates, np.sqrt(rates.mean() * (1 - rates.mean()) / AT_BATS))
    assert result.weight[0, 1] == pytest.approx(0.212, abs=DIGITS)
    assert result.value[0, 1] == pytest.approx(0.294, abs=DIGITS)

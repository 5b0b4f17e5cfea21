"""Rising factorials and means over beta laws: against mpmath, where digits are easily lost."""

import mpmath
import numpy as np
import pytest
from keycustomer.lifetime.geometric.beta_mean import beta_nodes, purchases_before_leaving
from keycustomer.lifetime.rising import LONGEST, log_rising

DIGITS = 1e-13
"""Relative: a handful of roundings."""

SLOPES = 1e-12
"""Of derivatives, relative to the larger of the two terms they are the difference of."""

QUADRATURE = 2e-13
"""Relative error of a mean by the trapezoidal rule."""

mpmath.mp.dps = 40


def exact_rising(start: float, steps: float) -> tuple[float, float, float]:
    start, end = mpmath.mpf(start), mpmath.mpf(start) + steps
    value = mpmath.loggamma(end) - mpmath.loggamma(start)
    slopes = [mpmath.psi(order, end) - mpmath.psi(order, start) for order in (0, 1)]
    return float(value), float(slopes[0]), float(slopes[1])


@pytest.mark.parametrize("start", [1e-6, 0.03, 0.7, 5.0, 15.9, 16.1, 300.0, 1e5, 1e8])
@pytest.mark.parametrize("form", ["added up", "by gamma functions"])
def test_rising_factorials_keep_their_digits(start: float, form: str) -> None:
    steps = np.array([0.0, 1, 2, 7, 80, 1000, LONGEST])
    given = start if form == "added up" else np.full(steps.size, start)
    found = log_rising(given, steps)
    expected = np.array([exact_rising(start, step) for step in steps]).T
    assert found[0] == pytest.approx(expected[0], rel=DIGITS, abs=DIGITS)
    assert found[1] == pytest.approx(expected[1], rel=SLOPES, abs=SLOPES * (1 + np.log(start + 1)))
    assert found[2] == pytest.approx(expected[2], rel=SLOPES, abs=SLOPES)


def test_more_steps_than_can_be_added_up_go_by_the_gamma_functions() -> None:
    steps = np.array([3.0, 10.0 * LONGEST])
    expected = [exact_rising(0.4, step)[0] for step in steps]
    assert log_rising(0.4, steps)[0] == pytest.approx(expected, rel=DIGITS)


def exact_purchases(a: float, b: float, events: float, reach: float) -> float:
    """Mean of (1 - (1 + p reach)**-events) / p by Gauss's function, in a form that stays above 0.

    It has a removable pole at a = 1, which is stepped around by less than a double can see.
    """
    a, b, events, reach = map(mpmath.mpf, (a, b, events, reach))
    if a == 1:
        a += mpmath.mpf(10) ** -22
    once = mpmath.hyp2f1(events, a, a + b, -reach)
    twice = mpmath.hyp2f1(events, a - 1, a + b, -reach)
    return float((1 - once) + b / (a - 1) * (1 - twice))


@pytest.mark.parametrize(
    ("a", "b", "events", "reach"),
    [
        (0.79, 2.43, 0.25, 1.0),
        (0.79, 2.43, 0.25, 0.0),
        (0.3, 0.2, 0.25, 4.0),
        (1e-3, 0.5, 0.25, 30.0),
        (0.05, 0.01, 5000.0, 3000.0),
        (1.0, 2.4, 12.0, 0.5),
        (1.0, 5000.0, 5000.0, 0.5),
        (1.0 + 1e-9, 50.0, 10.0, 3.0),
        (2.0, 0.4, 3.0, 2000.0),
        (1.5, 500.0, 0.01, 3.0),
        (4.0, 2.4, 5000.0, 3000.0),
        (30.0, 50.0, 10.0, 30.0),
        (900.0, 1000.0, 10.0, 0.001),
        (200.0, 300.0, 40.0, 0.5),
    ],
)
def test_means_over_a_beta_law_have_the_hypergeometric_value(
    a: float, b: float, events: float, reach: float
) -> None:
    nodes = beta_nodes(np.array([a]), np.array([b]), events * reach)
    found = purchases_before_leaving(
        lambda part, p: events * np.log1p(np.multiply.outer(np.array([reach])[part], p)),
        1,
        np.array([0]),
        nodes,
    )
    assert found[0] == pytest.approx(exact_purchases(a, b, events, reach), rel=QUADRATURE)


def test_laws_of_very_different_width_share_nodes() -> None:
    b = np.array([0.2, 2.4, 5000.0])
    cases = np.tile(np.arange(3), 200)
    reach = np.repeat(np.geomspace(1e-3, 300, 200), 3)
    found = purchases_before_leaving(
        lambda part, p: 7.0 * np.log1p(np.multiply.outer(reach[part], p)),
        cases.size,
        cases,
        beta_nodes(np.full(3, 0.8), b, 7.0 * reach.max()),
    )
    for n in range(0, cases.size, 61):
        expected = exact_purchases(0.8, b[cases[n]], 7.0, reach[n])
        assert found[n] == pytest.approx(expected, rel=QUADRATURE)


def test_weights_give_the_law_its_mean() -> None:
    b = np.array([0.3, 1.0, 40.0])
    p, weights = beta_nodes(np.full(3, 0.6), b, 1.0)
    assert weights.sum(axis=1) == pytest.approx(np.ones(3), rel=DIGITS)
    assert weights @ p == pytest.approx(0.6 / (0.6 + b), rel=QUADRATURE)

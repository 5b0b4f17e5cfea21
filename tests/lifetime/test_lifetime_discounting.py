"""Discounting against closed forms, and the carrying over of few ages to all."""

import math
from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
from keycustomer.lifetime import transactions
from keycustomer.lifetime.ages import over_ages
from keycustomer.lifetime.discounting import discounted, present_value_rule
from keycustomer.lifetime.geometric.bgnbd import fit_bgnbd
from keycustomer.lifetime.histories import Histories
from keycustomer.lifetime.laws import BetaLaw, GammaLaw, PointLaw, SplitLaw
from keycustomer.lifetime.units import DAYS, days_in, force_of_interest
from known_models import sample_split

ROUNDING = 1e-13  # relative error of the rule for totals that follow any power of time
EARLY = 1e-8  # the same for totals reached within a millionth of the discounting time
EIGHT = 1e-8  # relative error of eight digits
HURRIED = 1e-6  # the same of customers who buy four times a week and leave within the month
CARRIED = 1e-12  # relative difference of values carried over from few ages

FORCES = (1e-6, 0.0018, 0.1, 3.0)
HORIZONS = (None, 1e-3, 1.0, 52.0, 5000.0)


# -- closed forms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("force", FORCES)
@pytest.mark.parametrize("horizon", HORIZONS)
def test_constant_stream(force, horizon):
    # A stream of 1 per unit of time is worth (1 - exp(-d H)) / d.
    truth = 1 / force if horizon is None else -math.expm1(-force * horizon) / force
    found = discounted(lambda t: np.array([t, 2 * t]), force, horizon)
    assert found == pytest.approx([truth, 2 * truth], rel=ROUNDING)


@pytest.mark.parametrize("force", FORCES)
@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("leaving", [1e-4, 0.02, 1.0, 50.0])
def test_stream_that_dies_out(force, horizon, leaving):
    # A customer who leaves at a constant rate: worth (1 - exp(-(d + mu) H)) / (d + mu).
    rate = force + leaving
    truth = 1 / rate if horizon is None else -math.expm1(-rate * horizon) / rate
    found = discounted(lambda t: -np.expm1(-leaving * t) / leaving, force, horizon)
    # The shorter the time of leaving against the one of discounting, the fewer nodes see it.
    scale = leaving * min(1 / force, horizon or math.inf)
    assert found == pytest.approx(truth, rel=ROUNDING if scale < 100 else EARLY)


@pytest.mark.parametrize("force", FORCES[:3])
@pytest.mark.parametrize("horizon", HORIZONS)
def test_power_law_against_mpmath(force, horizon):
    # Discounted lifetime of a gamma law of dropout: the incomplete gamma function.
    beta, s = 9.0, 0.6

    def total(t):
        return beta / (s - 1) * -np.expm1((1 - s) * np.log1p(t / beta))

    with mp.workdps(30):
        d, b = mp.mpf(force), mp.mpf(beta)
        end = mp.inf if horizon is None else d * (b + horizon)
        truth = mp.e ** (d * b) * b**s * d ** (s - 1) * mp.gammainc(1 - s, d * b, end)
    assert discounted(total, force, horizon) == pytest.approx(float(truth), rel=ROUNDING)


def test_nothing_discounted_is_the_total():
    found = discounted(lambda t: np.array([3.0, 4.0]) * t, 0.0, 10.0)
    assert found == pytest.approx([30, 40], rel=ROUNDING)
    assert discounted(lambda t: np.array([t]), 0.1, 0.0) == pytest.approx([0.0])


def test_for_ever_without_discount_is_refused():
    with pytest.raises(ValueError, match="give a discount rate above 0 or a horizon"):
        present_value_rule(0.0)


@pytest.mark.parametrize("force", FORCES)
@pytest.mark.parametrize("horizon", HORIZONS)
def test_nodes_are_times_within_the_horizon(force, horizon):
    times, weights = present_value_rule(force, horizon)
    assert np.isfinite(times).all() and (times >= 0).all() and (weights >= 0).all()
    assert times.max() <= (horizon or math.inf) * (1 + 1e-15)
    # A total that is there at once is not discounted.
    assert weights.sum() == pytest.approx(1, rel=ROUNDING)


# -- rates and units -------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", DAYS)
def test_force_is_the_yearly_rate_in_every_unit(unit):
    force = force_of_interest(0.1, unit)
    assert math.exp(-force * 365.25 / days_in(unit)) == pytest.approx(1 / 1.1, rel=ROUNDING)


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (-0.1, "a share per year of at least 0"),
        (math.nan, "a share per year of at least 0"),
        (True, "a share per year of at least 0"),
        (10, r"1000% a year; 10 % is discount_rate=0.1"),
    ],
)
def test_refused_rates(rate, message):
    with pytest.raises(ValueError, match=message):
        force_of_interest(rate, "week")


def test_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="unit='weeks': one of 'day', 'week', 'month'"):
        days_in("weeks")


# -- few ages for all ------------------------------------------------------------------------------

LAWS = [
    (GammaLaw(0.25, 5.0), BetaLaw(0.8, 2.4)),
    (GammaLaw(0.25, 0.05), BetaLaw(0.8, 2.4)),
    (GammaLaw(2.0, 0.5), BetaLaw(40.0, 60.0)),
    (GammaLaw(30.0, 500.0), BetaLaw(0.01, 0.01)),
    (GammaLaw(2.0, 0.5), PointLaw(0.4)),
    (GammaLaw(2.0, 0.5), SplitLaw(0.4)),
    (PointLaw(0.3), BetaLaw(0.8, 2.4)),
    (PointLaw(0.3), PointLaw(0.1)),
]


@pytest.mark.parametrize("laws", LAWS, ids=str)
@pytest.mark.parametrize("horizon", [None, 52.0])
def test_discounted_purchases_are_those_of_every_age(laws, horizon, monkeypatch):
    generator = np.random.default_rng(1)
    T = np.tile(np.sort(generator.integers(0, 7000, 120)) / 7, 4)
    x = np.repeat([0.0, 1.0, 30.0, 5000.0], 120)
    known = Histories(x, np.where(x > 0, 0.7 * T, 0), T, np.ones(T.size), "week")
    model = replace(fit_bgnbd(sample_split().calibration), purchasing=laws[0], dropout=laws[1])
    carried = model.discounted_purchases(known, 0.1, horizon)
    monkeypatch.setattr(transactions, "over_ages", lambda function, x, T, *_: function(x, T))
    each = model.discounted_purchases(known, 0.1, horizon)
    assert carried == pytest.approx(each, rel=CARRIED)


def test_function_is_computed_at_few_ages_only():
    asked = []

    def function(x, T):
        asked.append(T.size)
        return (2 + x) / (5 + T)

    x, T = (one.ravel() for one in np.meshgrid([0.0, 3.0], np.linspace(0, 500, 1_000)))
    found = over_ages(function, x, T, 5.0)
    assert found == pytest.approx((2 + x) / (5 + T), rel=CARRIED)
    assert sum(asked) < 150


@pytest.mark.parametrize("laws", LAWS, ids=str)
def test_eight_digits_are_eight_digits(laws):
    model = fit_bgnbd(sample_split().calibration)
    known, force = model.histories, force_of_interest(0.1, "week")
    model = replace(model, purchasing=laws[0], dropout=laws[1])
    tolerance = HURRIED if laws[0] == GammaLaw(2.0, 0.5) else EIGHT
    for horizon in (None, 52.0):
        full = model.discounted_by_row(known, force, horizon)
        eight = model.discounted_by_row(known, force, horizon, digits=8)
        assert eight == pytest.approx(full, rel=tolerance)


def test_few_pairs_are_computed_one_by_one():
    asked = []
    found = over_ages(lambda x, T: asked.append(x) or x + T, np.arange(3.0), np.ones(3), 1.0)
    assert found.tolist() == [1, 2, 3]
    assert asked[0].tolist() == [0, 1, 2]

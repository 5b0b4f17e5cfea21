"""Simulated customers follow the model they were drawn from."""

import numpy as np
import pandas as pd
import pytest
from keycustomer.lifetime import BetaLaw, GammaLaw, PointLaw, SplitLaw, simulation
from keycustomer.lifetime.simulation import simulate_customers, simulate_spend
from scipy.stats import chi2_contingency, ks_2samp

SPREAD = 4.5
"""Standard errors within which a simulated mean must lie: a miss by chance is 7 in a million."""

SMALLEST_P = 1e-4
"""Significance below which two samples count as drawn from different laws."""

CUSTOMERS = 60_000
RATE, LEAVE, OBSERVED, AHEAD = 0.12, 0.2, 30.0, 20.0
"""Purchases a week and dropout of everybody where all are alike; weeks observed and ahead."""


def step_by_step(model, rate, dropout, observed, horizon, generator):
    """Follow customers from purchase to purchase, as the models tell it."""
    n = rate.size
    until = np.full(n, np.inf)
    alive = np.ones(n, bool)
    if model == "Pareto/NBD":
        until = generator.exponential(1 / dropout)
    if model == "MBG/NBD":
        alive = generator.random(n) >= dropout
    now, recency = np.zeros(n), np.zeros(n)
    frequency, future = np.zeros(n), np.zeros(n)
    left = np.where(alive, np.inf, 0.0)
    while (alive & (now < observed + horizon)).any():
        now = now + generator.exponential(1 / rate)
        alive &= (now < until) & (now < observed + horizon)
        past, later = alive & (now < observed), alive & (now >= observed)
        frequency[past] += 1
        recency[past] = now[past]
        future[later] += 1
        if model != "Pareto/NBD":
            leaving = alive & (generator.random(n) < dropout)
            left[leaving] = now[leaving]
            alive &= ~leaving
    return frequency, recency, (np.minimum(left, until) > observed), future


@pytest.mark.parametrize(
    ("model", "dropout"),
    [
        ("BG/NBD", BetaLaw(0.8, 2.4)),
        ("MBG/NBD", BetaLaw(0.8, 2.4)),
        ("Pareto/NBD", GammaLaw(0.6, 11.7)),
    ],
)
def test_histories_are_those_of_customers_followed_step_by_step(model, dropout):
    drawn = simulate_customers(
        model, GammaLaw(0.5, 4.4), dropout, OBSERVED, customers=CUSTOMERS, horizon=AHEAD, seed=5
    )
    generator = np.random.default_rng(6)
    rate = generator.gamma(0.5, 1 / 4.4, CUSTOMERS)
    followed = step_by_step(
        model, rate, dropout.sample(CUSTOMERS, generator), OBSERVED, AHEAD, generator
    )
    frequency, recency, alive, future = followed
    assert same_counts(drawn["frequency"], frequency)
    assert same_counts(drawn["alive"], alive)
    assert same_counts(drawn["future_purchases"], future)
    assert same_counts(drawn["future_purchases"][drawn["frequency"] > 2], future[frequency > 2])
    for x in (1, 2, 4):
        ours = drawn["recency"][drawn["frequency"] == x] / 7
        assert ks_2samp(ours, recency[frequency == x]).pvalue > SMALLEST_P


def same_counts(one, two):
    """Compare two samples of counts, ten and more in one class, by a chi-squared test."""
    table = np.stack(
        [
            np.bincount(np.minimum(sample, 10), minlength=11)
            for sample in (np.asarray(one, dtype=int), np.asarray(two, dtype=int))
        ]
    )
    return chi2_contingency(table[:, table.sum(0) > 0]).pvalue > SMALLEST_P


@pytest.mark.parametrize("model", ["BG/NBD", "MBG/NBD"])
def test_alike_customers_who_may_leave_after_a_purchase(model):
    drawn = simulate_customers(
        model, PointLaw(RATE), PointLaw(LEAVE), OBSERVED, customers=CUSTOMERS, horizon=AHEAD
    )
    first = 1 - LEAVE if model == "MBG/NBD" else 1.0
    stays = np.exp(-RATE * LEAVE * OBSERVED) * first
    stay_mean = (1 - LEAVE) / LEAVE if model == "MBG/NBD" else 1 / LEAVE
    near(drawn["alive"], stays)
    near(drawn["frequency"], stay_mean * (1 - np.exp(-RATE * LEAVE * OBSERVED)))
    ahead = (1 - np.exp(-RATE * LEAVE * AHEAD)) / LEAVE
    near(drawn["future_purchases"], stays * ahead)
    assert not drawn.loc[~drawn["alive"], "future_purchases"].any()


def test_alike_customers_who_may_leave_at_any_time():
    drawn = simulate_customers(
        "Pareto/NBD", PointLaw(RATE), PointLaw(0.05), OBSERVED, customers=CUSTOMERS, horizon=AHEAD
    )
    stays = np.exp(-0.05 * OBSERVED)
    near(drawn["alive"], stays)
    near(drawn["frequency"], RATE / 0.05 * (1 - stays))
    near(drawn["future_purchases"], stays * RATE / 0.05 * (1 - np.exp(-0.05 * AHEAD)))


def near(values, expected):
    values = np.asarray(values, dtype=float)
    assert abs(values.mean() - expected) < SPREAD * values.std() / np.sqrt(values.size)


@pytest.mark.parametrize("whole_days", [False, True])
@pytest.mark.parametrize(
    ("model", "dropout"),
    [("BG/NBD", SplitLaw(0.3)), ("Pareto/NBD", SplitLaw(0.3)), ("BG/NBD", PointLaw(0.0))],
)
def test_limit_laws(model, dropout, whole_days):
    drawn = simulate_customers(
        model, GammaLaw(1.0, 5.0), dropout, 30.0, customers=5000, whole_days=whole_days, horizon=5
    )
    leaves = drawn["true_dropout"] > 0
    assert drawn.loc[~leaves, "alive"].all()
    assert drawn.loc[leaves, "frequency"].max() <= 1 or not leaves.any()
    if model == "Pareto/NBD":
        assert np.isinf(drawn.loc[leaves, "true_dropout"]).all()
        assert not drawn.loc[leaves, "frequency"].any()


def test_purchases_by_day_are_days_with_a_purchase():
    weekly = 2.0
    drawn = simulate_customers(
        "BG/NBD",
        PointLaw(weekly),
        PointLaw(0.0),
        26.0,
        customers=4000,
        horizon=4.0,
        whole_days=True,
        seed=2,
    )
    a_day = 1 - np.exp(-weekly / 7)
    near(drawn["frequency"], 26 * 7 * a_day)
    near(drawn["future_purchases"], 4 * 7 * a_day)
    assert (drawn[["frequency", "recency", "T", "future_purchases"]] % 1 == 0).all(axis=None)
    assert (drawn["frequency"] <= drawn["recency"]).all()
    assert (drawn["recency"] <= drawn["T"]).all()


@pytest.mark.parametrize(
    ("model", "dropout"),
    [
        ("BG/NBD", BetaLaw(0.8, 2.4)),
        ("MBG/NBD", BetaLaw(0.8, 2.4)),
        ("Pareto/NBD", GammaLaw(0.6, 11.7)),
    ],
)
def test_recording_by_day_hides_few_purchases_of_slow_buyers(model, dropout):
    arguments = (model, PointLaw(0.02), dropout, [20.0, 39.0])
    exact, recorded = (
        simulate_customers(*arguments, customers=CUSTOMERS, horizon=39, seed=3, whole_days=whole)
        for whole in (False, True)
    )
    for column in ("frequency", "alive", "future_purchases"):
        assert same_counts(exact[column], recorded[column])


def test_times_come_from_those_observed():
    one_each = simulate_customers("BG/NBD", GammaLaw(1, 5), BetaLaw(1, 1), [3.0, 9.0, 4.0])
    assert one_each["T"].tolist() == [21.0, 63.0, 28.0]
    drawn = simulate_customers("BG/NBD", GammaLaw(1, 5), BetaLaw(1, 1), [3.0, 9.0], customers=500)
    assert set(drawn["T"]) == {21.0, 63.0}


def test_rates_and_unit():
    by_week = simulate_customers(
        "Pareto/NBD", GammaLaw(2, 10), GammaLaw(2, 50), 10.0, customers=100, seed=9
    )
    by_day = simulate_customers(
        "Pareto/NBD", GammaLaw(2, 70), GammaLaw(2, 350), 70.0, customers=100, unit="day", seed=9
    )
    for column in ("frequency", "alive"):
        assert by_week[column].tolist() == by_day[column].tolist()
    for column in ("true_rate", "true_dropout"):
        np.testing.assert_allclose(by_week[column], by_day[column] * 7, rtol=1e-12)


def test_a_seed_gives_the_same_customers_and_chunks_number_them_on(monkeypatch):
    arguments = ("BG/NBD", GammaLaw(0.5, 4.0), BetaLaw(1, 2), 30.0)
    one, two = (simulate_customers(*arguments, customers=300, seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(simulate_customers(*arguments, customers=300, seed=2))
    monkeypatch.setattr(simulation, "CHUNK", 100)
    chunked = simulate_customers(*arguments, customers=300, seed=1, whole_days=True)
    assert chunked["customer_id"].tolist() == list(range(300))
    assert chunked.index.tolist() == list(range(300))


def test_spend_follows_the_gamma_gamma():
    p, q, v = 6.25, 5.0, 15.0
    frequency = np.tile([0, 1, 4, 50], 20_000)
    drawn = simulate_spend(frequency, p, q, v, seed=4)
    near(drawn["true_spend"], p * v / (q - 1))
    assert not drawn.loc[drawn["frequency"] == 0, "monetary_value"].any()
    for x in (1, 4, 50):
        some = drawn[drawn["frequency"] == x]
        relative = some["monetary_value"] / some["true_spend"]
        near(relative, 1.0)
        near((relative - 1) ** 2, 1 / (p * x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("BGNBD", GammaLaw(1, 1), BetaLaw(1, 1), 3.0), r"model='BGNBD': one of 'BG/NBD', 'MBG"),
        (("BG/NBD", GammaLaw(1, 1), GammaLaw(1, 1), 3.0), r"dropout=GammaLaw.*BetaLaw or PointLaw"),
        (("Pareto/NBD", BetaLaw(1, 1), GammaLaw(1, 1), 3.0), r"purchasing=BetaLaw\(.* not fit"),
        (("BG/NBD", GammaLaw(0.0, 1), BetaLaw(1, 1), 3.0), "shape must be a finite number above 0"),
        (("BG/NBD", GammaLaw(1, 1), PointLaw(1.5), 3.0), "value must be between 0 and 1"),
        (("BG/NBD", PointLaw(np.inf), PointLaw(0.5), 3.0), "value must be between 0 and inf"),
        (("BG/NBD", GammaLaw(1, 1), SplitLaw(-0.1), 3.0), "share must be between 0 and 1"),
        (("BG/NBD", GammaLaw(1, 1), BetaLaw(1, 1), -3.0), r"observed=-3.0: finite times"),
        (("BG/NBD", GammaLaw(1, 1), BetaLaw(1, 1), []), r"observed: .*got shape \(0,\)"),
    ],
)
def test_impossible_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_customers(*arguments)


def test_more_impossible_arguments():
    laws = ("BG/NBD", GammaLaw(1, 1), BetaLaw(1, 1), 3.0)
    with pytest.raises(ValueError, match="customers=0: a whole number of at least 1"):
        simulate_customers(*laws, customers=0)
    with pytest.raises(ValueError, match="horizon=nan: finite times"):
        simulate_customers(*laws, horizon=np.nan)
    with pytest.raises(ValueError, match="unit='fortnight': one of"):
        simulate_customers(*laws, unit="fortnight")
    with pytest.raises(ValueError, match="q=0: a finite number above 0"):
        simulate_spend([1], 1, 0, 1)
    with pytest.raises(ValueError, match="frequency: whole numbers"):
        simulate_spend([1.5], 1, 1, 1)

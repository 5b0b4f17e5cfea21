"""Implied concentration: closed forms, mpmath, simulated customers, limits, hostile input."""

import math
from types import SimpleNamespace

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer import lifetime, pareto
from keycustomer.lifetime import BetaLaw, GammaLaw, PointLaw
from keycustomer.lifetime.concentration.counting import count_probabilities
from keycustomer.lifetime.concentration.implied import SpendLaw
from keycustomer.lifetime.spend.gammagamma import GammaGamma

EXACT = 1e-11  # rounding of the sums, and of the search for the border of revenue
CUSTOMERS = 200_000
CHANCE = 0.006  # 4 standard errors of a top share of that many customers with heavy-tailed spend
LIMIT = 2e-4  # a law of shape 1e6 is its limit up to about this

PARETO = ("Pareto/NBD", GammaLaw(0.553, 10.578), GammaLaw(0.606, 11.669))
GEOMETRIC = ("BG/NBD", GammaLaw(0.243, 4.414), BetaLaw(0.793, 2.426))
STAYING = PointLaw(0.0)


def model(name, purchasing, dropout):
    """Stand in for a fitted model: its laws, and the mean of its counts."""
    one = SimpleNamespace(model=name, purchasing=purchasing, dropout=dropout)

    def expected(times):
        counts = [count_probabilities(one, time) for time in np.atleast_1d(times)]
        return np.array([chances @ np.arange(chances.size) for chances in counts])

    one.expected_purchases_new = expected
    return one


def spending(p, q, scale=50.0):
    """Make a Gamma-Gamma model of given parameters."""
    names = ("p", "q", "v") if math.isfinite(p) and math.isfinite(q) else ("mean_spend",)
    return GammaGamma(
        model="Gamma-Gamma",
        names=names,
        values=np.array([scale] * len(names)),
        covariance=np.zeros((len(names),) * 2),
        log_likelihood=0.0,
        customers=1.0,
        p=p,
        q=q,
        scale=scale if math.isfinite(q) else math.inf,
        histories=None,
    )


@pytest.mark.parametrize("top", [0.01, 0.2, 0.5, 1.0])
def test_exponential_rates_have_the_share_of_the_textbook(top):
    share = lifetime.lasting_share(model("BG/NBD", GammaLaw(1.0, 3.0), STAYING), top=top)
    assert share == pytest.approx(top * (1 - math.log(top)), rel=EXACT)


@pytest.mark.parametrize("shape", [0.05, 0.243, 0.553, 3.0, 80.0])
def test_the_lasting_share_of_gamma_rates_agrees_with_thirty_digits(shape):
    share = lifetime.lasting_share(model("BG/NBD", GammaLaw(shape, 4.0), STAYING))
    with mp.workdps(30):
        r = mp.mpf(shape)
        start = GammaLaw(shape, 1.0).quantile(0.8)
        cut = mp.findroot(lambda x: mp.gammainc(r, 0, x, regularized=True) - mp.mpf("0.8"), start)
        exact = mp.gammainc(r + 1, cut, mp.inf, regularized=True)
    assert share == pytest.approx(float(exact), rel=EXACT)


@pytest.mark.parametrize(("shape", "q"), [(0.553, 3.74), (2.0, 1.2), (0.1, 20.0)])
def test_the_lasting_share_of_revenue_agrees_with_thirty_digits(shape, q):
    share = lifetime.lasting_share(
        model("BG/NBD", GammaLaw(shape, 4.0), STAYING), spend=spending(6, q)
    )
    with mp.workdps(30):

        def below(power, at):
            return mp.betainc(shape + power, q - power, 0, at, regularized=True)

        cut = mp.findroot(
            lambda u: below(0, u) - mp.mpf("0.8"), (0.0001, 0.9999), solver="anderson"
        )
        exact = 1 - below(1, cut)
    assert share == pytest.approx(float(exact), rel=1e-9)


def test_alike_customers_have_no_lasting_concentration():
    alike = model("BG/NBD", PointLaw(0.1), STAYING)
    assert lifetime.lasting_share(alike, top=0.3) == 0.3
    assert lifetime.lasting_share(alike, top=0.3, spend=spending(6, math.inf)) == 0.3
    assert lifetime.lasting_share(alike, spend=spending(6, 4.0)) > 0.3


def test_alike_rates_leave_the_concentration_of_the_mean_spend():
    share = lifetime.lasting_share(model("BG/NBD", PointLaw(0.1), STAYING), spend=spending(6, 2.0))
    # mean spend 1 / nu with nu of shape 2: customers below x in nu number 1 - (1 + x) exp(-x),
    # and their share of the value is 1 - exp(-x)
    cut = mp.findroot(lambda x: 1 - (1 + x) * mp.exp(-x) - 0.2, 1)
    assert share == pytest.approx(float(1 - mp.exp(-cut)), rel=EXACT)


def test_counts_by_hand():
    chances = np.array([0.5, 0.3, 0.1, 0.1])
    assert lifetime.top_share(chances, top=0.1) == pytest.approx(0.3 / 0.8)
    assert lifetime.top_share(chances, top=0.25) == pytest.approx((0.3 + 0.2 + 0.05) / 0.8)
    assert lifetime.top_share(chances, top=0.5) == pytest.approx(1)
    assert lifetime.top_share(chances, top=0.2, population="buyers") == pytest.approx(0.3 / 0.8)
    assert lifetime.top_share(chances, top=1.0) == 1
    assert lifetime.top_share(chances, top=0.0) == 0


def test_the_first_purchase_makes_a_buyer_of_everybody():
    one = model(*GEOMETRIC)
    chances = count_probabilities(one, 39.0)
    share = lifetime.implied_share(one, 39.0, first_purchase=True)
    # a millionth customer of the tail is rounded away
    values = np.repeat(np.arange(chances.size) + 1, np.round(chances * 1e6).astype(int))
    assert share == pytest.approx(pareto.pareto_share(values), abs=1e-4)
    for population in ("all", "buyers"):
        again = lifetime.implied_share(one, 39.0, first_purchase=True, population=population)
        assert again == share


@pytest.mark.parametrize("laws", [PARETO, GEOMETRIC], ids=lambda laws: laws[0])
@pytest.mark.parametrize("population", ["all", "buyers"])
def test_simulated_customers_have_the_implied_shares(laws, population):
    ages = np.array([20.0, 30.0, 39.0])
    drawn = lifetime.simulate_customers(*laws, ages, customers=CUSTOMERS, seed=11)["frequency"]
    spend = spending(6.25, 3.74, 6.25 * 15.44)
    money = lifetime.simulate_spend(drawn, 6.25, 3.74, 15.44, seed=12)["monetary_value"]
    revenue = (money.fillna(0) * drawn).to_numpy()
    for values, law in ((drawn.to_numpy(float), None), (revenue, spend)):
        seen = pareto.pareto_share(values, population=population)
        share = lifetime.implied_share(model(*laws), ages, population=population, spend=law)
        assert share == pytest.approx(seen, abs=CHANCE)


@pytest.mark.parametrize("spend", [None, spending(6.0, 3.0)], ids=["purchases", "revenue"])
def test_a_long_window_leads_to_the_lasting_share(spend):
    stays = model("Pareto/NBD", GammaLaw(0.6, 1.0), STAYING)
    lasting = lifetime.lasting_share(stays, spend=spend)
    away = [lifetime.implied_share(stays, t, spend=spend) - lasting for t in (10.0, 100.0, 1000.0)]
    # the excess of a window shrinks with its length: chance adds a variance that grows with the
    # mean, against one that grows with its square
    assert away[0] > away[1] > away[2] > 0
    assert away[1] / away[2] == pytest.approx(10, rel=0.15)


@settings(max_examples=25)
@given(st.floats(0.1, 10), st.floats(1, 50), st.floats(0.5, 100), st.floats(0.01, 0.9))
def test_chance_adds_to_the_concentration_and_never_takes_from_it(r, alpha, window, top):
    one = model("Pareto/NBD", GammaLaw(r, alpha), STAYING)
    whole = lifetime.implied_share(one, window, top=top)
    assert top - EXACT <= lifetime.luck_share(one, window, top=top) <= whole + EXACT
    assert lifetime.lasting_share(one, top=top) <= whole + EXACT <= 1 + 2 * EXACT
    money = spending(4.0, 3.0)
    assert whole <= lifetime.implied_share(one, window, top=top, spend=money) + EXACT


@pytest.mark.parametrize(
    ("near", "limit"),
    [
        ((1e6, 3.0), (math.inf, 3.0)),
        ((5.0, 1e6), (5.0, math.inf)),
        ((1e6, 1e6), (math.inf, math.inf)),
    ],
)
def test_spend_at_its_limits(near, limit):
    chances = count_probabilities(model(*PARETO), 39.0)
    one, other = (lifetime.top_share(chances, SpendLaw(*pair), top=0.11) for pair in (near, limit))
    assert one == pytest.approx(other, abs=3e-3 if near == (1e6, 1e6) else LIMIT)
    if limit == (math.inf, math.inf):
        assert other == lifetime.top_share(chances, top=0.11)


def test_the_unit_of_money_does_not_matter():
    cheap, dear = (
        lifetime.implied_share(model(*PARETO), 39.0, spend=spending(5, 3, scale))
        for scale in (1e-3, 1e6)
    )
    assert cheap == dear


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top": 20}, "20 % is top=0.2"),
        ({"population": "some"}, "population='some': one of 'all', 'buyers'"),
        ({"spend": spending(6, 0.9)}, "q = 0.9 has no mean spend"),
        ({"window": 0.0}, "nobody is expected to buy in this window"),
        ({"window": -1.0}, "finite times of at least 0"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        lifetime.implied_share(**({"model": model(*PARETO), "window": 39.0} | arguments))


def test_customers_who_never_come_back_have_no_share():
    with pytest.raises(ValueError, match="nobody is expected to buy"):
        lifetime.implied_share(model("BG/NBD", PointLaw(0.0), STAYING), 39.0)


def test_the_interval_of_the_lasting_share_is_that_of_the_shape(cdnow_base):
    fitted = lifetime.fit_paretonbd(lifetime.count_histories(cdnow_base, end="1997-09-30"))
    share = lifetime.lasting_estimate(fitted)
    assert share.estimate == lifetime.lasting_share(fitted)
    shape = fitted.estimates()["r"]
    for r, end in ((shape.upper, share.lower), (shape.lower, share.upper)):
        rates = SimpleNamespace(purchasing=GammaLaw(r, 1.0))
        assert end == lifetime.lasting_share(rates)
    assert share.lower < share.estimate < share.upper


def test_customers_alike_have_a_lasting_share_without_interval():
    alike = SimpleNamespace(purchasing=PointLaw(2.0), names=("purchase_rate",), customers=10.0)
    share = lifetime.lasting_estimate(alike)
    assert share.estimate == 0.2
    assert math.isnan(share.lower)

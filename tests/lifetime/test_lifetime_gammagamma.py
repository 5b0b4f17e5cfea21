"""Gamma-Gamma spend: published numbers, lifetimes, exact likelihoods and the limit models."""

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.customers import customer_table
from keycustomer.lifetime.simulation import simulate_spend
from keycustomer.lifetime.spend.gammagamma import fit_gammagamma
from keycustomer.lifetime.spend.likelihood import SpendingLikelihood, fit_shape
from keycustomer.lifetime.spend.spending import Spending, read_spending
from known_models import sample_split
from scipy import optimize, stats

ROUNDING = 1e-12  # relative error of sums of a few terms
CANCELLED = 1e-9  # the same where large terms cancel, as gammas of arguments of millions do
SLOPE = 1e-6  # central differences with steps of 1e-5 lose half the digits
SEARCH = 1e-6  # relative difference that two searches for one maximum may leave
TRUE_CORRELATION = 0.639  # of the simulated customers, from 20 million of them
LIFETIMES = 2e-3  # the tolerance at which lifetimes' search stops, relative

# Fader & Hardie (2013), section 3, and the same for all customers of the retailer
PUBLISHED = {"p": 6.25, "q": 3.74, "v": 15.44}
FULL = {"p": 6.2754, "q": 3.6245, "v": 14.984}


def table(frequency, monetary_value):
    return pd.DataFrame({"frequency": frequency, "monetary_value": monetary_value})


def spend(frequency, monetary_value, weights=None):
    x, m = (np.asarray(one, dtype=float) for one in (frequency, monetary_value))
    return Spending(x, m, np.ones(x.size) if weights is None else np.asarray(weights, float))


def exact(p, q, v, x, m):
    """Log-likelihood of one customer by equation 1a of Fader & Hardie (2013)."""
    p, q, v, x, m = map(mp.mpf, (p, q, v, x, m))
    return (
        mp.loggamma(p * x + q)
        - mp.loggamma(p * x)
        - mp.loggamma(q)
        + q * mp.log(v)
        + (p * x - 1) * mp.log(m)
        + p * x * mp.log(x)
        - (p * x + q) * mp.log(v + m * x)
    )


@pytest.fixture(scope="module")
def sample():
    return sample_split().calibration


@pytest.fixture(scope="module")
def fitted(sample):
    return fit_gammagamma(sample)


# -- published numbers and lifetimes -----------------------------------------------------------


def test_published_parameters_of_the_sample(fitted):
    assert fitted.parameters == pytest.approx(PUBLISHED, abs=0.0051)
    assert fitted.log_likelihood == pytest.approx(-4055.918, abs=0.00051)
    assert fitted.customers == 946


def test_parameters_of_all_customers(cdnow_base):
    customers = customer_table(cdnow_base, start="1997-01-01", end="1997-09-30")
    model = fit_gammagamma(customers)
    assert model.parameters == pytest.approx(FULL, rel=5e-5)
    assert model.log_likelihood == pytest.approx(-40763.476, abs=0.00051)
    assert model.histories.no_revenue == 1
    assert model.histories.no_repeat == (customers["frequency"] == 0).sum()


def test_expected_spend_lies_between_own_and_everybodys_mean(sample, fitted):
    assert fitted.mean_spend == pytest.approx(fitted.p * fitted.v / (fitted.q - 1), rel=ROUNDING)
    some = sample[sample["frequency"] > 0]
    expected = fitted.expected_spend(some)
    low = np.minimum(some["monetary_value"], fitted.mean_spend)
    high = np.maximum(some["monetary_value"], fitted.mean_spend)
    assert ((expected >= low) & (expected <= high)).all()


def test_agrees_with_lifetimes(sample, fitted):
    from lifetimes import GammaGammaFitter

    repeat = sample[sample["frequency"] > 0]
    other = GammaGammaFitter().fit(repeat["frequency"], repeat["monetary_value"])
    assert fitted.parameters == pytest.approx(other.params_.to_dict(), rel=LIFETIMES)
    theirs = other.conditional_expected_average_profit(
        sample["frequency"], sample["monetary_value"].fillna(0)
    )
    assert fitted.expected_spend(sample) == pytest.approx(theirs.to_numpy(), rel=LIFETIMES)
    start = other.params_[["p", "q", "v"]].to_numpy()
    reached, _, _ = SpendingLikelihood(read_spending(sample)).gamma_gamma(
        start / [1, 1, read_spending(sample).mean_spend]
    )
    assert fitted.log_likelihood >= reached


def test_no_other_search_climbs_higher(sample, fitted):
    likelihood = SpendingLikelihood(read_spending(sample))

    def below(place):
        value, score, _ = likelihood.gamma_gamma(np.exp(place))
        return -value, -score * np.exp(place)

    found = optimize.minimize(below, np.zeros(3), jac=True, method="L-BFGS-B", tol=1e-14)
    assert -found.fun <= fitted.log_likelihood + CANCELLED * abs(found.fun)
    assert np.exp(found.x) * [1, 1, likelihood.unit] == pytest.approx(fitted.values, rel=1e-3)


# -- the likelihood ------------------------------------------------------------------------------

PLACES = [(6.25, 3.74, 15.44), (0.05, 0.3, 1e-3), (400.0, 1.5, 0.2), (2.0, 900.0, 5e4), (1e5, 3, 1)]


@pytest.mark.parametrize("place", PLACES)
def test_likelihood_against_mpmath(place):
    x, m = [1, 2, 7, 80, 5000], [0.01, 55.0, 20.0, 3.3, 1e4]
    likelihood = SpendingLikelihood(spend(x, m, [3, 1, 2, 1, 1]))
    value, _, _ = likelihood.gamma_gamma(np.array(place) / [1, 1, likelihood.unit])
    with mp.workdps(40):
        terms = [exact(*place, *one) for one in zip(x, m, strict=True)]
        truth = 3 * terms[0] + terms[1] + 2 * terms[2] + terms[3] + terms[4]
    assert value == pytest.approx(float(truth), rel=CANCELLED)


@pytest.mark.parametrize("place", PLACES[:4])
@pytest.mark.parametrize("name", ["gamma_gamma", "centred"])
def test_derivatives(place, name):
    generator = np.random.default_rng(3)
    x, m = generator.geometric(0.3, 40), generator.lognormal(2, 1, 40)
    objective = getattr(SpendingLikelihood(spend(x, m, generator.integers(1, 4, 40))), name)
    place = np.array(place)
    _, score, hessian = objective(place)
    scale = np.abs(hessian * np.outer(place, place)).max()
    for n, step in enumerate(1e-5 * place):
        ahead, behind = (objective(place + sign * step * np.eye(3)[n]) for sign in (1, -1))
        slope = (ahead[0] - behind[0]) / 2e-5
        bend = (ahead[1] - behind[1]) / 2e-5
        assert slope == pytest.approx(score[n] * place[n], rel=SLOPE, abs=SLOPE * scale)
        assert bend * place == pytest.approx(
            hessian[n] * place[n] * place, rel=SLOPE, abs=SLOPE * scale
        )


def test_sums_do_not_depend_on_the_chunks(sample, monkeypatch):
    likelihood = SpendingLikelihood(read_spending(sample))
    whole = likelihood.gamma_gamma(np.array([6.0, 3.5, 0.4]))
    monkeypatch.setattr("keycustomer.lifetime.spend.likelihood.CHUNK", 100)
    parts = likelihood.gamma_gamma(np.array([6.0, 3.5, 0.4]))
    for one, other in zip(whole, parts, strict=True):
        assert other == pytest.approx(one, rel=1e-11)


@pytest.mark.parametrize("shape", [1e-2, 3.0, 1e4, 1e11])
def test_shape_of_a_gamma_law_to_the_last_digit(shape):
    # The gap that has its maximum at this shape, by mpmath.
    with mp.workdps(40):
        k = mp.mpf(shape)
        gap = sum(c * x * (mp.log(k * x) - mp.digamma(k * x)) for x, c in ((1, 5), (4, 2)))
        bend = sum(c * x**2 * (1 / (k * x) - mp.polygamma(1, k * x)) for x, c in ((1, 5), (4, 2)))
    found = fit_shape(np.array([1.0, 4.0]), np.array([5.0, 2.0]), float(gap))
    assert found.value == pytest.approx(shape, rel=CANCELLED)
    assert found.variance == pytest.approx(float(-1 / bend), rel=1e-6)


# -- one answer, whatever the start, the currency, the writing ------------------------------------


def test_fifty_starts_lead_to_one_answer(sample, fitted):
    generator = np.random.default_rng(8)
    for start in np.exp(generator.normal(0, 2.5, (50, 3))) * [1, 1, 30]:
        again = fit_gammagamma(sample, start=start)
        assert again.values == pytest.approx(fitted.values, rel=SEARCH)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), unit=st.sampled_from([1e-9, 0.01, 1e7]))
def test_another_currency_changes_amounts_only(seed, unit):
    generator = np.random.default_rng(seed)
    x, m = generator.geometric(0.4, 30), generator.lognormal(3, 0.8, 30)
    one, other = fit_gammagamma(table(x, m)), fit_gammagamma(table(x, m * unit))
    assert bool(one.limit) == bool(other.limit)
    assert one.expected_spend(table(x, m)) * unit == pytest.approx(
        other.expected_spend(table(x, m * unit)), rel=SEARCH
    )
    assert other.log_likelihood == pytest.approx(
        one.log_likelihood - 30 * np.log(unit), rel=CANCELLED
    )


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_weights_equal_repetition(seed):
    generator = np.random.default_rng(seed)
    x, m = generator.geometric(0.4, 40), generator.lognormal(3, 0.8, 40)
    counts = generator.integers(0, 4, 40)
    drawn = fit_gammagamma(table(x, m)).refit(counts.astype(float))
    again = fit_gammagamma(table(np.repeat(x, counts), np.repeat(m, counts)))
    assert drawn.names == again.names
    assert drawn.values == pytest.approx(again.values, rel=1e-4)  # flat at small samples
    assert drawn.log_likelihood == pytest.approx(again.log_likelihood, rel=CANCELLED)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), r"one number for each of the 946 rows .* needed, got .*\(3,\)"),
        (np.zeros(946), "finite numbers of at least 0 are needed, not all of them 0"),
        (np.full(946, np.nan), "finite numbers"),
        (-np.ones(946), "finite numbers"),
    ],
)
def test_wrong_weights_are_refused(fitted, weights, message):
    with pytest.raises(ValueError, match=message):
        fitted.refit(weights)


def test_equally_likely_limits_are_chosen_in_every_currency():
    spent = table([1, 1], [10.0, 17.0])
    for unit in (1.0, 3.0, 0.7, 1e6):
        changed = spent.assign(monetary_value=spent["monetary_value"] * unit)
        assert fit_gammagamma(changed).names == ("p", "mean_spend")


def test_inputs_stay_as_they_were(sample):
    before = sample.copy(deep=True)
    fit_gammagamma(sample).expected_spend(sample)
    pd.testing.assert_frame_equal(sample, before)


# -- small data end in a maximum or a named limit ----------------------------------------------


def test_small_cohorts_never_fail():
    generator = np.random.default_rng(21)
    seen = set()
    for _ in range(60):
        n = int(generator.choice([1, 2, 3, 50]))
        x = generator.geometric(generator.choice([0.2, 0.5, 0.9]), n).astype(float)
        m = np.round(generator.lognormal(3, generator.choice([0.01, 0.5, 2]), n), 2)
        model = fit_gammagamma(table(x, m))
        seen.add(model.names)
        assert (len(model.names) == 3) == (not model.limit)
        likelihood = SpendingLikelihood(spend(x, m))
        for place in np.exp(generator.normal(0, 3, (5, 3))):
            value = likelihood.gamma_gamma(place)[0] if not likelihood.alike else -np.inf
            assert value <= model.log_likelihood + CANCELLED * abs(value)
    assert seen == {("p", "q", "v"), ("p", "mean_spend"), ("q", "scale"), ("mean_spend",)}


def test_customers_alike():
    # A customer's mean varies exactly as its few purchases let it vary.
    generator = np.random.default_rng(2)
    x = np.repeat([1.0, 4.0, 25.0], 30)
    m = stats.gamma.ppf(np.tile((np.arange(30) + 0.5) / 30, 3), 3 * x, scale=20 / (3 * x))
    model = fit_gammagamma(table(x, m))
    assert "no differences in mean spend between customers" in model.limit
    assert model.names == ("p", "mean_spend")
    assert np.isinf([model.q, model.v, model.scale]).all()
    expected = model.expected_spend(table([0, 3], [0.0, 90.0]))
    assert expected == pytest.approx([model.mean_spend] * 2, rel=ROUNDING)
    with mp.workdps(40):
        far = mp.mpf(10) ** 12
        v = far * model.mean_spend / model.p
        truth = sum(exact(model.p, far, v, *one) for one in zip(x, m, strict=True))
    assert model.log_likelihood == pytest.approx(float(truth), rel=1e-8)
    assert model.sample_mean_spend(3, generator) == pytest.approx([model.mean_spend] * 3)
    with pytest.raises(ValueError, match="no density"):
        model.mean_spend_density(np.array([1.0]))


def test_purchases_alike():
    # Means of many purchases vary no less than those of one: each customer keeps to its amount.
    x = np.tile([1.0, 50.0], 20)
    m = np.repeat(stats.invgamma.ppf((np.arange(20) + 0.5) / 20, 3, scale=40), 2)
    model = fit_gammagamma(table(x, m))
    assert "no differences between the purchases of a customer" in model.limit
    assert model.names == ("q", "scale")
    expected = model.expected_spend(table([0, 1, 2], [0.0, 90.0, 7.0]))
    assert expected == pytest.approx([model.scale / (model.q - 1), 90, 7], rel=ROUNDING)
    shape, _, scale = stats.invgamma.fit(m, floc=0)
    assert [model.q, model.scale] == pytest.approx([shape, scale], rel=1e-3)
    truth = stats.invgamma.logpdf(m, model.q, scale=model.scale).sum()
    assert model.log_likelihood == pytest.approx(truth, rel=ROUNDING)


def test_standard_errors_of_the_limits_are_those_of_their_likelihood():
    x = np.tile([1.0, 50.0], 20)
    m = np.repeat(stats.invgamma.ppf((np.arange(20) + 0.5) / 20, 3, scale=40), 2)
    model = fit_gammagamma(table(x, m))
    place, steps = model.values, 1e-4 * model.values

    def value(q, scale):
        return stats.invgamma.logpdf(m, q, scale=scale).sum()

    hessian = np.empty((2, 2))
    for i, j in np.ndindex(2, 2):
        a, b = np.eye(2)[i] * steps, np.eye(2)[j] * steps
        ends = [value(*(place + s * a + t * b)) * s * t for s in (1, -1) for t in (1, -1)]
        hessian[i, j] = sum(ends) / (4 * steps[i] * steps[j])
    assert model.covariance == pytest.approx(np.linalg.inv(-hessian), rel=1e-4)


def test_everybody_alike():
    model = fit_gammagamma(table([0, 2, 5], [0.0, 9.99, 9.99]))
    assert model.limit.startswith("All 2 customers with repeat purchases spend 9.99")
    assert model.parameters == {"mean_spend": 9.99}
    assert model.log_likelihood == np.inf
    assert model.expected_spend(table([0, 4], [np.nan, 3.0])) == pytest.approx([9.99, 9.99])
    assert "nan" not in model.limit.lower()


def test_one_customer_has_a_named_limit():
    model = fit_gammagamma(table([3], [20.0]))
    assert "how sure that is the data cannot say" in model.limit
    assert np.isnan(model.standard_errors["mean_spend"])


# -- what it predicts --------------------------------------------------------------------------


def test_expected_spend_is_the_posterior_mean(fitted):
    p, q, v = fitted.values
    for x, m in [(1, 5.0), (3, 120.0), (40, 30.0)]:
        shape, rate = p * x + q, v + m * x
        with mp.workdps(25):

            def weight(y, shape=shape):  # density of y = log(nu) less its mode, up to a factor
                return mp.e ** (shape * (y - mp.expm1(y)))

            places = [k / mp.sqrt(shape) for k in range(-40, 41, 4)]
            mass = mp.quad(weight, places)
            inverse = mp.quad(lambda y: mp.e**-y * weight(y), places) / mass
            mean = p * rate / shape * inverse
        assert fitted.expected_spend(table([x], [m])) == pytest.approx([float(mean)], rel=1e-8)


def test_density_and_draws_of_mean_spend(fitted):
    at = np.linspace(1e-6, 5e4, 2_000_001)
    density = fitted.mean_spend_density(at)
    assert np.trapezoid(density, at) == pytest.approx(1, rel=1e-4)  # the tail beyond 50,000
    assert np.trapezoid(density * at, at) == pytest.approx(fitted.mean_spend, rel=1e-3)
    assert fitted.mean_spend_density(np.array([-1.0, 0.0])).tolist() == [0, 0]
    draws = fitted.sample_mean_spend(200_000, np.random.default_rng(0))
    assert np.median(draws) == pytest.approx(
        stats.invgamma.median(fitted.q, scale=fitted.scale), rel=0.01
    )


def test_known_parameters_are_recovered():
    generator = np.random.default_rng(5)
    known = simulate_spend(generator.geometric(0.3, 40_000) - 1, 6.0, 4.0, 15.0, seed=5)
    model = fit_gammagamma(known)
    for name, truth in zip("pqv", (6.0, 4.0, 15.0), strict=True):
        assert abs(model.parameters[name] - truth) < 3 * model.standard_errors[name]
    expected = model.expected_spend(known)
    error = ((expected - known["true_spend"]) ** 2).mean()
    assert error < ((known["monetary_value"] - known["true_spend"]) ** 2).mean()


def test_without_mean_spend_none_is_given():
    known = simulate_spend(np.full(3_000, 2), 5.0, 0.7, 10.0, seed=1)
    model = fit_gammagamma(known)
    assert model.q < 1
    for ask in (lambda: model.mean_spend, lambda: model.expected_spend(known)):
        with pytest.raises(ValueError, match=r"q = 0\.\d+ has no mean spend"):
            ask()
    assert len(model.to_frame()) == 3  # the parameters themselves are fine


# -- who is set apart, and the correlation --------------------------------------------------------


def test_free_and_returned_purchases_are_set_apart_and_counted():
    customers = table([0, 0, 1, 2, 3, 1, 4], [np.nan, 0.0, 0.0, -5.0, 20.0, 10.0, 15.0])
    model = fit_gammagamma(customers)
    assert model.customers == 3
    assert [model.histories.no_repeat, model.histories.no_revenue] == [2, 2]
    assert model.notes[0].startswith("Set apart: 2 without repeat purchase")
    assert model.notes[1].startswith("Set apart: 2 whose repeat purchases brought")
    expected = model.expected_spend(customers)
    assert expected[:2] == pytest.approx([model.mean_spend] * 2)
    as_nothing = model.expected_spend(table([1, 2], [0.0, 0.0]))
    assert expected[2:4] == pytest.approx(as_nothing, rel=ROUNDING)
    assert np.isfinite(expected).all()


def test_correlation_of_frequency_and_spend(sample, fitted):
    found = fitted.histories.correlation
    repeat = sample[(sample["frequency"] > 0) & (sample["monetary_value"] > 0)]
    assert found.estimate == pytest.approx(
        stats.pearsonr(repeat["frequency"], repeat["monetary_value"]).statistic, rel=ROUNDING
    )
    assert any("correlate by 0.1" in note for note in fitted.notes)


def test_interval_of_the_correlation_covers():
    generator = np.random.default_rng(11)
    hits = 0
    for _ in range(300):
        both = generator.lognormal(0, 0.7, 400)
        x, m = generator.poisson(3 * both) + 1.0, both * generator.lognormal(0, 0.5, 400)
        interval = spend(x, m).correlation
        hits += interval.lower < TRUE_CORRELATION < interval.upper
    assert hits / 300 > 0.88  # skewed samples of 400: a normal interval covers .75


def test_correlation_of_alike_customers_is_not_defined():
    found = spend([1, 1, 1], [3.0, 4.0, 5.0]).correlation
    assert np.isnan([found.estimate, found.lower, found.upper]).all()


# -- hostile input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "amount", "message"),
    [
        ([0, 0], [0.0, np.nan], r"nobody has repeat purchases of positive revenue"),
        ([2, 1], [0.0, -3.0], r"2 with free or returned ones"),
        ([-1, 2], [3.0, 3.0], r"'frequency' is not a whole number .*row 0: frequency=-1"),
        ([1.5, 2], [3.0, 3.0], r"not a whole number of at least 0 in 1 rows"),
        ([np.nan, 2], [3.0, 3.0], r"frequency=nan"),
        ([3, 2], [np.nan, 3.0], r"'monetary_value' is not a finite number in 1 rows"),
        ([3, 2], [np.inf, 3.0], r"monetary_value=inf"),
        (["3", "2"], [1.0, 3.0], r"'frequency' holds no numbers; convert it first"),
    ],
)
def test_refused_tables(frequency, amount, message):
    with pytest.raises(ValueError, match=message):
        fit_gammagamma(table(frequency, amount))


def test_refused_arguments(sample):
    with pytest.raises(ValueError, match="column 'monetary_value' is missing; columns found: x"):
        fit_gammagamma(pd.DataFrame({"x": [1], "frequency": [1]}))
    with pytest.raises(TypeError, match=r"a customer table .* got ndarray"):
        fit_gammagamma(np.ones((3, 2)))
    with pytest.raises(ValueError, match="3 positive numbers are needed, p, q, v"):
        fit_gammagamma(sample, start=(1.0, -2.0, 3.0))


def test_customers_who_never_bought_get_the_mean(fitted):
    expected = fitted.expected_spend(table([np.nan, 0], [np.nan, np.nan]))
    assert expected == pytest.approx([fitted.mean_spend] * 2)


def test_huge_frequencies_are_counted_by_sorting():
    model = fit_gammagamma(table([1, 2, 10**9, 4], [3.0, 8.0, 5.0, 6.0]))
    assert np.isfinite(model.expected_spend(table([1], [4.0]))).all()


def test_reads_well(fitted):
    assert "946 customers" in fitted._repr_html_()

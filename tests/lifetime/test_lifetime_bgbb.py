"""BG/BB against its paper, another package, mpmath, simulated donors and its own limits."""

import itertools
from pathlib import Path

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycustomer.lifetime.discrete.bgbb import STARTS, _Donors, fit_bgbb
from keycustomer.lifetime.discrete.chances import FLAT
from keycustomer.lifetime.discrete.lasting import lasting, total_lasting
from keycustomer.lifetime.discrete.opportunities import opportunity_table
from keycustomer.lifetime.discrete.powers import FAMILIES, BetaFamily, log_powers
from keycustomer.lifetime.histories import Histories
from keycustomer.lifetime.laws import BetaLaw, PointLaw, SplitLaw

PRINTED = 0.0051  # numbers printed with two decimals
PRINTED_THREE = 0.00051
ROUNDING = 1e-9  # relative error of sums of a few hundred logarithms
SLOPE = 1e-6  # central differences with steps of 1e-5 lose half the digits
SEARCH = 1e-5  # relative difference that two optimisers' stopping rules may leave


@pytest.fixture(scope="module")
def donors():
    """11,104 first-time donors of 1995, asked once a year until 2001."""
    lifetimes = pytest.importorskip("lifetimes")
    table = pd.read_csv(Path(lifetimes.__file__).parent / "datasets" / "donations.csv")
    columns = (table[name].to_numpy(float) for name in ("frequency", "recency", "periods"))
    return Histories(*columns, table["weights"].to_numpy(float), "year")


@pytest.fixture(scope="module")
def donations(donors):
    return fit_bgbb(donors)


def table(*rows):
    return pd.DataFrame(rows, columns=["frequency", "recency", "opportunities"])


def simulated(n, opportunities, laws, seed):
    generator = np.random.default_rng(seed)
    p, theta = (law.sample(n, generator) for law in laws)
    frequency, recency, alive = np.zeros(n), np.zeros(n), np.ones(n, bool)
    for k in range(1, opportunities + 1):
        alive &= generator.random(n) >= theta
        bought = alive & (generator.random(n) < p)
        frequency += bought
        recency[bought] = k
    return pd.DataFrame({"frequency": frequency, "recency": recency}).assign(
        opportunities=float(opportunities)
    )


# -- what Fader, Hardie & Shang (2010) print -------------------------------------------------


def test_published_parameters(donations):
    published = {"alpha": 1.204, "beta": 0.750, "gamma": 0.657, "delta": 2.783}
    assert donations.parameters == pytest.approx(published, abs=PRINTED_THREE)
    assert donations.log_likelihood == pytest.approx(-33225.6, abs=0.051)
    assert (donations.limit, donations.notes, donations.customers) == ("", (), 11104)


ALIVE_IN_2002 = {
    0: [0.11],
    1: [0.07, 0.25, 0.48, 0.68, 0.83, 0.93],
    2: [0.07, 0.30, 0.59, 0.80, 0.93],
    3: [0.10, 0.44, 0.77, 0.93],
    4: [0.20, 0.70, 0.93],
    5: [0.52, 0.93],
    6: [0.93],
}
TRANSACTIONS_2002_TO_2006 = {
    0: [0.07],
    1: [0.09, 0.31, 0.59, 0.84, 1.02, 1.15],
    2: [0.12, 0.54, 1.06, 1.44, 1.67],
    3: [0.22, 1.03, 1.80, 2.19],
    4: [0.58, 2.03, 2.71],
    5: [1.81, 3.23],
    6: [3.75],
}


def in_rows(published, donors):
    """Values of a printed table in the order of the histories."""
    values = {(x, max(x, 0) + i): v for x, row in published.items() for i, v in enumerate(row)}
    pairs = zip(donors.frequency, donors.recency, strict=True)
    return [values[int(x), int(t_x)] for x, t_x in pairs]


def test_published_probabilities_to_be_there_in_2002(donations, donors):
    # the paper's are those of surviving one opportunity more than was observed
    alive = donations.probability_alive(donors) * lasting(donations.dropout, donors.T, 1)
    np.testing.assert_allclose(alive, in_rows(ALIVE_IN_2002, donors), atol=PRINTED)


def test_published_expected_transactions(donations, donors):
    expected = donations.expected_purchases(5, donors)
    np.testing.assert_allclose(expected, in_rows(TRANSACTIONS_2002_TO_2006, donors), atol=PRINTED)


def test_another_package_agrees(donations, donors):
    lifetimes = pytest.importorskip("lifetimes")
    theirs = lifetimes.BetaGeoBetaBinomFitter()
    columns = (donors.frequency, donors.recency, donors.T)
    theirs.fit(*columns, weights=donors.weights)
    assert donations.values == pytest.approx(theirs.params_.to_numpy(), rel=1e-3)
    theirs.params_[:] = donations.values
    alive = theirs.conditional_probability_alive(0, *columns)
    np.testing.assert_allclose(donations.probability_alive(donors), alive, rtol=1e-9)
    expected = theirs.conditional_expected_number_of_purchases_up_to_time(5, *columns)
    np.testing.assert_allclose(donations.expected_purchases(5, donors), expected, rtol=1e-7)
    new = theirs.expected_number_of_transactions_in_first_n_periods(6)
    assert donations.expected_purchases_new(6) == pytest.approx(
        float((new["model"] * new.index).sum() / 11104), rel=1e-7
    )


# -- exactness -------------------------------------------------------------------------------


def oracle(x, t_x, n, a, b, c, d):
    """Likelihood with 60 digits: equation 5 of the paper."""
    a, b, c, d = map(mp.mpf, (a, b, c, d))
    alive = mp.beta(a + x, b + n - x) / mp.beta(a, b) * mp.beta(c, d + n) / mp.beta(c, d)
    dead = sum(
        mp.beta(a + x, b + t_x - x + i) / mp.beta(a, b) * mp.beta(c + 1, d + t_x + i)
        for i in range(n - t_x)
    ) / mp.beta(c, d)
    return alive + dead, alive / (alive + dead)


@pytest.mark.parametrize(
    ("history", "parameters"),
    [
        ((0, 0, 6), (1.2, 0.75, 0.66, 2.8)),
        ((3, 200, 365), (0.01, 40.0, 0.02, 3.0)),
        ((300, 300, 365), (1e5, 2e4, 1e4, 3e5)),
        ((1, 1, 1000), (2.0, 0.001, 300.0, 0.001)),
        ((0, 0, 1000), (1e-5, 1e-5, 1e-5, 1e-5)),
    ],
)
def test_likelihood_and_probability_alive_by_mpmath(history, parameters):
    with mp.workdps(60):
        likelihood, alive = oracle(*history, *parameters)
    x, t_x, n = (np.array([float(value)]) for value in history)
    known = Histories(x, t_x, n, np.ones(1), "year")
    value, _, _ = _Donors(known).objective([FAMILIES["beta"]] * 2, np.array(parameters))
    assert value == pytest.approx(float(mp.log(likelihood)), rel=ROUNDING)
    model = with_laws(BetaLaw(*parameters[:2]), BetaLaw(*parameters[2:]))
    assert model.probability_alive(known)[0] == pytest.approx(float(alive), rel=1e-8)


def with_laws(purchasing, dropout):
    """A model with given laws."""
    from dataclasses import replace

    fitted = fit_bgbb(table((1, 2, 3), (0, 0, 3), (3, 3, 3)))
    return replace(fitted, purchasing=purchasing, dropout=dropout)


def test_derivatives():
    known = Histories(
        np.array([0.0, 1, 2, 3, 3]),
        np.array([0.0, 4, 2, 5, 9]),
        np.array([7.0, 9, 3, 9, 9]),
        np.array([3.0, 1, 2, 1, 5]),
        "year",
    )
    sight = _Donors(known)
    for kinds in itertools.product(["beta", "point"], repeat=2):
        families = [FAMILIES[kind] for kind in kinds]
        size = sum(len(family.start) for family in families)
        at = np.array([0.7, 1.3, 0.4, 2.1])[:size]
        _, score, hessian = sight.objective(families, at)
        for k, h in enumerate(1e-5 * np.eye(size)):
            up, down = sight.objective(families, at + h), sight.objective(families, at - h)
            assert score[k] == pytest.approx((up[0] - down[0]) / 2e-5, rel=SLOPE, abs=SLOPE)
            np.testing.assert_allclose(
                hessian[k], (up[1] - down[1]) / 2e-5, rtol=SLOPE, atol=1e2 * SLOPE
            )


def test_random_starts_lead_to_one_place(donations, donors):
    generator = np.random.default_rng(4)
    for start in np.exp(generator.normal(0, 2, (50, 4))):
        again = fit_bgbb(donors, start=start)
        np.testing.assert_allclose(again.values, donations.values, rtol=SEARCH)


def test_chunks_do_not_change_the_likelihood(donors, monkeypatch):
    whole = _Donors(donors).objective([FAMILIES["beta"]] * 2, np.array(STARTS[0]))
    monkeypatch.setattr("keycustomer.lifetime.discrete.bgbb.CHUNK", 7)
    parts = _Donors(donors).objective([FAMILIES["beta"]] * 2, np.array(STARTS[0]))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=ROUNDING)


def test_parameters_are_recovered():
    truth = np.array([1.2, 0.8, 0.7, 3.0])
    customers = simulated(100_000, 8, (BetaLaw(*truth[:2]), BetaLaw(*truth[2:])), seed=5)
    model = fit_bgbb(customers)
    z = (model.values - truth) / np.array(list(model.standard_errors.values()))
    assert np.abs(z).max() < 3.5  # four standard normals exceed it once in 500 draws


def test_expected_purchases_are_those_of_simulated_customers():
    laws = BetaLaw(1.2, 0.8), BetaLaw(0.7, 3.0)
    customers = simulated(200_000, 12, laws, seed=9)
    assert with_laws(*laws).expected_purchases_new(12) == pytest.approx(
        customers["frequency"].mean(), abs=4 * customers["frequency"].std() / 200_000**0.5
    )


# -- refits, weights, properties -------------------------------------------------------------


def test_weights_equal_repetition(donors):
    rows = table((0, 0, 4), (1, 3, 4), (2, 2, 5), (4, 5, 6), (1, 1, 2), (3, 3, 3))
    times = np.array([6, 4, 3, 2, 5, 2])
    repeated = rows.loc[rows.index.repeat(times)]
    weighted = Histories(*rows.to_numpy(float).T, times.astype(float), "year")
    assert fit_bgbb(repeated).parameters == pytest.approx(fit_bgbb(weighted).parameters, rel=SEARCH)


def test_refits_begin_at_the_fit(donations, donors):
    same = donations.refit(donors.weights)
    np.testing.assert_allclose(same.values, donations.values, rtol=SEARCH)
    assert same.evaluations <= 4
    half = donations.refit(np.where(donors.frequency > 3, 0, donors.weights))
    assert half.histories.rows < donors.rows and half.log_likelihood > donations.log_likelihood


@settings(max_examples=25)
@given(
    st.tuples(*[st.floats(0.05, 20)] * 4), st.integers(0, 12), st.integers(0, 12), st.integers(1, 9)
)
def test_properties_of_probability_alive(parameters, x, gap, more):
    model = with_laws(BetaLaw(*parameters[:2]), BetaLaw(*parameters[2:]))
    recency = x + gap if x else 0
    early, late = (x, recency, recency + more), (x, recency, recency + more + 1)
    bought = (x + 1, recency + more, recency + more)
    alive = model.probability_alive(table(early, late, bought))
    assert 0 <= alive[1] <= alive[0] * (1 + ROUNDING) <= alive[2] * (1 + 2 * ROUNDING)
    assert alive[2] == 1
    expected = [model.expected_purchases(t, table(early))[0] for t in (0, 1, 5)]
    assert expected[0] == 0 and expected[1] <= expected[2] <= 5


def test_refits_of_few_customers_are_fits():
    generator = np.random.default_rng(12)
    for seed in range(6):
        shape = np.exp(generator.normal(0, 1, 4))
        model = fit_bgbb(simulated(40, 6, (BetaLaw(*shape[:2]), BetaLaw(*shape[2:])), seed))
        drawn = generator.multinomial(40, model.histories.weights / 40).astype(float)
        again, anew = model.refit(drawn), fit_bgbb(model.histories.reweighted(drawn))
        assert again.log_likelihood == pytest.approx(anew.log_likelihood, abs=1e-6)
        assert (again.limit, again.names) == (anew.limit, anew.names)


def test_bootstrap_intervals_of_parameters(donations):
    from keycustomer.lifetime.resampling import parameter_intervals

    frame = parameter_intervals(donations, draws=40, seed=1).set_index("parameter")
    assert (frame["lower"] < frame["estimate"]).all() and (frame["estimate"] < frame["upper"]).all()
    bought_always = fit_bgbb(table(*[(2, 2, 5)] * 6, *[(1, 1, 5)] * 6, *[(4, 4, 5)] * 3))
    assert bought_always.names == ("dropout_probability",)
    assert len(parameter_intervals(bought_always, draws=10)) == 1


# -- limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "parameters", "said"),
    [
        ([(0, 0, 5)] * 5, {}, "Nobody bought again"),
        ([(5, 5, 5)] * 4, {}, "All buy at every opportunity"),
        ([(2, 4, 5)], {"purchase_probability": 0.4}, "no differences in buying"),
        ([(1, 1, 1)] * 4 + [(0, 0, 1)] * 4, {"purchase_probability": 0.5}, "no drop-out"),
        ([(5, 5, 5)] * 3 + [(0, 0, 5)], {"purchase_share": 0.75}, "a share 0.75 of the customers"),
        ([(2, 2, 5), (1, 1, 5), (3, 3, 5)], {"dropout_probability": 1 / 3}, "no differences in"),
    ],
)
def test_limits_are_named(rows, parameters, said):
    model = fit_bgbb(table(*rows))
    assert model.parameters == pytest.approx(parameters, rel=SEARCH)
    assert said in model.limit
    assert np.isfinite(model.to_frame().drop(columns="parameter")).all(axis=None)
    assert len(model.to_frame()) == len(parameters)
    assert "customers" in model._repr_html_()
    assert np.isfinite(model.expected_purchases(4, table(*rows))).all()
    assert np.isfinite(model.discounted_purchases(table(*rows), 0.1)).all()


def test_small_cohorts_end_at_the_largest_likelihood():
    from scipy.optimize import minimize

    generator, limits = np.random.default_rng(3), 0
    for seed in range(14):
        shape = np.exp(generator.normal(0, 1, 4))
        laws = BetaLaw(*shape[:2]), BetaLaw(*shape[2:])
        model = fit_bgbb(simulated(50, 6, laws, seed))
        limits += bool(model.limit)
        sight, beta = _Donors(model.histories), [FAMILIES["beta"]] * 2

        def fall(z, sight=sight, beta=beta):
            value, score, _ = sight.objective(beta, np.exp(z))
            return -value, -score * np.exp(z)

        for start in generator.normal(0, 1.5, (2, 4)):
            found = minimize(fall, start, jac=True, method="L-BFGS-B", bounds=[(-6, 6)] * 4)
            assert -found.fun <= model.log_likelihood + 1e-6
        assert FLAT in model.notes or np.isfinite(model.covariance).all()
    assert limits > 3


@pytest.mark.parametrize(
    ("law", "near"),
    [
        (PointLaw(0.3), BetaLaw(0.3e9, 0.7e9)),
        (SplitLaw(0.3), BetaLaw(0.3e-9, 0.7e-9)),
        (PointLaw(0.0), BetaLaw(1e-12, 1.0)),
        (PointLaw(1.0), BetaLaw(1.0, 1e-12)),
    ],
)
def test_limits_are_what_the_beta_laws_tend_to(law, near):
    lived = np.array([0.0, 1.0, 7.0])
    if law != PointLaw(1.0):  # nobody is left of whom to say more
        for ahead, horizon, force in [(0, 3, 0.0), (1, 3, 0.1), (4, None, 0.1)]:
            np.testing.assert_allclose(
                lasting(law, lived, ahead), lasting(near, lived, ahead), rtol=1e-6
            )
            np.testing.assert_allclose(
                total_lasting(law, lived, horizon, force),
                total_lasting(near, lived, horizon, force),
                rtol=1e-6,
            )
    up, down = np.array([0, 1, 0, 2]), np.array([0, 0, 1, 3])
    np.testing.assert_allclose(
        np.exp(log_powers(law, up, down)), np.exp(log_powers(near, up, down)), atol=1e-6
    )


def test_predictions_at_limits_are_those_nearby():
    rows = table((2, 2, 5), (2, 4, 4), (0, 0, 3), (4, 4, 4))
    chances = [PointLaw(0.4), SplitLaw(0.4), BetaLaw(2, 3)]
    near = [BetaLaw(0.4e9, 0.6e9), BetaLaw(0.4e-9, 0.6e-9), BetaLaw(2, 3)]
    for one, other in itertools.product(range(3), repeat=2):
        exact = with_laws(chances[one], chances[other])
        close = with_laws(near[one], near[other])
        # one that buys always or never has no pause, and with a split drop-out no end either
        ruled_out = [[], [1], []][one] + ([0] if one == other == 1 else [])
        possible = ~np.isin(range(4), ruled_out)
        for answer in (
            lambda m: m.probability_alive(rows),
            lambda m: m.expected_purchases(3, rows),
            lambda m: m.discounted_purchases(rows, 0.1),
            lambda m: m.discounted_purchases(rows, 0.1, 4),
        ):
            np.testing.assert_allclose(answer(exact)[possible], answer(close)[possible], atol=1e-5)
            assert np.isnan(answer(exact)[~possible]).all()


# -- sums to come ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "lived", "rate"),
    [
        (0.67, 3.8, 0, 0.1),
        (0.05, 0.2, 100, 1e-3),
        (1, 1, 0, 3e-4),
        (2, 3, 5, 1e-4),
        (1e5, 1e6, 3, 1),
    ],
)
def test_discounted_lasting_by_mpmath(a, b, lived, rate):
    factor = 1 / (1 + mp.mpf(rate))
    b, c = mp.mpf(b) + lived, mp.mpf(a) + b + lived
    expected = b / c * factor * mp.hyp2f1(1, b + 1, c + 1, factor)
    ours = total_lasting(BetaLaw(a, float(b) - lived), np.array([lived]), None, np.log1p(rate))
    assert ours[0] == pytest.approx(float(expected), rel=1e-12)


def test_undiscounted_lasting():
    lived = np.array([0.0, 4.0])
    np.testing.assert_allclose(total_lasting(BetaLaw(3, 2), lived), [1.0, 3.0], rtol=ROUNDING)
    assert np.isinf(total_lasting(BetaLaw(1, 2), lived)).all()
    np.testing.assert_allclose(total_lasting(PointLaw(0.2), lived), 4)
    assert np.isinf(total_lasting(PointLaw(0.0), lived)).all()


def test_discounted_purchases_are_the_sum_of_what_comes(donations):
    rows = table((0, 0, 6), (2, 5, 6), (6, 6, 6))
    by_year = np.diff([donations.expected_purchases(t, rows) for t in range(250)], axis=0)
    total = (by_year / 1.1 ** np.arange(1, 250)[:, None]).sum(axis=0)
    np.testing.assert_allclose(donations.discounted_purchases(rows, 0.1), total, rtol=1e-8)
    np.testing.assert_allclose(
        donations.discounted_purchases(rows, 0.1, 5),
        (by_year[:5] / 1.1 ** np.arange(1, 6)[:, None]).sum(axis=0),
        rtol=ROUNDING,
    )
    np.testing.assert_allclose(
        donations.expected_purchases_new([0, 2, 2]), [0, *[donations.expected_purchases_new(2)] * 2]
    )


def test_powers_of_large_parameters_do_not_cancel():
    up, down = np.array([3, 0]), np.array([2, 900])
    got = BetaFamily().powers(np.array([3e8, 7e8]), up, down)
    with mp.workdps(60):
        for i in range(2):
            total = mp.mpf(7e8) + mp.mpf(3e8)
            value = mp.log(
                mp.rf(mp.mpf(3e8), int(up[i]))
                * mp.rf(mp.mpf(7e8), int(down[i]))
                / mp.rf(total, int(up[i] + down[i]))
            )
            assert got.log[i] == pytest.approx(float(value), rel=1e-12)


# -- hostile input ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.DataFrame({"frequency": [1]}), "'opportunities' is missing; BG/BB counts opportuni"),
        (table((3, 2, 5)), "frequency exceeds recency: at most one purchase .*frequency=3"),
        (table((1, 2.5, 5)), "recency or opportunities is not a whole number"),
        (table((1, 7, 5)), "'recency' exceeds 'opportunities' in 1 rows"),
        (table((0, 0, 0)), "nobody has had an opportunity"),
        (Histories(*np.ones((4, 1)), "week"), "histories count opportunities a week apart"),
    ],
)
def test_what_is_no_opportunity_table_is_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        fit_bgbb(rows)


@pytest.mark.parametrize("horizon", [2.5, -1, np.inf])
def test_horizons_are_whole(donations, horizon):
    with pytest.raises(ValueError, match="horizon="):
        donations.expected_purchases(horizon, table((1, 2, 3)))


def test_an_endless_sum_needs_a_rate(donations):
    with pytest.raises(ValueError, match="discount_rate=0 without a horizon"):
        donations.discounted_purchases(table((1, 2, 3)), 0.0)


def test_customers_without_purchase_are_left_unknown(donations):
    rows = pd.concat([table((1, 2, 3)), table((np.nan, np.nan, np.nan))])
    assert np.isnan(donations.probability_alive(rows)).tolist() == [False, True]


# -- the table -------------------------------------------------------------------------------

DAYS = pd.DataFrame(
    [
        ("a", "2020-01-15", 5.0),
        ("a", "2020-01-20", 7.0),
        ("a", "2020-03-31", 10.0),
        ("a", "2020-03-02", 20.0),
        ("a", "2020-05-03", 99.0),
        ("b", "2020-02-29", 1.0),
        ("c", "2020-05-01", 1.0),
    ],
    columns=["customer_id", "date", "revenue"],
)


def test_opportunities_by_hand():
    counted = opportunity_table(DAYS, "month", end="2020-05-10").set_index("customer_id")
    assert counted.loc["a"].tolist() == [1, 2, 3, 30]
    assert counted.loc["b"].tolist()[:3] == [0, 0, 2] and np.isnan(
        counted.loc["b", "monetary_value"]
    )
    assert counted.loc["c"].isna().all()  # May is not over
    over = opportunity_table(DAYS, "month", end="2020-05-31").set_index("customer_id")
    assert over.loc["a"].tolist() == [2, 4, 4, 64.5] and over.loc["c", "opportunities"] == 0
    weeks = opportunity_table(DAYS, "week", start="2020-01-16").set_index("customer_id")
    assert weeks.loc["a", ["frequency", "recency", "opportunities"]].tolist() == [3, 14, 14]
    years = opportunity_table(DAYS.assign(date=pd.to_datetime(DAYS["date"])), "year")
    assert years["opportunities"].isna().all()


def test_opportunities_of_a_base(cdnow_base):
    from keycustomer.customers import purchase_days

    base = opportunity_table(cdnow_base, "quarter", end="1998-03-31")
    days = purchase_days(cdnow_base, end="1998-03-31")
    pd.testing.assert_frame_equal(base, opportunity_table(days, "quarter", end="1998-03-31"))
    period = days["date"].dt.to_period("Q")
    assert base["frequency"].sum() == len(
        days.assign(period=period).drop_duplicates(["customer_id", "period"])
    ) - len(base)
    model = fit_bgbb(base, unit="quarter")
    assert model.customers == len(base) and model.limit == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((DAYS, "fortnight"), "every='fortnight': one of 'day', 'week'"),
        ((DAYS.drop(columns="revenue"), "month"), "column 'revenue' is missing"),
        ((DAYS[:0], "month"), "nobody bought between"),
    ],
)
def test_opportunities_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        opportunity_table(*arguments)


@pytest.mark.parametrize("start", [[1, 1, 1, 0], [1, 1], "abcd", 5])
def test_a_start_is_checked(start):
    with pytest.raises(ValueError, match=r"start=.*numbers between 1e-06 and 1e\+06 are needed"):
        fit_bgbb(table((1, 2, 3)), start=start)

"""Residual lifetime value and customer equity: by hand, by mpmath and by simulation."""

import math
from dataclasses import replace

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from keycustomer.lifetime.discrete.bgbb import fit_bgbb
from keycustomer.lifetime.exponential.paretonbd import fit_paretonbd
from keycustomer.lifetime.geometric.bgnbd import fit_bgnbd
from keycustomer.lifetime.laws import GammaLaw, PointLaw
from keycustomer.lifetime.resampling import bootstrap_models
from keycustomer.lifetime.simulation import simulate_spend
from keycustomer.lifetime.spend.gammagamma import fit_gammagamma
from keycustomer.lifetime.value import drawn_values
from keycustomer.lifetime.value.customer_values import value_customers
from known_models import sample_split

ROUNDING = 1e-12  # relative error of sums of a few terms
QUADRATURE = 1e-9  # relative error of the discounting rule, and of mpmath's at 20 digits
EIGHT = 2e-8  # values of draws are computed to eight digits

YEAR = 365.25 / 7


@pytest.fixture(scope="module")
def customers():
    return sample_split().calibration


@pytest.fixture(scope="module")
def models(customers):
    return fit_bgnbd(customers), fit_gammagamma(customers)


@pytest.fixture(scope="module")
def draws(customers, models):
    return bootstrap_models(customers, *models, draws=30, seed=5)


@pytest.fixture(scope="module")
def valued(customers, models, draws):
    return value_customers(*models, customers, margin=0.3, discount_rate=0.15, draws=draws)


# -- the values ------------------------------------------------------------------------------------


def test_value_is_purchases_times_spend_times_margin(customers, models, valued):
    transactions, spend = models
    frame = valued.to_frame()
    assert list(frame["customer_id"]) == list(customers["customer_id"])
    assert frame["probability_alive"].to_numpy() == pytest.approx(
        transactions.probability_alive(customers)
    )
    purchases = transactions.discounted_purchases(customers, 0.15)
    each = spend.expected_spend(customers)
    assert frame["discounted_purchases"].to_numpy() == pytest.approx(purchases, rel=ROUNDING)
    assert frame["expected_spend"].to_numpy() == pytest.approx(each, rel=ROUNDING)
    assert frame["residual_value"].to_numpy() == pytest.approx(0.3 * purchases * each, rel=ROUNDING)
    assert frame["expected_purchases"].to_numpy() == pytest.approx(
        transactions.expected_purchases(YEAR, customers), rel=ROUNDING
    )
    assert valued.equity.estimate == pytest.approx(frame["residual_value"].sum(), rel=ROUNDING)


def test_discounted_purchases_against_mpmath_dert(customers):
    # Fader, Hardie & Lee (2005, JMR), equation 2: DERT of the Pareto/NBD by Tricomi's function.
    model = fit_paretonbd(customers)
    some = customers.iloc[[0, 5, 300]]
    r, alpha, s, beta = model.values
    found = model.discounted_purchases(some, 0.15)
    alive = model.probability_alive(some)
    force = math.log(1.15) * 7 / 365.25
    for n, (_, one) in enumerate(some.iterrows()):
        T = one["T"] / 7
        with mp.workdps(20):
            d = mp.mpf(force) * (beta + T)
            time = mp.mpf(force) ** (s - 1) * (beta + T) ** s * mp.hyperu(s, s, d)
        rate = (r + one["frequency"]) / (alpha + T)
        assert found[n] == pytest.approx(alive[n] * rate * float(time), rel=QUADRATURE)


def test_a_horizon_bounds_both_value_and_purchases(customers, models):
    within = value_customers(*models, customers, horizon=26, discount_rate=0.0)
    frame = within.to_frame()
    assert within.ahead == 26
    assert frame["discounted_purchases"].to_numpy() == pytest.approx(
        frame["expected_purchases"].to_numpy(), rel=ROUNDING
    )
    for_ever = value_customers(*models, customers, discount_rate=0.15)
    longer = value_customers(*models, customers, discount_rate=0.15, horizon=5_000)
    assert longer.equity.estimate == pytest.approx(for_ever.equity.estimate, rel=1e-4)
    assert within.equity.estimate < for_ever.equity.estimate


def test_agrees_with_lifetimes_on_a_horizon(customers, models):
    # lifetimes adds up months of four weeks, each discounted to its end.
    transactions, spend = models
    rate, months = 0.01, 12
    totals = [transactions.expected_purchases(4.0 * n, customers) for n in range(months + 1)]
    steps = np.diff(totals, axis=0) / (1 + rate) ** np.arange(1, months + 1)[:, None]
    theirs = (steps.sum(0) * spend.expected_spend(customers)).sum()
    yearly = (1 + rate) ** (365.25 / 28) - 1
    ours = value_customers(*models, customers, discount_rate=yearly, horizon=48).equity.estimate
    # On average half a month of discount lies between the two conventions.
    assert ours / theirs == pytest.approx((1 + rate) ** 0.5, rel=1e-3)


def test_equity_of_a_simulated_base_comes_true():
    # Customers with laws known, nobody leaves: the residual value is the rate over the force.
    generator = np.random.default_rng(6)
    n, T = 60_000, 52.0
    rate = generator.gamma(2.0, 1 / 20.0, n)
    x = generator.poisson(rate * T)
    known = simulate_spend(x, 6.0, 4.0, 15.0, seed=6)
    table = pd.DataFrame(
        {
            "frequency": x,
            "recency": np.where(x > 0, 7 * T * 0.9, 0),
            "T": 7 * T,
            "monetary_value": known["monetary_value"],
        }
    )
    fitted = fit_bgnbd(table.iloc[:100])
    truth = replace(fitted, purchasing=GammaLaw(2.0, 20.0), dropout=PointLaw(0.0))
    spend = fit_gammagamma(known)
    result = value_customers(truth, spend, table, discount_rate=0.1)
    force = math.log(1.1) * 7 / 365.25
    came = (rate * known["true_spend"]).sum() / force
    assert result.equity.estimate == pytest.approx(came, rel=0.01)  # luck of 60,000 customers


# -- intervals -------------------------------------------------------------------------------------


def test_intervals_by_the_long_way(customers, models, draws, valued):
    values, sums = [], []
    counts = np.array([_counts(draws, n, len(customers)) for n in range(draws.draws)])
    for n in range(draws.draws):
        one = value_customers(
            draws.transactions[n], draws.spend[n], customers, margin=0.3, discount_rate=0.15
        ).frame["residual_value"]
        values.append(one)
        sums.append(counts[n] @ one)
    ends = np.quantile(values, [0.025, 0.975], axis=0)
    frame = valued.to_frame()
    assert frame["lower"].to_numpy() == pytest.approx(ends[0], rel=EIGHT)
    assert frame["upper"].to_numpy() == pytest.approx(ends[1], rel=EIGHT)
    assert [valued.equity.lower, valued.equity.upper] == pytest.approx(
        np.quantile(sums, [0.025, 0.975]), rel=EIGHT
    )
    assert valued.equity.method == "percentile bootstrap of customers, 30 draws"


def _counts(draws, number, size):
    from keycustomer.stats.bootstrap import bootstrap_counts

    return np.concatenate(list(bootstrap_counts(size, draws.draws, draws.seed)))[number]


def test_intervals_do_not_depend_on_what_is_held_at_once(
    customers, models, draws, valued, monkeypatch
):
    monkeypatch.setattr(drawn_values, "CELLS", 20_000)
    again = value_customers(*models, customers, margin=0.3, discount_rate=0.15, draws=draws)
    pd.testing.assert_frame_equal(again.frame, valued.frame, rtol=EIGHT)
    assert again.equity.lower == pytest.approx(valued.equity.lower, rel=EIGHT)


def test_a_number_of_draws_draws_these_customers(customers, models):
    one = value_customers(*models, customers, draws=10, seed=2)
    drawn = bootstrap_models(customers, *models, draws=10, seed=2)
    other = value_customers(*models, customers, draws=drawn)
    pd.testing.assert_frame_equal(one.frame, other.frame)
    assert one.equity == other.equity


def test_other_customers_are_valued_by_the_draws_of_the_fit(customers, models, draws):
    some = customers.iloc[:100]
    with pytest.raises(ValueError, match="was fitted on other customers"):
        value_customers(*models, some, draws=10)
    result = value_customers(*models, some, draws=draws)
    assert result.equity.n == 100
    assert result.equity.lower < result.equity.estimate < result.equity.upper
    everybody = value_customers(*models, customers, draws=draws)
    pd.testing.assert_frame_equal(result.frame, everybody.frame.iloc[:100], rtol=EIGHT)


def test_a_draw_without_mean_spend_leaves_no_interval(customers, models, draws):
    wild = replace(draws.spend[0], q=0.9)
    broken = replace(draws, spend=(wild, *draws.spend[1:]))
    result = value_customers(*models, customers, draws=broken)
    assert np.isnan([result.equity.lower, result.equity.upper]).all()
    assert result.equity.method == "no interval: not defined in 1 of 30 resamples"
    assert result.frame[["lower", "upper"]].isna().all().all()


def test_no_draws_no_interval(customers, models):
    result = value_customers(*models, customers)
    assert "lower" not in result.frame
    assert result.equity.method == "no interval: no draws"


# -- customers of other kinds, hostile input -------------------------------------------------------


def test_customers_who_never_bought_have_no_value(customers, models):
    idle = pd.DataFrame({"customer_id": ["<b>"], "frequency": 0, "recency": np.nan, "T": np.nan})
    more = pd.concat([customers, idle], ignore_index=True)
    result = value_customers(fit_bgnbd(more), fit_gammagamma(more), more, draws=5)
    assert result.frame.iloc[-1, 1:].isna().all()
    assert result.equity.n == len(customers)
    assert result.equity.estimate == pytest.approx(
        value_customers(*models, customers).equity.estimate, rel=1e-9
    )
    assert "1 customers never bought" in result._repr_html_()
    assert "<b>" not in replace(result, frame=result.frame.iloc[::-1])._repr_html_()


def test_customers_without_id_are_named_by_their_index(customers, models):
    bare = customers.drop(columns="customer_id").set_axis(customers["customer_id"], axis=0)
    result = value_customers(*models, bare)
    assert list(result.frame["customer_id"]) == list(customers["customer_id"])


def test_limits_are_said(customers, models):
    alike = pd.DataFrame({"frequency": [1, 2, 3], "monetary_value": [9.0, 9.0, 9.0]})
    result = value_customers(models[0], fit_gammagamma(alike), customers)
    assert (result.frame["expected_spend"] == 9).all()
    assert any("Gamma-Gamma: All 3 customers" in note for note in result.notes)


def test_tables_stay_as_they_were(customers, models):
    before = customers.copy(deep=True)
    result = value_customers(*models, customers)
    pd.testing.assert_frame_equal(customers, before)
    frame = result.to_frame()
    frame["residual_value"] = 0.0
    assert (result.frame["residual_value"] > 0).any()


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"margin": 30}, r"margin=30 must be a share between 0 and 1; 30 % is margin=0.3"),
        ({"discount_rate": 10}, r"10 % is discount_rate=0.1"),
        ({"discount_rate": 0.0}, "discount_rate=0 without a horizon"),
        ({"horizon": -1}, "a finite number of weeks of at least 0"),
        ({"horizon": "52"}, "horizon='52': a finite number of weeks"),
        ({"horizon": [4, 8]}, r"one number of weeks .* an array of shape \(2,\)"),
        ({"discount_rate": None}, "discount_rate=None must be a share per year"),
        ({"level": 95}, "level=95 must be a share"),
        ({"draws": 2.5}, "draws=2.5: a whole number"),
        ({"draws": 2, "seed": None}, "seed=None: a whole number of at least 0 or a numpy random"),
        ({"draws": 2, "seed": -1}, "seed=-1: a whole number"),
    ],
)
def test_refused_terms(customers, models, terms, message):
    with pytest.raises(ValueError, match=message):
        value_customers(*models, customers, **terms)


def test_models_in_the_wrong_order_are_refused(customers, models):
    with pytest.raises(TypeError, match="transactions: a TransactionModel is needed, got GammaGam"):
        value_customers(models[1], models[0], customers)


def test_a_model_of_opportunities_is_refused(customers, models):
    donors = fit_bgbb(pd.DataFrame({"frequency": [1, 2], "recency": [2, 4], "opportunities": 6}))
    with pytest.raises(TypeError, match="BG/BB counts opportunities, not the days"):
        value_customers(donors, models[1], customers)


def test_numbers_of_numpy_are_seeds(customers, models):
    one, other = (
        value_customers(*models, customers, draws=2, seed=seed) for seed in (3, np.int64(3))
    )
    assert one.equity == other.equity


def test_without_mean_spend_there_is_no_value(customers, models):
    heavy = fit_gammagamma(simulate_spend(np.full(3_000, 2), 5.0, 0.7, 10.0, seed=1))
    with pytest.raises(ValueError, match="has no mean spend"):
        value_customers(models[0], heavy, customers)


def test_values_read_well(valued):
    page = valued._repr_html_()
    assert "Customer equity" in page
    assert "0.3 of revenue kept, discounted by 0.15 a year (BG/NBD and Gamma-Gamma)" in page

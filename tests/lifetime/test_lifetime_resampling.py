"""Models fitted again on customers drawn again: the draws, their reproducibility, the intervals."""

import math
import sys

import numpy as np
import pandas as pd
import pytest
from keycustomer.lifetime.exponential.paretonbd import fit_paretonbd
from keycustomer.lifetime.geometric.bgnbd import fit_bgnbd
from keycustomer.lifetime.histories import read_histories
from keycustomer.lifetime.laws import BetaLaw, GammaLaw, PointLaw, SplitLaw
from keycustomer.lifetime.resampling import _pair, bootstrap_models, parameter_intervals
from keycustomer.lifetime.spend.gammagamma import fit_gammagamma
from keycustomer.stats.bootstrap import bootstrap_counts
from known_models import sample_split
from scipy import stats

SEARCH = 1e-5  # relative difference that two searches for one flat maximum may leave


@pytest.fixture(scope="module")
def customers():
    return sample_split().calibration


@pytest.fixture(scope="module")
def models(customers):
    return fit_bgnbd(customers), fit_gammagamma(customers)


@pytest.fixture(scope="module")
def drawn(customers, models):
    return bootstrap_models(customers, *models, draws=40, seed=3)


def test_each_draw_fits_the_customers_it_drew(customers, drawn):
    counts = np.concatenate(list(bootstrap_counts(len(customers), 40, 3)))
    for draw in (0, 17):
        again = customers.loc[customers.index.repeat(counts[draw])].reset_index(drop=True)
        transactions, spend = fit_bgnbd(again), fit_gammagamma(again)
        assert drawn.transactions[draw].values == pytest.approx(transactions.values, rel=SEARCH)
        assert drawn.spend[draw].values == pytest.approx(spend.values, rel=SEARCH)


def test_one_seed_gives_one_result(customers, models, drawn):
    again = bootstrap_models(customers, *models, draws=5, seed=3)
    for one, other in zip(again.transactions, drawn.transactions, strict=False):
        assert one.values == pytest.approx(other.values)
    assert (again.draws, again.seed) == (5, 3)
    of_generator = bootstrap_models(customers, *models, draws=2, seed=np.random.default_rng(1))
    repeated = bootstrap_models(customers, *models, draws=2, seed=of_generator.seed)
    assert repeated.transactions[1].values == pytest.approx(of_generator.transactions[1].values)


def test_draws_do_not_keep_the_customers(drawn):
    assert drawn.transactions[0].histories.rows == 0
    assert drawn.spend[0].histories.frequency.size == 0
    assert drawn.transactions[0].unit == "week"


def test_models_of_other_customers_are_refused(customers, models):
    fewer = customers.iloc[1:]
    with pytest.raises(ValueError, match=r"this BG/NBD was fitted on other customers \(2,357"):
        bootstrap_models(fewer, *models)
    with pytest.raises(ValueError, match=r"spend: this Gamma-Gamma was fitted on other"):
        bootstrap_models(fewer, fit_bgnbd(fewer), models[1])


def test_spend_may_be_left_out(customers, models):
    alone = bootstrap_models(customers, models[0], draws=2)
    assert alone.spend == (None, None)


def test_customers_who_never_bought_are_not_drawn(customers, models):
    idle = pd.DataFrame({"frequency": [0], "recency": [np.nan], "T": [np.nan]})
    more = pd.concat([idle, customers], ignore_index=True)
    drawn = bootstrap_models(more, fit_bgnbd(more), fit_gammagamma(more), draws=2, seed=3)
    same = bootstrap_models(customers, *models, draws=2, seed=3)
    assert drawn.buyers[0] == 1
    for one, other in zip(drawn.transactions, same.transactions, strict=True):
        assert one.values == pytest.approx(other.values, rel=SEARCH)
    assert drawn.spend[1].values == pytest.approx(same.spend[1].values, rel=SEARCH)


def test_draw_without_spender_has_no_spend():
    few = pd.DataFrame(
        {
            "frequency": [0, 0, 0, 1],
            "recency": [0, 0, 0, 7],
            "T": [70, 70, 70, 70],
            "monetary_value": [0.0, 0, 0, 9],
        }
    )
    drawn = bootstrap_models(few, fit_bgnbd(few), fit_gammagamma(few), draws=30)
    without = [spend is None for spend in drawn.spend]
    assert 0 < sum(without) < 30


# -- intervals of parameters -----------------------------------------------------------------------


@pytest.mark.parametrize("fit", [fit_bgnbd, fit_gammagamma])
def test_intervals_hold_the_estimate_and_resemble_walds(customers, fit):
    model = fit(customers)
    frame = parameter_intervals(model, draws=100, seed=1)
    assert list(frame["parameter"]) == list(model.names)
    assert (frame["lower"] < frame["estimate"]).all()
    assert (frame["estimate"] < frame["upper"]).all()
    wald = model.to_frame()
    ratio = (frame["upper"] - frame["lower"]) / (wald["upper"] - wald["lower"])
    assert ratio.between(0.6, 2.2).all()
    assert (frame["at_limit"] == 0).all()


def test_bootstrap_is_wider_than_the_hessian_for_alpha(customers):
    # The design's finding on CDNOW: standard error .378 by the Hessian, .503 by the bootstrap.
    model = fit_bgnbd(customers)
    alpha = parameter_intervals(model, draws=200, seed=0).set_index("parameter").loc["alpha"]
    spread = (alpha["upper"] - alpha["lower"]) / (2 * 1.96)
    assert model.standard_errors["alpha"] == pytest.approx(0.378, abs=0.0005)
    assert spread == pytest.approx(0.503, abs=0.06)  # 200 draws: a tail is ten of them


def test_draws_at_a_limit_end_the_interval_at_infinity(customers):
    small = customers.sample(60, random_state=4)
    frame = parameter_intervals(fit_bgnbd(small), draws=30, seed=2)
    assert frame["at_limit"].max() > 0.05
    assert np.isinf(frame["upper"]).any()
    assert not frame[["lower", "upper"]].isna().any().any()
    assert ((frame["at_limit"] >= 0) & (frame["at_limit"] <= 1)).all()


def test_pareto_nbd_and_its_limits_have_intervals(customers):
    small = customers.sample(60, random_state=4)
    frame = parameter_intervals(fit_paretonbd(small), draws=20, seed=2)
    assert not frame.isna().any().any()
    alike = read_histories(pd.DataFrame({"frequency": [3] * 20, "recency": [60] * 20, "T": 70}))
    model = fit_bgnbd(alike)
    assert model.limit
    assert len(parameter_intervals(model, draws=5)) == len(model.names)


@pytest.mark.parametrize(
    ("law", "pair"),
    [
        (GammaLaw(2.0, 3.0), [2, 3]),
        (BetaLaw(0.5, 0.7), [0.5, 0.7]),
        (PointLaw(0.2), [math.inf, math.inf]),
        (PointLaw(0.0), [0, math.inf]),
        (SplitLaw(0.4), [0, 0]),
    ],
)
def test_parameters_of_a_limit_are_where_they_went(law, pair):
    assert _pair(law) == pair


def test_limits_of_spend_have_intervals():
    x = np.tile([1.0, 40.0], 15)
    m = np.repeat(stats.invgamma.ppf((np.arange(15) + 0.5) / 15, 3, scale=40), 2)
    model = fit_gammagamma(pd.DataFrame({"frequency": x, "monetary_value": m}))
    frame = parameter_intervals(model, draws=30)
    assert list(frame["parameter"]) == ["q", "scale"]
    assert (frame["lower"] < frame["upper"]).all()


def test_progress_and_levels(customers, models, monkeypatch):
    monkeypatch.setattr(sys.modules["keycustomer.stats.bootstrap"], "QUIET_SECONDS", 0.0)
    seen = []
    wide = parameter_intervals(models[0], draws=30, level=0.99, progress=lambda *a: seen.append(a))
    assert seen and all(total == 30 for _, total in seen)
    narrow = parameter_intervals(models[0], draws=30, level=0.5)
    assert (wide["upper"] - wide["lower"] > narrow["upper"] - narrow["lower"]).all()
    with pytest.raises(ValueError, match=r"95 % is level=0\.95"):
        parameter_intervals(models[0], level=95)
    with pytest.raises(ValueError, match="must be at least 1"):
        parameter_intervals(models[0], draws=0)
